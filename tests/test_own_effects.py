"""Own and overall effects: what they are sums of, and why there may be none."""

import json

import numpy as np
import pandas as pd
import pytest
from arm_studies import block, participants_and

from pipeline.datasets.exposure import EXPOSURE
from pipeline.datasets.store import conform
from pipeline.effects.terms import ATT, event
from pipeline.inference.arm_contrasts import TermEffects, as_contrasts
from pipeline.inference.own_effects import sums_under_exposure
from pipeline.inference.own_exposure import ArmEffects, own_exposure
from pipeline.params.treatment import TreatmentSection
from pipeline.publishing.disclosure.told_of_arms import hide_own_of_few

PLACE = ("y", "matched", "stacked")
SHARE = {"kind": "share", "columns": ["cell"], "of": "firms", "edges": [0.3]}
BOTH = {"low": {"classes": [1]}, "high": {"classes": [2]}}


def treatment(rule=SHARE, arms=BOTH, **changes):
    named = {name: {"exposure": "near"} | arm for name, arm in arms.items()}
    asked = participants_and(**named) | changes
    return TreatmentSection.model_validate(block({}, asked, {"near": rule})["treatment"])


def effects(firms, **estimates):
    """Return effects of arms, without errors, on firms of one weight and the entry year 2005."""
    behind = pd.DataFrame({"firm_id": list(firms), "cohort": 2005, "weight": 1.0})
    nobody = behind.iloc[:0]
    return {
        arm: ArmEffects(
            {PLACE: TermEffects(own if isinstance(own, dict) else {ATT: own}, ())},
            {("matched", "y"): behind if arm == "participants" else nobody},
        )
        for arm, own in estimates.items()
    }


def exposed(**firms):
    """Return EXPOSURE: class and first year by firm; participants are p1, p2 ..."""
    rows = [
        {"firm_id": firm, "class": number, "first_exposed": year, "participant": firm[0] == "p"}
        for firm, (number, year) in firms.items()
    ]
    rest = {"exposure": "near", "value": 1.0, "censored_from": pd.NA, "censored_by": None}
    return conform(EXPOSURE, pd.DataFrame(rows).assign(**rest, among=True, cell=0))


def sums(of, exposure, asked):
    shares = own_exposure(of, exposure, asked)
    table = as_contrasts(sums_under_exposure(of, exposure, shares, asked))
    return table.set_index(["estimand", "term"])


FIRMS = exposed(p1=(1, 2005), p2=(2, 2005), s1=(1, 2005), s2=(2, 2005))


def test_own_effects_take_spillover_at_each_class():
    of = effects(["p1", "p2", "p3", "p4"], participants=1.0, low=0.2, high=0.6)
    row = sums(of, FIRMS, treatment()).loc[("own", "att")]
    assert row["estimate"] == pytest.approx(1 - 0.25 * 0.2 - 0.25 * 0.6, abs=1e-12)
    assert row["reason"] == "arm_without_error"
    assert [r["code"] for r in json.loads(row["remarks"])] == ["spillover_as_on_exposed"]


@pytest.mark.parametrize(
    ("asked", "given", "reason", "fields"),
    [
        (treatment(arms={"low": {"classes": [1]}}), {"low": 0.2}, "class_without_arm", [2]),
        (treatment(), {"low": 0.2}, "arm_without_effect", ["high"]),
        (treatment(), {"low": 0.2, "high": np.nan}, "arm_without_effect", ["high"]),
    ],
)
def test_a_class_without_an_effect_is_a_row_with_the_reason(asked, given, reason, fields):
    found = sums(effects(["p1", "p2"], participants=1.0, **given), FIRMS, asked)
    for estimand in ("own", "overall"):
        row = found.loc[(estimand, "att")]
        assert np.isnan(row["estimate"]) and row["reason"] == reason
        assert fields in json.loads(row["reason_fields"]).values()


def test_averages_of_participants_exposed_later_need_event_times():
    later = exposed(p1=(1, 2006), s1=(1, 2005))
    asked = treatment(arms={"low": {"classes": [1]}})
    found = sums(effects(["p1"], participants=1.0, low=0.2), later, asked)
    assert found.loc[("own", "att"), "reason"] == "own_without_event_times"
    over_time = {ATT: 1.0, event(0): 0.8, event(1): 1.2}
    of = effects(["p1"], participants=over_time, low={ATT: 0.3, event(0): 0.2, event(1): 0.4})
    found = sums(of, later, asked)["estimate"]
    assert found[("own", "att")] == pytest.approx(1.0 - 0.2 / 2)
    assert found[("own", "event")].to_list() == pytest.approx([0.8, 1.2 - 0.2])


def test_what_is_not_known_of_participants_is_said():
    early = exposed(p1=(1, 2003), p2=(pd.NA, pd.NA), p3=(1, 2005), s1=(1, 2005))
    of = effects(["p1", "p2", "p3", "p4"], participants=1.0, low=0.3)
    row = sums(of, early, treatment(arms={"low": {"classes": [1]}})).loc[("own", "att")]
    # p1 was reached before it joined, of p2 nobody knows: one of three is of class 1
    assert row["estimate"] == pytest.approx(1 - 0.3 / 3)
    codes = [remark["code"] for remark in json.loads(row["remarks"])]
    assert codes[1:] == ["participants_exposed_before_entry", "participants_of_unknown_exposure"]


def test_a_stronger_exposure_within_the_window_is_said():
    of = effects(["p1", "p2"], participants=1.0, low=0.2, high=0.6)
    for year, said in ((2005, True), (2006, False)):
        later = FIRMS.assign(censored_from=FIRMS["censored_from"].mask(FIRMS["class"] == 1, year))
        remarks = json.loads(sums(of, later, treatment()).loc[("own", "att"), "remarks"])
        codes = [remark["code"] for remark in remarks]
        assert ("participants_exposed_more_later" in codes) == said


def test_arms_that_share_firms_have_no_overall_effect():
    asked = treatment(arms={"low": {"classes": [1]}, "every": {"classes": [1, 2]}})
    of = effects(["p1"], participants=1.0, low=0.2, every=0.4)
    assert sums(of, FIRMS, asked).loc[("overall", "att"), "reason"] == "arms_share_firms"


def test_own_effects_of_few_in_a_class_are_not_published():
    many = [f"p{n}" for n in range(1, 12)]
    firms = exposed(**{name: (1 + (n < 4), 2005) for n, name in enumerate(many)}, s1=(1, 2005))
    asked = treatment(arms={"every": {"classes": [1, 2]}})
    table = sums(effects(many, participants=1.0, every=0.5), firms, asked)
    assert table.loc[("own", "att"), "n_fewest"] == 4
    hidden = hide_own_of_few(table.reset_index(), 5).set_index(["estimand", "term"])
    assert hidden.loc[("own", "att"), ["estimate", "n_fewest"]].isna().all()
    assert hidden.loc[("own", "att"), "reason"] == "few_firms_in_group"
    assert hidden.loc[("overall", "att"), "reason"] == table.loc[("overall", "att"), "reason"]
    shown = hide_own_of_few(table.reset_index(), 4)["estimate"]
    assert shown.notna().sum() == table["estimate"].notna().sum()
