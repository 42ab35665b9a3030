"""What is asked of a sign-in, as ProVerif takes it."""

from generator.proverif_text import aid, question, statement

AID0 = aid("pk(a0)", "spk(x0)")
VARIABLES = "e:bitstring,t1:bitstring,t3:bitstring,s:bitstring,k:key"


def _f(server="hs", name=AID0):
    return statement(server, "e", name, "t1", "t3", "s")


DONE, REPLY, ACCEPT = (f"event({name}({_f()},k))" for name in ("PDone", "SReply", "SAccept"))


def _ask(words, what, more=""):
    return question(words, f"query {more}{VARIABLES}; {what}")


# Agreement, injective both ways; K at either end; and that an end is reached at all.
SERVER_AGREES = _ask("the server agrees with her", f"inj-{DONE} ==> inj-{REPLY}")
PATIENT_AGREES = _ask("she agrees with the server", f"inj-{ACCEPT} ==> inj-{DONE}")
HER_KEY = _ask("her K is secret", f"{DONE} && attacker(k)")
ITS_KEY = _ask("the server's K is secret", f"{ACCEPT} && attacker(k)")
MATCHED_KEY = _ask("K of two partners is secret", f"{DONE} && {REPLY} && attacker(k)")
MATCHED = _ask("there are never two partners", f"{DONE} && {REPLY}")
ACCEPTS = _ask("the server never accepts", ACCEPT)
RECORDS = _ask("there is never a result", f"event(Result({_f()}))")

# The ledger: a result means that she completed, and that the honest server accepted.
RESULT_OF_HERS = _ask(
    "a result is a sign-in that she completed",
    f"event(Result({_f('h')})) ==> event(PDone({_f('h')},k))",
    "h:host,",
)


def _of_server(words, what):
    accepted = f"event(SAccept({_f(name='aid')},k))"
    return _ask(words, f"event({what}({_f(name='aid')})) ==> {accepted}", "aid:bitstring,")


RESULT_OF_SERVER = _of_server("a result is a sign-in that its server accepted", "Result")
CLAIM_OF_SERVER = _of_server("a claim is a sign-in that its server accepted", "Claim")
TOLD = _ask("who is told so was accepted", f"event(Told({_f()})) ==> {ACCEPT}")


def later(query):
    """The same of what was before the leak."""
    return query.replace("attacker(k)", "attacker(k) phase 1")


# Epochs: nothing, or the epoch's own key leaked.
LEAKED = "event(LeakB(e))"
SERVER_AGREES_OR_LEAKED = _ask(
    "the server agrees with her, or this epoch's b_j leaked",
    f"inj-{DONE} ==> inj-{REPLY} || {LEAKED}",
)
HER_KEY_OR_LEAKED = _ask(
    "her K is secret, or this epoch's b_j leaked", f"{DONE} && attacker(k) ==> {LEAKED}"
)
# Identified sign-ins.
TOLD_ID = "query t:bitstring,i:bitstring; "
ID_OF_RC = question(
    "an accepted ID is one that the RC proofed for the AID",
    "query aid:bitstring,t:bitstring,i:bitstring; event(SAcceptID(aid,t,i)) ==> event(RCReg(aid,i))",
)
ID_OF_HERS = question("her AID names her", f"{TOLD_ID}event(SAcceptID({AID0},t,i)) ==> i = ID0")
ID_REACHED = question("she is never named", f"query t:bitstring; event(SAcceptID({AID0},t,ID0))")
ID_AGREED = question(
    "who is named said so in this session",
    f"{TOLD_ID}event(SAcceptID({AID0},t,i)) ==> event(IDSent({AID0},hs,t,i))",
)


def secret_id(ending=""):
    return question("the ID is secret", f"query attacker(ID0){ending}") + question(
        "the salt is secret", f"query attacker(salt0){ending}"
    )


GUESS_ID = question("the ID cannot be guessed", "weaksecret ID0")
