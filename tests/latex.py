"""Compile LaTeX in a temporary folder, for slow tests."""

import subprocess
from pathlib import Path

from programs import required

PREAMBLE = Path(__file__).parents[1] / "docs" / "preamble.tex"

A4 = r"\usepackage[a4paper,margin=2.5cm]{geometry}"


def compile_latex(body: str, folder: Path, extra: str = "", size: str = "10pt") -> tuple[int, str]:
    """Return the exit code and the log of a bare article with the shared preamble."""
    document = (
        f"\\documentclass[{size}]{{article}}\n\\input{{{PREAMBLE.as_posix()}}}\n{extra}\n"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    (folder / "document.tex").write_text(document, encoding="utf-8")
    return run_pdflatex(folder, "document")


def run_pdflatex(folder: Path, name: str) -> tuple[int, str]:
    """Return the exit code and the log of one run over `name`.tex in a folder."""
    program = required("pdflatex", "apt-get install texlive-latex-extra texlive-science lmodern")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    return done.returncode, (folder / f"{name}.log").read_text(encoding="latin-1")


def faults(log: str) -> list[str]:
    """Return the errors, overfull boxes and tables longer than their page of a log."""
    marks = ("Overfull", "Float too large")
    return [
        line
        for line in log.splitlines()
        if line.startswith("!") or any(mark in line for mark in marks)
    ]
