"""The deal and the change of a lock (docs/aidc1-enrolment.md section 5), for ProVerif."""

from generator.facts import FIELDS, SHARE, short, values
from generator.proverif_text import Transcript, model, theory

EVALUATORS = """free n0: sk [private].  free b0: ZS [private].  free hs: host.
fun hostb(host): bitstring [typeConverter].
fun Hbody(bitstring): bitstring.
"""


def _tagged(label, **named):
    return f"({','.join([short(label), *values(label, **named)])})"


def _deal(signed=True, leak_e=False, later=""):
    rc = Transcript(short("AIDC1_N_secp256k1x_ChaChaPoly_SHA256"))
    member = Transcript(short("AIDC1_N_secp256k1x_ChaChaPoly_SHA256"))
    context = _tagged("aidc1/share", chain="chain", member="hostb(hs)", body="Hbody(body)")
    values_ = {"context": context, "b_j": "gsb(B)", "e": "gb(E)", "es": "es"}
    signs = _tagged("aidc1/deal", chain="chain", bytes="(body,E,K_J)")
    seals = "\n  ".join(rc.walk(SHARE, {**values_, "k_j": "kj"}, seals=True))
    opens = "\n  ".join(member.walk(SHARE, {**values_, "k_j": "k"}, seals=False))
    check = f"if verify(spk(n0),{signs},sg) = true then\n  " if signed else ""
    after = f"\n  | (phase 1; out(c,{later}))" if later else ""
    ending = " phase 1" if later else ""
    return f"""free kj: bitstring [private].
event Dealt(bitstring,bitstring).  event Taken(bitstring,bitstring).
(* asked: the share is secret *)
query attacker(kj){ending}.
(* asked: a share that is taken was dealt *)
query body:bitstring,k:bitstring; event(Taken(body,k)) ==> event(Dealt(body,k)).
let Rc() =
  in(c,body:bitstring); let B = pkS(b0) in
  new eph:Z; {"out(c,eph); " if leak_e else ""}let E = pk(eph) in let es = dhP(B,eph) in
  {seals}
  event Dealt(body,kj);
  out(c,(body,E,K_J,sign(n0,{signs}))).
let Member() =
  in(c,(body:bitstring,E:G,K_J:bitstring,sg:bitstring)); let B = pkS(b0) in
  {check}let es = dhS(E,b0) in
  {opens}
  event Taken(body,k).
process
  out(c,(spk(n0),pkS(b0)));
  ( !Rc() | !Member(){after} )
"""


def _change(signed=True, confirm_bound=True):
    fields = {
        "chain": "chain",
        "old": "old",
        "handle": "handle",
        "device": "dev",
        "confirm": "conf",
    }
    wanted = _tagged("aidc1/change", **fields)
    if not confirm_bound:
        kept = [fields[field] for field in FIELDS["aidc1/change"] if field != "confirm"]
        wanted = f"({','.join([short('aidc1/change'), *kept])})"
    check = f"if verify(spk(old0),{wanted},sg) = true then\n  " if signed else ""
    confirm = _tagged("aidc1/confirm", chain="chain", handle="handle", evaluation="eid")
    return f"""free old0: sk [private].  free old: bitstring.
event Confirms(bitstring,bitstring).  event Destroyed(bitstring,bitstring).
(* asked: a share is destroyed on her word *)
query handle:bitstring,eid:bitstring; event(Destroyed(handle,eid)) ==> event(Confirms(handle,eid)).
let Terminal() =
  new handle:bitstring; new devs:sk; new confs:sk;
  let dev = spk(devs) in let conf = spk(confs) in
  out(c,(handle,dev,conf,sign(old0,{wanted})));
  !(in(c,eid:bitstring); event Confirms(handle,eid); out(c,sign(confs,{confirm}))).
let Member() =
  in(c,(handle:bitstring,dev:bitstring,conf:bitstring,sg:bitstring));
  {check}new eid:bitstring; out(c,eid); in(c,sg2:bitstring);
  if verify(conf,{confirm},sg2) = true then event Destroyed(handle,eid).
process
  out(c,spk(old0)); ( !Terminal() | !Member() )
"""


SCENARIOS = {
    "c1_change": ("the network and the RC, which deals", [_change()]),
    "c1_control_unsigned": (
        "as c1, the old confirm key signs nothing: must fail",
        [_change(signed=False)],
    ),
    "c1_control_confirm_unbound": (
        "as c1, the signature leaves pk_confirm out: must fail",
        [_change(confirm_bound=False)],
    ),
    "d1_deal": ("the network", [_deal()]),
    "d1_control_unsigned": (
        "as d1, the RC's signature is not checked: must fail",
        [_deal(signed=False)],
    ),
    "d1_control_ephemeral": ("as d1, and every e: must fail", [_deal(leak_e=True)]),
    "d1_control_epoch_key": (
        "as d1; b_j after the deal: must fail, so b_j is erased",
        [_deal(later="b0")],
    ),
    "d1_rc_later": ("as d1; the RC's key after the deal", [_deal(later="n0")]),
}


def models():
    """Name and text of each."""
    return {
        name: model(name, given, [theory(), EVALUATORS, *parts])
        for name, (given, parts) in SCENARIOS.items()
    }
