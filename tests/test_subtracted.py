"""PublishedCounts that tell, subtracted, how many few firms are: none of those that stay does."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.publishing.disclosure.few_ones import few_ones
from pipeline.publishing.disclosure.subtracted import (
    CountsOfArms,
    PublishedCounts,
    hidden_counts,
)

MINIMUM = 5


def counts(*sets: list[int], n_firms: list[int], fixed=0, settled=(), parts=()) -> PublishedCounts:
    """Return counts of signatures, by number; the first are the most needed."""
    uses = np.zeros((len(sets), len(n_firms)))
    for place, signatures in enumerate(sets):
        uses[place, signatures] = 1.0
    rank = np.arange(len(sets))
    return PublishedCounts(
        uses, np.array(n_firms), rank, rank < fixed, np.isin(rank, settled), parts
    )


def of_arms(found: PublishedCounts, *shown_in: list[int], needed=(), in_none=()) -> PublishedCounts:
    """Return counts that these arms show, 0 the headline's."""
    arms = np.zeros((len(found.uses), 2), dtype=np.bool_)
    for count, own in enumerate(shown_in):
        arms[count, own] = True
    is_needed, none = (np.isin(np.arange(len(arms)), own) for own in (needed, in_none))
    return replace(found, arms=CountsOfArms(arms, is_needed, none))


def shown(found: PublishedCounts) -> list[int]:
    every = np.ones(len(found.uses), dtype=np.bool_)
    return np.flatnonzero(~hidden_counts(found, every, MINIMUM)).tolist()


def test_of_two_counts_that_differ_by_few_the_less_needed_goes():
    assert shown(counts([0, 1], [0], n_firms=[58, 4])) == [0]
    assert shown(counts([0, 1], [0], n_firms=[58, 5])) == [0, 1]


def test_what_always_stays_is_no_reason_to_hide_what_always_stays():
    assert shown(counts([0, 1], [0], n_firms=[58, 4], fixed=2)) == [0, 1]
    assert shown(counts([0, 1], [0], [0, 1, 2], n_firms=[58, 4, 1], fixed=2)) == [0, 1]


def test_the_size_of_an_entry_year_stays_beside_those_of_samples_but_tells_no_other():
    """Of 36 entrants 35 have the outcome; of 62 firms in four entry years one is alone in its."""
    beside = counts([0], [0, 1], n_firms=[35, 1], fixed=1, settled=[1])
    assert shown(beside) == [0, 1]
    years = [[0, 1, 2, 3], [0], [1], [2]]
    lone = counts(*years, n_firms=[15, 21, 25, 1], fixed=1, settled=[1, 2, 3], parts=[(1, 2, 3)])
    assert shown(lone) == [0, 1, 2]


def test_sizes_of_samples_stay_within_an_arm_and_not_between_arms():
    """Of 62 firms 58 are in another arm too, whose sample is inside the first."""
    nested = counts([0, 1], [0], n_firms=[58, 4], fixed=2)
    assert shown(of_arms(nested, [0], [0])) == [0, 1]
    assert shown(of_arms(nested, [0], [1], needed=[0])) == [0]
    assert shown(of_arms(nested, [0], [1], needed=[0, 1])) == [0, 1]


def test_sizes_of_two_samples_of_each_arm_tell_no_more_together():
    """Matching lost one firm of one arm and three of the other."""
    both = counts([0, 1], [2, 3], [0], [2], n_firms=[38, 1, 15, 3], fixed=4, parts=[(0, 1)])
    arms = [[0], [1], [0], [1]]
    assert shown(of_arms(both, *arms, needed=[0, 2])) == [0, 1, 2, 3]


def test_few_participants_of_no_arm_are_not_told_by_entrants_of_arms():
    """Of 123 participants 60 are in one arm, 61 in another, two in none."""
    entrants = counts([0, 1, 2], [0], [1], n_firms=[60, 61, 2], fixed=1, settled=[1, 2])
    assert shown(of_arms(entrants, [0, 1], [0], [1], needed=[0])) == [0, 1]
    samples = counts([0, 1, 2], [0], [1], n_firms=[60, 61, 2], fixed=3)
    arms = [[0, 1], [0], [1]]
    assert shown(of_arms(samples, *arms, needed=[0, 1], in_none=[0])) == [1, 2]
    assert shown(of_arms(samples, *arms, needed=[0, 1])) == [0, 1, 2]
    one_arm = counts([0, 2], [0], n_firms=[60, 61, 2], fixed=2)
    assert shown(of_arms(one_arm, [0, 1], [0], needed=[0, 1], in_none=[0])) == [1]


def test_a_complement_of_two_parts_is_hidden():
    """150, 150, hidden, 301."""
    assert shown(counts([0, 1, 2], [0], [1], n_firms=[150, 150, 1])) == [0, 1]


def test_a_complement_of_many_parts_that_add_up_is_hidden():
    sets = [[0, 1, 2, 3, 4], [0], [1], [2], [3]]
    many = counts(*sets, n_firms=[30, 31, 32, 33, 1], parts=[(1, 2, 3, 4)])
    assert 0 in shown(many) and len(shown(many)) < len(sets)


def test_sets_that_overlap_tell_nothing():
    assert shown(counts([0, 1], [1, 2], n_firms=[3, 50, 2])) == [0, 1]


SETS = st.lists(
    st.lists(st.integers(0, 7), min_size=1, max_size=8, unique=True),
    min_size=2,
    max_size=8,
    unique_by=lambda found: tuple(sorted(found)),
)


@settings(deadline=None)
@given(SETS, st.lists(st.integers(1, 12), min_size=8, max_size=8))
def test_no_three_counts_that_stay_give_few(sets, n_firms):
    found = counts(*sets, n_firms=n_firms)
    stay = found.uses[shown(found)]
    for whole in stay:
        for number in (1, 2):
            for parts in combinations(stay, number):
                rest = whole - sum(parts)
                inside = all((whole >= part).all() for part in parts)
                few = 0 < rest @ found.n_firms < MINIMUM
                assert not (few and inside and set(rest) <= {0.0, 1.0})


@pytest.mark.parametrize(
    ("mean", "n", "tells"),
    [
        (3 / 62, 62, True),
        (59 / 62, 62, True),
        (5 / 62, 62, False),
        (0, 62, False),
        (1, 62, False),
        (0.0487, 62, False),
    ],
)
def test_a_mean_of_zeros_and_ones_tells_how_many_have_a_one(mean, n, tells):
    assert few_ones(np.array([mean]), np.array([float(n)]), MINIMUM).tolist() == [tells]
