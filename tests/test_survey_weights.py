"""Sampling weights of a survey in every step: whole numbers are firms copied so often."""

import json
from dataclasses import replace

import assignments_by_tables as by_tables
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from copied_firms import copied_terms
from matched_sets import nearest_design
from moving_firms import SCORE, moving_panel
from results import study_results
from sklearn.metrics import roc_auc_score
from stacked_tables import estimation, outcomes, treatment
from test_cleaning import rows
from test_disclosure import with_dominance
from test_options import replaced
from workspace import section

from pipeline.analyses.largest_firms import outcome_dominance
from pipeline.analyses.specs import estimate_specs
from pipeline.commands.in_memory import balance_in_memory, match_in_memory
from pipeline.commands.replication.stand_in import made_up_panel
from pipeline.datasets.panel import PANEL, SAMPLING_WEIGHT
from pipeline.datasets.rules import DATA_RULES
from pipeline.datasets.samples import BASELINES
from pipeline.datasets.selection import SCORES
from pipeline.datasets.store import as_stored, conform, read, write
from pipeline.effects.rows import spec_label
from pipeline.errors import DataError, ParamsError
from pipeline.exhibits.words.sampling import sampling_words
from pipeline.inference.bootstrap import bootstrap_terms
from pipeline.inference.randomisation import randomise
from pipeline.matching.largest_firms import covariate_dominance
from pipeline.panel.rules.weights import give_weights, without_repeated
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.inference import Randomisation
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection
from pipeline.params.study import cross_faults, read_study
from pipeline.publishing.disclosure.dominance import dominated_effects
from pipeline.publishing.study import study_tables
from pipeline.selection.score_fit import fit_score
from stages import score
from stages.run import Folders

DESIGNS = {
    "shared": nearest_design("own", replacement=True),
    "radius": {"method": "radius", "score": "own", "distance": "linear", "exact": []}
    | {"caliper": 1.0, "caliper_sd": None},
    "odds": {"method": "odds", "score": "own"},
    "pooled": {"method": "odds", "score": "pooled"},
    "overlap": {"method": "overlap", "score": "own"},
    "cells": {"method": "cells", "score": "own", "exact": ["sector"], "bins": {}},
    "kernel": {"method": "kernel", "score": "own", "distance": "linear", "bandwidth": 0.5}
    | {"exact": [], "bins": {}},
    "entropy": {"method": "entropy", "score": "own", "covariates": ["size", "age"]}
    | {"moments": 1, "base": "equal"},
}
STACKED = {
    "name": "main",
    "estimator": "stacked",
    "outcomes": ["sales"],
    "terms": ["att", "event"],
    "average": "event",
    "cluster": "assignment",
}


def group_time(**changes):
    return {
        "name": "group_time",
        "estimator": "group_time",
        "designs": ["unmatched"],
        "outcomes": ["sales"],
        "terms": ["att", "att_gt"],
        "average": "simple",
        "cluster": "assignment",
        "method": "doubly_robust",
        "covariates": ["size"],
        "base": "universal",
        "bands": False,
    } | changes


ANALYSES = {
    "margins": {"designs": ["odds"], "outcomes": ["exports"], "cluster": "assignment"},
    "groups": {"designs": ["odds"], "outcomes": ["sales"], "cluster": "assignment"}
    | {"match": "within", "least_firms": 2}
    | {"by": {"old": {"label": "Age", "transform": "level", "column": "age", "edges": [15.0]}}},
    "survival": {"designs": ["odds"], "outcomes": ["sales"], "cluster": "assignment"}
    | {"exit": {"known_by": "last_year", "least_years_absent": 1}},
}


