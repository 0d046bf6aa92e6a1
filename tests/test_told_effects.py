"""Effects of few firms cannot be had from those of all and of the others."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from published_sets import firms, populations
from results import OUTCOMES, study_results, with_details

from pipeline.datasets.fits import DETECTABLE
from pipeline.datasets.samples import BASELINES
from pipeline.effects.populations import Population
from pipeline.exhibits.inputs import Dominance
from pipeline.publishing.disclosure.vet import vet

PLACE = {"outcome": "sales_log", "design": "covariates_lags", "estimator": "cells"}


def row(template, term, n_treated, **coordinates):
    given = {"cohort": pd.NA, "year": pd.NA, "event_time": pd.NA, "last_event_time": pd.NA}
    return {**template, **PLACE, "term": term, "n_treated": n_treated, **given, **coordinates}


def with_rows(make, found=None):
    """Return results with further rows of ESTIMATES, and the private tables, if any."""
    results = study_results()
    estimates = results.estimates
    own = estimates[estimates["estimate"].notna() & (estimates["term"] == "att")]
    template = own.iloc[0].to_dict() | {"sample": "all", "grouping": "all", "subgroup": "all"}
    more = pd.DataFrame(make(template)).astype(estimates.dtypes)
    table = pd.concat([estimates, more], ignore_index=True)
    return replace(results, estimates=table, populations=found)


def shown(results, estimator="cells"):
    table = vet(results).estimates
    return table[table["estimator"] == estimator]


def cells(sizes, times=(0, 1)):
    """Return rows of cells, events and averages of entry years with these numbers of firms."""

    def make(template):
        rows = [
            row(template, "att_gt", n, cohort=cohort, year=cohort + time)
            for cohort, n in sizes.items()
            for time in times
        ]
        rows += [row(template, "event", sum(sizes.values()), event_time=time) for time in times]
        return [*rows, row(template, "att", sum(sizes.values()))]

    return make


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ({2009: 1, 2010: 20, 2011: 30}, {2009, 2010}),
        ({2009: 9, 2010: 20, 2011: 30}, set()),
        ({2009: 1, 2010: 4, 2011: 30}, {2009, 2010}),
        ({2009: 1, 2010: 2, 2011: 30}, {2009, 2010, 2011}),
    ],
)
def test_with_the_cells_of_an_entry_year_of_few_go_others_that_would_tell_them(sizes, hidden):
    rows = shown(with_rows(cells(sizes)))
    of_all = rows[rows["term"].isin(["event", "att"])]
    assert of_all["estimate"].notna().all()
    gone = rows[(rows["term"] == "att_gt") & rows["estimate"].isna()]
    assert set(gone["cohort"]) == hidden and len(gone) == 2 * len(hidden)
    assert set(gone["reason"]) <= {"few_firms_in_group", "tells_hidden_effect"}
    assert gone["n_treated"].isna().all()


def test_firms_of_an_entry_year_are_counted_once_for_all_its_cells():
    """The average less the cells of 2010 is of both cells of 2009: four firms, not seven."""

    def make(template):
        sizes = {(2009, 0): 4, (2009, 1): 3, (2010, 0): 20, (2010, 1): 20}
        rows = [
            row(template, "att_gt", n, cohort=cohort, year=cohort + time)
            for (cohort, time), n in sizes.items()
        ]
        return [*rows, row(template, "att", 24)]

    rows = shown(with_rows(make))
    gone = rows[(rows["cohort"] == 2010) & rows["estimate"].isna()]
    assert gone["reason"].tolist() == ["tells_hidden_effect"]


def paths(by_time):
    """Return the private tables of treated firms (stack, firm) by event time."""
    return populations(
        *(
            {Population("OUTCOME_PATHS", PLACE["design"], PLACE["outcome"], event_time=t): units}
            for t, units in by_time.items()
        )
    )


def test_the_effect_of_the_one_firm_seen_last_is_not_told_by_the_average():
    many = [*firms(*range(20)), *firms(*range(20, 30), stack=2010)]
    by_time = {-1: many, 0: many, 1: many, 2: firms(0)}

    def make(template):
        later = {time: own for time, own in by_time.items() if time >= 0}
        events = [row(template, "event", len(own), event_time=t) for t, own in later.items()]
        return [*events, row(template, "event_average", 30)]

    rows = shown(with_rows(make, paths(by_time))).set_index("term")
    assert np.isfinite(rows.loc["event_average", "estimate"])
    events = rows.loc["event"].set_index("event_time")
    assert events["estimate"].notna().to_dict() == {0: True, 1: False, 2: False}
    assert events.loc[1, "reason"] == "tells_hidden_effect"


def test_other_bands_of_a_hidden_effect_are_hidden_with_it():
    def make(template):
        rows = cells({2009: 1, 2010: 20})(template)
        return rows + [one | {"band": "simultaneous"} for one in rows if one["term"] == "att_gt"]

    rows = shown(with_rows(make))
    assert rows.loc[rows["term"] == "att_gt", "estimate"].isna().all()


def test_an_effect_on_a_sample_that_leaves_few_out_is_not_shown():
    sets = {
        Population("ESTIMATES", PLACE["design"], PLACE["outcome"]): firms(*range(40)),
        Population("ESTIMATES", PLACE["design"], PLACE["outcome"], sample="survivors"): firms(
            *range(2, 40)
        ),
        Population("ESTIMATES", PLACE["design"], PLACE["outcome"], sample="base_exporters"): firms(
            *range(20, 40)
        ),
    }

    def make(template):
        samples = ("all", "survivors", "base_exporters")
        return [row(template, "att", 30) | {"sample": sample} for sample in samples]

    rows = shown(with_rows(make, populations(sets))).set_index("sample")["estimate"]
    assert np.isfinite(rows[["all", "base_exporters"]]).all() and np.isnan(rows["survivors"])


def beside_percents(transform, share):
    """Return results on one column twice, of whose comparison mean one firm makes a share."""
    scales = {"sales_log": transform, "relative": "percent_of_mean"}
    named = {name: OUTCOMES["sales_log"] | {"transform": own} for name, own in scales.items()}
    results = study_results(OUTCOMES | named)
    head = results.settings.estimate.headline
    shares = [
        {"outcome": name, "design": head.design, "estimator": None}
        | {"treated": False, "event_time": -1, "share": share}
        for name in named
    ]
    covariates = pd.DataFrame(
        columns=["design", "stack", "covariate", "sample", "treated", "share"]
    )
    panel = pd.DataFrame(columns=["column", "scope", "first_year", "treated", "share"])
    place = {"outcome": "relative", "design": head.design, "estimator": head.spec}
    detectable = {"grouping": "all", "effect": 2.0, "scale": "percent_of_mean"}
    found = with_details(results, DETECTABLE, [place | detectable])
    return replace(found, dominance=Dominance(pd.DataFrame(shares), covariates, panel)), place


@pytest.mark.parametrize(
    ("transform", "share", "hidden"),
    [("level", 60.0, True), ("asinh", 60.0, True), ("level", 40.0, False), ("log", 60.0, False)],
)
def test_effects_in_percent_of_a_hidden_mean_do_not_stand_beside_those_on_the_level(
    transform, share, hidden
):
    """100 times the effect on the level, divided by that in percent, is the mean."""
    results, place = beside_percents(transform, share)
    shown = vet(results)
    key = {"design": place["design"], "treated": False}
    assert shown.details.figure(BASELINES, "mean", outcome="relative", **key).hidden == (share > 50)
    known = results.estimates["estimate"].notna()
    own = known & (results.estimates["outcome"] == "relative")
    told = shown.estimates.loc[own, ["estimate", "std_error", "conf_low", "conf_high"]].notna()
    assert own.any() and told.any(axis=None) != hidden
    if hidden:
        assert set(shown.estimates.loc[own, "reason"]) == {"tells_hidden_mean"}
    others = known & (results.estimates["outcome"] == "sales_log")
    assert shown.estimates.loc[others, "estimate"].notna().all()
    assert np.isnan(shown.details.detectable("effect", place)) == hidden
