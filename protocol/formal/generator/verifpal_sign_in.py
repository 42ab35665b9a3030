"""The sign-in of docs/aidc1.md for Verifpal: one patient, one server, Diffie-Hellman of the tool."""

from generator.facts import ME5, ME7, short, values
from generator.verifpal_text import digest, knows, model, principal, start

# Public constants: labels, headers, and the clocks and heights, which anybody may know.
NOISE = short("AIDC1_IK_secp256k1x_ChaChaPoly_SHA256")
PUBLIC = (
    NOISE,
    *(short(f"aidc1/{name}") for name in ("prologue", "aid", "id", "statement")),
    *(short(f"aidc1/{name}") for name in ("me9", "key", "exporter", "s2p")),
    *("chain", "server_id", "key_epoch", "suite", "t1", "t3"),
    *("hdr5", "hdr7", "hdr9", "hdr19", "hdr1a", "height", "recorded"),
)


def _prologue(side):
    fields = values("aidc1/prologue", chain="chain", server_id="server_id", record=f"record{side}")
    return ", ".join([short("aidc1/prologue"), *fields])


def begin(side, peer, wire=""):
    """A transcript towards this peer after prologue and B_j, and its lines."""
    transcript, lines = start(NOISE, side, {"prologue": _prologue(side), "b_j": peer}, wire)
    return transcript, [f"record{side} = HASH(server_id, gn, {peer}, key_epoch)", *lines]


def _end(transcript, side):
    """prk and the keys at the end; what comes behind sid is said by the caller."""
    sid, prk, exporter = transcript.h, f"prk{side}", f"exporter{side}"
    statement = digest(
        "aidc1/statement",
        chain="chain",
        server_id="server_id",
        key_epoch="key_epoch",
        suite="suite",
        aid=f"aid{side}",
        t1="t1",
        t3="t3",
        sid=sid,
    )
    return [
        f"{prk} = HKDF({transcript.ck}, {sid}, nil)",
        f"kme9{side} = HKDF({prk}, nil, CONCAT({short('aidc1/me9')}, hdr9))",
        f"kme19{side} = HKDF({prk}, nil, CONCAT({short('aidc1/me9')}, hdr19))",
        f"key{side} = HKDF({prk}, nil, {short('aidc1/key')})",
        f"{exporter} = HKDF({prk}, nil, {short('aidc1/exporter')})",
        f"s2p{side} = HKDF({exporter}, nil, {short('aidc1/s2p')})",
        f"statement{side} = {statement}",
    ]


def keys(leaks_patient=(), leaks_server=()):
    """Both principals with their long-term keys, and the ledger, which hands them over."""
    server = [
        knows("private", ["b", "n"]),
        knows("public", PUBLIC),
        "gb = PUBKEY(b)",
        "gn = PUBKEY(n)",
    ]
    patient = [
        knows("private", ["a", "x", "salt", "id"]),
        knows("public", PUBLIC),
        "ga = PUBKEY(a)",
        "gx = PUBKEY(x)",
        f"aid = {digest('aidc1/aid', suite='suite', pk_dh='ga', pk_sig='gx')}",
        f"id_commit = {digest('aidc1/id', aid='aid', salt='salt', id='id')}",
    ]
    if leaks_server:
        server.append(f"leaks {', '.join(leaks_server)}")
    if leaks_patient:
        patient.append(f"leaks {', '.join(leaks_patient)}")
    return [
        principal("Server", server),
        principal("Patient", patient),
        "Server -> Patient: [gb], [gn]\nPatient -> Server: [ga], [gx], [aid], [id_commit]",
    ]


def sign_in(leak_mi=False, leak_mj=False, identified=False, peer="gb"):
    """Me5, Me7, Me9 and the answer."""
    patient, first = begin("", peer)
    server, first_s = begin("_s", "gb")
    me5 = [
        "generates mi",
        *(["leaks mi"] if leak_mi else []),
        "m1 = PUBKEY(mi)",
        f"es = DH_KEX({peer}, mi)",
        f"ss = DH_KEX({peer}, a)",
        *first,
        *patient.walk(ME5, operands(""), seals=True),
    ]
    me5_s = [
        "es_s = DH_KEX(m1, b)",
        "ss_s = DH_KEX(ga, b)",
        *first_s,
        *server.walk(
            ME5,
            operands("_s", c1="aid_s", m2="height_s"),
            seals=False,
            after={"c1": ["_ = ASSERT(aid_s, aid)?"]},
        ),
    ]
    me7_s = [
        "generates mj",
        *(["leaks mj"] if leak_mj else []),
        "m3 = PUBKEY(mj)",
        "ee_s = DH_KEX(m1, mj)",
        "se_s = DH_KEX(ga, mj)",
        *server.walk(ME7, operands("_s", m4="height"), seals=True),
        *_end(server, "_s"),
    ]
    me7 = [
        "ee = DH_KEX(m3, mi)",
        "se = DH_KEX(m3, a)",
        *patient.walk(ME7, operands("", m4="height_p"), seals=False),
        *_end(patient, ""),
        "sigma = SIGN(x, statement)",
    ]
    sealed = "CONCAT(sigma, salt, id)" if identified else "sigma"
    key, hdr = ("kme19", "hdr19") if identified else ("kme9", "hdr9")
    me9 = [f"me9 = AEAD_ENC({key}, nil, {sealed}, CONCAT({patient.h}, {hdr}))"]
    me9_s = [f"plain9 = AEAD_DEC({key}_s, nil, me9, CONCAT({server.h}, {hdr}))?"]
    if identified:
        me9_s += [
            "sigma_s, salt_s, id_s = SPLIT(plain9)?",
            "_ = SIGNVERIF(gx, statement_s, sigma_s)?",
            f"named_s = {digest('aidc1/id', aid='aid_s', salt='salt_s', id='id_s')}",
            "_ = ASSERT(named_s, id_commit)?",
        ]
    else:
        me9_s += ["_ = SIGNVERIF(gx, statement_s, plain9)?"]
    answer_s = [f"answer = AEAD_ENC(s2p_s, nil, recorded, CONCAT({server.h}, hdr1a))"]
    answer = [f"status = AEAD_DEC(s2p, nil, answer, CONCAT({patient.h}, hdr1a))?"]
    return [
        principal("Patient", me5),
        "Patient -> Server: m1, c1, m2",
        principal("Server", me5_s + me7_s),
        "Server -> Patient: m3, m4",
        principal("Patient", me7 + me9),
        "Patient -> Server: me9",
        principal("Server", me9_s + answer_s),
        "Server -> Patient: answer",
        principal("Patient", answer),
    ]


