"""Survival after entry, and what exit makes of outcomes: by hand."""

import numpy as np
import pandas as pd
import pytest
from analysed import analysed, rows_of, section
from keyed import figure
from pydantic import ValidationError

from pipeline.datasets.fits import FITS
from pipeline.datasets.samples import ATTRITION
from pipeline.errors import DataError

# Entry in 2002. T4 is gone in 2004, C1 in 2003 and C2 in 2004.
TEXT = """
firm_id cluster 2001 2002 2003 2004
T1      a       10   14   14   14
T2      b       10   18   18   18
T3      c       10   22   22   22
T4      d       10   26   26   x
C1      e       10   12   x    x
C2      f       10   12   12   x
C3      g       10   12   12   12
C4      h       10   12   12   12
"""
GAP = TEXT.replace("C3      g       10   12   12", "C3      g       10   12   x ")
NO_EXIT = TEXT.replace("x", "1")
LAST_ROW = {"known_by": "last_year", "least_years_absent": 1}


def run(text=TEXT, exit_rule=LAST_ROW, *, columns=None, outcome=None, **survival):
    estimate = section(survival={"exit": exit_rule, **survival})
    return analysed(text, 4, (-1, 2), columns=columns, outcome=outcome, estimate=estimate)


def survival(results):
    return rows_of(results, "survival", "survival").loc["all"]


def test_survival_is_the_difference_in_the_share_alive():
    rows = survival(run())
    assert rows.loc["event[0]", "estimate"] == 0
    assert rows.loc["event[1]", "estimate"] == pytest.approx(1 - 3 / 4)
    assert rows.loc["event[2]", "estimate"] == pytest.approx(3 / 4 - 2 / 4)
    assert rows.loc["att", "estimate"] == pytest.approx(0.25)
    assert rows["scale"].unique().tolist() == ["share"]
    assert rows.loc["event[2]", ["n_treated", "n_control"]].tolist() == [4, 4]
    assert "no lead can be seen" in rows.loc["att", "note"]
    assert not [term for term in rows.index if "-" in term]


def test_its_standard_error_is_that_of_the_difference_of_two_means():
    """Clusters of one firm, at one event time: the sandwich of two shares."""
    rows = survival(analysed(TEXT, 4, (-1, 1), estimate=section(survival={"exit": LAST_ROW})))
    # Of eight clusters one residual is -3/4 and three are 1/4, all among comparison firms. In
    # first differences each counts twice over two years: half of it each year.
    meat = (9 / 16 + 3 / 16) / 16
    n, k, g = 16, 3, 8
    factor = g / (g - 1) * (n - 1) / (n - k)
    assert rows.loc["event[1]", "std_error"] == pytest.approx(np.sqrt(factor * meat))


def test_attrition_tells_exit_from_a_gap():
    results = run(GAP)
    counted = {
        (treated, time): tuple(
            figure(results, ATTRITION, name, treated=treated, event_time=time)
            for name in ("n_observed", "n_gap", "n_gone")
        )
        for treated, time in ((False, 1), (False, 2), (True, 2))
    }
    assert counted == {(False, 1): (2, 1, 1), (False, 2): (2, 0, 2), (True, 2): (3, 0, 1)}
    alive = figure(results, ATTRITION, "share_alive", treated=False, event_time=1)
    assert alive == pytest.approx(3 / 4)
    assert survival(run(GAP)).loc["att", "estimate"] == pytest.approx(0.25)


