"""The two-page note in docs/note, made as a report writer would: known keys, and it compiles."""

import re
import shutil
from pathlib import Path

import latex
import pytest
from import_closure import ROOT

from pipeline.commands.audit.tex_keys import check_keys, known_keys

NOTE = ROOT / "docs" / "note" / "note.tex"
QUOTED = ROOT / "reports" / "michigan"

pytestmark = pytest.mark.skipif(not QUOTED.is_dir(), reason="the note quotes results of michigan")


def test_every_number_that_the_note_quotes_exists():
    found = check_keys([NOTE], known_keys(ROOT))
    assert found.unknown == []
    assert found.n_keys >= 10
    assert NOTE.read_text(encoding="utf-8").count(r"\input{\tables/") == 3


def compiled(folder: Path) -> tuple[int, str]:
    """Compile the note twice, for its references, beside copies of what it inputs."""
    for place in ("docs/preamble.tex", "docs/note/note.tex", "reports/michigan/numbers.tex"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / place, folder / place)
    shutil.copytree(QUOTED / "tables", folder / "reports/michigan/tables")
    latex.run_pdflatex(folder / "docs" / "note", "note")
    return latex.run_pdflatex(folder / "docs" / "note", "note")


@pytest.mark.slow
def test_the_note_has_two_pages_and_no_overfull_box(tmp_path):
    code, log = compiled(tmp_path)
    assert (code, latex.faults(log)) == (0, [])
    assert "undefined" not in log
    assert re.search(r"Output written on note\.pdf \((\d+) pages?", log)[1] == "2"
