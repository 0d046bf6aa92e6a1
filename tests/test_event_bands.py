"""Simultaneous bands of a stacked event study."""

import numpy as np
import pandas as pd
import pytest
from stacked_tables import estimation, outcomes, random_study, treatment
from told import estimate_specs

from pipeline.effects.study import prepare_study


def event_rows(bands):
    panel, matches, weights = random_study(3)
    results = estimate_specs(
        prepare_study(
            panel,
            matches,
            weights,
            outcomes=outcomes(),
            treatment=treatment(-3, 2),
            matched_times={},
            estimate=estimation(bands=bands),
        )
    )
    table = results.estimates
    event = table["term"] == "event"
    return {band: group.set_index("named") for band, group in table[event].groupby("band")}


@pytest.fixture(scope="module")
def rows():
    return event_rows(True)


def test_a_band_is_wider_than_its_interval_by_one_factor(rows):
    band = rows["simultaneous"]
    point = rows["pointwise"].loc[band.index]
    half = (band["conf_high"] - band["conf_low"]) / 2
    critical = (half / band["std_error"]).to_numpy()
    pointwise = ((point["conf_high"] - point["conf_low"]) / 2 / point["std_error"]).to_numpy()
    assert critical == pytest.approx(critical[0])
    assert pointwise == pytest.approx(pointwise[0])
    assert 1.05 * pointwise[0] < critical[0] < 2 * pointwise[0]


def test_estimates_and_errors_are_those_of_the_intervals(rows):
    band = rows["simultaneous"]
    point = rows["pointwise"].loc[band.index]
    for name in ("estimate", "std_error", "n_obs", "event_time"):
        assert np.array_equal(band[name], point[name])
    assert band["p_value"].isna().all()
    assert band["note"].str.contains(f"over {len(band)} estimates$").all()


def test_the_reference_year_has_no_band(rows):
    assert "event[-1]" in rows["pointwise"].index
    assert "event[-1]" not in rows["simultaneous"].index


def test_bands_without_event_terms_are_refused():
    with pytest.raises(ValueError, match="add event to terms"):
        estimation(bands=True, terms=["att"])


def test_draws_and_a_seed_are_read_as_before_and_change_nothing(rows):
    drawn = event_rows({"draws": 999, "seed": 5})
    pd.testing.assert_frame_equal(drawn["simultaneous"], rows["simultaneous"])
    with pytest.raises(ValueError, match="greater than or equal to 99"):
        estimation(bands={"draws": 5, "seed": 1})
    assert not estimation(bands=None).specs[0].bands
