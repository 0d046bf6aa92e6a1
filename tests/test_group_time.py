"""Group-time effects: identities, and influences as derivatives."""

import warnings

import numpy as np
import pandas as pd
import pytest
from group_time_samples import balanced_averages, every_term, full_samples

from pipeline.effects.rows import Label
from pipeline.effects.terms import Term, event
from pipeline.errors import Reason, SupportError
from pipeline.estimators.adjusted_change import adjusted_change, prepare_comparison
from pipeline.estimators.group_time.cohort_sample import CohortSample
from pipeline.estimators.group_time.group_time import (
    REFERENCE,
    GroupTimeRules,
    group_time_effects,
)
from pipeline.estimators.group_time.group_time_averages import event_averages, simple_average
from pipeline.estimators.group_time.propensity_odds import _tilt
from pipeline.inference.analytic import analytic_rows, infer
from pipeline.inference.wild_bootstrap import random_signs

LABEL = Label("sales", "all", "group_time", "att", "US$", "firm", 0.95)
METHODS = ["outcome_regression", "ipw", "doubly_robust", "doubly_robust_improved"]
DIFFERENCE = GroupTimeRules("outcome_regression", "varying", 0)


def firms(seed=0, n=120, hole_share=0.0):
    """Return outcomes (firms x years 2001-2006), entry years, one covariate."""
    rng = np.random.default_rng(seed)
    first = rng.choice([2003.0, 2005.0, np.inf], n, p=[0.25, 0.25, 0.5])
    covariate = rng.normal(size=(n, 1)) + 0.4 * np.isfinite(first)[:, None]
    years = np.arange(2001, 2007)
    values = rng.normal(size=(n, 6)) + covariate * (years - 2001) + (years >= first[:, None])
    values[rng.random((n, 6)) < hole_share] = np.nan
    return pd.DataFrame(values, columns=years), first, covariate


def effects_of(wide, first, rules=DIFFERENCE, never_only=True, **given):
    return group_time_effects(full_samples(wide, first, never_only=never_only, **given), rules)


def by_cell(effects):
    return {(cell.cohort, cell.year): cell for cell in effects.cells}


def cell_estimates(effects):
    """Return the estimates by cohort and year; those without one are missing."""
    return {place: effects.effects.estimate(c.term) for place, c in by_cell(effects).items()}


def simple_figures(effects):
    """Return the simple average, and each cluster's influence on it."""
    inferred = infer(simple_average(effects), "assignment")
    return inferred.estimated.estimates[0], inferred.influence[:, 0]


def test_a_cell_is_the_difference_of_mean_changes():
    wide, first, _ = firms()
    change = (wide[2006] - wide[2004]).to_numpy()
    expected = change[first == 2005].mean() - change[np.isinf(first)].mean()
    effects = effects_of(wide, first)
    cell = by_cell(effects)[2005, 2006]
    assert cell_estimates(effects)[2005, 2006] == pytest.approx(expected, abs=1e-12)
    assert cell.base_year == 2004
    assert (cell.n_treated, cell.n_control) == ((first == 2005).sum(), np.isinf(first).sum())


@pytest.mark.parametrize("method", METHODS)
def test_all_methods_agree_without_covariates(method):
    wide, first, _ = firms()
    found = effects_of(wide, first, GroupTimeRules(method, "varying", 0))
    plain = effects_of(wide, first)
    assert found.effects.terms == plain.effects.terms
    assert found.effects.influence == pytest.approx(plain.effects.influence, abs=1e-9)
    assert found.effects.estimates == pytest.approx(plain.effects.estimates, abs=1e-9)