def measured(panel, designs=DESIGNS):
    """Return the study matched in memory, with its results."""
    named = {
        "sales": {"column": "sales", "transform": "level", "unit": "$", "label": "Sales"},
        "percent": {"column": "worth", "transform": "percent_of_mean", "unit": "$", "label": "W"},
        "exports": {"column": "worth", "transform": "proportional", "unit": "$", "label": "X"},
    }
    asked = estimation(missing="renormalise").model_dump(exclude_none=True)
    asked["headline"]["design"] = "odds"
    asked["specs"] = [
        STACKED | {"designs": ["unmatched", *designs]},
        STACKED | {"name": "other", "designs": ["odds"], "outcomes": ["percent", "exports"]},
        group_time(),
        group_time(name="matched", designs=["odds"], method="difference", covariates=[]),
        group_time(name="panel", firms="panel", gaps="pairs"),
    ]
    asked["analyses"] = ANALYSES
    balance = {"denominator": "pooled", "threshold": 0.1}
    found = match_in_memory(
        panel,
        outcomes=outcomes(**named),
        treatment=treatment(-3, 2),
        score=ScoreSection.model_validate(SCORE),
        match=MatchSection.model_validate(
            {"designs": {name: DESIGNS[name] for name in designs}, "balance": balance}
        ),
        estimate=EstimateSection.model_validate(asked),
    )
    return found, estimate_specs(found.study, found.redo)


def weighted_panel():
    panel = moving_panel(n_clusters=12)
    firms = panel["firm_id"].unique()
    times = pd.Series(np.random.default_rng(5).integers(1, 4, len(firms)) * 1.0, index=firms)
    worth = np.exp(panel["sales"]).round(1)
    return panel.assign(worth=worth, **{SAMPLING_WEIGHT: panel["firm_id"].map(times)})


def copies(panel):
    """Return the panel without weights and with each firm as often as it weighs."""
    parts = [
        panel[panel[SAMPLING_WEIGHT] >= copy].assign(
            firm_id=lambda rows, copy=copy: rows["firm_id"] + f"_{copy}"
        )
        for copy in (1, 2, 3)
    ]
    return conform(PANEL, pd.concat(parts).drop(columns=SAMPLING_WEIGHT))


@pytest.fixture(scope="module")
def both():
    panel = weighted_panel()
    return measured(panel), measured(copies(panel))


def test_scores_are_those_of_copies(both):
    one, other = (found.scores for (found, _) in both)
    own = one.set_index(["model", "stack", "firm_id"])["linear_score"]
    copied = other.assign(firm_id=other["firm_id"].str.rsplit("_", n=1).str[0])
    copied = copied.drop_duplicates(["model", "stack", "firm_id"])
    copied = copied.set_index(["model", "stack", "firm_id"])["linear_score"]
    pd.testing.assert_series_equal(own, copied.reindex(own.index), atol=2e-8, rtol=0)


def test_the_stage_that_scores_reads_the_weights(both, tmp_path):
    (found, _), _ = both
    folders = Folders("s", tmp_path)
    write(PANEL, found.study.panel, folders.of("clean"))
    data = section("simulated")["data"] | {"weight": "employment"}
    score.main(
        folders,
        data=DataSection.model_validate(data),
        treatment=treatment(-3, 2),
        score=found.redo.score,
    )
    stored = as_stored(SCORES, found.scores)
    pd.testing.assert_frame_equal(read(SCORES, folders.of("score")), stored)


def test_balance_is_that_of_copies(both):
    one, other = (balance_in_memory(found) for (found, _) in both)
    key = ["design", "stack", "covariate", "category", "sample"]
    one, other = (table.set_index(key).sort_index() for table in (one, other))
    for column in ("mean_treated", "mean_control", "ks_distance"):
        np.testing.assert_allclose(one[column], other[column], atol=1e-7, err_msg=column)
    # of a binary, whose variance is p (1 - p); others' divide by fewer firms than those of copies
    shares = one.index.get_level_values("covariate") == "sector"
    np.testing.assert_allclose(one["std_diff"][shares], other["std_diff"][shares], atol=1e-7)


