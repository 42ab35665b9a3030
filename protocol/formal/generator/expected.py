"""The table of results, expected.tsv, and its readable form, results.md.

A row is model, verdict, seconds, and which text of the model gave it: the first 16 digits of
its SHA-256, or `earlier` (another text of the same scenario gave it), or `never`. Only a row
with the digits of the model as it is says that anything was run.
"""

import hashlib
import re
from dataclasses import astuple, dataclass

from generator.everything import HOME

TABLE = HOME / "expected.tsv"
RESULTS = HOME / "results.md"
COLUMNS = ("model", "verdict", "seconds", "ran")


@dataclass
class Row:
    """One model's result."""

    model: str
    verdict: str
    seconds: str
    ran: str

    def counts(self, text):
        """Whether the model as it is gave this verdict."""
        return self.ran == digits(text)


def digits(text):
    """What names one text of a model."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read():
    """The rows by model."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = (Row(*line.split("\t")) for line in lines[1:])
    return {row.model: row for row in rows}


def write(rows):
    """Puts the table in place."""
    lines = ["\t".join(COLUMNS), *("\t".join(astuple(row)) for row in rows)]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def problems(rows, models):
    """What is wrong with the table, one line each."""
    for name in sorted(models.keys() - rows.keys()):
        yield f"expected.tsv has no row for {name}"
    for name in sorted(rows.keys() - models.keys()):
        yield f"expected.tsv has a row for {name}, which is no model"
    for name, row in rows.items():
        if row.ran not in ("earlier", "never") and name in models and not row.counts(models[name]):
            yield f"{name} changed since it was run: run it again, or write `earlier` into its row"


def given(text):
    """What the attacker has, from the head of a model."""
    head = re.split(r"\*\)|\n\n", text, maxsplit=1)[0]
    words = re.sub(r"\n(//)?", " ", head.split("The attacker is given:")[1]).split("Expected:")[0]
    return " ".join(words.split()).rstrip(".")


def asked(text):
    """What a model asks, as short as it can be."""
    if "queries[" in text:
        lines = text.split("queries[")[1].split("]")[0].split("\n")
        return [line.strip().replace("?", "") for line in lines if line.strip()]
    return re.findall(r"\(\* asked: (.*?) \*\)", text)


def _words(verdict, text):
    """A verdict for people."""
    found = {"0": "no attack found", "1": "attack"}
    marks = [found[mark] for mark in re.findall(r"[a-z]([01])", verdict)] or verdict.split(",")
    questions = asked(text)
    if len(marks) != len(questions):
        return verdict
    return "<br>".join(": ".join(pair) for pair in zip(questions, marks, strict=True))


def _when(row, text):
    if row.counts(text):
        return "rerun"
    return "*not rerun*" if row.ran == "earlier" else "*not rerun*, never run"


def _line(row, text):
    name = row.model.rsplit("/", 1)[1]
    seconds = row.seconds if row.seconds == "-" else f"{row.seconds} s"
    return (
        f"| {name} | {given(text)} | {_words(row.verdict, text)} | {seconds} | {_when(row, text)} |"
    )


HEADINGS = {
    "verifpal": "Verifpal 1.6.7: AIDC-1 (bounded search, two sessions)",
    "proverif": "ProVerif 2.05: AIDC-1",
    "papers": "ProVerif 2.05: the papers' schemes",
}


def page(rows, models):
    """The text of results.md."""
    parts = [
        "# Results\n\nWritten by `run --write` from expected.tsv; what the columns mean stands in "
        "[README](README.md). Where a row is *not rerun*, its verdict and time are those of an "
        "earlier text of the same scenario; *never run* is what we expect and nobody has seen."
    ]
    for folder, heading in HEADINGS.items():
        mine = [
            row for name, row in rows.items() if name.startswith(f"{folder}/") and name in models
        ]
        lines = [_line(row, models[row.model]) for row in mine]
        head = "| scenario | the attacker is given | verdict | time | |\n| --- | --- | --- | --- | --- |"
        parts.append("\n".join([f"## {heading}\n", head, *lines]))
    return "\n\n".join(parts) + "\n"
