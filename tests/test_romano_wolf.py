"""Romano-Wolf p-values: special cases known exactly, error rates, and rows of TESTS."""

import numpy as np
import pytest
from scipy import stats
from stacked_tables import estimation, outcomes, random_study, treatment
from told import estimate_specs

from pipeline.effects.study import prepare_study
from pipeline.inference.romano_wolf import step_down
from pipeline.params.estimate import EstimateSection
from pipeline.params.inference import RomanoWolf

DRAWS = 19_999


def independent(k, clusters=4000):
    return np.random.default_rng(1).normal(size=(k, clusters))


def adjusted(statistics, influence, draws=DRAWS):
    return step_down(np.array(statistics, float), influence, draws, np.random.default_rng(2))


def test_one_hypothesis_keeps_its_p_value():
    assert adjusted([2.1], independent(1))[0] == pytest.approx(2 * stats.norm.sf(2.1), abs=0.004)


def test_independent_hypotheses_have_holm_sidaks_p_values():
    statistics = [1.0, 2.8, -2.2]
    p = 2 * stats.norm.sf(np.abs(statistics))
    expected = [
        max(1 - (1 - p[1]) ** 3, 1 - (1 - p[2]) ** 2, p[0]),
        1 - (1 - p[1]) ** 3,
        max(1 - (1 - p[1]) ** 3, 1 - (1 - p[2]) ** 2),
    ]
    assert adjusted(statistics, independent(3)) == pytest.approx(expected, abs=0.01)


def test_the_data_are_one_draw_so_that_no_p_value_is_zero():
    """Unbounded statistics are larger than every draw: one in 100 remains."""
    assert adjusted([40.0, -50.0], independent(2), draws=99) == pytest.approx([0.01, 0.01])


def test_a_smaller_statistic_has_no_smaller_p_value():
    """Passed first, 2.01 is compared with the larger of two draws; 2 alone would have less."""
    p_values = adjusted([2.0, 2.01], independent(2))
    assert p_values[0] == p_values[1] > 2 * stats.norm.sf(2.0) * 1.5


def test_copies_of_one_outcome_cost_nothing():
    one = independent(1)
    alone = adjusted([2.1], one)
    assert adjusted([2.1, 2.1, 2.1], np.repeat(one, 3, axis=0)) == pytest.approx(
        np.repeat(alone, 3)
    )


def test_order_of_outcomes_is_irrelevant_and_p_values_follow_the_statistics():
    influence = independent(3)
    first = adjusted([0.5, 3.0, 1.5], influence)
    second = adjusted([3.0, 1.5, 0.5], influence[[1, 2, 0]])
    assert first[[1, 2, 0]] == pytest.approx(second, abs=0.012)
    assert first[1] <= first[2] <= first[0]


def test_any_false_rejection_among_true_nulls_is_as_rare_as_promised():
    rng = np.random.default_rng(3)
    root = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0.5, 0.5, 0.7]])
    any_rejected = []
    for _ in range(400):
        scores = root @ rng.normal(size=(3, 60))
        statistics = scores.sum(axis=1) / np.sqrt((scores**2).sum(axis=1))
        p_values = step_down(statistics, scores, 499, rng)
        any_rejected.append((p_values <= 0.05).any())
    share = np.mean(any_rejected)
    assert abs(share - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 400)


def run(**settings):
    panel, matches, weights = random_study(3)
    panel["jobs"] = panel["sales"] * 0.5 + np.random.default_rng(5).normal(size=len(panel))
    level = {"transform": "level", "unit": "US$", "label": "Level"}
    named = outcomes(sales=level | {"column": "sales"}, jobs=level | {"column": "jobs"})
    section = estimation().model_copy(update=settings)
    study = prepare_study(
        panel,
        matches,
        weights,
        outcomes=named,
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=section,
    )
    return estimate_specs(study)


def test_rows_stand_beside_q_values_where_asked_for():
    asked = run(romano_wolf=RomanoWolf(draws=999, seed=1)).tests
    rows = asked[asked["test"] == "romano_wolf"].set_index("outcome")
    analytic = run().estimates.query("term == 'att' and inference == 'analytic'")
    raw = analytic.set_index("outcome")["p_value"]
    assert set(rows.index) == set(raw.index)
    assert (rows["p_value"] >= raw[rows.index] - 0.05).all()
    assert rows["note"].str.contains("Romano-Wolf over 2 average effects").all()
    plain = run().tests
    assert "romano_wolf" not in set(plain["test"])


def test_a_spec_without_the_average_has_no_family():
    """Event studies keep influences on their mean too, but have no row `att` to adjust."""
    specs = estimation().model_dump(exclude_unset=True)["specs"]
    specs.append(specs[0] | {"name": "events", "terms": ["event"]})
    both = EstimateSection.model_validate(
        estimation().model_dump(exclude_unset=True) | {"specs": specs}
    )
    tests = run(specs=both.specs, romano_wolf=RomanoWolf(draws=99, seed=1)).tests
    assert set(tests.loc[tests["test"] == "romano_wolf", "estimator"]) == {"main"}
