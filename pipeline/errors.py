"""Errors that a user can act on: one class per person who must act.

A message says what failed, the rule, where, and what to do. Identifiers and values of firms never
appear in a message: the rows concerned travel in `problems`, which the stage writes to a private
file whose path it prints. Codes and names of columns are told by `told_codes` and `told_columns`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `check` reports errors without waiting for pandas
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


# A message names a code only where at least this many firms have it: twice the count below which
# cells are hidden by default.
LEAST_FIRMS_NAMED = 10


def told_codes(n_firms: Mapping[str, int]) -> str:
    """Return the codes that many firms have, with their number, and how many others there are."""
    named = [f"{code} ({n} firms)" for code, n in sorted(n_firms.items()) if n >= LEAST_FIRMS_NAMED]
    if others := len(n_firms) - len(named):
        named.append(f"{others} of fewer than {LEAST_FIRMS_NAMED} firms each, not named")
    return ", ".join(named) or "none"


def told_columns(found: Collection[str], wanted: Collection[str]) -> str:
    """Return the columns that a table has, unless its first row is no header but a firm's values.

    It is a header where it holds one of the names that were wanted.
    """
    if not set(found).intersection(wanted):
        return f"none of its {len(found)} columns has a name that was looked for: has it a header?"
    return f"it has {', '.join(map(str, found))}"


class EvaluationError(Exception):
    """Stop the evaluation with a message for the user; stages print it without a traceback."""

    def __init__(self, message: str, problems: pd.DataFrame | None = None) -> None:
        super().__init__(message)
        self.problems = problems


class ParamsError(EvaluationError):
    """Report a fault in params.yaml: whoever edits the parameters must act."""


class DataError(EvaluationError):
    """Report a fault in the data delivered: whoever prepares the data must act."""


@dataclass(frozen=True)
class Refusal:
    """Hold the rule that rows break, what to do, their positions in the table, and their keys."""

    rule: str
    remedy: str
    positions: NDArray[np.int64]
    keys: pd.DataFrame | None


class RowsError(DataError):
    """Report rows that break a rule, by position; `panel.origin` names files and rows."""

    def __init__(self, message: str, problems: pd.DataFrame, refusal: Refusal) -> None:
        super().__init__(message, problems)
        self.refusal = refusal


class SupportError(EvaluationError):
    """Report that treated and comparison firms do not overlap: the design must change."""


class MachineError(EvaluationError):
    """Report what the machine refuses, a full disk say: whoever runs it must act."""


class IdentificationError(EvaluationError):
    """Report that an effect cannot be estimated here: the question must change."""
