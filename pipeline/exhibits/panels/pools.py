"""Against whom: the headline's effect under each comparison pool, the clean one marked."""

import math

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_unit
from pipeline.exhibits.panels.rows import DrawnRow, rows_panel
from pipeline.exhibits.pools import known_pools
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.pools import pool_name


def pools_panel(results: StudyResults, outcome: str) -> str:
    """Draw every pool; nothing where the clean one has no interval, or is alone."""
    rows = pool_rows(results, outcome)
    effects = [row.effect for row in rows if row.effect is not None]
    if not effects:
        return ""
    described = say("page.pools_described", label=results.plain_name(outcome), n=len(rows))
    axis = say("page.effect_axis", unit=translated_unit(effects[0]))
    return rows_panel(rows, axis, described)


def pool_rows(results: StudyResults, outcome: str) -> list[DrawnRow]:
    """Return the pools with an interval; hollow those whose difference from the clean is clear."""
    return [
        DrawnRow(
            pool_name(results, one),
            one.effect,
            "" if math.isnan(one.effect.n_control) else rounding.whole(one.effect.n_control),
            main=one.is_clean,
            hollow=one.differs,
        )
        for one in known_pools(results, outcome)
    ]
