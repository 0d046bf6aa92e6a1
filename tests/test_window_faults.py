"""Windows and entry years that leave nobody: `check` knows, before any data are read."""

import pytest
from workspace import section

from pipeline.params.study import cross_faults, read_study


def faults(change):
    block = section("simulated")
    change(block)
    return list(cross_faults(read_study({"studies": ["s"], "s": block}, "s")))


def group(year, **window):
    def change(block):
        block["treatment"]["entry"] = {
            "source": "group",
            "column": "municipality",
            "treated": "M1",
            "entry_year": year,
        }
        block["clean"]["window"] = window

    return change


def window(**settings):
    return lambda block: block["clean"].update(window=settings)


def without_years_after(block):
    block["treatment"]["window"]["last_event_time"] = 0
    block["estimate"]["analyses"]["survival"] = {
        "designs": ["unmatched"],
        "cluster": "assignment",
        "outcomes": [next(iter(block["outcomes"]))],
        "exit": {"known_by": "last_year", "least_years_absent": 1},
    }


def every_firm_year(estimator, first, last):
    """Ask for every firm-year of the panel, event times binned at the ends of the window."""

    def change(block):
        ends = {"first_event_time": first, "last_event_time": last}
        block["treatment"]["window"] = ends
        spec = {
            "name": "binned",
            "estimator": estimator,
            "designs": ["unmatched"],
            "outcomes": "all",
        }
        spec |= {"terms": ["att"], "average": "event", "cluster": "firm", "firms": "panel"}
        block["estimate"]["specs"].append(spec)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (window(first_year=2010, last_year=2008), "first_year is 2010, after last_year 2008"),
        (window(first_year=2008, last_year=2010, minimum_pre_years=2, minimum_post_years=2),
         "ask for 4 years, and the window has 3"),
        (group(2008, first_year=2008), "is 2008, and its base year 2007 lies before"),
        (group(2008, last_year=2007), "is 2008, after clean.window.last_year 2007"),
        (every_firm_year("sun_abraham", -1, 3), "is the reference, -1: make it -2 or earlier"),
        (every_firm_year("imputation", -1, 0), "make it 1 or more, or say end_bins: averaged"),
        (without_years_after, "treatment.window.last_event_time is 0: make that 1 or more"),
    ],
)  # fmt: skip
def test_what_leaves_nobody_is_a_fault_of_params(change, message):
    assert [fault for fault in faults(change) if message in fault]


def test_the_only_entry_year_may_not_be_left_out():
    def change(block):
        group(2008)(block)
        block["treatment"]["leave_out_entry_years"] = [2008]

    assert [fault for fault in faults(change) if "lists 2008, the only entry year" in fault]


def test_sound_windows_have_no_fault():
    for change in (window(first_year=2000, last_year=2020), group(2008, first_year=2007)):
        assert not [fault for fault in faults(change) if "left" in fault or "window" in fault]
