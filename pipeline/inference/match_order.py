"""How much an average effect owes to the order in which treated firms chose.

Greedy matching without replacement depends on who chooses first and, where firms tie, on the
order of the rows. Both are choices without a reason in the data, so their effect is reported.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.effects.adjusted_sample import spec_sample
from pipeline.effects.rows import Row
from pipeline.effects.sample import check_comparable
from pipeline.effects.stacks import Stacks, join_stacks
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT
from pipeline.errors import IdentificationError, SupportError
from pipeline.estimators.registry import ESTIMATORS
from pipeline.matching.designs import design_risk_sets, match_rows, match_stack, weight_rows
from pipeline.matching.redo import Redo
from pipeline.matching.stack import RiskSet
from pipeline.panel.panel_index import PanelIndex, index_panel
from pipeline.panel.scale import on_scale
from pipeline.params.estimate import Spec
from pipeline.params.match import NearestDesign
from pipeline.params.treatment import TreatmentSection
from pipeline.progress import track

N_ORDERS = 50


def order_effects(study: Study, redo: Redo) -> list[Row]:
    """Return columns of FITS on each greedily matched design: the ATT over random orders and rows.

    By outcome: `att_order_low` and `att_order_high` over 50 random orders (seeds 0 to 49), of rows
    and of who chooses, and `att_rows_reversed` with the declared order and the rows in reverse,
    which decides between ties differently and changes nothing else. Of the headline's spec;
    nothing where its estimator is not redone, and nothing on effects in proportion to a level.
    """
    named = study.estimate.headline.spec
    spec = next(spec for spec in study.estimate.specs if spec.name == named)
    if ESTIMATORS[spec.estimator].redone is None:
        return []
    rows: list[Row] = []
    for design in spec.designs:
        rule = redo.match.designs.get(design)
        if isinstance(rule, NearestDesign) and not rule.replacement:
            rows += _of_design(study, redo, spec, design, rule)
    return rows


def _of_design(study: Study, redo: Redo, spec: Spec, design: str, rule: NearestDesign) -> list[Row]:
    risk_sets = list(design_risk_sets(redo.scores, redo.covariates, design, rule))
    match = _Matcher(study.treatment, index_panel(study.panel), design)
    alone = spec.only_average(design)
    orders = _effects(study, alone, _random_orders(match, risk_sets, rule))
    reverse = _effects(study, alone, match([_reversed(risk_set) for risk_set in risk_sets], rule))
    return [
        {
            "design": design,
            "outcome": name,
            "estimator": spec.name,
            "att_order_low": float(effects.min()),
            "att_order_high": float(effects.max()),
            "att_rows_reversed": float(reverse[name].mean()),
        }
        for name, effects in orders.items()
    ]


@dataclass(frozen=True)
class _Matcher:
    """Match the risk sets of one design and join them to PANEL."""

    treatment: TreatmentSection
    index: PanelIndex
    design: str

    def __call__(self, risk_sets: list[RiskSet], rule: NearestDesign) -> Iterator[Stacks]:
        """Yield the matched stacks; nothing where some stack has no match at all."""
        try:
            matched = [match_stack(risk_set, rule) for risk_set in risk_sets]
        except SupportError:
            return
        yield join_stacks(
            self.index,
            pd.concat([weight_rows(stack, self.design) for stack in matched]),
            pd.concat([match_rows(stack, self.design) for stack in matched]),
            self.design,
            self.treatment,
        )


def _random_orders(
    match: _Matcher, risk_sets: list[RiskSet], rule: NearestDesign
) -> Iterator[Stacks]:
    for seed in track(range(N_ORDERS), f"orders of matching, design {match.design}", N_ORDERS):
        rng = np.random.default_rng(seed)
        rows = [r.reordered(rng.permutation(len(r.firms))) for r in risk_sets]
        yield from match(rows, rule.model_copy(update={"order": "random", "order_seed": seed}))


def _reversed(risk_set: RiskSet) -> RiskSet:
    return risk_set.reordered(np.arange(len(risk_set.firms))[::-1])


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
