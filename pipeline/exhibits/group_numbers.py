"""Numbers for prose of effects by group: `study.outcome.design.groups.size.g2.pct`.

`g2` is the group's code in GROUPS; a text has an underscore for what is neither letter nor digit.
`equality` is the test.
"""

import math

from pipeline.analyses.group_names import BY_GROUP
from pipeline.datasets.samples import GROUPS
from pipeline.exhibits.analysis_effects import analysis_effects
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import Quoted, size, statistics
from pipeline.exhibits.render import rounding

# What LaTeX might read as markup in a text that groups firms.
_MARKUP = r"[^0-9A-Za-z]+"


def group_numbers(results: StudyResults, *, stored: bool = True) -> dict[str, Quoted]:
    """Return the statistics of effects by group and of their equality by key, sorted by key.

    `stored` as of `study_numbers`.
    """
    asked = results.settings.estimate.analyses.groups
    if asked is None:
        return {}
    found: dict[str, Quoted] = {}
    for design in asked.designs:
        for outcome in asked.outcomes:
            start = f"{results.study}.{outcome}.{design}.{BY_GROUP}"
            for key, figures in _figures(results, design, outcome, stored=stored).items():
                found |= {f"{start}.{key}.{name}": figure for name, figure in figures.items()}
    known = {key: figure for key, figure in found.items() if not math.isnan(figure.value)}
    return dict(sorted(known.items()))


def _figures(
    results: StudyResults, design: str, outcome: str, *, stored: bool
) -> dict[str, dict[str, Quoted]]:
    """Return figures by `grouping.group` or `grouping.equality`."""
    tests = _p_values(results, design, outcome)
    effects = analysis_effects(results, BY_GROUP, design, outcome)
    keys, decimals = _keys(results, design), results.decimals[outcome]
    scale = results.settings.outcome(outcome).scale
    found: dict[str, dict[str, Quoted]] = {}
    for place, effect in effects.items():
        if effect.estimated:
            q_value = tests.get(("q_value", place.grouping, place.subgroup), math.nan)
            figures = statistics(effect, stored=stored) | {"q_value": _quoted(q_value)}
            found[f"{place.grouping}.{keys[place.grouping, place.subgroup]}"] = figures
    for grouping in {place.grouping for place, effect in effects.items() if effect.estimated}:
        key = {"design": design, "outcome": outcome, "estimator": BY_GROUP, "grouping": grouping}
        apart = results.details.detectable("effect", key)
        equal, corrected = (
            tests.get((test, grouping, "all"), math.nan) for test in ("equality", "q_equality")
        )
        found[f"{grouping}.equality"] = {
            "p_value": _quoted(equal),
            "q_value": _quoted(corrected),
            **size("detectable_difference", apart, scale, decimals, stored=stored),
        }
    return found


def _p_values(
    results: StudyResults, design: str, outcome: str
) -> dict[tuple[str, str, str], float]:
    """Return p-values by test, grouping and group."""
    tests = results.tests
    rows = tests[
        (tests["estimator"] == BY_GROUP)
        & (tests["design"] == design)
        & (tests["outcome"] == outcome)
        & tests["p_value"].notna()
    ]
    keys = zip(rows["test"], rows["grouping"], rows["subgroup"], strict=True)
    return dict(zip(keys, rows["p_value"].astype(float), strict=True))


def _quoted(p_value: float) -> Quoted:
    return Quoted(p_value, "" if math.isnan(p_value) else rounding.positive(p_value, 2))


def _keys(results: StudyResults, design: str) -> dict[tuple[str, str], str]:
    """Return what keys call each grouping's groups, with the position where two would agree."""
    groups = results.details.rows(GROUPS, design=design)
    plain = groups["subgroup"].str.replace(_MARKUP, "_", regex=True)
    shared = groups.assign(plain=plain).duplicated(["grouping", "plain"], keep=False)
    numbered = plain + "_" + groups["position"].astype("string")
    names = plain.mask(shared | plain.eq("equality"), numbered)
    return dict(zip(zip(groups["grouping"], groups["subgroup"], strict=True), names, strict=True))
