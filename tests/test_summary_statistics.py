"""Summary statistics: what each figure is of, and what is suppressed."""

import dataclasses

import pandas as pd
import pytest
from results import study_results
from text_tables import table

from pipeline.datasets.panel import SUMMARY
from pipeline.datasets.store import conform
from pipeline.exhibits.cohort_plot import cohort_plot
from pipeline.exhibits.missingness_table import missingness_table
from pipeline.exhibits.summary_table import summary_statistics_table
from pipeline.params.data import DataSection
from pipeline.summary_statistics import summary_statistics

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

PANEL = table(
    """
    firm_id  year  cohort  sales  founded
    a        2001  2002    1      1987
    a        2002  2002    3      1987
    b        2001  2002    2      1990
    b        2002  2002    -      1990
    c        2001  -       0      1971
    c        2002  -       10     1971
    d        2001  -       4      1975
    d        2002  -       0      1975
    """
).astype({"year": "Int64", "cohort": "Int64", "sales": float, "founded": float})


def summary(minimum=1):
    return conform(SUMMARY, summary_statistics(PANEL, DATA, minimum))


def row(found, column, period, treated):
    chosen = (found["column"] == column) & (found["period"] == period)
    return found[chosen & (found["treated"] == treated)].iloc[0]


def test_each_figure_is_that_of_its_group_and_period():
    found = summary()
    before, later = (row(found, "sales", p, True) for p in ("before", "from"))
    assert (before.n_rows, before.n_observed, before["mean"], before.p50) == (2, 2, 1.5, 1.5)
    assert before.std_dev == pytest.approx(0.707)
    assert (later.n_rows, later.n_observed, later["mean"]) == (2, 1, 3.0)
    assert row(found, "sales", "before", False).n_zero == 1
    assert (before.first_year, before.last_year, later.first_year) == (2001, 2001, 2002)


def test_text_columns_have_no_summary_and_units_are_those_of_params():
    found = summary()
    assert set(found["column"]) == {"sales", "founded"}
    assert set(found.loc[found["column"] == "sales", "unit"]) == {"US$"}


def test_calendar_years_are_not_rounded_to_three_digits():
    assert row(summary(), "founded", "before", True)["mean"] == 1988.0


def test_a_group_below_the_minimum_shows_nothing():
    small = row(summary(minimum=3), "sales", "before", True)
    assert small[["n_rows", "n_observed", "n_zero", "mean", "std_dev", "p50"]].isna().all()


def test_a_median_needs_enough_values_on_each_side():
    one = row(summary(minimum=2), "sales", "before", True)
    assert one["mean"] == 1.5
    assert pd.isna(one["p50"])


def test_without_entrants_there_is_no_summary():
    nobody = PANEL.assign(cohort=pd.array([None] * len(PANEL), dtype="Int64"))
    assert conform(SUMMARY, summary_statistics(nobody, DATA, 1)).empty


def results(minimum=1):
    return dataclasses.replace(study_results(), summary=summary(minimum))


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


def test_without_a_summary_there_are_no_tables():
    bare = study_results()
    assert summary_statistics_table(dataclasses.replace(bare, summary=None)) == []
    assert missingness_table(dataclasses.replace(bare, summary=None)) == []


def test_the_cohort_plot_has_one_row_an_entry_year_and_one_for_those_who_never_enter():
    axes = cohort_plot(study_results()).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["2009", "2010", "never"]
    assert [text.get_text() for text in axes.texts] == ["210 firms", "210 firms", "9,836 firms"]
    assert len(axes.patches) == 3 * len(range(2006, 2014))
