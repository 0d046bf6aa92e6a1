"""Cluster bootstrap of smooth weights: score, weights and effect are redone in every sample.

Assignment clusters are drawn with replacement, those with treated firms apart from the others, so
that every sample has both. Cameron, Gelbach & Miller (2008), doi:10.1162/rest.90.3.414.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.effects.adjusted_sample import spec_sample
from pipeline.effects.rows import Row, term_of, without_figures
from pipeline.effects.sample import check_comparable
from pipeline.effects.stacks import Stacks, join_stacks
from pipeline.effects.study import Study
from pipeline.effects.terms import Term
from pipeline.errors import EvaluationError, IdentificationError, Reason
from pipeline.estimators.estimator import Redone
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.covariance import t_intervals
from pipeline.matching.designs import design_risk_sets, match_stack, weight_rows
from pipeline.matching.redo import Redo
from pipeline.panel.panel_index import PanelIndex, index_panel
from pipeline.panel.scale import on_scale
from pipeline.params.estimate import Spec
from pipeline.params.treatment import TreatmentSection
from pipeline.progress import track
from pipeline.selection.likelihood import maximise
from pipeline.selection.propensity import score_risk_sets

INFERENCE = "cluster_bootstrap"
# Inference, band and sample of the rows that have a row by bootstrap beside them.
_ANALYTIC = ("analytic", "pointwise", "all")
# A standard error from fewer of the draws asked for would leave out the difficult samples.
LEAST_SHARE_OF_DRAWS = 0.9
NO_RATIOS = Reason("bootstrap_of_ratios")
_MISSING = ("std_error", "statistic", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True)
class Bootstrapped:
    """Hold each outcome's estimates by draw, one column per term, missing where a draw failed.

    Columns are terms. `failure` is what the last sample that could not be matched again failed of.
    """

    terms: dict[str, pd.DataFrame]
    failure: Reason | None


def bootstrap_terms(
    study: Study, redo: Redo, spec: Spec, design: str, outcomes: list[str]
) -> Bootstrapped:
    """Estimate each outcome's terms in every draw.

    A draw without a score or weights, as where a covariate separates its groups, has no term.
    """
    rng = np.random.default_rng(spec.option("seed"))
    index = index_panel(study.panel)
    observed = {name: study.outcomes[name] for name in outcomes}
    values = {name: on_scale(study.panel[o.column], o) for name, o in observed.items()}
    firms = _risk_set(redo, design)
    found: dict[str, list[Mapping[Term, float]]] = {name: [] for name in outcomes}
    failure: Reason | None = None
    draws = spec.option("draws") or 0
    terms = partial(_terms, study, spec, ESTIMATORS[spec.estimator].again())
    for _ in track(range(draws), f"bootstrap draws, design {design}", draws):
        copies = _draw_clusters(firms, rng)
        stacks: Stacks | None
        try:
            stacks = _redone(redo, design, firms, copies, index=index, treatment=study.treatment)
        except EvaluationError as error:
            failure, stacks = error.reason, None
        for name in outcomes:
            found[name].append({} if stacks is None else terms(stacks, values[name]))
    return Bootstrapped({name: pd.DataFrame(rows) for name, rows in found.items()}, failure)


def _risk_set(redo: Redo, design: str) -> pd.DataFrame:
    model = "unmatched" if design == "unmatched" else redo.match.designs[design].score
    rows: pd.DataFrame = redo.scores[redo.scores["model"] == model].reset_index(drop=True)
    return rows


def _draw_clusters(firms: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw clusters within treated and other ones; return row and number of each firm's copy."""
    code, _ = pd.factorize(firms["cluster"])
    with_treated = np.bincount(code, weights=firms["treated"]) > 0
    times = np.zeros(len(with_treated), dtype=np.int64)
    for group in (np.flatnonzero(with_treated), np.flatnonzero(~with_treated)):
        if len(group):
            times += np.bincount(rng.choice(group, len(group)), minlength=len(times))
    repeated = np.repeat(np.arange(len(firms)), times[code])
    copies = pd.DataFrame({"row": repeated})
    return copies.assign(number=copies.groupby("row").cumcount())


def _redone(
    redo: Redo,
    design: str,
    firms: pd.DataFrame,
    copies: pd.DataFrame,
    *,
    index: PanelIndex,
    treatment: TreatmentSection,
) -> Stacks:
    """Fit the score and make the weights on one sample; copies count as firms of their own."""
    sample = firms.iloc[copies["row"]].reset_index(drop=True)
    own_id = sample["firm_id"] + "\n" + copies["number"].astype("str")
    own_cluster = sample["cluster"] + "\n" + copies["number"].astype("str")
    resampled = sample.assign(firm_id=own_id, cluster=own_cluster)
    key = ["stack", "firm_id"]
    dated = sample[key].merge(redo.covariates, on=key, how="left").assign(firm_id=own_id)
    scores = _scores(redo, design, resampled, dated)
    rule = redo.match.designs.get(design)
    stacks = [
        match_stack(risk_set, rule) for risk_set in design_risk_sets(scores, dated, design, rule)
    ]
    weights = pd.concat([weight_rows(stack, design) for stack in stacks])
    original = pd.Series(sample["firm_id"].to_numpy(), index=own_id).groupby(level=0).first()
    row = index.row[index.codes(original)]
    copied = PanelIndex(pd.Index(original.index), index.first_year, row)
    no_matches = pd.DataFrame(columns=["design", "stack", "set_id", "firm_id", "set_weight"])
    return join_stacks(copied, weights, no_matches, design, treatment)


def _scores(
    redo: Redo, design: str, resampled: pd.DataFrame, covariates: pd.DataFrame
) -> pd.DataFrame:
    """Return SCORES of one sample, fitted again where the design uses the score."""
    if design == "unmatched":
        return resampled
    model = redo.match.designs[design].score
    only = redo.score.model_copy(update={"models": {model: redo.score.models[model]}})
    return score_risk_sets(resampled, covariates, only, maximise).scores


def _terms(
    study: Study, spec: Spec, redone: Redone, stacks: Stacks, values: Floats
) -> Mapping[Term, float]:
    """Return the terms of one sample; none where it identifies no effect."""
    try:
        sample = spec_sample(study, spec, stacks, values)
        check_comparable(sample)
        return redone.terms(study, spec, sample)
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
