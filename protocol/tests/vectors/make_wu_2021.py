"""Makes wu_2021.json: one registration and one sign-in of suite Wu-2021 with every
intermediate value, computed without a line of the crate: the curve is plain integers.

usage: make_wu_2021.py REFERENCE.py fe_v1.json > wu_2021.json
  REFERENCE.py  the reference fuzzy extractor (functions gen and rep)
  fe_v1.json    the known answers beside this file: its first vector's faces are used
"""

import hashlib
import importlib.util
import json
import sys

import numpy as np

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(k, point):
    total = None
    while k:
        if k & 1:
            total = add(total, point)
        point = add(point, point)
        k >>= 1
    return total


def even(k):
    return k if times(k, G)[1] % 2 == 0 else N - k


def x(point):
    return point[0].to_bytes(32, "big")


def h(label, *fields):
    body = b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    return hashlib.sha256(b"wu2021/" + label + body).digest()


def xor(a, b):
    assert len(a) == len(b)
    return bytes(i ^ j for i, j in zip(a, b))


def main():
    spec = importlib.util.spec_from_file_location("reference", sys.argv[1])
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    with open(sys.argv[2], encoding="utf-8") as file:
        faces = json.load(file)["vectors"][0]
    bits = lambda text: np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))
    draw = lambda label: hashlib.sha256(b"aidchain/vectors/wu/" + label).digest()
    message, salt = faces["message_symbols"], bytes.fromhex(faces["salt"])
    sp, pp = reference.gen(bits(faces["enrol_template"]), message, salt)
    identity, password = "patient-0001".encode(), "correct horse".encode()
    m, drawn_i, drawn_j = draw(b"m"), draw(b"m_i"), draw(b"m_j")
    t1, t3 = 1_700_000_000_000, 1_700_000_000_250
    a = h(b"h1", identity, password, m)
    b = h(b"h1", a)
    aid = xor(b, h(b"h", pp))
    v_u = h(b"h1", xor(h(b"h", identity, password), sp))
    mi, mj = even(int.from_bytes(drawn_i, "big")), even(int.from_bytes(drawn_j, "big"))
    assert reference.rep(bits(faces["probe_template"]), pp) == sp
    mi_p, mj_p = times(mi, G), times(mj, G)
    k = x(times(mi, mj_p))
    m1 = xor(sp, x(mi_p))
    m2 = h(b"h2", x(mi_p), identity, t1.to_bytes(8, "big"))
    me5 = aid + m1 + m2 + pp + bytes.fromhex(faces["probe_template"]) + t1.to_bytes(8, "big")
    m3 = xor(sp, x(mj_p))
    m4 = h(b"h3", k, x(mi_p), t3.to_bytes(8, "big"))
    me7 = m3 + m4 + t3.to_bytes(8, "big")
    prefixed = lambda text: len(text).to_bytes(2, "big") + text
    me1 = prefixed(identity) + prefixed(password) + bytes.fromhex(faces["enrol_template"])
    values = {
        "ID": identity, "PW": password, "BIO": bytes.fromhex(faces["enrol_template"]),
        "message": bytes(message), "salt": salt, "SP": sp, "PP": pp, "m": m, "A": a, "B": b,
        "AID": aid, "V_u": v_u, "h_ID": h(b"h", identity), "Me1": me1,
        "Me3": aid + sp + pp + v_u, "BIO'": bytes.fromhex(faces["probe_template"]),
        "m_i drawn": drawn_i, "m_i": mi.to_bytes(32, "big"), "x(m_i P)": x(mi_p),
        "M1": m1, "M2": m2, "Me5": me5,
        "m_j drawn": drawn_j, "m_j": mj.to_bytes(32, "big"), "x(m_j P)": x(mj_p),
        "K": k, "M3": m3, "M4": m4, "Me7": me7,
        "sid": hashlib.sha256(b"wu2021/sid" + me5 + me7).digest(),
    }
    numbers = {"T1": t1, "T3": t3}
    json.dump(numbers | {name: value.hex() for name, value in values.items()}, sys.stdout, indent=0)
    print()


if __name__ == "__main__":
    main()
