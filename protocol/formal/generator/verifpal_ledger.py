"""What the ledger takes, for Verifpal: registration, replacement, results, sessions.

The keys of a patient are drawn in each session, since the contract serves an AID once:
a second session is a second patient (docs/aidc1-ledger.md sections 4, 5 and 7).
"""

from generator.facts import FIELDS, short, values
from generator.verifpal_text import digest, knows, model, principal

PUBLIC = (
    *(short(f"aidc1/{name}") for name in ("aid", "register", "replace", "statement")),
    *(short(f"aidchain/{name}") for name in ("session", "sign-transaction")),
    *("chain", "suite", "c_id", "id_commit", "server_id", "key_epoch", "t1", "t3"),
)


def _patient(leaks):
    lines = [
        knows("public", PUBLIC),
        "generates a, x, code",
        "ga = PUBKEY(a)",
        "gx = PUBKEY(x)",
        "gr = PUBKEY(code)",
        f"aid = {digest('aidc1/aid', suite='suite', pk_dh='ga', pk_sig='gx')}",
    ]
    return lines + ([f"leaks {', '.join(leaks)}"] if leaks else [])


def _possession(bound):
    """The registration's digest; a control leaves the recovery key out."""
    named = {"aid": "aid", "pk_recovery": "gr", "c_id": "c_id", "id_commit": "id_commit"}
    if bound:
        return digest("aidc1/register", chain="chain", **named)
    kept = [field for field in FIELDS["aidc1/register"] if field != "pk_recovery"]
    return f"HASH({', '.join([short('aidc1/register'), *kept])})"


def replacement(bound=True, by_code=True, later=()):
    """An RC that is the attacker registers a patient and replaces her.

    The AID names both keys, so the contract has them from her; the recovery key and the
    proofs travel through the RC, and so does everything of the replacement. What the RC
    signs itself is left out: it would sign anything.
    """
    consents = digest("aidc1/replace", chain="chain", old="aid", new="next")
    key = ("code", "gr") if by_code else ("x", "gx")
    patient = [
        *_patient(()),
        f"made = {_possession(bound)}",
        "proof_dh = SIGN(a, made)",
        "proof_sig = SIGN(x, made)",
    ]
    moves = ["generates next", f"consent = SIGN({key[0]}, {consents})"]
    registers = [
        knows("public", PUBLIC),
        f"registered = {_possession(bound)}",
        "_ = SIGNVERIF(ga, registered, proof_dh)?",
        "_ = SIGNVERIF(gx, registered, proof_sig)?",
    ]
    lost = ["phase[1]", principal("Patient", [f"leaks {', '.join(later)}"])] if later else []
    return [
        principal("Patient", patient),
        "Patient -> Contract: [ga], [gx], [aid], gr, proof_dh, proof_sig",
        principal("Contract", registers),
        *lost,
        principal("Patient", moves),
        "Patient -> Contract: next, consent",
        principal("Contract", [f"_ = SIGNVERIF({key[1]}, {consents}, consent)?"]),
    ]


def _statement(server, aid, sid):
    return digest(
        "aidc1/statement",
        chain="chain",
        server_id=server,
        key_epoch="key_epoch",
        suite="suite",
        aid=aid,
        t1="t1",
        t3="t3",
        sid=sid,
    )


def result(signed_by_server=True):
    """A patient who is the attacker wants a sign-in on the ledger that no server accepted.

    The server accepts one session of hers; the contract takes a result with both
    signatures, or, as the control, a patient's own word (a claim).
    """
    statement = _statement("server_id", "aid", "sid")
    transaction = f"HASH({short('aidchain/sign-transaction')}, {statement}, sigma)"
    contract = [knows("public", PUBLIC), f"_ = SIGNVERIF(gx, {statement}, sigma)?"]
    if signed_by_server:
        contract.append(f"_ = SIGNVERIF(gn, {transaction}, tx)?")
    contract.append("recorded = HASH(sid)")
    return [
        principal("Patient", _patient(["a", "x"])),
        principal("Server", [knows("public", PUBLIC), "generates n, sid", "gn = PUBKEY(n)"]),
        "Patient -> Server: [gx], [aid]\nServer -> Patient: sid",
        principal("Patient", [f"sigma = SIGN(x, {statement})"]),
        "Patient -> Server: sigma",
        principal(
            "Server", [f"_ = SIGNVERIF(gx, {statement}, sigma)?", f"tx = SIGN(n, {transaction})"]
        ),
        "Server -> Contract: [gn], sid, sigma, tx\nPatient -> Contract: [gx], [aid]",
        principal("Contract", contract),
    ]


