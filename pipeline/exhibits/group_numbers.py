"""Numbers for prose of effects by group and by size.

`study.outcome.design.groups.size.10_or_more.pct`: a group's name has an underscore for what is
neither letter nor digit; `equality` is the test. `study.outcome.design.size_weighted.att_by[jobs]`.
"""

import math
import re
from itertools import product

from pipeline.analyses.group_names import GROUPS
from pipeline.exhibits.analysis_effects import analysis_effects
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import Quoted, effect_decimals, statistics
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.size_weighted import NAME as SIZE_WEIGHTED


def group_numbers(results: StudyResults) -> dict[str, Quoted]:
    """Return the statistics of effects by group and of their equality by key, sorted by key."""
    asked = results.settings.estimate.analyses.groups
    if asked is None:
        return {}
    found: dict[str, Quoted] = {}
    for design in asked.designs:
        for outcome in asked.outcomes:
            start = f"{results.study}.{outcome}.{design}.{GROUPS}"
            for key, figures in _figures(results, design, outcome).items():
                found |= {f"{start}.{key}.{name}": figure for name, figure in figures.items()}
    known = {key: figure for key, figure in found.items() if not math.isnan(figure.value)}
    return dict(sorted(known.items()))


def size_numbers(results: StudyResults) -> dict[str, Quoted]:
    """Return the statistics of size-weighted effects and totals by key, sorted by key."""
    asked = results.settings.estimate.analyses.size_weighted
    if asked is None:
        return {}
    least = results.settings.exhibit.decimals
    found: dict[str, Quoted] = {}
    for design, outcome in product(asked.designs, asked.outcomes):
        effects = analysis_effects(results, SIZE_WEIGHTED, design, outcome)
        for (_, size, _, term), effect in effects.items():
            key = f"{results.study}.{outcome}.{design}.{SIZE_WEIGHTED}.{term.family}[{size}]"
            figures = statistics(effect, least) if effect.estimated else {}
            found |= {f"{key}.{name}": figure for name, figure in figures.items()}
    return dict(sorted(found.items()))


def _figures(results: StudyResults, design: str, outcome: str) -> dict[str, dict[str, Quoted]]:
    """Return figures by `grouping.group` or `grouping.equality`."""
    tests = _p_values(results, design, outcome)
    effects = analysis_effects(results, GROUPS, design, outcome)
    least = results.settings.exhibit.decimals
    found: dict[str, dict[str, Quoted]] = {}
    for (_, grouping, group, _), effect in effects.items():
        if effect.estimated:
            q_value = tests.get(("q_value", grouping, group), math.nan)
            figures = statistics(effect, least) | {"q_value": _quoted(q_value, 3)}
            found[f"{grouping}.{_slug(group)}"] = figures
    decimals = effect_decimals(list(effects.values()), least)
    for grouping in {grouping for _, grouping, _, _ in effects}:
        place = {"design": design, "outcome": outcome, "estimator": GROUPS, "grouping": grouping}
        apart = results.details.detectable("effect", place)
        found[f"{grouping}.equality"] = {
            "p_value": _quoted(tests.get(("equality", grouping, "all"), math.nan), 3),
            "q_value": _quoted(tests.get(("q_equality", grouping, "all"), math.nan), 3),
            "detectable_difference": _quoted(apart, decimals),
        }
    return found


def _p_values(
    results: StudyResults, design: str, outcome: str
) -> dict[tuple[str, str, str], float]:
    """Return p-values by test, grouping and group."""
    tests = results.tests
    rows = tests[
        (tests["estimator"] == GROUPS)
        & (tests["design"] == design)
        & (tests["outcome"] == outcome)
        & tests["p_value"].notna()
    ]
    keys = rows[["test", "grouping", "subgroup"]].itertuples(index=False, name=None)
    return dict(zip(keys, rows["p_value"].astype(float), strict=True))


def _quoted(value: float, decimals: int) -> Quoted:
    return Quoted(value, "" if math.isnan(value) else rounding.positive(value, decimals))


def _slug(group: str) -> str:
    """Return a group's name without what LaTeX would read as markup."""
    return re.sub(r"[^0-9A-Za-z]+", "_", group)
