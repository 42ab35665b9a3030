"""The patient's side of AIDC-1, written from docs/aidc1.md alone. Shares no line with the Rust crates.

Python keeps copies of secrets that nobody can wipe: this is a reader of the specification, no terminal for patients.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SUITE = 0x0001
VERSION = 0x01
ME5, ME7, ME9, ME9_IDENTIFIED, ANSWER = 0x05, 0x07, 0x09, 0x19, 0x1A
LENGTHS = {ME5: 128, ME7: 72, ME9: 88, ME9_IDENTIFIED: 184, ANSWER: 33}
RECORDED, ACCEPTED = 0x01, 0x02
DELTA_MS = 120_000
ID_BYTES = 64
SUITES_MAX = 8
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
CURVE = ec.SECP256K1()
PATIENT, SERVER = 0x01, 0x02


class Failed(Exception):
    """The handshake ends here; the reason is one of the table "Refusals"."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


MALFORMED, EXPIRED, WRONG_EPOCH = "malformed", "expired", "wrong epoch"
NO_POINT, MISMATCH, BEHIND = "not on the curve", "mismatch", "behind"
WRONG_SUITE = "the server does not answer suite 0x0001"


# Notation


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def digest(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def extract(salt, ikm):
    return hmac.digest(salt, ikm, "sha256")


def expand(prk, info, length):
    return HKDFExpand(algorithm=hashes.SHA256(), length=length, info=info).derive(prk)


def hkdf(salt, ikm, info, length):
    return expand(extract(salt, ikm), info, length)


def aead(key):
    return ChaCha20Poly1305(key)


NONCE = bytes(12)


def scalar(wide):
    """1 + (OS2IP(s) mod (q - 1)) of 48 bytes."""
    if len(wide) != 48:
        raise ValueError("a scalar is made of 48 bytes")
    return 1 + int.from_bytes(wide, "big") % (ORDER - 1)


def public(k):
    """x(k·G)."""
    numbers = ec.derive_private_key(k, CURVE).public_key().public_numbers()
    return numbers.x.to_bytes(32, "big")


def lift_x(x):
    """The point with this x and even y, or the refusal of the message that brought it."""
    if len(x) != 32:
        raise Failed(NO_POINT)
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, b"\x02" + x)
    except ValueError:
        raise Failed(NO_POINT) from None


def dh(k, x):
    """x(k·lift_x(X)). OpenSSL's ECDH is a ladder: the same steps for every secret, and only x comes out."""
    return ec.derive_private_key(k, CURVE).exchange(ec.ECDH(), lift_x(x))


def ephemeral(hedge, drawn, role, server_id, time, peer):
    info = b"aidc1/eph" + bytes([role]) + server_id + u64(time) + peer
    return scalar(hkdf(hedge, drawn, info, 48))


# Keys and records


class Keys:
    """Everything that follows from the patient's seed."""

    def __init__(self, seed):
        if len(seed) != 32:
            raise ValueError("a seed has 32 bytes")
        self.prk = extract(b"aidc1/seed", seed)
        self.a = scalar(expand(self.prk, b"dh", 48))
        self.sig = expand(self.prk, b"sig", 32)
        self.hedge = expand(self.prk, b"hedge", 32)
        self.pk_dh = public(self.a)
        self._signer = Ed25519PrivateKey.from_private_bytes(self.sig)
        self.pk_sig = self._signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.aid = digest(b"aidc1/aid", u16(SUITE), self.pk_dh, self.pk_sig)

    def sign(self, message):
        return self._signer.sign(message)


def id_commitment(aid, salt, name):
    return digest(b"aidc1/id", aid, salt, u16(len(name)), name)


@dataclass(frozen=True)
class ServerRecord:
    server_id: bytes
    node_key: bytes
    dh_epoch_key: bytes
    key_epoch: int
    not_before: int
    not_after: int
    suites: tuple

    def encode(self):
        fixed = struct.pack("<IQQQ", self.key_epoch, self.not_before, self.not_after, len(self.suites))
        suites = b"".join(struct.pack("<H", suite) for suite in self.suites)
        return self.server_id + self.node_key + self.dh_epoch_key + fixed + suites

    @classmethod
    def decode(cls, stored):
        if len(stored) < 124:
            raise Failed(MALFORMED)
        key_epoch, not_before, not_after, count = struct.unpack_from("<IQQQ", stored, 96)
        if count > SUITES_MAX or len(stored) != 124 + 2 * count:
            raise Failed(MALFORMED)
        suites = struct.unpack_from(f"<{count}H", stored, 124)
        return cls(stored[:32], stored[32:64], stored[64:96], key_epoch, not_before, not_after, suites)

    def admissible(self, certified_time):
        """What the patient demands of a record from a certified state before she uses it."""
        if certified_time > self.not_after:
            raise Failed(EXPIRED)
        if SUITE not in self.suites:
            raise Failed(WRONG_SUITE)
        lift_x(self.dh_epoch_key)


# Transcript


class Transcript:
    """Noise's SymmetricState."""

    def __init__(self, chain_id, record):
        self.ck = self.h = digest(b"AIDC1_IK_secp256k1x_ChaChaPoly_SHA256")
        self._k = None
        self.mix_hash(b"aidc1/prologue" + chain_id + record.server_id + digest(record.encode()))
        self.mix_hash(record.dh_epoch_key)

    def mix_hash(self, part):
        self.h = digest(self.h, part)

    def mix_key(self, secret):
        out = hkdf(self.ck, secret, b"", 64)
        self.ck, self._k = out[:32], out[32:]

    def _take_key(self):
        key, self._k = self._k, None
        return key

    def seal(self, message):
        sealed = aead(self._take_key()).encrypt(NONCE, message, self.h)
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed):
        try:
            message = aead(self._take_key()).decrypt(NONCE, sealed, self.h)
        except InvalidTag:
            raise Failed(MISMATCH) from None
        self.mix_hash(sealed)
        return message


