"""What of an earlier study's section holds for a new one: columns, rules, outcomes that agree."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pipeline.commands.start.columns import Columns
from pipeline.params.clean import CleanSection
from pipeline.params.identifier import Identifier
from pipeline.params.rule_marks import OfKind

# What a column's setting says beside where it stands.
_KEPT = ("unit", "label", "minimum")
# What a section must have, and `start` writes itself.
_ANY_DUPLICATES = {"duplicates": {"identical": "refuse", "conflicting": "refuse"}}


@dataclass(frozen=True)
class Earlier:
    """Hold settings of columns by standard name, cleaning rules, outcomes and what to look at.

    `files` are the tables of data/rules/<study>/ that the rules read.
    """

    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    outcomes: dict[str, Any] = field(default_factory=dict)
    questions: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


def outcomes_of(section: dict[str, Any], delivered: Iterable[str]) -> list[str]:
    """Return the delivered columns that are outcomes of an earlier study."""
    old, known = section.get("data", {}).get("columns", {}), set(delivered)
    asked = [outcome.get("column") for outcome in section.get("outcomes", {}).values()]
    named = [old[name].get("column") for name in dict.fromkeys(asked) if name in old]
    return [name for name in named if name in known]


def identifier_of(section: dict[str, Any]) -> dict[str, Any]:
    """Return how an earlier study writes identifiers; nothing where it does not, or not validly.

    The column of names is left out: the new panel may lack it.
    """
    rule = dict[str, Any](section.get("clean", {}).get("identifier") or {})
    rule.pop("name_column", None)
    try:
        Identifier.model_validate(rule)
    except ValidationError:
        return {}
    return rule


def go_by_earlier(section: dict[str, Any], columns: Columns) -> Earlier:
    """Return what an earlier study says of columns that both deliver; nothing where none is given.

    Rules that name a column that the new panel lacks are left out and named; so are those that
    read a file, to be copied, where they are taken over.
    """
    if not section:
        return Earlier()
    old = section.get("data", {}).get("columns", {})
    standard = columns.standard
    same = {name: standard[c["column"]] for name, c in old.items() if c.get("column") in standard}
    kept = {
        new: {key: old[name][key] for key in _KEPT if key in old[name]}
        for name, new in same.items()
        if old[name].get("kind") == columns.used[new].kind
    }
    outcomes = {
        name: outcome | {"column": same[outcome["column"]]}
        for name, outcome in section.get("outcomes", {}).items()
        if outcome.get("observed", True) and outcome.get("column") in same
        and same[outcome["column"]] in kept
    }  # fmt: skip
    rules, left = _rules(section.get("clean", {}), same)
    files = _files(rules)
    asked = {
        "not taken over, since they read other columns: ": left,
        "copied, with the rules that read them; do they hold for these data? ": ", ".join(files),
    }
    told = "; ".join(f"{why}{listed}" for why, listed in asked.items() if listed)
    return Earlier(kept, rules, outcomes, {"clean": told} if told else {}, files)


def _files(rules: dict[str, Any]) -> list[str]:
    """Return the tables that rules of a valid section read, each once."""
    if not rules:
        return []
    section = CleanSection.model_validate(_ANY_DUPLICATES | rules)
    return list(dict.fromkeys(section.files))


def _rules(clean: dict[str, Any], same: dict[str, str]) -> tuple[dict[str, Any], str]:
    """Return the rules all of whose columns are the same in both, and the names of the others."""
    unchanged = {old for old, new in same.items() if old == new}
    barred = _barred(clean, unchanged)
    rules = {name: rule for name, rule in clean.items() if name not in {*barred, "duplicates"}}
    return rules, ", ".join(sorted(barred - {"duplicates"}))


def _barred(clean: dict[str, Any], known: set[str]) -> set[str]:
    """Return the rules that name a column that is not known; all where one is not valid."""
    try:
        section = CleanSection.model_validate(clean)
    except ValidationError:
        return set(clean)
    return {
        path.partition(".")[0]
        for path, value, mark in section.marked(OfKind)
        if value not in known and not (mark.or_year and value == "year")
    }
