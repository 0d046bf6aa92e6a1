"""The mean that effects are told in percent of: that of comparison firms, taken as fixed.

Dividing an outcome by a number divides estimates, errors and intervals by it; that the mean is
itself estimated is in none of them, as exhibits say.
"""

from collections.abc import Mapping
from typing import Literal

import pandas as pd

from pipeline.effects.description import baseline_means
from pipeline.effects.sample import stacked_sample
from pipeline.effects.stacks import Stacks
from pipeline.errors import IdentificationError, Reason
from pipeline.panel.scale import on_scale
from pipeline.params.outcomes import Outcome


def with_means(
    outcomes: Mapping[str, Outcome],
    panel: pd.DataFrame,
    stacks: Stacks,
    missing: Literal["drop_set", "renormalise"],
) -> dict[str, Outcome]:
    """Return the outcomes, those told in percent of the comparison mean with that mean.

    It is of the design that `stacks` are of, in the reference year and by its weights. All designs
    have the same, so that their effects are in one unit. Raises IdentificationError where it is not
    above zero.
    """
    return {
        name: outcome.relative_to(_mean(name, outcome, panel, stacks, missing))
        if outcome.observed and outcome.in_percent_of_mean
        else outcome
        for name, outcome in outcomes.items()
    }


def in_own_unit(outcomes: Mapping[str, Outcome], name: str) -> float:
    """Return what one of an outcome's values on its scale is in the unit of its column."""
    outcome = outcomes[name]
    return outcome.comparison_mean / 100 if outcome.in_percent_of_mean else 1.0


def _mean(
    name: str,
    outcome: Outcome,
    panel: pd.DataFrame,
    stacks: Stacks,
    missing: Literal["drop_set", "renormalise"],
) -> float:
    levels = outcome.model_copy(update={"transform": "level"})
    sample = stacked_sample(stacks, on_scale(panel[levels.column], levels), missing)
    mean = baseline_means(sample, panel, levels)[False]
    if not mean > 0:
        raise IdentificationError(
            f"outcomes.{name}.transform: percent_of_mean needs a comparison mean above zero in the "
            f"reference year under the design {stacks.design}; use transform: level",
            reason=Reason("comparison_mean_not_above_zero", {"outcome": name}),
        )
    return mean
