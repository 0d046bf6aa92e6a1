"""Which tables a study has by default, and that nothing empty stands in them."""

import dataclasses

import pandas as pd
import pytest
from results import OUTCOMES, study_results

from pipeline.exhibits.tables.checks import checks_tables
from pipeline.exhibits.tables.parts import noted_once
from pipeline.exhibits.tables.registry import named_tables
from pipeline.exhibits.tables.table import DASH, HIDDEN, Number, Panel, Row, Table, TableColumn
from pipeline.exhibits.tables.without_empty import without_empty
from pipeline.exhibits.units import percent
from pipeline.params.exhibit import DEFAULT_TABLES, ExhibitSection
from pipeline.publishing.study import study_tables

ONE = Number(1.0, 1)


@pytest.fixture(scope="module")
def tables():
    return study_tables(study_results(tables=list(DEFAULT_TABLES), notes="short"))


def small(*rows, title="A"):
    columns = tuple(TableColumn(name) for name in ("first", "second"))
    return Table(columns, (Panel(title, rows),), notes=("said",))


def test_a_study_that_names_no_tables_has_the_default_ones(tables):
    named = {"title", "programme", "firms", "cluster", "source", "panels", "design_labels"}
    given = study_results().settings.exhibit.model_dump(include=named | {"decimals", "stars"})
    assert ExhibitSection.model_validate(given).tables == list(DEFAULT_TABLES)
    made = {table.part.table for table in tables.values()}
    # no groups are asked for
    assert made == set(DEFAULT_TABLES) - {"heterogeneity"}
    assert len(tables) <= 9


def test_nothing_empty_stands_in_any_table(tables):
    for name, table in tables.items():
        for row in table.rows():
            assert any(cell not in (None, DASH) for cell in row.cells), (name, row.label)
        for index in range(len(table.columns)):
            assert any(cell not in (None, DASH) for cell in table.column_cells(index)), name
        assert all(panel.rows for panel in table.panels), name


def test_empty_rows_columns_and_panels_are_left_out_and_named_in_one_line():
    table = small(
        Row("kept", (ONE, DASH)), Row("empty", (DASH, None)), Row("q", (None, None), True)
    )
    emptied = dataclasses.replace(table, panels=(*table.panels, *small(title="B").panels))
    found = without_empty(emptied)
    assert [column.heading for column in found.columns] == ["first"]
    assert [[row.label for row in panel.rows] for panel in found.panels] == [["kept"]]
    assert found.notes == ("said", "Nothing to show, and left out: second; empty; B.")


def test_what_is_not_published_is_something_and_a_full_table_is_as_it_was():
    full = small(Row("kept", (ONE, HIDDEN)))
    assert without_empty(full) == full
    assert without_empty(small(Row("empty", (DASH, None)))) is None


def test_a_row_without_figures_stays_above_what_is_indented_below_it():
    """Counts of a group that is too small for an effect are not those of the group above."""
    table = small(
        Row("shown", (ONE, ONE)),
        Row("too few", (DASH, DASH)),
        Row("", (None, None)),
        Row("firms", (ONE, ONE), True),
        Row("nobody", (DASH, DASH)),
        Row("", (DASH, DASH)),
    )
    shown = without_empty(table)
    assert [row.label for row in shown.panels[0].rows] == ["shown", "too few", "firms"]
    assert shown.notes[-1] == "Nothing to show, and left out: nobody."


def test_no_missing_values_make_no_table():
    results = study_results()
    whole = dataclasses.replace(results, profile=results.profile.assign(missing_share=0.0))
    assert named_tables(results, "missingness")
    assert named_tables(whole, "missingness") == {}


def test_checks_stand_in_one_table_with_placebo_outcomes_last():
    control = OUTCOMES["sales_log"] | {"column": "rent", "label": "Log rent"}
    control |= {"negative_control": "it acts elsewhere"}
    results = study_results(OUTCOMES | {"rent": control})
    (table,) = checks_tables(results)
    assert [column.heading for column in table.columns][-1] == "Log rent"
    titles = {panel.title: panel for panel in table.panels}
    (row, _, p_value) = titles["Effects where there can be none"].rows
    assert row.cells[:3] == (DASH, DASH, DASH)
    effects = results.estimates.set_index(["outcome", "design", "estimator", "term"])
    wanted = effects.loc[("rent", "covariates_lags", "stacked", "att")]
    assert row.cells[3].value == percent(wanted["estimate"])
    assert p_value.cells[3].plain() == f"{wanted['p_value']:.2f}"
    assert "Log rent, it acts elsewhere" in " ".join(table.notes)


def test_every_event_time_has_the_firms_behind_it(tables):
    rows = [row for panel in tables["dynamic_effects"].panels for row in panel.rows]
    counts = rows[2::3]
    assert {row.label for row in counts} == {"Treated / comp."}
    estimates = study_results().estimates
    headline = (estimates["design"] == "covariates_lags") & (estimates["outcome"] == "sales_log")
    shown = estimates[headline & (estimates["term"] == "event") & estimates["std_error"].notna()]
    wanted = shown.sort_values("event_time")[["n_treated", "n_control"]]
    assert [row.cells[0].values for row in counts] == [tuple(pair) for pair in wanted.to_numpy()]
    assert pd.notna(wanted).all(axis=None)


def test_notes_that_are_alike_are_printed_once():
    first = small(Row("one", (ONE, ONE)))
    other = dataclasses.replace(first, notes=("said", "a caution on its columns"))
    found = noted_once([first, first, other])
    assert found[0] == first and found[2] == other
    assert found[1].notes == ("As under the first part of this table.",)
