"""A server of AIDC-1 for the tests: the other half of the messages, from the same page.

It answers as a server does whose limits are not reached; it keeps no memory of M1 and no table of sessions.
"""

from aidc1 import (
    ANSWER, DELTA_MS, EXPIRED, ME5, ME7, ME9, ME9_IDENTIFIED, MISMATCH, NONCE, SERVER, Failed, Transcript, aead,
    check_header, dh, digest, ephemeral, expand, extract, header, id_commitment, lift_x, public, u16, u32, u64, SUITE,
)  # fmt: skip
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Refused(Exception):
    """A patient whom this server does not let in."""


class Server:
    transcript = Transcript

    def __init__(self, chain_id, record, b_j, hedge, patients):
        self.chain_id, self.record, self.b_j, self.hedge = chain_id, record, b_j, hedge
        self.patients = patients

    def hello(self, me5, height, now, drawn):
        """Me7, and the session behind it."""
        check_header(me5, ME5, self.record.key_epoch)
        t1, m1 = int.from_bytes(me5[8:16], "big"), me5[16:48]
        if abs(t1 - now) > DELTA_MS:
            raise Failed(EXPIRED)
        lift_x(m1)
        t = self.transcript(self.chain_id, self.record)
        t.mix_hash(me5[:16])
        t.mix_hash(m1)
        t.mix_key(dh(self.b_j, m1))
        aid = t.open(me5[48:96])
        if aid not in self.patients:
            raise Refused("unknown AID")
        pk_dh, pk_sig, id_commit = self.patients[aid]
        t.mix_hash(pk_dh)
        t.mix_key(dh(self.b_j, pk_dh))
        known = t.open(me5[96:])
        if known[:4] + known[12:] != bytes(8) or int.from_bytes(known[4:12], "big") > height:
            raise Refused("behind, or a reserved field")
        return self._answer(t, (aid, pk_dh, pk_sig, id_commit), (t1, m1), height, now, drawn)

    def _answer(self, t, patient, hello, height, now, drawn):
        (aid, pk_dh, pk_sig, id_commit), (t1, m1) = patient, hello
        m_j = ephemeral(self.hedge, drawn, SERVER, self.record.server_id, now, m1)
        head, m3 = header(ME7, self.record.key_epoch) + u64(now), public(m_j)
        t.mix_hash(head)
        t.mix_hash(m3)
        t.mix_key(dh(m_j, m1))
        t.mix_key(dh(m_j, pk_dh))
        me7 = head + m3 + t.seal(u64(height))
        statement = digest(
            b"aidc1/statement", self.chain_id, self.record.server_id, u32(self.record.key_epoch), u16(SUITE), aid,
            u64(t1), u64(now), t.h,
        )  # fmt: skip
        return me7, Confirm(self.record.key_epoch, t, (aid, pk_sig, id_commit), (t1, now), statement, m_j)


class Confirm:
    """The server between its Me7 and the patient's Me9."""

    def __init__(self, key_epoch, transcript, patient, times, statement, m_j):
        self.key_epoch, self.patient, self.times, self.statement, self.m_j = key_epoch, patient, times, statement, m_j
        self.sid = transcript.h
        self.prk = extract(transcript.ck, self.sid)
        self.s2p = expand(expand(self.prk, b"aidc1/exporter", 32), b"aidc1/s2p", 32)

    def confirm(self, me9):
        """The statement's signature, and the ID if she gave it."""
        kind = me9[3] if len(me9) > 3 and me9[3] == ME9_IDENTIFIED else ME9
        check_header(me9, kind, self.key_epoch)
        head = me9[:8]
        try:
            opened = aead(expand(self.prk, b"aidc1/me9" + head, 32)).decrypt(NONCE, me9[8:], self.sid + head)
        except InvalidTag:
            raise Failed(MISMATCH) from None
        aid, pk_sig, id_commit = self.patient
        try:
            Ed25519PublicKey.from_public_bytes(pk_sig).verify(opened[:64], self.statement)
        except InvalidSignature:
            raise Refused("sigma") from None
        name = opened[96:].rstrip(b"\0")
        if kind == ME9_IDENTIFIED and id_commitment(aid, opened[64:96], name) != id_commit:
            raise Refused("the commitment to the ID")
        return opened[:64], name.decode() or None

    def answer(self, status, height):
        head = header(ANSWER, self.key_epoch)
        return head + aead(self.s2p).encrypt(NONCE, bytes([status]) + u64(height), self.sid + head)
