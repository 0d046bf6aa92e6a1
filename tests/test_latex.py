import dataclasses
import re
from pathlib import Path

import latex
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from import_closure import ROOT
from published import build_exhibits
from results import many_outcomes, study_results

from pipeline.exhibits.render.latex import fits, fits_page, render_latex
from pipeline.exhibits.render.latex_cells import _T1_LETTERS, escape
from pipeline.exhibits.tables.registry import named_tables
from pipeline.exhibits.tables.table import (
    DASH,
    Interval,
    Magnitude,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
    Text,
    WholeNumbers,
)
from pipeline.params.settings import load_yaml
from pipeline.publishing.study import study_tables
from pipeline.publishing.swap import write_exhibits

GOLDEN = Path(__file__).parent / "golden"
NASTY = r"R&D_100% ~ año #1 ${x}^\ [a] <b> |c| `d' "


def small_table() -> Table:
    return Table(
        columns=(
            TableColumn("Log sales", "log points", 1),
            TableColumn("Any", "share", 2, "Exports"),
            TableColumn("Value", "", 3, "Exports"),
        ),
        panels=(
            Panel(
                "Panel A. R&D firms",
                (
                    Row("Effect", (Number(-0.0821, 3, suffix="**"), Number(0.013, 3), DASH)),
                    Row(
                        "", (Number(0.031, 3, "parenthesis"), Number(0.009, 3, "parenthesis"), None)
                    ),
                    Row("95% CI", (Interval(-0.143, -0.021, 3), Interval(-0.005, 0.031, 3), None)),
                    Row("Firms", (WholeNumbers((398, 1071)), WholeNumbers((11752,)), None)),
                ),
            ),
        ),
        foot=(
            Row("[baseline]", (Magnitude(1.84), Magnitude(0.118), None)),
            Row("unit", (Text("US$ million"), Text("share"), Text("%")), True),
        ),
        notes=("100% of notes; 0.1 × −2.",),
        source="made-up numbers",
    )


def test_fragment_is_the_golden_one():
    golden = (GOLDEN / "small_table.tex").read_text(encoding="utf-8")
    assert render_latex(small_table()) == golden


def test_a_label_of_two_lines_keeps_estimate_and_error_on_adjoining_lines():
    table = small_table()
    error = Row("", (Number(0.031, 3, "parenthesis"), None, None))
    long, longer = "An effect in a group whose name is a long one", "with many words " * 6
    for label, held in ((long, True), ("Effect", False), (longer, False)):
        first = Row(label, (Number(-0.0821, 3), Number(0.013, 3), DASH))
        rows = (Panel("A", (first, error)),)
        text = render_latex(dataclasses.replace(table, panels=rows))
        assert (r"\smash{\parbox[t]{\linewidth}" in text) == held, label
        alone = (Panel("A", (first, dataclasses.replace(error, label="95% CI"))),)
        assert r"\smash" not in render_latex(dataclasses.replace(table, panels=alone))


def test_no_row_starts_with_a_bracket():
    rendered = render_latex(small_table())
    assert not re.search(r"\\\\\s*\[", rendered)
    assert "{[}baseline{]}" in rendered


# What a special character becomes; in any other form LaTeX would act on it.
ESCAPED = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "[": "{[}",
    "]": "{]}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "\n": " ",
    "\t": " ",
}


@pytest.mark.parametrize("character", ESCAPED)
def test_every_special_character_is_escaped(character):
    assert escape(character) == ESCAPED[character]


@given(st.text(alphabet=[*ESCAPED, "a", "1", "\u00f1"], max_size=60))
def test_text_is_escaped_character_by_character(text):
    assert escape(text) == "".join(ESCAPED.get(character, character) for character in text)


def test_escape_is_one_pass():
    assert escape("\\{") == r"\textbackslash{}\{"
    assert escape("50% & _") == r"50\% \& \_"
    assert escape("中") == "U+4E2D"


@pytest.mark.parametrize("n_outcomes", [1, 4, 5, 9])
def test_outcomes_split_evenly_and_in_order(n_outcomes):
    results = study_results(many_outcomes(n_outcomes), notes="short")
    tables = list(named_tables(results, "main_effects").values())
    sizes = [len(table.columns) for table in tables]
    assert sum(sizes) == n_outcomes
    assert max(sizes) <= 4
    assert max(sizes) - min(sizes) <= 1
    numbers = [column.number for table in tables for column in table.columns]
    assert numbers == list(range(1, n_outcomes + 1))
    assert all(fits(table) for table in tables)


def test_table_format_reserves_sign_digits_and_parentheses():
    rendered = render_latex(small_table())
    assert r"S[table-format={(}-1.3{\textsuperscript{**}}]" in rendered
    assert "S[table-format={(}1.3{)}]" in rendered


