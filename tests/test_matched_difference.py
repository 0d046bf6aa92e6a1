"""Matching on one difference per firm, from params to rows, on LaLonde's data."""

import lalonde
import numpy as np
import pandas as pd
import pytest
from keyed import figure
from stacked_tables import estimation, outcomes, treatment
from test_matching_nearest import NEAREST
from told import estimate_specs

from pipeline.datasets.fits import FITS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.precision import SCORE_DECIMALS
from pipeline.datasets.store import conform
from pipeline.effects.matched_effects import Rules
from pipeline.effects.study import prepare_study
from pipeline.errors import IdentificationError
from pipeline.estimators.matching_effect import matching_effect
from pipeline.inference.abadie_imbens import neighbour_variance
from pipeline.matching.designs import match_designs
from pipeline.matching.mahalanobis import whiten
from pipeline.matching.neighbours import ScoredFirms
from pipeline.matching.redo import Redo
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import LEAST_TIE_TOLERANCE
from pipeline.selection.estimated_score import estimated_score

NEIGHBOUR = {
    **NEAREST,
    "score": "logit",
    "distance": "probability",
    "replacement": True,
    "tie_tolerance": 1e-12,
}
NUMBERS = ["age", "educ", "married", "nodegree", "re74", "re75"]
MAHALANOBIS = {
    **NEIGHBOUR,
    "method": "mahalanobis",
    "covariates": NUMBERS,
    "covariance_of": "all",
    "order": "data",
}
SPEC = {
    "name": "one_difference",
    "estimator": "matched_difference",
    "designs": ["matched"],
    "outcomes": "all",
    "terms": ["att", "event"],
    "cluster": "firm",
    "inference": "abadie_imbens",
}


@pytest.fixture(scope="module")
def table():
    return lalonde.read_lalonde()


def section(**changes):
    both = [estimation(terms=["att"]).model_dump()["specs"][0], SPEC | changes]
    return EstimateSection.model_validate(estimation().model_dump() | {"specs": both})


def study_of(table, rule, spec=None, *, cluster=None, copies=1, **model):
    """Estimate two years, 1977 at zero and 1978 as given; `copies` entry years share firms."""
    scored = lalonde.score(table, **model)
    scores, covariates = scored.scores, lalonde.covariates_of(table)
    if copies > 1:
        later = scores["stack"] + 1
        scores = pd.concat([scores, scores[~scores["treated"]].assign(stack=later)])
        one = scores["treated"] & (scores["firm_id"] < "row0010")
        scores.loc[one, "stack"] = 1979
        covariates = pd.concat([covariates, covariates.assign(stack=1979)])
    match = lalonde.match_section({"matched": rule})
    matched = match_designs(scores, covariates, match)
    panel = pd.concat(
        [
            table[["firm_id"]].assign(year=year, sales=table["re78"] if year >= 1978 else 0.0)
            for year in (1977, 1978, 1979)
        ]
    )
    panel["cluster"] = panel["firm_id"] if cluster is None else cluster
    entry = scores[scores["treated"]].drop_duplicates("firm_id").set_index("firm_id")["stack"]
    panel["cohort"] = panel["firm_id"].map(entry).astype("Float64").astype("Int64")
    panel["cluster_entry"] = cluster_entry(panel)
    weights = matched.weights
    if cluster is None:
        weights = weights.assign(cluster=weights["firm_id"])
    study = prepare_study(
        conform(PANEL, panel),
        matched.matches,
        weights,
        outcomes=outcomes(),
        treatment=treatment(-1, 0),
        matched_times={},
        estimate=section(**(spec or {})),
        covariates=covariates,
    )
    redo = Redo(scores, covariates, lalonde.score_section(**model), match)
    return estimate_specs(study, redo)


def rows_of(results):
    rows = results.estimates[results.estimates["estimator"] == "one_difference"]
    return rows.set_index("named")


def expected_error(table, **rules):
    treated = table["treated"].to_numpy()
    score = estimated_score(table[lalonde.IN_SCORE], treated, "logit")
    points = np.round(score.probability, SCORE_DECIMALS)[:, None]
    firms = ScoredFirms(table["re78"].to_numpy(float), treated, points)
    rules = Rules(tolerance=LEAST_TIE_TOLERANCE, **rules)
    return np.sqrt(neighbour_variance(matching_effect(firms, "att", rules, score=score)))


def test_the_estimate_is_that_of_shared_ties(table):
    results = study_of(table, NEIGHBOUR)
    rows = rows_of(results)
    assert rows.loc["att", "estimate"] == pytest.approx(1968.79971586, abs=1e-7)
    stacked = results.estimates.set_index(["estimator", "term"])["estimate"]["main", "att"]
    assert rows.loc["att", "estimate"] == pytest.approx(stacked)
    assert rows.loc["event[0]", "estimate"] == rows.loc["att", "estimate"]
    assert rows.loc["event[-1]", "estimate"] == 0
    n_treated, n_control = rows.loc["att", ["n_treated", "n_control"]]
    assert rows.loc["att", "n_clusters"] == n_treated + n_control
    assert rows.loc["att", "n_treated_clusters"] == n_treated
    assert set(rows["inference"]) == {"abadie_imbens"}


def test_the_error_is_corrected_for_the_estimated_score(table):
    row = rows_of(study_of(table, NEIGHBOUR)).loc["att"]
    assert row["std_error"] == pytest.approx(expected_error(table))
    assert row["std_error"] != pytest.approx(1134.31908691, rel=1e-3)
    assert row["conf_high"] - row["estimate"] == pytest.approx(1.959964 * row["std_error"])
    assert "corrected for the estimated score" in row["note"]


