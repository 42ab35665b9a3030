"""All vectors of protocol/tests/vectors/aidc1.json with every intermediate value, and what the patient refuses."""

import dataclasses
import json
import struct
import unittest
from pathlib import Path

import aidc1
from aidc1 import Failed, Hello, Keys, ServerRecord, Transcript, dh, digest, ephemeral, public, scalar, u64
from fake_server import Server

VECTORS = Path(__file__).parents[2] / "protocol/tests/vectors/aidc1.json"


def load():
    return json.loads(VECTORS.read_text())["vectors"]


def unhex(value):
    return bytes.fromhex(value)


class Written(Transcript):
    """A transcript that writes down what the vectors hold of it."""

    NAME = b"AIDC1_IK_secp256k1x_ChaChaPoly_SHA256"

    def __init__(self, chain_id, record):
        start = digest(self.NAME).hex()
        self.steps = [{"step": "start", "input": self.NAME.hex(), "ck": start, "h": start}]
        super().__init__(chain_id, record)

    def _write(self, step, shown, **more):
        self.steps.append({"step": step, "input": shown.hex(), **more, "ck": self.ck.hex(), "h": self.h.hex()})

    def mix_hash(self, part):
        super().mix_hash(part)
        self._write("MixHash", part)

    def mix_key(self, secret):
        super().mix_key(secret)
        self._write("MixKey", secret, k=self._k.hex())

    def seal(self, message):
        sealed = super().seal(message)
        self._write_sealed(message, sealed)
        return sealed

    def open(self, sealed):
        message = super().open(sealed)
        self._write_sealed(message, sealed)
        return message

    def _write_sealed(self, message, sealed):
        """One step in the vectors, of which the MixHash is a part."""
        self.steps.pop()
        self._write("Seal", message, output=sealed.hex())


class WrittenHello(Hello):
    transcript = Written


class Handshake:
    """One vector, run."""

    def __init__(self, vector):
        self.vector = vector
        self.keys = Keys(unhex(vector["patient"]["seed"]))
        server = vector["server"]
        self.chain_id = unhex(server["chain_id"])
        self.record = ServerRecord(
            unhex(server["server_id"]), unhex(server["node_key"]), public(scalar(unhex(server["b_j wide"]))),
            server["key_epoch"], server["not_before"], server["not_after"], tuple(server["suites"]),
        )  # fmt: skip
        self.t1, self.t3, self.height = vector["T1"], vector["T3"], vector["patient's height"]

    def hello(self, **changed):
        given = {
            "keys": self.keys, "chain_id": self.chain_id, "record": self.record, "height": self.height,
            "certified_time": self.t1, "now": self.t1, "drawn": unhex(self.vector["m_i drawn"]),
        }  # fmt: skip
        return WrittenHello(**{**given, **changed})

    def session(self, **changed):
        return self.hello(**changed).verify(unhex(self.vector["Me7"]), self.t3)


def every_vector(test):
    def run(self):
        for vector in load():
            with self.subTest(vector["name"]):
                test(self, vector, Handshake(vector))

    return run


