"""What an excerpt and a receipt prove, and what they do not."""

import copy
import json
import struct
import unittest
from pathlib import Path

import receipt as receipts
from aidc1 import Failed, ServerRecord, public
from excerpt import Excerpt
from fake_ledger import NAMES, TIME_MS, Ledger, genesis_file, signer
from ledger import (
    Ahead, Genesis, NotValid, aid_text, committee_digest, inner_hash, leaf_hash, parse_json, quorum, root_from, sha256,
    state_key, state_value,
)  # fmt: skip

VECTORS = Path(__file__).parents[2] / "patient/tests/vectors/receipts"
GENESIS = Genesis(genesis_file())
CLINIC = GENESIS.members[1]


def server_record(epoch, not_before=TIME_MS - 1000, not_after=TIME_MS + 10**6):
    return ServerRecord(CLINIC.server_id, CLINIC.key, public(epoch + 5), epoch, not_before, not_after, (1,))


def names(*epochs):
    keys = [b"newest/" + CLINIC.server_id] + [b"record/" + CLINIC.server_id + struct.pack(">I", e) for e in epochs]
    return [("servers", key) for key in keys]


def ledger(*records, others=20):
    values = {("identity", b"aid/" + sha256(bytes([n]))): bytes([n]) * n for n in range(others)}
    values[names()[0]] = struct.pack("<I", records[-1].key_epoch)
    for found in records:
        values[names(found.key_epoch)[1]] = found.encode()
    return Ledger(genesis_file(), values)


def read(excerpt, now=TIME_MS):
    return Excerpt(json.dumps(excerpt).encode(), GENESIS, now)


