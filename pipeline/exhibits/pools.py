"""The headline's effect under each comparison pool, as POOLS holds it."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.datasets.reasons import unpacked
from pipeline.datasets.results import ESTIMATES
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.exhibits.details import known_or_nan
from pipeline.exhibits.effect import Effect, as_effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import conf_level
from pipeline.params.pools import CLEAN_POOL

_OF_DIFFERENCE = ("std_error", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True)
class EffectOfPool:
    """Hold one pool: what it is made by, the effect on an outcome, and how far it is from clean.

    `n_pool` are the firms that could be compared, `share_not_clean` the share of the comparison
    weight on firms that the clean pool leaves out; missing is NaN.
    """

    pool: str
    rule: Reason
    effect: Effect
    difference: Effect
    n_pool: float
    share_not_clean: float

    @property
    def is_clean(self) -> bool:
        """Say whether it is the pool of the headline."""
        return self.pool == CLEAN_POOL

    @property
    def differs(self) -> bool:
        """Say whether the interval of the difference from the clean pool leaves zero out."""
        return self.difference.estimated and not (
            self.difference.conf_low <= 0 <= self.difference.conf_high
        )


def effects_by_pool(results: StudyResults, outcome: str) -> list[EffectOfPool]:
    """Return the pools of one outcome in order, the clean one first; none where none are asked."""
    table = results.pools
    if table is None:
        return []
    rows = table[table["outcome"] == outcome].sort_values("position").to_dict("records")
    return [_of_row(results, outcome, row) for row in rows]


def known_pools(results: StudyResults, outcome: str) -> list[EffectOfPool]:
    """Return the pools with an interval, the clean one first; none where it is alone."""
    known = [one for one in effects_by_pool(results, outcome) if one.effect.estimated]
    return known if len(known) > 1 and known[0].is_clean else []


def _of_row(results: StudyResults, outcome: str, row: Mapping[Hashable, Any]) -> EffectOfPool:
    apart: dict[Hashable, Any] = {name: row[f"difference_{name}"] for name in _OF_DIFFERENCE}
    apart |= dict.fromkeys(("n_treated", "n_control", "n_clusters"))
    rule = unpacked(row["kind"], row["kind_fields"])
    assert rule is not None, "every pool has a kind"
    return EffectOfPool(
        pool=str(row["pool"]),
        rule=rule,
        effect=_effect(results, outcome, row),
        difference=_effect(results, outcome, {**row, "estimate": row["difference"], **apart}),
        n_pool=known_or_nan(row["n_pool"]),
        share_not_clean=known_or_nan(row["share_not_clean"]),
    )


def _effect(results: StudyResults, outcome: str, row: Mapping[Hashable, Any]) -> Effect:
    """Return figures of a row as an effect, at the decimals of the headline's."""
    given = dict.fromkeys(ESTIMATES.columns, None) | {str(name): v for name, v in row.items()}
    given |= {"term": ATT.family, "conf_level": conf_level(results)}
    return replace(as_effect(given), decimals=results.decimals[outcome])
