"""The average effect of the headline under other methods of inference, where params ask for any."""

import math
from collections.abc import Hashable
from itertools import product
from typing import Any

import pandas as pd

from pipeline.datasets.reasons import unpacked, unpacked_remarks
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.effect_cells import interval_label, interval_of, p_cell
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_outcome
from pipeline.exhibits.tables.table import DASH, Cell, Number, Panel, Row, Table, Text
from pipeline.exhibits.units import shown_error
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.language import say, tell_all
from pipeline.params.inference_methods import METHODS, method_named

# Rows by outcome and method of inference.
Rows = dict[tuple[str, str], dict[Hashable, Any]]

# Values of TESTS.test that speak of a family of outcomes.
_OF_FAMILIES = ("q_value", "romano_wolf")


def inference_tables(results: StudyResults) -> list[Table]:
    """Return one panel a method; no table where there is one only.

    Raises ValueError where a row is of a method that nobody knows.
    """
    found = average_rows(results)
    methods = {method for _, method in found}
    for name in methods:
        method_named(name)
    if len(methods) < 2:
        return []
    return by_outcome(results, lambda part: _table(results, part, found))


def average_rows(results: StudyResults) -> Rows:
    """Return the rows of the headline's average effect, by outcome and method of inference."""
    table, headline = results.estimates, results.settings.estimate.headline
    chosen = table[
        (table["design"] == headline.design)
        & (table["estimator"] == headline.spec)
        & (table["term"] == "att")
        & (table["sample"] == "all")
        & (table["subgroup"] == "all")
        & (table["band"] == "pointwise")
    ]
    rows = chosen.to_dict("records")
    return {(str(row["outcome"]), str(row["inference"])): row for row in rows}


def _table(results: StudyResults, numbered: dict[int, str], found: Rows) -> Table:
    names = list(numbered.values())
    panels = [
        Panel(
            say(f"inference_method.{method}"),
            _panel(results, names, [found.get((n, method)) for n in names]),
        )
        for method in METHODS
        if any((name, method) in found for name in names)
    ]
    if families := family_rows(results, names):
        panels.append(Panel(say("inference.over_family"), tuple(families)))
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panels),
        notes=_notes(results, names, found),
        source=results.settings.exhibit.source,
    )


def family_rows(results: StudyResults, names: list[str]) -> list[Row]:
    """Return what p-values become where several outcomes of a family are tested."""
    headline, tests = results.settings.estimate.headline, results.tests
    chosen = tests[
        (tests["design"] == headline.design)
        & (tests["estimator"] == headline.spec)
        & (tests["sample"] == "all")
    ]
    rows = []
    for test in _OF_FAMILIES:
        found = chosen[chosen["test"] == test].set_index("outcome")["p_value"].dropna()
        cells = tuple(p_cell(float(found[name])) if name in found.index else DASH for name in names)
        if any(cell != DASH for cell in cells):
            rows.append(Row(say(f"family_test.{test}"), cells))
    return rows


def _panel(
    results: StudyResults, names: list[str], rows: list[dict[Hashable, Any] | None]
) -> tuple[Row, ...]:
    pairs = [(row, results.decimals[name]) for name, row in zip(names, rows, strict=True)]
    intervals = tuple(interval_by_method(row, places) for row, places in pairs)
    lines = [
        Row(say("row.std_error"), tuple(_std_error(row, places) for row, places in pairs)),
        Row(interval_label(results), intervals),
        Row(say("row.p_value"), tuple(p_value_by_method(row) for row, _ in pairs)),
        Row(say("inference.degrees_of_freedom"), tuple(_df(row) for row, _ in pairs)),
    ]
    return tuple(line for line in lines if any(cell not in (None, DASH) for cell in line.cells))


def _figure(row: dict[Hashable, Any] | None, name: str) -> float | None:
    value = None if row is None else row[name]
    return None if value is None or pd.isna(value) else float(str(value))


def _std_error(row: dict[Hashable, Any] | None, decimals: int) -> Cell:
    if row is None or not method_named(str(row["inference"])).std_error:
        return None
    error, estimate = _figure(row, "std_error"), _figure(row, "estimate")
    if error is None or estimate is None:
        return DASH
    return Number(shown_error(error, estimate, str(row["scale"])), decimals)


def interval_by_method(row: dict[Hashable, Any] | None, decimals: int) -> Cell:
    """Return the interval of one method; a dash where there is none."""
    low, high = _figure(row, "conf_low"), _figure(row, "conf_high")
    if row is None or low is None or high is None:
        return DASH
    return interval_of(low, high, str(row["scale"]), decimals)


def p_value_by_method(row: dict[Hashable, Any] | None) -> Cell:
    """Return the p-value of one method; a dash where there is none."""
    value = _figure(row, "p_value")
    return p_cell(math.nan if value is None else value)


def _df(row: dict[Hashable, Any] | None) -> Cell:
    value = _figure(row, "df")
    return None if value is None else Text(rounding.fixed(value, 1))


def _notes(results: StudyResults, names: list[str], found: Rows) -> tuple[str, ...]:
    headline = results.settings.estimate.headline
    return (
        say("inference.what_is_shown", design=results.settings.design_label(headline.design)),
        *draws_told(results, names, found),
    )


def _said(row: dict[Hashable, Any]) -> str:
    """Return what must be known of a row, and why a figure is missing."""
    reason = unpacked(row["reason"], row["reason_fields"])
    return tell_all([*unpacked_remarks(row["remarks"]), *([] if reason is None else [reason])])


def draws_told(results: StudyResults, names: list[str], found: Rows) -> list[str]:
    """Say how draws were made, with the outcomes of which it is said unless it is all alike."""
    told: dict[str, list[str]] = {}
    drawn = [method for method, traits in METHODS.items() if traits.drawn]
    for name, method in product(names, drawn):
        row = found.get((name, method))
        if row is not None and (said := _said(row)):
            label = results.settings.outcome(name).label
            told.setdefault(capitalised(said), []).append(label)
    alike = len({tuple(labels) for labels in told.values()}) == 1
    return [
        f"{note}." if alike else f"{', '.join(labels)}: {note}."
        for note, labels in sorted(told.items())
    ]
