"""Makes aidc1_enrolment.json: one enrolment, one unlock, one change and one replacement
under AIDC-1 with every intermediate value, written from docs/aidc1-enrolment.md and
computed without a line of the crate: both curves are plain integers.

usage: make_aidc1_enrolment.py REFERENCE.py > aidc1_enrolment.json
  REFERENCE.py  the reference fuzzy extractor (functions gen and rep)
needs the packages argon2-cffi, cryptography, numpy and what the reference needs
"""

import hashlib
import hmac
import importlib.util
import json
import sys

import numpy as np
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from make_wu_2021 import G, N, P, even, times, x

# ristretto255 (RFC 9496)

Q = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, Q) % Q
I = pow(2, (Q - 1) // 4, Q)
negative = lambda n: n % Q & 1
absolute = lambda n: (-n if negative(n) else n) % Q


def sqrt_ratio(u, v):
    r = u * v**3 * pow(u * v**7, (Q - 5) // 8, Q) % Q
    check = v * r * r % Q
    if check in (-u % Q, -u * I % Q):
        r = r * I % Q
    return check in (u % Q, -u % Q), absolute(r)


ROOT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
ROOT_A_MINUS_D = sqrt_ratio(1, -1 - D)[1]
assert ROOT_AD_MINUS_ONE**2 % Q == (-D - 1) % Q


def plus(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    m, n = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * D * t1 * t2, 2 * z1 * z2
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % Q, g * h % Q, f * g % Q, e * h % Q


def scale(k, point):
    total = (0, 1, 1, 0)
    while k:
        if k & 1:
            total = plus(total, point)
        point = plus(point, point)
        k >>= 1
    return total


BASE_Y = 4 * pow(5, -1, Q) % Q
BASE_X = sqrt_ratio(BASE_Y**2 - 1, D * BASE_Y**2 + 1)[1]
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % Q)


def encode(point):
    x0, y0, z0, t0 = point
    u1, u2 = (z0 + y0) * (z0 - y0) % Q, x0 * y0 % Q
    inverse = sqrt_ratio(1, u1 * u2**2 % Q)[1]
    d1, d2 = inverse * u1 % Q, inverse * u2 % Q
    z = d1 * d2 * t0 % Q
    rotate = negative(t0 * z)
    ex, ey = (y0 * I % Q, x0 * I % Q) if rotate else (x0, y0)
    d = d1 * ROOT_A_MINUS_D % Q if rotate else d2
    ey = -ey if negative(ex * z) else ey
    return absolute(d * (z0 - ey)).to_bytes(32, "little")


def elligator(t):
    r = I * t * t % Q
    u, v = (r + 1) * (1 - D * D) % Q, (-1 - r * D) * (r + D) % Q
    square, s = sqrt_ratio(u, v)
    c = -1
    if not square:
        s, c = -absolute(s * t), r
    n = c * (r - 1) * (D - 1) ** 2 - v
    w0, w1, w2, w3 = 2 * s * v, n * ROOT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return w0 * w3 % Q, w2 * w1 % Q, w1 * w3 % Q, w0 * w2 % Q


def from_uniform(wide):
    half = lambda part: int.from_bytes(part, "little") % 2**255 % Q
    return plus(elligator(half(wide[:32])), elligator(half(wide[32:])))


# RFC 9497

CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"
two = lambda n: n.to_bytes(2, "big")
framed = lambda *parts: b"".join(two(len(part)) + part for part in parts)
scalar = lambda n: n.to_bytes(32, "little")
wide = lambda drawn: int.from_bytes(drawn, "little") % L


def expand_message(message, tag):
    tag += bytes([len(tag)])
    first = hashlib.sha512(bytes(128) + message + bytes([0, 64, 0]) + tag).digest()
    return hashlib.sha512(first + b"\x01" + tag).digest()


hash_to_scalar = lambda message: wide(expand_message(message, b"HashToScalar-" + CONTEXT))
hash_to_group = lambda message: from_uniform(expand_message(message, b"HashToGroup-" + CONTEXT))


def prove(key, c, d, drawn):
    public = encode(scale(key, BASE))
    seed = hashlib.sha512(framed(public, b"Seed-" + CONTEXT)).digest()
    factor = hash_to_scalar(
        framed(seed) + two(0) + framed(encode(c), encode(d)) + b"Composite"
    )
    m, random = scale(factor, c), wide(drawn)
    z = scale(key, m)
    points = m, z, scale(random, BASE), scale(random, m)
    challenge = hash_to_scalar(framed(public, *map(encode, points)) + b"Challenge")
    return scalar(challenge) + scalar((random - challenge * key) % L)


RFC = json.load(open(__file__.replace("make_aidc1_enrolment.py", "rfc9497.json"), encoding="utf-8"))
RFC_KEY, RFC_ONE = int.from_bytes(bytes.fromhex(RFC["skSm"]), "little"), RFC["vectors"][0]
RFC_ELEMENT = scale(
    int.from_bytes(bytes.fromhex(RFC_ONE["Blind"][0]), "little"), hash_to_group(b"\0")
)
assert encode(RFC_ELEMENT).hex() == RFC_ONE["BlindedElement"][0]
assert prove(
    RFC_KEY, RFC_ELEMENT, scale(RFC_KEY, RFC_ELEMENT), bytes.fromhex(RFC_ONE["ProofRandomScalar"])
).hex() == RFC_ONE["Proof"]

# The rest

sha256 = lambda *parts: hashlib.sha256(b"".join(parts)).digest()


def hkdf(ikm, info, salt=b"", length=32):
    prk = hmac.digest(salt or bytes(32), ikm, "sha256")
    out, block = b"", b""
    while len(out) < length:
        block = hmac.digest(prk, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


seal = lambda key, ad, plain: ChaCha20Poly1305(key).encrypt(bytes(12), plain, ad)
ed25519 = Ed25519PrivateKey.from_private_bytes
public_of = lambda key: ed25519(key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
draw = lambda label, n=32: hashlib.shake_256(b"aidchain/vectors/aidc1/" + label).digest(n)


def bip340(key, message, auxiliary):
    tagged = lambda tag, *parts: sha256(sha256(tag) * 2, *parts)
    d = even(key)
    public = x(times(d, G))
    t = d ^ int.from_bytes(tagged(b"BIP0340/aux", auxiliary), "big")
    k = even(int.from_bytes(tagged(b"BIP0340/nonce", t.to_bytes(32, "big"), public, message), "big") % N)
    r = x(times(k, G))
    e = int.from_bytes(tagged(b"BIP0340/challenge", r, public, message), "big") % N
    return r + ((k + e * d) % N).to_bytes(32, "big")


def exponent(seed48):
    return 1 + int.from_bytes(seed48, "big") % (N - 1)


def keys_of(seed):
    a = exponent(hkdf(seed, b"dh", b"aidc1/seed", 48))
    sig = hkdf(seed, b"sig", b"aidc1/seed")
    pk_dh, pk_sig = x(times(a, G)), public_of(sig)
    return a, sig, pk_dh, pk_sig, sha256(b"aidc1/aid", two(1), pk_dh, pk_sig)


def code_text(code):
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"
    number = int.from_bytes(code, "big")
    symbols = [alphabet[number >> 5 * place & 31] for place in range(25, -1, -1)]
    text = "".join(symbols) + alphabet[number % 37]
    return "-".join(text[at : at + 5] for at in range(0, 27, 5))


def project(embedding, signs):
    bits = np.unpackbits(np.frombuffer(signs, np.uint8)).reshape(128, 2048).astype(np.int32)
    return ((2 * bits - 1).T @ embedding.astype(np.int32) > 0).astype(np.uint8)


def main():
    spec = importlib.util.spec_from_file_location("reference", sys.argv[1])
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    v = {}
    for name, n in {
        "chain_id": 32, "d": 32, "root": 32, "code": 16, "handle": 16, "salt16": 16, "k_rc": 32,
        "k_0": 32, "nonce": 32, "message": 26, "salt of PP": 32, "rc": 32, "e drawn": 32,
        "epoch seed": 48, "blind drawn": 64, "auxiliary": 32, "new AID": 32, "new handle": 16,
        "kept server": 32,
    }.items():
        v[name] = draw(name.encode(), n)
    password = "Ängström no. 1".encode()
    typed = "A\u0308ngstro\u0308m\u2003no. 1".encode()
    identity = "756.9217.0769.85".encode()
    v |= {"PW typed": typed, "PW": password, "ID": identity}

    # Keys
    v["dev"] = hkdf(v["d"], b"aidc1/device")
    v["pk_dev"] = public_of(v["dev"])
    seeds = [hkdf(v["root"], b"aidc1/index" + bytes([i]), b"aidc1/seed") for i in range(16)]
    keys = [keys_of(seed) for seed in seeds]
    v["seeds"], v["AIDs"] = b"".join(seeds), b"".join(key[4] for key in keys)
    a, sig, v["pk_dh"], v["pk_sig"], v["AID"] = keys[0]
    v["a"], v["sig"] = a.to_bytes(32, "big"), sig
    v["confirm"] = hkdf(v["root"], b"aidc1/confirm" + v["handle"], b"aidc1/seed")
    v["pk_confirm"] = public_of(v["confirm"])
    recovery = [hkdf(v["code"], b"aidc1/recovery" + bytes([i])) for i in range(16)]
    v["pk_recovery"] = b"".join(map(public_of, recovery))

    # VOPRF, 2 of 3
    drawn = [draw(b"coefficient" + bytes([i]), 64) for i in range(2)]
    coefficients = list(map(wide, drawn))
    v["coefficients drawn"], v["kO"] = b"".join(drawn), scalar(coefficients[0])
    servers = [draw(b"server" + bytes([j])) for j in (1, 2, 3)]
    shares = [(coefficients[0] + coefficients[1] * j) % L for j in (1, 2, 3)]
    publics = [encode(scale(k, BASE)) for k in shares]
    v["server_ids"], v["pk_j"] = b"".join(servers), b"".join(publics)
    v["k_j"] = b"".join(map(scalar, shares))
    v["A"] = b"aidc1/pw" + two(len(password)) + password
    blind = wide(v["blind drawn"])
    blinded = scale(blind, hash_to_group(v["A"]))
    v["blinded element"] = encode(blinded)
    t = 1_700_000_000_000
    unsigned = b"\1" + v["handle"] + servers[0] + t.to_bytes(8, "big") + v["blinded element"]
    v["request"] = unsigned + ed25519(v["dev"]).sign(sha256(b"aidc1/evaluate", v["chain_id"], unsigned))
    v["evaluation id"] = sha256(b"aidc1/evaluation", v["chain_id"], unsigned)
    evaluated = [scale(k, blinded) for k in shares]
    random = [draw(b"proof" + bytes([j]), 64) for j in (1, 2, 3)]
    v["proofs drawn"] = b"".join(random)
    v["answers"] = b"".join(
        b"\1" + encode(z) + prove(k, blinded, z, r) for k, z, r in zip(shares, evaluated, random)
    )
    combined = plus(scale(2, evaluated[0]), scale(L - 1, evaluated[1]))
    assert encode(combined) == encode(scale(coefficients[0], blinded))
    v["Z"] = encode(combined)
    unblinded = encode(scale(pow(blind, -1, L), combined))
    v["r"] = hashlib.sha512(framed(v["A"], unblinded) + b"Finalize").digest()
    assert unblinded == encode(scale(coefficients[0], hash_to_group(v["A"])))
    digest = sha256(b"aidc1/confirm", v["chain_id"], v["handle"], v["evaluation id"])
    v["confirmation"] = b"\1" + v["handle"] + v["evaluation id"] + ed25519(v["confirm"]).sign(digest)

    # The lock
    memory, passes = 64 * 1024, 3
    v["B"] = hash_secret_raw(v["r"], v["salt16"], passes, memory, 1, 32, Type.ID, 0x13)
    tk = v["tk"] = hkdf(v["B"], b"aidc1/tk" + v["handle"], v["d"])
    v["W key"] = hkdf(tk, b"aidc1/bio/w")
    signs = Cipher(algorithms.ChaCha20(v["W key"], bytes(16)), None).encryptor().update(bytes(32768))
    v["W first row"], v["W hash"] = signs[:256], sha256(signs)
    face = np.frombuffer(draw(b"face", 128), np.int8) // 3
    noise = lambda n: np.frombuffer(draw(b"noise" + bytes([n]), 128), np.uint8).astype(np.int16) % 17 - 8
    captures = [(face + noise(n)).astype(np.int8) for n in range(4)]
    for n, capture in enumerate(captures):
        v[f"capture {n}"] = capture.tobytes()
    templates = [project(capture, signs) for capture in captures]
    majority = (templates[0] + templates[1] + templates[2] >= 2).astype(np.uint8)
    v["template"] = np.packbits(majority).tobytes()
    symbols = [byte & 127 for byte in v["message"]]
    v["SP"], v["PP"] = reference.gen(majority, symbols, v["salt of PP"])
    assert reference.rep(templates[3], v["PP"]) == v["SP"]
    cost = memory.to_bytes(4, "big") + bytes([passes, 1])
    bound = v["AID"] + v["handle"] + v["salt16"] + cost
    ad = v["AD"] = b"\1" + bound
    v["box key"], v["V_u key"] = hkdf(tk, b"aidc1/bio/pp"), hkdf(tk, b"aidc1/unlock", v["SP"])
    v["V_c key"] = hkdf(tk, b"aidc1/unlock-code", v["code"])
    v["box"] = seal(v["box key"], ad, v["PP"])
    v["V_u"], v["V_c"] = seal(v["V_u key"], ad, v["root"]), seal(v["V_c key"], ad, v["root"])

    # The deal of member 2
    epoch = exponent(v["epoch seed"])
    v["B_j"] = x(times(epoch, G))
    listed = b"\2\3" + b"".join(map(bytes.__add__, servers, publics))
    old, v["old handle"] = v["confirm"], v["handle"]
    v["new pk_confirm"] = public_of(hkdf(v["root"], b"aidc1/confirm" + v["new handle"], b"aidc1/seed"))
    digest = sha256(
        b"aidc1/change", v["chain_id"], v["old handle"], v["new handle"], v["pk_dev"], v["new pk_confirm"]
    )
    v["change"] = ed25519(old).sign(digest)
    body = b"\1" + v["new handle"] + b"\2" + v["pk_dev"] + v["new pk_confirm"] + listed
    body += b"\1" + v["old handle"] + v["change"]
    e = even(int.from_bytes(v["e drawn"], "big"))
    v["e"] = x(times(e, G))
    agreed = x(times(epoch, times(e, G)))
    ck = sha256(b"AIDC1_N_secp256k1x_ChaChaPoly_SHA256")
    h = sha256(ck, b"aidc1/share", v["chain_id"], servers[1], sha256(body))
    h = sha256(sha256(h, v["B_j"]), v["e"])
    v["share key"], v["share h"] = hkdf(agreed, b"", ck, 64)[32:], h
    share = v["e"] + seal(v["share key"], h, scalar(shares[1]))
    v["deal"] = body + share + ed25519(v["rc"]).sign(sha256(b"aidc1/deal", v["chain_id"], body, share))

    # Identity and registration of the first AID
    salts = [draw(b"salt" + bytes([i])) for i in range(16)]
    v["salts"] = b"".join(salts)
    padded = identity.ljust(64, b"\0")
    v["C_ID"] = seal(v["k_0"], v["AID"], salts[0] + padded)
    v["id_commit"] = sha256(b"aidc1/id", v["AID"], salts[0], two(len(identity)), identity)
    v["index"] = hmac.digest(v["k_rc"], identity, "sha256")
    v["possession"] = sha256(
        b"aidc1/register", v["chain_id"], v["AID"], v["pk_recovery"][:32], v["C_ID"], v["id_commit"]
    )
    v["proof_dh"] = bip340(a, v["possession"], v["auxiliary"])
    v["proof_sig"] = ed25519(sig).sign(v["possession"])
    digest = sha256(b"aidc1/replace", v["chain_id"], v["AID"], v["new AID"])
    v["consent by key"], v["consent by code"] = ed25519(sig).sign(digest), ed25519(recovery[0]).sign(digest)

    # The card, with the first AID kept for a server and the second one spent
    plain = padded + v["salts"] + b"\1" + v["kept server"] + b"\2" + bytes(32) + bytes(14 * 33)
    v["identity key"] = hkdf(v["root"], b"aidc1/identity" + v["nonce"], b"aidc1/seed")
    v["identity"] = seal(v["identity key"], v["AID"], plain)
    card = b"AIDCCARD\1" + two(1) + v["chain_id"] + bound + listed
    card += b"\1" + v["box"] + v["V_u"] + v["V_c"] + v["nonce"] + v["identity"]
    v["card key"] = hkdf(v["d"], b"aidc1/card")
    v["card"] = card + hmac.digest(v["card key"], card, "sha256")
    values = {name: value.hex() for name, value in v.items()}
    values |= {"T": t, "memory_kib": memory, "passes": passes, "code text": code_text(v["code"])}
    json.dump(values, sys.stdout, indent=0)
    print()


if __name__ == "__main__":
    main()
