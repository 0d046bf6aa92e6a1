"""Lee bounds: by hand, as Stata prints them, as derivatives, and through a study."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from keyed import figure
from scipy.stats import norm
from stacked_tables import (
    estimation,
    joined,
    matches_from,
    outcomes,
    panel_from,
    treatment,
    weights_from,
)
from told import estimate_specs

from pipeline.analyses.manski_bounds import manski_bounds
from pipeline.datasets.fits import FITS
from pipeline.effects.sample import stacked_sample
from pipeline.effects.study import prepare_study
from pipeline.effects.terms import ATT, bounds_on
from pipeline.estimators.lee_bounds import lee_bounds
from pipeline.estimators.stacked import event_effects, fit_cells
from pipeline.estimators.stacked_regressors import event_regressors
from pipeline.estimators.year_cells import year_cells
from pipeline.inference.analytic import infer
from pipeline.inference.covariance import small_sample_factor
from pipeline.inference.imbens_manski import imbens_manski
from pipeline.params.estimate import EstimateSection, LeeBoundsSpec

LOWER, UPPER = bounds_on(ATT)
REFERENCE = Path(__file__).parent / "reference"

# Logs of 10, 20, ... after entry over base 1; C2 stops, C4 never exported.
TEXT = """
firm_id cluster 2001 2002
T1      a       1    10
T2      b       1    20
T3      c       1    40
T4      d       0    80
C1      e       1    10
C2      f       1    0
C3      g       1    30
C4      h       0    50
"""
MORE_CONTROLS = TEXT.replace("1    0\n", "1    25\n").replace("1    40", "1    0")
SETS = "stack set_id firm_id treated\n" + "\n".join(
    f"2002 {i} {g}{i} {int(g == 'T')}" for i in range(1, 5) for g in "TC"
)


def study(text=TEXT):
    panel = panel_from(text, {f"T{i}": 2002 for i in range(1, 5)})
    matches = matches_from(SETS)
    return panel, matches, weights_from(matches, panel)


def bounds(text=TEXT, weights=None):
    panel, matches, own = study(text)
    stacks = joined(panel, own if weights is None else weights, matches, (-1, 0))
    return lee_bounds(stacks, panel["sales"].to_numpy())


def test_the_group_with_more_stayers_is_trimmed_in_part():
    """Three treated stay and two of three comparison firms: a third of the treated goes."""
    found = bounds()
    control = (np.log(10) + np.log(30)) / 2
    assert found.trimmed_treated == pytest.approx(1 / 3)
    assert found.both.estimate(LOWER) == pytest.approx((np.log(10) + np.log(20)) / 2 - control)
    assert found.both.estimate(UPPER) == pytest.approx((np.log(20) + np.log(40)) / 2 - control)


def test_a_firm_at_the_margin_counts_in_part():
    """All four stay against one of three: 4/3 treated firms remain."""
    text = TEXT.replace("T4      d       0", "T4      d       1").replace("30", "0")
    found = bounds(text)
    assert found.trimmed_treated == pytest.approx(2 / 3)
    low = (np.log(10) + np.log(20) / 3) / (4 / 3)
    high = (np.log(80) + np.log(40) / 3) / (4 / 3)
    assert found.both.estimate(LOWER) == pytest.approx(low - np.log(10))
    assert found.both.estimate(UPPER) == pytest.approx(high - np.log(10))


def test_the_comparison_group_is_trimmed_where_it_stays_more():
    found = bounds(MORE_CONTROLS)
    treated = (np.log(10) + np.log(20)) / 2
    assert (found.trimmed_treated, found.trimmed_comparison) == (0, pytest.approx(1 / 3))
    assert found.both.estimate(LOWER) == pytest.approx(treated - (np.log(25) + np.log(30)) / 2)
    assert found.both.estimate(UPPER) == pytest.approx(treated - (np.log(10) + np.log(25)) / 2)


def test_equal_shares_leave_the_plain_difference():
    found = bounds(TEXT.replace("1    40", "1    0"))
    expected = np.log(10 * 20 / 10 / 30) / 2
    assert found.both.estimate(LOWER) == pytest.approx(expected)
    assert found.both.estimate(UPPER) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("sample", "printed", "errors", "trimmed"),
    [
        (
            7,
            (0.3644568033167541, 1.440208360143009),
            (0.13428789536574212, 0.13302048455506393),
            0.178604911945292,
        ),
        (
            8,
            (0.6921502976190474, 1.546999007936507),
            (0.1191086345988795, 0.11358957331826941),
            0.1701142327878975,
        ),
    ],
)
def test_tied_outcomes_as_leebounds(sample, printed, errors, trimmed):
    """Stata's leebounds on whole numbers, tied at the margin, here as logs over a base of one.

    Its variances divide by one firm less in every group, and so exceed ours by under 0.2 percent.
    """
    data = pd.read_csv(REFERENCE / "leebounds.csv")
    data = data[data["sample"] == sample].reset_index(drop=True)
    after = np.exp(data["y"]).where(data["s"] == 1, 0.0)
    lines = [f"F{i:04d} c{i} 1 {value!r}" for i, value in enumerate(after.tolist())]
    treated = data["d"].to_numpy() == 1
    panel = panel_from(
        "\n".join(["firm_id cluster 2001 2002", *lines]),
        {f"F{i:04d}": 2002 for i in np.flatnonzero(treated)},
    )
    members = [f"2002 A F{i:04d} {int(t)}" for i, t in enumerate(treated)]
    matches = matches_from("\n".join(["stack set_id firm_id treated", *members]))
    stacks = joined(panel, weights_from(matches, panel), matches, (-1, 0))
    found = lee_bounds(stacks, panel["sales"].to_numpy())
    assert found.both.terms == (LOWER, UPPER)
    assert found.both.estimates == pytest.approx(printed, abs=1e-10)
    either = found.trimmed_treated + found.trimmed_comparison
    assert either == pytest.approx(trimmed, abs=1e-12)
    own = infer(found.both, "firm").std_errors
    by_hand = np.linalg.norm(found.both.influence, axis=0)
    assert own == pytest.approx(by_hand, rel=1e-12)
    assert own == pytest.approx(errors, rel=1e-3)
    assert (own < errors).all()


@pytest.mark.parametrize(
    "text", [TEXT, TEXT.replace("1    0\n", "1    25\n").replace("1    40", "1    0")]
)
def test_an_influence_is_the_derivative_by_a_firms_weight(text):
    weights = study(text)[2]
    uneven = weights.assign(weight=weights["weight"] * np.linspace(0.8, 1.3, len(weights)))
    firm_ids = study(text)[0]["firm_id"].unique().tolist()
    at = bounds(text, uneven)
    for firm in ("T1", "T2", "C1", "C2", "C3"):
        own = uneven["firm_id"] == firm
        step = 1e-6 * own.to_numpy(float)
        above = bounds(text, uneven.assign(weight=uneven["weight"] + step))
        below = bounds(text, uneven.assign(weight=uneven["weight"] - step))
        mass = float(uneven.loc[own, "weight"].iloc[0])
        for side in (LOWER, UPPER):
            slope = above.both.estimate(side) - below.both.estimate(side)
            found = at.both.where([side]).influence[firm_ids.index(firm), 0]
            assert found == pytest.approx(mass * slope / 2e-6, abs=1e-7), (firm, side)


TWO_ENTRY_YEARS = """
firm_id cluster 2001 2002 2003
T1      a       1    10   12
T2      b       1    20   .
T3      c       1    40   .
C1      e       1    10   .
C2      f       1    15   .
C3      g       1    30   .
T4      h       1    2    700
T5      i       1    2    900
T6      j       1    3    400
C4      k       1    2    500
C5      l       1    4    600
C6      m       1    1    300
"""
ENTRY = {f"T{i}": 2002 + (i > 3) for i in range(1, 7)}


def two_entry_years(gone=(), weight_of=None):
    """Return bounds and the stacked effect in a panel where all firms of 2003 grow a lot."""
    panel = panel_from(TWO_ENTRY_YEARS, ENTRY)
    panel.loc[panel["firm_id"].isin(gone) & (panel["year"] == 2003), "sales"] = 0.0
    matches = matches_from(
        "stack set_id firm_id treated\n"
        + "\n".join(
            f"{2002 + (i > 3)} {i} {g}{i} {int(g == 'T')}" for i in range(1, 7) for g in "TC"
        )
    )
    weights = weights_from(matches, panel)
    if weight_of is not None:
        weights["weight"] = weights["firm_id"].map(weight_of)
    stacks = joined(panel, weights, matches, (-1, 0))
    levels = panel["sales"].to_numpy()
    return panel, stacks, levels


def test_what_a_year_did_to_an_entry_years_firms_is_no_sampling_error():
    """Where all stay, bounds are the stacked effect, and so is their error but for the factor."""
    panel, stacks, levels = two_entry_years()
    found = lee_bounds(stacks, levels)
    sample = stacked_sample(stacks, np.log(levels), "renormalise")
    regressors = event_regressors(sample)
    cells = fit_cells(sample, regressors, year_cells(sample, panel, None))
    fit = infer(event_effects(cells, regressors), "firm")
    # 12 firms, 24 firm-years; 2 effects and 4 year x entry-year effects
    factor = small_sample_factor(12, 24, 2 + 4)
    values = np.log(levels[stacks.panel_row])
    gone = np.zeros(values.shape, dtype=bool)
    worst = manski_bounds(stacks, values, gone, (0.0, 9.0), ATT)
    for both in (found.both, worst):
        assert both.estimates == pytest.approx([fit.estimated.estimates[0]] * 2)
        squared = np.square(both.influence).sum(axis=0) * factor
        assert squared == pytest.approx([fit.covariance[0, 0]] * 2)


@pytest.mark.parametrize("gone", [["C4"], ["T5"]])
def test_an_influence_is_the_derivative_given_the_entry_years_shares(gone):
    firms = [f"{g}{i}" for g in "TC" for i in range(1, 7)]
    even = dict(zip(firms, np.linspace(0.8, 1.3, 12), strict=True))

    def moved(firm, step):
        group = [f for f in firms if f[0] == firm[0] and (f[1] > "3") == (firm[1] > "3")]
        total = sum(even[f] for f in group)
        new = {f: even[f] + step * (f == firm) for f in group}
        scaled = {f: new[f] * total / sum(new.values()) for f in group}
        _, stacks, levels = two_entry_years(gone, even | scaled)
        return lee_bounds(stacks, levels)

    panel, stacks, levels = two_entry_years(gone, even)
    at = lee_bounds(stacks, levels)
    codes = panel["firm_id"].unique().tolist()
    for firm in firms:
        above, below = moved(firm, 1e-6), moved(firm, -1e-6)
        for side in (LOWER, UPPER):
            slope = (above.both.estimate(side) - below.both.estimate(side)) / 2e-6
            found = at.both.where([side]).influence[codes.index(firm), 0]
            assert found == pytest.approx(even[firm] * slope, abs=1e-7), (firm, side)


@pytest.mark.parametrize("width", [0.0, 0.5, 50.0])
def test_the_interval_covers_the_effect_and_not_the_set(width):
    low, high = imbens_manski((0.0, width), (1.0, 1.0), 0.95)
    assert high - width == pytest.approx(-low)
    assert norm.cdf(-low + width) - norm.cdf(low) == pytest.approx(0.95, abs=1e-9)
    assert norm.ppf(0.95) - 1e-9 <= -low <= norm.ppf(0.975) + 1e-9


@pytest.mark.parametrize("errors", [(0.5, 2.0), (2.0, 0.5)])
def test_the_interval_scales_its_width_by_the_larger_error(errors):
    """Imbens & Manski (2004), equation 7: Phi(c + width / max SE) - Phi(-c) = 0.95."""
    width = 1.0
    low, high = imbens_manski((0.0, width), errors, 0.95)
    critical = -low / errors[0]
    assert (high - width) / errors[1] == pytest.approx(critical)
    assert norm.cdf(critical + width / 2.0) - norm.cdf(-critical) == pytest.approx(0.95, abs=1e-9)


def run(text=TEXT, transform="log"):
    section = estimation().model_dump(exclude_none=True)
    spec = section["specs"][0] | {"estimator": "lee_bounds", "terms": ["att"]}
    spec = {key: spec[key] for key in LeeBoundsSpec.model_fields if key in spec}
    named = {"column": "sales", "transform": transform, "unit": "US$", "label": "Exports"}
    return estimate_specs(
        prepare_study(
            *study(text),
            outcomes=outcomes(exports=named),
            treatment=treatment(-1, 0),
            matched_times={},
            estimate=EstimateSection.model_validate(section | {"specs": [spec]}),
        )
    )


@pytest.mark.parametrize("transform", ["log", "proportional"])
def test_rows_and_shares_trimmed(transform):
    results = run(transform=transform)
    rows = results.estimates.set_index(["sample", "term", "inference"])
    lower = rows.loc[("base_exporters", "att_lower", "analytic")]
    upper = rows.loc[("base_exporters", "att_upper", "analytic")]
    interval = rows.loc[("base_exporters", "att", "imbens_manski")]
    assert lower["estimate"] < upper["estimate"]
    assert interval["conf_low"] < lower["estimate"] and upper["estimate"] < interval["conf_high"]
    assert np.isnan(interval["estimate"])
    assert lower[["n_treated", "n_control", "n_obs"]].tolist() == [3, 3, 6]
    assert figure(results, FITS, "trimmed_treated") == pytest.approx(1 / 3)


def test_reasons():
    nobody = "\n".join(line[:-2] + "0 " if line[:1] == "C" else line for line in TEXT.split("\n"))
    assert run(nobody).estimates["estimate"].isna().all()
    rows = run(transform="level").estimates
    assert rows["note"].tolist() == [
        "bounds on the intensive margin need a log or proportional outcome"
    ]
    assert isinstance(rows, pd.DataFrame)