def test_matching_weights_give_the_declared_formula():
    """sum s dY / sum s - sum w dY / sum w, shares by matched mass, a shared control added up."""
    rng = np.random.default_rng(3)
    y = rng.normal(size=(7, 3))
    weight = np.array([1, 1, 0.5, 1.5, 1, 2.0, 1])
    first = np.array([2002, 2002, np.inf, np.inf, 2003, np.inf, np.inf])
    stacks = {2002: [0, 1, 2, 3], 2003: [4, 5, 6]}
    firm = {2002: [0, 1, 2, 3], 2003: [4, 2, 3]}  # two firms compare in both stacks
    samples = [
        CohortSample(
            cohort=cohort,
            years=np.array([2001, 2002, 2003]),
            firm=np.array(firm[cohort]),
            cluster=np.array(firm[cohort]),
            treated=first[rows] == cohort,
            treated_from=first[rows],
            weight=weight[rows],
            y=y[rows],
            columns=np.ones((len(rows), 1)),
        )
        for cohort, rows in stacks.items()
    ]
    effects = group_time_effects(samples, GroupTimeRules("outcome_regression", "universal", 0))
    change = y[:, 2] - y[:, 0]
    early = change[:2].mean() - (0.5 * change[2] + 1.5 * change[3]) / 2
    late_change = y[:, 2] - y[:, 1]
    late = late_change[4] - (2 * late_change[5] + late_change[6]) / 3
    cells = cell_estimates(effects)
    assert cells[2002, 2003] == pytest.approx(early, abs=1e-12)
    assert cells[2003, 2003] == pytest.approx(late, abs=1e-12)
    at_entry = event_averages(effects).where([event(0)])
    expected = (2 * cells[2002, 2002] + late) / 3
    assert at_entry.estimates[0] == pytest.approx(expected, abs=1e-12)
    first_change = y[:, 1] - y[:, 0]
    mean_2002 = (0.5 * first_change[2] + 1.5 * first_change[3]) / 2
    mean_2003 = (2 * late_change[5] + late_change[6]) / 3
    of_firm_2 = -2 / 3 * 0.25 * (first_change[2] - mean_2002)
    of_firm_2 -= 1 / 3 * (2 / 3) * (late_change[5] - mean_2003)
    assert at_entry.influence[2, 0] == pytest.approx(of_firm_2, abs=1e-12)


@pytest.mark.parametrize("every_row", [False, True])
@pytest.mark.parametrize("method", ["outcome_regression", "ipw", "doubly_robust"])
def test_an_influence_is_the_derivative_by_a_firms_weight(method, every_row):
    """w_i dA/dw_i, by finite differences, for every average: shares and first stages included.

    The improved doubly robust estimator leaves terms out that vanish only in expectation.
    """
    wide, first, covariate = firms(1, n=60, hole_share=0.1 if every_row else 0.0)
    rules = GroupTimeRules(method, "varying", 0, every_row)

    def averages(weight):
        effects = effects_of(wide, first, rules, covariates=covariate, weight=weight)
        return every_term(effects, last_event_time=1)

    weight = np.random.default_rng(2).uniform(0.5, 2, 60)
    at_weight = averages(weight)
    for firm in (int(np.flatnonzero(first == 2003)[0]), int(np.flatnonzero(np.isinf(first))[1])):
        step = np.zeros(60)
        step[firm] = 1e-5
        above, below = averages(weight + step), averages(weight - step)
        slopes = weight[firm] * (above.estimates - below.estimates) / 2e-5
        pairs = zip(at_weight.terms, at_weight.influence[firm], slopes, strict=True)
        for term, influence, slope in pairs:
            assert influence == pytest.approx(slope, abs=2e-8), term


def test_copies_of_a_firm_in_its_cluster_change_nothing():
    wide, first, covariate = firms(2)
    rules = GroupTimeRules("doubly_robust", "varying", 0)
    once = simple_figures(effects_of(wide, first, rules, covariates=covariate))
    twice = simple_figures(
        effects_of(
            pd.concat([wide, wide], ignore_index=True),
            np.tile(first, 2),
            rules,
            covariates=np.tile(covariate, (2, 1)),
            clusters=np.tile(np.arange(len(wide)), 2),
        )
    )
    assert twice[0] == pytest.approx(once[0], abs=1e-10)
    assert twice[1] == pytest.approx(once[1], abs=1e-10)


