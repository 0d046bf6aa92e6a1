"""Against whom: the headline's effect under each comparison pool, the clean one marked."""

import math

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.panels.rows import DrawnRow
from pipeline.exhibits.pools import effects_by_pool
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.pools import pool_words


def pool_rows(results: StudyResults, outcome: str) -> list[DrawnRow]:
    """Return the pools with an interval; hollow those whose difference from the clean one is clear.

    None where the clean pool has no interval, or is alone.
    """
    known = [one for one in effects_by_pool(results, outcome) if one.effect.estimated]
    if len(known) < 2 or not known[0].is_clean:
        return []
    return [
        DrawnRow(
            pool_words(results, one),
            one.effect,
            "" if math.isnan(one.effect.n_control) else rounding.whole(one.effect.n_control),
            main=one.is_clean,
            hollow=one.differs,
        )
        for one in known
    ]
