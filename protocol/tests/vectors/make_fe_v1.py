"""Makes fe_v1.json: known answers of the fuzzy extractor on faces of nobody.

usage: make_fe_v1.py REFERENCE.py FACES_DIR > fe_v1.json
  REFERENCE.py  the reference extractor (functions gen and rep; needs numpy, scipy, galois)
  FACES_DIR     made by `aidchain research faces --seed 1 --out FACES_DIR`

Each subject is enrolled with the majority of her first three captures and probed
with her fourth and with another subject's fourth. Sixteen more probes are a
subject's enrolled template with ever more bits flipped, across the border of what
the codes correct. Whatever the reference answers is the expectation.
"""

import hashlib
import importlib.util
import json
import os
import sys

import numpy as np


def bits(capture):
    return np.unpackbits(np.frombuffer(bytes.fromhex(capture["template"]), np.uint8))


def stretch(label, number, length):
    seed = f"aidchain/vectors/{label}/{number}".encode()
    return hashlib.shake_256(seed).digest(length)


def main():
    spec = importlib.util.spec_from_file_location("reference", sys.argv[1])
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    with open(os.path.join(sys.argv[2], "face_templates.json"), encoding="utf-8") as file:
        captures = json.load(file)["captures"]
    subjects = {}
    for capture in captures:
        subjects.setdefault(capture["subject"], []).append(bits(capture))
    names = list(subjects)
    enrolments = []
    for number, name in enumerate(names):
        enrolled = (sum(template.astype(int) for template in subjects[name][:3]) >= 2).astype(np.uint8)
        message = [byte & 0x7F for byte in stretch("message", number, 26)]
        salt = stretch("salt", number, 32)
        enrolments.append((name, enrolled, message, salt, *reference.gen(enrolled, message, salt)))
    vectors = []

    def add(enrolment, probed, capture, probe):
        name, enrolled, message, salt, sp, pp = enrolment
        answer = reference.rep(probe, pp)
        assert answer in (None, sp)
        vectors.append({
            "enrol_subject": name,
            "enrol_template": np.packbits(enrolled).tobytes().hex(),
            "message_symbols": message,
            "salt": salt.hex(),
            "PP": pp.hex(),
            "SP": sp.hex(),
            "probe_subject": probed,
            "probe_capture": capture,
            "probe_template": np.packbits(probe).tobytes().hex(),
            "expect": "reject" if answer is None else "SP",
        })

    for number, enrolment in enumerate(enrolments):
        add(enrolment, names[number], 4, subjects[names[number]][3])
        stranger = names[(number + 1) % len(names)]
        add(enrolment, stranger, 4, subjects[stranger][3])
    for number in range(16):
        flipped = 450 + 20 * number
        order = np.random.Generator(np.random.PCG64(number)).permutation(2048)
        probe = enrolments[number][1].copy()
        probe[order[:flipped]] ^= 1
        add(enrolments[number], names[number], f"enrolled template, {flipped} bits flipped", probe)
    json.dump({"seed": 1, "vectors": vectors}, sys.stdout, indent=0)
    print()


if __name__ == "__main__":
    main()