def test_a_doubled_weight_is_a_second_copy():
    wide, first, covariate = firms(2)
    copied = np.r_[np.arange(len(wide)), np.flatnonzero(np.arange(len(wide)) % 3 == 0)]
    weight = 1.0 + (np.arange(len(wide)) % 3 == 0)
    rules = GroupTimeRules("doubly_robust_improved", "varying", 0)
    weighted = effects_of(wide, first, rules, covariates=covariate, weight=weight)
    rows = effects_of(
        wide.iloc[copied].reset_index(drop=True),
        first[copied],
        rules,
        covariates=covariate[copied],
        clusters=copied,
    )
    once, copies = simple_figures(weighted), simple_figures(rows)
    assert once[0] == pytest.approx(copies[0], abs=1e-9)
    assert once[1] == pytest.approx(copies[1], abs=1e-9)


@pytest.mark.parametrize("anticipation", [0, 1])
def test_not_yet_treated_firms_compare_until_they_enter_or_anticipate(anticipation):
    wide, first, _ = firms(4)
    rules = GroupTimeRules("outcome_regression", "universal", anticipation)
    effects = effects_of(wide, first, rules, never_only=False)
    cells, estimates = by_cell(effects), cell_estimates(effects)
    base = 2002 - anticipation
    for year in range(2003, 2007):
        change = (wide[year] - wide[base]).to_numpy()
        free = first > year + anticipation
        expected = change[first == 2003].mean() - change[free].mean()
        assert estimates[2003, year] == pytest.approx(expected, abs=1e-12)
        assert cells[2003, year].n_control == free.sum()


@pytest.mark.parametrize("method", METHODS)
def test_every_row_without_gaps_is_the_panel_estimate(method):
    """Mean changes are differences of mean levels; only the doubly robust ones add a term."""
    wide, first, _ = firms(6)
    rows = effects_of(wide, first, GroupTimeRules(method, "varying", 0, every_row=True))
    plain = effects_of(wide, first, GroupTimeRules(method, "varying", 0))
    assert rows.effects.terms == plain.effects.terms
    assert rows.effects.influence == pytest.approx(plain.effects.influence, abs=1e-9)
    assert simple_figures(rows)[0] == pytest.approx(simple_figures(plain)[0], abs=1e-9)


@pytest.mark.parametrize("base", ["varying", "universal"])
def test_years_of_anticipation_are_long_differences(base):
    """Against the last untouched year: a change between two of them would hide an early effect."""
    wide, first, _ = firms(7)
    effects = effects_of(wide, first, GroupTimeRules("outcome_regression", base, 2))
    cells = by_cell(effects)
    assert [cells[2005, year].base_year for year in (2003, 2004, 2005, 2006)] == [2002] * 4
    change = (wide[2004] - wide[2002]).to_numpy()
    expected = change[first == 2005].mean() - change[np.isinf(first)].mean()
    assert cell_estimates(effects)[2005, 2004] == pytest.approx(expected, abs=1e-12)


def test_varying_base_leads_are_short_differences_that_add_up():
    wide, first, _ = firms(5)
    both = [
        effects_of(wide, first, GroupTimeRules("outcome_regression", base, 0))
        for base in ("varying", "universal")
    ]
    short, long = map(by_cell, both)
    of_short, of_long = map(cell_estimates, both)
    assert short[2005, 2003].base_year == 2002 and long[2005, 2003].base_year == 2004
    assert of_long[2005, 2002] == pytest.approx(
        -of_short[2005, 2003] - of_short[2005, 2004], abs=1e-12
    )
    assert long[2005, 2004].reason == REFERENCE and np.isnan(of_long[2005, 2004])
    assert short[2005, 2001].reason == Reason("no_earlier_year")
    assert long[2005, 2006] == short[2005, 2006]
    assert of_long[2005, 2006] == of_short[2005, 2006]


