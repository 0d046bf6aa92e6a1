"""Tables behind feet and notes: look-ups by key, and what their columns tell of firms."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from results import study_results, with_figures

from pipeline.datasets.details import DETAILS
from pipeline.datasets.matches import MATCHED
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.selection import SCORE_LOSSES, STACKS
from pipeline.datasets.store import Column, Dataset, TableError, require_traits
from pipeline.publishing import publication
from pipeline.publishing.disclosure import details as disclosure
from pipeline.publishing.disclosure import vet
from pipeline.publishing.publication import as_published, published_csvs

PLACE = {"design": "covariates", "stack": "all"}
BY_NAME = {t.name: t for t in [*vars(publication).values(), *DETAILS] if isinstance(t, Dataset)}


def test_a_figure_is_found_by_its_whole_key():
    details = study_results().details
    assert details.figure(MATCHED, "ess", **PLACE).value == 950.3
    with pytest.raises(KeyError, match="the key of MATCHED"):
        details.figure(MATCHED, "ess", design="covariates")
    with pytest.raises(KeyError):
        details.figure(MATCHED, "no_such_column", **PLACE)


def test_a_figure_without_a_row_is_unknown_and_one_that_is_missing_is_hidden():
    results = with_figures(study_results(), MATCHED, PLACE, n_comparison_reused=pd.NA)
    hidden = results.details.figure(MATCHED, "n_comparison_reused", **PLACE)
    unknown = results.details.figure(MATCHED, "ess", design="another", stack="all")
    assert (hidden.known, hidden.hidden) == (False, True)
    assert (unknown.known, unknown.hidden) == (False, False)


def test_a_total_is_over_the_rows_of_a_part_of_the_key_and_hidden_with_one_of_them():
    results = study_results()
    group = {"model": "lags", "treated": True}
    assert results.details.total(SCORE_LOSSES, "n_without_covariates", **group).value == 3 + 4
    one = with_figures(results, SCORE_LOSSES, group | {"stack": 2009}, n_without_covariates=pd.NA)
    found = one.details.total(SCORE_LOSSES, "n_without_covariates", **group)
    assert found.hidden
    assert math.isnan(found.value)
    assert not results.details.total(SCORE_LOSSES, "n_off_support", model="none").known


def test_every_published_column_says_what_it_tells_of_firms():
    for name in published_csvs(study_results()):
        if name != "recovery":
            require_traits(BY_NAME[name.upper()])


def test_what_is_hidden_of_an_estimate_is_all_but_its_coordinates_and_words():
    hidden = {*vet._FIGURES, *vet._SIZES}
    numbers = {n for n, c in ESTIMATES.columns.items() if c.kind in ("number", "integer")}
    assert hidden == numbers - set(ESTIMATES.key)


def test_a_published_column_that_says_nothing_is_refused():
    silent = replace(ESTIMATES, columns={**ESTIMATES.columns, "new": Column("number", "new")})
    with pytest.raises(TableError, match=r"ESTIMATES: columns \['new'\]"):
        as_published(silent)


def test_a_column_that_does_not_say_what_it_tells_stops_publication(monkeypatch):
    silent = replace(STACKS, columns={**STACKS.columns, "n_new": Column("integer", "new")})
    monkeypatch.setattr(disclosure, "DETAILS", (silent,))
    with pytest.raises(TableError, match=r"STACKS: columns \['n_new'\]"):
        disclosure.hide_small_counts(study_results().details, 5)


@pytest.mark.parametrize(("number", "shown"), [(0, True), (1, False), (4, False), (5, True)])
def test_small_counts_are_hidden_and_nothing_else(number, shown):
    results = with_figures(study_results(), MATCHED, PLACE, n_comparison_reused=number, ess=3.0)
    vetted = disclosure.hide_small_counts(results.details, 5)
    assert vetted.figure(MATCHED, "n_comparison_reused", **PLACE).known == shown
    assert vetted.figure(MATCHED, "ess", **PLACE).value == 3.0
