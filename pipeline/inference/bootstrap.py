"""Cluster bootstrap of smooth weights: score, weights and effect are redone in every sample.

Assignment clusters are drawn with replacement, those with treated firms apart from the others, so
that every sample has both. Cameron, Gelbach & Miller (2008), doi:10.1162/rest.90.3.414. A sample is
how often each firm x stack was drawn: its figures are those of scoring, weighing and estimating
anew on firms copied so often.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.adjusted_sample import covariates_by_unit, standardised
from pipeline.effects.candidates import Candidates, join_candidates
from pipeline.effects.rows import Row, term_of, without_figures
from pipeline.effects.sample import (
    StackedSample,
    check_comparable,
    sample_of_values,
    values_by_unit,
)
from pipeline.effects.stacks import checked_weights
from pipeline.effects.study import Study
from pipeline.effects.terms import Term
from pipeline.effects.unit_means import unit_means
from pipeline.errors import EvaluationError, IdentificationError, Reason
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.covariance import t_intervals
from pipeline.matching.designs import design_risk_sets
from pipeline.matching.drawn_design import DrawnDesign, drawn_design
from pipeline.matching.redo import Redo
from pipeline.matching.stack import RiskSet
from pipeline.panel.scale import on_scale
from pipeline.parallel import results_in_order
from pipeline.params.estimate import Spec
from pipeline.progress import track

INFERENCE = "cluster_bootstrap"
# Inference, band and sample of the rows that have a row by bootstrap beside them.
_ANALYTIC = ("analytic", "pointwise", "all")
# A standard error from fewer of the draws asked for would leave out the difficult samples.
LEAST_SHARE_OF_DRAWS = 0.9
NO_RATIOS = Reason("bootstrap_of_ratios")
_MISSING = ("std_error", "statistic", "p_value", "conf_low", "conf_high")

# Returns the sample of one outcome, given the weight of every unit times how often it was drawn.
Sampler = Callable[[Floats], StackedSample]


@dataclass(frozen=True)
class Bootstrapped:
    """Hold each outcome's estimates by draw, one column per term, missing where a draw failed.

    Columns are terms. `failure` is what the last sample that could not be matched again failed of.
    """

    terms: dict[str, pd.DataFrame]
    failure: Reason | None


@dataclass(frozen=True)
class ClusterLots:
    """Hold the clusters that are drawn: `code` (n,) of every firm x stack, and which have treated.

    A firm that moves is in each stack in the cluster of that stack's base year.
    """

    code: Codes
    with_treated: Codes
    others: Codes

    def draw(self, rng: np.random.Generator) -> Floats:
        """Draw clusters of both kinds; return how often each firm x stack was drawn, (n,)."""
        times = np.zeros(len(self.with_treated) + len(self.others))
        for group in (self.with_treated, self.others):
            if len(group):
                times += np.bincount(rng.choice(group, len(group)), minlength=len(times))
        return np.asarray(times[self.code])


@dataclass(frozen=True)
class Draws:
    """Hold what the draws of one design share: its firms, joined to PANEL, and its clusters."""

    clusters: ClusterLots
    design: DrawnDesign
    candidates: Candidates

    def weights(self, frequency: Floats) -> Floats:
        """Return each unit's weight times how often it was drawn, (u,).

        Raises EvaluationError where the sample has no score or weights, as where a covariate
        separates its groups.
        """
        weight = self.design.weights(frequency)
        return checked_weights(weight, self.candidates.every.design)


def draws_of(study: Study, redo: Redo, design: str) -> Draws:
    """Prepare the draws of one design with smooth weights."""
    rule = redo.match.designs.get(design)
    risk_sets = list(design_risk_sets(redo.scores, redo.covariates, design, rule))
    return Draws(
        clusters=cluster_lots(redo, design, risk_sets),
        design=drawn_design(redo, design, risk_sets),
        candidates=join_candidates(study.index, risk_sets, design, study.treatment),
    )


def cluster_lots(redo: Redo, design: str, risk_sets: list[RiskSet]) -> ClusterLots:
    """Return the clusters of a design's risk sets, numbered as SCORES has them."""
    model = "unmatched" if design == "unmatched" else redo.match.designs[design].score
    firms = redo.scores[redo.scores["model"] == model]
    code, names = pd.factorize(firms["cluster"])
    with_treated = np.bincount(code, weights=firms["treated"]) > 0
    own = pd.concat([risk_set.firms["cluster"] for risk_set in risk_sets])
    return ClusterLots(
        code=np.asarray(pd.Index(names).get_indexer(pd.Index(own)), dtype=np.intp),
        with_treated=np.flatnonzero(with_treated),
        others=np.flatnonzero(~with_treated),
    )