class Excerpts(unittest.TestCase):
    def setUp(self):
        self.ledger = ledger(server_record(3))
        self.good = self.ledger.excerpt(names(3))

    def refuses(self, words, excerpt, now=TIME_MS):
        with self.assertRaises(NotValid) as caught:
            read(excerpt, now).server_record(CLINIC.server_id, now)
        self.assertIn(words, str(caught.exception))

    def changed(self, **fields):
        return {**copy.deepcopy(self.good), **fields}

    def test_the_record_in_force_is_read(self):
        excerpt = read(self.good)
        self.assertEqual(excerpt.server_record(CLINIC.server_id, TIME_MS), server_record(3))
        self.assertEqual((excerpt.header.height, excerpt.header.time), (41, TIME_MS))

    def test_a_record_whose_window_has_not_begun_leaves_the_one_before_in_force(self):
        old, new = server_record(3), server_record(7, not_before=TIME_MS + 500)
        excerpt = read(ledger(old, new).excerpt(names(3, 7)))
        self.assertEqual(excerpt.server_record(CLINIC.server_id, TIME_MS), old)
        self.assertEqual(excerpt.server_record(CLINIC.server_id, TIME_MS + 500), new)

    def test_a_newest_record_that_was_left_out_is_noticed(self):
        old, new = server_record(3), server_record(7)
        self.refuses("newest key epoch", ledger(old, new).excerpt(names(3)))

    def test_presence_and_absence_are_proved_at_every_depth(self):
        for others in (0, 1, 2, 40):
            whole = ledger(server_record(3), others=others)
            root = whole.tree.root()
            for name, value in whole.tree.values.items():
                self.assertEqual(state_value(whole.tree.proof(*name), root, *name), value)
            for number in range(40):
                absent = ("identity", b"aid/" + bytes([number]))
                self.assertIsNone(state_value(whole.tree.proof(*absent), root, *absent))
        empty = Ledger(genesis_file(), {}).tree
        self.assertIsNone(state_value(empty.proof("a", b""), empty.root(), "a", b""))

    def test_a_proof_serves_its_own_key_alone(self):
        first, second = names(3)
        proof, root = self.ledger.tree.proof(*first), self.ledger.tree.root()
        with self.assertRaises(NotValid):
            state_value(proof, root, *second)
        absent = self.ledger.tree.proof("identity", b"nobody")
        with self.assertRaises(NotValid):
            state_value(absent, root, *first)

    def test_an_absence_is_not_proved_by_the_key_s_own_leaf_or_by_one_of_another_subtree(self):
        name, value = names()[0], b"value"
        place = state_key(*name)
        denied = b"\0\1" + place + sha256(value) + struct.pack("<Q", 0)
        with self.assertRaises(NotValid) as caught:
            state_value(denied, leaf_hash(place, sha256(value)), *name)
        self.assertIn("neighbour", str(caught.exception))

        elsewhere, sibling = bytes([place[0] ^ 0x80]) + place[1:], bytes(32)
        forged = b"\0\1" + elsewhere + sha256(value) + struct.pack("<Q", 1) + sibling
        leaf = leaf_hash(elsewhere, sha256(value))
        root = inner_hash(sibling, leaf) if place[0] & 0x80 else inner_hash(leaf, sibling)
        with self.assertRaises(NotValid) as caught:
            state_value(forged, root, *name)
        self.assertIn("neighbour", str(caught.exception))

    def test_every_flipped_bit_of_a_record_s_proof_is_refused(self):
        proof = bytes.fromhex(self.good["entries"][1]["proof"])
        for at in range(0, 8 * len(proof), 7):
            bad = bytearray(proof)
            bad[at // 8] ^= 1 << at % 8
            excerpt = copy.deepcopy(self.good)
            excerpt["entries"][1]["proof"] = bytes(bad).hex()
            with self.assertRaises(NotValid):
                read(excerpt).server_record(CLINIC.server_id, TIME_MS)

    def test_a_changed_header_is_not_what_the_members_signed(self):
        header = bytearray.fromhex(self.good["header"])
        header[46] ^= 1
        self.refuses("signature", self.changed(header=bytes(header).hex()))

    def test_fewer_than_a_quorum_prove_nothing(self):
        header = bytes.fromhex(self.good["header"])
        self.refuses("need 3", self.changed(certificate=self.ledger.certificate(header, (0, 3))))
        self.refuses("order", self.changed(certificate=self.ledger.certificate(header, (0, 1, 1))))
        self.refuses("order", self.changed(certificate=self.ledger.certificate(header, (2, 1, 0))))
        strangers = self.ledger.certificate(header, (0, 1, 2), ("x", "y", "z"))
        self.refuses("does not hold", self.changed(certificate=strangers))
        read(self.changed(certificate=self.ledger.certificate(header, (1, 2, 3))))

    def test_quorums_are_those_of_the_consensus(self):
        self.assertEqual([quorum(n) for n in range(1, 11)], [1, 2, 2, 3, 4, 4, 5, 6, 6, 7])

    def test_another_ledger_kind_version_or_key_is_refused(self):
        for words, changed in [
            ("another ledger", self.changed(chain=bytes(32).hex())), ("research", self.changed(kind="research")),
            ("no excerpt", self.changed(version=2)), ("keys", self.changed(more=1)), ("keys", {"schema": "x"}),
        ]:  # fmt: skip
            self.refuses(words, changed)
        with self.assertRaises(NotValid):
            Excerpt(b'{"schema":1,"schema":1}', GENESIS, TIME_MS)
        with self.assertRaises(NotValid):
            Excerpt(b'{"schema":1.5}', GENESIS, TIME_MS)

    def test_a_header_from_the_future_tells_of_a_wrong_clock(self):
        read(self.good, TIME_MS - 120_000)
        with self.assertRaises(Ahead):
            read(self.good, TIME_MS - 120_001)

    def test_a_server_without_a_key_and_an_entry_that_is_missing_are_told_apart(self):
        nobody = Ledger(genesis_file(), {}).excerpt(names())
        self.refuses("published no key", nobody)
        self.refuses("says nothing", self.ledger.excerpt([]))

    def test_ends_of_epochs_lead_to_the_committee_that_signs(self):
        following = [signer(name) for name in ("rc", "clinic-a", "clinic-b", "new")]
        keys = [k.public_key().public_bytes_raw() for k in following]
        end = self.ledger.header(30, following=committee_digest(keys))
        epoch = {"header": end.hex(), "committee": [k.hex() for k in keys], "certificate": self.ledger.certificate(end)}
        header = self.ledger.header(41, epoch=1)
        certificate = self.ledger.certificate(header, (0, 1, 3), ("rc", "clinic-a", "clinic-b", "new"))
        later = self.changed(header=header.hex(), certificate=certificate, epochs=[epoch])
        self.assertEqual(read(later).header.epoch, 1)
        self.refuses("ends of epochs", {**later, "epochs": []})
        self.refuses("another committee", {**later, "epochs": [{**epoch, "committee": [k.hex() for k in keys[:3]]}]})
        low = self.ledger.header(30, epoch=1)
        self.refuses("not above", {**later, "header": low.hex(), "certificate": self.ledger.certificate(low)})

    def test_a_record_that_ended_is_refused(self):
        over = read(ledger(server_record(3, not_after=TIME_MS - 1)).excerpt(names(3)))
        with self.assertRaises(Failed):
            over.server_record(CLINIC.server_id, TIME_MS).admissible(over.header.time)


class Receipts(unittest.TestCase):
    def setUp(self):
        self.ledger = ledger(server_record(3))
        self.results = [bytes([n]) * 214 for n in range(3)]
        self.good = self.ledger.receipt(self.results, 50, refused=[2])
        self.refused = self.ledger.receipt(self.results, 50, refused=[2], entry=2)

    def test_a_recorded_result_is_found_at_its_height(self):
        for entry, result in enumerate(self.results[:2]):
            receipt = self.ledger.receipt(self.results, 50, refused=[2], entry=entry)
            self.assertEqual(receipts.height_of(receipt, GENESIS, result, TIME_MS), 50)

    def test_what_is_refused_absent_or_changed_is_not_recorded(self):
        for words, receipt, result in [
            ("refused", self.refused, self.results[2]), ("not about", self.good, b"x" * 214),
            ("not about", self.good, self.results[1]), ("no entry", {**self.good, "entry": None}, self.results[0]),
            ("this place", {**self.good, "entry": {**self.good["entry"], "index": 1}}, self.results[0]),
            ("outcome_path", {**self.refused, "outcome": (struct.pack("<IIQ", 0, 1, 0)).hex()}, self.results[2]),
            ("path", {**self.good, "transaction": self.good["transaction"][:-2] + "00"}, self.results[0]),
            ("another ledger", {**self.good, "chain": bytes(32).hex()}, self.results[0]),
            ("place", {**self.good, "index": 2}, self.results[0]), ("not an object", None, self.results[0]),
        ]:  # fmt: skip
            with self.assertRaises(NotValid) as caught:
                receipts.height_of(receipt, GENESIS, result, TIME_MS)
            self.assertIn(words, str(caught.exception))

    def test_the_receipts_that_every_reader_is_measured_by_are_judged_alike(self):
        index = json.loads((VECTORS / "index.json").read_text())
        judged = 0
        for vector in index["vectors"]:
            # Which patient and server was asked for, and whether the ledger took it, is not asked here.
            genuine = vector["valid"] or vector["fails"] in ("content", "expected")
            with self.subTest(vector["file"], claim=vector["claim"]):
                genesis = Genesis((VECTORS / vector["genesis"]).read_bytes())
                try:
                    body = parse_json((VECTORS / vector["file"]).read_bytes(), "the receipt", 4 << 20)
                    receipts.proved(body, genesis, index["now_ms"])
                    self.assertTrue(genuine, "taken")
                except NotValid as error:
                    self.assertFalse(genuine, error)
            judged += 1
        self.assertGreater(judged, 100)

    def test_a_result_is_found_in_a_real_bundle_and_a_refused_one_is_not(self):
        genesis = Genesis((VECTORS / "genesis-secure.json").read_bytes())
        now = json.loads((VECTORS / "index.json").read_text())["now_ms"]
        receipt = json.loads((VECTORS / "valid-secure.json").read_text())
        _, _, (_, result), _ = receipts.proved(receipt, genesis, now)
        self.assertGreater(receipts.height_of(receipt, genesis, result, now), 0)
        other = json.loads((VECTORS / "entry-refused.json").read_text())
        _, _, (_, result), _ = receipts.proved(other, genesis, now)
        with self.assertRaises(NotValid):
            receipts.height_of(other, genesis, result, now)


class Texts(unittest.TestCase):
    def test_an_aid_is_written_with_its_check_sum(self):
        text = aid_text(bytes(32))
        self.assertEqual((text[:4], len(text)), ("aid1", 62))
        known = "aid1qurswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswpc8qursp0z39q"
        self.assertEqual(aid_text(b"\7" * 32), known)

    def test_paths_of_any_tree_lead_to_its_root(self):
        def root(leaves):
            if len(leaves) == 1:
                return sha256(b"\0", leaves[0])
            k = 1 << (len(leaves) - 1).bit_length() - 1
            return sha256(b"\1", root(leaves[:k]), root(leaves[k:]))

        def path(at, leaves):
            if len(leaves) == 1:
                return []
            k = 1 << (len(leaves) - 1).bit_length() - 1
            left, right = leaves[:k], leaves[k:]
            return path(at, left) + [root(right)] if at < k else path(at - k, right) + [root(left)]

        for size in range(1, 20):
            leaves = [bytes([n]) for n in range(size)]
            for at, leaf in enumerate(leaves):
                self.assertEqual(root_from(leaf, at, size, path(at, leaves), "path"), root(leaves))

    def test_server_ids_are_made_of_key_and_name(self):
        self.assertEqual(len({member.server_id for member in GENESIS.members}), len(NAMES))


if __name__ == "__main__":
    unittest.main()
