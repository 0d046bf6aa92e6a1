"""Propensity scores by unpenalised maximum likelihood.

What is published is fitted by statsmodels; draws that make scores again say another `maximiser`
(`pipeline.selection.likelihood`). A score model is fitted per stack, or once with an intercept for
each stack; `pipeline.selection.score_fit` is one such fit.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags
from pipeline.datasets.selection import (
    CONSTANT,
    COVARIATE,
    POOLED,
    SCORE_COEFFICIENTS,
    SCORE_LOSSES,
    SCORES,
    STACK_LEVEL,
)
from pipeline.datasets.store import conform, empty
from pipeline.errors import EvaluationError
from pipeline.params.score import ScoreModel, ScoreSection
from pipeline.progress import track
from pipeline.selection.likelihood import (
    Maximiser,
    maximise_by_statsmodels,
)
from pipeline.selection.risk_sets import sampling_weights, with_weight
from pipeline.selection.score_fit import ScoreFit, fit_score
from pipeline.selection.score_sample import (
    complete_rows,
    count_losses,
    require_comparison_left,
)
from pipeline.selection.support import support_by_stack
from pipeline.selection.untreated_categories import (
    in_untreated_categories,
    without_lone_categories,
)

SCORE_COLUMNS = ["propensity_score", "linear_score"]


@dataclass(frozen=True)
class Scored:
    """Hold the tables SCORES, SCORE_COEFFICIENTS and SCORE_LOSSES of every score model."""

    scores: pd.DataFrame
    coefficients: pd.DataFrame
    losses: pd.DataFrame


def score_risk_sets(
    risk_sets: pd.DataFrame,
    covariates: pd.DataFrame,
    section: ScoreSection,
    maximiser: Maximiser = maximise_by_statsmodels,
) -> Scored:
    """Fit every score model on its risk sets and mark the firms on common support.

    `risk_sets` has SCORES' columns up to `in_treated_cluster` and, where the study has them,
    sampling weights, which weight the fits (Ridgeway et al. 2015,
    doi:10.1515/jci-2014-0039); one block per model and one for `unmatched`, which gets no score;
    `covariates` is COVARIATES. Firms that lack a covariate of
    a model leave that model and are counted in SCORE_LOSSES, or are refused (`missing`); so are
    those in categories without a treated firm (`untreated_categories`).

    Raises SupportError where a stack has no treated or no comparison firm left or a covariate
    separates them, DataError where covariates are missing and refused, constant or collinear.
    Messages begin with model and stack.
    """
    unmatched = risk_sets[risk_sets["model"] == "unmatched"]
    unscored = unmatched.assign(propensity_score=np.nan, linear_score=np.nan, on_support=True)
    blocks = {"unmatched": unscored}
    coefficients, losses = [empty(SCORE_COEFFICIENTS)], [empty(SCORE_LOSSES)]
    models = section.models.items()
    for name, model in track(models, "score models", len(models), name=lambda item: item[0]):
        rows = risk_sets[risk_sets["model"] == name]
        found = score_model(rows, covariates, model, name, maximiser)
        blocks[name] = found.scores
        coefficients.append(found.coefficients)
        losses.append(found.losses)
    return Scored(
        # sorted as they will stand, which `conform` then need not do
        conform(SCORES, pd.concat([blocks[name] for name in sorted(blocks)])),
        conform(SCORE_COEFFICIENTS, pd.concat(coefficients)),
        conform(SCORE_LOSSES, pd.concat(losses)),
    )


def score_model(
    risk_set: pd.DataFrame,
    covariates: pd.DataFrame,
    model: ScoreModel,
    name: str,
    maximiser: Maximiser = maximise_by_statsmodels,
) -> Scored:
    """Fit one score model on its risk sets, as `score_risk_sets`.

    Rows keep the order of `risk_set`, and types are not checked.
    """
    complete, known = complete_rows(risk_set, covariates, model, name)
    rows, values = _of_treated_categories(complete, known, model, name)
    scored, coefficients = _fit_model(rows, values, model, name, maximiser)
    losses = count_losses(risk_set, complete, scored, name)
    return Scored(scored[with_weight(SCORES.columns, scored)], coefficients, losses)


def fitted_firms(
    firms: pd.DataFrame, covariates: pd.DataFrame, model: ScoreModel, name: str
) -> Flags:
    """Say which firms a model's fits use: all, or those whose categories have a treated firm.

    `firms` has stack and treated, `covariates` is aligned with it. Raises SupportError where an
    entry year has no comparison firm left.
    """
    used = np.ones(len(firms), dtype=np.bool_)
    if model.untreated_categories == "leave_out":
        stack, treated = firms["stack"].to_numpy(np.int64), firms["treated"].to_numpy()
        for *_, at in score_samples(stack, model, name):
            used[at] = ~in_untreated_categories(covariates.iloc[at], treated[at])
        for year in np.unique(stack):
            require_comparison_left(treated[stack == year], used[stack == year], name, int(year))
    return used


def fitted_covariates(covariates: pd.DataFrame, model: ScoreModel) -> pd.DataFrame:
    """Return the covariates that a fit has coefficients of, of the firms that it uses."""
    if model.untreated_categories == "leave_out":
        return without_lone_categories(covariates)
    return covariates


def _of_treated_categories(
    complete: pd.DataFrame, values: pd.DataFrame, model: ScoreModel, name: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows, and covariates, of the firms that the fits use; all keep their group."""
    used = fitted_firms(complete, values, model, name)
    return (complete, values) if used.all() else (complete[used], values[used])


