"""What other numbers of treated clusters would detect, against what the actual one does."""

import numpy as np
import pytest
from bad_studies import inputs, plain_panel
from keyed import figure
from scipy import stats

from pipeline.datasets.fits import DETECTABLE
from pipeline.inference import detectable as module

SPECS = ("main", "pooled", "gt_difference", "gt_doubly_robust")


@pytest.fixture(scope="module")
def found():
    """A study of 16 treated firms in eight clusters, asked for both numbers and for 80."""
    panel = plain_panel(60)
    number = panel["firm_id"].str[1:].astype(int)
    panel["cohort"] = np.where(number < 16, 2004, np.nan)
    panel["cohort"] = panel["cohort"].astype("Float64").astype("Int64")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TREATED_CLUSTERS", (8, 16, 80))
        return inputs(panel, analyses={}, romano_wolf=None).results()


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("outcome", ["sales", "sales_log", "exports"])
def test_the_actual_number_of_treated_clusters_detects_the_actual_effect(found, spec, outcome):
    estimates = found.estimates.query(
        "design == 'unmatched' and outcome == @outcome and estimator == @spec and term == 'att'"
        " and sample == 'all' and inference == 'analytic' and band == 'pointwise'"
    )
    if estimates["std_error"].isna().all():
        assert spec.startswith("gt") and outcome == "exports"
        return
    actual = int(estimates["n_treated_clusters"].iloc[0])
    assert actual == (16 if estimates["cluster"].iloc[0] == "firm" else 8)

    def detectable(column, number):
        place = {"design": "unmatched", "outcome": outcome, "estimator": spec, "grouping": "all"}
        place["event_time"] = None
        return figure(found, DETECTABLE, column, **place, treated_clusters=number)

    for column in ("effect", "effect_in_unit"):
        assert detectable(column, actual) == pytest.approx(detectable(column, None))
    assert detectable("effect", 80) < detectable("effect", actual)


def test_each_lead_with_an_error_has_what_it_could_detect(found):
    """(t_{0.975} + t_{0.8}) SE with the lead's degrees of freedom, normal where it has none."""
    leads = found.estimates.query(
        "event_time < -1 and term == 'event' and sample == 'all' and inference == 'analytic'"
        " and band == 'pointwise'"
    ).dropna(subset="std_error")
    key = ["design", "outcome", "estimator", "event_time"]
    told = found.details[DETECTABLE.name].dropna(subset="event_time")
    both = leads.merge(told, on=key, how="outer", indicator=True, validate="one_to_one")
    assert (both["_merge"] == "both").all()
    assert set(SPECS) <= set(both["estimator"])
    df = both["df"].astype(float).fillna(np.inf)
    expected = (stats.t.ppf(0.975, df) + stats.t.ppf(0.8, df)) * both["std_error"]
    assert both["effect"].to_numpy() == pytest.approx(expected.to_numpy())
