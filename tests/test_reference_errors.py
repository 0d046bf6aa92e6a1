"""Clustered standard errors of linear regressions as R and Stata print them.

Sources in reference/README.md.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from regressions import in_clusters, least_squares, rows_in

from pipeline.effects.estimated import Estimated
from pipeline.effects.regression import Regression
from pipeline.effects.terms import Term
from pipeline.inference.analytic import factor_of
from pipeline.inference.covariance import (
    small_sample_factor,
    two_way_covariance,
    without_negative_eigenvalues,
)

REFERENCE = Path(__file__).parent / "reference"


def codes(values):
    return pd.factorize(values)[0].astype(np.intp)


@pytest.mark.parametrize("more", [[], ["v_exact"], ["v_near"]])
def test_unit_and_region_by_year_effects_as_reghdfe(more):
    """Units lie within regions and clusters; collinear regressors, one to 1e-7, change nothing."""
    data = pd.read_csv(REFERENCE / "region_years.csv.gz")
    names = ("x", "x2", *more)
    found = least_squares(
        data["y"].to_numpy(),
        data[[*names]].to_numpy(float),
        names,
        first=codes(data["unit"]),
        second=codes(data["regionXyear"]),
        weight=np.ones(len(data)),
        clusters=codes(data["unit"]),
    )
    estimated = found.estimated
    assert estimated.terms == (Term("x"), Term("x2"))
    assert estimated.estimates == pytest.approx([0.61717103611882063, 0.29742579752134185])
    assert list(estimated.reasons) == [Term(name) for name in more]
    assert found.std_errors == pytest.approx([0.06859687793834519, 0.03738179969519799], rel=1e-12)


UNBALANCED = {
    ("none", "id"): (
        [0.488022046213523, -0.2849283018070789],
        [0.05718352748505884, 0.0731937002609441],
    ),
    ("none", "st"): (
        [0.488022046213523, -0.2849283018070789],
        [0.04801411623446772, 0.08066221605551595],
    ),
    ("none", "t"): (
        [0.488022046213523, -0.2849283018070789],
        [0.03848627686789144, 0.0629737388655613],
    ),
    ("w", "id"): (
        [0.4992264337649658, -0.3084216562637421],
        [0.06216859829272783, 0.08024826558849354],
    ),
    ("w", "st"): (
        [0.4992264337649658, -0.3084216562637421],
        [0.05273975492681657, 0.0910452954359269],
    ),
    ("w", "t"): (
        [0.4992264337649658, -0.3084216562637421],
        [0.05098951309684656, 0.07843423407865474],
    ),
}


@pytest.mark.parametrize(("weight", "cluster"), UNBALANCED)
def test_effects_nested_and_not_in_the_clusters_as_fixest(weight, cluster):
    """90 units seen 4 to 8 times, with unit and period effects: by unit, by state, by period."""
    data = pd.read_csv(REFERENCE / "unbalanced_panel.csv.gz")
    found = least_squares(
        data["y"].to_numpy(),
        data[["x1", "x2"]].to_numpy(),
        ("x1", "x2"),
        first=codes(data["id"]),
        second=codes(data["t"]),
        weight=np.ones(len(data)) if weight == "none" else data[weight].to_numpy(),
        clusters=codes(data[cluster]),
    )
    estimates, errors = UNBALANCED[weight, cluster]
    assert found.estimated.estimates == pytest.approx(estimates, rel=1e-12)
    assert found.std_errors == pytest.approx(errors, rel=1e-12)


TWO_WAY = {
    "none": (
        [
            0.1476402790407775,
            0.055565357975454185,
            0.0675046179126053,
            0.04938992269624667,
            0.10157605770507808,
        ],
        [
            0.18578192490191012,
            0.06560367145276402,
            0.03620742349730578,
            0.03472356171202564,
            0.08506858479330076,
        ],
    ),
    "w": (
        [
            0.13854609205116653,
            0.06527911557031474,
            0.07454020387367218,
            0.06185781518226987,
            0.08287145705201639,
        ],
        [
            0.17380065016048382,
            0.07283083694439992,
            0.054224052158480994,
            0.03922135236028452,
            0.06282058073677392,
        ],
    ),
}


@pytest.mark.parametrize("weight", TWO_WAY)
def test_two_way_errors_with_negative_eigenvalues_set_to_zero(weight):
    """fixest does so where a variance is negative, as it is here, reghdfe where an eigenvalue is.

    Cameron, Gelbach & Miller (2011), section 2.3.
    """
    data = pd.read_csv(REFERENCE / "two_way_clusters.csv.gz")
    mass = np.ones(len(data)) if weight == "none" else data[weight].to_numpy()
    columns = np.column_stack([np.ones(len(data)), data[["d", "x1", "x2", "x3"]]])
    bread = np.linalg.inv(columns.T @ (mass[:, None] * columns))
    estimates = bread @ (columns.T @ (mass * data["y"]))
    left = data["y"].to_numpy() - columns @ estimates
    first, second = codes(data["g"]), codes(data["yr"])
    constant = np.zeros(len(data), dtype=np.intp)  # the effect that is absorbed
    found = Estimated(
        terms=tuple(Term(name) for name in ("constant", "d", "x1", "x2", "x3")),
        estimates=estimates,
        influence=columns * (mass * left)[:, None] @ bread,
        seen=rows_in(first, second),
        largest=float(data["y"].abs().max()),
        loadings=np.eye(5),
        source=Regression.of_rows((constant, constant), constant == 0, bread[1:, 1:]),
    )
    one_way, two_way = TWO_WAY[weight]
    assert in_clusters(found).std_errors == pytest.approx(one_way, rel=1e-12)
    inferred = in_clusters(found, second)
    factor = factor_of(found, (first, second), inferred.counts)
    n_clusters = [len(np.unique(code)) for code in (first, second)]
    assert factor == small_sample_factor(min(n_clusters), len(data), 5)
    covariance = two_way_covariance(found.influence, (first, second), factor)
    assert (np.diag(covariance) < 0).any()
    positive = without_negative_eigenvalues(covariance)
    assert np.sqrt(np.diag(positive)) == pytest.approx(two_way, rel=1e-10)
    assert inferred.std_errors == pytest.approx(two_way, rel=1e-10)
    assert inferred.adjusted and inferred.influence is None