def operands(side, **named):
    """What the steps of the tables work on at one side."""
    return {
        "t1": "hdr5, t1",
        "m1": "m1",
        "es": f"es{side}",
        "c1": "aid",
        "pk_dh": "ga",
        "ss": f"ss{side}",
        "m2": "height",
        "t3": "hdr7, t3",
        "m3": "m3",
        "ee": f"ee{side}",
        "se": f"se{side}",
        "m4": "height",
        **named,
    }


def with_others(blocks):
    """The patient also signs in at a certified server that is the attacker's."""
    mallory = ["generates bm", "gm = PUBKEY(bm)", "leaks bm"]
    knows_peer = principal("Patient", [knows("public", ["gpeer"])])
    return [principal("Mallory", mallory), "Mallory -> Patient: [gm]", knows_peer, *blocks]


SECRET = ["confidentiality? key", "confidentiality? key_s"]
AGREED = [
    "authentication? Server -> Patient: m4",
    "authentication? Patient -> Server: me9",
    "authentication? Server -> Patient: answer",
]


def later(leaks):
    """Leaks after the sign-in is over."""
    return ["phase[1]", *(principal(name, [f"leaks {what}"]) for name, what in leaks)]


def models():
    """Name and text of each."""
    rows = {
        "v0_base": ("the network", keys() + sign_in(), SECRET + AGREED),
        "v0_other_servers": (
            "the network, and a certified server that the patient also goes to.\n"
            "// One session: two have no end within the limit",
            keys() + with_others(sign_in(peer="gpeer")),
            SECRET + AGREED,
            ["Patient[gpeer = gb]", "Patient[gpeer = gm]"],
        ),
        "v1_later": (
            "the network; after the sign-in a, x, b, n",
            keys() + sign_in() + later([("Patient", "a, x"), ("Server", "b, n")]),
            SECRET,
        ),
        "v2_kci_patient": (
            "the network and the patient's a, x, salt, ID",
            keys(leaks_patient=["a", "x", "salt", "id"]) + sign_in(),
            ["confidentiality? key", "authentication? Server -> Patient: m4"],
        ),
        "v3_kci_server": (
            "the network and the server's b, n",
            keys(leaks_server=["b", "n"]) + sign_in(),
            ["confidentiality? key_s", "authentication? Patient -> Server: me9"],
        ),
        "v4_ephemerals": (
            "the network and every m_i, m_j",
            keys() + sign_in(leak_mi=True, leak_mj=True),
            SECRET + AGREED,
        ),
        "v5_patient_and_mj": (
            "the network, a, x and every m_j",
            keys(leaks_patient=["a", "x"]) + sign_in(leak_mj=True),
            ["confidentiality? key", "authentication? Server -> Patient: m4"],
        ),
        "v6_server_and_mi": (
            "the network, b, n and every m_i",
            keys(leaks_server=["b", "n"]) + sign_in(leak_mi=True),
            ["confidentiality? key_s", "authentication? Patient -> Server: me9"],
        ),
        "v7_control_a_and_mi": (
            "the network, a and every m_i: must fail",
            keys(leaks_patient=["a"]) + sign_in(leak_mi=True),
            ["confidentiality? key"],
        ),
        "v7_control_b_and_mj": (
            "the network, b and every m_j: must fail",
            keys(leaks_server=["b"]) + sign_in(leak_mj=True),
            ["confidentiality? key_s"],
        ),
        "v8_identified": (
            "the network; the patient says who she is",
            keys() + sign_in(identified=True),
            [
                "confidentiality? id",
                "confidentiality? salt",
                "authentication? Patient -> Server: me9",
            ],
        ),
        "v8_identified_later": (
            "the network; after an identified sign-in a, x, b, n",
            keys() + sign_in(identified=True) + later([("Patient", "a, x"), ("Server", "b, n")]),
            ["confidentiality? id", "confidentiality? salt"],
        ),
    }
    return {name: model(name, *row) for name, row in rows.items()}
