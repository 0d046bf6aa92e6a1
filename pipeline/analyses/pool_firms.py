"""Which firms are behind the effects under pools: what disclosure control must know of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.analyses.largest_firms import outcome_dominance
from pipeline.datasets.arrays import Flags
from pipeline.datasets.pools import POOL_FIRMS
from pipeline.datasets.store import conform, empty
from pipeline.effects.populations import Members
from pipeline.effects.study import Study
from pipeline.panel.panel_index import places_in


@dataclass(frozen=True)
class FirmsBehind:
    """Mark the treated and the comparison firms of one estimate, both (F,) over all firms of PANEL.

    `largest_percent` is the largest share of one firm in a mean of either.
    """

    treated: Flags
    control: Flags
    largest_percent: float


def firms_behind(
    study: Study, members: Members, design: str, firms: pd.Index
) -> dict[str, FirmsBehind]:
    """Return by outcome the firms whose values the design's estimates use; `firms` are all."""
    stacks = study.stacks[design]
    place = places_in(firms, pd.Series(study.index.firms))[stacks.firm]
    largest = _largest(study, design)
    found = {}
    for (own, outcome), observed in members.observed.items():
        if own == design:
            seen = observed.any(axis=1) & (stacks.weight > 0)
            treated, control = (
                np.bincount(place[seen & group], minlength=len(firms)) > 0
                for group in (stacks.treated, ~stacks.treated)
            )
            found[outcome] = FirmsBehind(treated, control, largest.get(outcome, np.nan))
    return found


def _largest(study: Study, design: str) -> dict[str, float]:
    """Return by outcome the largest share of one firm in a mean of levels that effects rest on."""
    shares = outcome_dominance(study)
    own = (shares["design"] == design) & shares["estimator"].isna()
    used = shares["event_time"] >= study.treatment.reference_event_time
    return {
        str(o): float(n) for o, n in shares[own & used].groupby("outcome")["share"].max().items()
    }


def pool_firms(
    behind: Mapping[str, Mapping[str, FirmsBehind]], outcomes: Sequence[str]
) -> pd.DataFrame:
    """Return POOL_FIRMS of each outcome, given by pool and outcome the firms behind effects."""
    rows = [
        {
            "outcome": outcome,
            "pool": pool,
            "other": other,
            "n_treated_only": int((own[outcome].treated & ~others[outcome].treated).sum()),
            "n_control_only": int((own[outcome].control & ~others[outcome].control).sum()),
            "largest_percent": own[outcome].largest_percent,
        }
        for outcome in outcomes
        for pool, own in behind.items()
        for other, others in behind.items()
        if outcome in own and outcome in others
    ]
    return conform(POOL_FIRMS, pd.DataFrame(rows)) if rows else empty(POOL_FIRMS)
