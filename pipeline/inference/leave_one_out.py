"""Errors of one value a firm, robust to heteroskedasticity in small samples (HC3).

MacKinnon & White (1985), doi:10.1016/0304-4076(85)90158-7: V = sum psi_i psi_i', with psi_i the
influence of firm i, its residual over one less its leverage. An average over event times sums a
firm's own. Nothing else corrects for small samples; t with G-1 degrees of freedom, G the firms.
"""

from dataclasses import replace

import numpy as np

from pipeline.effects.estimated import Estimated
from pipeline.effects.rows import Label, Row
from pipeline.errors import Reason
from pipeline.inference.analytic import Inferred, analytic_rows, infer
from pipeline.params.analyses import Clustering

INFERENCE = "hc3"

_LONE = Reason("fitted_by_itself")


def hc3_rows(label: Label, estimated: Estimated) -> tuple[list[Row], Inferred]:
    """Return a row for every term, and the result with its covariance."""
    inferred = infer_hc3(estimated, label.cluster)
    rows = analytic_rows(label, inferred)
    said = (Reason("hc3"),)
    return [
        row | {"inference": INFERENCE, "remarks": (*row["remarks"], *said[: _is_known(row)])}
        for row in rows
    ], inferred


def infer_hc3(estimated: Estimated, cluster: Clustering) -> Inferred:
    """Return a result with its covariance by firms; what is exact stays without an error.

    Of a firm that its own coefficient fits, alone in its group of a cell, nothing is known once it
    is left out: what rests on such a cell has no error.
    """
    regression = estimated.regression
    assert regression is not None and regression.left_out is not None, "of one row a firm"
    plain = infer(estimated, cluster)
    influence = np.nan_to_num(regression.left_out) @ estimated.loadings
    influence = np.where(plain.std_errors == 0, 0.0, influence)
    lone = np.flatnonzero(np.isnan(regression.left_out).any(axis=0))
    loading = estimated.loadings[lone]
    undefined = {term: _LONE for at, term in enumerate(estimated.terms) if loading[:, at].any()}
    covariance = influence.T @ influence
    return replace(plain, covariance=covariance, influence=influence, undefined=undefined)


def _is_known(row: Row) -> bool:
    return bool(np.isfinite(row.get("std_error", np.nan)))
