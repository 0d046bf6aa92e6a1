"""The headline's effect under other comparison pools, and its difference from the clean one."""

import math
from collections.abc import Callable, Iterator

from pipeline.exhibits.analysis_effects import estimate_rows
from pipeline.exhibits.effect import missing_reason
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.pools import EffectOfPool, effects_by_pool
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_outcome
from pipeline.exhibits.tables.table import (
    DASH,
    HIDDEN,
    Cell,
    Number,
    Panel,
    Row,
    Table,
    WholeNumbers,
)
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.in_full import in_full
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.pools import pool_name
from pipeline.params.outcomes import LOG_SCALE

# By name, in order, what each outcome has under a pool.
_ByPool = dict[str, list[EffectOfPool | None]]


def pools_tables(results: StudyResults) -> list[Table]:
    """Return effects by pool, one column an outcome; none where no pools are asked for."""
    if results.pools is None:
        return []
    return by_outcome(results, lambda part: _table(results, part))


def _table(results: StudyResults, numbered: dict[int, str]) -> Table:
    pools = _by_pool(results, list(numbered.values()))
    others = {name: found for name, found in pools.items() if not _is_clean(found)}
    effects = [
        row
        for name, found in pools.items()
        for row in estimate_rows(name, [None if one is None else one.effect for one in found])
    ]
    differences = [
        row
        for name, found in others.items()
        for row in estimate_rows(name, [None if one is None else one.difference for one in found])
    ]
    panels = (
        Panel(say("pools.effect"), tuple(effects)),
        Panel(say("pools.difference"), tuple(differences)),
        Panel(say("pools.compared"), _rows(pools, _counts)),
        Panel(say("pools.share"), _rows(others, _share)),
    )
    return Table(
        columns=outcome_columns(results, numbered),
        panels=panels,
        notes=_notes(results, pools),
        source=results.settings.exhibit.source,
    )


def _by_pool(results: StudyResults, outcomes: list[str]) -> _ByPool:
    """Return by the name of each pool what every outcome has under it."""
    found = [{one.pool: one for one in effects_by_pool(results, name)} for name in outcomes]
    every = {pool: one for own in found for pool, one in own.items()}
    return {
        pool_name(results, one): [own.get(pool) for own in found] for pool, one in every.items()
    }


def _is_clean(found: list[EffectOfPool | None]) -> bool:
    return any(one is not None and one.is_clean for one in found)


def _rows(pools: _ByPool, cell: Callable[[EffectOfPool], Cell]) -> tuple[Row, ...]:
    return tuple(
        Row(name, tuple(DASH if one is None else cell(one) for one in found))
        for name, found in pools.items()
    )


def _counts(shown: EffectOfPool) -> Cell:
    """Return the comparison firms behind the effect, and those of the pool where they are told."""
    counts = [n for n in (shown.effect.n_control, shown.n_pool) if not math.isnan(n)]
    if len(counts) == 2:
        return WholeNumbers((int(counts[0]), int(counts[1])))
    return _absent(shown)


def _share(shown: EffectOfPool) -> Cell:
    if math.isnan(shown.share_not_clean):
        return _absent(shown)
    return Number(100 * shown.share_not_clean, 1)


def _absent(shown: EffectOfPool) -> Cell:
    """Return a dash where there is no effect, else the mark of what is not published."""
    unknown = math.isnan(shown.effect.estimate) and not shown.effect.hidden
    return DASH if unknown else HIDDEN


def _notes(results: StudyResults, pools: _ByPool) -> tuple[str, ...]:
    firms = results.settings.exhibit.firms
    design = results.settings.design_label(results.settings.estimate.headline.design)
    return (
        say("pools.what_is_shown", design=design, firms=firms),
        *([say("pools.in_logs")] if _any_in_logs(pools) else []),
        *in_full(results, say("pools.joint_errors"), say("pools.reading", firms=firms)),
        *_reasons(pools),
    )


def _any_in_logs(pools: _ByPool) -> bool:
    """Say whether some difference is told in percent of effects in logs."""
    return any(
        one is not None and one.difference.scale == LOG_SCALE and one.difference.estimated
        for found in pools.values()
        for one in found
    )


def _reasons(pools: _ByPool) -> Iterator[str]:
    """Say why a pool has no effect or no difference, each reason once with its pools."""
    told: dict[str, dict[str, None]] = {}
    for name, found in pools.items():
        for one in (own for own in found if own is not None):
            effects = [one.effect] if one.is_clean else [one.effect, one.difference]
            for reason in filter(None, map(missing_reason, effects)):
                told.setdefault(reason, {})[name] = None
    for reason, names in told.items():
        yield say("pools.reason", pools="; ".join(names), reason=capitalised(reason))
