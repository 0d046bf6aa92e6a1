"""What params alone show to give no estimate is refused by `check`, with what to do."""

import re

import pytest
from workspace import project, section, write_params

from pipeline.estimators.registry import ESTIMATORS
from pipeline.params.estimate_faults import JOINTLY, OF_RATIOS
from pipeline.params.study import cross_faults, read_study
from stages import check

LEVEL = {"label": "Sales", "column": "sales", "unit": "US$", "transform": "proportional"}
FILE = {"score": "covariates", "method": "external", "content": "weights", "file": "w.csv"}
FILE |= {"firm_id": "id", "control_id": None, "weight": "w", "stack": None}


def named(specs):
    """Return specs by name."""
    return {spec.pop("name"): spec for spec in specs}


def faults(change):
    """Return the faults of the simulated study after a change of its section."""
    block = section("simulated")
    block["estimate"]["specs"] = named(block["estimate"]["specs"])
    change(block)
    return list(cross_faults(read_study({"simulated": block}, "simulated")))


def stacked(**options):
    def change(block):
        block["estimate"]["specs"]["stacked"] |= options

    return change


def from_file(block):
    block["match"]["designs"]["covariates_all_firms"] = FILE


def with_sets_of_file(block):
    from_file(block)
    spec = block["estimate"]["specs"]["stacked"]
    spec["designs"] = ["covariates", "covariates_all_firms"]
    spec["randomisation"] = {"draws": 99, "seed": 1}


def grouped(**options):
    def change(block):
        from_file(block)
        block["estimate"]["analyses"]["groups"] |= options

    return change


def sized(**options):
    def change(block):
        block["outcomes"]["sales_level"] = LEVEL
        block["estimate"]["analyses"]["size_weighted"] |= options

    return change


def proportional(block):
    block["outcomes"]["sales_level"] = LEVEL
    block["estimate"]["specs"]["twoway"]["outcomes"] = ["sales_level"]


def drawn_jointly(block):
    specs = block["estimate"]["specs"]
    block["estimate"]["specs"] = {
        name: spec for name, spec in specs.items() if spec["estimator"] == "group_time"
    }
    block["estimate"]["romano_wolf"] = {"draws": 99, "seed": 1}
    (name,) = list(block["estimate"]["specs"])[:1]
    design = block["estimate"]["specs"][name]["designs"][0]
    block["estimate"]["headline"] = {"spec": name, "design": design, "term": "att"}


CASES = {
    "estimate.romano_wolf draws over effects of estimator: stacked or twoway": drawn_jointly,
    "randomisation makes each design again, and covariates_all_firms": with_sets_of_file,
    "placebo_entry_years: 4 needs .* from -4 to 4: give 1 to 3": stacked(placebo_entry_years=4),
    "event_bins: 5 to 6 has no event time": stacked(
        event_bins=[{"first_event_time": 5, "last_event_time": 6}]
    ),
    "balanced_last_event_time: 9 is never seen": lambda block: block["estimate"]["specs"][
        "group_time"
    ].update(terms=["att", "event_balanced"], balanced_last_event_time=9),
    "specs.twoway.outcomes: sales_level is proportional": proportional,
    "groups.designs: covariates_all_firms comes from a file": grouped(
        designs=["covariates_all_firms"]
    ),
    "treated_size needs matched sets, and unmatched has none": sized(
        comparison="treated_size", designs=["unmatched", "covariates"]
    ),
    "size_weighted.outcomes: sales_level is proportional": sized(outcomes=["sales_level"]),
}


@pytest.mark.parametrize("told", CASES)
def test_what_can_give_no_estimate_is_refused(told):
    found = faults(CASES[told])
    assert len([line for line in found if re.search(told, line)]) == 1, found


def test_what_gives_estimates_is_not_refused():
    assert faults(lambda block: None) == []
    assert faults(stacked(placebo_entry_years=3)) == []
    assert faults(sized(comparison="treated_size", designs=["covariates"])) == []
    assert faults(grouped(designs=["covariates_all_firms"], match="common")) == []


def test_estimators_of_ratios_and_of_joint_draws_are_those_that_params_name():
    assert {name for name, e in ESTIMATORS.items() if e.joint} == set(JOINTLY)
    assert {n for n, e in ESTIMATORS.items() if e.in_ratios is not None} == set(OF_RATIOS)


def test_check_says_which_two_way_figure_is_not_decomposed(tmp_path, monkeypatch, capsys):
    block = section("michigan")
    folder = project(tmp_path / "here", {"michigan": block})
    monkeypatch.chdir(folder)
    check.main([])
    assert "Goodman-Bacon" not in capsys.readouterr().out
    block["treatment"]["anticipation_years"] = 1
    for covariate in block["score"]["covariates"].values():
        covariate["at"] = -2
    write_params(folder, {"michigan": block})
    check.main([])
    told = capsys.readouterr().out
    assert "michigan.estimate.specs.twoway: no Goodman-Bacon decomposition will be made" in told
