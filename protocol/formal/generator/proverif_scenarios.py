"""Every sign-in scenario for ProVerif: what the attacker is given, what is asked."""

from generator.facts import short
from generator.proverif_questions import (
    ACCEPTS,
    AID0,
    CLAIM_OF_SERVER,
    GUESS_ID,
    HER_KEY,
    HER_KEY_OR_LEAKED,
    ID_AGREED,
    ID_OF_HERS,
    ID_OF_RC,
    ID_REACHED,
    ITS_KEY,
    MATCHED,
    MATCHED_KEY,
    PATIENT_AGREES,
    RECORDS,
    RESULT_OF_HERS,
    RESULT_OF_SERVER,
    SERVER_AGREES,
    SERVER_AGREES_OR_LEAKED,
    TOLD,
    later,
    secret_id,
)
from generator.proverif_sign_in import (
    OWN_SERVERS,
    PATIENT_ROLE,
    SERVER_ROLE,
    Options,
    build,
    own_patients,
)
from generator.proverif_text import aid, id_commit, question

EPOCHS = {
    "epochs": True,
    "extra": "event LeakB(bitstring).  fun ask(bitstring): bitstring.\n",
    "roles": f"""{PATIENT_ROLE}
  | !(new b:ZS; new e:bitstring; insert servers(hs,pkS(b),e,spk(n0)); out(c,(e,pkS(b)));
      ( !Server(hs,b,e,n0) | (in(c,=ask(e)); event LeakB(e); out(c,b)) ))""",
}


def _rc(computed=True, once=True):
    """The RC registers an attacker's patients under IDs that it has proofed."""
    name = aid("pk(y)", "X")
    if not computed:
        return f"""
  | !(in(c,(y:Z,X:bitstring,cm:bitstring,i:bitstring)); let aid = {name} in
      event RCReg(aid,i); insert patients(aid,pk(y),X,cm))"""
    new = f"if aid <> {AID0} then " if once else ""
    return f"""
  | !(in(c,(y:Z,X:bitstring,st:bitstring,i:bitstring)); let aid = {name} in
      {new}event RCReg(aid,i); insert patients(aid,pk(y),X,{id_commit("aid", "st", "i")})){OWN_SERVERS}"""


STATICS = "(a0,x0,b0,n0)"
HERS = "out(c,(a0,x0,salt0,ID0));"
SERVERS = "out(c,(b0,n0));"
MALICIOUS_SERVERS = {"leak": SERVERS, "contract": True, "roles": PATIENT_ROLE}
MALICIOUS_PATIENTS = {"leak": HERS, "submits": True, "contract": True, "roles": SERVER_ROLE}
NAMED = {
    "identified": "named",
    "submits": True,
    "leak": "event RCReg(aid0,ID0); out(c,(a0,x0,salt0,ID0,b0));",
    "roles": SERVER_ROLE,
}


def _signs(role, key, tag):
    """A role, and somebody who has this key sign what the attacker chooses, under a tag."""
    what = "chosen" if tag is None else f"({short(tag)},chosen)"
    return {"roles": f"{role} | !(in(c,chosen:bitstring); out(c,sign({key},{what})))"}


# A node that takes a claim for a result of its own.
WRAPS = f"""
  | !(in(c,(f:bitstring,sg:bitstring)); out(c,sign(n0,({short("aidchain/sign-transaction")},f,sg))))"""

