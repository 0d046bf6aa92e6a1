"""Lags that a design matched on, which pre-trends then say nothing about."""

from workspace import section

from pipeline.matching.matched_lags import matched_times
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection

DATED = {"label": "Sales", "column": "sales", "transform": "log"}


def times_of(**covariates):
    """Return the event times of a design that matches on these covariates."""
    block = section("michigan")
    model = block["score"]["models"]["covariates"]
    model["covariates"] = list(covariates)[-1:]
    block["score"] |= {"covariates": covariates, "models": {"covariates": model}}
    block["match"]["designs"] = {"odds": {"score": "covariates", "method": "odds"}}
    score = ScoreSection.model_validate(block["score"])
    return matched_times(score, MatchSection.model_validate(block["match"]))["odds"]


def test_a_trend_reads_every_year_of_its_span():
    assert times_of(trend={**DATED, "trend": [-4, -1]}) == {"sales": {-4, -3, -2, -1}}


def test_a_product_reads_the_years_of_its_factors():
    age = {"label": "Age", "column": "founded", "transform": "years_since", "at": -1}
    found = times_of(
        change={**DATED, "change": [-3, -1]},
        age=age,
        both={"label": "Growth x age", "product_of": ["change", "age"]},
    )
    assert found == {"sales": {-3, -1}, "founded": {-1}}
