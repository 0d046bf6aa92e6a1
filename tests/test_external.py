"""Pairs and weights made elsewhere, adopted as designs."""

import pandas as pd
import pytest
from test_matching_nearest import SMALL, covariates_of, scores_table

from pipeline.errors import DataError, SupportError
from pipeline.matching.designs import match_designs
from pipeline.matching.external import read_brought
from pipeline.params.identifier import Identifier
from pipeline.params.match import MatchSection

WEIGHTS = {
    "score": "model",
    "method": "external",
    "file": "weights.csv",
    "content": "weights",
    "firm_id": "id",
    "control_id": None,
    "weight": "_weight",
    "stack": "year",
}
PAIRS = {**WEIGHTS, "content": "pairs", "control_id": "match", "weight": None}


def section(**changes):
    return MatchSection.model_validate(
        {
            "designs": {"one": changes},
            "balance": {"denominator": "treated", "threshold": 0.1},
        }
    )


def adopt(folder, text, design, rows=SMALL, **identifier):
    (folder / design["file"]).write_text(text)
    scores, found = scores_table(rows), section(**design)
    brought = read_brought(folder, found, Identifier(**identifier), scores["firm_id"])
    matched = match_designs(scores, covariates_of(scores), found, brought)
    weights = matched.weights[matched.weights["design"] == "one"]
    return matched.matches, weights.set_index(["stack", "firm_id"])["weight"].to_dict()


def test_weights_are_scaled_to_the_treated_and_empty_ones_left_out(tmp_path):
    text = "id,year,_weight\na,2009,1\nb,2009,1\nm,2009,3\nn,2009,1\no,2009,\nc,2010,1\nn,2010,2\n"
    matches, weights = adopt(tmp_path, text, WEIGHTS)
    assert matches.empty
    assert weights == {
        (2009, "a"): 1,
        (2009, "b"): 1,
        (2009, "m"): 1.5,
        (2009, "n"): 0.5,
        (2010, "c"): 1,
        (2010, "n"): 1,
    }


def test_pairs_become_sets_that_share_the_weight(tmp_path):
    text = "id,year,match\na,2009,m\na,2009,n\nb,2009,n\nc,2010,m\n"
    matches, weights = adopt(tmp_path, text, PAIRS)
    assert weights[2009, "m"] == 0.5
    assert weights[2009, "n"] == 1.5
    sets = matches[(matches["stack"] == 2009) & (matches["set_id"] == "2009-000001")]
    assert sets["firm_id"].tolist() == ["a", "m", "n"]
    assert sets["set_weight"].tolist() == [1, 0.5, 0.5]


def test_pairs_may_carry_weights(tmp_path):
    text = "id,year,match,share\na,2009,m,3\na,2009,n,1\nc,2010,m,1\n"
    _, weights = adopt(tmp_path, text, {**PAIRS, "weight": "share"})
    assert weights[2009, "m"] == 0.75
    assert weights[2009, "n"] == 0.25


def test_one_entry_year_needs_no_stack(tmp_path):
    rows = [row for row in SMALL if row[0] == 2009]
    _, weights = adopt(tmp_path, "id,match\na,m\n", {**PAIRS, "stack": None}, rows)
    assert weights == {(2009, "a"): 1, (2009, "m"): 1}


@pytest.mark.parametrize(
    ("text", "changes", "error", "message"),
    [
        (
            "id,year,match\nx,2009,m\n",
            {},
            DataError,
            "1 of 2 firms are in no risk set of the study",
        ),
        ("id,year,match\na,2009,m\na,2010,m\n", {}, DataError, "1 rows of the file name a firm "),
        ("id,year,match\nm,2009,n\n", {}, DataError, "1 pairs of the file do not join a treated"),
        ("id,year,match\na,2009,m\n", {}, SupportError, "2010, design one: the file has 0 treated"),
        ("id,year\na,2009\n", {}, DataError, "weights.csv lacks the columns match"),
        ("id,year,match\na,2009,m\n", {"stack": None}, DataError, "the study has 2 entry years"),
        ("id,year,match,w\na,2009,m,-1\n", {"weight": "w"}, DataError, "1 weights are negative"),
    ],
)
def test_what_does_not_fit_is_refused_with_counts_and_no_identifier(
    tmp_path, text, changes, error, message
):
    with pytest.raises(error, match=message) as caught:
        adopt(tmp_path, text, {**PAIRS, **changes})
    assert "'x'" not in str(caught.value)


