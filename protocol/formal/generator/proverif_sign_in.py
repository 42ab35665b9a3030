"""The sign-in of docs/aidc1.md for ProVerif: patient, server, contract, and what a scenario changes.

Any number of sessions. The attacker is the network, registers patients of its own, runs
certified servers of its own, chooses the server an honest patient goes to, and chooses T1,
T3 and both heights unless the clocks stand still.
"""

from dataclasses import dataclass
from string import Template

from generator.facts import ME5, ME7, short
from generator.proverif_text import aid, id_commit, model, start, statement, theory, untyped

PATIENT_ROLE = "!Patient(a0,x0,salt0,ID0)"
SERVER_ROLE = "!Server(hs,b0,e0,n0)"

# An attacker's patients prove that they hold pk_dh; pk_sig may be anybody's. Its servers
# are members with a record of their own.
OWN_PATIENTS = """
  | !(in(c,(y:Z,X:bitstring,cm:bitstring)); insert patients($aid,pk(y),X,cm))"""
OWN_SERVERS = """
  | !(in(c,(s:host,y:ZS,e:bitstring,NV:bitstring)); if s <> hs then insert servers(s,pkS(y),e,NV))"""
# Nobody proves that he holds pk_dh.
UNPROVED_PATIENTS = """
  | !(in(c,(A:G,X:bitstring,cm:bitstring)); insert patients($aid,A,X,cm))"""


def own_patients(unproved=False):
    """Registrations by the attacker."""
    text, key = (UNPROVED_PATIENTS, "A") if unproved else (OWN_PATIENTS, "pk(y)")
    return Template(text).substitute(aid=aid(key, "X"))


EVERYBODY = own_patients() + OWN_SERVERS


@dataclass
class Options:
    """What a scenario changes."""

    leak: str = ""
    mi: bool = False
    mj: bool = False
    later: str = ""
    roles: str = f"{PATIENT_ROLE} | {SERVER_ROLE}"
    others: str = EVERYBODY
    contract: bool = False
    submits: bool = False
    answers: bool = False
    identified: str = ""
    early: bool = False
    still: bool = False
    equation: bool = False
    epochs: bool = False
    extra: str = ""


DECLARATIONS = """table patients(bitstring,G,bitstring,bitstring).  (* AID, pk_dh, pk_sig, id_commit *)
table servers(host,GS,bitstring,bitstring).       (* server_id, B_j, key_epoch, node key *)
free hs: host.  free e0: bitstring.
$epoch_key free n0: sk [private].  free a0: Z [private].  free x0: sk [private].
free ID0, salt0: bitstring [private].
(* PDone: she has checked M4. SReply: Me7 is sent. SAccept: sigma holds. Told: she read the answer.
   Every event carries the statement: chain, server, epoch, suite, AID, T1, T3, sid. *)
event PDone(bitstring,key).  event SReply(bitstring,key).  event SAccept(bitstring,key).
event Told(bitstring).  event Result(bitstring).  event Claim(bitstring).
event IDSent(bitstring,host,bitstring,bitstring).  event SAcceptID(bitstring,bitstring,bitstring).
event RCReg(bitstring,bitstring).
$extra"""


def me9_key(header):
    """k9: one key for each form of Me9."""
    return f"derive(prk,({short('aidc1/me9')},{header}))"


def _answer_key():
    return f"derive(exporter(prk,{short('aidc1/exporter')}),{short('aidc1/s2p')})"


def _patient_values(given):
    return {
        "t1": "(hdr5,T1)",
        "m1": "gb(M1)",
        "es": "es",
        "c1": "aid",
        "pk_dh": "gb(pk(a))",
        "ss": "ss",
        "m2": "(flags,hP)",
        "t3": "(hdr7,T3)",
        "m3": "gsb(M3)",
        "ee": "ee",
        "se": "se",
        "m4": "hS",
        **given,
    }


