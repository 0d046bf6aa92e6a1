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


@pytest.mark.slow
def test_profits_rise_while_matched_with_a_mentor_and_fade(tmp_path):
    """Waves 4 and 5 are months 4 and 7, waves 6 and 7 a year and more after the start."""
    folder = joined(tmp_path, "kenya")
    for stage in ("obtain", "clean", "score", "match", "estimate"):
        subprocess.run([sys.executable, "-m", f"stages.{stage}", "kenya"], cwd=folder, check=True)
    estimates = pd.read_parquet(folder / "data" / "kenya" / "estimate" / "estimates.parquet")
    chosen = (estimates["outcome"] == "profits") & (estimates["design"] == "unmatched")
    event = estimates[chosen].dropna(subset="event_time").set_index("event_time")["estimate"]
    matched, afterwards = event.loc[[3, 4]].mean(), event.loc[[5, 6]].mean()
    assert matched > event.loc[[0, 1]].mean()
    assert matched > 2 * abs(afterwards)
