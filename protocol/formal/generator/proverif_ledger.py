"""Registration, replacement and sessions on the ledger (docs/aidc1-ledger.md), for ProVerif."""

from generator.facts import FIELDS, short, values
from generator.proverif_text import model, question

SYMBOLS = """type sk. type host.
free c: channel.
const chain, suite: bitstring.
fun spk(sk): bitstring.  fun sign(sk,bitstring): bitstring.
reduc forall x:sk,m:bitstring; verify(spk(x),m,sign(x,m)) = true.
reduc forall x:sk,m:bitstring; signed(sign(x,m)) = m.
fun Haid(bitstring,bitstring,bitstring,bitstring): bitstring.
"""


def _aid(a, x):
    return f"Haid({short('aidc1/aid')},{','.join(values('aidc1/aid', suite='suite', pk_dh=a, pk_sig=x))})"


AID0 = _aid("spk(a0)", "spk(x0)")

RECORDS = """table records(bitstring,bitstring,bitstring).  (* AID, pk_sig, pk_recovery *)
free a0, x0, code0: sk [private].
event Consents(bitstring,bitstring).  event Replaced(bitstring,bitstring).
"""


def _possession(aid, recovery, bound):
    """What both keys sign; a control leaves the recovery key out."""
    named = {"chain": "chain", "aid": aid, "pk_recovery": recovery, "c_id": "ci", "id_commit": "cm"}
    fields = [named[field] for field in FIELDS["aidc1/register"] if bound or field != "pk_recovery"]
    return f"({','.join([short('aidc1/register'), *fields])})"


def _consent(old, new):
    fields = values("aidc1/replace", chain="chain", old=old, new=new)
    return f"({','.join([short('aidc1/replace'), *fields])})"


def _replacement(bound=True, by_code=True, leak="", later=""):
    """The RC is the attacker: every author's signature of its is left out."""
    key, checked = ("code0", "R") if by_code else ("x0", "X")
    phase = "phase 1; " if later else ""
    after = f"\n  | (phase 1; out(c,{later}))" if later else ""
    asked = question(
        "who is replaced consented",
        f"query new:bitstring; event(Replaced({AID0},new)) ==> event(Consents({AID0},new))",
    )
    return f"""{asked}let Patient() =
  in(c,(ci:bitstring,cm:bitstring));
  let d = {_possession("aid0", "spk(code0)", bound)} in
  out(c,(sign(a0,d),sign(x0,d)));
  {phase}!(in(c,new:bitstring); event Consents(aid0,new); out(c,sign({key},{_consent("aid0", "new")}))).
let Register() =
  in(c,(A:bitstring,X:bitstring,R:bitstring,ci:bitstring,cm:bitstring,p:bitstring,q:bitstring));
  let aid = {_aid("A", "X")} in
  let d = {_possession("aid", "R", bound)} in
  if verify(A,d,p) = true then if verify(X,d,q) = true then insert records(aid,X,R).
let Replace() =
  {phase}in(c,(aid:bitstring,new:bitstring,sg:bitstring)); get records(=aid,X,R) in
  if verify({checked},{_consent("aid", "new")},sg) = true then event Replaced(aid,new).
process
  out(c,(spk(a0),spk(x0),spk(code0))); {leak}
  let aid0 = {AID0} in
  ( !Patient() | !Register() | !Replace(){after} )
""".replace("Patient()", "Patient(aid0:bitstring)", 1).replace("!Patient()", "!Patient(aid0)")


def _session(mark, others):
    """A member marks a session as seen; its number is public before it is recorded."""
    fields = ",".join(
        values(
            "aidc1/statement",
            chain="chain",
            server_id="s",
            key_epoch="e0",
            suite="suite",
            aid="aid",
            t1="t1",
            t3="t3",
            sid="sid",
        )
    )
    return f"""fun Hsession(bitstring,bitstring,host,bitstring): bitstring.
free hs: host.  free e0, t1, t3: bitstring.
free n0, x0, a0: sk [private].
table members(host,bitstring).  table patients(bitstring,bitstring).
event Accepted(host,bitstring,bitstring).  event Seen(bitstring,host,bitstring).
(* asked: what is seen as her session is her session *)
query s:host,aid:bitstring,sid:bitstring;
  event(Seen({mark("sid", "hs", AID0)},s,aid)) && event(Accepted(hs,{AID0},sid)) ==> s = hs && aid = {AID0}.
let Server(s:host,aid:bitstring) =
  new sid:bitstring; event Accepted(s,aid,sid);
  let f = ({fields}) in let sg = sign(x0,({short("aidc1/statement")},f)) in
  out(c,(f,sg)); out(c,sign(n0,({short("aidchain/sign-transaction")},f,sg))).
let Results() =
  in(c,(s:host,aid:bitstring,sid:bitstring,sg:bitstring,tsg:bitstring));
  get members(=s,NV) in get patients(=aid,X) in
  let f = ({fields}) in
  if verify(X,({short("aidc1/statement")},f),sg) = true then
  if verify(NV,({short("aidchain/sign-transaction")},f,sg),tsg) = true then
  event Seen({mark("sid", "s", "aid")},s,aid).
process
  insert members(hs,spk(n0)); let aid0 = {AID0} in insert patients(aid0,spk(x0));
  out(c,(spk(n0),spk(x0),spk(a0)));
  ( !Server(hs,aid0) | !Results(){others} )
"""


OTHERS = f"""
  | !(in(c,(A:bitstring,X:bitstring)); insert patients({_aid("A", "X")},X))
  | !(in(c,(s:host,NV:bitstring)); if s <> hs then insert members(s,NV))"""


def _of_three(sid, server, aid):
    return f"Hsession({','.join([short('aidchain/session'), sid, server, aid])})"


def _number(sid, _server, _aid):
    return sid


SCENARIOS = {
    "r1_rc_replaces": (
        "the network and the RC; she consents by her recovery key",
        [RECORDS, _replacement()],
    ),
    "r1_control_recovery_key_unbound": (
        "as r1, the registration's digest leaves pk_recovery out: must fail",
        [RECORDS, _replacement(bound=False)],
    ),
    "r2_rc_replaces_by_old_key": (
        "the network and the RC; she consents by her old key",
        [RECORDS, _replacement(by_code=False)],
    ),
    "r2_control_old_key": (
        "as r2, and x: must fail, so a stolen key is revoked",
        [RECORDS, _replacement(by_code=False, leak="out(c,x0);")],
    ),
    "r3_keys_lost": (
        "as r1; a, x after the registration",
        [RECORDS, _replacement(later="(a0,x0)")],
    ),
    "l1_session_of_three": (
        "members and patients of its own; a session is known by sid, server and AID",
        [_session(_of_three, OTHERS)],
    ),
    "l1_control_number_alone": (
        "as l1_session_of_three, a session is known by its number: must fail",
        [_session(_number, OTHERS)],
    ),
}


def models():
    """Name and text of each."""
    return {
        name: model(name, given, [SYMBOLS, *parts]) for name, (given, parts) in SCENARIOS.items()
    }
