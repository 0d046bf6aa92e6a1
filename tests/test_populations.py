"""POPULATIONS: how many firms are in the same published sets, and which of these are near."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
from bad_chains import chained
from bad_studies import EVENTS
from bad_studies import spec as named
from hypothesis import given, settings
from hypothesis import strategies as st
from results import study_results

import pipeline.analyses.populations as counting
from pipeline.datasets.populations import POPULATION_SETS, POPULATIONS
from pipeline.datasets.store import conform
from pipeline.effects.populations import Population
from pipeline.exhibits.inputs import Populations
from pipeline.publishing.disclosure.nested import nested_means

N_FIRMS = 12
SETS = st.lists(
    st.sets(st.integers(0, N_FIRMS - 1), min_size=1).map(lambda codes: np.array(sorted(codes))),
    min_size=1,
    max_size=20,
    unique_by=lambda codes: codes.tobytes(),
)


@settings(deadline=None)
@given(SETS)
def test_signatures_tell_the_size_of_every_set_and_of_what_any_two_share(sets):
    table = conform(POPULATIONS, counting._signatures(sets, N_FIRMS))
    of = {
        number: dict(zip(rows["signature"], rows["n_firms"], strict=True))
        for number, rows in table.groupby("population")
    }
    for (i, one), (j, other) in itertools.product(enumerate(sets, 1), repeat=2):
        shared = of[i].keys() & of[j].keys()
        assert sum(of[i][signature] for signature in shared) == len(set(one) & set(other))


def test_groups_count_the_firms_that_estimates_count():
    found = chained(
        specs=[named("main", "stacked", average="event", terms=EVENTS, designs=["matched"])]
    )
    rows = found.estimates
    grouped = rows[(rows["estimator"] == "groups") & (rows["subgroup"] != "all")]
    assert len(grouped) > 1
    for row in grouped.itertuples():
        place = Population(
            row.design, row.outcome, grouping=row.grouping, subgroup=row.subgroup, treated=True
        )
        firms, others = (found.members.sets[replace(place, treated=t)] for t in (True, False))
        assert (len(firms), len(others)) == (row.n_treated, row.n_control)


def populations(**firms):
    """Return the tables of sets of one mean of log sales, by design."""
    rows = [
        {
            "design": design,
            "stack": "all",
            "sample": "all",
            "variable": "sales_log",
            "event_time": -1,
            "grouping": "all",
            "subgroup": "all",
            "treated": True,
            "population": number,
            "n_firms": len(codes),
        }
        for number, (design, codes) in enumerate(firms.items(), 1)
    ]
    sets = conform(POPULATION_SETS, pd.DataFrame(rows))
    codes = [np.array(sorted(codes)) for codes in firms.values()]
    return Populations(sets, conform(POPULATIONS, counting._signatures(codes, 100)))


def near(found, results=None):
    results = replace(study_results() if results is None else results, populations=found)
    pairs = nested_means(results, 5)
    kept = ["larger_design", "smaller_design", "n_firms"]
    return sorted(pairs[kept].itertuples(index=False, name=None))


def test_a_set_inside_another_that_lacks_few_is_found():
    found = populations(unmatched=range(60), covariates=range(3, 60), covariates_lags=range(10, 60))
    assert near(found) == [("unmatched", "covariates", 3)]
    apart = populations(unmatched=range(60), covariates=range(55), covariates_lags=range(20))
    assert near(apart) == []


def test_sets_that_only_overlap_are_not_nested_whatever_their_sizes():
    assert near(populations(unmatched=range(60), covariates=range(1, 61))) == []


def test_the_same_firms_tell_nothing_more():
    sets = populations(unmatched=range(60), covariates=range(60))
    assert near(sets) == []


def test_a_mean_that_is_not_published_is_compared_with_none():
    found, results = populations(unmatched=range(60), covariates=range(3, 60)), study_results()
    assert near(found, results) == [("unmatched", "covariates", 3)]
    hidden = (results.paths["design"] == "covariates") & (results.paths["event_time"] == -1)
    paths = results.paths.assign(mean=results.paths["mean"].mask(hidden))
    assert near(found, replace(results, paths=paths)) == []
