"""What a consortium's ledger shows to somebody who holds nothing but its genesis file.

Headers, certificates, ends of epochs, paths and state proofs, as docs/aidc1-api.md ("Proofs") gives their bytes.
"""

import hashlib
import json
import re
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HEADER_BYTES = 278
HEADER_VERSION = 1
AHEAD_MS = 120_000
GENESIS_BYTES_MAX = 16 << 20
MEMBERS_MAX = 31
EPOCHS_MAX = 4096
KEY_BITS = 256
PATH_MAX = 32
PROOF_BYTES_MAX = 64 << 10
EMPTY_TREE = b"SPARSE_MERKLE_PLACEHOLDER_HASH__"


class NotValid(Exception):
    """What was shown does not prove what it should."""


class Ahead(NotValid):
    """What was shown is of a time that is not yet: a wrong clock, or a forged time."""


def must(holds, text):
    if not holds:
        raise NotValid(text)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def labelled(label, *parts):
    return sha256(label, b"\0", *parts)


# JSON, strictly: no duplicate key, no key that is missing or unknown, whole numbers only


def parse_json(body, what, most):
    must(len(body) <= most, f"{what} is longer than {most} bytes")

    def once(pairs):
        found = dict(pairs)
        must(len(found) == len(pairs), f"{what} has a key twice")
        return found

    def no_number(text):
        raise NotValid(f"{what} holds {text}, which is no whole number")

    def whole(text):
        # Other readers of JSON round what is larger.
        if text.startswith("-") or len(text) > 16 or int(text) >= 1 << 53:
            no_number(text)
        return int(text)

    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=once, parse_int=whole, parse_float=no_number, parse_constant=no_number
        )
    except (ValueError, RecursionError) as error:
        raise NotValid(f"{what} is not JSON: {error}") from None


def record(value, what, keys):
    must(isinstance(value, dict), f"{what} is not an object")
    must(set(value) == set(keys), f"{what} has the keys {sorted(value)}, need {sorted(keys)}")
    return [value[key] for key in keys]


def sequence(value, what, most):
    must(isinstance(value, list) and len(value) <= most, f"{what} is not a list of at most {most}")
    return value


def count(value, what, most=(1 << 53) - 1):
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    must(good, f"{what} is not a whole number from 0 to {most}")
    return value


def text(value, what):
    must(isinstance(value, str), f"{what} is not a text")
    return value


def unhex(value, what, length=None):
    good = isinstance(value, str) and re.fullmatch("(?:[0-9a-f]{2})*", value)
    must(good, f"{what} is not lower-case hex")
    out = bytes.fromhex(value)
    must(length is None or len(out) == length, f"{what} has {len(out)} bytes, need {length}")
    return out


class Reader:
    """The ledger's encoding: integers fixed-width little-endian, u64 counts, u32 tags, options of one byte."""

    def __init__(self, encoded, what):
        self.rest, self.what = memoryview(encoded), what

    def take(self, length):
        must(length <= len(self.rest), f"{self.what} ends early")
        out, self.rest = self.rest[:length], self.rest[length:]
        return bytes(out)

    def number(self, width):
        return int.from_bytes(self.take(width), "little")

    def blob(self):
        return self.take(self.number(8))

    def option(self, read):
        flag = self.number(1)
        must(flag <= 1, f"{self.what} has an option that is neither there nor not")
        return read() if flag else None

    def end(self):
        must(not self.rest, f"{self.what} has {len(self.rest)} bytes too many")


# Ed25519, as strict as the members are: libraries alone let keys and R of small order through

FIELD = (1 << 255) - 19
ORDER_EIGHT = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = (0, 1, FIELD - 1, ORDER_EIGHT, FIELD - ORDER_EIGHT)


def check_point(encoded, what):
    y = int.from_bytes(encoded, "little") & ((1 << 255) - 1)
    must(y < FIELD, f"{what} is not written in the canonical way")
    must(y not in SMALL_ORDER, f"{what} is of small order")


def check_signature(key, message, signature, what):
    check_point(key, f"the key of {what}")
    check_point(signature[:32], f"the R of {what}")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise NotValid(f"the signature of {what} does not hold") from None


# Genesis