def test_repeated_firms_and_missing_files_are_refused(tmp_path):
    text = "id,year,_weight\na,2009,1\na,2009,1\nm,2009,1\n"
    with pytest.raises(DataError, match="1 rows of the file repeat a firm"):
        adopt(tmp_path, text, WEIGHTS)
    with pytest.raises(DataError, match=r"other\.csv does not exist"):
        found = section(**{**WEIGHTS, "file": "other.csv"})
        read_brought(tmp_path, found, Identifier(), pd.Series(["a"]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": None}, "content: weights needs weight"),
        ({"content": "pairs"}, "needs control_id"),
    ],
)
def test_columns_must_fit_the_content(changes, message):
    with pytest.raises(ValueError, match=message):
        section(**{**WEIGHTS, **changes})


def test_leading_zeros_of_identifiers_survive(tmp_path):
    rows = [(2009, "007", True, 0.0), (2009, "7", False, 0.1)]
    _, weights = adopt(tmp_path, "id,match\n007,7\n", {**PAIRS, "stack": None}, rows)
    assert set(weights) == {(2009, "007"), (2009, "7")}
    assert isinstance(pd.Series(weights).sum(), float)


def test_identifiers_follow_the_rules_of_the_panel(tmp_path):
    rows = [(2009, "AB07", True, 0.0), (2009, "0B8", False, 0.1)]
    one_year = {**PAIRS, "stack": None}
    text = "id,match\n ab07 ,b8\n"
    with pytest.raises(
        DataError, match=r"2 of 2 firms .*; nearly, but for case 1, width 1 \(clean"
    ):
        adopt(tmp_path, "id,match\nab07,B8\n", one_year, rows)
    rules = {"case": "upper", "characters": "remove"}
    with pytest.raises(DataError, match="1 of 2 firms are in no risk set of the study; nearly"):
        adopt(tmp_path, text, one_year, rows, **rules)
    rows[1] = (2009, "B8", False, 0.1)
    _, weights = adopt(tmp_path, text, one_year, rows, **rules)
    assert weights == {(2009, "AB07"): 1, (2009, "B8"): 1}


def test_parts_of_identifiers_follow_the_rules_of_the_panel_each(tmp_path):
    rows = [(2009, "0501|A7", True, 0.0), (2009, "0033|B8", False, 0.1)]
    one_year = {**PAIRS, "stack": None}
    rules = {"case": "upper", "characters": "remove", "width": [4, 0]}
    _, weights = adopt(tmp_path, "id,match\n501|a-7,33|b8\n", one_year, rows, **rules)
    assert weights == {(2009, "0501|A7"): 1, (2009, "0033|B8"): 1}


def test_a_file_made_of_the_panel_loses_no_check_digit_twice(tmp_path):
    rows = [(2009, "123", True, 0.0), (2009, "456", False, 0.1)]
    for text in ("id,match\n123,456\n", "id,match\n123K,4569\n"):
        _, weights = adopt(tmp_path, text, {**PAIRS, "stack": None}, rows, drop_check_digit="both")
        assert set(weights) == {(2009, "123"), (2009, "456")}


@pytest.mark.parametrize("missing", ["", ".", "NA"])
def test_files_are_written_as_declared_and_without_weight_in_several_ways(missing, tmp_path):
    text = f"id;_weight\n007;1,0\n7;0,5\n8;{missing}\n"
    rows = [(2009, "007", True, 0.0), (2009, "7", False, 0.1), (2009, "8", False, 0.1)]
    design = {**WEIGHTS, "stack": None, "format": {"delimiter": ";", "decimal": ","}}
    _, weights = adopt(tmp_path, text, design, rows)
    assert set(weights) == {(2009, "007"), (2009, "7")}


def test_a_stata_file_is_read_by_its_ending(tmp_path):
    used = pd.DataFrame({"id": ["a", "m"], "_weight": [1.0, None]}).assign(year=2009)
    used.to_stata(tmp_path / "w.dta", write_index=False)
    found = section(**{**WEIGHTS, "file": "w.dta"})
    brought = read_brought(tmp_path, found, Identifier(), pd.Series(["a", "m"]))["one"]
    assert brought.to_dict("list") == {"firm_id": ["a"], "stack": [2009], "weight": [1.0]}