NOTHING = "the network, patients and servers of its own"
BASE = {
    "s0a_server_agrees": (NOTHING, SERVER_AGREES, {}),
    "s0b_patient_agrees": (NOTHING, PATIENT_AGREES, {}),
    "s0c_secret": (NOTHING, HER_KEY + ITS_KEY, {}),
    "s0d_reached": (
        NOTHING + ": both ends must be reached",
        ACCEPTS + RECORDS,
        {"submits": True, "contract": True},
    ),
    "s0m_no_possession_server": (
        "as s0, nobody proves possession of pk_dh",
        SERVER_AGREES + HER_KEY,
        {"others": own_patients(True) + OWN_SERVERS},
    ),
    "s0n_no_possession_patient": (
        "as s0, nobody proves possession of pk_dh",
        PATIENT_AGREES + ITS_KEY,
        {"others": own_patients(True) + OWN_SERVERS},
    ),
    "s1_kci_patient": (
        "as s0, and the patient's a, x, salt, ID",
        SERVER_AGREES + HER_KEY,
        {"leak": HERS},
    ),
    "s2_kci_server": (
        "as s0, and the server's b",
        PATIENT_AGREES + ITS_KEY,
        {"leak": "out(c,b0);"},
    ),
    "s2x_kci_server_node": (
        "as s0, and the server's b, n",
        PATIENT_AGREES + ITS_KEY,
        {"leak": SERVERS},
    ),
}
LEDGER = {
    "s2b_servers_malicious": (
        "b, n: every server is the attacker",
        RESULT_OF_HERS,
        MALICIOUS_SERVERS,
    ),
    "s2b_reached": ("as s2b: a result must be reached", RECORDS, MALICIOUS_SERVERS),
    "s2b_control_early": (
        "as s2b, the statement is released before M4 opens: must fail",
        RESULT_OF_HERS,
        {**MALICIOUS_SERVERS, "early": True},
    ),
    "s2b_confirm_tagged": (
        "as s2b, pk_sig also signs chosen bytes under another label",
        RESULT_OF_HERS,
        {**MALICIOUS_SERVERS, **_signs(PATIENT_ROLE, "x0", "aidc1/confirm")},
    ),
    "s2b_control_confirm_bare": (
        "as s2b, pk_sig also signs chosen bytes: must fail",
        RESULT_OF_HERS,
        {**MALICIOUS_SERVERS, **_signs(PATIENT_ROLE, "x0", None)},
    ),
    "s2c_patients_malicious": (
        "a, x: every patient is the attacker",
        RESULT_OF_SERVER,
        MALICIOUS_PATIENTS,
    ),
    "s2c_kci": (
        "as s2c, and the server's b",
        RESULT_OF_SERVER,
        {**MALICIOUS_PATIENTS, "leak": "out(c,(a0,x0,salt0,ID0,b0));"},
    ),
    "s2c_reached": ("as s2c: a result must be reached", RECORDS + ACCEPTS, MALICIOUS_PATIENTS),
    "s2c_control_claim": (
        "as s2c, of a patient's claim: must fail, so a claim is no result",
        CLAIM_OF_SERVER,
        MALICIOUS_PATIENTS,
    ),
    "s2c_forwarded": (
        "as s2c, the node signs what it forwards under another label",
        RESULT_OF_SERVER,
        {**MALICIOUS_PATIENTS, **_signs(SERVER_ROLE, "n0", "aidc1/confirm")},
    ),
    "s2c_control_wrapped": (
        "as s2c, the node wraps a patient's claim as its own result: must fail",
        RESULT_OF_SERVER,
        {
            **MALICIOUS_PATIENTS,
            "roles": SERVER_ROLE + WRAPS,
        },
    ),
    "s2d_both": ("as s0", RESULT_OF_HERS + RESULT_OF_SERVER, {"submits": True, "contract": True}),
    "s8_answer": ("as s0: who reads the answer was accepted", TOLD, {"answers": True}),
    "s8_answer_kci": (
        "as s0, and the patient's a, x, salt, ID",
        TOLD,
        {"answers": True, "leak": HERS},
    ),
}
LEAKS = {
    "s3a_later_patient": (
        "the network; in phase 1 a, x, b, n",
        later(HER_KEY),
        {"later": STATICS, "others": ""},
    ),
    "s3b_later_server": (
        "the network; in phase 1 a, x, b, n",
        later(ITS_KEY),
        {"later": STATICS, "others": ""},
    ),
    "s3w_matched": (
        "as s0, and a, x, b, n from the start; sessions with a partner",
        MATCHED_KEY,
        {"leak": f"out(c,{STATICS});"},
    ),
    "s3w_reached": (
        "as s3w: two partners must be reached",
        MATCHED,
        {"leak": f"out(c,{STATICS});"},
    ),
    "s4a_ephemerals": (
        "as s0, and every m_i, m_j",
        SERVER_AGREES + HER_KEY,
        {"mi": True, "mj": True},
    ),
    "s4b_ephemerals": (
        "as s0, and every m_i, m_j",
        PATIENT_AGREES + ITS_KEY,
        {"mi": True, "mj": True},
    ),
    "s5_patient_and_mj": (
        "as s0, a, x and every m_j",
        SERVER_AGREES + HER_KEY,
        {"leak": "out(c,(a0,x0));", "mj": True},
    ),
    "s6_server_and_mi": (
        "as s0, b and every m_i",
        PATIENT_AGREES + ITS_KEY,
        {"leak": "out(c,b0);", "mi": True},
    ),
    "s6x_server_node_and_mi": (
        "as s0, b, n and every m_i",
        PATIENT_AGREES + ITS_KEY,
        {"leak": SERVERS, "mi": True},
    ),
    "s7_control_a_and_mi": (
        "as s0, a and every m_i: must fail",
        HER_KEY,
        {"leak": "out(c,a0);", "mi": True},
    ),
    "s7_control_b_and_mj": (
        "as s0, b and every m_j: must fail",
        ITS_KEY,
        {"leak": "out(c,b0);", "mj": True},
    ),
    "ep_a_server_agrees": (
        "as s0, any key epochs, any b_j at any time",
        SERVER_AGREES_OR_LEAKED,
        EPOCHS,
    ),
    "ep_a_secret": ("as ep_a", HER_KEY_OR_LEAKED, EPOCHS),
    "ep_b_patient_agrees": ("as ep_a", PATIENT_AGREES, EPOCHS),
    "ep_b_secret": ("as ep_a", ITS_KEY, EPOCHS),
}
IDENTIFIED = {
    "id1_secret": (
        "as s0; identified sign-ins, all commitments and results public",
        secret_id(),
        {"identified": "named", "submits": True},
    ),
    "id2_guess": (
        "as id1; the ID is one of few",
        GUESS_ID,
        {"identified": "named", "submits": True},
    ),
    "id3_guess_later": (
        "the network; in phase 1 a, x, b, n, not the salt; clocks stand still",
        GUESS_ID,
        {"identified": "named", "later": STATICS, "others": "", "still": True},
    ),
    "id3_secret_later": (
        "the network; in phase 1 a, x, b, n, not the salt",
        secret_id(" phase 1"),
        {"identified": "named", "later": STATICS, "others": ""},
    ),
    "id3_control_salt": (
        "the commitment and the salt: must fail",
        GUESS_ID,
        {"identified": "named", "leak": "out(c,salt0);", "others": "", "roles": "0"},
    ),
    "id4_proofed": (
        "a, x, salt, ID and b; the RC registers who it proofed",
        ID_OF_RC,
        {**NAMED, "others": _rc(once=False)},
    ),
    "id4_control_not_computed": (
        "as id4, the RC takes the applicant's commitment: must fail",
        ID_OF_RC,
        {**NAMED, "others": _rc(computed=False)},
    ),
    "id5_hers": (
        "as id4, an AID is registered once",
        ID_OF_HERS + ID_REACHED,
        {**NAMED, "others": _rc()},
    ),
    "id5_control_twice": (
        "as id5, an AID may be registered again: must fail",
        ID_OF_HERS,
        {**NAMED, "others": _rc(once=False)},
    ),
    "id6_reached": (
        "the network: an identified sign-in must be reached",
        ID_REACHED,
        {"identified": "named", "submits": True, "others": ""},
    ),
    "id7_agreed": (
        "as id5, nothing of hers",
        ID_AGREED,
        {"identified": "agreed", "submits": True, "others": _rc()},
    ),
    "id7_agreed_kci": (
        "as id7, and b, n and every m_i",
        ID_AGREED,
        {"identified": "agreed", "submits": True, "others": _rc(), "leak": SERVERS, "mi": True},
    ),
    "id8_both_forms": (
        "the network; she sends both forms of Me9, a key used twice opens",
        question("the ID is secret", "query attacker(ID0)"),
        {
            "identified": "both",
            "submits": True,
            "others": "",
            "extra": (
                "(* One key and nonce for two plaintexts: whoever knows one of them has the other. *)\n"
                "reduc forall k:key,a:bitstring,m:bitstring,a2:bitstring,m2:bitstring;\n"
                "  twice(aead(k,a,m),aead(k,a2,m2),m) = m2.\n"
            ),
        },
    ),
}


def models():
    """Name and text of each."""
    rows = {**BASE, **LEDGER, **LEAKS, **IDENTIFIED}
    return {
        name: build(name, given, query, Options(**options))
        for name, (given, query, options) in rows.items()
    }
