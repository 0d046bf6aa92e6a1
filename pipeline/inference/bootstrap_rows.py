"""Rows of ESTIMATES by cluster bootstrap, beside the analytic rows of the same terms."""

import numpy as np
import pandas as pd

from pipeline.effects.rows import Row, term_of, without_figures
from pipeline.effects.study import Study
from pipeline.errors import Reason
from pipeline.inference.bootstrap import Bootstrapped, bootstrap_terms
from pipeline.inference.covariance import t_intervals
from pipeline.matching.redo import Redo

INFERENCE = "cluster_bootstrap"
# Inference, band and sample of the rows that have a row by bootstrap beside them.
_ANALYTIC = ("analytic", "pointwise", "all")
# A standard error from fewer of the draws asked for would leave out the difficult samples.
LEAST_SHARE_OF_DRAWS = 0.9
NO_RATIOS = Reason("bootstrap_of_ratios")
_MISSING = ("std_error", "statistic", "p_value", "conf_low", "conf_high")


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
