"""Maximum likelihood against statsmodels, and against counting firms by hand."""

import warnings

import numpy as np
import pytest

from pipeline.selection import likelihood
from pipeline.selection.likelihood import (
    link_density,
    maximise,
    maximise_by_statsmodels,
    probability,
)


def sample(seed, n=400):
    rng = np.random.default_rng(seed)
    columns = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    index = columns @ rng.normal(scale=0.7, size=4)
    return columns, index + rng.logistic(size=n) > 0


def statsmodels_fit(columns, treated, link):
    from statsmodels.discrete.discrete_model import Logit, Probit

    model = (Logit if link == "logit" else Probit)(treated.astype(float), columns)
    return model.fit(method="newton", tol=1e-12, maxiter=100, disp=0)


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("seed", range(5))
def test_optimum_equals_statsmodels(link, seed):
    columns, treated = sample(seed)
    found, expected = maximise(columns, treated, link), statsmodels_fit(columns, treated, link)
    np.testing.assert_allclose(found.coefficients, expected.params, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.covariance, expected.cov_params(), rtol=1e-8)
    assert found.log_likelihood == pytest.approx(expected.llf, rel=1e-12)
    np.testing.assert_allclose(probability(found.index, link), expected.predict(), atol=1e-11)


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("share", [0.5, 0.1, 0.005])
def test_bare_steps_equal_statsmodels_as_it_is_called_for_what_is_published(link, share):
    """However rare the treatment, and however long the tails of a covariate."""
    rng = np.random.default_rng(12)
    columns = np.column_stack([np.ones(3000), rng.standard_t(3, size=(3000, 3))])
    columns[:, 1:] /= columns[:, 1:].std(axis=0)
    index = columns @ [0, 1.0, -0.5, 0.2] + rng.logistic(size=3000)
    treated = index > np.quantile(index, 1 - share)
    bare, published = (fit(columns, treated, link) for fit in (maximise, maximise_by_statsmodels))
    np.testing.assert_allclose(bare.coefficients, published.coefficients, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(bare.covariance, published.covariance, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(bare.index, published.index, rtol=1e-10, atol=1e-11)
    assert bare.log_likelihood == pytest.approx(published.log_likelihood, rel=1e-10)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_weights_count_firms_that_often(link):
    columns, treated = sample(3)
    times = np.random.default_rng(3).integers(1, 4, len(treated))
    weighted = maximise(columns, treated, link, times.astype(float))
    repeated = maximise(np.repeat(columns, times, axis=0), np.repeat(treated, times), link)
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-10)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-9)


def test_blocks_do_not_matter(monkeypatch):
    columns, treated = sample(4)
    whole = maximise(columns, treated, "logit")
    monkeypatch.setattr(likelihood, "BLOCK", 7)
    parts = maximise(columns, treated, "logit")
    np.testing.assert_allclose(parts.coefficients, whole.coefficients, rtol=1e-12)


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("overlap", [0, 1])
@pytest.mark.parametrize("fit", [maximise, maximise_by_statsmodels])
def test_separated_groups_have_no_optimum(fit, link, overlap):
    """Complete separation, and quasi-complete where one value is shared."""
    x = np.arange(40.0) - 20
    treated = x > 0
    treated[20 : 20 + overlap] = True
    x[20] = x[21] if overlap else x[20]
    treated[21] = False if overlap else treated[21]
    columns = np.column_stack([np.ones(40), (x - x.mean()) / x.std()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(columns, treated, link) is None


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_far_starts_are_reached_uphill(link):
    """A rare treatment, where a full first step overshoots."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=4000)
    treated = np.argsort(np.argsort(x + rng.normal(size=4000))) >= 3988
    columns = np.column_stack([np.ones(4000), 50 * x])
    expected = statsmodels_fit(np.column_stack([np.ones(4000), x]), treated, link).params
    found = maximise(columns, treated, link).coefficients * [1, 50]
    np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_density_is_the_slope_of_the_probability(link):
    index = np.linspace(-3, 3, 13)
    slope = (probability(index + 1e-6, link) - probability(index - 1e-6, link)) / 2e-6
    np.testing.assert_allclose(link_density(index, link), slope, rtol=1e-7)
