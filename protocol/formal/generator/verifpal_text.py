"""Verifpal's language: lines of a principal, Noise's state unrolled, models put together."""

import re

from generator.facts import START, short, values


def digest(label, **named):
    """HASH over a label and its fields; HASH and CONCAT take five values at most."""
    fields = values(label, **named)
    groups = [fields[at : at + 5] for at in range(0, len(fields), 5)]
    parts = [f"CONCAT({', '.join(group)})" if len(group) > 1 else group[0] for group in groups]
    if len(fields) <= 4:
        parts = fields
    return f"HASH({', '.join([short(label), *parts])})"


def knows(kind, names):
    """One line: what a principal knows from the start."""
    return f"knows {kind} {', '.join(names)}"


def principal(name, lines):
    """A block of one principal."""
    return "\n".join([f"principal {name}[", *(f"\t{line}" for line in lines), "]"])


def _used(text):
    """The text, its principals knowing only those public constants that it uses."""
    lines = text.split("\n")
    public = "\tknows public "
    words = set(
        re.findall(r"\w+", "\n".join(line for line in lines if not line.startswith(public)))
    )

    def kept(line):
        names = line.removeprefix(public).split(", ")
        return public + ", ".join(name for name in names if name in words)

    return "\n".join(kept(line) if line.startswith(public) else line for line in lines)


def model(name, given, blocks, queries, scenarios=()):
    """The whole file; `scenarios` say who else a principal may be talking to."""
    parts = [
        f"// Scenario {name}.\n// The attacker is given: {given}.",
        "attacker[active]",
        *blocks,
        *(
            ["\n".join(["scenarios[", *(f"\t{one}" for one in scenarios), "]"])]
            if scenarios
            else []
        ),
        "\n".join(["queries[", *(f"\t{query}" for query in queries), "]"]),
    ]
    return _used("\n\n".join(parts) + "\n")


class Transcript:
    """Noise's running state (ck, h) at one side (docs/aidc1.md, "Transcript").

    A step of the tables becomes one line. `side` ends the names of this side's values,
    `wire` those of what travels.
    """

    def __init__(self, name, side, wire=""):
        self.side, self.wire = side, wire
        self.h = self.ck = name
        self.key = None
        self.count = 0

    def _next(self, letter):
        self.count += 1
        return f"{letter}{self.count}{self.side}"

    def hash(self, value):
        """MixHash."""
        new = self._next("h")
        line = f"{new} = HASH({self.h}, {value})"
        self.h = new
        return [line]

    def mix_key(self, secret):
        """MixKey: the key is kept for the next step, which spends it."""
        ck, self.key = self._next("ck"), self._next("k")
        line = f"{ck}, {self.key} = HKDF({self.ck}, {secret}, nil)"
        self.ck = ck
        return [line]

    def seal(self, name, plain):
        """Seal: the ciphertext is mixed in."""
        line = f"{name} = AEAD_ENC({self.key}, nil, {plain}, {self.h})"
        return [line, *self.hash(name)]

    def open(self, name, plain):
        """Open: halts unless the ciphertext opens."""
        line = f"{plain} = AEAD_DEC({self.key}, nil, {name}, {self.h})?"
        return [line, *self.hash(name)]

    def walk(self, steps, given, seals, after=None):
        """All steps of a message. `given` has a value for each of them; what opens is named
        by it, and `after` has lines to put behind a step."""
        lines = []
        for action, name in steps:
            if action == "hash":
                lines += self.hash(given[name])
            elif action == "key":
                lines += self.mix_key(given[name])
            elif seals:
                lines += self.seal(f"{name}{self.wire}", given[name])
            else:
                lines += self.open(f"{name}{self.wire}", given[name])
            lines += (after or {}).get(name, [])
        return lines


def start(name, side, given, wire=""):
    """A transcript after prologue and B_j, and its lines."""
    transcript = Transcript(name, side, wire)
    return transcript, transcript.walk(START, given, seals=True)
