"""Results with what a reader is told in columns of their own: names of terms, reasons in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pandas as pd

from pipeline.analyses import specs
from pipeline.datasets.reasons import unpacked, unpacked_remarks
from pipeline.effects.collected import Results
from pipeline.effects.terms import Term
from pipeline.errors import Reason
from pipeline.exhibits.numbers import term_key
from pipeline.exhibits.words.language import speaking, tell
from pipeline.params.exhibit import ExhibitSection, PanelSection

# What readers are told outside of a study, in which every level goes by its own name.
_PLAIN = ExhibitSection(
    title="",
    programme="",
    firms="firms",
    cluster="assignment",
    source="",
    panels=[PanelSection(design="unmatched", spec="main", label="")],
    design_labels={},
    decimals=2,
    stars=False,
)

_PLACES = ("cohort", "year", "event_time", "last_event_time")


def estimate_specs(*args: Any, **kwargs: Any) -> Results:
    """Estimate specs; ESTIMATES and TESTS get what `told` adds."""
    results = specs.estimate_specs(*args, **kwargs)
    return replace(results, estimates=told(results.estimates), tests=told(results.tests))


def told(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with columns `named` (`event[-2]`) and `note`, remarks before the reason."""
    return with_names(table).assign(note=notes(table))


def with_names(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the names of its terms or tests in `named`, of its groups in `group`."""
    rows = _rows(table)
    return table.assign(named=[_name(row) for row in rows], group=[_group(row) for row in rows])


def notes(table: pd.DataFrame) -> list[str | None]:
    """Return what each row says, in English."""
    with speaking_plainly():
        return [_note(row) for row in _rows(table)]


@contextmanager
def speaking_plainly() -> Iterator[None]:
    """Tell reasons in English, levels by their names."""
    with speaking(_PLAIN, _ByName()):
        yield


class _ByName(dict[str, str]):
    """Give every level its own name."""

    def __missing__(self, level: str) -> str:
        return level


def _rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")


def _name(row: dict[Any, Any]) -> str:
    """Return `event[-2]`, `att_by[jobs]`; of a test `equality[size]`."""
    group = _group(row)
    if "term" not in row:
        return row["test"] if group == "all" else f"{row['test']}[{group}]"
    if row["term"] in ("att_by", "total"):
        return f"{row['term']}[{row['grouping']}]"
    places = (None if pd.isna(row[name]) else int(row[name]) for name in _PLACES)
    return term_key(Term(row["term"], *places))


def _group(row: dict[Any, Any]) -> str:
    """Return `all`, `size` for a whole grouping, or `size=g2`."""
    grouping, subgroup = row.get("grouping", "all"), row.get("subgroup", "all")
    return grouping if subgroup == "all" else f"{grouping}={subgroup}"


def _note(row: dict[Any, Any]) -> str | None:
    reason = unpacked(row["reason"], row["reason_fields"])
    said = [*unpacked_remarks(row["remarks"]), *([] if reason is None else [reason])]
    return "; ".join(tell(part) for part in said) or None


def declared(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without what this module adds."""
    return table.drop(columns=["named", "group", "note"], errors="ignore")


def said(code: str, **fields: Any) -> str:
    """Return what a reason says, in English."""
    return tell(Reason(code, fields))
