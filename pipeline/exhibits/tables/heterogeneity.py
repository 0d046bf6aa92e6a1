"""Effects by pre-entry group, one panel a grouping, with tests that they are equal."""

import math
from functools import partial

from pipeline.analyses.group_names import BY_GROUP
from pipeline.datasets.samples import GROUPING_LOSSES, GROUPS
from pipeline.exhibits.analysis_effects import (
    Effects,
    Place,
    analysis_effects,
    confidence_row,
    counts_row,
    errors_missing,
    estimate_rows,
)
from pipeline.exhibits.effect import missing_reason
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import conf_level, picking, power, ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.effect_cells import p_cell
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_design
from pipeline.exhibits.tables.table import DASH, Cell, Number, Panel, Row, Table
from pipeline.exhibits.units import shown_value
from pipeline.exhibits.words.groups import columns_read, group_words
from pipeline.exhibits.words.in_full import either
from pipeline.exhibits.words.language import say
from pipeline.inference.cautions import FEW_TREATED_CLUSTERS
from pipeline.params.analyses import GroupsSection

# What each group is called, in order.
_Names = dict[Place, str]
# Outcome, test, grouping and group, as TESTS has them, with the p-value.
_PValues = dict[tuple[str, str, str, str], float]


def heterogeneity_tables(results: StudyResults) -> list[Table]:
    """Return one table a design of the groups asked for; none where none are."""
    return by_design(results.settings.estimate.analyses.groups, partial(_table, results))


def _table(
    results: StudyResults, asked: GroupsSection, design: str, numbered: dict[int, str]
) -> Table:
    names = list(numbered.values())
    tested, called = _p_values(results, design), _names(results, design)
    effects = {
        name: _in_order(analysis_effects(results, BY_GROUP, design, name), called) for name in names
    }
    panels = [
        Panel(grouping.label, _rows(results, design, key, called, effects=effects, tested=tested))
        for key, grouping in asked.by.items()
    ]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panel for panel in panels if panel.rows),
        notes=_notes(results, asked, design, called, effects),
        source=results.settings.exhibit.source,
    )


def _rows(
    results: StudyResults,
    design: str,
    grouping: str,
    called: _Names,
    *,
    effects: dict[str, Effects],
    tested: _PValues,
) -> tuple[Row, ...]:
    rows: list[Row] = []
    for place, name in called.items():
        here = [found.get(place) for found in effects.values()]
        if place.grouping != grouping or not any(here):
            continue
        rows += estimate_rows(name, here)
        rows += [confidence_row(results, here), counts_row(here)]
        rows.append(_p_row(say("row.q_value"), "q_value", place, list(effects), tested))
    if rows:
        place, names = Place(grouping=grouping), list(effects)
        rows.append(_p_row(say("heterogeneity.equality_p"), "equality", place, names, tested))
        if any(test == "q_equality" for _, test, _, _ in tested):
            label = say("heterogeneity.equality_q")
            rows.append(_p_row(label, "q_equality", place, names, tested))
        rows.append(_detectable_row(results, design, grouping, effects))
    return tuple(rows)


def _names(results: StudyResults, design: str) -> _Names:
    groups = results.details.rows(GROUPS, design=design).sort_values(["grouping", "position"])
    return {
        Place(grouping=row["grouping"], subgroup=row["subgroup"]): group_words(row)
        for row in groups.to_dict("records")
    }


def _in_order(effects: Effects, called: _Names) -> Effects:
    """Return effects in the order of their groups, what all groups share first."""
    places = {place: number for number, place in enumerate(called)}
    return dict(sorted(effects.items(), key=lambda item: places.get(item[0], -1)))


def _p_row(label: str, test: str, place: Place, outcomes: list[str], tested: _PValues) -> Row:
    of = (test, place.grouping, place.subgroup)
    values = [tested.get((outcome, *of), math.nan) for outcome in outcomes]
    return Row(label, tuple(map(p_cell, values)), True)


def _detectable_row(
    results: StudyResults, design: str, grouping: str, effects: dict[str, Effects]
) -> Row:
    """Return the smallest difference between two groups that the design would find."""
    cells: list[Cell] = []
    for outcome in effects:
        place = {"design": design, "outcome": outcome, "estimator": BY_GROUP, "grouping": grouping}
        value = results.details.detectable("effect", place)
        shown = shown_value(value, results.settings.outcome(outcome).scale)
        cells.append(DASH if math.isnan(value) else Number(shown, results.decimals[outcome]))
    return Row(say("heterogeneity.detectable_difference"), tuple(cells), True)


