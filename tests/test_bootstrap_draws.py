"""Draws of clusters as frequencies: equal to scoring, weighing and estimating copies of firms."""

import numpy as np
import pandas as pd
import pytest
import simulation
from copied_firms import copied_terms
from workspace import section

from pipeline.effects.study import prepare_study
from pipeline.inference.bootstrap import bootstrap_terms, draws_of
from pipeline.matching.designs import match_designs
from pipeline.matching.redo import Redo
from pipeline.panel.clean import clean_panel
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection, StackedSpec
from pipeline.params.inference_faults import SMOOTH
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreModel, ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.propensity import score_risk_sets
from pipeline.selection.risk_sets import pooled_risk_sets, risk_sets
from pipeline.simulation.simulate import simulate_programme

NUMBERS = ["employment_log", "age", "foreign_owned"]
SCORED = {"controls_from": "all", "covariates": NUMBERS, "missing": "drop_firm"}
MODELS = {
    "plain": {"fit": "per_stack", "link": "logit", "support": "none"},
    "refitted": {"fit": "pooled", "link": "probit", "support": "min_max", "refit": True},
    "trimmed": {"fit": "per_stack", "link": "logit", "support": "trim", "trim_share": 0.1},
    "dense": {"fit": "pooled", "link": "logit", "support": "density", "trim_share": 0.1},
    "bounded": {"fit": "per_stack", "link": "probit", "support": "bound", "score_bound": 0.4},
    "ranges": {"fit": "pooled", "link": "logit", "support": "comparison_range"},
    "sectors": {
        "fit": "pooled",
        "link": "logit",
        "support": "none",
        "covariates": ["employment_log", "sector"],
    },
    "sectors_left_out": {
        "fit": "per_stack",
        "link": "logit",
        "support": "min_max",
        "covariates": ["employment_log", "sector"],
        "untreated_categories": "leave_out",
    },
    "sectors_by_year": {
        "fit": "per_stack",
        "link": "logit",
        "support": "none",
        "covariates": ["employment_log", "sector"],
    },
}
ENTROPY = {"method": "entropy", "covariates": [*NUMBERS, "sector"], "moments": 1, "base": "equal"}
KERNEL = {"method": "kernel", "exact": [], "distance": "linear", "bandwidth": 0.3}
CELLS = {"method": "cells", "exact": ["sector", "employment_log"]}
# Run by default: each method, and each rule that counts firms.
OFTEN = ["odds_plain", "odds_refitted", "odds_trimmed", "odds_dense", "overlap"]
OFTEN += ["entropy_moments", "kernel_within", "cells_by_rank"]
DESIGNS = {
    **{f"odds_{model}": {"score": model, "method": "odds"} for model in MODELS},
    "overlap": {"score": "trimmed", "method": "overlap"},
    "entropy": {"score": "refitted", **ENTROPY},
    "entropy_moments": {"score": "plain", **ENTROPY, "covariates": NUMBERS, "moments": 2},
    "entropy_of_odds": {"score": "ranges", **ENTROPY, "base": "odds"},
    "entropy_of_weights": {
        "score": "ranges",
        **ENTROPY,
        "covariates": ["employment_log"],
        "base": "covariate",
        "base_covariate": "distance",
    },
    "kernel": {"score": "trimmed", **KERNEL},
    "kernel_within": {
        "score": "refitted",
        **KERNEL,
        "distance": "probability",
        "bandwidth": 0.05,
        "exact": ["sector"],
    },
    "cells": {"score": "plain", **CELLS, "bins": {"employment_log": {"edges": [3.0, 4.0]}}},
    "cells_by_rank": {"score": "plain", **CELLS, "bins": {"employment_log": {"quantiles": 3}}},
    "cells_by_width": {"score": "plain", **CELLS, "bins": {"employment_log": {"equal_width": 4}}},
}
SPECS = {
    "event": {"average": "event", "event_bins": [{"first_event_time": 0, "last_event_time": 2}]},
    "pooled": {"average": "pooled"},
    "adjusted": {"average": "event", "covariates": ["manager_education", "sector"]},
    "adjusted_pooled": {"average": "pooled", "covariates": ["manager_education"]},
    "by_sector": {"average": "event", "year_effects_by": "sector"},
    "by_sector_pooled": {"average": "pooled", "year_effects_by": "sector"},
}
DRAWS = {"designs": ["unmatched"], "draws": 50, "seed": 4, "inference": "cluster_bootstrap"}


def spec(draws, **changes):
    """Return a spec of all terms, with some draws."""
    named = {"name": "main", "estimator": "stacked", "outcomes": "all", "terms": ["att", "event"]}
    asked = StackedSpec.model_validate(named | DRAWS | {"cluster": "assignment"} | changes)
    return asked.model_copy(update={"draws": draws})


