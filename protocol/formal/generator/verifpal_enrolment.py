"""Unlock, change of a lock, and the deal, for Verifpal (docs/aidc1-enrolment.md).

The evaluators' function is the tool's blind signature: only who has kO makes the value,
and the terminal can check it, as with the VOPRF's proof. One evaluator stands for t of n.
"""

from generator.facts import SHARE, short
from generator.verifpal_text import Transcript, digest, knows, model, principal

NOISE = short("AIDC1_N_secp256k1x_ChaChaPoly_SHA256")
PUBLIC = (
    *(short(f"aidc1/{name}") for name in ("pw", "tk", "bio/pp", "unlock", "unlock-code")),
    *(short(f"aidc1/{name}") for name in ("evaluate", "evaluation", "confirm", "change")),
    *(short(f"aidc1/{name}") for name in ("share", "deal", "device")),
    NOISE,
    *("chain", "aid", "handle", "salt16", "l_argon2id", "l_gen"),
)


def _lock():
    """Enrolment: the terminal makes its lock (section 3). `pp` and tk give SP without a
    face, as measured; so a face is no secret of its own here."""
    return [
        knows("public", PUBLIC),
        knows("private", ["pw", "d", "code"]),
        "generates root, pp",
        "input = HASH(l_pw, pw)",
        "ad = HASH(aid, handle, salt16)",
    ]


def _sealed():
    return [
        "tk = HKDF(d, HASH(l_argon2id, r, salt16), CONCAT(l_tk, handle))",
        "sp = HASH(l_gen, tk, pp)",
        "box = AEAD_ENC(HKDF(nil, tk, l_bio_pp), nil, pp, ad)",
        "vu = AEAD_ENC(HKDF(sp, tk, l_unlock), nil, root, ad)",
        "vc = AEAD_ENC(HKDF(code, tk, l_unlock_code), nil, root, ad)",
    ]


def unlock(leaks=(), evaluator_leaks=(), later=(), card="box, vu, vc"):
    """An evaluation, the lock made and opened with it, and the confirmation.

    The card is published where the attacker may have read it.
    """
    request = "blinded"
    evaluation = f"HASH({short('aidc1/evaluation')}, chain, handle, {request})"
    confirm = digest("aidc1/confirm", chain="chain", handle="handle", evaluation="evaluation")
    terminal = [
        *_lock(),
        *([f"leaks {', '.join(leaks)}"] if leaks else []),
        f"dev = HKDF(nil, d, {short('aidc1/device')})",
        "gdev = PUBKEY(dev)",
        f"confirmer = HKDF(nil, root, CONCAT({short('aidc1/confirm')}, handle))",
        "gconfirm = PUBKEY(confirmer)",
    ]
    asks = [
        "generates blinder",
        "blinded = BLIND(blinder, input)",
        f"asked = SIGN(dev, HASH({short('aidc1/evaluate')}, chain, handle, {request}))",
    ]
    evaluator = [
        knows("public", PUBLIC),
        knows("private", ["ko"]),
        "gko = PUBKEY(ko)",
        *([f"leaks {', '.join(evaluator_leaks)}"] if evaluator_leaks else []),
    ]
    serves = [
        f"_ = SIGNVERIF(gdev, HASH({short('aidc1/evaluate')}, chain, handle, {request}), asked)?",
        "z = SIGN(ko, blinded)",
    ]
    opens = [
        "r = UNBLIND(blinder, input, z)",
        "_ = SIGNVERIF(gko, input, r)?",
        *_sealed(),
        f"evaluation = {evaluation}",
        f"confirmed = SIGN(confirmer, {confirm})",
    ]
    hears = [
        f"evaluation_e = {evaluation}",
        f"_ = SIGNVERIF(gconfirm, {confirm.replace('evaluation)', 'evaluation_e)')}, confirmed)?",
    ]
    blocks = [
        principal("Evaluator", evaluator),
        principal("Terminal", terminal),
        "Evaluator -> Terminal: [gko]\nTerminal -> Evaluator: [gdev], [gconfirm]",
        principal("Terminal", asks),
        "Terminal -> Evaluator: blinded, asked",
        principal("Evaluator", serves),
        "Evaluator -> Terminal: z",
        principal("Terminal", opens),
        f"Terminal -> Evaluator: confirmed, {card}",
        principal("Evaluator", hears),
    ]
    if later:
        blocks.append("phase[1]")
        blocks += [principal(name, [f"leaks {what}"]) for name, what in later]
    return blocks


def change(signed=True, confirm_bound=True):
    """An RC that is the attacker deals a lock in place of an old one (section 5).

    The member lets the old share go once somebody confirms the new lock; `confirmed` must
    come from the patient, or a thief's RC could take her old lock away from her.
    """
    fields = {"chain": "chain", "old": "old", "handle": "next", "device": "gdev"}
    wanted = digest("aidc1/change", confirm="gconfirm", **fields)
    if not confirm_bound:
        wanted = f"HASH({short('aidc1/change')}, {', '.join(fields.values())})"
    confirm = digest("aidc1/confirm", chain="chain", handle="next", evaluation="evaluation")
    terminal = [
        knows("public", PUBLIC),
        "generates old, next, evaluation, old_confirmer, confirmer, dev",
        "gold = PUBKEY(old_confirmer)",
        "gdev = PUBKEY(dev)",
        "gconfirm = PUBKEY(confirmer)",
        f"change = SIGN(old_confirmer, {wanted})",
        f"confirmed = SIGN(confirmer, {confirm})",
    ]
    member = [knows("public", PUBLIC)]
    if signed:
        member.append(f"_ = SIGNVERIF(gold, {wanted}, change)?")
    member += [
        f"_ = SIGNVERIF(gconfirm, {confirm}, confirmed)?",
        "destroyed = HASH(old)",
    ]
    return [
        principal("Terminal", terminal),
        "Terminal -> Member: [gold], [old], next, gdev, gconfirm, change, evaluation, confirmed",
        principal("Member", member),
    ]


