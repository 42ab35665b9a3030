"""Unlock (docs/aidc1-enrolment.md sections 3 and 4) for ProVerif: can a password be tried?

One evaluator with kO stands for t of n. Whoever has tk and PP computes SP without a face,
as measured: `invert`. The throttle is a phase: after the theft nobody is served.
"""

from generator.facts import short, values
from generator.proverif_text import model, question

SYMBOLS = """type key. type sk.
free c: channel.
const chain: bitstring.
free pw: bitstring [private].
$weak
(* RFC 9497: blind, evaluate with a proof, unblind. *)
fun blind(bitstring,bitstring): bitstring.
fun ev(bitstring,bitstring): bitstring.
fun F(bitstring,bitstring): bitstring.
equation forall k:bitstring,r:bitstring,x:bitstring; ev(k,blind(r,x)) = blind(r,F(k,x)).
reduc forall r:bitstring,x:bitstring; unblind(r,blind(r,x)) = x.
fun kpub(bitstring): bitstring.
fun dleq(bitstring,bitstring): bitstring.
reduc forall k:bitstring,z:bitstring; proves(kpub(k),z,ev(k,z),dleq(k,z)) = true.
fun argon2id(bitstring,bitstring): bitstring.
fun ftk(bitstring,bitstring,bitstring,bitstring): bitstring.
(* Gen and Rep over the projection that tk gives; and what was measured. *)
fun PPof(bitstring,bitstring): bitstring.  fun SPof(bitstring,bitstring): bitstring.
reduc forall t:bitstring,b:bitstring; rep(t,PPof(t,b),b) = SPof(t,b).
reduc forall t:bitstring,b:bitstring; invert(t,PPof(t,b)) = SPof(t,b).
fun hkdf(bitstring,bitstring,bitstring): key.
const none: bitstring.
fun aead(key,bitstring,bitstring): bitstring.
reduc forall k:key,ad:bitstring,m:bitstring; unseal(k,ad,aead(k,ad,m)) = m.
fun confirmer(bitstring,bitstring): sk.  fun device(bitstring,bitstring): sk.
fun spk(sk): bitstring.  fun sign(sk,bitstring): bitstring.
reduc forall x:sk,m:bitstring; verify(spk(x),m,sign(x,m)) = true.
reduc forall x:sk,m:bitstring; signed(sign(x,m)) = m.
free root: bitstring [private].  free bio: bitstring [private].  free code: bitstring [private].
free AID0: bitstring.
"""


def _process(checks, opens_by, leak):
    lock = {name: short(f"aidc1/{name}") for name in ("tk", "bio/pp", "unlock", "unlock-code")}
    signs = ",".join(
        [
            short("aidc1/confirm"),
            *values("aidc1/confirm", chain="chain", handle="handle", evaluation="eid"),
        ]
    )
    asks = ",".join(
        [short("aidc1/evaluate"), *values("aidc1/evaluate", chain="chain", unsigned="(handle,z)")]
    )
    proof = "if proves(kpub(kO),z,y,pf) = true then\n       " if checks else ""
    opened = {
        "face": f"""let P = unseal(hkdf(none,t,{lock["bio/pp"]}),ad,box) in
       let rt = unseal(hkdf(rep(t,P,bio),t,{lock["unlock"]}),ad,vu) in""",
        "code": f"let rt = unseal(hkdf(code,t,{lock['unlock-code']}),ad,vc) in",
    }[opens_by]
    return f"""process
  new kO:bitstring; new d:bitstring; new salt16:bitstring; new handle:bitstring;
  let PW = ({short("aidc1/pw")},pw) in
  let tk = ftk({lock["tk"]},d,argon2id(F(kO,PW),salt16),handle) in
  let ad = (AID0,handle,salt16) in
  let box = aead(hkdf(none,tk,{lock["bio/pp"]}),ad,PPof(tk,bio)) in
  let vu = aead(hkdf(SPof(tk,bio),tk,{lock["unlock"]}),ad,root) in
  let vc = aead(hkdf(code,tk,{lock["unlock-code"]}),ad,root) in
  let dev = device({short("aidc1/device")},d) in
  out(c,(handle,salt16,kpub(kO),spk(dev),spk(confirmer(root,handle))));
  ( !( new r:bitstring; let z = blind(r,PW) in out(c,(z,sign(dev,({asks}))));
       in(c,(y:bitstring,pf:bitstring));
       {proof}let eid = ({short("aidc1/evaluation")},chain,handle,z) in
       let t = ftk({lock["tk"]},d,argon2id(unblind(r,y),salt16),handle) in
       {opened}
       out(c,sign(confirmer(rt,handle),({signs}))) )
  | !( in(c,(z:bitstring,sg:bitstring)); if verify(spk(dev),({asks}),sg) = true then
       out(c,(ev(kO,z),dleq(kO,z))) )
  {leak} )
"""


def _scenario(given, leak, phase=False, checks=True, opens_by="face", also=("bio",)):
    ending = " phase 1" if phase else ""
    asks = {"root": "the root is secret", "bio": "the face is secret"}
    queries = "".join(
        question(asks[what], f"query attacker({what}){ending}") for what in ("root", *also)
    )
    leaks = f"| (phase 1; out(c,{leak}))" if phase else f"| out(c,{leak})"
    guess = question("the password cannot be tried", "weaksecret pw")
    return given, [SYMBOLS.replace("$weak\n", guess) + queries, _process(checks, opens_by, leaks)]


SCENARIOS = {
    "u1_device": _scenario(
        "the card and d, stolen: nobody is served after that", "(d,box,vu,vc)", phase=True
    ),
    "u2_evaluators": _scenario("kO and the card, not d", "(kO,box,vu,vc)"),
    "u2_no_proof": _scenario(
        "as u2, the terminal does not check the evaluation's proof", "(kO,box,vu,vc)", checks=False
    ),
    "u3_control_both": _scenario(
        "the card, d and kO: a password can be tried: must fail", "(kO,d,box,vu,vc)", phase=True
    ),
    "u4_control_tk": _scenario(
        "the card and tk: the face adds nothing: must fail", "(tk,box,vu,vc)", phase=True
    ),
    "u5_device_and_face": _scenario(
        "the card, d and the face", "(d,box,vu,vc,bio)", phase=True, also=()
    ),
    "u6_evaluators_and_face": _scenario(
        "kO, the card and the face, not d", "(kO,bio,box,vu,vc)", also=()
    ),
    "u7_device_and_code": _scenario(
        "the card, d and the recovery code", "(d,code,box,vu,vc)", phase=True, opens_by="code"
    ),
    "u8_evaluators_and_code": _scenario(
        "kO, the card and the recovery code, not d", "(kO,code,box,vu,vc)", opens_by="code"
    ),
    "u9_control_code_and_tk": _scenario(
        "the card, tk and the recovery code: must fail", "(tk,code,vc)", phase=True, opens_by="code"
    ),
    "u9_tk_no_face_enrolled": _scenario(
        "tk and a card without a face", "(tk,vc)", phase=True, opens_by="code"
    ),
}


def models():
    """Name and text of each."""
    return {name: model(name, given, parts) for name, (given, parts) in SCENARIOS.items()}