def _release(options):
    """Me9: the statement under its key, with or without who she is."""
    plain = f"out(c,aead({me9_key('hdr9')},(sid,hdr9),sg))"
    named = f"out(c,aead({me9_key('hdr19')},(sid,hdr19),(sg,salt,ID)))"
    honest = {
        "": plain,
        "named": f"if s = hs then {named} else {plain}",
        "agreed": f"if s = hs then (event IDSent(aid,s,sid,ID); {named}) else {plain}",
        "both": f"{plain};\n  if s = hs then {named}",
    }[options.identified]
    if options.answers:
        honest += (
            ";\n  in(c,answer:bitstring);\n"
            f"  if unseal({_answer_key()},(sid,hdr1a),answer) = accepted then event Told({statement()})"
        )
    return honest


def patient(options):
    """The patient (docs/aidc1.md, "Me5" and "What the patient does with Me7")."""
    transcript, begin = start("s", "Hrecord(s,B,e,NV)")
    arrives = (
        "in(c,s:host); let T1 = tc in let hP = tc in"
        if options.still
        else ("in(c,(s:host,T1:bitstring,hP:bitstring));")
    )
    reads = (
        "in(c,(M3:GS,M4:bitstring)); let T3 = tc in"
        if options.still
        else ("in(c,(T3:bitstring,M3:GS,M4:bitstring));")
    )
    sends = "out(c,(M1,C1,M2));" if options.still else "out(c,(T1,M1,C1,M2));"
    first = transcript.walk(ME5, _patient_values({}), seals=True)
    second = transcript.walk(
        ME7, _patient_values({"m4": "=tc" if options.still else "hS"}), seals=False
    )
    after = [
        f"let sid = {transcript.h} in",
        f"let prk = extract({transcript.ck},sid) in",
        f"let K = derive(prk,{short('aidc1/key')}) in",
        f"let f = {statement()} in",
    ]
    signs = [f"let sg = sign(x,({short('aidc1/statement')},f)) in"]
    done = ["event PDone(f,K);"]
    if options.early:
        second, after, signs = _early(second, after, signs)
    lines = [
        f"let aid = {aid('pk(a)', 'spk(x)')} in",
        arrives,
        "get servers(=s,B,e,NV) in",
        *begin,
        "new mi:Z;" + (" out(c,mi);" if options.mi else ""),
        "let M1 = pk(mi) in let es = dhP(B,mi) in let ss = dhP(B,a) in",
        *first,
        sends,
        reads,
        "let ee = dhP(M3,mi) in let se = dhP(M3,a) in",
        *second,
        *after,
        *done,
        *signs,
        f"{_release(options)}.",
    ]
    return "let Patient(a:Z,x:sk,salt:bitstring,ID:bitstring) =\n  " + "\n  ".join(lines) + "\n"


def _early(second, after, signs):
    """The control: the statement is released before M4 is opened."""
    opened = [line for line in second if "unseal" in line]
    mixed = [line for line in second if "unseal" not in line]
    return mixed, [*after, *signs, f"out(c,aead({me9_key('hdr9')},(sid,hdr9),sg));", *opened], []


def _server_takes(options):
    """Me9 at the server, and what it submits."""
    submits = (
        f"; out(c,(f,sg,sign(n,({short('aidchain/sign-transaction')},f,sg))))"
        if options.submits
        else ""
    )
    answer = f"; out(c,aead({_answer_key()},(sid,hdr1a),accepted))" if options.answers else ""
    holds = f"if verify(X,({short('aidc1/statement')},f),sg) = true then"
    if not options.identified:
        opens = f"let sg = unseal({me9_key('hdr9')},(sid,hdr9),C9) in"
        return [opens, holds, f"event SAccept(f,K){submits}{answer}."]
    opens = f"let (sg:bitstring,salt:bitstring,i:bitstring) = unseal({me9_key('hdr19')},(sid,hdr19),C9) in"
    named = f"if cm = {id_commit('aid', 'salt', 'i')} then"
    return [opens, holds, named, f"event SAcceptID(aid,sid,i){submits}."]


