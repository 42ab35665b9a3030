"""Finds one sign-in in a receipt, with the genesis file alone (docs/aidc1-api.md, "Receipts")."""

from ledger import (
    PATH_MAX, Reader, certified_header, check_signature, count, labelled, must, record, root_from, sequence, unhex,
)  # fmt: skip

KEYS = (
    "schema", "version", "chain", "kind", "transaction", "entry", "index", "count", "path", "outcome", "outcome_path",
    "header", "certificate", "epochs",
)  # fmt: skip
ENTRY_KEYS = ("index", "bytes", "path")
RESULTS, LATE_RESULTS = 4, 17
HEAD_BYTES = 122
RESULT_BYTES = 214
RESULTS_MAX = 4096
PLACE_MAX = (1 << 32) - 1
RECORDED = 1
SUITE_NOT_ALLOWED = 17


def nodes(path, name):
    return [unhex(node, name, 32) for node in sequence(path, name, PATH_MAX)]


def proved(receipt, genesis, now):
    """The certified header, the transaction in its block, the entry of it that is shown, and the outcome."""
    found = dict(zip(KEYS, record(receipt, "the receipt", KEYS), strict=True))
    must(found["schema"] == "aidchain.receipt/2" and found["version"] == 1, "this is no receipt that this program reads")
    must(found["chain"] == genesis.chain.hex() and found["kind"] == genesis.kind, "the receipt is of another ledger")
    header = certified_header(genesis, found["header"], found["certificate"], found["epochs"], now)
    transaction, outcome = unhex(found["transaction"], "the transaction"), unhex(found["outcome"], "the outcome")
    place = count(found["index"], "index", PLACE_MAX), count(found["count"], "count", PLACE_MAX)
    for leaf, name, root in [
        (transaction, "path", header.transactions_root),
        (outcome, "outcome_path", header.outcomes_root),
    ]:
        must(root_from(leaf, *place, nodes(found[name], name), name) == root, f"{name} does not lead to the header's root")
    return header, transaction, entry_in(transaction, found["entry"]), outcome


def is_bundle(transaction):
    tag = transaction[HEAD_BYTES - 4 : HEAD_BYTES]
    return len(transaction) > HEAD_BYTES + 64 and int.from_bytes(tag, "little") in (RESULTS, LATE_RESULTS)


def entry_in(transaction, entry):
    """The place and the bytes of the result that a bundle's receipt shows; None of another transaction."""
    if not is_bundle(transaction):
        must(entry is None, "the receipt shows an entry of what is no bundle")
        return None
    must(entry is not None, "the receipt shows no entry of the bundle")
    place, bytes_, path = record(entry, "the entry", ENTRY_KEYS)
    reader = Reader(transaction[HEAD_BYTES:-64], "the bundle's signed form")
    total, root = reader.number(8), reader.take(32)
    reader.end()
    must(total <= RESULTS_MAX, "the bundle has too many entries")
    place, bytes_ = count(place, "index", PLACE_MAX), unhex(bytes_, "the entry")
    must(root_from(bytes_, place, total, nodes(path, "path"), "path") == root, "the entry is not at this place")
    return place, bytes_


def height_of(receipt, genesis, result, now):
    """The height at which the ledger recorded this result; NotValid if the receipt does not prove it."""
    header, transaction, entry, outcome = proved(receipt, genesis, now)
    check_author(transaction, genesis)
    must(entry is not None and entry[1] == result, "the receipt is genuine, but not about this sign-in")
    must(entry[0] not in refused(outcome), "the ledger refused this sign-in")
    return header.height


def check_author(transaction, genesis):
    """The member's signature over the bundle: over its signed form, as it stands in the receipt."""
    must(len(transaction) > 64, "the transaction is too short")
    form, signature = transaction[:-64], transaction[-64:]
    reader = Reader(form, "the transaction")
    must(reader.number(2) == 1, "the transaction has another version than 1")
    must(reader.take(32) == genesis.chain, "the transaction is for another ledger")
    must(reader.number(4) == 0, "the author of the transaction is no member")
    reader.take(32)
    check_signature(reader.take(32), labelled(b"aidchain/sign-transaction", form), signature, "the transaction's author")


def refused(outcome):
    """The places in the bundle that the ledger refused."""
    reader = Reader(outcome, "the outcome")
    must(reader.number(4) == 0, "the ledger refused the whole transaction")
    must(reader.number(4) == RECORDED, "the outcome is not that of a bundle")
    places = set()
    for _ in range(min(reader.number(8), RESULTS_MAX)):
        places.add(reader.number(4))
        if reader.number(4) == SUITE_NOT_ALLOWED:
            reader.take(2)
    reader.end()
    return places
