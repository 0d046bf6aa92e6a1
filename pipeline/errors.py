"""Errors that a user can act on: one class per person who must act.

A message says what failed, the rule, where, and what to do. Identifiers and values of firms never
appear in a message: the rows concerned travel in `problems`, which the stage writes to a private
file whose path it prints. Codes and names of columns are told by `told_codes` and `told_columns`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

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


@dataclass(frozen=True)
class Reason:
    """Say by a code and its fields why something is missing, or what must be known of it.

    Fields are numbers, names of params, lists of them, a user's own text, or another reason. The
    sentence is made where it is read, from the words of the report's language.
    """

    code: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.fields.items())
        return f"{self.code} ({told})" if told else self.code


class EvaluationError(Exception):
    """Stop the evaluation with a message for the user; stages print it without a traceback.

    `reason` is what a table can hold of it: the message itself where that is a reason.
    """

    def __init__(
        self,
        message: str | Reason,
        problems: pd.DataFrame | None = None,
        *,
        reason: Reason | None = None,
    ) -> None:
        super().__init__(str(message))
        self.problems = problems
        self._reason = message if isinstance(message, Reason) else reason

    @property
    def has_words(self) -> bool:
        """Say whether the message is a sentence, not a reason that has to be told."""
        return self._reason is None or str(self) != str(self._reason)

    @property
    def is_reason(self) -> bool:
        """Say whether the error has a reason that a table can hold."""
        return self._reason is not None

    @property
    def reason(self) -> Reason:
        """Return the reason for a table; an error without one has no place there, and is raised."""
        if self._reason is None:
            raise self
        return self._reason

    def at(self, place: str, remedy: str = "") -> Self:
        """Return the error with the place where it arose before its message, a remedy behind."""
        return type(self)(f"{place}: {self}{remedy}", self.problems, reason=self._reason)


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