def test_the_universal_base_year_is_a_zero_row():
    wide, first, _ = firms(5)
    effects = effects_of(wide, first, GroupTimeRules("outcome_regression", "universal", 0))
    events = event_averages(effects)
    assert events.zeros == {event(-1): REFERENCE}
    (row,) = [r for r in analytic_rows(LABEL, infer(events, "firm")) if r["event_time"] == -1]
    assert row["estimate"] == 0 and row["reason"] == REFERENCE and "std_error" not in row


def test_a_cell_uses_firms_observed_in_both_of_its_years():
    wide, first, covariate = firms(6, hole_share=0.2)
    rules = GroupTimeRules("doubly_robust", "varying", 0)
    effects = effects_of(wide, first, rules, covariates=covariate)
    cells = by_cell(effects)
    both = wide[[2004, 2006]].notna().all(axis=1).to_numpy() & ((first == 2005) | np.isinf(first))
    comparison = prepare_comparison(
        first[both] == 2005,
        np.ones(both.sum()),
        np.column_stack([np.ones(both.sum()), covariate[both]]),
        "doubly_robust",
    )
    alone = adjusted_change(comparison, (wide[2006] - wide[2004]).to_numpy()[both])
    assert cell_estimates(effects)[2005, 2006] == pytest.approx(alone.effect, abs=1e-12)
    assert cells[2005, 2006].n_treated + cells[2005, 2006].n_control == both.sum()


def test_cells_without_data_say_why_and_the_rest_goes_on():
    wide, first, _ = firms(7)
    wide.loc[first == 2003, 2004] = np.nan
    wide.loc[np.isinf(first), 2006] = np.nan
    effects = effects_of(wide, first)
    cells = by_cell(effects)
    nobody = "nobody_in_both_years_of_cell"
    assert cells[2003, 2004].reason == Reason(nobody, {"group": "treated"})
    assert cells[2005, 2006].reason == Reason(nobody, {"group": "comparison"})
    assert np.isfinite(simple_average(effects).estimates).all()
    assert set(event_averages(effects).terms) >= {event(0), event(2)}


def test_a_cohort_treated_from_the_first_year_has_no_effect():
    wide, first, _ = firms(8)
    cells = by_cell(effects_of(wide, np.where(first == 2003, 2001, first)))
    reasons = [c.reason for (g, _), c in cells.items() if g == 2001]
    assert reasons == [Reason("no_earlier_year")] * 6


def test_separation_and_collinearity_are_reasons():
    wide, first, _ = firms(9)
    apart = np.isfinite(first)[:, None].astype(float)
    cells = effects_of(wide, first, GroupTimeRules("ipw", "varying", 0), covariates=apart).cells
    assert all(not c.estimated for c in cells)
    assert any(c.reason == Reason("score_without_solution") for c in cells)
    same = np.ones((len(first), 1))
    with pytest.raises(SupportError, match="collinear_in_cell"):
        prepare_comparison(
            first == 2003, np.ones(len(first)), np.hstack([same, same]), "outcome_regression"
        )


