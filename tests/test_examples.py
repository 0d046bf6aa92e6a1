"""Every study of examples/ joins, runs to its end and gives tables that compile."""

import subprocess
import sys

import latex
import pytest
from import_closure import ROOT
from test_latex import floats
from workspace import joined

from pipeline.commands.audit.rebuild import table_faults

EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/params.yaml"))
STAGES = ("obtain", "clean", "score", "match", "balance", "estimate", "exhibit", "record")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=EXAMPLES)
def finished(request, tmp_path_factory):
    """Run an example alone; return the project and its name."""
    folder = joined(tmp_path_factory.mktemp(request.param), request.param)
    for stage in [*(f"{stage} {request.param}" for stage in STAGES), "index"]:
        command = [sys.executable, "-m", *f"stages.{stage}".split()]
        subprocess.run(command, cwd=folder, check=True)
    return folder, request.param


def test_published_results_give_every_table_again(finished):
    folder, study = finished
    assert len(list((folder / "reports" / study / "tables").glob("*.tex"))) >= 7
    assert table_faults(folder) == []


def test_tables_compile_and_fit_the_page(finished, tmp_path):
    folder, study = finished
    files = sorted((folder / "reports" / study / "tables").glob("*.tex"))
    code, log = latex.compile_latex(floats([file.read_text("utf-8") for file in files]), tmp_path)
    assert (code, latex.faults(log)) == (0, [])