def test_without_its_program_a_slow_test_fails_and_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    message = "pdflatex is not installed: apt-get install texlive-latex-extra"
    with pytest.raises(pytest.fail.Exception, match=message):
        latex.compile_latex("text", tmp_path)


def floats(fragments: list[str]) -> str:
    """Return every fragment as a report would input it, each on a page of its own."""
    head = "\\begin{table}\\centering\\caption{What the table shows}\n"
    return "\n".join(f"{head}{fragment}\\end{{table}}\\clearpage" for fragment in fragments)


def _with_covariates(results, n_covariates):
    """Return the results with a balance table of that many long-named covariates."""
    one = results.balance[results.balance["covariate"] == "age"]
    copies = [
        one.assign(covariate=f"covariate of the firm with a long name {i:02d}")
        for i in range(n_covariates - results.balance["covariate"].nunique())
    ]
    return dataclasses.replace(results, balance=pd.concat([results.balance, *copies]))


@pytest.mark.slow
@pytest.mark.parametrize("extra", ["", latex.A4], ids=["bare", "a4"])
@pytest.mark.parametrize("n_outcomes", [None, 1, 4, 9])
def test_tables_compile_and_fit_the_page(n_outcomes, extra, tmp_path):
    outcomes = None if n_outcomes is None else many_outcomes(n_outcomes)
    results = _with_covariates(study_results(outcomes, stars=n_outcomes == 4), 12)
    fragments = [render_latex(table) for table in study_tables(results).values()]
    code, log = latex.compile_latex(floats(fragments), tmp_path, extra)
    assert latex.faults(log) == []
    assert code == 0


@pytest.mark.slow
@pytest.mark.parametrize("study", load_yaml(ROOT / "params.yaml")["studies"] or [])
def test_committed_tables_compile_and_fit_the_page(study, tmp_path):
    if not (ROOT / "reports" / study / "tables").is_dir():
        pytest.skip(f"{study} was not run yet")
    files = sorted((ROOT / "reports" / study / "tables").glob("*.tex"))
    assert len(files) >= 3
    fragments = [file.read_text(encoding="utf-8") for file in files]
    code, log = latex.compile_latex(floats(fragments), tmp_path)
    assert latex.faults(log) == []
    assert code == 0


@pytest.mark.slow
def test_a_table_longer_than_the_page_is_a_fault(tmp_path):
    rows = tuple(Row("row", (Text("cell"),)) for _ in range(70))
    table = Table((TableColumn("column"),), (Panel("", rows),))
    assert not fits_page(table)
    _, log = latex.compile_latex(floats([render_latex(table)]), tmp_path)
    assert any("Float too large" in line for line in latex.faults(log))


@pytest.mark.slow
def test_nasty_labels_compile(tmp_path):
    label = NASTY + "x" * 5
    results = study_results(many_outcomes(3, label), firms="R&D_firms", source=NASTY)
    fragments = [render_latex(table) for table in study_tables(results).values()]
    code, log = latex.compile_latex(floats(fragments), tmp_path)
    assert latex.faults(log) == []
    assert code == 0


@pytest.mark.slow
def test_every_character_below_u0400_compiles(tmp_path):
    characters = [chr(code) for code in range(0x20, 0x400)] + sorted(_T1_LETTERS)
    body = "\n\n".join(escape(character) for character in characters)
    code, log = latex.compile_latex(body, tmp_path)
    assert [line for line in log.splitlines() if line.startswith("!")] == []
    assert "Missing character" not in log
    assert code == 0


@pytest.mark.slow
def test_the_files_with_every_table_and_figure_compile(tmp_path):
    label = NASTY + "x"
    results = study_results(many_outcomes(3, label), title=NASTY, firms="R&D_firms")
    write_exhibits(build_exhibits(results), tmp_path / "reports" / "madeup", tmp_path / "fresh")
    body = r"\input{reports/madeup/tables}\input{reports/madeup/figures}"
    code, log = latex.compile_latex(body, tmp_path, latex.A4)
    assert latex.faults(log) == []
    assert code == 0


@pytest.mark.slow
@pytest.mark.parametrize("size", ["10pt", "11pt", "12pt"])
def test_a_spanner_is_as_wide_as_its_columns_in_every_type_size(size, tmp_path):
    """In larger type the gaps between columns are narrower than declared."""
    row = Row("C. Matched on covariates and lagged outcomes", (Number(0.123, 3),) * 4)
    heads = ("Log sales", "Log employment", "Any exports", "Export value")
    spanners = ("", "", "Exports", "Exports")
    columns = tuple(
        TableColumn(head, "log points", n, spanner)
        for n, (head, spanner) in enumerate(zip(heads, spanners, strict=True), start=1)
    )
    fragment = render_latex(Table(columns, (Panel("In units of the estimate", (row,)),)))
    code, log = latex.compile_latex(fragment, tmp_path, latex.A4, size)
    assert (code, latex.faults(log)) == (0, [])
