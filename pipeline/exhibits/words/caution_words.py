"""Say cautions: whole sentences for the page, short clauses for cards, one line for all passed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.exhibits.checks.caution import SEVERITIES, Caution, Severity
from pipeline.exhibits.checks.gaps import CoverageGap
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_unit, translated_value
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.findings import headline_effect
from pipeline.exhibits.words.language import join_words, say
from pipeline.exhibits.words.rules import column_labels
from pipeline.exhibits.words.steps import issue_words

# Section of the page that shows what a check is on; the appendix where there is none.
_SECTIONS = {
    "gap_before": "before",
    "look_hidden": "before",
    "no_look_before": "before",
    "levels_only": "before",
    "drift_missed": "before",
    "sign_changes": "choices",
    "support": "flow",
    "imbalance": "flow",
    "dropouts": "flow",
    "neighbours": "flow",
    "coverage": "flow",
}
# What is told of the outcomes of one check together: the least and the most of its numbers.
_LEAST, _MOST = ("n",), ("share",)


@dataclass(frozen=True)
class Said:
    """Hold a caution as readers meet it: how grave, its sentence, the section that shows more."""

    severity: Severity
    sentence: str
    section: str


def cautions_said(results: StudyResults, cautions: Iterable[Caution]) -> list[Said]:
    """Return one sentence a check, the outcomes that it is on together, all passed in one line."""
    found = list(cautions)
    said = [
        Said(severity, _together(results, group), _SECTIONS.get(group[0].code, "appendix"))
        for severity in SEVERITIES[:-1]
        for group in _by_code([c for c in found if c.severity == severity])
    ]
    passed = [_passed(results, group) for group in _by_code([c for c in found if not c.weakens])]
    if not passed:
        return said
    return [*said, Said("passed", f"{capitalised('; '.join(passed))}.", "appendix")]


def severity_word(severity: Severity) -> str:
    """Return what a severity is called."""
    return say(f"care.{severity}")


def short_clauses(results: StudyResults, cautions: Iterable[Caution]) -> str:
    """Return cautions as clauses that follow `but` or `because`."""
    return "; ".join(say(f"but.{c.code}", **_figures(results, c)) for c in cautions)


def p_words(p_value: float) -> str:
    """Return `p = 0.41`, or `p <0.01`."""
    shown = rounding.positive(p_value, 2)
    below = rounding.reads_zero(p_value, 2)
    return say("care.p_below", p=shown) if below else say("care.p_equals", p=shown)


def _by_code(cautions: list[Caution]) -> list[list[Caution]]:
    groups: dict[str, list[Caution]] = {}
    for caution in cautions:
        groups.setdefault(caution.code, []).append(caution)
    return list(groups.values())


def _together(results: StudyResults, group: list[Caution]) -> str:
    first = group[0]
    if first.outcome is None:
        return say(f"care.{first.code}", **_figures(results, first))
    named = [
        say(f"care_of.{c.code}", label=_label(results, str(c.outcome)), **_figures(results, c))
        for c in group
    ]
    return say(f"care.{first.code}", outcomes=", ".join(named), **_names(results))


def _passed(results: StudyResults, group: list[Caution]) -> str:
    """Return what a check that found nothing says of all its outcomes."""
    first = group[0]
    if first.outcome is None:
        return say(f"passed.{first.code}", **_figures(results, first))
    ends = {
        name: pick(c.fields[name] for c in group)
        for names, pick in ((_LEAST, min), (_MOST, max))
        for name in names
        if name in first.fields
    }
    said = say(f"passed.{first.code}", **_shown(results, Caution("passed", first.code, ends)))
    outcomes = [str(c.outcome) for c in group]
    estimated = [n for n in results.settings.outcomes.intended if headline_effect(results, n)]
    if outcomes == estimated:
        return said
    labels = ", ".join(_label(results, name) for name in outcomes)
    return say("passed.of", passed=said, outcomes=labels)


def _figures(results: StudyResults, caution: Caution) -> dict[str, object]:
    """Return the fields of a caution as sentences hold them, and what the study calls things."""
    figures = _shown(results, caution)
    effect = None if caution.outcome is None else headline_effect(results, caution.outcome)
    if effect is not None:
        figures["value"] = translated_value(effect, abs(effect.estimate))
        figures["unit"] = translated_unit(effect)
        for name in ("slope", "made"):
            if name in caution.fields:
                figures[name] = translated_value(effect, caution.fields[name])
    return figures


def _shown(results: StudyResults, caution: Caution) -> dict[str, object]:
    shown = {n: _FORMATS[n](value) for n, value in caution.fields.items() if n in _FORMATS}
    if "outcomes" in caution.fields:
        shown["outcomes"] = join_words([_label(results, n) for n in caution.fields["outcomes"]])
    if "gaps" in caution.fields:
        shown["gaps"] = "; ".join(_gap(results, gap) for gap in caution.fields["gaps"])
    return {**_names(results), **shown}


def _gap(results: StudyResults, gap: CoverageGap) -> str:
    """Return what was found, with the rows or firms concerned where they are counted and shown."""
    rule, _ = issue_words(gap.row)
    if gap.of_column:
        labels = column_labels(results)
        column = str(gap.row["column"])
        return say("care.gap_of_column", column=labels.get(column, column), rule=rule)
    if gap.counts is None or pd.isna(gap.row[gap.counts]):
        return rule
    of = {"count": "care.gap_of_rows", "firms": "care.gap_of_firms"}[gap.counts]
    n = rounding.whole(float(gap.row[gap.counts]))
    return say(of, rule=rule, n=n, firms=results.settings.exhibit.firms)


def _names(results: StudyResults) -> dict[str, object]:
    exhibit = results.settings.exhibit
    return {"firms": exhibit.firms, "firm": exhibit.firm}


def _label(results: StudyResults, outcome: str) -> str:
    return results.plain_name(outcome)


def _percent(share: float) -> str:
    return rounding.whole(100 * share)


def _band(code: str) -> str:
    return say(f"share_band.{code}")


_FORMATS: Mapping[str, Callable[[Any], str]] = {
    "band": _band,
    "p": p_words,
    "share": _percent,
    "treated": _percent,
    "comparison": _percent,
    "n": rounding.whole,
    "n_above": rounding.whole,
    "turned": rounding.whole,
    "lost": rounding.whole,
    "everyone": rounding.whole,
    "largest": lambda value: rounding.fixed(value, 2),
    "threshold": rounding.general,
}
