"""Makes aidc1.json: sign-ins by suite AIDC-1 with every intermediate value, computed
without a line of the crate, from docs/aidc1.md: the curve is plain integers, HKDF is
hmac; ChaCha20-Poly1305 and Ed25519 are those of the package `cryptography`.

usage: make_aidc1.py > aidc1.json
"""

import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

P = 2**256 - 2**32 - 977
Q = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
SUITE = 0x0001


def add(a, b):
    """The sum of two points; None is the identity."""
    if a is None:
        return b
    if b is None:
        return a
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(number, point):
    """The point taken so many times."""
    total = None
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def lift_x(x):
    """The point of even y with this x-coordinate."""
    x = int.from_bytes(x, "big")
    assert x < P
    y = pow((x**3 + 7) % P, (P + 1) // 4, P)
    assert y * y % P == (x**3 + 7) % P
    return x, y if y % 2 == 0 else P - y


def x_of(point):
    return point[0].to_bytes(32, "big")


def dh(number, key):
    return x_of(times(number, lift_x(key)))


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def extract(salt, ikm):
    return hmac.new(salt, ikm, hashlib.sha256).digest()


def expand(prk, info, length):
    block, output, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        output += block
        counter += 1
    return output[:length]


def scalar(wide):
    assert len(wide) == 48
    return 1 + int.from_bytes(wide, "big") % (Q - 1)


def u16(number):
    return struct.pack(">H", number)


def u32(number):
    return struct.pack(">I", number)


def u64(number):
    return struct.pack(">Q", number)


def aead(key, ad, message):
    return ChaCha20Poly1305(key).encrypt(bytes(12), message, ad)


def ephemeral(hedge, drawn, role, server_id, time, peer):
    info = b"aidc1/eph" + bytes([role]) + server_id + u64(time) + peer
    return scalar(expand(extract(hedge, drawn), info, 48))


def hex_of(number):
    return number.to_bytes(32, "big").hex()


class Transcript:
    """Noise's (ck, h), which writes down every step."""

    def __init__(self):
        name = b"AIDC1_IK_secp256k1x_ChaChaPoly_SHA256"
        self.ck = self.h = sha256(name)
        self.key = None
        self.steps = [{"step": "start", "input": name.hex(), **self.state()}]

    def state(self):
        return {"ck": self.ck.hex(), "h": self.h.hex()}

    def mix_hash(self, what, data):
        self.h = sha256(self.h, data)
        self.steps.append({"step": "MixHash", "what": what, "input": data.hex(), **self.state()})

    def mix_key(self, what, secret):
        output = expand(extract(self.ck, secret), b"", 64)
        self.ck, self.key = output[:32], output[32:]
        step = {"step": "MixKey", "what": what, "input": secret.hex(), "k": self.key.hex()}
        self.steps.append({**step, **self.state()})

    def seal(self, what, message):
        sealed = aead(self.key, self.h, message)
        self.key = None
        self.h = sha256(self.h, sealed)
        step = {"step": "Seal", "what": what, "input": message.hex(), "output": sealed.hex()}
        self.steps.append({**step, **self.state()})
        return sealed


def label(text):
    """32 bytes that only look random."""
    return sha256(b"aidc1 test vector: ", text.encode())


def patient(name, identity):
    seed = label(name + "/seed")
    prk = extract(b"aidc1/seed", seed)
    a = scalar(expand(prk, b"dh", 48))
    sig = expand(prk, b"sig", 32)
    pk_dh = x_of(times(a, G))
    pk_sig = Ed25519PrivateKey.from_private_bytes(sig).public_key().public_bytes_raw()
    aid = sha256(b"aidc1/aid", u16(SUITE), pk_dh, pk_sig)
    salt = label(name + "/salt")
    text = identity.encode()
    return {
        "seed": seed,
        "prk": prk,
        "a": a,
        "pk_dh": pk_dh,
        "sig": sig,
        "pk_sig": pk_sig,
        "hedge": expand(prk, b"hedge", 32),
        "AID": aid,
        "ID": text,
        "salt": salt,
        "id_commit": sha256(b"aidc1/id", aid, salt, u16(len(text)), text),
    }


def server(name, key_epoch, not_before, not_after, suites):
    wide = label(name + "/b 1") + label(name + "/b 2")[:16]
    b = scalar(wide)
    it = {
        "chain_id": label(name + "/chain"),
        "server_id": label(name + "/id"),
        "node_key": label(name + "/node key"),
        "key_epoch": key_epoch,
        "not_before": not_before,
        "not_after": not_after,
        "suites": suites,
        "b_j wide": wide,
        "b_j": b,
        "B_j": x_of(times(b, G)),
        "hedge": label(name + "/hedge"),
    }
    it["record"] = (
        it["server_id"]
        + it["node_key"]
        + it["B_j"]
        + struct.pack("<IQQQ", key_epoch, not_before, not_after, len(suites))
        + b"".join(struct.pack("<H", suite) for suite in suites)
    )
    it["record digest"] = sha256(it["record"])
    return it


def sign_in(name, p, s, t1, t3, heights, identified, status):
    def header(kind):
        return b"AD" + bytes([1, kind]) + u16(SUITE) + u16(s["key_epoch"] & 0xFFFF)

    drawn_i, drawn_j = label(name + "/m_i"), label(name + "/m_j")
    m_i = ephemeral(p["hedge"], drawn_i, 1, s["server_id"], t1, s["B_j"])
    m1 = x_of(times(m_i, G))
    es, ss = dh(m_i, s["B_j"]), dh(p["a"], s["B_j"])
    assert es == dh(s["b_j"], m1) and ss == dh(s["b_j"], p["pk_dh"])
    t = Transcript()
    prologue = b"aidc1/prologue" + s["chain_id"] + s["server_id"] + s["record digest"]
    t.mix_hash("prologue", prologue)
    t.mix_hash("B_j", s["B_j"])
    t.mix_hash("hdr and T1", header(0x05) + u64(t1))
    t.mix_hash("M1", m1)
    t.mix_key("es", es)
    c1 = t.seal("C1", p["AID"])
    t.mix_hash("pk_dh", p["pk_dh"])
    t.mix_key("ss", ss)
    m2 = t.seal("M2", bytes(4) + u64(heights[0]) + bytes(4))
    me5 = header(0x05) + u64(t1) + m1 + c1 + m2

    m_j = ephemeral(s["hedge"], drawn_j, 2, s["server_id"], t3, m1)
    m3 = x_of(times(m_j, G))
    ee, se = dh(m_i, m3), dh(p["a"], m3)
    assert ee == dh(m_j, m1) and se == dh(m_j, p["pk_dh"])
    t.mix_hash("hdr and T3", header(0x07) + u64(t3))
    t.mix_hash("M3", m3)
    t.mix_key("ee", ee)
    t.mix_key("se", se)
    m4 = t.seal("M4", u64(heights[1]))
    me7 = header(0x07) + u64(t3) + m3 + m4
    sid = t.h

    prk = extract(t.ck, sid)
    hdr9 = header(0x19 if identified else 0x09)
    k9 = expand(prk, b"aidc1/me9" + hdr9, 32)
    exporter = expand(prk, b"aidc1/exporter", 32)
    statement = sha256(
        b"aidc1/statement",
        s["chain_id"],
        s["server_id"],
        u32(s["key_epoch"]),
        u16(SUITE),
        p["AID"],
        u64(t1),
        u64(t3),
        sid,
    )
    sigma = Ed25519PrivateKey.from_private_bytes(p["sig"]).sign(statement)
    plain = sigma
    if identified:
        plain += p["salt"] + p["ID"].ljust(64, b"\0")
    me9 = hdr9 + aead(k9, sid + hdr9, plain)
    s2p = expand(exporter, b"aidc1/s2p", 32)
    said = bytes([status]) + u64(heights[2])
    answer = header(0x1A) + aead(s2p, sid + header(0x1A), said)
    assert [len(m) for m in (me5, me7, answer)] == [128, 72, 33]
    assert len(me9) == (184 if identified else 88)
    return {
        "name": name,
        "patient": shown(p),
        "server": shown(s),
        "identified": identified,
        "patient's height": heights[0],
        "server's height": heights[1],
        "T1": t1,
        "T3": t3,
        "m_i drawn": drawn_i.hex(),
        "m_i": hex_of(m_i),
        "M1": m1.hex(),
        "m_j drawn": drawn_j.hex(),
        "m_j": hex_of(m_j),
        "M3": m3.hex(),
        "es": es.hex(),
        "ss": ss.hex(),
        "ee": ee.hex(),
        "se": se.hex(),
        "transcript": t.steps,
        "Me5": me5.hex(),
        "Me7": me7.hex(),
        "sid": sid.hex(),
        "prk": prk.hex(),
        "k9": k9.hex(),
        "K_ij": expand(prk, b"aidc1/key", 32).hex(),
        "exporter": exporter.hex(),
        "s2p": s2p.hex(),
        "p2s": expand(exporter, b"aidc1/p2s", 32).hex(),
        "statement": statement.hex(),
        "sigma": sigma.hex(),
        "Me9": me9.hex(),
        "status": status,
        "status height": heights[2],
        "answer": answer.hex(),
    }


def shown(fields):
    """Byte strings and exponents in hex."""
    text = {}
    for name, value in fields.items():
        if name == "ID":
            text[name] = value.decode()
        elif isinstance(value, bytes):
            text[name] = value.hex()
        elif name in ("a", "b_j"):
            text[name] = hex_of(value)
        else:
            text[name] = value
    return text


def main():
    ada = patient("ada", "patient-0001")
    # 64 bytes, the longest there is, with two-byte characters.
    zoe = patient("zoe", "Ω" * 32)
    clinic = server("clinic", 1, 1_700_000_000_000, 1_700_086_400_000, [0x0001])
    # An epoch whose number does not fit the header, and a record of three suites.
    ward = server("ward", 0x0001_0002, 0, 2**64 - 1, [0x7F01, 0x0001, 0x7F02])
    t = 1_700_000_100_000
    vectors = [
        sign_in("plain", ada, clinic, t, t + 35, (41, 42, 43), False, 1),
        sign_in("identified", ada, clinic, t, t + 120_000, (0, 7, 8), True, 2),
        sign_in("late epoch", zoe, ward, t, t - 120_000, (2**40, 2**40, 2**40), False, 2),
        sign_in("longest", zoe, ward, t + 1, t + 1, (1, 2**63, 2**63 + 1), True, 1),
    ]
    comment = "Made by make_aidc1.py beside this file; docs/aidc1.md says what the names mean."
    print(json.dumps({"comment": comment, "vectors": vectors}, indent=1, ensure_ascii=False))


main()