def server(options):
    """The server (docs/aidc1.md, "What the server does")."""
    transcript, begin = start("s", "Hrecord(s,B,e,spk(n))")
    reads = "in(c,(T1:bitstring,M1:G,C1:bitstring,M2:bitstring,T3:bitstring,hS:bitstring));"
    sends = "out(c,(T3,M3,M4));"
    note = "(=flags,hP:bitstring)"
    if options.still:
        reads = (
            "in(c,(M1:G,C1:bitstring,M2:bitstring)); let T1 = tc in let T3 = tc in let hS = tc in"
        )
        sends = "out(c,(M3,M4));"
        note = "(=flags,=tc)"
    lookup = ["get patients(=aid,A,X,cm) in let ss = dhS(A,b) in"]
    values = _patient_values({"pk_dh": "gb(A)", "m2": note})
    lines = [
        "let B = pkS(b) in",
        *begin,
        reads,
        "let es = dhS(M1,b) in",
        *transcript.walk(ME5, values, seals=False, after={"c1": lookup}),
        "new mj:ZS;" + (" out(c,mj);" if options.mj else ""),
        "let M3 = pkS(mj) in let ee = dhS(M1,mj) in let se = dhS(A,mj) in",
        *transcript.walk(ME7, values, seals=True),
        f"let sid = {transcript.h} in",
        f"let prk = extract({transcript.ck},sid) in",
        f"let K = derive(prk,{short('aidc1/key')}) in",
        f"let f = {statement()} in",
        "event SReply(f,K);",
        sends,
        "in(c,C9:bitstring);",
        *_server_takes(options),
    ]
    return "let Server(s:host,b:ZS,e:bitstring,n:sk) =\n  " + "\n  ".join(lines) + "\n"


def contract():
    """Results and claims (docs/aidc1-ledger.md section 7), but for time and "unseen"."""
    fields = "s:host,e:bitstring,aid:bitstring,T1:bitstring,T3:bitstring,sid:bitstring,sg:bitstring"
    holds = f"if verify(X,({short('aidc1/statement')},f),sg) = true then"
    return f"""let Results() = in(c,({fields},tsg:bitstring));
  get patients(=aid,A,X,cm) in get servers(=s,B,=e,NV) in
  let f = {statement()} in
  {holds}
  if verify(NV,({short("aidchain/sign-transaction")},f,sg),tsg) = true then event Result(f).
let Claims() = in(c,({fields}));
  get patients(=aid,A,X,cm) in
  let f = {statement()} in
  {holds} event Claim(f).
"""


def _main(options):
    name = aid("pk(a0)", "spk(x0)")
    commit = id_commit("aid0", "salt0", "ID0")
    record = "" if options.epochs else "insert servers(hs,pkS(b0),e0,spk(n0)); out(c,pkS(b0));"
    both = " | !Results() | !Claims()" if options.contract else ""
    later = f"\n  | (phase 1; out(c,{options.later}))" if options.later else ""
    return f"""process
  let aid0 = {name} in
  insert patients(aid0,pk(a0),spk(x0),{commit}); {record}
  out(c,(pk(a0),spk(x0),spk(n0),{commit}));
  {options.leak}
  ( {options.roles}{options.others}{both}{later} )
"""


def build(name, given, query, options):
    """The whole model."""
    epoch_key = "" if options.epochs else "free b0: ZS [private]. "
    extra = options.extra
    if options.answers:
        extra += "fun exporter(bitstring,bitstring): bitstring.\n"
    if options.still:
        extra += "const tc: bitstring.  (* every clock and height *)\n"
    parts = [
        theory(options.equation),
        Template(DECLARATIONS).substitute(epoch_key=epoch_key, extra=extra),
        query,
        patient(options) + server(options) + (contract() if options.contract else ""),
        _main(options),
    ]
    if not options.equation:
        return model(name, given, parts)
    return untyped(model(name, given, parts, "set ignoreTypes = false.\n"))
