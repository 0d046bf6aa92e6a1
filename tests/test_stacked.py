"""Missing rules on hand-computed tables, and exact identities of the stacked estimator."""

import numpy as np
import pandas as pd
import pytest
from regressions import least_squares
from stacked_tables import (
    as_text,
    estimation,
    joined,
    matches_from,
    no_matches,
    panel_from,
    random_study,
    sample_of,
    treatment,
    weights_from,
)

from pipeline.effects.absorb import demean, singletons_dropped, two_effects
from pipeline.effects.description import sample_figures
from pipeline.effects.sample import StackedSample, stacked_sample
from pipeline.effects.stacks import join_stacks
from pipeline.effects.terms import ATT, EVENT_AVERAGE, Term
from pipeline.errors import DataError
from pipeline.estimators.stacked import event_effects, fit_cells, stacked_terms
from pipeline.estimators.stacked_regressors import event_regressors, pooled_regressors
from pipeline.estimators.twoway import fit_twoway, flat_sample
from pipeline.estimators.year_cells import year_cells
from pipeline.inference.analytic import infer
from pipeline.panel.panel_index import index_panel
from pipeline.panel.scale import transform

HOLES = """
firm_id cluster 2003 2004 2005 2006
T1      a       1    2    3    4
T2      a       1    2    .    4
T3      b       1    2    3    4
C1      c       1    2    3    4
C2      c       1    2    3    .
C3      d       1    x    3    4
"""
SETS = """
stack set_id firm_id treated
2005  A      T1      1
2005  A      C1      0
2005  A      C2      0
2005  B      T2      1
2005  B      C2      0
2005  C      T3      1
2005  C      C3      0
"""

MISSING_RULES = ("drop_set", "renormalise")


def fit(sample: StackedSample, panel: pd.DataFrame, term: str = "att"):
    """Return the pooled average, and years of anticipation, or the effects by event time."""
    rows = year_cells(sample, panel, None)
    if term == "att":
        return fit_cells(sample, pooled_regressors(sample), rows, by_entry=False)
    regressors = event_regressors(sample)
    return event_effects(fit_cells(sample, regressors, rows), regressors)


def values(sample: StackedSample, y, term: str, cells):
    """Apply the estimator of the pooled average (`att`) or of event times to a column."""
    average = {"att": "pooled", "event": "event"}[term]
    return stacked_terms(sample, y, estimation(average=average, terms=[term]).specs[0], cells)


def weighted_mean(sample: StackedSample, treated: bool, event_time: int) -> float:
    chosen = (sample.treated == treated) & (sample.event_time == event_time)
    return float(np.average(sample.y[chosen], weights=sample.weight[chosen]))


def test_drop_set_keeps_whole_sets_observed_in_the_reference_year():
    panel = panel_from(HOLES)
    sample = sample_of(panel, matches_from(SETS), (-2, 1), "drop_set")
    assert as_text(sample, panel) == [
        (2005, "C1", 2003, 0.5),
        (2005, "C1", 2004, 0.5),
        (2005, "C1", 2005, 0.5),
        (2005, "C2", 2003, 1.5),
        (2005, "C2", 2004, 1.5),
        (2005, "C2", 2005, 0.5),
        (2005, "T1", 2003, 1.0),
        (2005, "T1", 2004, 1.0),
        (2005, "T1", 2005, 1.0),
        (2005, "T2", 2003, 1.0),
        (2005, "T2", 2004, 1.0),
    ]
    assert sample.losses.firm_years_missing == 3
    assert sample.losses.firm_years_dropped == 10
    assert sample.losses.stack_years_dropped == 1
    assert sample.losses.treated_missing == 1
    # T1 and T3 are seen in four years, T2 in three; 2006 of A and B, and all of C, go with C2, C3
    assert (sample.losses.treated_years, sample.losses.treated_years_dropped) == (11, 6)
    # A has two comparison firms, B and C one
    assert sample_figures(sample)["comparison_firms_per_set"] == 4 / 3