def _p_values(results: StudyResults, design: str) -> _PValues:
    table = results.tests
    rows = table[(table["estimator"] == BY_GROUP) & (table["design"] == design)]
    return {
        (row["outcome"], row["test"], row["grouping"], row["subgroup"]): float(row["p_value"])
        for row in rows.dropna(subset="p_value").to_dict("records")
    }


def _notes(
    results: StudyResults,
    asked: GroupsSection,
    design: str,
    called: _Names,
    effects: dict[str, Effects],
) -> tuple[str, ...]:
    firms = results.settings.exhibit.firms
    rows = ran_on(results, BY_GROUP, [design], effects)
    how = (
        say("heterogeneity.matched_within_groups")
        if any(row.code("weights") == "matched_within_groups" for row in rows)
        else say("heterogeneity.matched_in_design")
        if picking(results, [design]) == "matched"
        else say("heterogeneity.own_group", firms=firms)
    )
    named: dict[str, str | int] = {
        "firms": firms,
        "design": results.settings.design_label(design),
        "least": rows[0].number("least_firms"),
    }
    read = columns_read(results, BY_GROUP, {name: one.label for name, one in asked.by.items()})
    return (
        *either(
            results,
            full=[say("heterogeneity.what_is_shown", **named), how, *read],
            short=[say("short_notes.groups", **named)],
        ),
        *either(
            results,
            full=[say("heterogeneity.q_values"), _not_equality(results)],
            short=[say("short_notes.groups_causes")],
        ),
        *_without_group(results, asked, design),
        *_few_clusters(asked, called, effects),
        *_reasons(asked, called, effects),
    )


def _named(asked: GroupsSection, called: _Names, place: Place) -> str:
    """Return `Size, 10 or more`, or the grouping's label alone."""
    label = asked.by[place.grouping].label
    return label if place.subgroup == "all" else f"{label}, {called[place]}"


def _without_group(results: StudyResults, asked: GroupsSection, design: str) -> list[str]:
    """Say how many treated firms are in no group, because it is not known."""
    counts = []
    for key, grouping in asked.by.items():
        place = {"design": design, "estimator": BY_GROUP, "grouping": key, "treated": True}
        count = results.details.figure(GROUPING_LOSSES, "n_firms", **place)
        if count.value > 0 or count.hidden:
            shown = say("mark.few") if count.hidden else rounding.whole(count.value)
            counts.append(f"{grouping.label}, {shown}")
    if not counts:
        return []
    return [
        say(
            "heterogeneity.without_group",
            firms=results.settings.exhibit.firms,
            counts="; ".join(counts),
        )
    ]


def _few_clusters(asked: GroupsSection, called: _Names, effects: dict[str, Effects]) -> list[str]:
    """Warn of groups with few treated clusters, with the fewest that an outcome has."""
    fewest: dict[str, float] = {}
    for found in effects.values():
        for place, effect in found.items():
            if effect.estimated and effect.n_treated_clusters < FEW_TREATED_CLUSTERS:
                named = _named(asked, called, place)
                fewest[named] = min(fewest.get(named, math.inf), effect.n_treated_clusters)
    if not fewest:
        return []
    return [
        say(
            "heterogeneity.few_treated_clusters",
            few=FEW_TREATED_CLUSTERS,
            groups="; ".join(f"{named}, {rounding.whole(n)}" for named, n in fewest.items()),
        )
    ]


def _reasons(asked: GroupsSection, called: _Names, effects: dict[str, Effects]) -> list[str]:
    """Say for which groups there is no estimate or no standard error, and why, each once."""
    groups: dict[str, dict[str, None]] = {}
    for found in effects.values():
        for place, effect in found.items():
            if math.isnan(effect.estimate) and (reason := missing_reason(effect)):
                groups.setdefault(reason, {})[_named(asked, called, place)] = None
    reasons = [f"{'; '.join(named)}: {note}" for note, named in groups.items()]
    everyone = (effect for found in effects.values() for effect in found.values())
    return [
        *([say("note.not_estimated", reasons="; ".join(reasons))] if reasons else []),
        *errors_missing(everyone),
    ]


def _not_equality(results: StudyResults) -> str:
    return say(
        "heterogeneity.not_equality",
        alpha=rounding.general(100 * (1 - conf_level(results))),
        power=rounding.general(100 * power(results)),
    )
