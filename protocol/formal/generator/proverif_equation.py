"""The same sign-in with the full Diffie-Hellman equation, for ProVerif."""

from generator.proverif_questions import (
    ACCEPTS,
    HER_KEY,
    ITS_KEY,
    MATCHED_KEY,
    PATIENT_AGREES,
    RESULT_OF_HERS,
    SERVER_AGREES,
    later,
)
from generator.proverif_scenarios import MALICIOUS_SERVERS, STATICS
from generator.proverif_sign_in import Options, build

# With the full Diffie-Hellman equation: one honest pair, clocks still, no members of its own.
EQUATION = {"equation": True, "others": "", "still": True}
SCENARIOS = {
    "e0_reached": ("the network: the end must be reached", ACCEPTS, {}),
    "e0a_server_agrees": ("the network", SERVER_AGREES, {}),
    "e0b_patient_agrees": ("the network", PATIENT_AGREES, {}),
    "e0c_secret": ("the network", HER_KEY + ITS_KEY, {}),
    "e1_kci_patient": ("the network, a, x", SERVER_AGREES, {"leak": "out(c,(a0,x0));"}),
    "e1_kci_patient_secret": ("the network, a, x", HER_KEY, {"leak": "out(c,(a0,x0));"}),
    "e2_kci_server": ("the network, b", PATIENT_AGREES, {"leak": "out(c,b0);"}),
    "e2_kci_server_secret": ("the network, b", ITS_KEY, {"leak": "out(c,b0);"}),
    "e2b_servers_malicious": (
        "b, n: every server is the attacker",
        RESULT_OF_HERS,
        MALICIOUS_SERVERS,
    ),
    "e3a_later_patient": (
        "the network; in phase 1 a, x, b, n",
        later(HER_KEY),
        {"later": STATICS},
    ),
    "e3b_later_server": ("the network; in phase 1 a, x, b, n", later(ITS_KEY), {"later": STATICS}),
    "e3w_matched": (
        "the network, a, x, b, n; sessions with a partner",
        MATCHED_KEY,
        {"leak": f"out(c,{STATICS});"},
    ),
    "e4a_ephemerals": (
        "the network, every m_i, m_j",
        SERVER_AGREES + HER_KEY,
        {"mi": True, "mj": True},
    ),
    "e4b_ephemerals": (
        "the network, every m_i, m_j",
        PATIENT_AGREES + ITS_KEY,
        {"mi": True, "mj": True},
    ),
    "e5_patient_and_mj": (
        "the network, a, x and every m_j",
        SERVER_AGREES,
        {"leak": "out(c,(a0,x0));", "mj": True},
    ),
    "e6_server_and_mi": (
        "the network, b and every m_i",
        PATIENT_AGREES,
        {"leak": "out(c,b0);", "mi": True},
    ),
}


def models():
    """Name and text of each."""
    return {
        name: build(name, f"{given}; the full equation", query, Options(**EQUATION, **options))
        for name, (given, query, options) in SCENARIOS.items()
    }