class Vectors(unittest.TestCase):
    def same(self, vector, **found):
        for name, value in found.items():
            self.assertEqual(value.hex() if isinstance(value, bytes) else value, vector[name], name)

    def test_there_are_four(self):
        self.assertEqual(len(load()), 4)

    @every_vector
    def test_the_keys_follow_from_the_seed(self, vector, run):
        keys, patient = run.keys, vector["patient"]
        self.same(
            patient, prk=keys.prk, a=keys.a.to_bytes(32, "big"), pk_dh=keys.pk_dh, sig=keys.sig,
            pk_sig=keys.pk_sig, hedge=keys.hedge, AID=keys.aid,
            id_commit=aidc1.id_commitment(keys.aid, unhex(patient["salt"]), patient["ID"].encode()),
        )  # fmt: skip

    @every_vector
    def test_the_server_s_record_is_read_and_written_to_the_byte(self, vector, run):
        server = vector["server"]
        b_j = scalar(unhex(server["b_j wide"]))
        self.same(
            server, b_j=b_j.to_bytes(32, "big"), B_j=run.record.dh_epoch_key, record=run.record.encode(),
            **{"record digest": digest(run.record.encode())},
        )  # fmt: skip
        self.assertEqual(ServerRecord.decode(unhex(server["record"])), run.record)

    @every_vector
    def test_every_step_of_the_transcript_is_the_written_one(self, vector, run):
        hello = run.hello()
        hello.verify(unhex(vector["Me7"]), run.t3)
        wanted = [{k: v for k, v in step.items() if k != "what"} for step in vector["transcript"]]
        found = hello._transcript.steps
        for number, (have, want) in enumerate(zip(found, wanted, strict=True)):
            self.assertEqual(have, want, f"step {number}")

    @every_vector
    def test_messages_and_keys_are_the_written_ones(self, vector, run):
        hello = run.hello()
        self.same(vector, m_i=hello.m_i.to_bytes(32, "big"), M1=hello.m1, Me5=hello.me5)
        peer, m_i, a, m3 = run.record.dh_epoch_key, hello.m_i, run.keys.a, unhex(vector["M3"])
        self.same(vector, es=dh(m_i, peer), ss=dh(a, peer), ee=dh(m_i, m3), se=dh(a, m3))
        session = hello.verify(unhex(vector["Me7"]), run.t3)
        self.assertEqual(session.server_height, vector["server's height"])
        self.same(
            vector, sid=session.sid, prk=session.prk, K_ij=session.k_ij, exporter=session.exporter,
            s2p=session.s2p, p2s=session.p2s, statement=session.statement, sigma=session.sigma,
        )  # fmt: skip
        if vector["identified"]:
            me9 = session.me9_identified(vector["patient"]["ID"], unhex(vector["patient"]["salt"]))
        else:
            me9 = session.me9()
        self.same(vector, k9=session.k9(me9[3]), Me9=me9)
        self.assertEqual(session.answer(unhex(vector["answer"])), (vector["status"], vector["status height"]))
        self.assertEqual(len(session.result()), 214)

    @every_vector
    def test_the_server_s_side_makes_the_written_bytes_too(self, vector, run):
        server, patient = vector["server"], vector["patient"]
        known = {run.keys.aid: (run.keys.pk_dh, run.keys.pk_sig, unhex(patient["id_commit"]))}
        b_j, hedge = scalar(unhex(server["b_j wide"])), unhex(server["hedge"])
        drawn = unhex(vector["m_j drawn"])
        me7, waiting = Server(run.chain_id, run.record, b_j, hedge, known).hello(
            unhex(vector["Me5"]), vector["server's height"], run.t3, drawn
        )
        m_j = ephemeral(hedge, drawn, aidc1.SERVER, run.record.server_id, run.t3, unhex(vector["M1"]))
        self.same(vector, Me7=me7, sid=waiting.sid, m_j=m_j.to_bytes(32, "big"), M3=public(m_j))
        sigma, name = waiting.confirm(unhex(vector["Me9"]))
        self.same(vector, sigma=sigma, answer=waiting.answer(vector["status"], vector["status height"]))
        self.assertEqual(name, patient["ID"] if vector["identified"] else None)


