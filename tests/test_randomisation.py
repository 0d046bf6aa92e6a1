"""Randomisation inference: enumeration by hand, size, and reasons."""

from itertools import combinations
from math import factorial

import assignments_by_tables as by_tables
import numpy as np
import pandas as pd
import pytest
from matched_sets import nearest_design
from moving_firms import DESIGNS, moving_panel, moving_study
from stacked_tables import estimation, outcomes, treatment
from told import estimate_specs

from pipeline.commands.in_memory import match_in_memory
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform
from pipeline.effects.rows import spec_label
from pipeline.errors import IdentificationError
from pipeline.inference.active_units import active_units
from pipeline.inference.entry_assignments import lottery, participants, stacks_of
from pipeline.inference.randomisation import _require_draws, randomise
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.parallel import working
from pipeline.params.estimate import EstimateSection
from pipeline.params.inference import Randomisation
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection

SCORE = ScoreSection.model_validate(
    {
        "covariates": {"size": {"label": "Size", "column": "size", "transform": "level", "at": -1}},
        "unmatched": {"controls_from": "outside_treated_clusters"},
        "models": {
            "covariates": {
                "controls_from": "outside_treated_clusters",
                "covariates": ["size"],
                "fit": "per_stack",
                "link": "logit",
                "missing": "drop_firm",
                "support": "none",
            }
        },
    }
)
MATCH = MatchSection.model_validate(
    {
        "designs": {"matched": nearest_design("covariates", replacement=True)},
        "balance": {"denominator": "pooled", "threshold": 0.1},
    }
)


def panel_of(entry_of_cluster, *, per_cluster=4, share=1.0, effect=0.0, seed=0, n_clusters=8):
    """Return PANEL over 2003-2006; the first `share` of each opening cluster's firms enter."""
    rng = np.random.default_rng(seed)
    firm = np.arange(n_clusters * per_cluster)
    cluster = firm // per_cluster
    enters = firm % per_cluster < share * per_cluster
    rows = pd.DataFrame(
        {
            "firm_id": np.repeat([f"F{i:03d}" for i in firm], 4),
            "year": np.tile(np.arange(2003, 2007), len(firm)),
            "cluster": np.repeat([f"c{c}" for c in cluster], 4),
            "size": np.repeat(rng.normal(size=len(firm)), 4),
        }
    )
    cohort = pd.Series(cluster).map(entry_of_cluster).where(enters).to_numpy()
    rows["cohort"] = pd.array(np.repeat(cohort, 4)).astype("Int64")
    shock = rng.normal(size=(n_clusters, 4))[cluster].ravel()
    rows["sales"] = shock + rng.normal(size=len(rows))
    rows["sales"] += effect * (rows["year"] >= rows["cohort"]).fillna(False).astype(float)
    return conform(PANEL, rows.assign(cluster_entry=cluster_entry(rows)))


def prepared(panel, design="matched", named=None, **spec):
    found = match_in_memory(
        panel,
        outcomes=outcomes(**(named or {})),
        treatment=treatment(-1, 1),
        score=SCORE,
        match=MATCH,
        estimate=_section(design, spec),
    )
    return found.study, found.redo


def _section(design, spec):
    section = estimation().model_dump(exclude_none=True)
    section["headline"]["design"] = design
    section["specs"][0] |= {
        "designs": [design],
        "terms": ["att"],
        "cluster": "assignment",
        "randomisation": {"draws": 99, "seed": 1},
    } | spec
    return EstimateSection.model_validate(section)


def rows_of(panel, design="matched", named=None, **spec):
    study, redo = prepared(panel, design, named, **spec)
    rows = estimate_specs(study, redo).estimates
    rows = rows[(rows["named"] == "att") & (rows["sample"] == "all")]
    return rows.set_index("inference")


@pytest.mark.parametrize("design", ["matched", "unmatched"])
def test_enumerated_p_value_is_that_of_every_other_world_evaluated_by_itself(design):
    """2 of 8 clusters: 28 assignments, each evaluated from its own panel."""
    panel = panel_of({0: 2005, 1: 2005}, effect=1.0)
    found = rows_of(panel, design).loc["randomisation"]
    statistics = []
    for pair in combinations(range(8), 2):
        cohort = panel["cluster"].isin([f"c{c}" for c in pair]).map({True: 2005, False: None})
        world = panel.assign(cohort=cohort.astype("Int64"))
        world["cluster_entry"] = cluster_entry(world)
        statistics.append(rows_of(world, design, randomisation=None).loc["analytic", "statistic"])
    larger = np.abs(statistics) >= abs(statistics[0]) * (1 - 1e-9)
    assert found["p_value"] == pytest.approx(larger.mean(), abs=1e-12)
    assert "all of 28 assignments" in found["note"]
    assert "smallest attainable p 0.036" in found["note"]
    assert np.isnan(found["conf_low"]) and found["n_treated_clusters"] == 2


def test_a_large_effect_gets_the_smallest_p_value():
    found = rows_of(panel_of({0: 2005, 1: 2005}, effect=200.0), "unmatched").loc["randomisation"]
    assert found["p_value"] == pytest.approx(1 / 28)


def test_assignments_of_two_entry_years_are_counted_and_all_different():
    panel = panel_of({0: 2004, 1: 2005, 2: 2005})
    drawn = _lottery(panel)
    others = {tuple(dealt) for dealt in drawn.every_other()}
    assert drawn.n_assignments == factorial(8) // (2 * factorial(5)) == len(others) + 1
    entry = drawn.entries(drawn.dealt, np.random.default_rng(0))
    actual = panel.drop_duplicates("firm_id")["cohort"].to_numpy(float, na_value=np.nan)
    np.testing.assert_array_equal(entry, actual)


