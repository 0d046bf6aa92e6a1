"""Pre-entry covariates for regression adjustment after matching."""

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.effects.sample import StackedSample, stacked_sample
from pipeline.effects.sampling_weights import weighted_stacks
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study
from pipeline.errors import DataError, IdentificationError, Reason
from pipeline.panel.scale import LARGEST, on_scale
from pipeline.params.spec_options import EstimatesAsked
from pipeline.selection.design_matrix import build_design_matrix


def adjusted_sample(
    study: Study, spec: EstimatesAsked, sample: StackedSample, outcome: str
) -> tuple[StackedSample, int]:
    """Return the sample with the spec's covariates and weights, and the firms without them.

    Firms count once per stack; those without count as not observed, under the study's rule.
    """
    named = spec.option("covariates")
    if not named and spec.option("weight_by") is None:
        return sample, 0
    stacks, lacking = weighted_stacks(study, spec, sample.stacks)
    columns = None
    if named:
        columns = standardised_covariates(study, stacks, named)
        lacking = lacking | ~np.isfinite(columns).all(axis=1)
    described = study.outcomes[outcome]
    values = on_scale(study.panel[described.column], described)
    return stacked_sample(stacks, values, study.estimate.missing, columns), int(lacking.sum())


def spec_sample(
    study: Study, spec: EstimatesAsked, stacks: Stacks, values: Floats
) -> StackedSample:
    """Return a spec's sample on stacks that were made again, with its covariates if it has any.

    `values` is the outcome by PANEL row. Raises IdentificationError as `standardised_covariates`.
    """
    named = spec.option("covariates")
    columns = standardised_covariates(study, stacks, named) if named else None
    return stacked_sample(stacks, values, study.estimate.missing, columns)


def standardised_covariates(study: Study, stacks: Stacks, names: list[str]) -> Floats:
    """Return covariates by unit (units, k), categories as indicators; missing where one is.

    Raises IdentificationError where a covariate is constant or collinear with others.
    """
    return standardised(covariates_by_unit(study, stacks, names))


def covariates_by_unit(study: Study, stacks: Stacks, names: list[str]) -> pd.DataFrame:
    """Return COVARIATES by unit, one row each; a value that it lacks is missing."""
    assert study.covariates is not None, "prepare_study checks the names"
    firm_id = study.panel["firm_id"].to_numpy()[stacks.firm_row]
    own = study.covariates.set_index(["stack", "firm_id"])[names]
    found: pd.DataFrame = own.reindex(list(zip(stacks.stack.tolist(), firm_id, strict=True)))
    return found.reset_index(drop=True)


def standardised(values: pd.DataFrame) -> Floats:
    """Return the columns of covariates by unit, as `standardised_covariates`."""
    complete = values.notna().all(axis=1).to_numpy()
    design = covariate_columns(values[complete])[:, 1:]
    columns = np.full((len(values), design.shape[1]), np.nan)
    columns[complete] = design
    return columns


def covariate_columns(covariates: pd.DataFrame) -> Floats:
    """Return a constant and the covariates, standardised, categories as indicators (n, 1 + k).

    Raises IdentificationError where nobody has all covariates, or one is constant or collinear
    with others, or too large: the estimate that adjusts for them has no value, others may.
    """
    if covariates.empty:
        names = {"covariates": list(covariates.columns)}
        raise IdentificationError(Reason("nobody_with_covariates", names))
    for name, values in covariates.select_dtypes("number").items():
        refuse_large(values.to_numpy(), str(name))
    try:
        return build_design_matrix(covariates.reset_index(drop=True)).standardised
    except DataError as error:
        raise IdentificationError(error.reason) from None


def refuse_large(values: Floats, name: str) -> None:
    """Raise IdentificationError where a covariate is infinite, or too large to be squared."""
    if (np.abs(values) > LARGEST).any():
        found = {"covariate": name, "largest": LARGEST}
        raise IdentificationError(Reason("covariate_too_large", found))
