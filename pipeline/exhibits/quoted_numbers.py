"""Which numbers reports quote: those of the headline and the tables that every study has.

All others stay in numbers_all.json, and join by their key in `exhibit.quote`.
"""

from difflib import get_close_matches
from typing import Any

from pipeline.effects.terms import ATT
from pipeline.errors import ParamsError
from pipeline.exhibits.arm_numbers import arm_numbers
from pipeline.exhibits.effect import as_effect
from pipeline.exhibits.group_numbers import group_numbers
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import Quoted, study_numbers
from pipeline.exhibits.pool_numbers import pool_numbers


def all_numbers(results: StudyResults) -> dict[str, Quoted]:
    """Return every statistic of a study by key, sorted by key."""
    figures = study_numbers(results) | group_numbers(results) | arm_numbers(results)
    return dict(sorted((figures | pool_numbers(results)).items()))


def quoted_numbers(results: StudyResults, figures: dict[str, Quoted]) -> dict[str, Quoted]:
    """Return the figures that prose quotes by default, and those that `exhibit.quote` names.

    Raises ParamsError for a key that no figure has.
    """
    shown = {
        **study_numbers(results, lambda row: _is_shown(results, row), stored=False),
        **group_numbers(results, stored=False),
        **arm_numbers(results, lambda row: _is_headline(results, row), stored=False),
        **pool_numbers(results, stored=False),
    }
    asked = results.settings.exhibit.quote
    for key in asked:
        if key not in figures:
            raise ParamsError(_unknown(results.study, key, list(figures)))
    return {key: figures[key] for key in sorted({*shown, *asked})}


def _is_shown(results: StudyResults, row: dict[str, Any]) -> bool:
    """Say whether a row is an average of a panel, or one of the headline's effects by time."""
    if row["grouping"] != "all":
        return False
    place, term = (row["design"], row["estimator"]), as_effect(row).term
    headline = results.settings.estimate.headline
    panels = [(panel.design, panel.spec) for panel in results.settings.exhibit.panels]
    if place == (headline.design, headline.spec):
        return term == ATT or term.family == "event"
    return term == ATT and place in panels


def _is_headline(results: StudyResults, row: dict[str, Any]) -> bool:
    """Say whether a row of another arm is its average under the headline's design and spec."""
    headline = results.settings.estimate.headline
    place = (row["design"], row["estimator"])
    return (
        row["grouping"] == "all"
        and place == (headline.design, headline.spec)
        and as_effect(row).term == ATT
    )


def _unknown(study: str, key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, n=1)
    nearest = f"; the nearest is {near[0]}" if near else ""
    return (
        f"{study}.exhibit.quote: {key} is no key of a number{nearest}; "
        "numbers_all.json has every key"
    )
