"""How `start` writes identifiers of which one table has a check digit, and the other none."""

import numpy as np
import pandas as pd
import pytest
from test_start_programme import programme

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.identifiers import guess_identifier
from pipeline.commands.start.questions import all_questions
from pipeline.commands.start.read import read_files
from pipeline.commands.start.section import study_text
from pipeline.params.settings import read_value

BARE = np.random.default_rng(5).choice(np.arange(3_000_000, 60_000_000), 40, replace=False)
DIGITS = [str((3 * number) % 11).replace("10", "K") for number in BARE]
LONG = [f"{number}{digit}" for number, digit in zip(BARE, DIGITS, strict=True)]
DASHED = [f"{number:,}-{digit}".replace(",", ".")
          for number, digit in zip(BARE, DIGITS, strict=True)]  # fmt: skip


def guessed(panel, register, earlier=None):
    sides = (pd.Series([str(i) for i in ids], name="id") for ids in (panel, register))
    return guess_identifier(*sides, earlier)


@pytest.mark.parametrize(
    ("panel", "register", "rule"),
    [
        (BARE, DASHED[:20], {"cut_at": "-", "characters": "remove"}),
        (DASHED, BARE[:20], {"cut_at": "-", "characters": "remove"}),
        (BARE, LONG[:20], {"drop_check_digit": "register"}),
        (LONG, BARE[:20], {"drop_check_digit": "panel"}),
        (LONG, LONG[:20], {}),
        (DASHED, LONG[:20], {"characters": "remove"}),
        ([f"{i:08d}-{d}" for i, d in zip(BARE, DIGITS, strict=True)], BARE[:20],
         {"cut_at": "-", "width": 8}),
    ],
)  # fmt: skip
def test_a_check_digit_of_one_table_alone_is_dropped(panel, register, rule):
    assert guessed(panel, register) == rule


def test_check_digits_that_some_identifiers_have_are_dropped_by_length():
    bare = BARE + 10_000_000
    panel = [f"{i}" for i in bare]
    register = [f"{i}{n % 10}" for n, i in enumerate(bare[:20])]
    mixed = [*panel[:12], *[f"{i}{n % 10}" for n, i in enumerate(bare[12:])]]
    assert guessed(mixed, register) == {"drop_check_digit": "longer", "width": 8}


def test_identifiers_that_chance_finds_have_no_check_digit():
    assert guessed(range(100, 1000), range(2000, 9000, 10)) == {}
    assert guessed(range(100, 200), [1001, 1002, 1003, 1011, 1012]) == {}


def panel_and_register(tmp_path, register_ids):
    table = programme()
    table["id"] = np.array(BARE)[table["id"]]
    table.to_csv(tmp_path / "p.csv", index=False)
    pd.DataFrame({"id": register_ids, "anio": 2005}).to_csv(tmp_path / "r.csv", index=False)
    return [tmp_path / "p.csv", tmp_path / "r.csv"]


def test_the_rule_is_written_and_the_design_guessed_from_firms_found(tmp_path):
    read = read_files(panel_and_register(tmp_path, DASHED[:20]), ToldColumns())
    assert read.design.n_treated == 20
    rule = read_value(study_text("s", read))["s"]["clean"]["identifier"]
    assert rule == {"cut_at": "-", "characters": "remove"}
    assert "so written 100%" in all_questions(read)["clean.identifier"]


def test_where_no_way_finds_firms_the_rule_of_an_earlier_study_does(tmp_path):
    files = panel_and_register(tmp_path, [f"{i}x0" for i in BARE[:20]])
    read = read_files(files, ToldColumns())
    asked = all_questions(read)["data.register_columns.firm_id"]
    assert "clean.identifier" in asked and "--from" in asked
    rule = {"cut_at": "x"}
    read = read_files(files, ToldColumns(earlier={"clean": {"identifier": rule}}))
    assert read.design.n_treated == 20
    assert read_value(study_text("s", read))["s"]["clean"]["identifier"] == rule
    assert not {"clean.identifier", "data.register_columns.firm_id"} & {*all_questions(read)}
    unfit = ToldColumns(earlier={"clean": {"identifier": {"cut_at": "9"}}})
    told = study_text("s", read_files(panel_and_register(tmp_path, LONG[:20]), unfit))
    assert read_value(told)["s"]["clean"]["identifier"] == {"drop_check_digit": "register"}
