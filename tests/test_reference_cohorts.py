"""Sun & Abraham, extended two-way and imputation against published figures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.effects.estimated import combined
from pipeline.effects.least_squares import Solved, as_estimated
from pipeline.effects.poisson import fit_poisson
from pipeline.effects.terms import ATT, Term
from pipeline.estimators.cohort_regression import (
    average_by_mass,
    event_time_averages,
    fit_extended_twoway,
    fit_sun_abraham,
)
from pipeline.estimators.imputation import impute, imputed_averages
from pipeline.estimators.twoway import FlatSample
from pipeline.inference.analytic import infer

REFERENCE = Path(__file__).parent / "reference"
PRINTED = 6e-11


def flat_panel(y, cohort, firm, year):
    """Return a flat sample of equal weights; `cohort` is infinite for never-treated."""
    post = year >= cohort
    return FlatSample(
        firm=firm,
        year=year,
        y=y,
        weight=np.ones(len(y)),
        cohort=cohort,
        treated_post=post,
        anticipated=np.zeros(len(y), dtype=bool),
        ever_treated=np.isfinite(cohort),
        panel_row=np.arange(len(y)),
        assignment=np.arange(int(firm.max()) + 1),
    )


def figures(estimated):
    """Return the estimate of a single term and its standard error, clustered by firm."""
    inferred = infer(estimated, "firm")
    assert len(estimated.terms) == 1
    return float(inferred.estimated.estimates[0]), float(inferred.std_errors[0])


def of_simple(found):
    """Return the figures of the average of cells from entry on, by their mass."""
    return figures(average_by_mass(found, ATT))


def of_event_time(found, event_time):
    """Return the figures of the average of cells at one event time, by their mass."""
    return figures(event_time_averages(found).where([Term("event", event_time=event_time)]))


@pytest.fixture(scope="module")
def counties():
    """Return mpdta flat, and log population by row."""
    data = pd.read_csv(REFERENCE / "mpdta.csv")
    cohort = data["first.treat"].replace(0, np.inf).to_numpy(float)
    firm = pd.factorize(data["countyreal"])[0]
    flat = flat_panel(data["lemp"].to_numpy(), cohort, firm, data["year"].to_numpy())
    return flat, data["lpop"].to_numpy()


@pytest.mark.parametrize(
    ("event_time", "printed", "tolerance"),
    [
        (0, (-0.0199318168, 0.0118575), 5e-8),
        (1, (-0.0509573671, 0.01687068), 5e-9),
        (2, (-0.1372587389, 0.03658948), 5e-9),
        (3, (-0.1008113631, 0.03450427), 5e-9),
    ],
)
def test_mpdta_sun_abraham_by_event_time(counties, event_time, printed, tolerance):
    flat, _ = counties
    estimate, error = of_event_time(fit_sun_abraham(flat, -1), event_time)
    assert estimate == pytest.approx(printed[0], abs=PRINTED)
    assert error == pytest.approx(printed[1], abs=tolerance)


def test_mpdta_sun_abraham_average(counties):
    flat, _ = counties
    found = of_simple(fit_sun_abraham(flat, -1))
    assert found == pytest.approx((-0.0399512752, 0.0117962774), abs=PRINTED)


def last_regressor(found, flat):
    """Return the coefficient of the last regressor, which is no effect of a cohort."""
    regression = found.effects.regression
    absorbed = regression.least_squares.absorbed
    scores = (
        absorbed.columns * (absorbed.effects.weight * regression.least_squares.residuals)[:, None]
    )
    y = regression.least_squares.y
    estimates = absorbed.estimates(absorbed.response(y))
    solved = Solved(estimates, scores, absorbed.estimable, y, absorbed.kept, regression)
    terms = [None] * (len(absorbed.estimable) - 1) + [Term("x1")]
    return as_estimated(solved, terms, flat.seen)


def test_base_stagg_sun_abraham_with_a_regressor():
    data = pd.read_csv(REFERENCE / "fixest_base_stagg.csv")
    cohort = data["year_treated"].replace(10_000, np.inf).to_numpy(float)
    firm = pd.factorize(data["id"])[0]
    flat = flat_panel(data["y"].to_numpy(), cohort, firm, data["year"].to_numpy())
    found = fit_sun_abraham(flat, -1, data[["x1"]].to_numpy())
    assert of_simple(found) == pytest.approx((-1.133749449, 0.2050704938), rel=1e-9)
    x1 = figures(last_regressor(found, flat))
    assert x1 == pytest.approx((0.9946783109, 0.0183781320), abs=PRINTED)


def test_mpdta_extended_two_way_with_population(counties):
    """R's etwfe: cohort effects. Standard error to 1e-7 relative; it differs by 4.7e-8."""
    flat, population = counties
    estimate, error = of_simple(fit_extended_twoway(flat, -1, population[:, None], "cohort"))
    assert estimate == pytest.approx(-0.0506270331, abs=PRINTED)
    assert error == pytest.approx(0.0124972547, rel=1e-7)