class Refusals(unittest.TestCase):
    """What the patient does with Me7, and with what else comes."""

    def setUp(self):
        self.vector = load()[0]
        self.run_ = Handshake(self.vector)
        self.me7 = unhex(self.vector["Me7"])

    def refuses(self, reason, action):
        with self.assertRaises(Failed) as caught:
            action()
        self.assertEqual(caught.exception.reason, reason)

    def test_every_flipped_bit_of_me7_is_refused(self):
        for at in range(8 * len(self.me7)):
            bad = bytearray(self.me7)
            bad[at // 8] ^= 1 << at % 8
            with self.subTest(at), self.assertRaises(Failed):
                self.run_.hello().verify(bytes(bad), self.run_.t3)

    def test_another_length_is_malformed(self):
        self.refuses("malformed", lambda: self.run_.hello().verify(self.me7 + b"\0", self.run_.t3))
        self.refuses("malformed", lambda: self.run_.hello().verify(self.me7[:-1], self.run_.t3))

    def test_another_key_epoch_is_named(self):
        other = self.me7[:7] + bytes([self.me7[7] ^ 1]) + self.me7[8:]
        self.refuses("wrong epoch", lambda: self.run_.hello().verify(other, self.run_.t3))

    def test_an_ephemeral_that_is_no_point_is_found_before_anything_is_opened(self):
        for m3 in (bytes(32), b"\xff" * 32):
            bad = self.me7[:16] + m3 + self.me7[48:]
            self.refuses("not on the curve", lambda bad=bad: self.run_.hello().verify(bad, self.run_.t3))

    def test_a_server_with_another_key_is_not_authentic(self):
        record = dataclasses.replace(self.run_.record, dh_epoch_key=public(7))
        self.refuses("mismatch", lambda: self.run_.session(record=record))

    def test_a_server_that_lags_behind_her_is_refused(self):
        behind = self.answered(height=self.run_.height - 1, t3=self.run_.t3)
        self.refuses("behind", behind)
        self.answered(height=self.run_.height, t3=self.run_.t3)()

    def answered(self, height, t3, arrives=None, **changed):
        """The patient's check of an honest server's answer with these values."""
        run, server = self.run_, self.vector["server"]
        hello = run.hello(**changed)
        honest = Server(
            run.chain_id, hello.record, scalar(unhex(server["b_j wide"])), unhex(server["hedge"]),
            {run.keys.aid: (run.keys.pk_dh, run.keys.pk_sig, bytes(32))},
        )  # fmt: skip
        me7 = self.forced(honest, hello, height, t3)
        return lambda: hello.verify(me7, t3 if arrives is None else arrives)

    @staticmethod
    def forced(server, hello, height, t3):
        """Me7 of a server that skips its own rules about T1 and heights: hers are tried here."""
        t = Transcript(server.chain_id, server.record)
        me5, m1 = hello.me5, hello.m1
        t.mix_hash(me5[:16])
        t.mix_hash(m1)
        t.mix_key(dh(server.b_j, m1))
        aid = t.open(me5[48:96])
        patient = (aid, *server.patients[aid])
        t.mix_hash(patient[1])
        t.mix_key(dh(server.b_j, patient[1]))
        t.open(me5[96:])
        return server._answer(t, patient, (hello.t1, m1), height, t3, bytes(32))[0]

    def test_a_time_is_signed_only_within_two_minutes_of_clock_and_certified_time(self):
        t1, delta = self.run_.t1, aidc1.DELTA_MS
        record = dataclasses.replace(self.run_.record, not_before=0)
        for t3, now, good in [
            (t1 + delta, t1, True), (t1 + delta + 1, t1, False), (t1 - delta, t1, True), (t1 - delta - 1, t1, False),
            (t1 + 3 * delta, t1 + 3 * delta, True), (t1, t1 + delta + 1, False),
        ]:  # fmt: skip
            check = self.answered(42, t3, now, record=record)
            with self.subTest(t3=t3 - t1, now=now - t1):
                check() if good else self.refuses("expired", check)

    def test_a_clock_that_was_set_back_since_me5_does_not_make_an_old_time_good(self):
        t1, delta = self.run_.t1, aidc1.DELTA_MS
        record = dataclasses.replace(self.run_.record, not_before=0)
        back = {"record": record, "certified_time": 0, "now": t1}
        self.refuses("expired", self.answered(42, t1 - delta - 1, t1 - delta - 1, **back))
        self.answered(42, t1 - delta, t1 - delta, **back)()

    def test_the_certified_time_counts_where_her_clock_is_slow(self):
        t1, delta = self.run_.t1, aidc1.DELTA_MS
        certified = t1 + 3 * delta
        self.refuses("expired", self.answered(42, t1, t1, certified_time=certified))
        self.answered(42, certified, t1, certified_time=certified)()

    def test_a_time_outside_the_key_epoch_is_refused(self):
        record, t3 = self.run_.record, self.run_.t3
        late = dataclasses.replace(record, not_after=t3 - 1)
        early = dataclasses.replace(record, not_before=t3 + 1)
        for changed in (late, early):
            self.refuses("expired", self.answered(42, t3, record=changed, certified_time=0))
        for changed in (dataclasses.replace(record, not_after=t3), dataclasses.replace(record, not_before=t3)):
            self.answered(42, t3, record=changed, certified_time=0)()

    def test_a_record_is_refused_that_is_over_lacks_the_suite_or_has_no_key(self):
        record = self.run_.record
        for reason, changed, time in [
            ("expired", record, record.not_after + 1),
            (aidc1.WRONG_SUITE, dataclasses.replace(record, suites=(2,)), record.not_after),
            ("not on the curve", dataclasses.replace(record, dh_epoch_key=bytes(32)), record.not_after),
        ]:
            self.refuses(reason, lambda r=changed, t=time: self.run_.hello(record=r, certified_time=t))
        stored = record.encode()
        nine = stored[:116] + struct.pack("<Q9H", 9, *range(9))
        for bad in (stored[:-1], stored + b"\0", stored[:123], nine):
            self.refuses("malformed", lambda bad=bad: ServerRecord.decode(bad))

    def test_a_session_has_one_me9_and_of_one_type(self):
        session = self.run_.session()
        first = session.me9()
        self.assertEqual(session.me9(), first)
        with self.assertRaises(ValueError):
            session.me9_identified("patient-0001", bytes(32))

    def test_an_id_has_1_to_64_bytes_and_no_zero_byte(self):
        for name in ("", "x" * 65, "Ω" * 33, "a\0b"):
            with self.assertRaises(ValueError):
                self.run_.session().me9_identified(name, bytes(32))

    def test_an_answer_that_was_changed_or_has_another_status_says_nothing(self):
        session, answer = self.run_.session(), unhex(self.vector["answer"])
        for at in range(8 * len(answer)):
            bad = bytearray(answer)
            bad[at // 8] ^= 1 << at % 8
            with self.assertRaises(Failed):
                session.answer(bytes(bad))
        head = answer[:8]
        third = head + aidc1.aead(session.s2p).encrypt(aidc1.NONCE, b"\3" + u64(1), session.sid + head)
        self.refuses("malformed", lambda: session.answer(third))

    def test_k_and_its_opposite_agree_on_the_same_bytes(self):
        k = self.run_.keys.a
        self.assertEqual(public(k), public(aidc1.ORDER - k))
        self.assertEqual(dh(k, public(9)), dh(aidc1.ORDER - k, public(9)))

    def test_the_dummy_key_is_a_public_key(self):
        dummy = digest(b"aidc1/dummy\0")
        self.assertEqual(dummy.hex(), "e186d6dc13f5d04cd52587ad3c00f33e8b173779a9114404f11951b0f3227604")
        aidc1.lift_x(dummy)


if __name__ == "__main__":
    unittest.main()