@pytest.fixture(scope="module")
def prepared():
    """Return the study of 900 simulated firms, some observed in some years only, and its redo."""
    block = section("simulated")
    block["score"]["models"] = {name: SCORED | model for name, model in MODELS.items()}
    block["match"]["designs"] = DESIGNS
    chosen = TreatmentSection.model_validate(block["treatment"])
    score = ScoreSection.model_validate(block["score"])
    match = MatchSection.model_validate(block["match"])
    firms = simulate_programme(
        simulation.settings(firms=900, municipalities=12, sectors=5, treated_clusters=24),
        np.random.default_rng(2),
    )
    panel = clean_panel(
        firms.panel,
        firms.register,
        {},
        data=DataSection.model_validate(block["data"]),
        clean=CleanSection.model_validate(block["clean"]),
        treatment=chosen,
    ).panel
    candidates = risk_sets(panel, chosen).firms
    dated = dated_covariates(panel, candidates, score.covariates)
    scores = score_risk_sets(pooled_risk_sets(candidates, score), dated, score).scores
    matched = match_designs(scores, dated, match.model_copy(update={"designs": {}}))
    headline = {"spec": "main", "design": "unmatched", "term": "att"}
    named = {"name": "main", "estimator": "stacked", "outcomes": "all", "terms": ["att"]}
    specs = [named | {"average": "event", "designs": ["unmatched"], "cluster": "assignment"}]
    block["estimate"] |= {"headline": headline, "analyses": {}, "specs": specs}
    study = prepare_study(
        panel,
        matched.matches,
        matched.weights,
        outcomes=OutcomesSection.model_validate(block["outcomes"]),
        treatment=chosen,
        matched_times={},
        estimate=EstimateSection.model_validate(block["estimate"]),
        covariates=dated,
        score=score,
    )
    return study, Redo(scores, dated, score, match)


def compared(prepared, asked, design, outcome="sales_log"):
    """Require the same terms and failures of both ways; return estimates by draw, and failure."""
    study, redo = prepared
    found = bootstrap_terms(study, redo, asked, design, [outcome])
    copied, failure = copied_terms(study, redo, asked, design, outcome)
    assert found.failure == failure
    expected, terms = pd.DataFrame(copied), found.terms[outcome]
    assert list(terms.columns) == list(expected.columns)
    # Outcomes of about 10 leave rounding of 1e-13, which may exceed 1e-10 of an effect near zero.
    np.testing.assert_allclose(terms.to_numpy(), expected.to_numpy(), rtol=1e-10, atol=1e-12)
    return terms, failure


def test_every_smooth_method_is_compared():
    assert {design["method"] for design in DESIGNS.values()} == set(SMOOTH)
    assert {DESIGNS[name]["method"] for name in OFTEN} == set(SMOOTH)


@pytest.mark.parametrize("design", ["unmatched", *OFTEN])
def test_draws_of_a_design_are_those_of_copied_firms(prepared, design):
    terms, _ = compared(prepared, spec(2, **SPECS["event"]), design)
    assert terms.notna().all(axis=None) and terms.nunique().max() == 2


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["sales_log", "exports_any", "rent_log"])
@pytest.mark.parametrize("design", DESIGNS)
def test_draws_of_every_design_are_those_of_copied_firms(prepared, design, outcome):
    compared(prepared, spec(5, **SPECS["event"]), design, outcome)


@pytest.mark.parametrize("asked", ["pooled", "adjusted_pooled", "by_sector", "by_sector_pooled"])
def test_draws_of_a_spec_are_those_of_copied_firms(prepared, asked):
    terms, _ = compared(prepared, spec(1, **SPECS[asked]), "unmatched", "exports_any")
    assert terms.notna().all(axis=None)


@pytest.mark.slow
@pytest.mark.parametrize("design", ["unmatched", "odds_plain", "entropy"])
@pytest.mark.parametrize("asked", SPECS)
def test_draws_of_every_spec_are_those_of_copied_firms(prepared, asked, design):
    compared(prepared, spec(4, **SPECS[asked]), design)


@pytest.mark.parametrize("design", ["odds_plain", "entropy", "kernel", "cells"])
def test_weights_of_comparison_firms_sum_to_the_treated_drawn(prepared, design):
    again = draws_of(*prepared, design)
    frequency = again.clusters.draw(np.random.default_rng(5))
    weight, every = again.weights(frequency), again.candidates.every
    for year in np.unique(every.stack):
        sums = [weight[(every.stack == year) & (every.treated == side)].sum() for side in (1, 0)]
        assert sums[0] == pytest.approx(sums[1]) and sums[0] > 0
    used = every.treated & (weight > 0)
    np.testing.assert_array_equal(weight[used], frequency[used])


def rarely(prepared, model):
    """Return a study with a covariate that treated firms of one cluster have, and another cluster.

    Where that other is not drawn, `rare` separates the groups, and so does `shifted` less `age`.
    """
    study, redo = prepared
    firms = redo.scores[redo.scores["model"] == "plain"]
    near = firms.groupby("cluster")["treated"].any()
    dated = redo.covariates.merge(firms[["stack", "firm_id", "cluster", "treated"]], how="left")
    treated = (dated["cluster"] == near.index[near][0]) & dated["treated"].eq(True)
    rare = (treated | (dated["cluster"] == near.index[~near][0])).astype(float)
    covariates = redo.covariates.assign(rare=rare, shifted=redo.covariates["age"] + rare)
    score = redo.score.model_copy(update={"models": {"rare": ScoreModel(**SCORED | model)}})
    scores = firms.assign(model="rare")
    match = MatchSection.model_validate(
        {
            "designs": {"odds": {"score": "rare", "method": "odds"}},
            "balance": redo.match.balance.model_dump(),
        }
    )
    return study, Redo(scores, covariates, score, match)


@pytest.mark.parametrize(
    ("named", "code"),
    [
        (["employment_log", "rare"], "covariate_separates"),
        (["employment_log", "age", "shifted"], "covariates_separate"),
        (["employment_log", "sector"], "category_without_group"),
    ],
)
def test_a_draw_that_fails_has_the_reason_of_the_copied_firms(prepared, named, code):
    fit = "per_stack" if "sector" in named else "pooled"
    model = {"fit": fit, "link": "logit", "support": "none", "covariates": named}
    terms, failure = compared(rarely(prepared, model), spec(6, **SPECS["event"]), "odds")
    assert failure.code == code
    assert len(terms) == 6
    if fit == "pooled":
        assert 0 < terms.isna().all(axis=1).sum() < 6