# Messages


def header(kind, key_epoch):
    return b"AD" + bytes([VERSION, kind]) + u16(SUITE) + u16(key_epoch & 0xFFFF)


def check_header(message, kind, key_epoch):
    if len(message) != LENGTHS[kind] or message[:6] != header(kind, 0)[:6]:
        raise Failed(MALFORMED)
    if message[6:8] != u16(key_epoch & 0xFFFF):
        raise Failed(WRONG_EPOCH)


class Hello:
    """The patient between her Me5 and the server's Me7."""

    transcript = Transcript

    def __init__(self, keys, chain_id, record, height, certified_time, now, drawn):
        record.admissible(certified_time)
        self.keys, self.chain_id, self.record = keys, chain_id, record
        self.height, self.certified_time, self.t1 = height, certified_time, now
        self.m_i = ephemeral(keys.hedge, drawn, PATIENT, record.server_id, now, record.dh_epoch_key)
        self.m1 = public(self.m_i)
        self._transcript = self.transcript(chain_id, record)
        self.me5 = self._make()

    def _make(self):
        t, peer = self._transcript, self.record.dh_epoch_key
        head = header(ME5, self.record.key_epoch) + u64(self.t1)
        t.mix_hash(head)
        t.mix_hash(self.m1)
        t.mix_key(dh(self.m_i, peer))
        c1 = t.seal(self.keys.aid)
        t.mix_hash(self.keys.pk_dh)
        t.mix_key(dh(self.keys.a, peer))
        m2 = t.seal(u32(0) + u64(self.height) + u32(0))
        return head + self.m1 + c1 + m2

    def verify(self, me7, now):
        """What the patient does with Me7, in the order of the specification; a Session if all of it holds."""
        check_header(me7, ME7, self.record.key_epoch)
        t3, m3, m4 = int.from_bytes(me7[8:16], "big"), me7[16:48], me7[48:]
        lift_x(m3)
        t = self._transcript
        t.mix_hash(me7[:16])
        t.mix_hash(m3)
        t.mix_key(dh(self.m_i, m3))
        t.mix_key(dh(self.keys.a, m3))
        server_height = int.from_bytes(t.open(m4), "big")
        if server_height < self.height:
            raise Failed(BEHIND)
        self._check_time(t3, now)
        return Session(self, t3, server_height)

    def _check_time(self, t3, now):
        latest = max(now, self.certified_time)
        near = abs(t3 - latest) <= DELTA_MS and t3 >= self.t1 - DELTA_MS
        if not (near and self.record.not_before <= t3 <= self.record.not_after):
            raise Failed(EXPIRED)


class Session:
    """The patient after Me7: the server is authentic and its time was checked."""

    def __init__(self, hello, t3, server_height):
        self.keys, self.record = hello.keys, hello.record
        self.t1, self.t3, self.server_height = hello.t1, t3, server_height
        self.sid = hello._transcript.h
        self.prk = extract(hello._transcript.ck, self.sid)
        self.k_ij = expand(self.prk, b"aidc1/key", 32)
        self.exporter = expand(self.prk, b"aidc1/exporter", 32)
        self.s2p = expand(self.exporter, b"aidc1/s2p", 32)
        self.p2s = expand(self.exporter, b"aidc1/p2s", 32)
        self.statement = digest(
            b"aidc1/statement", hello.chain_id, self.record.server_id, u32(self.record.key_epoch),
            u16(SUITE), self.keys.aid, u64(self.t1), u64(t3), self.sid,
        )  # fmt: skip
        self.sigma = self.keys.sign(self.statement)
        self._me9 = None

    def k9(self, kind):
        return expand(self.prk, b"aidc1/me9" + header(kind, self.record.key_epoch), 32)

    def me9(self):
        return self._confirm(ME9, self.sigma)

    def me9_identified(self, name, salt):
        named = name.encode("utf-8")
        if not 1 <= len(named) <= ID_BYTES or 0 in named or len(salt) != 32:
            raise ValueError("an ID has 1 to 64 bytes without a zero byte, its salt 32")
        return self._confirm(ME9_IDENTIFIED, self.sigma + salt + named.ljust(ID_BYTES, b"\0"))

    def _confirm(self, kind, message):
        """One Me9 per session: asked again the same bytes, and never the other type."""
        if self._me9 is None:
            head = header(kind, self.record.key_epoch)
            self._me9 = head + aead(self.k9(kind)).encrypt(NONCE, message, self.sid + head)
        if self._me9[3] != kind:
            raise ValueError("this session has a Me9 of the other type")
        return self._me9

    def answer(self, message):
        """Status and height of the server's answer."""
        check_header(message, ANSWER, self.record.key_epoch)
        try:
            opened = aead(self.s2p).decrypt(NONCE, message[8:], self.sid + message[:8])
        except InvalidTag:
            raise Failed(MISMATCH) from None
        if opened[0] not in (RECORDED, ACCEPTED):
            raise Failed(MALFORMED)
        return opened[0], int.from_bytes(opened[1:], "big")

    def result(self):
        """The ledger's entry of this sign-in, 214 bytes (docs/aidc1-ledger.md §3)."""
        record = self.record
        return (
            struct.pack("<H", SUITE) + record.server_id + struct.pack("<I", record.key_epoch) + self.keys.aid
            + struct.pack("<QQ", self.t1, self.t3) + self.sid + self.keys.pk_sig + self.sigma
        )  # fmt: skip