def test_renormalise_scales_comparison_weights_to_the_treated_observed():
    panel = panel_from(HOLES)
    sample = sample_of(panel, matches_from(SETS), (-2, 1), "renormalise")
    weight = {(f, y): w for _, f, y, w in as_text(sample, panel)}
    assert {key for key in weight if key[0] == "C3"} == set()
    assert weight["C1", 2003] == 0.75 and weight["C2", 2003] == 2.25
    assert weight["C1", 2005] == 0.5 and weight["C2", 2005] == 1.5
    assert weight["C1", 2006] == 3.0 and ("C2", 2006) not in weight
    assert ("T2", 2005) not in weight
    assert sample.losses.firm_years_dropped == 3
    assert sample.losses.stack_years_dropped == 0
    assert (sample.losses.treated_years, sample.losses.treated_years_dropped) == (11, 0)


@pytest.mark.parametrize("missing", MISSING_RULES)
@pytest.mark.parametrize("seed", range(5))
def test_comparison_weights_sum_to_the_treated_and_every_unit_has_its_reference(missing, seed):
    panel, matches, _ = random_study(seed)
    sample = sample_of(panel, matches, (-3, 2), missing)
    rows = pd.DataFrame(
        {
            "stack": sample.stack,
            "event_time": sample.event_time,
            "treated": sample.treated,
            "weight": sample.weight,
            "unit": sample.unit,
        }
    )
    sums = rows.pivot_table(
        "weight", ["stack", "event_time"], "treated", aggfunc="sum", fill_value=0
    )
    assert sums[False].to_numpy() == pytest.approx(sums[True].to_numpy(), rel=1e-12)
    times = rows.groupby("unit")["event_time"]
    assert (times.agg(lambda e: -1 in set(e))).all()
    assert times.size().min() > 1
    assert sample.losses.firm_years_dropped > 0


def test_a_log_outcome_is_about_firms_positive_in_the_base_year():
    panel = panel_from(HOLES.replace("C1      c       1    2", "C1      c       1    0"))
    stacks = joined(panel, weights_from(matches_from(SETS), panel), matches_from(SETS), (-2, 1))
    sample = stacked_sample(stacks, transform(panel["sales"], "log"), "renormalise")
    assert "C1" not in {firm for _, firm, _, _ in as_text(sample, panel)}


def test_transforms_keep_missing_and_refuse_negative_values():
    values = pd.Series([0.0, 2.0, np.nan], name="exports")
    assert transform(values, "any").tolist()[:2] == [0.0, 1.0]
    assert np.isnan(transform(values, "any")[2])
    assert np.isnan(transform(values, "log")[[0, 2]]).all()
    assert transform(values, "log")[1] == np.log(2)
    assert transform(-values, "level")[1] == -2
    with pytest.raises(DataError, match="exports: 1 values are negative"):
        transform(-values, "log")


def test_two_by_two_equals_difference_of_weighted_differences_and_two_way():
    panel, matches, _ = random_study(1, missing_share=0.0)
    one = matches[matches["stack"] == 2004]
    sample = sample_of(panel, one, (-1, 0), "renormalise")
    by_hand = (weighted_mean(sample, True, 0) - weighted_mean(sample, True, -1)) - (
        weighted_mean(sample, False, 0) - weighted_mean(sample, False, -1)
    )
    flat = flat_sample(sample, panel)
    assert fit(sample, panel).estimate(ATT) == pytest.approx(by_hand, abs=1e-12)
    assert fit_twoway(flat).estimate(ATT) == pytest.approx(by_hand, abs=1e-10)


def test_static_coefficient_over_stacks_equals_matched_mean_difference():
    panel, matches, _ = random_study(2, missing_share=0.0)
    sample = sample_of(panel, matches, (-1, 0), "drop_set")
    level = panel.set_index(["firm_id", "year"])["sales"]
    change = [
        row.set_weight
        * (1 if row.treated else -1)
        * (level[row.firm_id, row.stack] - level[row.firm_id, row.stack - 1])
        for row in matches.itertuples()
    ]
    assert fit(sample, panel).estimate(ATT) == pytest.approx(sum(change) / 12, abs=1e-12)


def test_event_coefficients_are_two_by_twos_against_the_base_year():
    panel, matches, _ = random_study(3, missing_share=0.0)
    sample = sample_of(panel, matches, (-3, 2), "drop_set")
    estimated = fit(sample, panel, "event")
    assert [t.event_time for t in estimated.terms] == [-3, -2, 0, 1, 2]
    for term, value in zip(estimated.terms, estimated.estimates, strict=True):
        e = term.event_time
        by_hand = (weighted_mean(sample, True, e) - weighted_mean(sample, True, -1)) - (
            weighted_mean(sample, False, e) - weighted_mean(sample, False, -1)
        )
        assert value == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize("term", ["att", "event"])
