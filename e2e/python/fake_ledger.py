"""A ledger of four members for the tests: a genesis file, a state tree, certified headers, one bundle in a block."""

import json
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from ledger import EMPTY_TREE, Genesis, Header, bit, committee_digest, inner_hash, labelled, leaf_hash, sha256, state_key

NAMES = ("rc", "clinic-a", "clinic-b", "clinic-c")
TIME_MS = 1_700_000_100_000


def raw_public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def signer(name):
    return Ed25519PrivateKey.from_private_bytes(sha256(b"test member", name.encode()))


def genesis_file(api="https://127.0.0.1:1", spki=bytes(32)):
    members = [
        {
            "name": name, "role": "rc" if name == "rc" else "server", "key": raw_public(signer(name)).hex(),
            "network_key": sha256(name.encode()).hex(), "tls_spki": spki.hex(), "p2p": "/ip4/127.0.0.1/tcp/1", "api": api,
        }
        for name in NAMES
    ]  # fmt: skip
    content = {
        "schema": "aidchain.genesis/1", "version": 1, "kind": "secure", "name": "test", "time_ms": TIME_MS,
        "members": members, "parameters": {}, "suites": [1], "contracts": [], "patients": [], "servers": [],
    }  # fmt: skip
    return json.dumps(content).encode()


def half(leaves):
    """Where a tree over at least two leaves splits (RFC 9162 section 2.1.1)."""
    return 1 << ((len(leaves) - 1).bit_length() - 1)


def tree_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    at = half(leaves)
    return sha256(b"\1", tree_root(leaves[:at]), tree_root(leaves[at:]))


def tree_path(leaves, index):
    if len(leaves) == 1:
        return []
    at = half(leaves)
    if index < at:
        return [*tree_path(leaves[:at], index), tree_root(leaves[at:])]
    return [*tree_path(leaves[at:], index - at), tree_root(leaves[:at])]


class Tree:
    """The state: values under contract and key, its root and its proofs."""

    def __init__(self, values):
        self.values = values
        self.leaves = {state_key(*name): value for name, value in values.items()}

    def node(self, keys, depth):
        if not keys:
            return EMPTY_TREE
        if len(keys) == 1:
            return leaf_hash(keys[0], sha256(self.leaves[keys[0]]))
        sides = [[key for key in keys if bit(key, depth) == side] for side in (0, 1)]
        return inner_hash(*(self.node(side, depth + 1) for side in sides))

    def root(self):
        return self.node(list(self.leaves), 0)

    def proof(self, contract, key):
        place, keys, siblings = state_key(contract, key), list(self.leaves), []
        while len(keys) > 1:
            depth = len(siblings)
            siblings.append(self.node([k for k in keys if bit(k, depth) != bit(place, depth)], depth + 1))
            keys = [k for k in keys if bit(k, depth) == bit(place, depth)]
        value, neighbour = self.leaves.get(place), keys[0] if keys and keys[0] != place else None
        out = b"\0" if value is None else b"\1" + struct.pack("<Q", len(value)) + value
        out += b"\0" if neighbour is None else b"\1" + neighbour + sha256(self.leaves[neighbour])
        return out + struct.pack("<Q", len(siblings)) + b"".join(reversed(siblings))


class Ledger:
    def __init__(self, file, values):
        self.genesis, self.tree = Genesis(file), Tree(values)

    def header(self, height, epoch=0, time=TIME_MS, transactions=bytes(32), outcomes=bytes(32), following=None):
        following = following or committee_digest(self.genesis.committee())
        fixed = struct.pack("<H", 1) + self.genesis.chain + struct.pack("<QIQ", height, epoch, time)
        return fixed + bytes(64) + transactions + outcomes + self.tree.root() + bytes(32) + following

    @staticmethod
    def certificate(encoded, signers=(0, 1, 2), names=NAMES):
        header = Header(encoded)
        statement = header.checkpoint()
        signatures = [{"member": at, "signature": signer(names[at]).sign(statement).hex()} for at in signers]
        return {"epoch": header.epoch, "height": header.height, "signatures": signatures}

    def proved(self, header, **more):
        return {
            "version": 1, "chain": self.genesis.chain.hex(), "kind": "secure", "header": header.hex(),
            "certificate": self.certificate(header), "epochs": [], **more,
        }  # fmt: skip

    def excerpt(self, names, height=41, time=TIME_MS, **more):
        entries = [{"contract": c, "key": k.hex(), "proof": self.tree.proof(c, k).hex()} for c, k in names]
        return self.proved(self.header(height, time=time), schema="aidchain.excerpt/1", entries=entries, **more)

    def receipt(self, results, height, refused=(), entry=0):
        """A block that holds one bundle of clinic-a, and the proof of one result in it."""
        author = self.genesis.members[1]
        leaves = [sha256(b"\0", result) for result in results]
        form = (
            struct.pack("<H", 1) + self.genesis.chain + struct.pack("<I", 0) + author.server_id + author.key
            + bytes(16) + struct.pack("<IQ", 4, len(results)) + tree_root(leaves)
        )  # fmt: skip
        transaction = form + signer(author.name).sign(labelled(b"aidchain/sign-transaction", form))
        shown = {"index": entry, "bytes": results[entry].hex(), "path": [node.hex() for node in tree_path(leaves, entry)]}
        places = b"".join(struct.pack("<II", place, 22) for place in refused)
        outcome = struct.pack("<IIQ", 0, 1, len(refused)) + places
        roots = [sha256(b"\1", sha256(b"\0", leaf), bytes(32)) for leaf in (transaction, outcome)]
        header = self.header(height, transactions=roots[0], outcomes=roots[1])
        return self.proved(
            header, schema="aidchain.receipt/2", transaction=transaction.hex(), entry=shown, index=0, count=2,
            path=[bytes(32).hex()], outcome=outcome.hex(), outcome_path=[bytes(32).hex()],
        )  # fmt: skip
