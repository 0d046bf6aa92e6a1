"""The example `kenya`: a Stata file and settings alone give the published counts and pattern."""

import subprocess
import sys

import pandas as pd
import pytest
from import_closure import ROOT
from workspace import example, joined

from pipeline.panel.clean import clean_panel
from pipeline.panel.sources import obtain_tables
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.treatment import TreatmentSection

BLOCK = example("kenya")


def cleaned(**clean):
    data = DataSection.model_validate(BLOCK["data"])
    return clean_panel(
        obtain_tables(data, ROOT / "examples" / "kenya" / "raw").panel,
        None,
        {},
        data=data,
        clean=CleanSection.model_validate(BLOCK["clean"] | clean),
        treatment=TreatmentSection.model_validate(BLOCK["treatment"]),
    )


def test_firms_and_arms_are_those_published():
    """Brooks, Donovan & Johnson (2018), openICPSR 113714-V1: 372 firms, 119 + 129 + 124."""
    everyone = cleaned(filters=[]).panel
    assert len(everyone) == 2628
    arms = everyone.drop_duplicates("firm_id")["arm"].value_counts().to_dict()
    assert arms == {"2": 119, "3": 129, "4": 124}
    assert int((everyone["profits"] == 0).sum()) == 129
    assert int(everyone["profits"].isna().sum()) == 20


def test_the_class_arm_leaves_by_name_and_count():
    flow = cleaned().sample_flow
    (lost,) = [
        row for _, row in flow.iterrows() if "Control or mentor arm" in str(row["rule_fields"])
    ]
    assert (lost["firms_lost"], lost["treated_firms_lost"], lost["firms"]) == (129, 0, 243)


@pytest.fixture(scope="module")
def estimates(tmp_path_factory):
    """Return the effects among all firms, by estimator, outcome, term and event time."""
    folder = joined(tmp_path_factory.mktemp("kenya"), "kenya")
    for stage in ("obtain", "clean", "score", "match", "estimate"):
        subprocess.run([sys.executable, "-m", f"stages.{stage}", "kenya"], cwd=folder, check=True)
    found = pd.read_parquet(folder / "data" / "kenya" / "estimate" / "estimates.parquet")
    return found[found["design"] == "unmatched"].set_index(["estimator", "outcome", "term"])


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["ancova", "stacked"])
def test_profits_rise_while_matched_with_a_mentor_and_fade(estimates, estimator):
    """Waves 4 and 5 are months 4 and 7, waves 6 and 7 a year and more after the start."""
    event = estimates.loc[estimator, "profits", "event"].set_index("event_time")["estimate"]
    matched, afterwards = event.loc[[3, 4]].mean(), event.loc[[5, 6]].mean()
    assert matched > event.loc[[0, 1]].mean()
    assert matched > 2 * abs(afterwards)


@pytest.mark.slow
def test_mentors_raise_profits_by_a_fifth_and_ancova_is_more_precise(estimates):
    """Brooks, Donovan & Johnson (2018), abstract: "by 20 percent on average"."""
    change, ancova = (
        estimates.loc[(estimator, "profits_percent", "att")] for estimator in ("stacked", "ancova")
    )
    for found in (change, ancova):
        assert found["estimate"] == pytest.approx(20, abs=5)
        assert found["p_value"] < 0.05
    assert ancova["std_error"] < 0.65 * change["std_error"]
    level = estimates.loc[("ancova", "profits", "att"), "estimate"]
    mean = cleaned().panel.query("year == 0 and arm == '2'")["profits"].mean()
    assert ancova["estimate"] == pytest.approx(100 * level / mean, rel=0.05)


@pytest.mark.slow
def test_what_was_asked_after_the_start_only_is_compared_in_levels(estimates):
    assert estimates.loc[("after", "revenue", "att"), "std_error"] > 0
    for estimator in ("ancova", "stacked"):
        why = estimates.loc[(estimator, "revenue", "att"), "reason"]
        assert why == "observed_after_entry_only"
    seen = estimates.loc["after", "employees", "event"].set_index("event_time")["estimate"]
    assert seen.dropna().index.tolist() == [4, 5]
