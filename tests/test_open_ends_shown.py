"""What readers see of event times that stand for all beyond them."""

from dataclasses import replace

import numpy as np
import pytest
from results import OUTCOMES, study_results, with_details
from test_ran import altered

from pipeline.datasets.fits import FITS
from pipeline.exhibits.figures.event_study import event_study
from pipeline.exhibits.leads import headline_pre_trends
from pipeline.exhibits.panels.event_effects import event_panel, shown_effects
from pipeline.exhibits.render.results_csv import plots_csv
from pipeline.exhibits.tables.dynamic_effects import dynamic_effects
from pipeline.exhibits.tables.panels import Shown, lettered_panels
from pipeline.exhibits.words.cautions import panel_warnings
from pipeline.exhibits.words.verdicts import answer

OUTCOME = "sales_log"


def binned():
    """Return made-up results whose first and last event times are open-ended."""
    plain = study_results()
    table = plain.estimates
    ends = {-3: "event_or_earlier", 3: "event_or_later"}
    own = (table["term"] == "event") & table["event_time"].isin(ends)
    families = np.where(own, table["event_time"].map(ends), table["term"])
    return replace(plain, estimates=table.assign(term=families))


def test_tables_and_figures_say_that_the_ends_are_open():
    results = binned()
    (table,) = dynamic_effects(results)
    labels = [row.label for panel in table.panels for row in panel.rows]
    assert {"\u22123 or earlier", "\u22122", "2", "3 or later"} <= set(labels)
    axes = event_study(results).axes[0]
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert (ticks[0], ticks[-1]) == ("\u2264\u22123", "\u22653")
    drawn = event_panel(results, OUTCOME)
    assert all(f">{label}<" in drawn for label in ("\u2264\u22123", "\u22653", "0"))


def test_the_ends_are_no_single_event_times_where_these_are_read():
    """Not for leads, for the drift that a test would miss, nor in the data of plots."""
    results = binned()
    assert sorted(shown_effects(results, OUTCOME)) == [-2, -1, 0, 1, 2]
    assert set(headline_pre_trends(results, OUTCOME).leads) <= {-2}
    rows = plots_csv(results)[f"plots/effect_{OUTCOME}.csv"].decode().splitlines()[1:]
    assert not {"-3", "3"} & {row.partition(",")[0] for row in rows}


def test_firms_of_the_whole_panel_are_in_no_stacks_that_use_them_again():
    plain = study_results()
    shown = Shown(dict(enumerate(OUTCOMES, 1)), lettered_panels(plain))
    (whole,) = altered([plain], {"estimator": "stacked"}, firms="panel")
    said, of_whole = (" ".join(panel_warnings(results, shown)) for results in (plain, whole))
    assert "in several sets or entry years" in said
    assert "in several sets or entry years" not in of_whole


def test_treated_firms_that_share_a_cluster_are_counted_among_every_firm():
    plain = study_results()
    panels = lettered_panels(plain)
    shown = Shown({1: OUTCOME}, {"A": panels["A"]})
    own = {"design": panels["A"].design, "outcome": OUTCOME, "estimator": panels["A"].spec}
    place = {"estimator": "stacked"}
    (whole,) = altered([plain], place, firms="panel", cluster="firm")
    told = with_details(whole, FITS, [own | {"n_treated_sharing_cluster": 31}])
    warning = "treated that share their cluster: 31."
    assert warning in " ".join(panel_warnings(told, shown))
    assert warning not in " ".join(panel_warnings(whole, shown))


@pytest.mark.parametrize(
    ("changes", "over"),
    [
        ({"end_bins": "last_shown"}, "years 0 to 2 from entry"),
        ({"end_bins": "both_averaged"}, "all years from entry on"),
        ({"end_bins": "untested_shown", "average": "pooled"}, "all years from entry on"),
    ],
)
def test_the_answer_says_over_which_years_it_is(changes, over):
    """Without the last, open-ended, year, unless averages take it or all years are pooled."""
    place = {"estimator": "stacked"}
    (results,) = altered([study_results()], place, firms="panel", firm_years="once", **changes)
    assert over in answer(results, {})
