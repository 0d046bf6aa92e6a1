"""Summary statistics: what each figure is of, and what is suppressed."""

import dataclasses

import pandas as pd
import pytest
from results import study_results, with_figures
from text_tables import panel

from pipeline.datasets.panel import BEFORE_FIRST_ENTRY, FROM_FIRST_ENTRY, PROFILE
from pipeline.datasets.selection import STACKS
from pipeline.datasets.store import conform
from pipeline.exhibits.figures.cohorts import cohort_plot
from pipeline.exhibits.tables.missingness import missingness_table
from pipeline.exhibits.tables.summary_statistics import summary_statistics_table
from pipeline.panel.profile import profile_panel
from pipeline.params.data import DataSection

DATA = DataSection.model_validate(
    {
        "source": {"kind": "files", "panel": "x.csv"},
        "firm_id": "id",
        "year": "year",
        "cluster": ["firm_id"],
        "columns": {
            "sales": {"kind": "number", "column": "s", "unit": "US$", "label": "Sales"},
            "founded": {"kind": "number", "column": "f", "unit": "year", "label": "Founded"},
            "town": {"kind": "text", "column": "t", "label": "Town"},
        },
    }
)

PANEL = panel(
    """
    firm_id  year  cohort  cluster  sales  founded
    a        2001  2002    A        1      1987
    a        2002  2002    A        3      1987
    b        2001  2002    A        2      1990
    b        2002  2002    A        -      1990
    c        2001  -       B        0      1971
    c        2002  -       B        10     1971
    d        2001  -       B        4      1975
    d        2002  -       B        0      1975
    """
)


def profile(minimum=1):
    return conform(PROFILE, profile_panel(PANEL, minimum, DATA.columns))


def row(found, column, scope, treated):
    chosen = (found["column"] == column) & (found["scope"] == scope)
    return found[chosen & (found["treated"] == treated)].iloc[0]


def test_each_figure_is_that_of_its_group_and_side_of_entry():
    found = profile()
    before, later = (row(found, "sales", s, True) for s in (BEFORE_FIRST_ENTRY, FROM_FIRST_ENTRY))
    assert (before.n_rows, before.n_missing, before["mean"], before.p50) == (2, 0, 1.5, 1.5)
    assert before.std_dev == pytest.approx(0.707)
    assert (later.n_rows, later.n_missing, later["mean"]) == (2, 1, 3.0)
    assert row(found, "sales", BEFORE_FIRST_ENTRY, False)["mean"] == 2.0


def test_labels_and_units_are_those_of_params():
    found = row(profile(), "sales", BEFORE_FIRST_ENTRY, True)
    assert (found["label"], found["unit"]) == ("Sales", "US$")


def test_calendar_years_are_not_rounded_to_three_digits():
    assert row(profile(), "founded", BEFORE_FIRST_ENTRY, True)["mean"] == 1988.0


def test_a_group_below_the_minimum_shows_nothing():
    small = row(profile(minimum=3), "sales", BEFORE_FIRST_ENTRY, True)
    assert small[["n_rows", "n_missing", "mean", "std_dev", "p50"]].isna().all()


def test_a_median_needs_enough_values_on_each_side():
    found = row(profile(minimum=2), "sales", BEFORE_FIRST_ENTRY, False)
    assert found["mean"] == 2.0
    assert pd.isna(found["p50"])


def results(minimum=1):
    return dataclasses.replace(study_results(), profile=profile(minimum))


def test_the_table_shows_every_figure_of_the_summary():
    shown = summary_statistics_table(results())[0]
    assert [panel.title for panel in shown.panels] == [
        "Before the first entry, 2001",
        "From the first entry on, 2002",
    ]
    labels = [r.label for r in shown.panels[0].rows]
    assert labels == ["Sales (US$)", "Founded (year)", "Rows"]
    assert [cell.plain() for cell in shown.panels[0].rows[0].cells] == [
        "1.50",
        "0.707",
        "1.50",
        "2.00",
        "2.83",
        "2.00",
    ]
    assert shown.panels[0].rows[1].cells[0].plain() == "1988"


def test_suppressed_figures_are_dashes():
    cells = summary_statistics_table(results(minimum=3))[0].panels[0].rows[0].cells
    assert {cell.plain() for cell in cells} == {"\u2014"}


def test_missingness_is_in_percent_of_rows():
    rows = {r.label: r for r in missingness_table(results())[0].panels[0].rows}
    assert [cell.plain() for cell in rows["Sales"].cells] == ["0.0", "0.0", "50.0", "0.0"]


def test_without_a_profile_there_are_no_tables():
    bare = study_results()
    assert summary_statistics_table(dataclasses.replace(bare, profile=None)) == []
    assert missingness_table(dataclasses.replace(bare, profile=None)) == []


def test_the_cohort_plot_has_one_row_an_entry_year_and_one_for_those_who_never_enter():
    axes = cohort_plot(study_results()).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["2009", "2010", "never"]
    assert [text.get_text() for text in axes.texts] == ["210 firms", "210 firms", "9,836 firms"]
    assert len(axes.patches) == 3 * len(range(2006, 2014))


def test_the_cohort_plot_leaves_out_a_count_that_is_not_published():
    results = study_results()
    hidden = with_figures(results, STACKS, {"stack": 2010}, n_entrants=pd.NA)
    axes = cohort_plot(hidden).axes[0]
    assert [text.get_text() for text in axes.texts] == ["210 firms", "9,836 firms"]
