"""Who she is stays hidden, and two sign-ins cannot be linked, for ProVerif.

Diff-equivalence: one run is by patient 1 or by patient 2, beside any number of sign-ins
of both. Everybody's public keys are known, and any key pair counts as registered.
"""

from dataclasses import dataclass

from generator.facts import ME5, ME7, short
from generator.proverif_sign_in import me9_key
from generator.proverif_text import aid, id_commit, model, question, start, statement, theory

# A lookup by AID, without a table: a table's rows would have to be the same on both sides.
LOOKUP = f"""reduc forall A:G,X:bitstring; rowA({aid("A", "X")}) = A [private].
reduc forall A:G,X:bitstring; rowX({aid("A", "X")}) = X [private].
free hs: host.  free e0: bitstring.  const hP, hS, ok: bitstring.
free b0: ZS [private].  free n0: sk [private].
free a1,a2: Z [private].  free x1,x2: sk [private].
free s1,s2,i1,i2: bitstring [private].
event Done.
"""


@dataclass
class Options:
    """What a scenario changes."""

    server: bool = True
    clocks: bool = True
    identified: bool = False
    leak: str = ""
    reached: bool = False


def _values(given):
    return {
        "t1": "(hdr5,T1)",
        "m1": "gb(M1)",
        "es": "es",
        "c1": "aid",
        "ss": "ss",
        "m2": "(flags,hP)",
        "t3": "(hdr7,T3)",
        "m3": "gsb(M3)",
        "ee": "ee",
        "se": "se",
        "m4": "hS",
        **given,
    }


def _begin():
    transcript, lines = start("hs", "Hrecord(hs,B,e0,spk(n0))")
    return transcript, ["let B = pkS(b0) in", *lines]


def _statement():
    return statement("hs", "e0")


def _patient(options):
    transcript, begin = _begin()
    values = _values({"pk_dh": "gb(pk(a))", "m4": "=hS"})
    key, hdr, plain = (
        ("hdr19", "hdr19", "(sg,st,ID)") if options.identified else ("hdr9", "hdr9", "sg")
    )
    lines = [
        f"let aid = {aid('pk(a)', 'spk(x)')} in",
        *begin,
        "in(c,T1:bitstring);" if options.clocks else "let T1 = hP in",
        "new mi:Z; let M1 = pk(mi) in let es = dhP(B,mi) in let ss = dhP(B,a) in",
        *transcript.walk(ME5, values, seals=True),
        "out(c,(M1,C1,M2));",
        "in(c,(T3:bitstring,M3:GS,M4:bitstring));",
        "let ee = dhP(M3,mi) in let se = dhP(M3,a) in",
        *transcript.walk(ME7, values, seals=False),
        f"let sid = {transcript.h} in let prk = extract({transcript.ck},sid) in",
        f"let sg = sign(x,({short('aidc1/statement')},{_statement()})) in",
        f"out(c,aead({me9_key(key)},(sid,{hdr}),{plain})).",
    ]
    return "let Patient(a:Z,x:sk,st:bitstring,ID:bitstring) =\n  " + "\n  ".join(lines) + "\n"


def _server(options):
    transcript, begin = _begin()
    values = _values({"pk_dh": "gb(A)", "m2": "(=flags,=hP)"})
    reads = "in(c,(T1:bitstring,M1:G,C1:bitstring,M2:bitstring,T3:bitstring));"
    if not options.clocks:
        reads = "in(c,(M1:G,C1:bitstring,M2:bitstring)); let T1 = hP in let T3 = hS in"
    opens = f"let sg = unseal({me9_key('hdr9')},(sid,hdr9),C9) in"
    if options.identified:
        pattern = "(sg:bitstring,st:bitstring,i:bitstring)"
        opens = f"let {pattern} = unseal({me9_key('hdr19')},(sid,hdr19),C9) in"
    lookup = "let A = rowA(aid) in let X = rowX(aid) in let ss = dhS(A,b0) in"
    lines = [
        *begin,
        reads,
        "let es = dhS(M1,b0) in",
        *transcript.walk(ME5, values, seals=False, after={"c1": [lookup]}),
        "new mj:ZS; let M3 = pkS(mj) in let ee = dhS(M1,mj) in let se = dhS(A,mj) in",
        *transcript.walk(ME7, values, seals=True),
        f"let sid = {transcript.h} in let prk = extract({transcript.ck},sid) in",
        "out(c,(M3,M4)); in(c,C9:bitstring);",
        opens,
        f"if verify(X,({short('aidc1/statement')},{_statement()}),sg) = true then",
        ("event Done; " if options.reached else "") + "out(c,ok).",
    ]
    return "let Server() =\n  " + "\n  ".join(lines) + "\n"


def _main(options):
    one, two = "a1,x1,s1,i1", "a2,x2,s2,i2"
    either = "choice[a1,a2],choice[x1,x2],choice[s1,s2],choice[i1,i2]"
    if options.reached:
        either = one
    server = " | !Server()" if options.server else ""
    known = ""
    if options.identified:
        first = id_commit(aid("pk(a1)", "spk(x1)"), "s1", "i1")
        second = id_commit(aid("pk(a2)", "spk(x2)"), "s2", "i2")
        known = f"out(c,(i1,i2,{first},{second}));"
    return f"""process
  out(c,(pk(a1),spk(x1),pk(a2),spk(x2),pkS(b0),spk(n0))); {known} {options.leak}
  ( !Patient({either}) | !Patient({one}) | !Patient({two}){server} )
"""


EQUIVALENCE = "(* asked: the two runs cannot be told apart *)\n"
ALONE = {"server": False}
SCENARIOS = {
    "h1_terminals": ("all public keys; terminals alone", ALONE),
    "h2_still": ("all public keys; a live server; clocks stand still", {"clocks": False}),
    "h3_server": ("all public keys; a live server", {}),
    "h3_reached": ("as h3: the end must be reached", {"reached": True}),
    "h4_identified": (
        "as h1; she says who she is; both IDs known, not the salts",
        {**ALONE, "identified": True},
    ),
    "h5_identified_server": (
        "as h2; she says who she is; both IDs known, not the salts",
        {"clocks": False, "identified": True},
    ),
    "h6_her_keys": ("as h1, and both patients' a, x", {**ALONE, "leak": "out(c,(a1,a2,x1,x2));"}),
    "h7_control_epoch_key": ("as h1, and b: must fail", {**ALONE, "leak": "out(c,b0);"}),
}


def _build(name, given, options):
    query = question("no sign-in ends", "query event(Done)") if options.reached else EQUIVALENCE
    processes = _patient(options) + (_server(options) if options.server else "")
    return model(name, given, [theory() + LOOKUP + query, processes, _main(options)])


def models():
    """Name and text of each."""
    return {
        name: _build(name, given, Options(**options))
        for name, (given, options) in SCENARIOS.items()
    }
