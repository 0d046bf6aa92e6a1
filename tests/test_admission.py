"""Which published sums tell of few firms, and what is refused: against tests that share no code."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_sets import firms, populations

from pipeline.effects.populations import Population
from pipeline.params.exhibit import Disclosure
from pipeline.publishing.disclosure.admission import Alternative, Candidate, Guard, admitted
from pipeline.publishing.disclosure.blocks import blocks_of, place

MINIMUM = 3
UNITS = list(itertools.product((2009, 2010), range(7)))
SETS = st.lists(st.sets(st.sampled_from(UNITS), min_size=1), min_size=1, max_size=6)


def named(number):
    return Population("ESTIMATES", "d", "x", sample=str(number))


def block_of(sets, sizes=None):
    """Return the block of sets of units, and the place of each."""
    own = {named(number): units for number, units in enumerate(sets)}
    (block,) = blocks_of(populations(own if sizes is None else (own, sizes)))
    return block, [place("ESTIMATES", "d", "x", sample=str(number)) for number in range(len(sets))]


def shown(sets, minimum=MINIMUM, sizes=None, percent=100):
    """Return the numbers of the sets whose sums are admitted, in order."""
    block, places = block_of(sets, sizes)
    rule = Disclosure(min_cell_firms=minimum, dominance_percent=percent)
    candidates = [
        Candidate(
            (number,),
            (Alternative({1: block.treated(of)[None]}, {1: block.members(of)[:1]}),),
        )
        for number, of in enumerate(places)
    ]
    chosen = admitted(candidates, {1: Guard(block, rule)})
    return [number for number, option in enumerate(chosen) if option is not None]


def incidence(sets):
    return np.array([[float(unit in own) for unit in UNITS] for own in sets]).reshape(
        -1, len(UNITS)
    )


def leaks(sets, minimum=MINIMUM):
    """Say whether a combination of sums speaks of 1 to `minimum - 1` firms: by ranks.

    There is one on the units of few firms where, those left out, the sums are less independent.
    """
    table = incidence(sets)
    if not len(table):
        return False
    rank = np.linalg.matrix_rank(table)
    firm = np.array([code for _, code in UNITS])
    few = itertools.combinations(range(7), minimum - 1)
    return any(np.linalg.matrix_rank(table[:, ~np.isin(firm, own)]) < rank for own in few)


def few_in_differences(sets, minimum=MINIMUM):
    """Return the numbers of firms below the minimum that sums and differences of three tell of."""
    firm = np.array([code for _, code in UNITS])
    found = set()
    for size in (1, 2, 3):
        for own in itertools.combinations(incidence(sets), size):
            for signs in itertools.product((1, -1), repeat=size):
                spoken = len(set(firm[np.abs(np.array(signs) @ np.array(own)) > 0]))
                found |= {spoken} if 0 < spoken < minimum else set()
    return found


@settings(deadline=None, max_examples=30)
@given(SETS)
def test_no_combination_of_what_is_shown_tells_of_few_and_nothing_is_refused_in_vain(sets):
    kept = shown(sets)
    assert not leaks([sets[i] for i in kept])
    assert not few_in_differences([sets[i] for i in kept])
    for refused in set(range(len(sets))) - set(kept):
        before = [sets[i] for i in kept if i < refused]
        assert leaks([*before, sets[refused]])


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_refused_where_every_difference_is_of_enough_firms(seed):
    rng = np.random.default_rng(seed)
    cells = [firms(*range(start, start + 5)) for start in range(0, 40, 5)]
    sets = [
        list(itertools.chain.from_iterable(cell for cell in cells if rng.random() < 0.5))
        or cells[0]
        for _ in range(12)
    ]
    assert shown(sets, minimum=5) == list(range(12))


def test_a_firm_of_two_entry_years_is_one_firm():
    both = [*firms(*range(10)), *firms(*range(10), stack=2010)]
    less = [*firms(*range(2, 10)), *firms(*range(2, 10), stack=2010)]
    assert shown([both, less], minimum=3) == [0]
    other = [*firms(*range(2, 10)), *firms(*range(8), stack=2010)]
    assert shown([both, other], minimum=3) == [0, 1]


def test_the_last_of_several_sums_that_together_tell_is_refused():
    parts = [firms(*range(10)), firms(*range(10, 20)), firms(*range(20, 30))]
    everyone = firms(*range(31))
    assert shown([everyone, *parts], minimum=5) == [0, 1, 2]
    assert shown([*parts, everyone], minimum=5) == [0, 1, 2]


def test_a_difference_that_one_firm_dominates_is_refused():
    sizes = np.ones(200)
    sizes[15] = 30.0
    everyone, some = firms(*range(20)), firms(*range(10))
    assert shown([everyone, some], 5, sizes, percent=70) == [0]
    assert shown([everyone, some], 5, sizes, percent=80) == [0, 1]
    third = firms(*range(10, 14))
    calm = firms(*range(14, 50))
    assert shown([everyone, third, some], 3, sizes, percent=80) == [0, 1]
    assert shown([everyone, third, calm], 3, sizes, percent=80) == [0, 1, 2]