def deal(leak_e=False, later=(), signed=True):
    """The RC seals a share to a member's epoch key (section 5).

    A member takes a handle once, and that is a state, which the tool has not; so each run
    of it is for a handle of its own, and knows which.
    """
    rc, member = Transcript(NOISE, ""), Transcript(NOISE, "_m")
    context = f"{short('aidc1/share')}, chain, member, HASH(CONCAT(taken, pk_dev))"

    def given(side, e, key):
        named = {"context": context, "b_j": "gb", "e": e, "es": f"es{side}", "k_j": key}
        return named

    signs = digest("aidc1/deal", chain="chain", bytes="CONCAT(taken, pk_dev, e, k_j)")
    public = knows("public", [*PUBLIC, "member"])
    deals = [
        "generates eph, share, taken, pk_dev",
        *(["leaks eph"] if leak_e else []),
        "e = PUBKEY(eph)",
        "es = DH_KEX(gb, eph)",
        *rc.walk(SHARE, given("", "e", "share"), seals=True),
        f"signed = SIGN(rc, {signs})",
    ]
    takes = [*([f"_ = SIGNVERIF(grc, {signs}, signed)?"] if signed else [])]
    takes += ["es_m = DH_KEX(e, b)", *member.walk(SHARE, given("_m", "e", "share_m"), seals=False)]
    takes += ["used = HASH(share_m)"]
    blocks = [
        principal("Rc", [public, knows("private", ["rc"]), "grc = PUBKEY(rc)"]),
        principal("Member", [public, knows("private", ["b"]), "gb = PUBKEY(b)"]),
        "Rc -> Member: [grc]\nMember -> Rc: [gb]",
        principal("Rc", deals),
        "Rc -> Member: [taken], pk_dev, e, k_j, signed",
        principal("Member", takes),
    ]
    if later:
        blocks.append("phase[1]")
        blocks += [principal(name, [f"leaks {what}"]) for name, what in later]
    return blocks


def _lock_models():
    secret = ["confidentiality? root", "confidentiality? tk"]
    confirmed = ["authentication? Terminal -> Evaluator: confirmed"]
    later = [("Terminal", "d, pw")]
    return {
        "u0_base": ("the network and the card", unlock(), secret + confirmed),
        "u1_device": ("the card and d", unlock(leaks=["d"]), secret + confirmed),
        "u1_password_too": (
            "the card, and after the last evaluation d and the password itself",
            unlock(later=later),
            secret,
        ),
        "u2_evaluators": (
            "kO, the card and the password, not d",
            unlock(leaks=["pw"], evaluator_leaks=["ko"]),
            secret + confirmed,
        ),
        "u3_control_device_and_evaluators": (
            "the card, d, kO and a password that is guessed: must fail",
            unlock(evaluator_leaks=["ko"], later=later),
            secret,
        ),
        "u4_control_tk": (
            "the card and tk (device and password, evaluated): the face adds nothing: must fail",
            unlock(later=[("Terminal", "tk")]),
            secret[:1],
        ),
        "u9_no_face": (
            "tk and a card without a face",
            unlock(later=[("Terminal", "tk")], card="vc"),
            secret[:1],
        ),
        "u9_control_code_and_tk": (
            "tk, the recovery code and a card without a face: must fail",
            unlock(later=[("Terminal", "tk, code")], card="vc"),
            secret[:1],
        ),
        "u7_code_and_device": (
            "the card, d and the recovery code",
            unlock(leaks=["d", "code"]),
            secret + confirmed,
        ),
        "u8_code_and_evaluators": (
            "kO, the card, the password and the recovery code, not d",
            unlock(leaks=["pw", "code"], evaluator_leaks=["ko"]),
            secret + confirmed,
        ),
    }


def models():
    """Name and text of each."""
    share = ["confidentiality? share"]
    deals = [*share, "authentication? Rc -> Member: k_j"]
    wanted = ["authentication? Terminal -> Member: confirmed"]
    rows = {
        **_lock_models(),
        "c1_change": ("the network and the RC", change(), wanted),
        "c1_control_unsigned": (
            "as c1; the old confirm key signs nothing: must fail",
            change(signed=False),
            wanted,
        ),
        "c1_control_confirm_unbound": (
            "as c1; the signature leaves pk_confirm out: must fail",
            change(confirm_bound=False),
            wanted,
        ),
        "d1_deal": ("the network", deal(), deals),
        "d1_control_unsigned": (
            "as d1; the member takes a deal without the RC's signature: must fail",
            deal(signed=False),
            deals[1:],
        ),
        "d1_control_epoch_key": (
            "as d1; the member's b_j leaks after the deal: must fail, so b_j is erased",
            deal(later=[("Member", "b")]),
            share,
        ),
        "d1_rc_later": (
            "as d1; the RC's key leaks after the deal",
            deal(later=[("Rc", "rc")]),
            share,
        ),
    }
    return {name: model(name, *row) for name, row in rows.items()}
