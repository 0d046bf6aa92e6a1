"""Years that were delivered in part and follow each other; panels that grow or shrink."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_gaps import SHORT, covered, delivered, firm_number, found, half

from pipeline.errors import DataError
from pipeline.panel.gaps import thin_places

N = 60


def thin(raw, years, share=0.4):
    for year in years:
        raw = half(raw, year, share)
    return raw


def halves(counts):
    return [at for at, one in thin_places(np.array(counts)).items() if one.is_half]


@pytest.mark.parametrize(
    ("years", "around"),
    [
        ((2006, 2007), "2005: 60, 2008: 60"),
        ((2005, 2006, 2007, 2008), "2004: 60, 2009: 60"),
        ((2003, 2004), "2005: 60"),
        ((2011, 2012), "2010: 60"),
    ],
)
def test_thin_years_that_follow_each_other_do_not_hide_each_other(years, around):
    raw = thin(delivered(), years)
    with pytest.raises(DataError) as error:
        covered(raw)
    said = str(error.value)
    for year in years:
        assert (
            f"{year} has 24 firms, fewer than half of those of the years around it ({around})"
            in said
        )
        assert f"36 firms seen there lack {year}" in said
    assert f"leave_out_years: [{', '.join(map(str, years))}]" in said
    kept = raw[~raw["yr"].isin(years)]
    assert not [gap for gap in found(covered(kept)) if gap[0] == "half_of_firms_in_year"]
    accepted = found(covered(raw, coverage={"accept": ["half_year"]}))
    assert {y for rule, y in accepted if rule == "half_of_firms_in_year"} == set(years)


def test_very_thin_years_are_told_beside_whole_ones():
    """Each would be half of the average of a whole year and the other."""
    with pytest.raises(DataError, match=r"2006 has 12 firms, .* \(2005: 60, 2008: 60\); 48 firms"):
        covered(thin(delivered(), (2006, 2007), 0.2))


def test_thin_years_of_which_one_is_in_the_window_stop_for_it():
    with pytest.raises(DataError, match=r"^2010 has 24 firms.*leave_out_years: \[2010\]"):
        covered(thin(delivered(), (2010, 2011)), window=SHORT)
    covered(thin(delivered(), (2011, 2012)), window=SHORT)


def test_thin_years_of_a_group_and_of_a_file_do_not_hide_each_other():
    raw = delivered()
    treated = firm_number(raw) < 20
    lacks = treated & raw["yr"].isin([2006, 2007]) & (firm_number(raw) % 2 == 0)
    gaps = found(covered(raw[~lacks]))
    assert {year for rule, year in gaps if rule == "few_treated_in_year"} == {2006, 2007}


RATES = st.floats(0.2, 5)
LEVELS = st.lists(st.integers(20, 400), min_size=3, max_size=9)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(n=st.integers(3, 12), rate=RATES, first=st.integers(30, 400))
def test_a_panel_that_grows_or_shrinks_steadily_has_no_half_year(n, rate, first):
    counts = [c for at in range(n) if 20 <= (c := round(first * rate**at)) < 10**9]
    assert len(counts) < 3 or halves(counts) == []


@settings(max_examples=30, deadline=None, derandomize=True)
@given(levels=LEVELS, shrinks=st.booleans())
def test_years_that_only_grow_or_only_shrink_never_hide_in_runs(levels, shrinks):
    """Single years alone are thin there, as beside a jump, and level ones at an end."""
    counts = np.array(sorted(levels, reverse=shrinks))
    for at, one in thin_places(counts).items():
        around = [at - 1, at + 1]
        assert one.beside == [b for b in around if 0 <= b < len(counts)] or len(one.beside) == 1


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    n=st.integers(6, 12), start=st.integers(1, 4), length=st.integers(1, 4),
    share=st.floats(0.1, 0.45), rate=st.floats(0.9, 1.1),
)  # fmt: skip
def test_any_run_of_half_years_is_seen_on_a_panel_that_moves(n, start, length, share, rate):
    run = range(start, min(start + length, n - 1))
    counts = np.array([200 * rate**at for at in range(n)])
    counts[list(run)] *= share
    if (
        len(run) <= n // 2
        and counts[list(run)].max() < 0.5 * counts[[start - 1, run[-1] + 1]].mean()
    ):
        assert halves(counts) == list(run)
    else:
        assert set(halves(counts)) <= set(run)


@pytest.mark.parametrize(
    "counts", [[24, 60, 66, 72], [72, 66, 60, 24], [20, 22, 60, 70], [24, 60], [60, 60, 20, 60]]
)
def test_half_years_at_the_end_of_a_panel_that_grows_are_seen(counts):
    assert halves(counts)


@pytest.mark.parametrize(
    "counts",
    [
        [20, 40, 85, 120, 150],
        [20, 20, 20, 90, 90, 90],
        [90, 90, 90, 20, 20, 20],
        [10, 40, 160, 640],
        [6, 13, 20, 27, 33, 40],
        [150, 120, 85, 40, 20],
        [100, 75, 45, 75, 100, 100, 100],
        [50, 55, 60, 120, 125, 130],
        [100, 100, 100, 80, 60, 45, 30],
        [100, 80, 60, 45, 40, 45, 60, 80, 100],
    ],
)
def test_true_growth_decline_and_recovery_do_not_stop(counts):
    assert halves(counts) == []