@dataclass(frozen=True)
class Member:
    name: str
    key: bytes
    tls_spki: bytes
    api: str

    @property
    def server_id(self):
        name = self.name.encode()
        return sha256(b"aidchain/server", self.key, struct.pack("<H", len(name)), name)


class Genesis:
    KEYS = (
        "schema", "version", "kind", "name", "time_ms", "members", "parameters", "suites", "contracts", "patients",
        "servers",
    )  # fmt: skip
    MEMBER = ("name", "role", "key", "network_key", "tls_spki", "p2p", "api")

    def __init__(self, file):
        content = dict(zip(self.KEYS, record(parse_json(file, "the genesis file", GENESIS_BYTES_MAX), "genesis", self.KEYS)))
        must(content["schema"] == "aidchain.genesis/1", "this is not a genesis file that this program reads")
        must(content["version"] == 1, "the genesis file has another version than 1")
        must(content["kind"] in ("secure", "research"), "the genesis file is of an unknown kind")
        self.chain, self.kind = sha256(file), content["kind"]
        self.members = [self.member(raw) for raw in sequence(content["members"], "members", MEMBERS_MAX)]
        keys = self.committee()
        must(keys and len(set(keys)) == len(keys), "the genesis file names nobody, or a key twice")

    def member(self, raw):
        name, _role, key, _network, spki, _p2p, api = record(raw, "a member", self.MEMBER)
        name, api = text(name, "a name"), text(api, "an address")
        return Member(name, unhex(key, f"the key of {name}", 32), unhex(spki, f"the pin of {name}", 32), api)

    def committee(self):
        return [member.key for member in self.members]


# Headers and certificates


class Header:
    def __init__(self, encoded, what="the header"):
        must(len(encoded) == HEADER_BYTES, f"{what} has {len(encoded)} bytes, need {HEADER_BYTES}")
        reader = Reader(encoded, what)
        must(reader.number(2) == HEADER_VERSION, f"{what} has another version than {HEADER_VERSION}")
        self.chain = reader.take(32)
        self.height, self.epoch, self.time = reader.number(8), reader.number(4), reader.number(8)
        self.parent, self.batch_digest = reader.take(32), reader.take(32)
        self.transactions_root, self.outcomes_root = reader.take(32), reader.take(32)
        self.state_root, self.history_root, self.next_committee = reader.take(32), reader.take(32), reader.take(32)
        reader.end()
        self.hash = labelled(b"aidchain/header", encoded)

    def checkpoint(self):
        """The 103 bytes of which a quorum's signatures are the certificate."""
        return (
            b"aidchain/pbft/v1" + struct.pack("<H", 1) + self.chain + struct.pack("<I", self.epoch) + b"\4"
            + struct.pack("<QQ", 0, self.height) + self.hash
        )  # fmt: skip


def quorum(members):
    faulty = (members - 1) // 3
    return (members + faulty + 2) // 2


def committee_digest(keys):
    return labelled(b"aidchain/committee", struct.pack("<H", len(keys)), *keys)


def check_certificate(raw, header, committee):
    epoch, height, signatures = record(raw, "the certificate", ("epoch", "height", "signatures"))
    must(count(epoch, "epoch") == header.epoch, "the certificate is of another epoch than the header")
    must(count(height, "height") == header.height, "the certificate is of another height than the header")
    statement, last = header.checkpoint(), -1
    for entry in sequence(signatures, "signatures", MEMBERS_MAX):
        member, signature = record(entry, "a signature", ("member", "signature"))
        must(count(member, "member") < len(committee), f"signer {member} is not in the committee")
        must(member > last, "signers stand once each, in the order of the committee")
        last = member
        what = f"member {member}"
        check_signature(committee[member], statement, unhex(signature, f"the signature of {what}", 64), what)
    need = quorum(len(committee))
    must(len(signatures) >= need, f"{len(signatures)} of {len(committee)} members signed, need {need}")