def test_where_some_firms_enter_as_many_do_elsewhere():
    drawn = _lottery(panel_of({0: 2005, 1: 2005}, share=0.5))
    dealt = drawn.dealt[::-1].copy()
    first, again, other = (
        set(np.flatnonzero(np.isfinite(drawn.entries(dealt, np.random.default_rng(seed)))))
        for seed in (0, 0, 5)
    )
    assert {firm // 10 for firm in first} <= {2, 3} and len(first) == 4
    assert first == again != other


def _lottery(panel):
    study, redo = prepared(panel)
    active = active_units(study, stacks_of(redo.scores))
    return lottery(active, participants(active, redo.scores))


@pytest.mark.slow
def test_random_draws_where_assignments_are_many():
    panel = panel_of({0: 2005, 1: 2005, 2: 2005, 3: 2005}, n_clusters=16, share=0.5, effect=0.5)
    found = rows_of(panel).loc["randomisation"]
    assert "99 random of 1,820 assignments" in found["note"]
    assert 0.01 <= found["p_value"] <= 1


@pytest.mark.slow
def test_size_with_two_treated_clusters():
    """Where all firms of two clusters enter, the test of a true null is exact at 1/28 and 2/28."""
    p_values = np.array(
        [
            rows_of(panel_of({0: 2005, 1: 2005}, seed=s), "unmatched").loc[
                "randomisation", "p_value"
            ]
            for s in range(60)
        ]
    )
    share = (p_values <= 7 / 28 + 1e-9).mean()
    assert abs(share - 0.25) <= 3 * np.sqrt(0.25 * 0.75 / 60)


def test_reasons():
    panel = panel_of({0: 2005, 1: 2005})
    study, redo = prepared(panel)
    active = active_units(study, stacks_of(redo.scores))
    with pytest.raises(IdentificationError, match="randomisation_every_cluster_treated"):
        lottery(active, np.ones(len(active.every.firm), dtype=bool))
    lone = rows_of(panel_of({0: 2005}), "unmatched").loc["randomisation"]
    assert "without a standard error" in lone["note"] and np.isnan(lone["p_value"])


@pytest.mark.parametrize(("n_worked", "refused"), [(4, True), (5, False)])
def test_no_test_where_most_assignments_cannot_be_estimated(n_worked, refused):
    statistics = np.full((10, 2), np.nan)
    statistics[:n_worked, 1] = 1.0
    if not refused:
        _require_draws(statistics)
        return
    with pytest.raises(IdentificationError, match=r"randomisation_draws_lost .percent 60"):
        _require_draws(statistics)


def test_ratios_say_that_the_methods_are_linear():
    named = {"sales": {"column": "sales", "transform": "proportional", "unit": "$", "label": "S"}}
    panel = panel_of({0: 2005, 1: 2005})
    panel["sales"] = np.exp(panel["sales"])
    rows = rows_of(panel, named=named, bias_reduced=True)
    for name in ("randomisation", "bias_reduced"):
        assert "linear estimators only" in rows.loc[name, "note"]


@pytest.mark.parametrize("design", ["unmatched", *DESIGNS])
def test_statistics_are_those_of_every_assignment_estimated_as_a_study_of_its_own(design):
    """Firms move between clusters, exit, lack values; the assignments are those of identifiers."""
    found, slow = both_ways(design, "not_yet_treated", draws=6, seed=4)
    np.testing.assert_allclose(found, slow, rtol=1e-10)
    assert np.isfinite(slow).mean() > 0.5


@pytest.mark.parametrize(
    "options",
    [
        {"average": "pooled"},
        {"covariates": ["age", "sector"]},
        {"year_effects_by": "sector"},
        {"cluster": "firm"},
    ],
)
def test_every_spec_is_estimated_again_as_it_is(options):
    found, slow = both_ways("odds", "never_treated", draws=2, seed=2, **options)
    np.testing.assert_allclose(found, slow, rtol=1e-8)


def test_an_assignment_that_cannot_be_made_has_no_statistic():
    """Of few clusters some assignments leave a year without comparison firms."""
    found, slow = both_ways("cells", "not_yet_treated", draws=8, seed=1, n_clusters=9)
    assert 0 < np.isnan(slow).sum() < slow.size
    np.testing.assert_allclose(found, slow, rtol=1e-10)


def test_two_assignments_at_a_time_are_those_of_one_at_a_time():
    study, redo = both(moving_study(moving_panel(), "odds", "never_treated"))
    spec, labels = drawing(study, "odds", draws=20, seed=3)
    one = randomise(study, redo, spec, labels).statistics
    with working(2):
        two = randomise(study, redo, spec, labels).statistics
    np.testing.assert_array_equal(one, two)


def both_ways(design, comparison, draws, seed, n_clusters=24, **options):
    """Return statistics of random assignments, as `randomise` finds them and one by one."""
    panel = moving_panel(n_clusters=n_clusters)
    study, redo = both(moving_study(panel, design, comparison, **options))
    spec, labels = drawing(study, design, draws, seed)
    entries = by_tables.Draws(study, redo).random(seed, draws)
    slow = [by_tables.statistics(study, redo, spec, labels, own) for own in entries]
    return randomise(study, redo, spec, labels).statistics, np.array(slow)


def both(prepared):
    return prepared.study, prepared.redo


def drawing(study, design, draws, seed):
    """Return the spec with fewer draws than params allow, and the labels of its outcomes."""
    drawn = Randomisation.model_construct(draws=draws, seed=seed)
    spec = study.estimate.specs[0].model_copy(update={"randomisation": drawn})
    return spec, [spec_label(study, spec, design, outcome) for outcome in study.outcomes]
