"""Finds one sign-in in a receipt, with the genesis file alone (docs/aidc1-api.md, "Receipts")."""

from ledger import (
    PATH_MAX, Reader, certified_header, check_signature, count, labelled, must, record, root_from, sequence, unhex,
)  # fmt: skip

KEYS = (
    "schema", "version", "chain", "kind", "transaction", "index", "count", "path", "outcome", "outcome_path", "header",
    "certificate", "epochs",
)  # fmt: skip
RESULTS, LATE_RESULTS = 4, 17
RESULT_BYTES = 214
RESULTS_MAX = 4096
PLACE_MAX = (1 << 32) - 1
RECORDED = 1
SUITE_NOT_ALLOWED = 17


def proved(receipt, genesis, now):
    """The certified header, the transaction in its block and the outcome."""
    found = dict(zip(KEYS, record(receipt, "the receipt", KEYS), strict=True))
    must(found["schema"] == "aidchain.receipt/1" and found["version"] == 1, "this is no receipt that this program reads")
    must(found["chain"] == genesis.chain.hex() and found["kind"] == genesis.kind, "the receipt is of another ledger")
    header = certified_header(genesis, found["header"], found["certificate"], found["epochs"], now)
    transaction, outcome = unhex(found["transaction"], "the transaction"), unhex(found["outcome"], "the outcome")
    place = count(found["index"], "index", PLACE_MAX), count(found["count"], "count", PLACE_MAX)
    for leaf, name, root in [
        (transaction, "path", header.transactions_root),
        (outcome, "outcome_path", header.outcomes_root),
    ]:
        path = [unhex(node, name, 32) for node in sequence(found[name], name, PATH_MAX)]
        must(root_from(leaf, *place, path, name) == root, f"{name} does not lead to the header's root")
    return header, transaction, outcome


def height_of(receipt, genesis, result, now):
    """The height at which the ledger recorded this result; NotValid if the receipt does not prove it."""
    header, transaction, outcome = proved(receipt, genesis, now)
    results = results_of(transaction, genesis)
    must(result in results, "the receipt is genuine, but not about this sign-in")
    must(results.index(result) not in refused(outcome), "the ledger refused this sign-in")
    return header.height


def results_of(transaction, genesis):
    """The results of a bundle, as the server signed it."""
    must(len(transaction) > 64, "the transaction is too short")
    body, signature = transaction[:-64], transaction[-64:]
    reader = Reader(body, "the transaction")
    must(reader.number(2) == 1, "the transaction has another version than 1")
    must(reader.take(32) == genesis.chain, "the transaction is for another ledger")
    must(reader.number(4) == 0, "the author of the transaction is no member")
    reader.take(32)
    key = reader.take(32)
    reader.take(16)
    must(reader.number(4) in (RESULTS, LATE_RESULTS), "the transaction holds no results")
    results = [reader.take(RESULT_BYTES) for _ in range(min(reader.number(8), RESULTS_MAX))]
    reader.end()
    check_signature(key, labelled(b"aidchain/sign-transaction", body), signature, "the transaction's author")
    return results


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
