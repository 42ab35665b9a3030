"""How each tool is run, and what it says."""

import re
import subprocess
import time

NO_VERDICT = "no verdict"


def of(name):
    """The tool for a model."""
    return "verifpal" if name.endswith(".vp") else "proverif"


def sessions(text):
    """How many concurrent sessions a Verifpal model is searched with; it says if one."""
    return "1" if "// One session" in text else "2"


def _command(tool, path):
    if tool == "proverif":
        return [tool, str(path)]
    many = sessions(path.read_text(encoding="utf-8"))
    return [tool, "verify", str(path), "--result-code", "--sessions", many]


def verdict(tool, output):
    """The verdicts in the order of the questions: c0a1 and so on, or true,false."""
    if tool == "verifpal":
        lines = output.strip().splitlines()
        last = lines[-1].strip() if lines else ""
        return last if re.fullmatch(r"([a-z]\d)+", last) else "error"
    said = re.findall(
        r"^RESULT .*?(true|false|cannot be proved)\.?(?: \(.*\))?$", output, re.MULTILINE
    )
    return ",".join(said) or "error"


def run(tool, path, limit):
    """The verdict on one model, and the seconds that it took."""
    begin = time.monotonic()
    try:
        done = subprocess.run(
            _command(tool, path), capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return NO_VERDICT, time.monotonic() - begin
    return verdict(tool, done.stdout), time.monotonic() - begin