def committee_after(genesis, epochs):
    """The committee that the ends of the epochs lead to, and the last height of the last one."""
    committee, last = genesis.committee(), 0
    for epoch, raw in enumerate(sequence(epochs, "epochs", EPOCHS_MAX)):
        what = f"the end of epoch {epoch}"
        encoded, keys, certificate = record(raw, what, ("header", "committee", "certificate"))
        header = Header(unhex(encoded, what), what)
        must(header.chain == genesis.chain, f"{what} is of another ledger")
        must(header.epoch == epoch and header.height > last, f"{what} does not follow the one before")
        check_certificate(certificate, header, committee)
        keys = [unhex(key, "a committee key", 32) for key in sequence(keys, "committee", MEMBERS_MAX)]
        must(keys and len(set(keys)) == len(keys), f"{what} names a key twice, or nobody")
        must(committee_digest(keys) == header.next_committee, f"{what}: another committee was certified")
        committee, last = keys, header.height
    return committee, last


def certified_header(genesis, encoded, certificate, epochs, now):
    """The header, if a quorum of the members that were in office signed it, and not in the future."""
    header = Header(unhex(encoded, "the header"))
    must(header.chain == genesis.chain, "the header is of another ledger than the genesis file")
    committee, last = committee_after(genesis, epochs)
    must(header.epoch == len(epochs), "header and ends of epochs do not belong together")
    must(header.height > last, "the header is not above the last end of an epoch")
    check_certificate(certificate, header, committee)
    if header.time > now + AHEAD_MS:
        raise Ahead("the header's time is more than two minutes ahead of this clock")
    return header


# Trees


def root_from(leaf, index, size, path, what):
    """The root that a leaf and its path lead to (RFC 9162 section 2.1.3.2)."""
    must(index < size, f"{what}: place {index} is outside of {size}")
    fn, sn, node = index, size - 1, sha256(b"\0", leaf)
    for sibling in path:
        must(sn > 0, f"{what}: the path is too long")
        if fn % 2 == 1 or fn == sn:
            node = sha256(b"\1", sibling, node)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            node = sha256(b"\1", node, sibling)
        fn, sn = fn // 2, sn // 2
    must(sn == 0, f"{what}: the path is too short")
    return node


def state_key(contract, key):
    return labelled(contract.encode(), key)


def leaf_hash(key_hash, value_hash):
    return sha256(b"JMT::LeafNode", key_hash, value_hash)


def inner_hash(left, right):
    return sha256(b"JMT::IntrnalNode", left, right)


def bit(key_hash, depth):
    return key_hash[depth // 8] >> (7 - depth % 8) & 1


def state_value(proof, root, contract, key):
    """The value that the state with this root has under a contract's key, or None if it has none."""
    must(len(proof) <= PROOF_BYTES_MAX, "the state proof is too long")
    reader = Reader(proof, "the state proof")
    value = reader.option(reader.blob)
    neighbour = reader.option(lambda: (reader.take(32), reader.take(32)))
    depth = reader.number(8)
    must(depth <= KEY_BITS, "the state proof is deeper than the tree can be")
    siblings = [reader.take(32) for _ in range(depth)]
    reader.end()
    place = state_key(contract, key)
    node = starting_leaf(place, value, neighbour, depth)
    for at, sibling in zip(reversed(range(depth)), siblings, strict=True):
        node = inner_hash(sibling, node) if bit(place, at) else inner_hash(node, sibling)
    must(node == root, "the state proof does not lead to the header's state root")
    return value


def starting_leaf(place, value, neighbour, depth):
    must(value is None or neighbour is None, "the state proof claims presence and absence at once")
    if value is not None:
        return leaf_hash(place, sha256(value))
    if neighbour is None:
        return EMPTY_TREE
    other = neighbour[0]
    beside = other != place and all(bit(other, at) == bit(place, at) for at in range(depth))
    must(beside, "the neighbour in the state proof does not stand where the key would be")
    return leaf_hash(*neighbour)


# The text form of an AID: bech32m (BIP-350) of its 32 bytes under the prefix "aid"

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for at, part in enumerate(GENERATOR):
            check ^= part if top >> at & 1 else 0
    return check


def aid_text(aid):
    # 256 bits and four zeros are 52 groups of five.
    whole = int.from_bytes(aid, "big") << 4
    fives = [whole >> 5 * at & 31 for at in reversed(range(52))]
    prefix = [ord(c) >> 5 for c in "aid"] + [0] + [ord(c) & 31 for c in "aid"]
    check = polymod(prefix + fives + [0] * 6) ^ 0x2BC830A3
    return "aid1" + "".join(LETTERS[five] for five in fives + [check >> 5 * at & 31 for at in reversed(range(6))])
