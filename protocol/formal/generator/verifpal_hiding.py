"""Whether two sign-ins are seen to be one patient's, for Verifpal: two Me5s of the same one."""

from generator.facts import ME5
from generator.verifpal_sign_in import begin, keys, operands
from generator.verifpal_text import model, principal


def _me5(end):
    """One Me5; `end` closes every name of it."""
    transcript, first = begin(end, "gb", wire=end)
    given = operands(end, m1=f"m1{end}")
    return [
        f"generates mi{end}",
        f"m1{end} = PUBKEY(mi{end})",
        f"es{end} = DH_KEX(gb, mi{end})",
        f"ss{end} = DH_KEX(gb, a)",
        *first,
        *transcript.walk(ME5, given, seals=True),
    ]


def _two():
    travels = [f"{name}{end}" for end in ("", "_b") for name in ("m1", "c1", "m2")]
    return [
        principal("Patient", _me5("") + _me5("_b")),
        f"Patient -> Server: {', '.join(travels)}",
        principal("Server", [f"seen_{name} = HASH({name})" for name in travels]),
    ]


def models():
    """Name and text of each."""
    asked = ["unlinkability? c1, c1_b", "unlinkability? m2, m2_b"]
    rows = {
        "h1_terminals": ("the network and all public keys", keys() + _two()),
        "h6_her_keys": ("as h1, and a, x", keys(leaks_patient=["a", "x"]) + _two()),
        "h7_control_epoch_key": ("as h1, and b: must fail", keys(leaks_server=["b"]) + _two()),
    }
    return {name: model(name, *row, asked) for name, row in rows.items()}
