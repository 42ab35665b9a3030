"""Every generated model, and those of the papers, which are written by hand."""

from pathlib import Path

from generator import (
    proverif_equation,
    proverif_evaluators,
    proverif_hiding,
    proverif_ledger,
    proverif_scenarios,
    proverif_unlock,
    verifpal_enrolment,
    verifpal_hiding,
    verifpal_ledger,
    verifpal_sign_in,
)

HOME = Path(__file__).resolve().parents[1]
FOLDERS = {
    ("proverif", "pv"): (
        proverif_scenarios,
        proverif_equation,
        proverif_hiding,
        proverif_unlock,
        proverif_ledger,
        proverif_equation,
        proverif_evaluators,
    ),
    ("verifpal", "vp"): (verifpal_sign_in, verifpal_hiding, verifpal_ledger, verifpal_enrolment),
}


def generated():
    """Path below this folder and text of every generated model."""
    files = {}
    for (folder, ending), makers in FOLDERS.items():
        for maker in makers:
            for name, text in maker.models().items():
                files[f"{folder}/{name}.{ending}"] = text
    return files


def committed():
    """Path and text of every model that lies here."""
    paths = [
        path for folder in ("papers", "proverif", "verifpal") for path in (HOME / folder).iterdir()
    ]
    return {str(path.relative_to(HOME)): path.read_text(encoding="utf-8") for path in sorted(paths)}


def write(files):
    """Puts the generated models in place, and takes away those that are none any more."""
    for folder, _ in FOLDERS:
        (HOME / folder).mkdir(exist_ok=True)
        for path in (HOME / folder).iterdir():
            if str(path.relative_to(HOME)) not in files:
                path.unlink()
    for name, text in files.items():
        (HOME / name).write_text(text, encoding="utf-8")