@pytest.mark.parametrize(
    ("of", "value", "printed"),
    [
        ("event", 0, (-0.0332122037837542, 0.0133659635774059)),
        ("event", 1, (-0.0573456479257483, 0.0171496442892364)),
        ("event", 2, (-0.137870386660852, 0.0307883597041053)),
        ("event", 3, (-0.10953945536511, 0.0323152785480507)),
        ("cohort", 2004, (-0.0876269608795944, 0.0230474099815232)),
        ("cohort", 2006, (-0.0212783329358987, 0.0185912208081438)),
        ("cohort", 2007, (-0.0459545277368072, 0.0179714452432232)),
        ("year", 2006, (-0.0442655912990223, 0.0173733625406716)),
        ("year", 2007, (-0.0524323095862384, 0.015015825012757)),
    ],
)
def test_mpdta_extended_two_way_by_event_cohort_and_year(counties, of, value, printed):
    """R's etwfe, emfx of each type. Standard errors differ by up to 9e-8 relative."""
    flat, population = counties
    found = fit_extended_twoway(flat, -1, population[:, None], "cohort")
    places = [
        {"event": t.event_time, "cohort": t.cohort, "year": t.cohort + t.event_time}[of]
        for t in found.effects.terms
    ]
    share = found.mass * (np.array(places) == value)
    average = combined(found.effects, [Term(of)], (share / share.sum())[:, None])
    estimate, error = figures(average)
    assert estimate == pytest.approx(printed[0], abs=1e-11)
    assert error == pytest.approx(printed[1], rel=2e-7)


@pytest.mark.parametrize(
    ("event_time", "printed"),
    [
        (0, (-0.0325653634930092, 0.0128503810792558)),
        (1, (-0.0675071046997911, 0.0183966910997271)),
        (2, (-0.132971344933511, 0.0237253182969748)),
        (3, (-0.117022779216096, 0.0225005664705109)),
    ],
)
def test_mpdta_extended_two_way_poisson(counties, event_time, printed):
    """R's etwfe, family "poisson", on employment itself; effects on the log of its mean.

    Its derivatives are numerical: standard errors differ by up to 1.1e-5 relative.
    """
    flat, population = counties
    linear = fit_extended_twoway(flat, -1, None, "cohort")
    cells = [(term.cohort, term.event_time) for term in linear.effects.terms]
    members = [(flat.cohort == g) & (flat.year == g + e) for g, e in cells]
    entries, years = np.unique(flat.cohort), np.unique(flat.year)[1:]
    columns = [member.astype(float) for member in members]
    columns += [member * (population - population[member].mean()) for member in members]
    columns += [population * (flat.cohort == g) for g in entries]
    columns += [population * (flat.year == t) for t in years]
    found = fit_poisson(
        np.exp(flat.y),
        np.column_stack(columns),
        [*linear.effects.terms, *[None] * (len(columns) - len(cells))],
        first=np.unique(flat.cohort, return_inverse=True)[1],
        second=flat.year - 2003,
        weight=np.ones(len(flat.y)),
        seen=flat.seen,
    )
    assert found.terms == linear.effects.terms
    share = np.array(
        [member.sum() * (e == event_time) for member, (_, e) in zip(members, cells, strict=True)]
    )
    average = combined(found, [ATT], (share / share.sum())[:, None])
    estimate, error = figures(average)
    assert estimate == pytest.approx(printed[0], abs=2e-10)
    assert error == pytest.approx(printed[1], rel=2e-5)


def test_firm_effects_change_the_parameters_counted_only(counties):
    """Balanced panel: the same estimate; 23 parameters instead of 30 in the factor."""
    flat, population = counties
    estimate, error = of_simple(fit_extended_twoway(flat, -1, population[:, None], "firm"))
    assert estimate == pytest.approx(-0.0506270331, abs=PRINTED)
    assert error * np.sqrt(2477 / 2470) == pytest.approx(0.0124972547, rel=1e-7)


def test_mpdta_imputation_is_the_extended_two_way(counties):
    """-.0477099 is what Stata's jwdid prints for the latter, and did2s for the same estimand."""
    flat, _ = counties
    imputed = impute(flat)
    weight = imputed.imputable / imputed.imputable.sum()
    found = imputed_averages(imputed, flat, weight[:, None], [ATT]).estimate(ATT)
    assert found == pytest.approx(-0.0477099, abs=5e-8)
    extended = fit_extended_twoway(flat, -1, None, "firm")
    assert found == pytest.approx(of_simple(extended)[0], abs=1e-12)


def test_mpdta_imputed_effects_projected_on_population(counties):
    """Stata's did_imputation, option project(lpop): constant, slope and their standard errors.

    Its first stage iterates to 1e-6, which the coefficients show.
    """
    flat, population = counties
    imputed = impute(flat)
    used = np.flatnonzero(imputed.imputable)
    columns = np.column_stack([np.ones(len(used)), population[used]])
    projection = np.linalg.solve(columns.T @ columns, columns.T)
    published = [(-0.113562670701214, 0.039880486206007), (0.018577544710297, 0.009359473656994)]
    for row, (coefficient, error) in zip(projection, published, strict=True):
        weight = np.zeros(len(flat.y))
        weight[used] = row
        found = figures(imputed_averages(imputed, flat, weight[:, None], [ATT]))
        assert found[0] == pytest.approx(coefficient, abs=1e-6)
        assert found[1] == pytest.approx(error, rel=1e-6)