def bootstrap_terms(
    study: Study, redo: Redo, spec: Spec, design: str, outcomes: list[str]
) -> Bootstrapped:
    """Estimate each outcome's terms in every draw.

    A draw without a score or weights, as where a covariate separates its groups, has no term.
    """
    rng = np.random.default_rng(spec.option("seed"))
    again = draws_of(study, redo, design)
    samplers = {name: _sampler(study, spec, again.candidates, name) for name in outcomes}
    found: dict[str, list[Mapping[Term, float]]] = {name: [] for name in outcomes}
    failure: Reason | None = None
    draws = spec.option("draws") or 0
    n_firms = len(again.candidates.every.firm)
    what = f"bootstrap draws of {n_firms:,} firms, design {design},"
    numbers = track(range(draws), what, draws)
    drawn = (again.clusters.draw(rng) for _ in numbers)
    for terms in results_in_order(partial(_drawn_terms, study, spec, again, samplers), drawn):
        failure = terms if isinstance(terms, Reason) else failure
        for name in outcomes:
            found[name].append({} if isinstance(terms, Reason) else terms[name])
    return Bootstrapped({name: pd.DataFrame(rows) for name, rows in found.items()}, failure)


def _drawn_terms(
    study: Study, spec: Spec, again: Draws, samplers: dict[str, Sampler], frequency: Floats
) -> dict[str, Mapping[Term, float]] | Reason:
    """Return the terms of every outcome in one draw, or why it has no score or weights."""
    try:
        weight = again.weights(frequency)
    except EvaluationError as error:
        return error.reason
    return {name: _terms(study, spec, sampler, weight) for name, sampler in samplers.items()}


def _sampler(study: Study, spec: Spec, candidates: Candidates, outcome: str) -> Sampler:
    """Return what makes an outcome's sample of weights: of means of units where a spec allows."""
    described, every = study.outcomes[outcome], candidates.every
    values = values_by_unit(every, on_scale(study.panel[described.column], described))
    missing = study.estimate.missing
    alike = ESTIMATORS[spec.estimator].again().alike(spec)
    if alike is not None:
        return partial(unit_means(every, values, study.panel, alike).sample, missing=missing)
    named = spec.option("covariates")
    covariates = covariates_by_unit(study, every, named) if named else None

    def of_units(weight: Floats) -> StackedSample:
        used = np.flatnonzero(weight > 0)
        columns = None if covariates is None else standardised(covariates.iloc[used])
        stacks = candidates.chosen(used, weight[used], every.treated[used], None)
        return sample_of_values(stacks, values[used], missing, columns)

    return of_units


def _terms(study: Study, spec: Spec, sampler: Sampler, weight: Floats) -> Mapping[Term, float]:
    """Return the terms of one sample; none where it identifies no effect."""
    try:
        sample = sampler(weight)
        check_comparable(sample)
        return ESTIMATORS[spec.estimator].again().terms(study, spec, sample)
    except IdentificationError:
        return {}


def bootstrap_rows(study: Study, redo: Redo, analytic: list[Row]) -> list[Row]:
    """Return a row for every estimated analytic row, pointwise, of the specs that ask for one.

    The estimate is the same; standard error (the SD over draws), t test with G-1 degrees of
    freedom and interval are the bootstrap's. Effects in proportion to a level have a row with the
    reason: their estimator is not redone in every draw.
    """
    rows: list[Row] = []
    for spec in study.estimate.specs:
        if spec.option("inference") != INFERENCE:
            continue
        for design in spec.designs:
            own = [
                row
                for row in analytic
                if (row["estimator"], row["design"]) == (spec.name, design)
                and (row["inference"], row["band"], row["sample"]) == _ANALYTIC
                and np.isfinite(row.get("std_error", np.nan))
            ]
            ratios = [row for row in own if _in_proportion(study, row)]
            linear = [row for row in own if not _in_proportion(study, row)]
            outcomes = list(dict.fromkeys(row["outcome"] for row in linear))
            if outcomes:
                draws = bootstrap_terms(study, redo, spec, design, outcomes)
                rows += [_row(row, draws) for row in linear]
            rows += [without_figures(row, INFERENCE, NO_RATIOS, *_MISSING) for row in ratios]
    return rows


def _in_proportion(study: Study, row: Row) -> bool:
    return study.outcomes[row["outcome"]].in_ratios


def _row(analytic: Row, bootstrapped: Bootstrapped) -> Row:
    draws = bootstrapped.terms[analytic["outcome"]]
    values = draws.get(term_of(analytic), pd.Series(dtype="float64")).dropna()
    if len(values) < LEAST_SHARE_OF_DRAWS * len(draws):
        why = _draws_lost(len(values), len(draws), bootstrapped.failure)
        return without_figures(analytic, INFERENCE, why, *_MISSING)
    error = np.array([values.std(ddof=1)])
    estimate = np.array([analytic["estimate"]])
    df = int(analytic["n_clusters"]) - 1
    shown = t_intervals(estimate, error, df, analytic["conf_level"])
    return analytic | {
        "inference": INFERENCE,
        "std_error": float(error[0]),
        "df": float(df),
        "statistic": shown.statistic[0],
        "p_value": shown.p_value[0],
        "conf_low": shown.low[0],
        "conf_high": shown.high[0],
        "reason": None,
        "remarks": (Reason("cluster_bootstrap", {"n": len(values)}),),
    }


def _draws_lost(worked: int, drawn: int, failure: Reason | None) -> Reason:
    """Say in how many samples there is an estimate and, where one did, of what the last failed."""
    counts = {"worked": worked, "drawn": drawn}
    if failure is None:
        return Reason("bootstrap_draws_lost", counts)
    return Reason("bootstrap_draws_failed", {**counts, "failure": failure})
