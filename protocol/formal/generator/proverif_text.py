"""ProVerif's language: the symbols, Noise's state unrolled, queries over the statement.

A point is one symbol and a secret exponent another; the x-coordinate that Diffie-Hellman
gives is a bitstring. Patients' exponents are of type Z, servers' of type ZS, so that
D(x,y) needs no equation; `equation` says the same with dh(pk(x),y) = dh(pk(y),x).
"""

import re

from generator.facts import FIELDS, KEYS, START, short, values

TYPES = """type G. type Z. type GS. type ZS. type key. type sk. type host.
free c: channel.
const chain, suite, hdr5, hdr7, hdr9, hdr19, hdr1a, flags, accepted: bitstring.
"""

ROLE_TYPED = """fun pk(Z): G.  fun pkS(ZS): GS.
fun D(Z,ZS): bitstring.
reduc forall x:Z,y:ZS; dhP(pkS(y),x) = D(x,y).
reduc forall x:Z,y:ZS; dhS(pk(x),y) = D(x,y).
fun gb(G): bitstring [typeConverter].  fun gsb(GS): bitstring [typeConverter].
"""

EQUATION = """fun pk(Z): G.  fun dh(G,Z): bitstring.
equation forall x:Z,y:Z; dh(pk(x),y) = dh(pk(y),x).
fun gb(G): bitstring [typeConverter].
"""

SYMBOLS = """(* MixHash; MixKey's two halves; Extract; Expand under a label or a header. *)
fun mh(bitstring,bitstring): bitstring.
fun hkc(bitstring,bitstring): bitstring.  fun hkk(bitstring,bitstring): key.
fun extract(bitstring,bitstring): bitstring.
fun derive(bitstring,bitstring): key.
fun aead(key,bitstring,bitstring): bitstring.
reduc forall k:key,ad:bitstring,m:bitstring; unseal(k,ad,aead(k,ad,m)) = m.
(* Ed25519; a signature shows what it signs. *)
fun spk(sk): bitstring.  fun sign(sk,bitstring): bitstring.
reduc forall x:sk,m:bitstring; verify(spk(x),m,sign(x,m)) = true.
reduc forall x:sk,m:bitstring; signed(sign(x,m)) = m.
fun Hrecord(host,GS,bitstring,bitstring): bitstring.
fun Haid(bitstring,bitstring,G,bitstring): bitstring.
fun Hid(bitstring,bitstring,bitstring,bitstring): bitstring.
"""


def labels(text):
    """The constants for the labels that a model uses."""
    used = [label for label in sorted({*FIELDS, *KEYS}) if re.search(rf"\b{short(label)}\b", text)]
    return "".join(f'const {short(label)}: bitstring.  (* "{label}" *)\n' for label in used)


def theory(equation=False):
    """Types and symbols."""
    return TYPES + (EQUATION if equation else ROLE_TYPED) + SYMBOLS


def model(name, given, parts, settings=""):
    """The whole file: what it is, the labels that it uses, and the parts."""
    body = "\n".join(parts)
    head = f"(* Scenario {name}.\n   The attacker is given: {given}. *)\n{settings}"
    return head + labels(body) + body


def question(words, query):
    """A query, and in words what its RESULT line says if it is true."""
    return f"(* asked: {words} *)\n{query}.\n"


def untyped(text):
    """The same text with one type of exponent and the equation's dh."""
    text = text.replace("type GS. type ZS. ", "")
    for old, new in (("gsb", "gb"), ("pkS", "pk"), ("GS", "G"), ("ZS", "Z")):
        text = re.sub(rf"\b{old}\b", new, text)
    return re.sub(r"\bdh[PS]\(", "dh(", text)


def aid(a, x):
    """AID = H("aidc1/aid", suite, pk_dh, pk_sig)."""
    fields = values("aidc1/aid", suite="suite", pk_dh=a, pk_sig=x)
    return f"Haid({short('aidc1/aid')},{','.join(fields)})"


def id_commit(name, salt, identity):
    """H("aidc1/id", AID, salt, ID)."""
    fields = values("aidc1/id", aid=name, salt=salt, id=identity)
    return f"Hid({short('aidc1/id')},{','.join(fields)})"


def statement(server="s", epoch="e", name="aid", t1="T1", t3="T3", sid="sid"):
    """The fields behind σ, which are also what events speak of."""
    fields = values(
        "aidc1/statement",
        chain="chain",
        server_id=server,
        key_epoch=epoch,
        suite="suite",
        aid=name,
        t1=t1,
        t3=t3,
        sid=sid,
    )
    return f"({','.join(fields)})"


class Transcript:
    """Noise's running state (ck, h) (docs/aidc1.md, "Transcript"); a step is one `let`."""

    def __init__(self, name, h=None):
        self.ck = name
        self.h = h or name
        self.key = None
        self.count = 0

    def _let(self, letter, value):
        self.count += 1
        name = f"{letter}{self.count}"
        return name, f"let {name} = {value} in"

    def hash(self, value):
        """MixHash."""
        self.h, line = self._let("h", f"mh({self.h},{value})")
        return [line]

    def mix_key(self, secret):
        """MixKey; the key is an expression that the next step spends."""
        self.key = f"hkk({self.ck},{secret})"
        self.ck, line = self._let("ck", f"hkc({self.ck},{secret})")
        return [line]

    def seal(self, name, plain):
        """Seal."""
        cipher = name.upper()
        return [f"let {cipher} = aead({self.key},{self.h},{plain}) in", *self.hash(cipher)]

    def open(self, name, pattern):
        """Open; the pattern says what must come out."""
        cipher = name.upper()
        return [f"let {pattern} = unseal({self.key},{self.h},{cipher}) in", *self.hash(cipher)]

    def walk(self, steps, given, seals, before=None, after=None):
        """All steps of a message; `before` and `after` have lines to put around a step."""
        lines = []
        for action, name in steps:
            lines += (before or {}).get(name, [])
            if action == "hash":
                lines += self.hash(given[name])
            elif action == "key":
                lines += self.mix_key(given[name])
            elif seals:
                lines += self.seal(name, given[name])
            else:
                lines += self.open(name, given[name])
            lines += (after or {}).get(name, [])
        return lines


def start(server, record):
    """The transcript after prologue and B_j, and its lines; B is bound already."""
    transcript = Transcript(short("AIDC1_IK_secp256k1x_ChaChaPoly_SHA256"))
    fields = values("aidc1/prologue", chain="chain", server_id=server, record=record)
    prologue = f"({','.join([short('aidc1/prologue'), *fields])})"
    return transcript, transcript.walk(START, {"prologue": prologue, "b_j": "gsb(B)"}, seals=True)
