"""CR2 errors against R's clubSandwich and against dense matrices; rows of specs."""

import numpy as np
import pytest
from stacked_tables import estimation, outcomes, random_study, treatment
from told import estimate_specs

from pipeline.effects.absorb import dense_codes
from pipeline.effects.regression import absorb
from pipeline.effects.study import prepare_study
from pipeline.errors import IdentificationError
from pipeline.inference import bias_reduced as module
from pipeline.inference.bias_reduced import bias_reduced
from pipeline.params.estimate import StackedSpec

# 8 units, 4 periods; see tests/reference/README.md.
OUTCOME = """
0.8675660610026393 1.974964371815635 0.6262455759968815 0.4250911204896504
0.01746049540615028 1.285747228403441 0.3303840020024503 -0.5671521618639435
-0.1142677095292809 0.2383353498523538 -0.9019587987113207 -0.7061707682056644
-0.6157969345539587 -0.2881843268354549 -0.8240764992194235 -1.200211068425945
-1.671803432337748 1.089318887196633 0.5606170281167306 -0.7090977528526379
1.811753709724553 4.592189277336034 3.604625926706315 3.458451392091618
-1.216703112388791 1.963130563935098 1.026428163741928 0.01788553114847297
0.3145236664361374 3.957995942075363 2.327538808912606 2.632995686497729
"""


def ours(y, regressors, *, first, second, weight, clusters, shares):
    absorbed = absorb(regressors, first, second, weight)
    response = absorbed.response(y)
    residuals = response - absorbed.columns @ absorbed.estimates(response)
    found = bias_reduced(absorbed, residuals, clusters[absorbed.kept], shares)
    return np.column_stack([found.std_errors, found.degrees])


def dense(y, regressors, *, first, second, weight, clusters, shares):
    """Form every matrix of the definition, effects as indicator columns."""
    dummies = np.eye(first.max() + 1)[first], np.eye(second.max() + 1)[second][:, 1:]
    design = np.hstack([regressors, *dummies])
    bread = np.linalg.pinv(design.T @ (weight[:, None] * design))
    leave = np.eye(len(y)) - design @ bread @ design.T * weight
    found = []
    for share in shares.T:
        contrast = bread[:, : len(share)] @ share
        linear = np.array(
            [_row_of(leave, design, weight, clusters == g, contrast) for g in np.unique(clusters)]
        )
        products = linear @ linear.T
        error = np.sqrt(((linear @ y) ** 2).sum())
        found.append((error, np.trace(products) ** 2 / (products**2).sum()))
    return np.array(found)


def _row_of(leave, design, weight, own, contrast):
    values, vectors = np.linalg.eigh(leave[own] @ leave[own].T)
    root = np.where(values > 1e-10, 1 / np.sqrt(np.where(values > 1e-10, values, 1)), 0)
    adjustment = vectors @ np.diag(root) @ vectors.T
    return leave[own].T @ adjustment @ (weight[own] * (design[own] @ contrast))


def test_clubsandwich_with_unit_and_period_effects():
    y = np.array(OUTCOME.split(), dtype=float)
    unit, period = np.repeat(np.arange(8), 4), np.tile(np.arange(4), 8)
    treated = ((unit >= 4) & (period > 0)).astype(float)[:, None]
    found = ours(
        y,
        treated,
        first=unit,
        second=period,
        weight=np.ones(32),
        clusters=unit,
        shares=np.eye(1),
    )
    assert found[0, 0] == pytest.approx(np.sqrt(0.04493732438638597), rel=1e-12)
    assert found[0, 1] == pytest.approx(6, rel=1e-12)


