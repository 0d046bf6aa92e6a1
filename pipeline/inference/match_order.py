"""How much an average effect owes to the order in which treated firms chose.

Greedy matching without replacement depends on who chooses first and, where firms tie, on the
order of the rows. Both are choices without a reason in the data, so their effect is reported.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes
from pipeline.effects.adjusted_sample import spec_sample
from pipeline.effects.candidates import Candidates, join_candidates
from pipeline.effects.rows import Row
from pipeline.effects.sample import check_comparable
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT
from pipeline.errors import IdentificationError, SupportError
from pipeline.estimators.registry import ESTIMATORS
from pipeline.matching.designs import as_read, design_risk_sets, match_stack
from pipeline.matching.redo import Redo
from pipeline.matching.stack import RiskSet
from pipeline.panel.scale import on_scale
from pipeline.params.estimate import Spec
from pipeline.params.match import NearestDesign
from pipeline.progress import track


def order_effects(study: Study, redo: Redo) -> list[Row]:
    """Return columns of FITS on each greedily matched design: the ATT over random orders and rows.

    By outcome: `att_order_low` and `att_order_high` over `match_orders` random orders (seeds from
    0), of rows and of who chooses, and `att_rows_reversed` with the declared order and the rows in
    reverse, which decides between ties differently and changes nothing else. Of the headline's
    spec; nothing where its estimator is not redone or effects are in proportion to a level, nor in
    arms that ask for no other order.
    """
    named = study.estimate.headline.spec
    spec = next(spec for spec in study.estimate.specs if spec.name == named)
    if ESTIMATORS[spec.estimator].redone is None or not study.estimate.match_orders:
        return []
    rows: list[Row] = []
    for design in spec.designs:
        rule = redo.match.designs.get(design)
        if isinstance(rule, NearestDesign) and not rule.replacement:
            rows += _of_design(study, redo, spec, design, rule)
    return rows


def _of_design(study: Study, redo: Redo, spec: Spec, design: str, rule: NearestDesign) -> list[Row]:
    risk_sets = list(design_risk_sets(redo.scores, redo.covariates, design, rule))
    candidates = join_candidates(study.index, risk_sets, design, study.treatment)
    match = _Matcher(candidates, [as_read(risk_set, rule) for risk_set in risk_sets], rule)
    alone = spec.only_average(design)
    orders = _effects(study, alone, _random_orders(match, study.estimate.match_orders))
    reverse = _effects(study, alone, match([np.arange(n)[::-1] for n in match.sizes]))
    return [
        {
            "design": design,
            "outcome": name,
            "estimator": spec.name,
            "att_order_low": float(effects.min()),
            "att_order_high": float(effects.max()),
            "n_match_orders": study.estimate.match_orders,
            "att_rows_reversed": float(reverse[name].mean()),
        }
        for name, effects in orders.items()
    ]


@dataclass(frozen=True)
class _Matcher:
    """Match the risk sets of one design, with their rows in other orders."""

    candidates: Candidates
    risk_sets: list[RiskSet]
    rule: NearestDesign

    @property
    def sizes(self) -> list[int]:
        """Return the number of rows of each risk set."""
        return [len(risk_set.firms) for risk_set in self.risk_sets]

    def __call__(self, orders: list[Codes], seed: int | None = None) -> Iterator[Stacks]:
        """Yield the matched stacks; nothing where some stack has no match at all.

        With a seed treated firms choose in random order, else in the declared one.
        """
        rule = self.rule
        if seed is not None:
            rule = rule.model_copy(update={"order": "random", "order_seed": seed})
        rows = [r.reordered(o) for r, o in zip(self.risk_sets, orders, strict=True)]
        try:
            matched = [match_stack(risk_set, rule) for risk_set in rows]
        except SupportError:
            return
        starts = self.candidates.starts
        yield self.candidates.matched(
            matched, [first + order for first, order in zip(starts, orders, strict=True)]
        )


def _random_orders(match: _Matcher, n_orders: int) -> Iterator[Stacks]:
    design = match.candidates.every.design
    what = f"orders of matching of {sum(match.sizes):,} firms, design {design},"
    for seed in track(range(n_orders), what, n_orders):
        rng = np.random.default_rng(seed)
        yield from match([rng.permutation(size) for size in match.sizes], seed)


def _effects(study: Study, spec: Spec, matched: Iterator[Stacks]) -> "dict[str, pd.Series[float]]":
    """Return the ATT of every observed outcome of a spec of the ATT alone, one entry per match."""
    redone = ESTIMATORS[spec.estimator].again()
    asked = study.outcomes if spec.outcomes == "all" else spec.outcomes
    observed = {
        name: study.outcomes[name]
        for name in asked
        if study.outcomes[name].observed and not study.outcomes[name].in_ratios
    }
    values = {name: on_scale(study.panel[o.column], o) for name, o in observed.items()}
    found: dict[str, list[float]] = {name: [] for name in observed}
    for stacks in matched:
        for name in observed:
            with suppress(IdentificationError):
                sample = spec_sample(study, spec, stacks, values[name])
                check_comparable(sample)
                found[name].append(redone.terms(study, spec, sample)[ATT])
    return {name: pd.Series(effects, dtype="float64") for name, effects in found.items()}
