"""A design's weights made again on draws of firms, each of which counts as often as it was drawn.

Risk sets, covariates and exact cells stand: a draw is a frequency for every firm x stack, and its
weights are those of a sample in which firms are copied so often. That holds for smooth weights,
which treat copies alike; matched sets would part them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Floats, Integers
from pipeline.matching.cells import exact_cells
from pipeline.matching.designs import match_stack
from pipeline.matching.redo import Redo
from pipeline.matching.stack import RiskSet
from pipeline.params.design_rules import CellDesign
from pipeline.params.match import AnyDesign
from pipeline.selection.covariates import with_categories
from pipeline.selection.drawn_score import DrawnScore, drawn_score
from pipeline.selection.frequency import times_of
from pipeline.selection.risk_sets import with_weight


@dataclass(frozen=True)
class DrawnDesign:
    """Hold the risk sets of a design, side by side, with what smooth weights read of their firms.

    `score` is fitted again in every draw; None for the design `unmatched`, which has no `rule`.
    """

    risk_sets: Sequence[RiskSet]
    rule: AnyDesign | None
    score: DrawnScore | None

    def weights(self, frequency: Floats) -> Floats:
        """Return the weight of each firm of the risk sets times its frequency, (n,).

        `frequency` (n,) says how often each was drawn. Raises as scoring and matching the sample
        with copies does, with the same reason.
        """
        rows = np.flatnonzero(frequency)
        times = frequency[rows]
        scores = None
        if self.score is not None:
            scores = self.score.scores(rows, times)
            rows = scores.index.to_numpy()
            times = frequency[rows]
        weight = np.zeros(len(frequency))
        for risk_set, place in self._drawn(rows, times, scores):
            own = times_of(risk_set.frequency, len(place))
            weight[place] = match_stack(risk_set, self.rule).weight * own
        return weight

    def _drawn(
        self, rows: Codes, times: Floats, scores: pd.DataFrame | None
    ) -> Iterator[tuple[RiskSet, Codes]]:
        """Yield the risk set of every stack of which firms were drawn, and their places."""
        starts = np.cumsum([0, *(len(risk_set.firms) for risk_set in self.risk_sets)])
        cuts = np.searchsorted(rows, starts)
        for risk_set, start, low, high in zip(
            self.risk_sets, starts, cuts[:-1], cuts[1:], strict=False
        ):
            if low == high:
                continue
            place = rows[low:high]
            own = place - start
            firms = risk_set.firms.iloc[own] if scores is None else scores.iloc[low:high]
            chosen = replace(
                risk_set,
                firms=firms,
                covariates=risk_set.covariates.iloc[own],
                frequency=times[low:high],
            )
            yield replace(chosen, cells=self._cells(risk_set, chosen, own)), place

    def _cells(self, whole: RiskSet, chosen: RiskSet, rows: Codes) -> Integers | None:
        """Return the exact cells of the firms drawn, cut anew where bins depend on who there is."""
        rule = self.rule
        if whole.cells is None or not isinstance(rule, CellDesign):
            return None
        if all(bins.edges is not None for bins in rule.bins.values()):
            return whole.cells[rows]
        return exact_cells(chosen.covariates, rule.exact, rule.bins, chosen.frequency)


def drawn_design(redo: Redo, design: str, risk_sets: Sequence[RiskSet]) -> DrawnDesign:
    """Prepare draws of a design's risk sets, as `design_risk_sets` yields them."""
    rule = redo.match.designs.get(design)
    if rule is None:
        lean = [replace(r, firms=_read(r.firms), covariates=r.covariates[[]]) for r in risk_sets]
        return DrawnDesign(lean, None, None)
    named = list(dict.fromkeys(name for names in rule.named().values() for name in names))
    score = drawn_score(
        rule.score,
        redo.score.models[rule.score],
        pd.concat([risk_set.firms for risk_set in risk_sets], ignore_index=True),
        pd.concat([risk_set.covariates for risk_set in risk_sets], ignore_index=True),
    )
    lean = [
        replace(r, firms=_read(r.firms), covariates=with_categories(r.covariates[named]))
        for r in risk_sets
    ]
    return DrawnDesign(lean, rule, score)


def _read(firms: pd.DataFrame) -> pd.DataFrame:
    """Return what smooth weights read of the rows of SCORES."""
    columns = ["treated", "on_support", "linear_score", "propensity_score"]
    return firms[with_weight(columns, firms)]
