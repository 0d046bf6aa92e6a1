"""Design matrix of a score, and the covariates that make its coefficients meaningless.

A constant or collinear covariate has no coefficient of its own; one that separates treated
from comparison firms has an infinite one. Each is refused by name. Where a `frequency` is given
firms count that often, above zero.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats
from pipeline.errors import LEAST_FIRMS_NAMED, DataError, Reason, SupportError, told_codes
from pipeline.selection.frequency import Frequency, among, counted, mean, number, spread, total

# Share of a standardised column that earlier columns leave unexplained: below this, rounding.
COLLINEAR = 1e-9

# Cross-products, which are cheap, square the rounding error: above this share they settle it.
CLEARLY_INDEPENDENT = 1e-4

# Sum of distances to the separating plane, in standard deviations: below this, rounding.
SEPARATES = 1e-6


@dataclass(frozen=True)
class DesignMatrix:
    """Hold covariates with an intercept, standardised, and the way back to original units.

    After the intercept `terms` are covariates, with the category where one has categories, base
    excluded; `told` is how messages call each. `standardised` is firms x (1 + terms), each column
    with mean 0 and SD 1 but the intercept; coefficients in original units are `to_original_units @
    coefficients`.
    """

    terms: list[tuple[str, str | None]]
    told: list[str]
    standardised: Floats
    to_original_units: Floats


def build_design_matrix(covariates: pd.DataFrame, frequency: Frequency = None) -> DesignMatrix:
    """Expand categories, standardise, add the intercept.

    Raises DataError naming covariates that are missing, constant, or combinations of others.
    """
    _refuse_missing_or_constant(covariates, frequency)
    columns = {(name, of): values for name, of, values in expanded_columns(covariates)}
    means = np.array([mean(values, frequency) for values in columns.values()])
    spreads = np.array([spread(values, frequency) for values in columns.values()])
    # Column by column in memory: what follows reads whole columns.
    standardised = np.ones((len(covariates), len(columns) + 1), order="F")
    for position, values in enumerate(columns.values()):
        standardised[:, position + 1] = (values - means[position]) / spreads[position]
    told = [_told(*of, values, frequency) for of, values in columns.items()]
    _refuse_collinear(standardised, told, frequency)
    back = np.diag(np.concatenate([[1.0], 1 / spreads]))
    back[0, 1:] = -means / spreads
    return DesignMatrix(list(columns), told, standardised, back)


def refuse_separation(
    covariates: pd.DataFrame, treated: Flags, frequency: Frequency = None
) -> None:
    """Raise SupportError where one covariate or category alone separates the groups.

    It does where all treated firms lie at or above every comparison firm, or at or below: a
    category with treated firms only, or with none, is such a case.
    """
    for name in covariates.columns:
        values = covariates[name]
        if pd.api.types.is_numeric_dtype(values):
            _refuse_separating_number(name, values.to_numpy(float), treated, frequency)
        else:
            _refuse_separating_category(name, values, treated, frequency)


def group_sizes(treated: Flags, frequency: Frequency = None) -> dict[str, int]:
    """Return how many firms there are of each group, as fields of a reason."""
    return {"n_treated": counted(treated, frequency), "n_control": counted(~treated, frequency)}


def refuse_separation_by_combination(
    design: DesignMatrix, treated: Flags, frequency: Frequency = None
) -> None:
    """Raise SupportError naming covariates that together separate the groups, if any do.

    The terms named are a smallest set in the sense that no one of them can be spared.
    """
    columns = list(range(1 + len(design.terms)))
    if not _separates(design.standardised, treated, frequency):
        return
    for column in columns[1:]:
        fewer = [other for other in columns if other != column]
        if _separates(design.standardised[:, fewer], treated, frequency):
            columns = fewer
    named = [design.told[column - 1] for column in columns[1:]]
    sizes = group_sizes(treated, frequency)
    raise SupportError(
        f"{', '.join(named)} together separate the "
        f"{sizes['n_treated']} treated from the {sizes['n_control']} comparison firms, so that "
        "their coefficients would be infinite; take one out of the model, merge categories, or "
        "widen the comparison pool (controls_from of the model, treatment.comparison)",
        reason=Reason("covariates_separate", {"covariates": named, **sizes}),
    )


def _separates(columns: Floats, treated: Flags, frequency: Frequency) -> bool:
    """Say whether some b has (2 treated - 1) X b >= 0 for all firms and > 0 for some.

    Linear programming finds one if there is one (Konis 2007, thesis, University of Oxford).
    """
    from scipy.optimize import linprog

    signed = np.where(treated[:, None], columns, -columns)
    gain = signed.sum(axis=0) if frequency is None else frequency @ signed
    found = linprog(-gain, A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1))
    return bool(found.status == 0 and -found.fun > SEPARATES)


def expanded_columns(covariates: pd.DataFrame) -> Iterator[tuple[str, str | None, Floats]]:
    """Yield every column of the design matrix: covariate, category, values.

    The first sorted category is the base; a number has no category.
    """
    for name in covariates.columns:
        values = covariates[name]
        if pd.api.types.is_numeric_dtype(values):
            yield name, None, values.to_numpy(float)
            continue
        codes, categories = pd.factorize(values, sort=True)
        for code, category in enumerate(categories[1:], 1):
            yield name, str(category), (codes == code).astype(np.float64)


def told_terms(covariates: pd.DataFrame, frequency: Frequency = None) -> list[str]:
    """Return how messages call each column: a category that few firms have is not named."""
    return [_told(*column, frequency) for column in expanded_columns(covariates)]


def _told(name: str, category: str | None, indicator: Floats, frequency: Frequency) -> str:
    if category is None:
        return name
    named = total(indicator, frequency) >= LEAST_FIRMS_NAMED
    return f"{name}={category}" if named else f"a category of {name}"


def _refuse_missing_or_constant(covariates: pd.DataFrame, frequency: Frequency) -> None:
    n = number(len(covariates), frequency)
    for name in covariates.columns:
        values = covariates[name]
        missing = counted(values.isna().to_numpy(), frequency)
        found = {"covariate": name, "n": n}
        if missing:
            raise DataError(
                f"covariate {name} is missing for {missing} of {n} firms",
                reason=Reason("covariate_missing", {**found, "missing": missing}),
            )
        if _is_constant(values):
            raise DataError(
                f"covariate {name} is constant (one value for all {n} firms); "
                "take it out of the model",
                reason=Reason("covariate_constant", found),
            )


def _is_constant(values: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(values):
        return bool(values.min() == values.max())
    return values.nunique() == 1


def _refuse_collinear(standardised: Floats, names: list[str], frequency: Frequency) -> None:
    """Name the first column that earlier columns explain, and the columns that explain it."""
    n = number(len(standardised), frequency)
    columns = standardised if frequency is None else standardised * np.sqrt(frequency)[:, None]
    if _clearly_independent(columns, n):
        return
    triangle = np.asarray(np.linalg.qr(columns / np.sqrt(n), mode="r"))
    size = triangle.shape[0]
    unexplained = np.zeros(len(names) + 1)
    unexplained[:size] = np.abs(np.diag(triangle))
    if unexplained.min() > COLLINEAR:
        return
    column = int(np.argmax(unexplained <= COLLINEAR))
    earlier = min(column, size)
    weight = np.linalg.solve(triangle[:earlier, :earlier], triangle[:earlier, column])
    explaining = [
        name
        for name, share in zip(names[: earlier - 1], weight[1:], strict=True)
        if abs(share) > 1e-6
    ]
    found = {"covariate": names[column - 1], "others": explaining, "n": n}
    raise DataError(
        f"covariate {names[column - 1]} is a combination of {', '.join(explaining)} among these "
        f"{n} firms; take one of them out of the model",
        reason=Reason("covariate_combination", found),
    )


def _clearly_independent(columns: Floats, n: int) -> bool:
    """Say whether columns of n firms are so far from collinear that cross-products show it."""
    try:
        triangle = np.linalg.cholesky(np.einsum("ij,ik->jk", columns, columns) / n)
    except np.linalg.LinAlgError:
        return False
    return bool(np.diag(triangle).min() > CLEARLY_INDEPENDENT)


def _refuse_separating_number(
    name: str, values: Floats, treated: Flags, frequency: Frequency
) -> None:
    one, zero = values[treated], values[~treated]
    if one.min() >= zero.max():
        side = "above"
    elif one.max() <= zero.min():
        side = "below"
    else:
        return
    sizes = group_sizes(treated, frequency)
    raise SupportError(
        f"covariate {name} separates the groups: all {sizes['n_treated']} treated firms lie at or "
        f"{side} all {sizes['n_control']} comparison firms; take it out of the model, or widen the "
        "comparison pool (controls_from of the model, treatment.comparison)",
        reason=Reason("covariate_separates", {"covariate": name, **sizes}),
    )


def _refuse_separating_category(
    name: str, values: pd.Series, treated: Flags, frequency: Frequency
) -> None:
    code, categories = pd.factorize(values, sort=True)
    n_treated = np.bincount(code[treated], among(frequency, treated), len(categories))
    n_control = np.bincount(code[~treated], among(frequency, ~treated), len(categories))
    for group, own, other in (
        ("treated", n_treated, n_control),
        ("comparison", n_control, n_treated),
    ):
        empty = np.flatnonzero(own == 0)
        if len(empty):
            n_firms = other[empty].astype(np.int64)
            without = [str(category) for category in categories[empty]]
            named = [f"{name}={category}" for category in without]
            listed = told_codes(dict(zip(named, n_firms.tolist(), strict=True)))
            raise SupportError(
                f"categories of {name} without a {group} firm: "
                f"{listed}; merge categories (clean.recodes), {_remedy(group)}or match exactly on "
                f"{name} instead of scoring it",
                pd.DataFrame({"category": without, "firms": n_firms}),
                reason=Reason("category_without_group", {"covariate": name, "group": group}),
            )


def _remedy(group: str) -> str:
    """Return the setting that leaves comparison firms out; nothing parts with treated ones."""
    if group == "comparison":
        return ""
    return "leave their comparison firms out (untreated_categories: leave_out in the score model), "
