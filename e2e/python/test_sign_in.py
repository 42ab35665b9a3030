"""The whole program against a server of its own making, over TLS: what it does, and the codes it ends with."""

import contextlib
import io
import json
import os
import socket
import ssl
import struct
import tempfile
import threading
import unittest
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import sign_in
from aidc1 import ME9, Failed, Keys, ServerRecord, public
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fake_ledger import Ledger, genesis_file
from fake_server import Refused, Server
from ledger import Genesis, aid_text, sha256

SEED = bytes(range(32))
REFUSAL = {"code": "AC0420", "detail": "authentication failed"}


def certificate(folder):
    """A self-signed certificate and the hash of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "member")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "tls.pem"
    encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(encoded + made.public_bytes(Encoding.PEM))
    return path, sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


class Node:
    """One member: its routes, its ledger, the sessions that wait for a confirmation."""

    def __init__(self, folder, keys):
        pem, spki = certificate(folder)
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            do_GET = do_POST = lambda handler: node.serve(handler)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.file = genesis_file(f"https://127.0.0.1:{self.http.server_address[1]}", spki)
        self.genesis_path = folder / "genesis.json"
        self.genesis_path.write_bytes(self.file)
        self.found(keys)
        self.waiting, self.status, self.pending, self.answers = {}, 1, 1, {}
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def found(self, keys):
        genesis = Genesis(self.file)
        clinic, now = genesis.members[1], sign_in.now_ms()
        record = ServerRecord(clinic.server_id, clinic.key, public(77), 1, now - 5000, now + 10**6, (1,))
        newest = ("servers", b"newest/" + clinic.server_id)
        stored = ("servers", b"record/" + clinic.server_id + struct.pack(">I", 1))
        self.ledger = Ledger(self.file, {newest: struct.pack("<I", 1), stored: record.encode()})
        self.excerpt = self.ledger.excerpt([newest, stored], time=now)
        known = {keys.aid: (keys.pk_dh, keys.pk_sig, bytes(32))}
        self.server, self.record = Server(genesis.chain, record, 77, bytes(32), known), record

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        try:
            status, answer = self.answer(handler.path, body, handler.headers)
        except (Refused, Failed):
            status, answer = 403, REFUSAL
        answer = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("content-length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def answer(self, path, body, headers):
        if path in self.answers:
            return self.answers[path]
        if path == "/v1/server":
            return 200, self.excerpt
        if path.startswith("/v1/sign-in/") and headers["aidchain-suite"] != "0x0001":
            return 400, {}
        if path == "/v1/sign-in/hello":
            me7, waiting = self.server.hello(body, 42, sign_in.now_ms(), os.urandom(32))
            self.waiting[waiting.sid.hex()] = waiting
            return 200, me7
        if path == "/v1/sign-in/confirm":
            return 200, self.confirm(body, self.waiting[headers["aidchain-session"]])
        self.pending -= 1
        if self.pending >= 0:
            return 202, {"schema": "aidchain.session/1", "status": "pending"}
        return 200, {"schema": "aidchain.session/1", "status": "committed", "height": 50, "receipt": self.receipt}

    def confirm(self, body, waiting):
        sigma, name = waiting.confirm(body)
        assert name is None and body[3] == ME9
        aid, pk_sig, _ = waiting.patient
        server, epoch = self.record.server_id, self.record.key_epoch
        result = (
            struct.pack("<H32sI32sQQ", 1, server, epoch, aid, *waiting.times) + waiting.sid + pk_sig + sigma
        )
        self.receipt = self.ledger.receipt([result], 50)
        return waiting.answer(self.status, 50 if self.status == 1 else 42)


class SignIns(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.keys = Keys(SEED)
        self.node = Node(self.folder, self.keys)
        self.addCleanup(self.node.http.server_close)
        self.addCleanup(self.node.http.shutdown)
        self.seed = self.written("seed", SEED.hex() + "\n")
        self.out = self.folder / "receipt.json"

    def written(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def run_(self, *words, genesis=None, member="clinic-a"):
        """Exit code and the JSON object on standard output."""
        words = ["--genesis", str(genesis or self.node.genesis_path), "--member", member, *words]
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
            code = sign_in.main(words)
        return code, json.loads(out.getvalue())

    def sign_in(self, *words, **given):
        return self.run_("--seed-file", self.seed, "--receipt", str(self.out), *words, **given)

    def ends(self, code, *words, seed=None, **given):
        ended, said = self.run_("--seed-file", seed or self.seed, *words, **given)
        self.assertEqual((ended, said["exit"]), (code, code), said)
        return said

    def test_a_patient_signs_in_and_keeps_her_receipt(self):
        code, said = self.sign_in()
        self.assertEqual(code, 0, said)
        self.assertEqual((said["server"], said["status"], said["height"]), ("clinic-a", "recorded", 50))
        self.assertEqual(said["aid"], aid_text(self.keys.aid))
        self.assertIn(said["sid"], self.node.waiting)
        self.assertEqual(json.loads(self.out.read_text()), self.node.receipt)

    def test_an_accepted_sign_in_waits_for_its_receipt(self):
        self.node.status, self.node.pending = 2, 2
        code, said = self.sign_in()
        self.assertEqual((code, said["status"], said["height"]), (0, "accepted", 50))

    def test_a_wrong_seed_and_an_unknown_aid_are_refused_in_the_same_words(self):
        other = self.written("other", "ab" * 32)
        unknown = self.ends(4, seed=other)
        wrong = self.ends(4, "--aid", self.keys.aid.hex(), seed=other)
        self.assertEqual(unknown, wrong)

    def test_after_a_refusal_of_the_key_epoch_the_record_is_read_again_once(self):
        honest, refusal = self.node.answer, (409, {"code": "AC0433", "detail": "another key epoch"})
        asked = []

        def answer(path, body, headers):
            asked.append(path)
            refuses = path == "/v1/sign-in/hello" and asked.count(path) <= self.times
            return refusal if refuses else honest(path, body, headers)

        self.node.answer, self.times = answer, 1
        self.assertEqual(self.sign_in()[0], 0)
        self.assertEqual(asked.count("/v1/server"), 2)
        self.times = 9
        self.ends(4)

    def test_an_excerpt_can_be_kept_and_a_changed_one_is_refused(self):
        kept = self.folder / "excerpt.json"
        code, said = self.run_("--server-excerpt", str(kept))
        self.assertEqual((code, said["key_epoch"], said["height"]), (0, 1, 41))
        self.assertEqual(self.run_("--read-excerpt", str(kept)), (code, said))
        changed = json.loads(kept.read_text())
        proof = changed["entries"][1]["proof"]
        changed["entries"][1]["proof"] = proof[:40] + ("0" if proof[40] != "0" else "1") + proof[41:]
        code, said = self.run_("--read-excerpt", self.written("changed", json.dumps(changed)))
        self.assertEqual(code, 5, said)

    def test_a_changed_record_ends_the_sign_in_before_anything_is_sent(self):
        header = bytearray.fromhex(self.node.excerpt["header"])
        header[200] ^= 1
        self.node.excerpt["header"] = bytes(header).hex()
        self.ends(5)
        self.assertEqual(self.node.waiting, {})

    def test_somebody_with_another_key_is_not_spoken_to(self):
        other = json.loads(self.node.file)
        other["members"][1]["tls_spki"] = bytes(32).hex()
        path = self.written("other.json", json.dumps(other))
        self.assertIn("pins", self.ends(5, genesis=path)["error"])

    def test_nobody_there_and_too_busy_are_both_to_be_tried_again(self):
        self.node.answers["/v1/sign-in/hello"] = (503, {"code": "AC0701", "detail": "busy"})
        self.ends(3)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            other = json.loads(self.node.file)
            other["members"][1]["api"] = f"https://127.0.0.1:{free.getsockname()[1]}"
            self.ends(3, genesis=self.written("other.json", json.dumps(other)))

    def test_clocks_that_disagree_are_told_as_such_by_either_side(self):
        self.node.answers["/v1/sign-in/hello"] = (403, {"code": "AC0430", "detail": "clock"})
        self.ends(9)
        self.node.answers.clear()
        real = sign_in.now_ms
        self.addCleanup(setattr, sign_in, "now_ms", real)
        # The server of this test has the same clock: the patient's runs ahead once her Me5 is away.
        times = iter([0, 0, 0, 300_000])
        sign_in.now_ms = lambda: real() + next(times, 0)
        self.ends(9)
        sign_in.now_ms = lambda: real() - 200_000
        self.ends(9)

    def test_a_server_that_answers_nonsense_is_not_believed(self):
        for path, answer in [
            ("/v1/server", b"{"), ("/v1/sign-in/hello", bytes(72)), ("/v1/sign-in/confirm", bytes(33)),
        ]:  # fmt: skip
            self.node.answers = {path: (200, answer)}
            self.ends(5)

    def test_a_receipt_about_somebody_else_is_not_taken(self):
        honest = self.node.confirm

        def confirm(body, waiting):
            answer = honest(body, waiting)
            self.node.receipt = self.node.ledger.receipt([bytes(214)], 50)
            return answer

        self.node.confirm = confirm
        self.assertIn("not about", self.ends(5)["error"])

    def test_bad_files_are_named(self):
        for words, given in [
            (self.written("short", "ab"), {}), (str(self.folder / "none"), {}),
            (self.seed, {"member": "nobody"}), (self.seed, {"genesis": self.seed}),
        ]:  # fmt: skip
            self.ends(8, seed=words, **given)


if __name__ == "__main__":
    unittest.main()