def test_effects_and_means_are_those_of_copies(both):
    one, other = (results for (_, results) in both)
    keys = ["outcome", "design", "estimator", "sample", "grouping", "subgroup", "term", "cohort"]
    keys += ["year", "event_time", "inference", "band", "scale"]
    both_rows = one.estimates.merge(other.estimates, on=keys, suffixes=("", "_copies"))
    assert len(both_rows) == len(one.estimates) > 100
    # a firm is the largest with its weight, and of copies one alone
    known = both_rows[~both_rows["sample"].str.startswith("without_largest")].dropna(
        subset="estimate"
    )
    np.testing.assert_allclose(known["estimate"], known["estimate_copies"], atol=1e-7)
    assert set(known["estimator"]) >= {"margins", "groups", "survival", "matched", "panel"}
    # errors are of clusters, copies or not; their factors count rows
    ratio = (known["std_error"] / known["std_error_copies"]).dropna()
    assert ratio.between(0.99, 1.1).all()
    paths = one.paths.merge(other.paths, on=["outcome", "design", "treated", "event_time"])
    np.testing.assert_allclose(paths["mean_x"], paths["mean_y"], atol=1e-7)
    means = [results.details[BASELINES.name]["mean"] for results in (one, other)]
    np.testing.assert_allclose(*means, rtol=1e-8)


@pytest.mark.parametrize("design", ["unmatched", "pooled", "entropy", "cells"])
def test_bootstrap_draws_count_weights_and_copies(both, design):
    (found, _), _ = both
    spec = next(s for s in found.study.estimate.specs if s.name == "main")
    draws = {"inference": "cluster_bootstrap", "draws": 2, "seed": 3, "terms": ["att"]}
    spec = spec.model_copy(update=draws)
    drawn = bootstrap_terms(found.study, found.redo, spec, design, ["sales"])
    copied, failure = copied_terms(found.study, found.redo, spec, design, "sales")
    assert failure is None and drawn.failure is None
    np.testing.assert_allclose(drawn.terms["sales"], pd.DataFrame(copied), rtol=1e-9)


@pytest.mark.parametrize("design", ["odds", "shared"])
def test_assignments_of_entry_keep_the_weights(both, design):
    (found, _), _ = both
    study, redo = found.study, found.redo
    spec = next(s for s in study.estimate.specs if s.name == "main")
    asked = Randomisation.model_construct(draws=2, seed=4)
    spec = spec.model_copy(update={"randomisation": asked, "terms": ["att"]})
    labels = [spec_label(study, spec, design, "sales")]
    entries = by_tables.Draws(study, redo).random(4, 2)
    slow = [by_tables.statistics(study, redo, spec, labels, own) for own in entries]
    np.testing.assert_allclose(randomise(study, redo, spec, labels).statistics, slow, rtol=1e-9)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_the_score_is_the_weighted_likelihoods(link):
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame({"size": rng.normal(3, 2, 400), "age": rng.normal(20, 5, 400)})
    treated = rng.random(400) < 1 / (1 + np.exp(2 - 0.4 * covariates["size"].to_numpy()))
    weight = rng.uniform(0.2, 9, 400)
    fit = fit_score(covariates, treated, link, errors="robust", weight=weight)
    family = sm.families.Binomial(getattr(sm.families.links, link.capitalize())())
    columns = sm.add_constant(covariates)
    model = sm.GLM(treated * 1.0, columns, family=family, freq_weights=weight)
    plain = model.fit(method="newton", tol=1e-12)
    np.testing.assert_allclose(fit.coefficients["estimate"], plain.params, rtol=1e-7)
    scores = model.score_obs(plain.params)
    bread = np.linalg.inv(-model.hessian(plain.params, observed=True))
    sandwich = bread @ (scores.T @ scores) @ bread * 400 / 399
    np.testing.assert_allclose(fit.covariance, sandwich, rtol=1e-5)
    auc = roc_auc_score(treated, plain.predict(), sample_weight=weight)
    assert fit.auc == pytest.approx(auc)
    assert fit.pseudo_r2 == pytest.approx(1 - plain.llf / plain.llnull)


# A has no weight in its second year, B none at all.
PANEL_ROWS = """
firm_id year cohort sales weight
A       2001 2002   10    3
A       2002 2002   11    -
B       2001 -      20    -
C       2001 -      30    0.5
"""


def weighed(text=PANEL_ROWS):
    return give_weights(rows(text), column="weight", called="Weight")