def test_one_variance_for_all_on_request(table):
    row = rows_of(study_of(table, NEIGHBOUR, {"variance": "homoskedastic"})).loc["att"]
    assert row["std_error"] == pytest.approx(expected_error(table, variance="homoskedastic"))
    four = rows_of(study_of(table, NEIGHBOUR, {"variance_neighbours": 4})).loc["att"]
    assert four["std_error"] == pytest.approx(expected_error(table, own_neighbours=3))


def test_covariates_with_bias_adjustment(table):
    treated = table["treated"].to_numpy()
    points = whiten(table[NUMBERS], treated, pooled=False)
    cells = table.groupby("race").ngroup().to_numpy(np.int64)
    firms = ScoredFirms(table["re78"].to_numpy(float), treated, points, cells)
    found = matching_effect(
        firms,
        "att",
        Rules(own_neighbours=2, tolerance=1e-12),
        bias_covariates=table[["age", "educ"]].to_numpy(float),
    )
    spec = {"bias_adjustment": ["age", "educ"]}
    row = rows_of(study_of(table, {**MAHALANOBIS, "exact": ["race"]}, spec)).loc["att"]
    assert row["estimate"] == pytest.approx(found.estimate)
    assert row["std_error"] == pytest.approx(np.sqrt(neighbour_variance(found)))
    assert row["n_control"] == found.n_matches


def test_an_effect_without_a_variance_stands_with_the_reason(table):
    """A comparison firm that is alone in its cell is a match, and has nobody to measure it by."""
    few = table["race"].eq("hispan") & ~table["treated"]
    alone = table[~few | few.cumsum().eq(1)].reset_index(drop=True)
    row = rows_of(study_of(alone, {**MAHALANOBIS, "exact": ["race"]})).loc["att"]
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["std_error"])
    assert "1 firms have no other firm of their group in their cell" in row["note"]


def test_a_caliper_leaves_treated_firms_out(table):
    results = study_of(table, {**NEIGHBOUR, "caliper": 0.0005})
    row = rows_of(results).loc["att"]
    weights = results.estimates.set_index(["estimator", "term"])
    assert 0 < row["n_treated"] < 185
    assert row["n_treated"] == weights.loc[("main", "att"), "n_treated"]
    assert row["estimate"] == pytest.approx(weights.loc[("main", "att"), "estimate"])


def test_firms_without_the_outcome_are_left_out_and_counted(table):
    holes = table.assign(re78=table["re78"].where(table.index % 7 > 0))
    results = study_of(holes, NEIGHBOUR)
    row = rows_of(results).loc["att"]
    observed = holes["re78"].notna()
    assert row["n_obs"] == observed.sum()
    assert row["n_treated"] == (observed & holes["treated"]).sum()
    lacking = figure(results, FITS, "n_without_difference", estimator="one_difference")
    assert lacking == (~observed).sum()


def test_nobody_with_the_outcome_is_a_reason(table):
    empty = table.assign(re78=table["re78"].where(~table["treated"]))
    row = rows_of(study_of(empty, NEIGHBOUR)).loc["att"]
    assert np.isnan(row["estimate"])
    assert "no treated and comparison firms of one entry year" in row["note"]


@pytest.mark.parametrize(
    ("rule", "options", "lacks"),
    [
        ({**NEIGHBOUR, "replacement": False}, {}, "does not match neighbours with replacement"),
        (NEIGHBOUR, {"cluster": "one"}, "some assignment cluster holds several treated firms"),
        (NEIGHBOUR, {"copies": 2}, "some comparison firm serves two entry years"),
        (NEIGHBOUR, {"copies": 2, "fit": "pooled"}, "its score is pooled over entry years"),
    ],
)
def test_designs_that_it_is_not_for(table, rule, options, lacks):
    with pytest.raises(IdentificationError, match=lacks) as caught:
        study_of(table, rule, **options)
    assert "use estimator: stacked with cluster: assignment" in str(caught.value)


def test_clustered_assignment_is_refused_with_what_is_valid(table):
    with pytest.raises(IdentificationError, match="goes with cluster: firm, not assignment"):
        study_of(table, NEIGHBOUR, {"cluster": "assignment"})


def test_the_stacked_estimator_names_this_one():
    with pytest.raises(ValueError, match="use estimator: matched_difference"):
        estimation(inference="abadie_imbens")


def test_a_refit_on_support_is_the_study_of_the_firms_on_support(table):
    """Neither the effect nor its correction for the estimated score sees who is off support."""
    first = lalonde.score(table, support="min_max").scores
    kept = first.loc[(first["model"] == "logit") & first["on_support"], "firm_id"]
    alone = table[table["firm_id"].isin(kept)].reset_index(drop=True)
    assert 300 < len(alone) < len(table)
    again = rows_of(study_of(table, NEIGHBOUR, support="min_max", refit=True)).loc["att"]
    plain = rows_of(study_of(alone, NEIGHBOUR)).loc["att"]
    assert again["estimate"] == pytest.approx(plain["estimate"], rel=1e-9)
    assert again["std_error"] == pytest.approx(plain["std_error"], rel=1e-9)


def test_the_caliper_may_be_in_deviations_on_support(table):
    """As MatchIt takes it after discarding: the SD (n-1) of the scores that stay, both groups."""
    scored = lalonde.score(table, support="treated_range")
    rule = {**NEIGHBOUR, "caliper_sd": 0.2, "caliper_sd_of": "on_support"}
    found = lalonde.match(table, scored, own=rule)
    rows = scored.scores[(scored.scores["model"] == "logit") & scored.scores["on_support"]]
    assert (rows["treated"]).sum() == 185
    assert len(rows) < len(table)
    counts = found.counts.set_index(["design", "stack"])
    assert counts.loc[("own", "1978"), "caliper"] == pytest.approx(
        0.2 * rows["propensity_score"].std()
    )
