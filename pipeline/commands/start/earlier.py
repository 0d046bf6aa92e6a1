"""What of an earlier study's section holds for a new one: columns, rules, outcomes that agree."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pipeline.commands.start.columns import Columns
from pipeline.params.clean import CleanSection
from pipeline.params.rule_marks import InRules, OfKind

# What a column's setting says beside where it stands.
_KEPT = ("unit", "label", "minimum")


@dataclass(frozen=True)
class Earlier:
    """Hold settings of columns by standard name, cleaning rules, outcomes and what to look at."""

    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    outcomes: dict[str, Any] = field(default_factory=dict)
    questions: dict[str, str] = field(default_factory=dict)


def outcomes_of(section: dict[str, Any], delivered: Iterable[str]) -> list[str]:
    """Return the delivered columns that are outcomes of an earlier study."""
    old, known = section.get("data", {}).get("columns", {}), set(delivered)
    asked = [outcome.get("column") for outcome in section.get("outcomes", {}).values()]
    named = [old[name].get("column") for name in dict.fromkeys(asked) if name in old]
    return [name for name in named if name in known]


def go_by_earlier(section: dict[str, Any], columns: Columns) -> Earlier:
    """Return what an earlier study says of columns that both deliver; nothing where none is given.

    Rules that read a file, or name a column that the new panel lacks, are left out and named.
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
    questions = {}
    if left:
        questions["clean"] = f"not taken over, since they read files or other columns: {left}"
    return Earlier(kept, rules, outcomes, questions)


def _rules(clean: dict[str, Any], same: dict[str, str]) -> tuple[dict[str, Any], str]:
    """Return the rules all of whose columns are the same in both, and the names of the others."""
    unchanged = {old for old, new in same.items() if old == new}
    barred = _barred(clean, unchanged)
    rules = {name: rule for name, rule in clean.items() if name not in {*barred, "duplicates"}}
    return rules, ", ".join(sorted(barred - {"duplicates"}))


def _barred(clean: dict[str, Any], known: set[str]) -> set[str]:
    """Return the rules that read a file, or name a column that is not known."""
    try:
        section = CleanSection.model_validate(clean)
    except ValidationError:
        return set(clean)
    files = {path.partition(".")[0] for path, _, _ in section.marked(InRules)}
    others = {
        path.partition(".")[0]
        for path, value, mark in section.marked(OfKind)
        if value not in known and not (mark.or_year and value == "year")
    }
    return files | others
