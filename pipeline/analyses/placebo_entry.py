"""A placebo entry date: the same firms and code, as if they had entered some years earlier.

Only years before true entry (and anticipation) are used, so that an effect found is none of the
programme's. Years from the placebo entry on in which the design matched on the outcome are left
out: treated and comparison firms were made alike there, so that nothing could be found.
"""

from collections.abc import Set
from dataclasses import replace

import numpy as np

from pipeline.effects.stacks import Stacks
from pipeline.errors import IdentificationError, Reason


def placebo_stacks(
    stacks: Stacks, years_early: int, matched: Set[int] = frozenset()
) -> tuple[Stacks, list[int]]:
    """Return the stacks with entry moved `years_early` years back, cut before true entry.

    Weights, sets and covariates stay those of the true entry. `matched` are the true event times
    that the design matched on; those from the placebo entry on are left out and returned. Raises
    IdentificationError where the window then lacks the year before the placebo entry, or a year
    from it on.
    """
    moved = stacks.event_times + years_early
    kept = stacks.event_times <= stacks.reference
    if -1 not in moved[kept] or not (moved[kept] >= 0).any():
        found = {
            "years": years_early,
            "first": int(stacks.event_times[0]),
            "last": stacks.reference,
        }
        raise IdentificationError(Reason("no_placebo_years", found))
    alike = kept & (moved >= 0) & np.isin(stacks.event_times, list(matched))
    kept = kept & ~alike
    if not (moved[kept] >= 0).any():
        raise IdentificationError(Reason("placebo_all_matched_on", {"years": years_early}))
    early = replace(
        stacks,
        event_times=moved[kept],
        reference=-1,
        stack=stacks.stack - years_early,
        panel_row=stacks.panel_row[:, kept],
        covered=stacks.covered[:, kept],
    )
    return early, stacks.event_times[alike].tolist()
