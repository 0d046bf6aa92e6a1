"""What other pools would have said: the headline's effect under each, and its difference.

Under each pool the risk sets, the score and the design are made again with the same rules and the
firms that the pool allows, and the headline's average effect is estimated again. Both effects are
sums of influences of the same clusters, so that the difference has the variance
sum_g (psi_g,pool - psi_g,clean)^2: comparison firms that both use count once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.analyses.pool_firms import FirmsBehind, firms_behind, pool_firms
from pipeline.analyses.pool_matching import HeadlineArm, matched_under
from pipeline.analyses.specs import estimate_specs
from pipeline.datasets.pools import POOL_FIRMS, POOLS
from pipeline.datasets.reasons import packed, packed_fields
from pipeline.datasets.store import Dataset, conform
from pipeline.effects.kept import Kept
from pipeline.effects.rows import ALL, Row
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT
from pipeline.errors import DataError, IdentificationError, Reason, SupportError
from pipeline.inference.arm_contrasts import ByPlace, effects_by_place, share_clusters, weighted_sum
from pipeline.inference.conley import NEGATIVE
from pipeline.inference.covariance import t_intervals
from pipeline.params.pools import CLEAN_POOL, OnePool
from pipeline.progress import track
from pipeline.selection.pools import panel_of_pool
from pipeline.selection.risk_sets import risk_sets

# What a pool's setting tells of it beside its kind.
_TOLD = ("columns", "ring", "km", "to", "column", "values")

# What POOLS takes from ESTIMATES as it is.
_OF_ESTIMATES = (
    *("estimand", "estimate", "std_error", "p_value", "conf_low", "conf_high"),
    *("n_treated", "n_control", "n_clusters", "reason", "reason_fields"),
)

# A standard error of a difference below this part of the clean pool's is rounding: both are one.
_SAME = 1e-8


@dataclass(frozen=True)
class UnderPool:
    """Hold what one pool gives: its size, ESTIMATES, what they rest on, or why there are none.

    `firms` are those behind the effects, by outcome.
    """

    n_pool: int | None = None
    share_not_clean: float = np.nan
    estimates: pd.DataFrame | None = None
    kept: Sequence[Kept] = ()
    firms: Mapping[str, FirmsBehind] = field(default_factory=dict)
    reason: Reason | None = None

    @cached_property
    def effects(self) -> ByPlace:
        """Return effects by outcome, design and spec, with what they rest on."""
        return {} if self.estimates is None else effects_by_place(self.estimates, self.kept)


def pool_effects(
    headline: HeadlineArm, panel: pd.DataFrame, contacts: pd.DataFrame, arms: pd.DataFrame | None
) -> dict[Dataset, pd.DataFrame]:
    """Return POOLS: each outcome of the headline's spec under the clean pool and every other.

    Beside it POOL_FIRMS, which says what disclosure control must know of the firms behind them.

    `panel` is PANEL as `clean` wrote it, `contacts` POOL_CONTACTS, `arms` ARMS, None without. Each
    pool costs a score, a match and an estimate of the headline's spec. A pool without firms or
    without support is rows with the reason.
    """
    study, pools = headline.study, headline.study.treatment.pools
    firms = pd.Index(panel["firm_id"].unique())
    clean = _clean(headline, firms)
    rows, behind = list(_rows(headline, CLEAN_POOL, None, clean, clean)), {CLEAN_POOL: clean.firms}
    for name, pool in track(pools.items(), "pools", len(pools), name=lambda item: item[0]):
        own = contacts[contacts["pool"] == name]
        seen = panel_of_pool(panel, own, study.arm, arms, study.treatment.anticipation_years)
        under = _under(headline, seen, firms)
        rows += _rows(headline, name, pool, under, clean)
        behind[name] = under.firms
    effects = conform(POOLS, pd.DataFrame(rows).reindex(columns=list(POOLS.columns)))
    return {POOLS: effects, POOL_FIRMS: pool_firms(behind, list(study.outcomes))}


def _clean(headline: HeadlineArm, firms: pd.Index) -> UnderPool:
    """Return what the headline's own pool gives, as it was estimated; `firms` are all of PANEL."""
    results, design = headline.results, headline.design
    n_pool = _n_pool(headline, headline.redo.scores)
    behind = firms_behind(headline.study, results.members, design, firms)
    return UnderPool(n_pool, 0.0, results.estimates, results.kept, behind)


def _under(headline: HeadlineArm, seen: pd.DataFrame, firms: pd.Index) -> UnderPool:
    """Return what the headline's spec gives on a panel that says who is in the pool."""
    study = headline.study
    try:
        candidates = risk_sets(seen, study.treatment).firms
    except SupportError:
        return UnderPool(reason=Reason("pool_without_firms"))
    try:
        redo, under = matched_under(headline, seen, candidates)
    except (SupportError, DataError, IdentificationError):
        return UnderPool(reason=Reason("pool_without_support"))
    n_pool = _n_pool(headline, redo.scores)
    try:
        found = estimate_specs(under)
    except IdentificationError:
        return UnderPool(n_pool, reason=Reason("pool_without_support"))
    share = _share_not_clean(headline, under)
    behind = firms_behind(under, found.members, headline.design, firms)
    return UnderPool(n_pool, share, found.estimates, found.kept, behind)


