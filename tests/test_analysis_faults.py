"""Faults of the analyses beside the specs, as `check` reports them before anything runs."""

import pytest
from workspace import section

from pipeline.errors import ParamsError
from pipeline.params.study import cross_faults, read_study


def faults(path, value):
    """Return the faults of the study `simulated` with one setting of its analyses replaced."""
    block = section("simulated")
    place = block["estimate"]["analyses"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    try:
        return list(cross_faults(read_study({"simulated": block}, "simulated")))
    except ParamsError as error:
        return str(error).splitlines()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ("groups", "by", "size", "at"),
            0,
            "estimate.analyses.groups.by.size.at is 0: firms are grouped and weighted by what they "
            "were -1 years from entry or earlier, or the programme may already have changed them",
        ),
        (
            ("size_weighted", "by", "jobs", "at"),
            2,
            "estimate.analyses.size_weighted.by.jobs.at is 2",
        ),
        (
            ("groups", "by", "size", "column"),
            "employmnt",
            "groups.by.size.column: employmnt is not in data.columns; did you mean employment?",
        ),
        (
            ("groups", "by", "size", "column"),
            "sector",
            "groups.by.size.column: sector is a text column; this needs a number column",
        ),
        (
            ("groups", "by", "role"),
            {"label": "Role", "transform": "category", "column": "role"},
            "groups.by.role.column: role is not in data.columns",
        ),
        (
            ("survival", "exit"),
            {"known_by": "column", "column": "closed"},
            "survival.exit.column: closed is not in data.columns",
        ),
        (
            ("survival", "exit"),
            {"known_by": "flag"},
            "survival.exit.known_by: flag needs clean.exit",
        ),
        (
            ("margins", "outcomes"),
            ["sales_log"],
            "margins.outcomes: sales_log is not proportional; margins are those of a level",
        ),
        (
            ("groups", "outcomes"),
            ["sales_lg"],
            "groups.outcomes: sales_lg is not declared; did you mean sales_log?",
        ),
        (("groups", "designs"), ["entropy"], "entropy is not a design of any spec"),
        (("groups", "least_firms"), 1, "least_firms"),
        (("survival", "limits", "wages"), {"lowest": 0, "highest": 1}, "limits names wages"),
        (
            ("survival", "limits", "sales_log"),
            {"lowest": 0, "highest": 9},
            "survival.limits.sales_log.lowest is 0, which has no logarithm; declare a number above "
            "zero",
        ),
        (
            ("survival", "limits", "sales_log"),
            {"lowest": -1.5, "highest": 9},
            "survival.limits.sales_log.lowest is -1.5, which has no logarithm",
        ),
    ],
)
def test_a_fault_names_its_path_and_what_is_wrong(path, value, message):
    found = faults(path, value)
    assert any(message in line for line in found), found


def test_limits_that_fit_the_scale_are_no_fault():
    above_zero = {"lowest": 0.5, "highest": 9}
    assert faults(("survival", "limits", "sales_log"), above_zero) == []


def test_no_limit_of_a_share_above_zero_is_negative():
    block = section("simulated")
    block["estimate"]["analyses"]["survival"] |= {
        "outcomes": ["exports_any"],
        "limits": {"exports_any": {"lowest": -1, "highest": 9}},
    }
    found = list(cross_faults(read_study({"simulated": block}, "simulated")))
    assert found == [
        "estimate.analyses.survival.limits.exports_any.lowest is -1; transform: any takes no "
        "negative value: declare 0"
    ]


def test_a_role_of_the_register_is_a_column():
    block = section("simulated")
    block["data"]["register_columns"]["role"] = "role"
    block["estimate"]["analyses"]["groups"]["by"]["role"] = {
        "label": "Role",
        "transform": "category",
        "column": "role",
    }
    assert list(cross_faults(read_study({"simulated": block}, "simulated"))) == []


def test_a_spec_may_not_be_called_as_an_analysis():
    block = section("simulated")
    block["estimate"]["specs"][-1]["name"] = "survival"
    with pytest.raises(ParamsError, match="a spec is called survival, as an analysis is"):
        read_study({"simulated": block}, "simulated")


def test_outcomes_may_not_be_called_survival_beside_that_analysis():
    block = section("simulated")
    block["outcomes"]["survival"] = block["outcomes"].pop("sales_log")
    for analysis in block["estimate"]["analyses"].values():
        analysis["outcomes"] = ["survival" if o == "sales_log" else o for o in analysis["outcomes"]]
    found = cross_faults(read_study({"simulated": block}, "simulated"))
    assert any("no outcome may be called survival" in line for line in found)


def test_one_threshold_holds_for_all_that_is_published():
    block = section("simulated")
    block["exhibit"]["disclosure"]["min_cell_firms"] = 10
    (fault,) = cross_faults(read_study({"simulated": block}, "simulated"))
    assert "clean.minimum_count is 1 and exhibit.disclosure.min_cell_firms is 10" in fault


def test_a_count_that_is_not_given_may_be_stricter_than_what_is_published():
    """The profile then hides what the exhibits would show, which tells nothing."""
    block = section("simulated")
    del block["clean"]["minimum_count"]
    block["exhibit"]["disclosure"]["min_cell_firms"] = 1
    assert list(cross_faults(read_study({"simulated": block}, "simulated"))) == []
    block["exhibit"]["disclosure"]["min_cell_firms"] = 10
    (fault,) = cross_faults(read_study({"simulated": block}, "simulated"))
    assert "clean.minimum_count is 5 and exhibit.disclosure.min_cell_firms is 10" in fault
