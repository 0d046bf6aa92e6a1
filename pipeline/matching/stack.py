"""One stack of one design, matched: what tables and facts are made from."""

from dataclasses import dataclass

import pandas as pd

from pipeline.matching.sets import Floats, MatchedSets, Positions


@dataclass(frozen=True)
class StackMatch:
    """Hold one stack of one design: its firms, how they were matched, what was used.

    `firms` are the stack's rows of SCORES in order of `firm_id`; positions in `sets`, `weight`
    and `cells` (None without exact cells, -1 where a cell variable is missing) refer to them.
    """

    firms: pd.DataFrame
    sets: MatchedSets
    weight: Floats
    cells: Positions | None
    caliper: float | None