@pytest.mark.parametrize("group", ["treated", "comparison"])
def test_without_censoring_shares_alive_are_the_curve_of_statsmodels(group):
    """One entry year: everyone is followed to 2004. With several the curve would mix them.

    Published shares are those of the firms behind each effect, so that their difference is it.
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    results = run()
    last_seen = {"treated": [3, 3, 3, 2], "comparison": [1, 2, 3, 3]}[group]
    is_gone = {"treated": [0, 0, 0, 1], "comparison": [1, 1, 0, 0]}[group]
    curve = SurvfuncRight(last_seen, is_gone)
    by_time = dict(zip(curve.surv_times.astype(int), curve.surv_prob, strict=True))
    share = 1.0
    for time in (1, 2):
        share = by_time.get(time, share)
        place = {"treated": group == "treated", "event_time": time}
        assert figure(results, ATTRITION, "share_alive", **place) == pytest.approx(share)


def test_after_the_last_year_in_which_exit_can_be_known_nobody_counts():
    """Two years of absence: 2004 is seen, but no firm can be known to be gone in it."""
    results = run(exit_rule={"known_by": "last_year", "least_years_absent": 2})
    rows = survival(results)
    assert rows.loc["event[1]", "estimate"] == pytest.approx(1 / 4)
    assert np.isnan(rows.loc["event[2]", "estimate"])
    assert "exit is known" in rows.loc["event[2]", "note"]
    place = {"treated": False, "event_time": 2}
    assert figure(results, ATTRITION, "n_not_known", **place) == 2
    assert figure(results, ATTRITION, "n_gone", **place) == 0


def test_the_year_of_exit_may_come_from_a_column():
    """C2 has no exit year: it lacks rows, but is not gone."""
    exit_year = {"T4": 2004.0, "C1": 2003.0}
    rule = {"known_by": "column", "column": "left"}
    rows = survival(run(exit_rule=rule, columns={"left": exit_year}))
    assert rows.loc["event[2]", "estimate"] == pytest.approx(3 / 4 - 3 / 4)


def test_a_flag_tells_the_gone_from_those_that_have_no_rows():
    """C2 has no flag: it is alive without a value, and no zero of it counts in levels."""
    results = run(
        exit_rule={"known_by": "flag"}, columns={"exit_year": {"T4": 2004.0, "C1": 2003.0}}
    )
    assert survival(results).loc["event[2]", "estimate"] == pytest.approx(3 / 4 - 3 / 4)
    place = {"treated": False, "event_time": 2}
    assert figure(results, ATTRITION, "n_gap", **place) == 1
    assert figure(results, ATTRITION, "n_gone", **place) == 1
    rule = {"known_by": "column", "column": "left"}
    by_column = run(exit_rule=rule, columns={"left": {"T4": 2004.0, "C1": 2003.0}})
    columns = ["estimate", "std_error"]
    pd.testing.assert_frame_equal(
        rows_of(results, "survival")[columns], rows_of(by_column, "survival")[columns]
    )


def test_rows_after_exit_are_refused_without_naming_a_firm():
    rule = {"known_by": "column", "column": "left"}
    with pytest.raises(DataError, match="2 firms have rows in or after") as error:
        run(exit_rule=rule, columns={"left": {"T1": 2003.0, "C4": 2002.0}})
    assert "T1" not in str(error.value)
    with pytest.raises(DataError, match="which the panel lacks"):
        run(exit_rule=rule)


def test_without_exit_there_is_a_row_with_the_reason():
    rows = survival(run(NO_EXIT))
    assert np.isnan(rows.loc["att", "estimate"])
    assert "no firm of the design exits" in rows.loc["att", "note"]


def test_levels_count_the_gone_as_zero_beside_survivors():
    results = run()
    rows = rows_of(results, "survival")
    changes = [10 - 2, 10 - (-10 + 2 + 2 + 2) / 4, (4 + 8 + 12 - 10) / 4 - (-10 - 10 + 2 + 2) / 4]
    assert rows.loc[("exit_as_zero", "att"), "estimate"] == pytest.approx(np.mean(changes))
    main = rows_of(results, "main").loc[("all", "att"), "estimate"]
    assert rows.loc[("survivors", "att"), "estimate"] == pytest.approx(main)


def test_logs_have_their_levels_in_the_unit_of_the_column():
    rows = rows_of(run(outcome={"transform": "log"}), "survival")
    assert rows.loc[("exit_as_zero", "att"), "scale"] == "US$"
    assert rows.loc[("survivors", "lee_lower"), "scale"] == "log_points"


def test_lee_bounds_trim_by_survival():
    """Changes are 4, 8, 12, 16 of the treated and 2: at 1 and 2 years one of the treated goes."""
    results = run()
    rows = rows_of(results, "survival").loc["survivors"]
    assert rows.loc["lee_lower", "estimate"] == pytest.approx(np.mean([8, 8 - 2, 6 - 2]))
    assert rows.loc["lee_upper", "estimate"] == pytest.approx(np.mean([8, 12 - 2, 10 - 2]))
    trimmed = figure(results, FITS, "trimmed_treated", estimator="survival")
    assert trimmed == pytest.approx(np.mean([0, 1 / 4, 1 / 3]))
    assert rows.loc["lee", "conf_low"] < rows.loc["lee_lower", "estimate"]
    assert rows.loc["lee", "conf_high"] > rows.loc["lee_upper", "estimate"]
    assert "moves no firm the other way" in rows.loc["lee", "note"]


def test_worst_case_bounds_fill_the_gone_with_the_limits():
    rows = rows_of(run(limits={"sales": {"lowest": 0, "highest": 30}}), "survival").loc["all"]
    low = [8, 10 - (20 + 6) / 4, (24 - 10) / 4 - (40 + 4) / 4]
    high = [8, 10 - (-10 + 6) / 4, (24 + 20) / 4 - (-20 + 4) / 4]
    assert rows.loc["manski_lower", "estimate"] == pytest.approx(np.mean(low))
    assert rows.loc["manski_upper", "estimate"] == pytest.approx(np.mean(high))


@pytest.mark.parametrize(
    ("asked", "outcome", "reason"),
    [
        ({}, {}, "none are declared"),
        ({"limits": {"sales": {"lowest": 0, "highest": 20}}}, {}, "5 firm-years lie outside"),
        (
            {"limits": {"sales": {"lowest": 0, "highest": 30}}},
            {"transform": "log"},
            "no log of 0",
        ),
    ],
)
def test_bounds_without_fitting_limits_say_why(asked, outcome, reason):
    rows = rows_of(run(outcome=outcome, **asked), "survival")
    row = rows.loc[("all", "manski")]
    assert np.isnan(row["conf_low"])
    assert reason in row["note"]


def test_an_outcome_in_ratios_has_levels_and_no_bounds():
    rows = rows_of(run(outcome={"transform": "proportional"}), "survival")
    assert np.isfinite(rows.loc[("exit_as_zero", "att"), "estimate"])
    assert "need an outcome with transform" in rows.loc[("survivors", "lee"), "note"]


def test_an_outcome_that_is_not_observed_is_a_row_with_the_reason():
    absent = {"observed": False, "reason": "no data", "column": None, "transform": None}
    results = run(outcome=absent)
    assert rows_of(results, "survival").loc[("survivors", "att"), "note"] == "not observed: no data"


def test_limits_are_of_outcomes_and_in_order():
    with pytest.raises(ValidationError, match="lowest must be below highest"):
        run(limits={"sales": {"lowest": 1, "highest": 1}})
    with pytest.raises(ValidationError, match="limits names jobs"):
        run(limits={"jobs": {"lowest": 0, "highest": 1}})


def test_results_do_not_depend_on_the_order_of_rows():
    head, *rows = TEXT.strip().split("\n")
    first, second = run(), run("\n".join([head, *reversed(rows)]))
    pd.testing.assert_frame_equal(first.estimates, second.estimates, rtol=1e-9)