@pytest.mark.parametrize("weights", ["one", "by firm", "by row", "some firms by row"])
@pytest.mark.parametrize("holes", [0.0, 0.2])
def test_dense_matrices_of_the_definition(weights, holes):
    rng = np.random.default_rng(3)
    unit, year = np.repeat(np.arange(20), 6), np.tile(np.arange(6), 20)
    by_row = rng.uniform(0.2, 3, 120)
    by_firm = rng.uniform(0.2, 3, 20)[unit]
    weight = {
        "one": np.ones(120),
        "by firm": by_firm,
        "by row": by_row,
        "some firms by row": np.where(unit < 10, by_firm, by_row),
    }[weights]
    kept = rng.random(120) >= holes
    unit, year = dense_codes(unit[kept]), dense_codes(year[kept])
    rest = {
        "first": unit,
        "second": year,
        "weight": weight[kept],
        "clusters": unit // 3,
        "shares": np.array([[1.0, 0.0, 0.3], [0.0, 1.0, 0.7]]),
    }
    y, regressors = rng.normal(size=len(unit)), rng.normal(size=(len(unit), 2))
    assert ours(y, regressors, **rest) == pytest.approx(dense(y, regressors, **rest), rel=1e-9)


def test_the_variance_is_unbiased_where_errors_are_alike():
    """Over draws of independent errors the mean CR2 variance is the true one; CR1's is below."""
    rng = np.random.default_rng(0)
    unit, year = np.repeat(np.arange(24), 4), np.tile(np.arange(4), 24)
    treated = ((unit < 6) & (year > 1)).astype(float)[:, None]
    clusters = np.minimum(unit // 3, 7)
    absorbed = absorb(treated, unit, year, np.ones(96))
    true = absorbed.bread[0, 0]
    variances = []
    for _ in range(400):
        response = absorbed.response(rng.normal(size=96))
        residuals = response - absorbed.columns @ absorbed.estimates(response)
        variances.append(bias_reduced(absorbed, residuals, clusters, np.eye(1)).std_errors[0] ** 2)
    error = np.std(variances) / np.sqrt(400)
    assert abs(np.mean(variances) - true) < 3 * error


def test_firms_across_clusters_and_large_problems_are_refused(monkeypatch):
    unit, year = np.repeat(np.arange(6), 4), np.tile(np.arange(4), 6)
    regressors = np.random.default_rng(0).normal(size=(24, 1))
    absorbed = absorb(regressors, unit, year, np.ones(24))
    with pytest.raises(IdentificationError, match=r"^bias_reduced_firms_move$"):
        bias_reduced(absorbed, np.ones(24), year, np.eye(1))
    monkeypatch.setattr(module, "MOST_CLUSTERS", 5)
    with pytest.raises(IdentificationError, match=r"^bias_reduced_many_clusters "):
        bias_reduced(absorbed, np.ones(24), unit, np.eye(1))
    monkeypatch.setattr(module, "MOST_CLUSTERS", 50)
    monkeypatch.setattr(module, "MOST_DIMENSIONS", 1)
    with pytest.raises(IdentificationError, match=r"^bias_reduced_many_dimensions "):
        bias_reduced(absorbed, np.ones(24), unit, np.eye(1))


def results_of(**first_spec):
    section = estimation(cluster="assignment", bias_reduced=True, **first_spec)
    study = prepare_study(
        *random_study(5),
        outcomes=outcomes(),
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=section,
    )
    return estimate_specs(study).estimates


@pytest.mark.parametrize("average", ["event", "pooled"])
def test_every_stacked_row_has_one_beside_it(average):
    rows = results_of(average=average)
    plain = rows[(rows["inference"] == "analytic") & rows["std_error"].notna()].set_index("named")
    found = rows[rows["inference"] == "bias_reduced"].set_index("named")
    assert sorted(found.index) == sorted(plain.index)
    assert (found["estimate"] == plain["estimate"].reindex(found.index)).all()
    assert (found["df"] < plain["df"].reindex(found.index)).all()
    assert found["note"].str.contains("Satterthwaite").all()
    assert (found["conf_low"] < found["conf_high"]).all()


def test_two_way_clusters_are_refused():
    with pytest.raises(ValueError, match="bias_reduced clusters in one direction"):
        StackedSpec.model_validate(
            {
                "name": "main",
                "estimator": "stacked",
                "designs": ["matched"],
                "outcomes": "all",
                "terms": ["att"],
                "average": "event",
                "cluster": "set_and_assignment",
                "bias_reduced": True,
            }
        )
