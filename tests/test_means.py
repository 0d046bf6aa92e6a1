"""Means stand beside counts of the firms that they are of, or say so."""

from types import SimpleNamespace

import numpy as np
import pytest
from results import study_results, with_details, with_figures

from pipeline.datasets.fits import FITS
from pipeline.datasets.samples import BASELINES
from pipeline.datasets.specs import SPECS
from pipeline.effects.description import of_all
from pipeline.exhibits.tables.panels import Shown, lettered_panels
from pipeline.exhibits.words.cautions import panel_warnings
from pipeline.exhibits.words.means import means_of_others

OF_SALES = {"outcome": "sales_log", "design": "covariates_lags"}
SPEC = OF_SALES | {"estimator": "stacked"}


@pytest.fixture(scope="module")
def results():
    return study_results()


def shown(results):
    columns = {1: "sales_log", 2: "employment_log", 3: "exports_any"}
    return Shown(columns, lettered_panels(results))


def said(results):
    return " ".join(means_of_others(results, shown(results)))


def test_means_of_the_firms_counted_need_no_words(results):
    assert said(results) == ""


def test_means_of_some_of_the_firms_counted_say_so_among_the_cautions(results):
    fewer = with_figures(results, BASELINES, OF_SALES | {"treated": False}, of_all=False)
    words = "Column 1: the mean is of those comparison firms that are observed in the reference"
    assert words in said(fewer)
    assert words in " ".join(panel_warnings(fewer, shown(fewer)))


def test_means_beside_an_estimate_among_all_firms_are_said_to_be_the_designs(results):
    wider = with_figures(results, SPECS, SPEC, firms="panel")
    words = "Column 1: the mean is of the comparison firms of the design matched on covariates and"
    assert words in said(wider)


def test_means_with_firms_that_poisson_leaves_out_say_so(results):
    zeros = with_details(results, FITS, [SPEC | {"n_all_zero": 40}])
    assert "Column 1: the mean is also of firms that are zero throughout" in said(zeros)
    none = with_details(results, FITS, [SPEC | {"n_all_zero": 0}])
    assert said(none) == ""


def test_a_mean_is_of_all_where_whoever_enters_enters_in_the_reference_year():
    """Of two comparison firms one is not observed in the reference year, the first column."""
    observed = np.array([[True, True], [True, True], [False, True], [False, False]])
    stacks = SimpleNamespace(treated=np.array([True, False, False, False]), reference_column=0)
    sample = SimpleNamespace(stacks=stacks, observed=observed)
    assert (of_all(sample, treated=True), of_all(sample, treated=False)) == (True, False)
    observed[2, 0] = True
    assert of_all(sample, treated=False), "who never enters is not counted"