@pytest.mark.parametrize(
    ("seed", "n", "marked", "entering"),
    [(118, 600, 0.12, 0.04), (246, 600, 0.12, 0.04), (2, 300, 0.05, 0.1)],
)
def test_newton_steps_on_separated_groups_never_pass_for_a_solution(seed, n, marked, entering):
    """No treated firm has the mark: rounding once made steps end, or the information singular."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    mark = (rng.random(n) < marked).astype(float)
    treated = (rng.random(n) < entering) & (mark == 0)
    covariates = np.column_stack([x, mark])
    columns = np.column_stack([np.ones(n), (covariates - covariates.mean(0)) / covariates.std(0)])
    weight = np.where(treated, 1.0, treated.sum() / (~treated).sum())
    for method in ("ipw", "doubly_robust", "doubly_robust_improved"):
        with pytest.raises(SupportError, match="score_without_solution"):
            prepare_comparison(treated, weight, columns, method)


@pytest.mark.parametrize("method", METHODS[1:])
@pytest.mark.parametrize("scale", [1.1, -1.0, 1e3, 1e200])
def test_a_score_is_the_same_from_wherever_its_steps_start(method, scale):
    """From far away they end nowhere, and start again from zero."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(500, 3))
    treated = rng.random(500) < 1 / (1 + np.exp(1 - x @ [0.5, 0.2, 0.1]))
    columns, weight = np.column_stack([np.ones(500), x]), rng.uniform(0.5, 2, 500)
    given = (treated, weight, columns, method)
    cold = prepare_comparison(*given)
    warm = prepare_comparison(*given, start=scale * cold.start)
    np.testing.assert_allclose(warm.start, cold.start, rtol=1e-12)
    np.testing.assert_allclose(warm.control_share, cold.control_share, rtol=1e-12)


def test_cells_that_start_from_the_one_before_give_what_each_gives_alone():
    wide, first, covariate = firms(12, n=400, hole_share=0.1)
    rules = GroupTimeRules("doubly_robust", "varying", 0)
    every = effects_of(wide, first, rules, covariates=covariate).effects
    for position, term in enumerate(every.terms):
        years = [term.year - 1 if term.year < term.cohort else term.cohort - 1, term.year]
        kept = np.isin(first, [term.cohort, np.inf])
        alone = effects_of(
            wide.loc[kept, years], first[kept], rules, covariates=covariate[kept]
        ).effects
        found = alone.estimate(Term("att_gt", term.cohort, term.year, term.event_time))
        assert found == pytest.approx(every.estimates[position], rel=1e-11)


def test_scores_near_one_and_zero_are_no_separation():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 3))
    treated = rng.random(2000) < 1 / (1 + np.exp(5 - x @ [3, 2, 2]))
    columns = np.column_stack([np.ones(2000), x])
    found = prepare_comparison(treated, np.ones(2000), columns, "doubly_robust")
    assert np.isfinite(found.control_share).all()


def test_balanced_event_times_have_the_same_cohorts_throughout():
    wide, first, _ = firms(10)
    found = balanced_averages(effects_of(wide, first), 3)
    cells = cell_estimates(effects_of(wide, first))
    assert max(term.event_time for term in found.terms) == 3
    for event_time in range(4):
        estimate = found.estimate(Term("event_balanced", event_time=event_time))
        assert estimate == pytest.approx(cells[2003, 2003 + event_time], abs=1e-12)


def test_growing_effects_leave_no_bias():
    """Each effect is one more than the year before: event averages are exact without noise."""
    _, first, _ = firms(11)
    years = np.arange(2001, 2007)
    since = np.where(years >= first[:, None], years - first[:, None] + 1, 0.0)
    wide = pd.DataFrame(np.arange(len(first))[:, None] + years + since, columns=years)
    events = event_averages(effects_of(wide, first, never_only=False))
    expected = [max(term.event_time + 1, 0) for term in events.terms]
    assert events.estimates == pytest.approx(expected, abs=1e-9)


def test_signs_are_fair_and_independent():
    signs = random_signs(4000, 9, np.random.default_rng(0))
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert np.abs(np.corrcoef(signs.T) - np.eye(9)).max() < 0.07
    assert np.abs(signs.mean(axis=0)).max() < 0.07


def test_a_newton_step_too_long_for_a_number_is_halved():
    """Nearly separated groups: the first step of the tilt overflows, and no warning is shown."""
    columns = np.column_stack([np.ones(6), [-0.5, -0.4, 4.0, 0.3, 0.2, 0.1]])
    treated = np.array([True, True, False, False, False, False])
    start = np.array([-35.0, -91.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SupportError):
            _tilt(columns, treated, np.ones(6), start)
