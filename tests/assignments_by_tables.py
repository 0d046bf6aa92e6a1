"""Randomisation by tables of identifiers, each assignment estimated as a study of its own: slow."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.datasets.matches import MATCHES
from pipeline.effects.adjusted_sample import adjusted_sample
from pipeline.effects.answers import Task
from pipeline.effects.rows import Label
from pipeline.effects.sample import check_comparable, stacked_sample
from pipeline.effects.stacks import join_stacks
from pipeline.effects.study import Study
from pipeline.errors import EvaluationError
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.analytic import analytic_rows, infer
from pipeline.matching.designs import design_risk_sets, match_rows, match_stack, weight_rows
from pipeline.matching.redo import Redo
from pipeline.panel.panel_index import index_panel
from pipeline.panel.scale import on_scale
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.likelihood import maximise
from pipeline.selection.propensity import score_model
from pipeline.selection.risk_sets import active_firms, risk_sets, score_pool


class Draws:
    """Deal the patterns of clusters out again, firms drawn from lists of identifiers."""

    def __init__(self, study: Study, redo: Redo) -> None:
        self.study = study
        scores = redo.scores
        treated = scores[(scores["model"] == "unmatched") & scores["treated"]]
        self.stacks = sorted({int(stack) for stack in treated["stack"]})
        active = pd.concat(
            [active_firms(study.panel, stack, study.treatment).firms for stack in self.stacks]
        )
        self.eligible, entered = _listed(active), _listed(treated)
        years: dict[str, set[int]] = {}
        for stack, cluster in entered:
            years.setdefault(cluster, set()).add(stack)
        had = {cluster: tuple(sorted(own)) for cluster, own in years.items()}
        everywhere = {
            cluster
            for _, cluster in self.eligible
            if all((stack, cluster) in self.eligible for stack in self.stacks)
        }
        self.clusters = sorted(everywhere | set(had))
        self.patterns = [(), *sorted(set(had.values()))]
        self.dealt = np.array([self.patterns.index(had.get(c, ())) for c in self.clusters])
        self.share = {}
        for pattern in self.patterns:
            own = [c for c in self.clusters if had.get(c) == pattern]
            for year in pattern:
                numbers = [sum(len(t[year, c]) for c in own) for t in (entered, self.eligible)]
                self.share[pattern, year] = numbers[0] / numbers[1]

    def random(self, seed: int, draws: int) -> Iterator[dict[str, int]]:
        """Yield the entry years of firms in random assignments."""
        rng = np.random.default_rng(seed)
        for _ in range(draws):
            yield self.entrants(rng.permutation(self.dealt), rng)

    def entrants(self, dealt: np.ndarray, rng: np.random.Generator) -> dict[str, int]:
        entry: dict[str, int] = {}
        for cluster, number in zip(self.clusters, dealt, strict=True):
            pattern = self.patterns[number]
            for year in pattern:
                firms = [f for f in self.eligible.get((year, cluster), []) if f not in entry]
                count = min(max(1, round(self.share[pattern, year] * len(firms))), len(firms))
                whole = count == len(firms)
                drawn = firms if whole else rng.choice(firms, count, replace=False)
                entry |= {str(firm): year for firm in drawn}
        return entry


def _listed(firms: pd.DataFrame) -> dict[tuple[int, str], list[str]]:
    listed: dict[tuple[int, str], list[str]] = {}
    rows = firms.sort_values("firm_id")
    for stack, cluster, firm in zip(rows["stack"], rows["cluster"], rows["firm_id"], strict=True):
        listed.setdefault((int(stack), str(cluster)), []).append(str(firm))
    return listed


def statistics(
    study: Study, redo: Redo, spec, labels: list[Label], entry: dict[str, int]
) -> list[float]:
    """Return each outcome's t statistic in the study had these firms entered; missing if none."""
    cohort = study.panel["firm_id"].map(entry).astype("Float64").astype("Int64")
    panel = study.panel.assign(cohort=cohort)
    panel["cluster_entry"] = cluster_entry(panel)
    design = labels[0].design
    try:
        stacks, covariates = _stacks(study, redo, panel, design)
    except EvaluationError:
        return [float("nan")] * len(labels)
    found = []
    for label in labels:
        outcome = study.outcomes[label.outcome]
        values = on_scale(panel[outcome.column], outcome)
        world = Study(**vars_of(study) | {"stacks": {design: stacks}, "covariates": covariates})
        try:
            sample = stacked_sample(stacks, values, study.estimate.missing)
            sample, _ = adjusted_sample(world, spec, sample, label.outcome)
            check_comparable(sample)
            task = Task(world, spec.only_average(design), label.outcome, sample)
            (part,) = ESTIMATORS[spec.estimator].again().estimate(task).results
            row = analytic_rows(label, infer(part, spec.cluster))[0]
            found.append(float(row.get("statistic", np.nan)))
        except EvaluationError:
            found.append(float("nan"))
    return found


def vars_of(study: Study) -> dict:
    return {name: getattr(study, name) for name in Study.__dataclass_fields__}


def _stacks(study: Study, redo: Redo, panel: pd.DataFrame, design: str):
    firms = risk_sets(panel, study.treatment).firms
    covariates = dated_covariates(panel, firms, redo.score.covariates)
    rule = redo.match.designs.get(design)
    if rule is None:
        scores = score_pool(firms, "unmatched", redo.score.unmatched.controls_from)
        scores = scores.assign(linear_score=np.nan, propensity_score=np.nan, on_support=True)
    else:
        model = redo.score.models[rule.score]
        pool = score_pool(firms, rule.score, model.controls_from)
        scores = score_model(pool, covariates, model, rule.score, maximise).scores
    matched = [
        match_stack(risk_set, rule)
        for risk_set in design_risk_sets(scores, covariates, design, rule)
    ]
    weights = pd.concat([weight_rows(stack, design) for stack in matched])
    sets = [match_rows(stack, design) for stack in matched if len(stack.sets.treated)]
    matches = pd.concat(sets) if sets else pd.DataFrame(columns=list(MATCHES.columns))
    index = index_panel(panel)
    return join_stacks(index, weights, matches, design, study.treatment), covariates