def test_a_firm_has_its_weight_in_all_years_and_one_without_is_left_out_and_counted():
    ruled = weighed()
    assert ruled.panel[SAMPLING_WEIGHT].tolist() == [3.0, 3.0, 0.5]
    assert ruled.panel["firm_id"].tolist() == ["A", "A", "C"]
    assert ruled.step.code == "with_sampling_weight"
    assert SAMPLING_WEIGHT not in without_repeated(ruled.panel, "weight")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("30    0.5", "30    0", "must be a number above zero; 1 rows of 1 firms break it"),
        ("30    0.5", "30    -2", "must be a number above zero"),
        ("11    -", "11    4", "must be one number for each firm; 2 rows of 1 firms break it"),
    ],
)
def test_weights_that_are_none_or_change_stop(old, new, message):
    with pytest.raises(DataError, match=message):
        weighed(PANEL_ROWS.replace(old, new))


def faults(change=None):
    """Return the faults of the simulated study, changed, with a weight that its specs can carry."""
    block = section("simulated")
    block["data"]["weight"] = "employment"
    for model in block["score"]["models"].values():
        model["errors"] = "robust"
    kept = ("stacked", "group_time")
    specs = block["estimate"]["specs"]
    block["estimate"]["specs"] = [spec for spec in specs if spec["estimator"] in kept]
    names = {spec["name"] for spec in block["estimate"]["specs"]}
    panels = block["exhibit"]["panels"]
    block["exhibit"]["panels"] = [panel for panel in panels if panel["spec"] in names]
    block["estimate"]["analyses"].pop("size_weighted")
    if change is not None:
        change(block)
    return list(cross_faults(read_study({"studies": ["s"], "s": block}, "s")))


def of_model(**changes):
    return lambda block: block["score"]["models"]["covariates"].update(changes)


def of_design(**design):
    return lambda block: block["match"]["designs"].update(own={"score": "covariates"} | design)


def of_spec(estimator, **changes):
    def change(block):
        specs = block["estimate"]["specs"]
        spec = next(spec for spec in specs if spec["estimator"] == estimator)
        spec.update(changes)

    return change


def with_spec(name):
    (whole,) = (s for s in section("simulated")["estimate"]["specs"] if s["name"] == name)
    return lambda block: block["estimate"]["specs"].append(whole)


EXTERNAL = {"method": "external", "file": "w.csv", "content": "weights", "firm_id": "id"}
EXTERNAL |= {"control_id": None, "weight": "w", "stack": None}
ENTROPY = {"method": "entropy", "covariates": ["age"], "moments": 1}
ENTROPY |= {"base": "covariate", "base_covariate": "age"}


def test_what_carries_weights_is_not_refused():
    assert faults() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (of_model(errors="conventional"), "covariates.errors: conventional errors are not"),
        (of_model(support="trim", trim_share=0.1), "support: trim takes a share of firms"),
        (of_design(**EXTERNAL), "designs.own.method: external weights do not carry"),
        (of_design(**ENTROPY), "designs.own.base: covariate would weight beside data.weight"),
        (of_spec("group_time", weight_by="size"), "weight_by: data.weight weights every effect"),
        *((with_spec(name), f"{name} does not carry data.weight; use stacked or group_time")
          for name in ("twoway", "lee_bounds", "sun_abraham", "imputation", "extended_twoway")),
        (lambda block: block["data"].update(weight="municipality"), "this needs a number column"),
        (lambda block: block["data"].update(weight="absent"), "absent is not in data.columns"),
    ],
)  # fmt: skip
def test_what_cannot_carry_weights_is_refused_and_named(change, message):
    assert [fault for fault in faults(change) if message in fault], faults(change)


def test_strata_are_refused_with_what_errors_then_mean():
    with pytest.raises(ParamsError, match="strata: strata of a survey are not supported: errors"):
        faults(lambda block: block["data"].update(strata="municipality"))