def _n_pool(headline: HeadlineArm, scores: pd.DataFrame) -> int:
    """Count the comparison firms of SCORES that the headline's design could use."""
    rule = headline.redo.match.designs.get(headline.design)
    model = "unmatched" if rule is None else rule.score
    return int(scores.loc[(scores["model"] == model) & ~scores["treated"], "firm_id"].nunique())


def _share_not_clean(headline: HeadlineArm, under: Study) -> float:
    """Return the share of the comparison weight on firms that the clean pool leaves out."""
    stacks = under.stacks[headline.design]
    control = ~stacks.treated
    firm = under.index.firms[stacks.firm[control]]
    pairs = pd.MultiIndex.from_arrays([stacks.stack[control], firm])
    weight = stacks.weight[control]
    return float(weight[~pairs.isin(headline.compared)].sum() / weight.sum())


def _rows(
    headline: HeadlineArm, name: str, pool: OnePool | None, under: UnderPool, clean: UnderPool
) -> Iterator[Row]:
    """Yield a row of POOLS for each outcome of the headline's spec."""
    study, spec = headline.study, headline.spec
    rule = Reason(CLEAN_POOL) if pool is None else pool_rule(pool)
    position = 0 if pool is None else 1 + list(study.treatment.pools).index(name)
    for outcome in study.outcomes if spec.outcomes == ALL else spec.outcomes:
        yield {
            "outcome": outcome,
            "pool": name,
            "position": position,
            "kind": rule.code,
            "kind_fields": packed_fields(rule),
            "scale": study.outcomes[outcome].scale,
            "design": headline.design,
            "estimator": spec.name,
            "n_pool": under.n_pool,
            "reason": None,
            **_figures(headline, outcome, under),
            **({} if pool is None else _difference(headline, outcome, under, clean)),
        }


def pool_rule(pool: OnePool) -> Reason:
    """Return what a pool is made by, as a code with fields."""
    told = {key: value for key, value in pool.model_dump().items() if key in _TOLD}
    return Reason(pool.kind, told)


def _figures(headline: HeadlineArm, outcome: str, under: UnderPool) -> Row:
    """Return the effect on one outcome with its counts, or the reason why there is none."""
    if under.estimates is None:
        return packed(under.reason)
    spec, table = headline.spec, under.estimates
    wanted = {
        "outcome": outcome,
        "design": headline.design,
        "estimator": spec.name,
        "term": ATT.family,
        "inference": spec.primary_inference,
        "band": "pointwise",
        **dict.fromkeys(("sample", "grouping", "subgroup"), ALL),
    }
    rows = table[(table[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    if rows.empty:
        return packed(Reason("pool_without_support"))
    row = rows.iloc[0]
    known = {"share_not_clean": under.share_not_clean} if pd.notna(row["estimate"]) else {}
    return known | {column: row[column] for column in _OF_ESTIMATES}


def _difference(headline: HeadlineArm, outcome: str, under: UnderPool, clean: UnderPool) -> Row:
    """Return the effect less the clean pool's, and its error or why there is none.

    Nothing where one of the effects is missing.
    """
    effect, base = (_figures(headline, outcome, own) for own in (under, clean))
    difference = effect.get("estimate", np.nan) - base.get("estimate", np.nan)
    if np.isnan(difference) or pd.notna(effect["reason"]):
        return {"difference": difference}
    if pd.notna(base["reason"]):
        return {"difference": difference, **packed(Reason("clean_pool_without_error"))}
    place = (outcome, headline.design, headline.spec.name)
    held = [own.effects[place].holder(ATT) for own in (under, clean)]
    parts = [kept for kept in held if kept is not None]
    if len(parts) < 2 or not share_clusters(parts):
        return {"difference": difference, **packed(Reason("pools_without_common_clusters"))}
    return _with_error(*parts)


def _with_error(pool: Kept, clean: Kept) -> Row:
    """Return the difference of two effects with its error from their joint influences."""
    total = weighted_sum([(1.0, pool), (-1.0, clean)], ATT)
    if total.std_error <= _SAME * _std_error(clean):
        return {"difference": 0.0, **packed(Reason("pool_as_clean"))}
    if np.isnan(total.std_error):
        return {"difference": total.estimate, **packed(NEGATIVE)}
    estimate, error = np.array([total.estimate]), np.array([total.std_error])
    shown = t_intervals(estimate, error, total.df, pool.label.conf_level)
    return {
        "difference": total.estimate,
        "difference_std_error": total.std_error,
        "difference_p_value": shown.p_value[0],
        "difference_conf_low": shown.low[0],
        "difference_conf_high": shown.high[0],
    }


def _std_error(kept: Kept) -> float:
    return float(np.sqrt(kept.covariance_of([ATT])[0, 0]))
