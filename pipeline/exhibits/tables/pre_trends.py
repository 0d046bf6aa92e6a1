"""What tests of effects before entry found, and which trends they would have found."""

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from pipeline.datasets.fits import PRE_TREND_POWER
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Ran, conf_level, ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.effect_cells import p_cell
from pipeline.exhibits.tables.panels import panel_name, panel_position, panels_key
from pipeline.exhibits.tables.table import DASH, Magnitude, Panel, Row, Table, TableColumn
from pipeline.exhibits.units import shown_value, unit_words
from pipeline.exhibits.words.in_full import in_full
from pipeline.exhibits.words.language import join_words, say
from pipeline.inference.pre_trend_power import FOUND_WITH

_Rows = list[dict[Hashable, Any]]

# Columns of the slope of a pre-trend that a test would have found, with the heading of each.
_SLOPES = {"slope_jointly": "slope.jointly", "slope_by_any": "slope.by_any"}


def pre_trend_tables(results: StudyResults) -> list[Table]:
    """Return one panel an outcome, one row a test with its power; none where there is no test."""
    tested = _pre_trends(results)
    return [_power_table(results, tested)] if tested else []


def _pre_trends(results: StudyResults) -> dict[str, _Rows]:
    """Return the pre-trend tests with a p-value, by outcome."""
    tests = results.tests
    chosen = tests[
        (tests["test"] == "pre_trends") & (tests["sample"] == "all") & tests["p_value"].notna()
    ].to_dict("records")
    ordered = sorted(
        chosen, key=lambda row: panel_position(results, str(row["design"]), str(row["estimator"]))
    )
    found = {
        name: [row for row in ordered if row["outcome"] == name and _has_slope(results, row)]
        for name in results.settings.outcomes.root
    }
    return {name: rows for name, rows in found.items() if rows}


def _slopes(results: StudyResults, row: dict[Hashable, Any]) -> list[float]:
    place = {name: str(row[name]) for name in ("design", "outcome", "estimator")}
    return [
        results.details.figure(PRE_TREND_POWER, column, **place, power=power).value
        for column in _SLOPES
        for power in FOUND_WITH
    ]


def _has_slope(results: StudyResults, row: dict[Hashable, Any]) -> bool:
    return not all(math.isnan(value) for value in _slopes(results, row))


def _power_table(results: StudyResults, tested: dict[str, _Rows]) -> Table:
    panels = tuple(
        Panel(
            say(
                "pre_trends.outcome_and_scale",
                label=results.plain_name(name),
                scale=unit_words(results.settings.outcome(name).scale),
            ),
            tuple(_power_row(results, row) for row in rows),
        )
        for name, rows in tested.items()
    )
    found_with = [f"{100 * power:g}%" for power in FOUND_WITH]
    return Table(
        columns=(
            TableColumn(say("pre_trends.joint_p")),
            *(
                TableColumn(found, spanner=say(heading))
                for heading in _SLOPES.values()
                for found in found_with
            ),
        ),
        panels=panels,
        notes=_power_notes(results, [row for rows in tested.values() for row in rows]),
        source=results.settings.exhibit.source,
    )


def _power_row(results: StudyResults, row: dict[Hashable, Any]) -> Row:
    scale = results.settings.outcome(str(row["outcome"])).scale
    slopes = [
        DASH if pd.isna(value) else Magnitude(shown_value(value, scale), 2)
        for value in _slopes(results, row)
    ]
    return Row(
        panel_name(results, str(row["design"]), str(row["estimator"])),
        (p_cell(float(row["p_value"])), *slopes),
    )


def _power_notes(results: StudyResults, rows: _Rows) -> tuple[str, ...]:
    ran_here = [_ran(results, row) for row in rows]
    main = ran_here[0]
    notes = (
        say(
            "pre_trends.what_is_shown",
            found=join_words([f"{100 * power:g}%" for power in FOUND_WITH]),
            alpha=rounding.general(100 * (1 - conf_level(results))),
        ),
        *in_full(
            results,
            say(
                "pre_trends.room_for_trends",
                n=main.number("last_event_time") - main.number("base_event_time"),
            ),
        ),
        say("pre_trends.varying_base")
        if any(r.code("event_base") == "varying" for r in ran_here)
        else "",
        panels_key(results, [(str(r["design"]), str(r["estimator"])) for r in rows]),
    )
    return tuple(note for note in notes if note)


def _ran(results: StudyResults, row: dict[Hashable, Any]) -> Ran:
    return ran_on(results, str(row["estimator"]), [str(row["design"])], [str(row["outcome"])])[0]
