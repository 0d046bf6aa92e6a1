"""Who gained: the effect in each group that was fixed before entry."""

import math

from pipeline.analyses.group_names import BY_GROUP
from pipeline.datasets.samples import GROUPS
from pipeline.exhibits.analysis_effects import Place, analysis_effects
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_unit
from pipeline.exhibits.panels.rows import DrawnRow, rows_panel
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.findings import headline_effect
from pipeline.exhibits.words.groups import group_words
from pipeline.exhibits.words.language import say


def groups_panel(results: StudyResults, outcome: str) -> str:
    """Draw all firms, then every group with an interval; nothing where none has one."""
    rows = forest_rows(results, outcome)
    if not rows:
        return ""
    everyone = rows[0].effect
    assert everyone is not None
    n_groups = sum(row.effect is not None for row in rows) - 1
    described = say("page.groups_described", label=results.plain_name(outcome), n=n_groups)
    axis = say("page.effect_axis", unit=translated_unit(everyone))
    return rows_panel(rows, axis, described)


def forest_rows(results: StudyResults, outcome: str) -> list[DrawnRow]:
    """Return all firms, then the groups of each grouping under its name."""
    groups, everyone = group_rows(results, outcome), headline_effect(results, outcome)
    asked = results.settings.estimate.analyses.groups
    if not groups or everyone is None or asked is None:
        return []
    count = "" if math.isnan(everyone.n_treated) else rounding.whole(everyone.n_treated)
    drawn = [DrawnRow(say("page.everyone"), everyone, count, main=True)]
    for grouping, own in groups.items():
        drawn += [DrawnRow(asked.by[grouping].label), *own]
    return drawn


def group_rows(results: StudyResults, outcome: str) -> dict[str, list[DrawnRow]]:
    """Return the groups of each grouping that have an interval, under the headline's design."""
    asked = results.settings.estimate.analyses.groups
    design = results.settings.estimate.headline.design
    if asked is None or design not in asked.designs:
        return {}
    effects = analysis_effects(results, BY_GROUP, design, outcome)
    found: dict[str, list[DrawnRow]] = {}
    groups = results.details.rows(GROUPS, design=design).sort_values(["grouping", "position"])
    for row in groups.to_dict("records"):
        effect = effects.get(Place(grouping=row["grouping"], subgroup=row["subgroup"]))
        if effect is not None and not math.isnan(effect.conf_low):
            n_firms = "" if math.isnan(effect.n_treated) else rounding.whole(effect.n_treated)
            drawn = DrawnRow(group_words(row), effect, n_firms)
            found.setdefault(str(row["grouping"]), []).append(drawn)
    return found