def _fit_model(
    complete: pd.DataFrame,
    values: pd.DataFrame,
    model: ScoreModel,
    name: str,
    maximiser: Maximiser,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a model's rows with scores and support, and its coefficients.

    With `refit` the coefficients, and the scores of firms on support, are those of a second fit
    on these firms alone; the others keep the score that put them off support.
    """
    scored, coefficients = _fit_samples(complete, values, model, name, maximiser)
    on_support = support_by_stack(scored[["stack", "treated", *SCORE_COLUMNS]], model)
    if model.refit:
        on_support[on_support] = fitted_firms(scored[on_support], values[on_support], model, name)
        kept = scored[on_support]
        again, coefficients = _fit_samples(kept, values[on_support], model, name, maximiser)
        scored.loc[again.index, SCORE_COLUMNS] = again[SCORE_COLUMNS]
    return scored.assign(on_support=on_support), coefficients


def _fit_samples(
    complete: pd.DataFrame,
    values: pd.DataFrame,
    model: ScoreModel,
    name: str,
    maximiser: Maximiser,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows, in their order, with the score of their fit; and all coefficients."""
    probability, index = np.full((2, len(complete)), np.nan)
    treated, coefficients = complete["treated"].to_numpy(), []
    # a firm of several risk sets is one where they are pooled
    weight = sampling_weights(complete)
    units = "cluster" if model.errors == "clustered" else "firm_id"
    clusters = pd.factorize(complete[units])[0]
    n_stacks = complete["stack"].nunique()
    for label, where, at in track(
        score_samples(complete["stack"].to_numpy(np.int64), model, name),
        "fits",
        1 if model.fit == "pooled" else n_stacks,
        name=lambda sample: f"{sample[0]}, {len(sample[2]):,} firms",
    ):
        covariates = fitted_covariates(values.iloc[at], model)
        if label == POOLED and n_stacks > 1:
            covariates = covariates.assign(**{STACK_LEVEL: complete["stack"].astype(str)})
        try:
            fit = fit_score(
                covariates,
                treated[at],
                model.link,
                maximiser,
                errors=model.errors,
                cluster=clusters[at],
                weight=None if weight is None else weight[at],
            )
        except EvaluationError as error:
            raise error.at(where, score_remedy(label)) from None
        probability[at], index[at] = fit.propensity_score, fit.linear_score
        coefficients.append(_coefficient_rows(fit, name, label))
    scores = dict(zip(SCORE_COLUMNS, (probability, index), strict=True))
    return complete.assign(**scores), pd.concat(coefficients)


def score_samples(
    stack: NDArray[np.int64], model: ScoreModel, name: str
) -> Iterator[tuple[str, str, Codes]]:
    """Yield what one fit is called, how messages call it, and the positions of its rows."""
    if model.fit == "pooled":
        listed = ", ".join(str(year) for year in np.unique(stack))
        yield POOLED, f"{name}, stacks {listed} pooled", np.arange(len(stack))
        return
    for year in np.unique(stack):
        yield str(year), f"{name}, stack {year}", np.flatnonzero(stack == year)


def score_remedy(label: str) -> str:
    """Return what else helps where one entry year alone cannot be fitted."""
    if label == POOLED:
        return ""
    return f"; or leave the entry year out: treatment.leave_out_entry_years: [{label}]"


def _coefficient_rows(fit: ScoreFit, name: str, label: str) -> pd.DataFrame:
    covariate = fit.coefficients["covariate"]
    term = np.select(
        [covariate.isna(), covariate == STACK_LEVEL], [CONSTANT, STACK_LEVEL], COVARIATE
    )
    return fit.coefficients.assign(
        term=term,
        covariate=covariate.where(term == COVARIATE),
        model=name,
        fit=label,
        n_obs=fit.n_obs,
        n_treated=fit.n_treated,
        pseudo_r2=fit.pseudo_r2,
        auc=fit.auc,
    )
