"""Errors that a user can act on: one class per person who must act.

A message says what failed, the rule, the value found, where, and what to do. Firm
identifiers never appear in a message: the rows concerned travel in `problems`, which the
stage writes to a private file whose path it prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `check` reports errors without waiting for pandas
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


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
