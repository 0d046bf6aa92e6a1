"""The example `kenya`: a Stata file and settings alone give the published counts and pattern."""

import subprocess
import sys
from functools import cache

import pandas as pd
import pytest
from import_closure import ROOT
from workspace import example, joined

from pipeline.analyses.specs import estimate_specs
from pipeline.commands.in_memory import match_in_memory
from pipeline.datasets.exposure import EXPOSURE
from pipeline.datasets.store import empty
from pipeline.inference.between_arms import between_arms
from pipeline.inference.own_exposure import arm_effects
from pipeline.panel.clean import clean_panel
from pipeline.panel.sources import obtain_tables
from pipeline.params.arm_faults import ArmSections
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arms import firm_arms, panels_by_arm

BLOCK = example("kenya")


@cache
def delivered():
    data = DataSection.model_validate(BLOCK["data"])
    return obtain_tables(data, ROOT / "examples" / "kenya" / "raw")


def cleaned(treatment=None, **clean):
    return clean_panel(
        delivered().panel.copy(),
        delivered().register.copy(),
        {},
        data=DataSection.model_validate(BLOCK["data"]),
        clean=CleanSection.model_validate(BLOCK["clean"] | clean),
        treatment=treatment or TreatmentSection.model_validate(BLOCK["treatment"]),
    )


def test_firms_and_arms_are_those_published():
    """Brooks, Donovan & Johnson (2018), openICPSR 113714-V1: 372 firms, 119 + 129 + 124."""
    everyone = cleaned().panel
    assert len(everyone) == 2628
    arms = everyone.drop_duplicates("firm_id")["arm"].value_counts().to_dict()
    assert arms == {"2": 119, "3": 129, "4": 124}
    assert int((everyone["profits"] == 0).sum()) == 129
    assert int(everyone["profits"].isna().sum()) == 20


def test_the_register_has_the_arms_that_the_panel_says():
    """File drawn.csv says again what column treat2 of the published panel does."""
    found = cleaned()
    arm_of = found.panel.drop_duplicates("firm_id").set_index("firm_id")["arm"]
    entries = found.arm_entries.set_index("firm_id")
    assert entries["arm"].value_counts().to_dict() == {"class": 129, "mentor": 124}
    assert set(entries["cohort"]) == {1}
    told = arm_of.map({CLASS: "class", MENTOR: "mentor"}).dropna()
    assert told.to_dict() == entries["arm"].to_dict()


# As the codes of the column `treat2` have them.
CLASS, MENTOR = "3", "4"


def sections(treatment):
    """Return the sections that estimate profits among all firms.

    By ANCOVA, and the headline's arm by differences too.
    """
    alike = {"designs": ["unmatched"]}
    specs = {name: BLOCK["estimate"]["specs"][name] | alike for name in ("ancova", "stacked")}
    estimate = BLOCK["estimate"] | {"specs": specs, "other_arms": ["ancova"]}
    return {
        "outcomes": OutcomesSection.model_validate({"profits": BLOCK["outcomes"]["profits"]}),
        "treatment": TreatmentSection.model_validate(BLOCK["treatment"] | treatment),
        "score": ScoreSection.model_validate(BLOCK["score"] | {"models": {}}),
        "match": MatchSection.model_validate(BLOCK["match"] | {"designs": {}}),
        "estimate": EstimateSection.model_validate(estimate),
    }


def study_of(treated):
    """Return the effects in a study of one arm, whose panel lacks the other."""
    entry = {"source": "group", "column": "arm", "treated": treated, "entry_year": 1}
    told = sections({"entry": entry, "arms": None})
    kept = {"column": "arm", "label": "One arm or none", "keep": ["2", treated]}
    panel = cleaned(told["treatment"], filters=[kept]).panel
    return by_ancova(estimate_specs(match_in_memory(panel, **told).study).estimates)


def by_ancova(estimates):
    return estimates[estimates["estimator"] == "ancova"].reset_index(drop=True)


def study_of_both():
    """Return the effects by arm, and their contrasts, of one study of a register of both arms."""
    told = sections({})
    found = cleaned(told["treatment"])
    firms = firm_arms(found.arm_entries, found.panel, told["treatment"].arms)
    results, effects = {}, {}
    seen_by = firms.arms, firms.contacts
    for arm, seen in panels_by_arm(found.panel, seen_by, told["treatment"]):
        study = match_in_memory(seen, **told, arm=arm).study
        results[arm] = estimate_specs(study)
        effects[arm] = arm_effects(study, results[arm])
    estimates = {arm: result.estimates for arm, result in results.items()}
    compared = ArmSections(**{name: told[name] for name in told if name != "outcomes"})
    return estimates, between_arms(effects, empty(EXPOSURE), compared).contrasts


def test_two_arms_in_one_study_have_the_effects_of_two_studies():
    """Both are compared with the women drawn into neither, so that only their contrast is new."""
    effects, contrasts = study_of_both()
    compared = ["outcome", "term", "event_time", "estimate", "std_error", "n_treated", "n_control"]
    for arm, code in {"mentor": MENTOR, "class": CLASS}.items():
        own = by_ancova(effects[arm])
        pd.testing.assert_frame_equal(own[compared], study_of(code)[compared], rtol=1e-10)
    mentor, lessons = (
        by_ancova(found).set_index("term").loc["att", ["estimate", "std_error"]].astype(float)
        for found in effects.values()
    )
    row = contrasts[contrasts["term"] == "att"].iloc[0]
    assert row["estimate"] == pytest.approx(mentor["estimate"] - lessons["estimate"], rel=1e-12)
    assert row["std_error"] < row["std_error_apart"]
    estimators = {arm: set(found["estimator"]) for arm, found in effects.items()}
    assert estimators == {"mentor": {"ancova", "stacked"}, "class": {"ancova"}}
    assert set(contrasts["estimator"]) == {"ancova"}


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
