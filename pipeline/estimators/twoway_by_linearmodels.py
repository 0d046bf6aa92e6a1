"""The flat two-way regression by linearmodels: a check of our own that is made on every run.

linearmodels finds the coefficients, the residuals and (X'WX)^-1; no setting of it gives the
small-sample factor of Stata and R, which `pipeline.inference.covariance` applies to its scores.
"""

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.absorb import dense_codes, not_collinear, singletons_dropped
from pipeline.effects.least_squares import Solved
from pipeline.effects.regression import CONSTANT_SHARE, Regression, absorbed_again
from pipeline.panel.panel_index import n_groups

# Rows beyond which our own regression runs: linearmodels takes twenty-five times as long, 0.3 s at
# this many for each outcome and design (1.3 s at 720,000; ours 0.01 and 0.05), and says the same.
MOST_ROWS = 200_000

# Tolerance of the iterations by which linearmodels takes out the effects, relative.
TOLERANCE = 1e-13

# Sums by effect, which are zero at the solution, beside the mean of their absolute sums.
SOLVED = 1e-9


def solve_by_linearmodels(
    y: Floats, regressors: Floats, first: Codes, second: Codes, weight: Floats
) -> Solved | None:
    """Regress y (n,) on regressors (n, k) with two sets of effects, weighted, by AbsorbingLS.

    None where there is nothing for it to check and our own regression says why: too many rows,
    no more rows than effects, a regressor or an outcome that the effects explain, iterations that
    have not converged.
    """
    kept = singletons_dropped(first, second)
    codes = dense_codes(first[kept]), dense_codes(second[kept])
    n_effects = sum(n_groups(code) for code in codes)
    if not n_effects + regressors.shape[1] < kept.sum() <= MOST_ROWS:
        return None
    found = _absorbing_ls(y[kept], regressors[kept], codes, weight[kept])
    if found is None:
        return None
    estimates, columns, response, residuals = found
    root = np.sqrt(weight[kept])
    gram = columns.T @ columns
    raw = np.einsum("ij,ij->j", root[:, None] * regressors[kept], root[:, None] * regressors[kept])
    estimable = not_collinear(gram, raw)
    varies = response @ response > CONSTANT_SHARE * np.square(root * y[kept]).sum()
    if not (estimable.all() and varies and _is_solved([*columns.T, response], root, codes)):
        return None
    bread = np.asarray(np.linalg.inv(gram), np.float64)
    given = (y, regressors, first, second, weight)
    regression = Regression.of_rows(
        codes, kept, bread, again=lambda: absorbed_again(*given), solved_by="linearmodels"
    )
    return Solved(estimates, columns * residuals[:, None], estimable, y, kept, regression)


def _absorbing_ls(
    y: Floats, regressors: Floats, codes: tuple[Codes, Codes], weight: Floats
) -> tuple[Floats, Floats, Floats, Floats] | None:
    """Return estimates and, times the root of the weights, columns, response and residuals.

    Columns and response without the effects. None where a regressor is absorbed.
    """
    import pandas as pd
    from linearmodels.iv.absorbing import AbsorbingLS
    from linearmodels.panel.utility import AbsorbingEffectError

    effects = {
        name: pd.Categorical.from_codes(code, categories=pd.RangeIndex(n_groups(code)))
        for name, code in zip(("first", "second"), codes, strict=True)
    }
    model = AbsorbingLS(y, regressors, absorb=pd.DataFrame(effects), weights=weight)
    try:
        fit = model.fit(
            cov_type="unadjusted",
            method="lsmr",
            absorb_options={"atol": TOLERANCE, "btol": TOLERANCE},
            use_cache=False,
        )
    except AbsorbingEffectError:
        return None
    scale = np.sqrt(weight.mean())  # its weights have mean one
    columns, response, residuals = (
        scale * np.asarray(values, np.float64)
        for values in (model.absorbed_exog, model.absorbed_dependent, fit.wresids)
    )
    return np.asarray(fit.params, np.float64), columns, response[:, 0], residuals


def _is_solved(columns: list[Floats], root: Floats, codes: tuple[Codes, Codes]) -> bool:
    """Say whether no sum of a column over an effect is left, but for rounding."""
    for column in columns:
        for code in codes:
            sums, sizes = (np.bincount(code, root * part) for part in (column, np.abs(column)))
            if np.abs(sums).max() > SOLVED * sizes.mean():
                return False
    return True
