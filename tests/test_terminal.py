"""Tables in the terminal: the same digits, points under points."""

import json
from dataclasses import replace

import pytest
from arm_results import arm_results
from published import STUDY, published_project

from pipeline.exhibits.render.terminal import render_text
from pipeline.exhibits.tables.table import (
    Interval,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
)
from stages import show


def test_a_table_becomes_text_with_points_under_points():
    table = Table(
        columns=(TableColumn("Log sales", "log points"), TableColumn("Jobs")),
        panels=(
            Panel(
                "Panel A",
                (
                    Row("Effect", (Number(-0.0164, 3), None)),
                    Row("", (Number(0.0721, 3, "parenthesis"), None)),
                    Row("95% CI", (Interval(-0.17, 0.138, 3), WholeNumbers((1234, 5)))),
                ),
            ),
        ),
        foot=(Row("Firms", (WholeNumbers((7,)), None), indent=True),),
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


def test_show_prints_the_published_table_and_names_those_there_are(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(published_project(tmp_path))
    show.main([STUDY, "sample_flow"])
    assert "Source: made-up numbers." in capsys.readouterr().out
    show.main([STUDY, "balance", "--json"])
    assert [t["table"] for t in json.loads(capsys.readouterr().out)["tables"]] == ["balance"]
    with pytest.raises(SystemExit) as stop:
        show.main([STUDY, "nothing"])
    assert stop.value.code == 2
    assert f"{STUDY} has no table nothing; it has main_effects" in capsys.readouterr().err


def test_show_prints_the_table_of_an_arm(monkeypatch, capsys):
    results = arm_results()
    monkeypatch.setattr(show, "published_results", lambda *_: results)
    show.main([STUDY, "main_effects", "--json"])
    headline = capsys.readouterr().out
    show.main([STUDY, "main_effects", "--arm", "credit", "--json"])
    assert headline != capsys.readouterr().out
    without = {name: own for name, own in results.arms.items() if name != "credit"}
    monkeypatch.setattr(show, "published_results", lambda *_: replace(results, arms=without))
    for arm, said in (("credit", "arm credit of"), ("loans", "loans is no arm")):
        with pytest.raises(SystemExit) as stop:
            show.main([STUDY, "main_effects", "--arm", arm])
        assert stop.value.code == 2
        assert said in capsys.readouterr().err
