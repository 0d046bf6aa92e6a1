"""Tables in the terminal: the same digits, points under points."""

import subprocess
import sys

from import_closure import ROOT

from pipeline.exhibits.render.terminal import render_text
from pipeline.exhibits.tables.table import Column, Counts, Interval, Number, Panel, Row, Table


def test_a_table_becomes_text_with_points_under_points():
    table = Table(
        columns=(Column("Log sales", "log points"), Column("Jobs")),
        panels=(
            Panel(
                "Panel A",
                (
                    Row("Effect", (Number(-0.0164, 3), None)),
                    Row("", (Number(0.0721, 3, "parenthesis"), None)),
                    Row("95% CI", (Interval(-0.17, 0.138, 3), Counts((1234, 5)))),
                ),
            ),
        ),
        foot=(Row("Firms", (Counts((7,)), None), indent=True),),
        notes=("A note.",),
        source="a file",
    )
    assert render_text(table) == (
        "         Log sales, log points  Jobs\n"
        "-----------------------------------------\n"
        "Panel A\n"
        "Effect   \u22120.016\n"
        "         (0.072)\n"
        "95% CI   [\u22120.170, 0.138]        1,234 / 5\n"
        "-----------------------------------------\n"
        "  Firms  7\n"
        "\n"
        "A note. Source: a file.\n"
    )


def test_show_prints_the_committed_table_and_names_those_there_are():
    def show(*arguments):
        command = [sys.executable, "-m", "stages.show", "michigan", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    shown = show("sample_flow")
    assert shown.returncode == 0
    assert "Firm-years delivered" in shown.stdout
    unknown = show("nothing")
    assert unknown.returncode == 2
    assert "michigan has no table nothing; it has main_effects" in unknown.stderr
