"""The sample of an outcome that is first observed after entry: no change since then is measured."""

from typing import Literal

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.sample import StackedSample, sample_of_values, values_by_unit
from pipeline.effects.stacks import Stacks
from pipeline.errors import Reason

POST_ONLY = Reason("observed_after_entry_only")


def after_entry_sample(
    stacks: Stacks, outcome: Floats, missing: Literal["drop_set", "renormalise"]
) -> StackedSample:
    """Return the rows from entry on, given the outcome by PANEL row.

    The rules of `stacked_sample` hold as if every firm were observed in the reference year, which
    then has no rows: a matched set counts in a year if all its firms are observed in it, or the
    comparison weights of a stack and year are scaled to the treated observed.
    """
    after = stacks.event_times >= 0
    values = np.where(after, values_by_unit(stacks, outcome), np.nan)
    at_reference = stacks.event_times == stacks.reference
    known = sample_of_values(stacks, np.where(at_reference, 0.0, values), missing)
    return StackedSample(stacks, values, np.where(after, known.weights, 0.0))