def session(number_alone=False):
    """A result is refused as seen only if its own server recorded that session before.

    Who records first is anybody: a member's id is the hash of its key, an AID that of its
    keys, and the first result comes with keys of its own choice. The contract here looks
    only at two results that it takes for one session (docs/aidc1-ledger.md section 7).
    """

    def named(side, by):
        aid = digest("aidc1/aid", suite="suite", pk_dh=f"gx{side}", pk_sig=f"gx{side}")
        return [f"{by}id{side} = HASH(l_server, gn{side})", f"{by}aid{side} = {aid}"]

    def statement(side, by):
        return _statement(f"{by}id{side}", f"{by}aid{side}", f"sid{side}")

    def transaction(side, by):
        label = short("aidchain/sign-transaction")
        return f"HASH({label}, {statement(side, by)}, sigma{side})"

    def made(side):
        return [
            f"gn{side} = PUBKEY(n)",
            f"gx{side} = PUBKEY(x)",
            f"sid{side} = HASH(transcript)",
            *named(side, "made_"),
            f"sigma{side} = SIGN(x, {statement(side, 'made_')})",
            f"tx{side} = SIGN(n, {transaction(side, 'made_')})",
        ]

    def taken(side):
        return [
            f"_ = SIGNVERIF(gx{side}, {statement(side, 'read_')}, sigma{side})?",
            f"_ = SIGNVERIF(gn{side}, {transaction(side, 'read_')}, tx{side})?",
        ]

    def mark(side):
        if number_alone:
            return f"sid{side}"
        names = {"sid": f"sid{side}", "server": f"read_id{side}", "aid": f"read_aid{side}"}
        fields = values("aidchain/session", **names)
        return f"HASH({', '.join([short('aidchain/session'), *fields])})"

    public = knows("public", [*PUBLIC, "l_server"])
    names = ("gn", "gx", "sid", "sigma", "tx")
    same = f"_ = ASSERT({mark('_1')}, {mark('_2')})?"
    return [
        principal("Server", [public, "generates n, x, transcript", *made("_1"), *made("_2")]),
        "Server -> Contract: " + ", ".join(f"{name}_1" for name in names),
        "Server -> Contract: " + ", ".join(f"[{name}_2]" for name in names),
        principal(
            "Contract",
            [
                public,
                *named("_1", "read_"),
                *named("_2", "read_"),
                same,
                *taken("_1"),
                *taken("_2"),
            ],
        ),
    ]


def models():
    """Name and text of each."""
    consent = ["authentication? Patient -> Contract: consent"]
    sid = ["authentication? Server -> Contract: sid"]
    rows = {
        "r1_rc_replaces": (
            "the network and the RC; the patient has a recovery code",
            replacement(),
            consent,
        ),
        "r1_control_recovery_key_unbound": (
            "as r1; the registration's digest leaves pk_recovery out: must fail",
            replacement(bound=False),
            consent,
        ),
        "r2_rc_replaces_by_old_key": (
            "the network and the RC; the patient moves with her old key",
            replacement(by_code=False),
            consent,
        ),
        "r3_keys_lost": (
            "the network and the RC; after the registration a and x",
            replacement(later=["a", "x"]),
            consent,
        ),
        "s2c_patient_is_malicious": ("the network, a and x", result(), sid),
        "s2c_control_claim": (
            "as s2c; the contract takes a patient's own word, a claim: must fail",
            result(signed_by_server=False),
            sid,
        ),
        "l1_session_of_three": (
            "the network, members and patients of its own",
            session(),
            ["authentication? Server -> Contract: tx_1"],
        ),
        "l1_control_number_alone": (
            "as l1; a session is known by its number alone: must fail",
            session(number_alone=True),
            ["authentication? Server -> Contract: tx_1"],
        ),
    }
    return {name: model(name, *row) for name, row in rows.items()}
