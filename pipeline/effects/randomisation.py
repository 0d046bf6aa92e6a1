"""Randomisation test of the average effect: entry re-assigned among clusters, matching redone.

Under the hypothesis that the programme did nothing to anybody, outcomes would be the same had
other clusters been treated. The test asks how often the t statistic would then be as large:
MacKinnon & Webb (2020), doi:10.1016/j.jeconom.2020.04.024. With few treated clusters it holds where
analytic errors do not, but its p-value cannot be smaller than the number of assignments allows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.cohorts import pooled_risk_sets, risk_sets
from pipeline.covariates import dated_covariates
from pipeline.datasets.matches import MATCHES
from pipeline.datasets.store import empty
from pipeline.effects.bootstrap import Redo
from pipeline.effects.entry_assignments import Lottery, lottery
from pipeline.effects.rows import Label
from pipeline.effects.stacked_rows import average_effect
from pipeline.effects.stacks import Floats, Stacks, join_stacks
from pipeline.effects.study import Study, outcome_sample
from pipeline.errors import EvaluationError, IdentificationError
from pipeline.matching.designs import design_risk_sets, match_rows, weight_rows
from pipeline.matching.methods import match_stack
from pipeline.panel import cluster_entry
from pipeline.panel_index import Codes, PanelIndex, index_panel
from pipeline.params.estimate import StackedSpec
from pipeline.params.inference import Randomisation
from pipeline.params.match import AnyDesign, ExternalDesign
from pipeline.params.treatment import TreatmentSection
from pipeline.propensity import score_risk_sets

# Assignments that cannot be estimated are left out: the test then holds among those that can, as
# the actual one does. Where most cannot, that is no longer the design that was run.
LEAST_SHARE_ESTIMATED = 0.5

# Assignments that repeat the data give the same statistic up to rounding, and count as ties.
TIE = 1e-9


@dataclass(frozen=True)
class Randomised:
    """Hold the t statistics of k outcomes (draws, k), missing where none, and how they were drawn.

    `n_assignments` counts all that are possible, the actual one included.
    """

    statistics: Floats
    n_clusters: int
    n_assignments: int
    enumerated: bool

    def p_value(self, observed: float, column: int) -> float:
        """Return the share of assignments, the actual one included, with as large a |t|."""
        drawn = self.statistics[:, column]
        drawn = np.abs(drawn[np.isfinite(drawn)])
        larger = int((drawn >= abs(observed) * (1 - TIE)).sum())
        return (larger + 1) / (len(drawn) + 1)

    def n_worked(self, column: int) -> int:
        """Return the number of assignments that gave a statistic."""
        return int(np.isfinite(self.statistics[:, column]).sum())

    def smallest_p(self, column: int) -> float:
        """Return the smallest p-value that the assignments allow."""
        return 1 / (self.n_worked(column) + 1)


def randomise(
    study: Study, redo: Redo, spec: StackedSpec, labels: list[Label], settings: Randomisation
) -> Randomised:
    """Return the t statistics of the outcomes of `labels`, all of one design, by assignment.

    Every assignment where there are no more than `draws`, else as many random ones. Raises
    IdentificationError where entry cannot be re-assigned, the design's weights come from a file, or
    most assignments cannot be estimated.
    """
    design = labels[0].design
    if isinstance(redo.match.designs.get(design), ExternalDesign):
        raise IdentificationError("no randomisation test: weights from a file cannot be made again")
    unmatched = redo.scores[(redo.scores["model"] == "unmatched") & redo.scores["treated"]]
    drawn = lottery(study.panel, unmatched, study.treatment)
    rng = np.random.default_rng(settings.seed)
    enumerated = drawn.n_assignments - 1 <= settings.draws
    statistics = np.array(
        [
            _statistics(study, redo, spec, labels, drawn.entrants(dealt, rng))
            for dealt in _assignments(drawn, enumerated, settings.draws, rng)
        ]
    ).reshape(-1, len(labels))
    _require_draws(statistics)
    return Randomised(statistics, len(drawn.clusters), drawn.n_assignments, enumerated)


def _assignments(
    drawn: Lottery, enumerated: bool, draws: int, rng: np.random.Generator
) -> Iterator[Codes]:
    if enumerated:
        yield from drawn.every_other()
        return
    for _ in range(draws):
        yield rng.permutation(drawn.dealt)


def _statistics(
    study: Study, redo: Redo, spec: StackedSpec, labels: list[Label], entry: dict[str, int]
) -> list[float]:
    """Return the t statistic of each outcome had these firms entered; missing where none."""
    try:
        world = _reassigned(study, redo, labels[0].design, entry)
    except EvaluationError:
        return [float("nan")] * len(labels)
    return [_statistic(world, spec, label) for label in labels]


def _statistic(world: Study, spec: StackedSpec, label: Label) -> float:
    try:
        sample = outcome_sample(world, label.design, label.outcome)
        return float(average_effect(world, spec, label, sample).get("statistic", np.nan))
    except EvaluationError:
        return float("nan")


def _reassigned(study: Study, redo: Redo, design: str, entry: dict[str, int]) -> Study:
    """Return the study had these firms entered: risk sets, scores and matches made again."""
    cohort = study.panel["firm_id"].map(entry).astype("Int64")
    panel = study.panel.assign(cohort=cohort)
    panel["cluster_entry"] = cluster_entry(panel)
    firms = risk_sets(panel, study.treatment).firms
    covariates = dated_covariates(panel, firms, redo.score.covariates)
    stacks = _stacks(
        redo, design, firms, covariates, index=index_panel(panel), treatment=study.treatment
    )
    return replace(study, panel=panel, stacks={design: stacks}, covariates=covariates)


def _stacks(
    redo: Redo,
    design: str,
    firms: pd.DataFrame,
    covariates: pd.DataFrame,
    *,
    index: PanelIndex,
    treatment: TreatmentSection,
) -> Stacks:
    """Score and match the risk sets of one design."""
    rule = redo.match.designs.get(design)
    scores = _scores(redo, rule, firms, covariates)
    matched = [
        match_stack(risk_set, rule)
        for risk_set in design_risk_sets(scores, covariates, design, rule)
    ]
    weights = pd.concat([weight_rows(stack, design) for stack in matched])
    sets = [match_rows(stack, design) for stack in matched if len(stack.sets.treated)]
    matches = pd.concat([empty(MATCHES), *sets])
    return join_stacks(index, weights, matches, design, treatment)


def _scores(
    redo: Redo, rule: AnyDesign | None, firms: pd.DataFrame, covariates: pd.DataFrame
) -> pd.DataFrame:
    """Return the risk sets of a design, with the scores of the model that it uses, if any."""
    models = {} if rule is None else {rule.score: redo.score.models[rule.score]}
    score = redo.score.model_copy(update={"models": models})
    pools = pooled_risk_sets(firms, score)
    if rule is None:
        return pools.assign(on_support=True)
    return score_risk_sets(pools, covariates, score).scores


def _require_draws(statistics: Floats) -> None:
    if not len(statistics):
        raise IdentificationError("no randomisation test: there is no other assignment of entry")
    worked = np.isfinite(statistics).any(axis=1).mean()
    if worked < LEAST_SHARE_ESTIMATED:
        raise IdentificationError(
            f"no randomisation test: {100 * (1 - worked):.0f} percent of the assignments of entry "
            "cannot be estimated"
        )
