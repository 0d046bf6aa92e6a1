"""Randomisation test of one arm's average effect: all arms' entries dealt out, all made again.

Each assignment makes exposure, arms, the clean pool, covariates, scores, matches and the effect
again, as the stages do, from tables: the shortcuts of a study without arms know no other contact.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.datasets.matches import MATCHES
from pipeline.datasets.store import empty
from pipeline.effects.adjusted_sample import adjusted_sample
from pipeline.effects.answers import Task
from pipeline.effects.levels import levels_named, with_levels
from pipeline.effects.rows import Label
from pipeline.effects.sample import check_comparable, stacked_sample
from pipeline.effects.stacks import Stacks, join_stacks
from pipeline.effects.study import Study
from pipeline.errors import EvaluationError
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.analytic import infer
from pipeline.inference.arm_assignments import ArmLottery
from pipeline.matching.designs import design_risk_sets, match_rows, match_stack, weight_rows
from pipeline.matching.redo import Redo
from pipeline.panel.panel_index import index_panel
from pipeline.panel.scale import on_scale
from pipeline.params.analyses import EXPOSURE_COMPONENT
from pipeline.params.estimate import Spec
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.likelihood import maximise
from pipeline.selection.propensity import score_model
from pipeline.selection.risk_sets import risk_sets, score_pool


@dataclass(frozen=True)
class ArmWorlds:
    """Hold what assignments share for one arm, spec and design; `labels` are of the outcomes."""

    study: Study
    redo: Redo
    spec: Spec
    labels: list[Label]
    drawn: ArmLottery

    def statistics(self, drawn: Floats) -> list[float]:
        """Return each outcome's t statistic had firms (F,) these events; missing where none."""
        try:
            world = self._world(drawn)
        except EvaluationError:
            return [float("nan")] * len(self.labels)
        return [self._statistic(world, label) for label in self.labels]

    def _world(self, drawn: Floats) -> Study:
        """Return the study of the arm as it would be; raise SupportError where it cannot be."""
        cohort, entries = self.drawn.under(drawn)
        joined = self.spec.clustering == EXPOSURE_COMPONENT
        seen = self.drawn.made_of.seen_by(self.study.arm, cohort, entries, joined=joined)
        design = self.labels[0].design
        firms = risk_sets(seen, self.study.treatment).firms
        covariates = dated_covariates(seen, firms, self.redo.score.covariates)
        stacks = self._stacks(seen, firms, covariates, design)
        levels = levels_named(seen, self.study.estimate)
        clustered = {design: with_levels(stacks, seen, levels)}
        return replace(self.study, panel=seen, stacks=clustered, covariates=covariates)

    def _stacks(
        self, seen: pd.DataFrame, firms: pd.DataFrame, covariates: pd.DataFrame, design: str
    ) -> Stacks:
        rule = self.redo.match.designs.get(design)
        scores = self._scores(firms, covariates, design)
        matched = [
            match_stack(risk_set, rule)
            for risk_set in design_risk_sets(scores, covariates, design, rule)
        ]
        weights = pd.concat([weight_rows(stack, design) for stack in matched])
        sets = [match_rows(stack, design) for stack in matched if len(stack.sets.treated)]
        matches = pd.concat(sets) if sets else empty(MATCHES)
        return join_stacks(index_panel(seen), weights, matches, design, self.study.treatment)

    def _scores(self, firms: pd.DataFrame, covariates: pd.DataFrame, design: str) -> pd.DataFrame:
        """Return SCORES of the design's model; of the unmatched design its risk sets."""
        rule, source = self.redo.match.designs.get(design), self.redo.controls_from(design)
        if rule is None:
            pool = score_pool(firms, "unmatched", source)
            return pool.assign(linear_score=np.nan, propensity_score=np.nan, on_support=True)
        pool = score_pool(firms, rule.score, source)
        model = self.redo.score.models[rule.score]
        return score_model(pool, covariates, model, rule.score, maximise).scores

    def _statistic(self, world: Study, label: Label) -> float:
        try:
            outcome = world.outcomes[label.outcome]
            values = on_scale(world.panel[outcome.column], outcome)
            stacks = world.stacks[label.design]
            sample = stacked_sample(stacks, values, world.estimate.missing)
            sample, _ = adjusted_sample(world, self.spec, sample, label.outcome)
            check_comparable(sample)
            task = Task(world, self.spec.only_average(label.design), label.outcome, sample)
            results = ESTIMATORS[self.spec.estimator].again().estimate(task).results
        except EvaluationError:
            return float("nan")
        effect = next(iter(results), None)
        if effect is None or not effect.terms:
            return float("nan")
        return float(infer(effect, self.spec.clustering).statistics[0])