@pytest.mark.parametrize("missing", MISSING_RULES)
def test_firm_constants_and_common_shocks_change_nothing(term, missing):
    panel, matches, _ = random_study(4)
    sample = sample_of(panel, matches, (-3, 2), missing)
    cells = year_cells(sample, panel, None)
    constant = 7.0 * sample.stacks.firm[sample.unit]
    shock = 100 * np.sin(sample.year * 1.0)
    before = values(sample, sample.y, term, cells)
    after = values(sample, sample.y + constant + shock, term, cells)
    assert after == pytest.approx(before, abs=1e-9)
    assert any(abs(value) > 0.01 for value in before.values())


def test_the_estimator_is_linear_and_returns_a_constant_effect():
    panel, matches, _ = random_study(5)
    sample = sample_of(panel, matches, (-3, 2), "renormalise")
    cells = year_cells(sample, panel, None)
    effect = 0.25 * (sample.treated & (sample.event_time >= 0))
    for term in ("att", "event"):
        base = values(sample, sample.y, term, cells)
        alone = values(sample, effect, term, cells)
        both = values(sample, 2 * sample.y + effect, term, cells)
        expected = {name: 2 * base[name] + alone[name] for name in base}
        assert both == pytest.approx(expected, abs=1e-10)
    assert alone[EVENT_AVERAGE] == alone[ATT] == pytest.approx(0.25, abs=1e-12)
    assert values(sample, effect, "att", cells)[ATT] == pytest.approx(0.25)


# Both sets of dummies span the constant, so statsmodels uses a generalised inverse and warns.
@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")
@pytest.mark.parametrize("by", [None, "sector"])
def test_agrees_with_dense_dummies(by):
    """Weighted, unbalanced, two stacks: statsmodels with a dummy for every effect."""
    import statsmodels.api as sm

    panel, matches, _ = random_study(6, missing_share=0.3)
    sample = sample_of(panel, matches, (-3, 2), "renormalise")
    cells = year_cells(sample, panel, by)
    cluster = sample.stacks.cluster[sample.unit]
    regressors = event_regressors(sample)
    own = fit_cells(sample, regressors, cells)
    assert own.terms == regressors.terms
    fitted = infer(event_effects(own, regressors), "assignment")
    kept = own.regression.kept
    kept = np.ones(len(sample.y), dtype=bool) if kept is None else kept
    design = regressors.columns[kept]
    times = np.array([term.event_time for term in regressors.terms])
    share = regressors.mass[:, None] * (times[:, None] == np.unique(times))
    share /= share.sum(axis=0)
    dummies = [pd.get_dummies(code[kept]).to_numpy(float) for code in (sample.unit, cells.codes)]
    k = design.shape[1]
    dense = sm.WLS(sample.y[kept], np.hstack([design, *dummies]), weights=sample.weight[kept]).fit(
        cov_type="cluster", cov_kwds={"groups": cluster[kept], "use_correction": False}
    )
    assert fitted.estimated.estimates == pytest.approx(dense.params[:k] @ share, abs=1e-9)
    n_clusters = len(np.unique(cluster[kept]))
    n, k_paid = kept.sum(), k + len(np.unique(cells.codes[kept]))
    factor = n_clusters / (n_clusters - 1) * (n - 1) / (n - k_paid)
    covariance = share.T @ dense.cov_params()[:k, :k] @ share
    assert fitted.covariance == pytest.approx(factor * covariance, abs=1e-9)
    assert fitted.counts.n_clusters == n_clusters == 9


def test_demeaning_removes_both_sets_in_separate_components():
    rng = np.random.default_rng(0)
    first = np.repeat(np.arange(20), 3)
    second = np.tile(np.arange(3), 20) + 3 * (first >= 8)
    weight = rng.uniform(0.1, 3, 60)
    column = rng.normal(size=(60, 1))
    before = column.copy()
    residual = demean(two_effects(first, second, weight), column)[:, 0]
    dummies = np.hstack([np.eye(20)[first], np.eye(6)[second]]) * np.sqrt(weight)[:, None]
    target = column[:, 0] * np.sqrt(weight)
    expected = target - dummies @ np.linalg.lstsq(dummies, target)[0]
    assert residual * np.sqrt(weight) == pytest.approx(expected, abs=1e-12)
    assert (column == before).all()


