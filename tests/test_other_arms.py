"""Arms other than the headline's are estimated by fewer specs where params say so."""

import pytest
from arms_study import section

from pipeline.exhibits.inputs import StudySettings
from pipeline.inference.arm_contrasts import TermEffects
from pipeline.inference.own_exposure import ArmEffects
from pipeline.params.estimate import EstimateSection
from pipeline.params.settings import parse_section
from stages.exhibit import SECTIONS

MARGINS = {"designs": ["matched"], "outcomes": ["sales_log"], "cluster": "assignment"}
SURVIVAL = MARGINS | {"exit": {"known_by": "last_year", "least_years_absent": 1}}


def block(**estimate) -> dict:
    """Return a study with three specs, an analysis, and a panel of each of two specs."""
    study = section()
    first = study["estimate"]["specs"]["stacked"]
    specs = {name: first for name in ("stacked", "again", "third")}
    study["estimate"] |= {"specs": specs, "analyses": {"survival": SURVIVAL}, **estimate}
    study["exhibit"]["panels"][1]["spec"] = "again"
    return study


def settings(**estimate) -> StudySettings:
    study = block(**estimate)
    parsed = {name: parse_section(study, "clusters", name, kind) for name, kind in SECTIONS.items()}
    return StudySettings(**parsed)


def test_other_arms_have_the_specs_asked_and_nothing_beside():
    asked = settings(other_arms=["stacked", "third"])
    assert asked.of_arm("") is asked
    other = asked.of_arm("credit")
    assert [spec.name for spec in other.estimate.specs] == ["stacked", "third"]
    assert not other.estimate.analyses.asked() and other.estimate.match_orders == 0
    assert [panel.spec for panel in other.exhibit.panels] == ["stacked"]


def test_without_the_option_all_arms_are_estimated_alike():
    asked = settings()
    assert asked.of_arm("credit") is asked
    assert asked.estimate.of_other_arms is asked.estimate


@pytest.mark.parametrize("listed", [[], ["again"], ["stacked", "twoway"]])
def test_the_headline_spec_and_known_ones_must_be_listed(listed):
    with pytest.raises(ValueError, match=r"list specs, that of the headline \(stacked\)"):
        EstimateSection.model_validate(block(other_arms=listed)["estimate"])


def test_sums_of_arms_are_of_specs_that_all_have():
    places = {("sales_log", "matched", spec): TermEffects({}, ()) for spec in ("stacked", "again")}
    kept = ArmEffects(places, {}).by_specs({"stacked"})
    assert list(kept.by_place) == [("sales_log", "matched", "stacked")]
