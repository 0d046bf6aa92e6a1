"""Arms: one treatment a firm at a time, who is in none, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from stacked_tables import joined
from stacked_tables import treatment as window_of

from pipeline.analyses.exit_status import exit_status
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.store import conform, empty
from pipeline.effects.exposed_arm import ExposedArm
from pipeline.errors import DataError, Reason, SupportError
from pipeline.panel.arm_entries import arm_entries
from pipeline.panel.register_fields import RegisterRows
from pipeline.params.analyses import LastYearExit
from pipeline.params.arms import Arms
from pipeline.params.data import RegisterColumns
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arms import FirmArms, panel_of_arm
from pipeline.selection.arms import firm_arms as arms_of_firms
from pipeline.selection.risk_sets import risk_sets
from pipeline.selection.supported_arms import NO_ARMS, TriedArms

NAMED = {
    "training": {"source": "register", "component": ["training"]},
    "credit": {"source": "register", "component": ["credit"]},
    "both": {"source": "joint", "of": ["training", "credit"]},
}


def arms(headline: str = "training", **changes: object) -> Arms:
    return Arms.model_validate({"headline": headline, "named": NAMED, **changes})


def entries(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["arm", "firm_id", "cohort"]).astype({"cohort": "Int64"})


def firm_arms(listed: pd.DataFrame, asked: Arms) -> FirmArms:
    return arms_of_firms(listed, panel_of(listed.groupby("firm_id")["cohort"].min()), asked)


def panel_of(entered: pd.Series) -> pd.DataFrame:
    """Return PANEL of firms a to e, 2008 to 2013, with these entry years."""
    rows = [(f, y) for f in "abcde" for y in range(2008, 2014)]
    panel = pd.DataFrame(rows, columns=["firm_id", "year"])
    return panel.assign(cohort=panel["firm_id"].map(entered).astype("Int64"))


# a trains only, b borrows only, c enters both at once, d borrows first and trains two years later
LISTED = entries(
    ("training", "a", 2010),
    ("credit", "b", 2011),
    ("training", "c", 2010),
    ("credit", "c", 2010),
    ("credit", "d", 2010),
    ("training", "d", 2012),
)


def test_a_firm_is_in_the_first_arm_that_it_enters():
    found = firm_arms(LISTED, arms())
    rows = {(arm, firm): (cohort, until) for arm, firm, cohort, until in found.arms.to_numpy()}
    assert rows.keys() == {("training", "a"), ("credit", "b"), ("both", "c"), ("credit", "d")}
    assert rows["credit", "d"] == (2010, 2012)
    assert pd.isna(rows["both", "c"][1])


def test_every_firm_listed_is_counted_once():
    flow = firm_arms(LISTED, arms()).flow.set_index("arm")
    counts = flow[["n_listed", "n_joint", "n_after_another", "n_until", "n_entrants"]]
    assert counts.loc["training"].to_list() == [3, 1, 1, 0, 1]
    assert counts.loc["credit"].to_list() == [3, 1, 0, 1, 2]
    left = flow["n_joint"] + flow["n_after_another"] + flow["n_entrants"]
    assert (flow["n_listed"] == left).all()


def test_later_entry_censors_and_all_arms_count_as_contact():
    panel, found = panel_of(LISTED.groupby("firm_id")["cohort"].min()), firm_arms(LISTED, arms())
    seen = panel_of_arm(panel, found.arms, found.contacts, "credit", anticipation=1)
    assert seen.loc[seen["firm_id"] == "d", "year"].max() == 2010
    cohort = seen.groupby("firm_id")[["cohort", "contact"]].first()
    assert cohort["cohort"].fillna(0).to_list() == [0, 2011, 0, 2010, 0]
    assert cohort["contact"].fillna(0).to_list() == [2010, 2011, 2010, 2010, 0]


def test_participants_of_no_arm_are_in_contact():
    entered = pd.Series([2010, 2009], index=["a", "e"])
    entered = pd.concat([LISTED.groupby("firm_id")["cohort"].min(), entered]).groupby(level=0).min()
    found = arms_of_firms(LISTED, panel_of(entered), arms())
    assert found.n_in_no_arm == 1
    assert [(i.rule.code, i.count) for i in found.issues] == [("participant_in_no_arm", 1)]
    assert found.contacts.set_index("firm_id").loc["e", "contact"] == 2009
    assert "e" not in set(found.arms["firm_id"])


def test_two_arms_at_once_need_an_arm_for_both():
    single = {name: NAMED[name] for name in ("training", "credit")}
    with pytest.raises(DataError, match=r"two arms in one year.*source: joint"):
        firm_arms(LISTED, arms(named=single))
    found = firm_arms(LISTED, arms(named=single, several="in_each")).arms
    assert len(found) == len(LISTED)
    assert found["until"].isna().all()


def test_of_two_arms_at_once_the_first_named_takes_the_firm():
    single = {name: NAMED[name] for name in ("credit", "training")}
    found = firm_arms(LISTED, arms(named=single, several="first_named"))
    rows = {(arm, firm): until for arm, firm, _, until in found.arms.to_numpy()}
    assert rows.keys() == {("training", "a"), ("credit", "b"), ("credit", "c"), ("credit", "d")}
    assert pd.isna(rows["credit", "c"])  # training in the same year is no end of it
    assert rows["credit", "d"] == 2012
    assert found.flow.set_index("arm")["n_after_another"].to_dict() == {"credit": 0, "training": 2}


def test_entry_one_after_the_other_is_no_joint_arm():
    apart = LISTED[LISTED["firm_id"] != "c"]
    with pytest.raises(SupportError, match="1 do so one after the other"):
        firm_arms(apart, arms())


def test_arms_of_the_same_firms_are_refused():
    same = entries(("training", "a", 2010), ("credit", "a", 2010))
    single = {name: NAMED[name] for name in ("training", "credit")}
    with pytest.raises(SupportError, match="same firms"):
        firm_arms(same, arms(named=single, several="in_each"))


def test_an_arm_without_a_firm_is_a_row_unless_it_is_the_headline():
    single = {name: NAMED[name] for name in ("training", "credit")}
    trained = LISTED[LISTED["arm"] == "training"]
    found = firm_arms(trained, arms(named=single))
    flow = found.flow.set_index("arm")
    assert flow.loc["credit", ["n_entrants", "reason", "given_up_in"]].to_list() == [
        0,
        "arm_of_nobody",
        "score",
    ]
    assert pd.isna(flow.loc["training", "reason"])
    with pytest.raises(SupportError, match="is in credit, the headline's arm"):
        firm_arms(trained, arms("credit", named=single))


def test_a_small_arm_has_a_reason_unless_it_is_the_headline():
    few = {name: NAMED[name] for name in ("training", "credit")}
    apart = LISTED[LISTED["firm_id"].isin(["a", "b"])]
    flow = firm_arms(apart, arms(named=few, least_firms=2)).flow.set_index("arm")
    assert flow["reason"].fillna("").to_dict() == {"credit": "arm_too_small", "training": ""}
    assert flow.loc["credit", "reason_fields"] == '{"least": 2}'
    flow = firm_arms(apart, arms(named=few, least_firms=1)).flow
    assert flow["reason"].isna().all()


def test_who_took_part_in_no_arm_before_is_in_none():
    """Firm a took part in something else in 2008: from then on it is no firm of before."""
    single = {name: NAMED[name] for name in ("training", "credit")}
    entered = LISTED.groupby("firm_id")["cohort"].min()
    entered["a"] = 2008
    apart = LISTED[LISTED["firm_id"] != "c"]
    found = arms_of_firms(apart, panel_of(entered), arms("credit", named=single))
    assert "a" not in set(found.arms["firm_id"])
    assert found.flow.set_index("arm").loc["training", "n_after_another"] == 2
    assert found.contacts.set_index("firm_id").loc["a", "contact"] == 2008


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"headline": "loans"}, "loans is no arm"),
        (
            {"named": NAMED | {"again": {"source": "register", "component": ["training"]}}},
            "says what training says",
        ),
        ({"named": NAMED | {"all": {"source": "joint", "of": ["both", "credit"]}}}, "only arms of"),
        ({"named": NAMED | {"nobody": {"source": "register"}}}, "says which programme"),
        (
            {"named": NAMED | {"dose": {"source": "register", "amount": [10.0, 5.0]}}},
            "holds nothing",
        ),
    ],
)
def test_arms_that_cannot_be_are_told(changes: dict[str, object], fault: str):
    with pytest.raises(ValueError, match=fault):
        arms(**changes)  # type: ignore[arg-type]


def test_arms_take_rows_of_the_register_that_count_as_entry():
    register = pd.DataFrame(
        {
            "part": ["credit", "credit", "training", "training"],
            "money": ["100", "5", "", "50"],
        }
    )
    rows = RegisterRows(
        register,
        pd.Series(["a", "b", "a", "c"]),
        pd.Series([2012, 2011, 2010, 2013], dtype="Int64"),
        pd.Series([True, True, True, False]),
    )
    columns = RegisterColumns(firm_id="id", entry_year="y", component="part", amount="money")
    named = {
        "credit": {"source": "register", "component": ["credit"]},
        "training": {"source": "register", "component": ["training"]},
        "large": {"source": "register", "amount": [10.0, None]},
    }
    found = arm_entries(rows, columns, arms(named=named))
    assert {(a, f, y) for a, f, y in found[["arm", "firm_id", "cohort"]].to_numpy()} == {
        ("credit", "a", 2012),
        ("credit", "b", 2011),
        ("training", "a", 2010),
        ("large", "a", 2012),
    }
    nobody = {"other": {"source": "register", "component": ["advice"]}}
    with pytest.raises(DataError, match="no row of the register"):
        arm_entries(rows, columns, arms("other", named=nobody))


EXPOSED = pd.DataFrame(
    {
        "exposure": "near",
        "firm_id": ["a", "b", "e", "f"],
        "class": pd.array([1, 1, 1, None], dtype="Int64"),
        "value": [1.0, 1.0, 1.0, None],
        "first_exposed": pd.array([2010, 2010, 2009, None], dtype="Int64"),
        "censored_from": pd.array([None, 2011, None, None], dtype="Int64"),
        "censored_by": pd.array([None, "own_entry", None, None], dtype="str"),
        "participant": [True, False, False, False],
        "among": True,
        "cell": [0, 0, 1, 1],
    }
)


def test_firms_exposed_before_they_enter_are_in_no_arm_that_they_enter():
    """Their base year is not clean, also where arms speak of the same firms in several ways."""
    named = {name: NAMED[name] for name in ("training", "credit")}
    named["near"] = {"source": "exposure", "exposure": "near"}
    listed = LISTED[LISTED["firm_id"].isin(["a", "b", "d"])]
    found = arms_of_firms(
        listed,
        panel_of(listed.groupby("firm_id")["cohort"].min()),
        arms(named=named, several="in_each"),
        EXPOSED[EXPOSED["firm_id"] != "f"],
    )
    rows = {(arm, firm): until for arm, firm, _, until in found.arms.to_numpy()}
    # b borrows in 2011 and was exposed in 2010
    expected = {("training", "a"), ("near", "b"), ("near", "e"), ("credit", "d"), ("training", "d")}
    assert rows.keys() == expected
    assert rows["near", "b"] == 2011 and pd.isna(rows["credit", "d"])
    assert found.flow.set_index("arm").loc["credit", "n_after_another"] == 1


def test_the_exposed_are_an_arm_until_they_enter_and_never_compared():
    named = {"training": NAMED["training"], "credit": NAMED["credit"]} | {
        "near": {"source": "exposure", "exposure": "near"}
    }
    listed = LISTED[LISTED["firm_id"].isin(["a", "b"])]
    panel = panel_of(listed.groupby("firm_id")["cohort"].min())
    unknown = panel[panel["firm_id"] == "a"].assign(firm_id="f", cohort=pd.NA)
    panel = pd.concat([panel, unknown], ignore_index=True)
    named["credit"] = {"source": "register", "component": ["credit"], "programme": ["p"]}
    asked = arms(named=named)
    # b was exposed before it borrowed, but it borrows: nobody is left in this arm
    flow = arms_of_firms(listed[listed["arm"] != "credit"], panel, asked, EXPOSED).flow
    assert flow.set_index("arm").loc["credit", "reason"] == "arm_of_nobody"
    found = arms_of_firms(listed, panel, asked, EXPOSED)
    rows = {(arm, firm): until for arm, firm, _, until in found.arms.to_numpy()}
    assert rows.keys() == {("training", "a"), ("near", "b"), ("near", "e")}
    assert rows["near", "b"] == 2011
    contacts = found.contacts.set_index("firm_id")["contact"]
    assert contacts[["a", "b", "e"]].to_list() == [2010, 2010, 2009]
    assert pd.isna(contacts["f"])
    seen = panel_of_arm(panel, found.arms, found.contacts, "near", anticipation=0)
    assert "f" not in set(seen["firm_id"])
    assert seen.loc[seen["firm_id"] == "b", "year"].max() == 2010


def treatment(**changes: object) -> TreatmentSection:
    named = {name: NAMED[name] for name in ("training", "credit")}
    given = {
        "entry": {"source": "register", "programme": None, "other_programmes": "keep"},
        "anticipation_years": 0,
        "comparison": "never_treated",
        "window": {"first_event_time": -1, "last_event_time": 1},
        "arms": {"headline": "training", "named": named, "least_firms": 1},
    }
    return TreatmentSection.model_validate(given | changes)


def test_an_arm_without_support_is_given_up_and_the_headline_is_not():
    flow = firm_arms(LISTED[LISTED["firm_id"].isin(["a", "b"])], treatment().arms).flow
    tried = TriedArms(treatment(), "match", flow)
    lacking = SupportError("nobody", reason=Reason("no_pair", {"n": 3}))
    for arm in list(tried.left):
        if arm == "credit":
            with tried.trying(arm):
                raise lacking
    assert list(tried.left) == ["training"]
    told = tried.told.set_index("arm").loc["credit", ["given_up_in", "reason", "reason_fields"]]
    assert told.to_list() == ["match", "no_pair", '{"n": 3}']
    assert list(TriedArms(treatment(), "estimate", tried.told).left) == ["training"]
    with (
        pytest.raises(SupportError, match=r"treatment\.arms\.named\.training: nobody"),
        tried.trying("training"),
    ):
        raise lacking
    with pytest.raises(SupportError, match=r"named\.credit: who knows"), tried.trying("credit"):
        raise SupportError("who knows")


def test_a_study_without_arms_gives_nothing_up():
    tried = TriedArms(treatment(arms=None), "match", NO_ARMS)
    assert list(tried.left) == ["all"]
    with pytest.raises(SupportError, match=r"^nobody$"), tried.trying("all"):
        raise SupportError("nobody", reason=Reason("no_pair"))


def test_few_exposed_firms_have_estimates_and_no_interval():
    row = {"estimate": 0.1, "std_error": 0.2, "conf_low": -0.3, "reason": None, "n_treated": 40}
    few = row | {"n_treated": 29}
    many, less = ExposedArm(40, 6).effects([row, few])
    assert many == row
    assert less["reason"] == Reason("few_exposed_firms", {"least": 30})
    assert less["estimate"] == 0.1 and pd.isna(less["std_error"]) and pd.isna(less["conf_low"])
    (scattered,) = ExposedArm(40, 5).effects([row])
    assert scattered["reason"] == Reason("few_exposed_cells", {"least": 6})
    (test,) = ExposedArm(29, 6).tests([{"p_value": 0.5, "reason": None}])
    assert pd.isna(test["p_value"]) and test["reason"].code == "few_exposed_firms"


def test_without_a_clean_pool_the_message_says_so():
    """Firms d and e never take part; d is exposed from the start, e later."""
    panel = panel_of(pd.Series([2010, 2011, 2010], index=["a", "b", "c"]))
    contact = panel["firm_id"].map({"a": 2010, "b": 2011, "c": 2010, "d": 2010, "e": 2012})
    seen = panel.assign(contact=contact.astype("Int64"), cluster="x", cluster_entry=pd.NA)
    with pytest.raises(SupportError, match=r"no clean pool is left: each of 2 firms") as raised:
        risk_sets(seen, treatment())
    assert raised.value.reason == Reason("no_clean_pool", {"n": 2})


@pytest.mark.parametrize("anticipation", [0, 1, 2])
def test_whoever_takes_up_another_arm_is_left_before_that_by_the_anticipated_years(anticipation):
    """Firm d borrows in 2010 and trains in 2012: of the arm credit, never of both."""
    panel, found = panel_of(LISTED.groupby("firm_id")["cohort"].min()), firm_arms(LISTED, arms())
    assert found.arms.loc[found.arms["firm_id"] == "d", "arm"].to_list() == ["credit"]
    seen = panel_of_arm(panel, found.arms, found.contacts, "credit", anticipation)
    assert seen.loc[seen["firm_id"] == "d", "year"].max() == 2011 - anticipation
    both = panel_of_arm(panel, found.arms, found.contacts, "both", anticipation)
    assert both.loc[both["cohort"].notna(), "firm_id"].unique().tolist() == ["c"]
    assert both.loc[both["firm_id"] == "d", "contact"].unique().tolist() == [2010]


def test_a_firm_that_leaves_an_arm_for_another_has_not_exited():
    panel, found = panel_of(LISTED.groupby("firm_id")["cohort"].min()), firm_arms(LISTED, arms())
    panel = panel.assign(cluster=panel["firm_id"], cluster_entry=panel["cohort"])
    # b, in credit from 2011, is gone in 2012; d leaves credit for training then
    panel = panel[~((panel["firm_id"] == "b") & (panel["year"] >= 2012))]
    seen = panel_of_arm(panel, found.arms, found.contacts, "credit", anticipation=0)
    firms = risk_sets(seen, window_of(-1, 3)).firms
    weights = conform(WEIGHTS, firms.assign(design="matched", weight=1.0, estimand="att"))
    stacks = joined(seen, weights, empty(MATCHES), (-1, 3))
    rule = LastYearExit(known_by="last_year", least_years_absent=1)
    status = exit_status(stacks, seen, rule)
    names = seen["firm_id"].to_numpy()[stacks.firm_row]
    alive = dict(zip(names[stacks.treated], status.alive[stacks.treated], strict=True))
    assert alive["b"][:4].tolist() == [1, 1, 0, 0]
    assert alive["d"][:3].tolist() == [1, 1, 1]
    assert np.isnan(alive["d"][3:]).all()
    assert (status.alive[~stacks.treated & (stacks.stack == 2010)] == 1).all()
