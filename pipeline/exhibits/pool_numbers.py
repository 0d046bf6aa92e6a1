"""Numbers for prose of pools: `study.pool.everybody.sales_log.matched.stacked.att.pct`.

Differences from the clean pool stand under `pool_difference`; the clean pool is the headline.
"""

from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import Quoted, statistics, term_key
from pipeline.exhibits.pools import EffectOfPool, effects_by_pool


def pool_numbers(results: StudyResults, *, stored: bool = True) -> dict[str, Quoted]:
    """Return the statistics of effects under other pools and of differences, by key.

    `stored` as of `study_numbers`.
    """
    return {
        f"{key}.{name}": figure
        for outcome in results.settings.outcomes.intended
        for one in effects_by_pool(results, outcome)
        if not one.is_clean
        for key, effect in _effects(results, outcome, one).items()
        if effect.estimated
        for name, figure in statistics(effect, stored=stored).items()
    }


def _effects(results: StudyResults, outcome: str, one: EffectOfPool) -> dict[str, Effect]:
    headline = results.settings.estimate.headline
    place = (one.pool, outcome, headline.design, headline.spec, term_key(one.effect.term))
    found = {"pool": one.effect, "pool_difference": one.difference}
    return {".".join((results.study, kind, *place)): effect for kind, effect in found.items()}
