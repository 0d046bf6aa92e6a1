"""Compile LaTeX in a temporary folder, for slow tests."""

import shutil
import subprocess
from pathlib import Path

PREAMBLE = Path(__file__).parents[1] / "docs" / "preamble.tex"

A4 = r"\usepackage[a4paper,margin=2.5cm]{geometry}"


def available() -> bool:
    return shutil.which("pdflatex") is not None


def compile_latex(body: str, folder: Path, extra: str = "") -> tuple[int, str]:
    """Return the exit code and the log of a bare article with the shared preamble."""
    document = (
        f"\\documentclass{{article}}\n\\input{{{PREAMBLE.as_posix()}}}\n{extra}\n"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    (folder / "document.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    log = (folder / "document.log").read_text(encoding="latin-1")
    return done.returncode, log


def faults(log: str) -> list[str]:
    """Return the errors, overfull boxes and tables longer than their page of a log."""
    marks = ("Overfull", "Float too large")
    return [
        line
        for line in log.splitlines()
        if line.startswith("!") or any(mark in line for mark in marks)
    ]
