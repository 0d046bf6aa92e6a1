"""Robust and clustered errors of a score's coefficients: those of statsmodels and Stata."""

import numpy as np
import pandas as pd
import pytest
from results import study_results, with_figures
from statsmodels.discrete.discrete_model import Logit, Probit
from test_propensity import firms, section, study

from pipeline.datasets.designs import SCORE_MODELS
from pipeline.errors import SupportError
from pipeline.exhibits.ran import design_ran
from pipeline.exhibits.tables.score import score_table
from pipeline.selection.propensity import score_risk_sets
from pipeline.selection.score_fit import fit_score

CLUSTERS = np.arange(400) % 37


def by_statsmodels(values, treated, link, **errors):
    """Return coefficients and errors of `size` and the category of `sector` that is no base."""
    columns = pd.DataFrame(
        {
            "const": 1.0,
            "size": values["size"],
            **{c: (values["sector"] == c).astype(float) for c in sorted(set(values["sector"]))[1:]},
        }
    )
    model = (Logit if link == "logit" else Probit)(treated.astype(float), columns)
    return model.fit(method="newton", tol=1e-12, disp=False, **errors)


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize(
    ("errors", "asked", "factor"),
    [
        ("conventional", {}, 1.0),
        ("robust", {"cov_type": "HC0"}, 400 / 399),
        (
            "clustered",
            {"cov_type": "cluster", "cov_kwds": {"groups": CLUSTERS, "use_correction": False}},
            37 / 36,
        ),
    ],
)
def test_errors_are_those_of_statsmodels_with_the_factor_of_stata(link, errors, asked, factor):
    values, treated = firms(seed=3)
    values = values[["size", "sector"]]
    cluster = CLUSTERS if errors == "clustered" else None
    found = fit_score(values, treated, link, errors=errors, cluster=cluster)
    expected = by_statsmodels(values, treated, link, **asked)
    np.testing.assert_allclose(found.coefficients["estimate"], expected.params, rtol=1e-8)
    np.testing.assert_allclose(
        found.coefficients["std_error"], np.sqrt(factor) * expected.bse, rtol=1e-8
    )
    np.testing.assert_allclose(
        found.covariance, factor * expected.cov_params(), rtol=1e-6, atol=1e-12
    )


def test_robust_errors_of_a_pooled_fit_count_a_firm_of_several_risk_sets_once():
    risk_sets, covariates = study()
    robust = score_risk_sets(risk_sets, covariates, section(fit="pooled", errors="robust"))
    by_firm = risk_sets.assign(cluster=risk_sets["firm_id"])
    expected = score_risk_sets(by_firm, covariates, section(fit="pooled", errors="clustered"))
    rows = (one.coefficients["std_error"].to_numpy() for one in (robust, expected))
    np.testing.assert_allclose(*rows, rtol=1e-9)


def test_clusters_are_those_of_the_risk_sets_and_scores_stay():
    risk_sets, covariates = study()
    risk_sets = risk_sets.assign(cluster=[f"c{n % 23}" for n in range(len(risk_sets))])
    plain = score_risk_sets(risk_sets, covariates, section())
    clustered = score_risk_sets(risk_sets, covariates, section(errors="clustered"))
    pd.testing.assert_frame_equal(plain.scores, clustered.scores)
    own = risk_sets[(risk_sets["model"] == "main") & (risk_sets["stack"] == 2009)]
    fit = fit_score(
        covariates.loc[covariates["stack"] == 2009, ["size", "sector"]],
        own["treated"].to_numpy(),
        "logit",
        errors="clustered",
        cluster=pd.factorize(own["cluster"])[0],
    )
    rows = clustered.coefficients[clustered.coefficients["fit"] == "2009"]
    assert sorted(rows["std_error"]) == pytest.approx(sorted(fit.coefficients["std_error"]))
    assert not np.allclose(rows["std_error"], plain.coefficients.loc[rows.index, "std_error"])


def test_one_cluster_has_no_clustered_errors():
    with pytest.raises(SupportError, match="errors: robust") as caught:
        score_risk_sets(*study(), section(errors="clustered"))
    assert caught.value.reason.code == "score_in_one_cluster"


@pytest.mark.parametrize(
    ("errors", "words"),
    [("conventional", "conventional maximum"), ("robust", "sandwich"), ("clustered", "clustered")],
)
def test_the_table_says_which_errors_it_has(errors, words):
    plain = study_results()
    model = design_ran(plain, plain.settings.estimate.headline.design).code("score_model")
    results = with_figures(plain, SCORE_MODELS, {"model": model}, errors=errors)
    with results.speaking():
        (first, *_) = score_table(results)
    assert words in first.notes[0]