def test_stand_ins_of_weights_are_one_number_above_zero_a_firm():
    block = section("simulated")
    block["data"]["weight"] = "employment"
    study = read_study({"studies": ["s"], "s": block}, "s")
    column = study.data.columns["employment"].column
    ids = pd.Series(["A", "A", "B", "C"])
    rows = pd.DataFrame({study.data.firm_key: ids, column: [0.2, 0.2, 7.0, 1.5]})
    codes = {"A": "S1", "B": "S2", "C": "S3"}
    made = made_up_panel(rows, study, codes, np.random.default_rng(0))[column]
    assert (made > 0).all() and made[0] == made[1] and made.nunique() == 3
    assert not (made == rows[column]).any()


@pytest.fixture(scope="module")
def sampled():
    """Return results of a study whose panel has sampling weights."""
    results = study_results()
    rules = results.details.of(DATA_RULES)
    (at,) = rules.index[rules["rule"] == "data"]
    options = json.loads(rules.loc[at, "options"]) | {"weight": "employment"}
    changed = rules.copy()
    changed.loc[at, "options"] = json.dumps(options)
    return replaced(results, DATA_RULES, changed)


def asking(results, **exhibit):
    asked = results.settings.exhibit.model_copy(update=exhibit)
    return replace(results, settings=replace(results.settings, exhibit=asked))


def test_the_weight_is_named_in_the_language_of_the_report(sampled):
    said = {
        "en": ("Weighted by sampling weight: Empl", "Not weighted by sampling weight (Empl"),
        "es": ("Ponderado por peso muestral: Empl", "Sin ponderar por peso muestral (Empl"),
        "pt": ("Ponderado por peso amostral: Empl", "Sem ponderação por peso amostral (Empl"),
    }
    for language, (weighted, not_weighted) in said.items():
        results = asking(sampled, language=language)
        with results.speaking():
            assert weighted in sampling_words(results, "weighted")
            assert not_weighted in sampling_words(results, "not_weighted")
            assert "(Empl" in sampling_words(results, "in_methods")


def test_every_table_says_whether_it_is_weighted(sampled):
    asked = asking(sampled, tables=["score", "sample_flow", "settings"])
    notes = {name: " ".join(table.notes) for name, table in study_tables(asked).items()}
    assert "Weighted by sampling weight" in notes["score"]
    assert "Not weighted by sampling weight" in notes["sample_flow"]
    assert "sampling weight" not in notes["settings"]


def test_one_firm_with_most_of_the_weights_hides_effects_and_means_on_any_scale(sampled):
    panel = weighted_panel()
    first = panel.loc[panel["cohort"].notna(), "firm_id"].iloc[0]
    heavy = panel[SAMPLING_WEIGHT].mask(panel["firm_id"] == first, 1e3)
    (found, results) = measured(panel.assign(**{SAMPLING_WEIGHT: heavy}), ["odds"])
    shares = outcome_dominance(found.study).query("treated")
    assert (shares["share"] > 90).all() and shares["estimator"].isna().any()
    means = covariate_dominance(found.firm_stacks, found.redo.score, found.redo.match)
    whole = means[(means["stack"] == "all") & means["treated"].astype(bool)]
    assert {"size", "sector", "propensity_score"} <= set(whole["covariate"])
    assert (whole.loc[whole["sample"] == "after", "share"] > 90).all()
    groups = results.estimates.query("estimator == 'groups'")
    assert set(groups["reason"].dropna()) == {"group_on_few_weights"}
    assert groups["estimate"].isna().any() and groups["estimate"].notna().any()


def test_effects_on_logs_and_on_survival_are_hidden_with_the_weights_that_they_rest_on(sampled):
    rows = sampled.estimates
    one = rows["outcome"].isin(["sales_log", "survival"]) & (rows["design"] == "covariates_lags")
    survives = rows[rows["outcome"] == "sales_log"].head(1).assign(outcome="survival")
    survives = survives.assign(design="covariates_lags")
    every = pd.concat([rows, survives], ignore_index=True)
    heavy = with_dominance(replace(sampled, estimates=every), 99.0)
    marks = dominated_effects(heavy)
    assert marks[np.append(one.to_numpy(), True)].all() and not marks.all()
    unweighted = with_dominance(replace(study_results(), estimates=every), 99.0)
    assert not dominated_effects(unweighted).any()
