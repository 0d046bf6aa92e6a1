"""Pairs and weights made elsewhere, adopted as designs."""

import pandas as pd
import pytest
from test_matching_nearest import SMALL, covariates_of, scores_table

from pipeline.errors import DataError, SupportError
from pipeline.matching.designs import match_designs
from pipeline.matching.external import read_brought
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


def adopt(folder, text, design, rows=SMALL):
    (folder / "weights.csv").write_text(text)
    scores = scores_table(rows)
    found = section(**design)
    matched = match_designs(scores, covariates_of(scores), found, read_brought(folder, found))
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
        ("id,year,match\nx,2009,m\n", {}, DataError, "1 rows of the file name a firm that is not"),
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
        read_brought(tmp_path, section(**{**WEIGHTS, "file": "other.csv"}))


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
