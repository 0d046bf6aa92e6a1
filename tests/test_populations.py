"""POPULATIONS: how many firms are in the same published sets, counted without names."""

import itertools

import numpy as np
import pandas as pd
import pytest
from bad_chains import chained
from bad_studies import EVENTS
from bad_studies import spec as named
from hypothesis import given, settings
from hypothesis import strategies as st
from published_sets import populations

from pipeline.analyses import counted_sets
from pipeline.analyses.counted_sets import CountedSets, CountPlace
from pipeline.datasets.populations import COUNTED_FIRMS, FEW_UNITS
from pipeline.effects.populations import Population

N_FIRMS = 12
UNITS = st.tuples(st.sampled_from([2009, 2010]), st.integers(0, N_FIRMS - 1))
SETS = st.lists(st.sets(UNITS, min_size=1), min_size=1, max_size=20)


def counted(sets):
    """Return the tables of sets by number, and the signatures of each."""
    places = [Population("ESTIMATES", "d", "x", sample=str(i)) for i in range(len(sets))]
    found = populations(dict(zip(places, sets, strict=True)), n_firms=N_FIRMS)
    numbers = found.sets.set_index("sample")["population"]
    held = found.populations.groupby("population")["signature"].agg(set)
    return found, [held[numbers[str(i)]] for i in range(len(sets))]


@settings(deadline=None, max_examples=40)
@given(SETS)
def test_signatures_tell_the_size_of_every_set_and_of_what_any_two_share(sets):
    found, held = counted(sets)
    n_firms = found.signatures.set_index("signature")["n_firms"]
    for (i, one), (j, other) in itertools.product(enumerate(sets), repeat=2):
        assert n_firms.reindex(sorted(held[i] & held[j])).sum() == len(one & other)
    stacks = found.signatures.set_index("signature")["stack"]
    for own, signatures in zip(sets, held, strict=True):
        assert set(stacks.reindex(sorted(signatures))) == {stack for stack, _ in own}


@settings(deadline=None, max_examples=40)
@given(SETS)
def test_firms_of_small_signatures_are_counted_once_for_all_their_units(sets):
    found, held = counted(sets)
    groups = found.shared.groupby("firms")
    own = {number: (set(rows["signature"]), rows["n_firms"].iloc[0]) for number, rows in groups}
    for units, signatures in zip(sets, held, strict=True):
        counts = sum(n for of, n in own.values() if of & signatures)
        assert counts == len({firm for _, firm in units})


def test_firms_of_large_signatures_are_not_told_apart():
    both = {(stack, firm) for stack in (2009, 2010) for firm in range(FEW_UNITS + 1)}
    place = Population("ESTIMATES", "d", "x")
    assert populations({place: both}).shared.empty


def test_sizes_are_added_up_by_signature():
    sizes = np.arange(200.0)
    one, other = (Population("ESTIMATES", "d", "x", sample=name) for name in ("one", "other"))
    units = {one: [(2009, 3), (2009, 5)], other: [(2009, 5), (2009, 8)]}
    found = populations((units, sizes)).signatures
    assert sorted(found["total"]) == [3, 5, 8] and sorted(found["largest"]) == [3, 5, 8]
    assert populations({one: [(2009, 3), (2009, 8)]}).signatures["total"].isna().all()


def test_groups_count_the_firms_that_estimates_count():
    found = chained(
        specs=[named("main", "stacked", average="event", terms=EVENTS, designs=["matched"])]
    )
    rows = found.estimates
    grouped = rows[(rows["estimator"] == "groups") & (rows["subgroup"] != "all")]
    assert len(grouped) > 1
    for row in grouped.itertuples():
        place = Population(
            "ESTIMATES", row.design, row.outcome, grouping=row.grouping, subgroup=row.subgroup
        )
        assert len(found.members.sets[place]) == row.n_treated


@pytest.mark.parametrize("n_firms", [7, 8, 1003])
def test_counts_by_signature_do_not_depend_on_how_many_firms_are_looked_at_together(
    n_firms, monkeypatch
):
    marks = np.random.default_rng(3).random((12, n_firms)) < 0.3
    found = []
    for n_bytes in (8192, 2):
        monkeypatch.setattr(counted_sets, "_BYTES", n_bytes)
        sets = CountedSets(n_firms)
        for number, own in enumerate(marks):
            sets.add(CountPlace("table", str(number)), np.flatnonzero(own))
        found.append(sets.tables()[COUNTED_FIRMS])
    pd.testing.assert_frame_equal(*found)
    by_set = found[0].groupby("counted")["n_firms"].sum()
    assert sorted(by_set) == sorted({tuple(own): own.sum() for own in marks if own.any()}.values())
