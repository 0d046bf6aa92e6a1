"""The page on using results elsewhere: its snippets run where their program is installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import latex
import pandas as pd
import pytest
from import_closure import ROOT

from pipeline.commands.audit.tex_keys import check_keys, known_keys
from pipeline.datasets.results import ESTIMATES
from pipeline.publishing.dictionary import PACKAGE

PAGE = (ROOT / "docs" / "use_results.md").read_text(encoding="utf-8")
REPORTS = ROOT / "reports" / "michigan"

pytestmark = pytest.mark.skipif(not REPORTS.is_dir(), reason="the page uses results of michigan")


def block(language: str) -> str:
    """Return the one block of a language, also of one that holds blocks itself."""
    (found,) = re.findall(rf"^(```+){language}\n(.*?)^\1$", PAGE, re.DOTALL | re.MULTILINE)
    return found[1]


@pytest.fixture
def beside(tmp_path):
    """Return a folder that holds reports/ as a reader has it."""
    shutil.copytree(REPORTS, tmp_path / "reports" / "michigan")
    return tmp_path


def headline() -> pd.DataFrame:
    """Return what the snippets in R and Stata keep of the estimates."""
    rows = pd.read_csv(REPORTS / "results" / "estimates.csv", keep_default_na=False, na_values="")
    for column, value in filters(block("stata")).items():
        rows = rows[rows[column] == value]
    return rows


def filters(snippet: str) -> dict[str, str]:
    """Return the column and value of each comparison of what is kept."""
    (kept,) = re.findall(r"(?:keep if|estimates,\n)(.*?)\n(?:list|\))", snippet, re.DOTALL)
    return dict(re.findall(r'(\w+) == "(\w+)"', kept))


def test_r_and_stata_keep_the_same_rows_by_the_whole_key():
    assert filters(block("r")) == filters(block("stata"))
    shown = {"outcome", "term", "cohort", "year", "event_time", "last_event_time"}
    assert {*filters(block("r")), *shown} == set(ESTIMATES.key)
    assert not headline().duplicated(sorted(shown)).any()


@pytest.mark.parametrize("language", ["r", "stata"])
def test_columns_and_values_that_a_snippet_names_are_there(language):
    snippet = block(language)
    listed = {
        "r": r'average\[, c\(((?:"\w+"(?:, )?)+)\)\]',
        "stata": r"list ([\w ]+)",
    }[language]
    names = re.findall(r"\w+", re.search(listed, snippet)[1])
    assert len(names) == 6
    assert set(names) <= set(ESTIMATES.columns)
    rows = headline()
    for column, value in re.findall(r'(term|outcome) == "(\w+)"', snippet):
        assert (rows[column] == value).any()


def test_python_makes_a_workbook_of_every_table(beside, monkeypatch):
    monkeypatch.chdir(beside)
    exec(block("python"), {})
    sheets = pd.read_excel("michigan.xlsx", sheet_name=None)
    files = sorted((REPORTS / "results").glob("*.csv"))
    assert list(sheets) == [path.stem for path in files]
    assert sheets["estimates"]["estimate"].dtype == "float64"


def test_every_key_that_the_page_quotes_exists(tmp_path):
    report = tmp_path / "report.tex"
    quarto = re.findall(r'result\("([\w.]+)"\)', block("markdown"))
    assert len(quarto) == 3
    report.write_text(block("latex") + "".join(rf"\result{{{key}}}" for key in quarto), "utf-8")
    found = check_keys([report], known_keys(ROOT))
    assert (found.unknown, found.n_keys >= 3) == ([], True)


def test_files_that_the_page_names_exist():
    named = set(re.findall(r"reports/michigan/([\w./]+)", PAGE)) - {PACKAGE}
    ends = ("", ".tex", ".pdf")
    absent = [n for n in named if not any((REPORTS / f"{n}{end}").exists() for end in ends)]
    assert len(named) >= 6
    assert absent == []


def rscript(code: str, folder: Path) -> str:
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R is not installed: r-base-core, as .ci/run installs it")
    (folder / "snippet.R").write_text(code, encoding="utf-8")
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [program, "--vanilla", "snippet.R"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_r_shows_the_headline_and_draws_it(beside):
    shown = rscript(block("r"), beside)
    rows = headline()
    average = rows[(rows["term"] == "att") & rows["estimate"].notna()]
    assert len(average) > 0
    for row in average.itertuples():
        (line,) = [line for line in shown.splitlines() if f" {row.outcome} " in line]
        figures = [float(word) for word in line.split()[2:]]
        wanted = [row.estimate, row.std_error, row.conf_low, row.conf_high, row.n_treated]
        assert figures == pytest.approx(wanted, rel=1e-4)
    assert (beside / "event_study.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.slow
def test_the_document_of_quarto_is_knitted(beside):
    """By knitr, which runs its chunks and fills its numbers; Quarto sets what is left."""
    (beside / "document.qmd").write_text(block("markdown"), encoding="utf-8")
    rscript('knitr::knit("document.qmd", "document.md", quiet = TRUE)', beside)
    text = (beside / "document.md").read_text(encoding="utf-8")
    assert re.search(r"changed by −?[\d.]+ percent\n\(95 percent interval −?[\d.]+ to\n", text)
    assert "{{< include reports/michigan/tables/main_effects.md >}}" in text


@pytest.mark.slow
def test_the_folder_for_overleaf_compiles(tmp_path):
    (line,) = block("sh").splitlines()
    words = line.replace("overleaf.zip", str(tmp_path / "overleaf.zip")).split()
    subprocess.run(words, cwd=ROOT, check=True)
    shutil.unpack_archive(tmp_path / "overleaf.zip", tmp_path / "project")
    (tmp_path / "project" / "report.tex").write_text(block("latex"), encoding="utf-8")
    latex.run_pdflatex(tmp_path / "project", "report")
    code, log = latex.run_pdflatex(tmp_path / "project", "report")
    assert (code, latex.faults(log)) == (0, [])
    assert "undefined" not in log
