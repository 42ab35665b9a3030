"""What models and code must agree on: labels, what is hashed or signed, the transcript.

The models are made from these tables, and agree.py holds the tables against the code.
"""

# docs/aidc1.md "Transcript" and "Messages". A step is one call of the code's SymmetricState.
START = (("hash", "prologue"), ("hash", "b_j"))
ME5 = (
    ("hash", "t1"),
    ("hash", "m1"),
    ("key", "es"),
    ("seal", "c1"),
    ("hash", "pk_dh"),
    ("key", "ss"),
    ("seal", "m2"),
)
ME7 = (
    ("hash", "t3"),
    ("hash", "m3"),
    ("key", "ee"),
    ("key", "se"),
    ("seal", "m4"),
)

# docs/aidc1-enrolment.md section 5: Noise's pattern N.
SHARE = (("hash", "context"), ("hash", "b_j"), ("hash", "e"), ("key", "es"), ("seal", "k_j"))

# docs/aidc1.md, aidc1-enrolment.md sections 4 to 6, aidc1-ledger.md section 2: the fields
# behind each label, in their order. A field of a fixed value or a length is left out.
FIELDS = {
    "aidc1/aid": ("suite", "pk_dh", "pk_sig"),
    "aidc1/id": ("aid", "salt", "id"),
    "aidc1/register": ("chain", "aid", "pk_recovery", "c_id", "id_commit"),
    "aidc1/replace": ("chain", "old", "new"),
    "aidc1/statement": (
        "chain",
        "server_id",
        "key_epoch",
        "suite",
        "aid",
        "t1",
        "t3",
        "sid",
    ),
    "aidchain/session": ("sid", "server", "aid"),
    "aidc1/prologue": ("chain", "server_id", "record"),
    "aidc1/evaluate": ("chain", "unsigned"),
    "aidc1/confirm": ("chain", "handle", "evaluation"),
    "aidc1/change": ("chain", "old", "handle", "device", "confirm"),
    "aidc1/share": ("chain", "member", "body"),
    "aidc1/deal": ("chain", "bytes"),
}

# Labels under which one key becomes another; here only their being different matters.
KEYS = (
    "AIDC1_IK_secp256k1x_ChaChaPoly_SHA256",
    "AIDC1_N_secp256k1x_ChaChaPoly_SHA256",
    "aidc1/me9",
    "aidc1/key",
    "aidc1/exporter",
    "aidc1/s2p",
    "aidc1/tk",
    "aidc1/pw",
    "aidc1/bio/pp",
    "aidc1/unlock",
    "aidc1/unlock-code",
    "aidc1/device",
    "aidc1/evaluation",
    "aidchain/sign-transaction",
)

# Labels of the code that stand in no model, and why.
NOT_MODELLED = {
    "aidc1/seed": "a seed and its keys are drawn apart: HKDF gives independent keys",
    "aidc1/index": "one AID at a time: the sixteen seeds are independent",
    "aidc1/eph": "ephemerals are fresh names; that they leak is a scenario of its own",
    "aidc1/recovery": "the recovery key is drawn apart, as HKDF of the code gives it",
    "aidc1/p2s": "no application data is sent after Me9",
    "aidc1/bio/w": "the projection is part of Gen, which is one symbol",
    "aidc1/card": "the card's tag: an attacker who writes cards is not modelled",
    "aidc1/identity": "the ID on the card is sealed with a key that the root gives",
    "aidc1/history": "a question that no call on the ledger carries, under a tag of its own",
    "AIDCCARD": "a file's first bytes, nothing that is signed",
}


def short(label):
    """The name of a label in the models: aidc1/bio/pp is l_bio_pp."""
    text = label.split("/", 1)[1] if "/" in label else label.split("_secp")[0]
    return "l_" + text.lower().replace("/", "_").replace("-", "_")


def values(label, **named):
    """The values of a label's fields, in the order of the table."""
    fields = FIELDS[label]
    if set(fields) != set(named):
        raise ValueError(f"{label} has the fields {fields}")
    return [named[field] for field in fields]
