"""Entry years as points to match, and one difference of the outcome for each of their firms."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.matching.designs import design_risk_sets
from pipeline.matching.mahalanobis import whiten
from pipeline.matching.nearest import design_caliper
from pipeline.matching.neighbours import ScoredFirms
from pipeline.matching.redo import Redo
from pipeline.matching.stack import RiskSet
from pipeline.panel.panel_index import NO_ROW, PanelIndex
from pipeline.params.match import MahalanobisDesign, NearestDesign
from pipeline.selection.design_matrix import expanded_columns
from pipeline.selection.estimated_score import EstimatedScore, estimated_score
from pipeline.selection.propensity import fitted_covariates


@dataclass(frozen=True)
class DifferenceStack:
    """Hold one entry year: firms as points (n, k), PANEL rows (n, event times), score and caliper.

    `score` is the fit on which firms are matched, None where they are matched on covariates.
    `event_times` are the columns of `panel_row`; `covered` says which of them PANEL has.
    """

    entry_year: int
    risk_set: RiskSet
    points: Floats
    caliper: float | None
    score: EstimatedScore | None
    index: Floats
    event_times: Codes
    panel_row: Codes
    covered: Flags


@dataclass(frozen=True)
class Differenced:
    """Hold the firms of one entry year that have the difference, ready to be matched.

    `adjust` (n, k) are covariates for bias adjustment, None without; `n_without` firms on support
    lack the difference.
    """

    entry_year: int
    firms: ScoredFirms
    score: EstimatedScore | None
    adjust: Floats | None
    n_without: int


def difference_stacks(
    redo: Redo, design: str, index: PanelIndex, event_times: Codes
) -> Iterator[DifferenceStack]:
    """Yield the entry years of a design that matches neighbours with replacement."""
    rule = redo.match.designs[design]
    assert isinstance(rule, NearestDesign | MahalanobisDesign), "require_valid comes before"
    model = redo.score.models[rule.score]
    for risk_set in design_risk_sets(redo.scores, redo.covariates, design, rule):
        treated, position = risk_set.treated, risk_set.score(rule.distance)
        score = None
        if isinstance(rule, MahalanobisDesign):
            covariates = risk_set.covariates[rule.covariates]
            points = whiten(covariates, treated, rule.covariance_of == "pooled")
        else:
            points = position[:, None]
            fitted = risk_set.on_support if model.refit else np.ones(len(treated), dtype=np.bool_)
            covariates = fitted_covariates(risk_set.covariates.loc[fitted, model.covariates], model)
            score = estimated_score(covariates, treated[fitted], model.link).among(fitted)
        firm = index.codes(risk_set.firms["firm_id"])
        year = int(risk_set.firms["stack"].iloc[0])
        row = index.rows(firm, np.broadcast_to(year + event_times, (len(firm), len(event_times))))
        caliper = design_caliper(risk_set, rule)
        covered = index.covers(year + event_times)
        yield DifferenceStack(
            year, risk_set, points, caliper, score, position, event_times, row, covered
        )


def differenced(
    stack: DifferenceStack, values: Floats, times: list[int], reference: int, adjust: list[str]
) -> Differenced | None:
    """Return the firms with the mean of `values` over `times` less that at `reference`.

    Of `times` those count that PANEL covers; a firm needs all of them. None where PANEL covers
    none, or a group has nobody left.
    """
    wanted = np.isin(stack.event_times, times) & stack.covered
    if not wanted.any():
        return None
    observed = np.where(stack.panel_row == NO_ROW, np.nan, values[stack.panel_row])
    base = observed[:, stack.event_times == reference][:, 0]
    change = observed[:, wanted].mean(axis=1) - base
    covariates = stack.risk_set.covariates[adjust]
    known = np.isfinite(change) & ~covariates.isna().any(axis=1).to_numpy()
    usable, treated = stack.risk_set.usable, stack.risk_set.treated
    kept = usable & known
    if not (kept & treated).any() or not (kept & ~treated).any():
        return None
    cells = stack.risk_set.cells
    firms = ScoredFirms(
        outcome=change[kept],
        treated=treated[kept],
        points=stack.points[kept],
        cells=None if cells is None else cells[kept],
        score=stack.index[kept],
        caliper=stack.caliper,
    )
    score = None if stack.score is None else stack.score.of(kept)
    adjusts, n_without = _columns(covariates[kept]), int((usable & ~known).sum())
    return Differenced(stack.entry_year, firms, score, adjusts, n_without)


def _columns(covariates: pd.DataFrame) -> Floats | None:
    columns = [values for *_, values in expanded_columns(covariates)]
    return np.column_stack(columns) if columns else None