def test_singletons_are_dropped_recursively():
    first = np.array([0, 0, 1, 1, 2])
    second = np.array([0, 1, 1, 2, 2])
    assert singletons_dropped(first, second).tolist() == [False] * 5
    assert singletons_dropped(first[:4], np.array([0, 1, 0, 1])).all()


def test_anticipation_years_are_neither_before_nor_after():
    text = """
    firm_id cluster 2002 2003 2004 2005 2006
    T1      a       1    1    6    3    3
    C1      c       4    4    4    4    4
    """
    panel = panel_from(text)
    sets = matches_from("stack set_id firm_id treated\n2005 A T1 1\n2005 A C1 0")
    weights = weights_from(sets, panel)
    stacks = join_stacks(
        index_panel(panel), weights, sets, "matched", treatment(-3, 1, anticipation=1)
    )
    sample = stacked_sample(stacks, panel["sales"].to_numpy(), "drop_set")
    found = fit(sample, panel)
    named = dict(zip(found.terms, found.estimates, strict=True))
    assert named == pytest.approx({ATT: 2.0, Term("anticipation"): 5.0}, abs=1e-12)
    cells = year_cells(sample, panel, None)
    assert values(sample, sample.y, "att", cells) == pytest.approx({ATT: 2.0}, abs=1e-12)


def test_a_firm_keeps_one_cluster_that_of_its_own_entry():
    panel = panel_from(HOLES)
    sets = matches_from(SETS + "2006 D C1 1\n2006 D C2 0\n")
    weights = weights_from(sets, panel)
    weights.loc[(weights["firm_id"] == "C1") & (weights["stack"] == 2006), "cluster"] = "moved"
    weights.loc[(weights["firm_id"] == "C2") & (weights["stack"] == 2006), "cluster"] = "away"
    stacks = joined(panel, weights, sets, (-1, 0))
    code = dict(
        zip(zip(weights["firm_id"], weights["stack"], strict=True), stacks.cluster, strict=True)
    )
    assert code["C1", 2005] == code["C1", 2006]
    assert code["C2", 2005] == code["C2", 2006]
    assert code["C1", 2005] != code["C2", 2005]
    assert stacks.n_firms_moved == 2


def test_a_design_without_sets_renormalises_under_either_rule():
    panel = panel_from(HOLES)
    weights = weights_from(matches_from(SETS), panel)
    stacks = joined(panel, weights, no_matches(), (-2, 1))
    sales = panel["sales"].to_numpy()
    kept = [as_text(stacked_sample(stacks, sales, rule), panel) for rule in MISSING_RULES]
    assert kept[0] == kept[1]
    assert (2005, "C1", 2006, 3.0) in kept[0]


def test_sets_of_firms_without_weights_are_refused():
    panel = panel_from(HOLES)
    sets = matches_from(SETS)
    weights = weights_from(sets, panel)
    with pytest.raises(DataError, match="1 rows of MATCHES have no firm in WEIGHTS"):
        joined(panel, weights[weights["firm_id"] != "C3"], sets, (-2, 1))


@pytest.mark.parametrize("seed", range(5))
def test_as_many_coefficients_as_rows_leave_no_variation(seed):
    """Ill-conditioned covariates leave rounding far above that of the outcome itself."""
    rng = np.random.default_rng(seed)
    firm, year = np.repeat(np.arange(4), 7), np.tile(np.arange(7), 4)
    size = 30 + rng.normal(size=4)[firm]
    other = 1000 + rng.normal(size=4)[firm]
    later = [year == k for k in range(1, 7)]
    columns = (
        [(firm < 2) * x for x in later] + [size * x for x in later] + [other * x for x in later]
    )
    fit = least_squares(
        (rng.random(28) < 0.5).astype(float) + 0.1 * firm,
        np.column_stack(columns).astype(float),
        tuple(f"b{i}" for i in range(18)),
        first=firm,
        second=year,
        weight=np.ones(28),
        clusters=firm,
    )
    assert len(fit.estimated.terms) == 18
    assert not fit.covariance.any()
