"""Holds the tables of facts.py against the code: labels, fields in their order, the transcript."""

import re
from pathlib import Path

from generator.facts import FIELDS, KEYS, ME5, ME7, NOT_MODELLED, SHARE, START, short

ROOT = Path(__file__).resolve().parents[3]
AIDC1 = ROOT / "protocol/src/aidc1"
CONTRACT = ROOT / "contract/src"

# The suite's labels, and the two of the ledger that its models speak of.
LABEL = re.compile(r'b?"((?:aidc1/|AIDC|aidchain/s(?:ession|ign-transaction))[A-Za-z0-9_/-]*)"')

# Where the bytes behind a label are put together: file, and how their list begins.
PLACES = {
    "aidc1/aid": (CONTRACT / "identity/aid.rs", r'b"aidc1/aid",'),
    "aidc1/id": (CONTRACT / "contracts/identity.rs", r'b"aidc1/id",'),
    "aidc1/register": (CONTRACT / "record.rs", r'b"aidc1/register",'),
    "aidc1/statement": (CONTRACT / "record.rs", r'b"aidc1/statement",'),
    "aidc1/replace": (CONTRACT / "record/replacement.rs", r'b"aidc1/replace",'),
    "aidchain/session": (CONTRACT / "window.rs", r"let parts: \[&\[u8\]; 3\] = \["),
    "aidc1/prologue": (AIDC1 / "record.rs", r'b"aidc1/prologue",'),
    "aidc1/share": (AIDC1 / "deal.rs", r'b"aidc1/share",'),
    "aidc1/evaluate": (AIDC1 / "evaluation.rs", r"new_with_prefix\(label\);"),
    "aidc1/confirm": (AIDC1 / "evaluation.rs", r'new_with_prefix\(b"aidc1/confirm"\);'),
    "aidc1/change": (AIDC1 / "deal.rs", r'new_with_prefix\(b"aidc1/change"\);'),
    "aidc1/deal": (AIDC1 / "deal.rs", r'new_with_prefix\(b"aidc1/deal"\);'),
}

# What the code calls a field that the tables call otherwise; None is a length.
SPELLINGS = {
    "record.server_id": "server_id",
    "record.digest()": "record",
    "Sha256::digest(body)": "body",
    "unsigned()": "unsigned",
    "length": None,
}


def code(path):
    """A source file without its comments and tests."""
    text = path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
    return "\n".join(line.split("//")[0] for line in text.splitlines())


def labels_of_the_code():
    """Every label of the suite, in the crate and in the contracts."""
    files = [*AIDC1.rglob("*.rs"), *CONTRACT.rglob("*.rs")]
    found = (LABEL.findall(code(path)) for path in files if path.name != "vectors.rs")
    return {label for labels in found for label in labels}


def _field(argument):
    """The name of a field from the expression that gives its bytes."""
    name = argument.strip().lstrip("&").removeprefix("self.")
    name = re.sub(r"\.(as_bytes|to_be_bytes|to_bytes|get)\(\)", "", name)
    return SPELLINGS.get(name, name)


def fields_of_the_code(label):
    """The fields behind a label, as the code puts them together."""
    path, begins = PLACES[label]
    rest = re.split(begins, code(path), maxsplit=1)[1]
    if begins.endswith(r"\);"):
        arguments = re.findall(r"hash\.update\((.*)\);", rest.split("finalize")[0])
    else:
        arguments = [part for part in rest.split("]")[0].split(",") if part.strip()]
    fields = (_field(argument) for argument in arguments)
    return tuple(field for field in fields if field)


# One call of the transcript in the code, and which step of the tables it is.
CALL = re.compile(r"\.(mix_hash|mix_key|seal|open)\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
PATIENT = {
    "Kind::Me5": "t1",
    "&m1": "m1",
    "usable.key": "es",
    "aid()": "c1",
    "pk_dh()": "pk_dh",
    "kept.ss": "ss",
    "note(": "m2",
    "Kind::Me7": "t3",
    "&me7.m3": "m3",
    "ephemeral.agree": "ee",
    "dh().agree": "se",
    "me7.m4": "m4",
}
SERVER = {
    "Kind::Me5": "t1",
    "&me5.m1": "m1",
    "agree(&m1)": "es",
    "me5.c1": "c1",
    "&pk_dh": "pk_dh",
    "exponent.agree(&key)": "ss",
    "me5.m2": "m2",
    "Kind::Me7": "t3",
    "&m3": "m3",
    "recognised.m1": "ee",
    "recognised.key": "se",
    "height": "m4",
}
BEGIN = {"aidc1/prologue": "prologue", "dh_epoch_key": "b_j"}
RC = {
    "aidc1/share": "context",
    "epoch_key.as": "b_j",
    "ephemeral.x": "e",
    "agree": "es",
    "share": "k_j",
}
MEMBER = {
    "aidc1/share": "context",
    "epoch_key.as": "b_j",
    "&[e]": "e",
    "agree": "es",
    "sealed": "k_j",
}


def _body(text, function):
    """A function's text, up to the brace that stands below its `fn`."""
    begins = re.search(rf"^( *)[\w() ]*\bfn {function}\(", text, re.MULTILINE)
    return text[begins.end() : text.index(f"\n{begins[1]}}}\n", begins.end())]


def _step(action, argument, names):
    """A call as a step; one that nobody knows is called by what it works on."""
    kind = {"mix_hash": "hash", "mix_key": "key"}.get(action, "seal")
    known = (name for spelling, name in names.items() if spelling in argument)
    return kind, next(known, argument.strip())


def steps_of_the_code(path, functions, names):
    """The transcript's steps in these functions, one after the other."""
    calls = (CALL.findall(_body(code(path), function)) for function in functions)
    return tuple(_step(*call, names) for found in calls for call in found)


def differences(models):
    """What does not agree, one line each. `models` are the texts of all models."""
    found = labels_of_the_code()
    known = {*FIELDS, *KEYS, *NOT_MODELLED}
    body = "\n".join(models)
    for label in sorted(found - known):
        yield f"the code's label {label} is in no table of facts.py"
    for label in sorted(known - found):
        yield f"the label {label} of facts.py is not in the code"
    for label in sorted({*FIELDS, *KEYS}):
        if not re.search(rf"\b{short(label)}\b", body):
            yield f"the label {label} is in no model: model it, or say why not"
    for label, fields in FIELDS.items():
        theirs = fields_of_the_code(label)
        if theirs != fields:
            yield f"behind {label} the code has {theirs}, the models {fields}"
    for name, (path, functions, names, steps) in TRANSCRIPTS.items():
        theirs = steps_of_the_code(path, functions, names)
        if theirs != steps:
            yield f"{name}: the code takes {theirs}, the models {steps}"


TRANSCRIPTS = {
    "prologue": (AIDC1 / "record.rs", ["new"], BEGIN, START),
    "patient": (AIDC1 / "patient.rs", ["open", "verify"], PATIENT, ME5 + ME7),
    "server": (AIDC1 / "serving.rs", ["recognise", "respond"], SERVER, ME5 + ME7),
    "the RC's share": (AIDC1 / "deal.rs", ["noise", "seal"], RC, SHARE),
    "the member's share": (AIDC1 / "deal.rs", ["noise", "open_share"], MEMBER, SHARE),
}
