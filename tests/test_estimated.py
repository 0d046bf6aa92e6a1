"""The one result type: weighted sums of what it holds, and what its counts forbid."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.effects.estimated import (
    Estimated,
    Seen,
    Shares,
    as_known,
    combined,
    joined,
    mean_of,
    share_weights,
)
from pipeline.effects.event_averages import (
    NOTHING_AFTER_ENTRY,
    mean_from_entry,
    means_by_event_time,
)
from pipeline.effects.terms import ATT, Term, event
from pipeline.errors import Reason
from pipeline.inference.analytic import infer
from pipeline.inference.counts import Counts

EVENTS = (event(0), event(1), event(2))
TREATED = np.arange(12) < 6
# Each cluster holds two treated firms or two comparison firms, or one of each.
CLUSTER = {"apart": np.arange(12) // 2, "two": np.arange(12) % 2, "three": np.arange(12) % 3}


def three_events(cluster="apart"):
    """Return three effects with free influences of 12 firms, no regression behind them."""
    rng = np.random.default_rng(1)
    return Estimated(
        terms=EVENTS,
        estimates=np.array([1.0, 2.0, 4.0]),
        influence=rng.normal(size=(12, 3)),
        seen=Seen(np.arange(12), TREATED, assignment=CLUSTER[cluster]),
        largest=10.0,
        loadings=np.eye(3),
    )


def test_a_weighted_sum_has_the_weighted_estimates_influences_and_loadings():
    parts = three_events()
    weights = np.array([[0.5, 1.0], [0.5, 0.0], [0.0, -1.0]])
    found = combined(parts, [ATT, Term("difference")], weights)
    assert found.estimates.tolist() == [1.5, -3.0]
    assert found.influence[:, 1] == pytest.approx(parts.influence[:, 0] - parts.influence[:, 2])
    assert found.loadings == pytest.approx(weights)


def test_without_influences_a_sum_has_the_covariance_of_the_sum():
    root = np.random.default_rng(2).normal(size=(3, 3))
    parts = replace(three_events(), influence=None, covariance=root @ root.T)
    weights = np.array([[1.0], [-2.0], [0.5]])
    found = combined(parts, [ATT], weights)
    assert found.covariance == pytest.approx(weights.T @ root @ root.T @ weights)


def test_a_mean_of_some_terms_leaves_the_others_out():
    parts = three_events()
    found = mean_of(parts, EVENTS[1:], ATT)
    assert found.estimate(ATT) == 3.0
    assert found.influence[:, 0] == pytest.approx(parts.influence[:, 1:].mean(axis=1))
    assert np.isnan(found.estimate(event(0)))


def test_terms_are_chosen_by_name_and_joined_again():
    parts = three_events()
    chosen = parts.where([event(2), event(7), event(0)])
    assert chosen.terms == (event(2), event(0))
    again = joined([chosen, parts.where([event(1)])])
    assert again.estimates.tolist() == [4.0, 1.0, 2.0]
    assert again.influence == pytest.approx(parts.influence[:, [2, 0, 1]])


@pytest.mark.parametrize("known", [[], [event(-2)]])
def test_an_average_over_no_event_time_from_entry_on_has_a_reason(known):
    events = replace(three_events(), terms=(event(-2), event(-3), event(-4))).where(known)
    average = mean_from_entry(events, ATT)
    assert average.terms == ()
    assert average.reasons == {ATT: NOTHING_AFTER_ENTRY}
    assert joined([average, events]).terms == tuple(known)


def test_an_average_from_entry_on_says_which_event_times_and_needs_those_named():
    events = replace(three_events(), terms=(event(-1), event(0), event(2)))
    average = mean_from_entry(events, ATT, {event(-2): Reason("collinear")})
    assert average.estimates == pytest.approx(events.estimates[1:].mean())
    assert average.remarks == {ATT: (Reason("mean_over_event_times", {"times": [0, 2]}),)}
    without = mean_from_entry(events, ATT, {event(1): Reason("collinear")})
    assert (without.terms, without.reasons) == ((), {ATT: Reason("collinear")})


def test_an_event_time_is_the_mean_of_its_cells_by_mass():
    terms = (Term("cell", 2001, None, 0), Term("cell", 2003, None, 0), Term("cell", 2003, None, 1))
    cells = replace(three_events(), terms=terms)
    mass = np.array([1.0, 3.0, 2.0])
    found = means_by_event_time(cells, mass)
    assert found.terms == (event(0), event(1))
    assert found.estimates == pytest.approx([mass[:2] @ cells.estimates[:2] / 4, 4.0])
    assert means_by_event_time(cells, mass, {0}).terms == (event(1),)
    assert means_by_event_time(cells, np.array([1.0, 3.0, 0.0])).terms == (event(0),)


def test_results_with_covariances_of_their_own_are_not_joined():
    alone = replace(three_events(), influence=None, covariance=np.eye(3))
    with pytest.raises(AssertionError, match="covariances between them"):
        joined([alone, alone])


def test_estimated_shares_add_their_own_influence():
    """The influence of a firm is the derivative of the average by the firm's mass."""
    mass = np.random.default_rng(3).uniform(1, 2, size=(2, 12))
    group = np.array([0, 1, 1])

    def average(by_firm):
        shares = Shares(by_firm, group)
        weights = share_weights(shares, [0, 2])[:, None]
        fixed = replace(three_events(), influence=np.zeros((12, 3)))
        return combined(fixed, [ATT], weights, shares=shares)

    at = average(mass)
    for firm in range(12):
        step = 1e-6 * mass * (np.arange(12) == firm)
        slope = (average(mass + step).estimates - average(mass - step).estimates) / 2e-6
        assert at.influence[firm] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize(("cluster", "reason"), [("two", True), ("three", False)])
def test_normal_inference_needs_three_clusters(cluster, reason):
    codes = {
        None if why is None else why.code
        for why in infer(three_events(cluster), "assignment").reasons
    }
    assert codes == ({"fewer_than_three_clusters"} if reason else {None})


@pytest.mark.parametrize(
    ("clusters", "treated", "control", "code"),
    [
        (1, 1, 1, "one_cluster"),
        (5, 1, 4, "treated_in_one_cluster"),
        (5, 4, 1, "comparison_in_one_cluster"),
        (5, 2, 3, None),
    ],
)
def test_one_cluster_of_either_group_gives_no_standard_error(clusters, treated, control, code):
    found = Counts(9, 9, 36, clusters, treated, control).too_few
    assert (None if found is None else found.code) == code


def test_the_mean_of_known_effects_is_over_event_times_from_entry_on():
    seen = Seen(np.arange(2), np.array([True, False]))
    known = as_known({event(-2): 9.0, event(0): 1.0, event(1): 4.0}, seen)
    mean = mean_from_entry(known, ATT)
    assert mean.estimate(ATT) == 2.5
    assert mean.influence is None
    assert np.isnan(mean_from_entry(as_known({event(-2): 9.0}, seen), ATT).estimate(ATT))
