"""Rows of zeros: of closed firms, of firms not founded yet, and what is no size."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_gaps import FIRST, LAST, N_FIRMS, cleaned, delivered, firm_number, found

from pipeline.errors import DataError
from pipeline.panel.notices import notices
from pipeline.panel.rules.absences import SizeColumns, count_zero_rows, settle_absent
from pipeline.params.gaps import Absent

SIZES = ["sales", "jobs", "exports"]


def zeros(raw, rows, names=SIZES):
    return raw.assign(**{name: raw[name].mask(rows, 0.0) for name in names})


def late(raw, n, year):
    """Mark rows before a year of n firms, which are founded then."""
    return (raw["yr"] < year) & (firm_number(raw) >= N_FIRMS - n)


def test_rows_before_a_firm_has_anything_are_counted_and_do_not_stop():
    raw = delivered()
    ledger = cleaned(zeros(raw, late(raw, 6, 2006)))
    assert found(ledger) == {("zero_before_first_value", FIRST): (18, "kept")}
    assert ledger.flows.groupby("year")["n_all_zero"].sum().loc[FIRST] == 6
    (notice,) = notices(ledger)
    assert notice.startswith("18 rows have zero in every one of sales, jobs, exports, of firms")


@pytest.mark.parametrize(
    ("rule", "n_rows", "n_missing", "action"),
    [
        ("drop_rows", 582, 0, "left_out"),
        ("set_missing", 600, 18, "set_missing"),
        ("keep", 600, 0, "accepted"),
    ],
)
def test_firms_not_founded_yet_are_settled_as_closed_ones_are(rule, n_rows, n_missing, action):
    raw = delivered()
    absent = {"all_zero": rule, "columns": SIZES}
    ledger = cleaned(zeros(raw, late(raw, 6, 2006)), absent=absent)
    assert (len(ledger.panel), ledger.panel["sales"].isna().sum()) == (n_rows, n_missing)
    assert found(ledger) == {("zero_before_first_value", FIRST): (18, action)}
    assert not list(notices(ledger)) or rule == "keep"


def test_a_row_that_lacks_a_size_is_not_zero_in_every_one():
    raw = delivered()
    rows = (raw["yr"] >= 2010) & (firm_number(raw) >= N_FIRMS - 4)
    raw = zeros(raw, rows).assign(exports=raw["exports"].mask(rows))
    ledger = cleaned(raw)
    assert found(ledger) == {("zero_in_every_known_size", 2010): (12, "kept")}
    kept = cleaned(raw, absent={"all_zero": "drop_rows"}).panel
    assert len(kept) == len(raw)
    with pytest.raises(DataError, match=r"12 of 540 rows .* every one of sales, jobs: closed"):
        cleaned(raw, absent={"columns": ["sales", "jobs"]})


def test_a_column_of_zeros_and_ones_is_no_size():
    """Closed firms still export by the flag; others have neither sales nor jobs nor exports."""
    raw = delivered()
    closed = (raw["yr"] >= 2010) & (firm_number(raw) >= N_FIRMS - 3)
    flag = ((firm_number(raw) + raw["yr"]) % 2).astype(float)
    raw = zeros(raw, closed, ["sales", "jobs"]).assign(exports=flag)
    with pytest.raises(DataError, match=r"^9 of 540 rows .* every one of sales, jobs: closed"):
        cleaned(raw)
    # with one size alone, zero tells nothing
    alone = zeros(delivered(), closed, ["sales"]).assign(exports=flag, jobs=1 - flag)
    assert found(cleaned(alone)) == {}
    declared = {"columns": ["sales", "jobs", "exports"]}
    assert found(cleaned(raw, absent=declared | {"all_zero": "keep"})) == {
        ("zero_in_every_size", 2010): (int((closed & (flag == 0)).sum()), "accepted")
    }


STATES = st.sampled_from(["more", "zero", "lacks"])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(firms=st.lists(st.lists(STATES, min_size=3, max_size=6), min_size=1, max_size=5))
def test_every_row_of_zeros_is_counted_once_and_settled_or_kept(firms):
    """Against a count firm by firm; rows without a size are never settled."""
    rows = [
        (f"f{firm}", FIRST + at, *{"more": (5 + at, 2.0), "zero": (0, 0), "lacks": (0, np.nan)}[s])
        for firm, states in enumerate(firms)
        for at, s in enumerate(states)
    ]
    panel = pd.DataFrame(rows, columns=["firm_id", "year", "sales", "jobs"])
    panel = panel.assign(rent=0.0).astype({"year": "Int64", "sales": float, "jobs": float})
    panel.loc[panel["jobs"].notna() & (panel["jobs"] > 0), "rent"] = 1.5
    wanted = {"zero_in_every_size": 0, "zero_before_first_value": 0, "zero_in_every_known_size": 0}
    for states in firms:
        for at, state in enumerate(states):
            had_more = "more" in states[:at]
            if state == "zero":
                wanted["zero_in_every_size" if had_more else "zero_before_first_value"] += 1
            elif state == "lacks" and had_more:
                wanted["zero_in_every_known_size"] += 1
    asked = SizeColumns(["sales", "jobs", "rent"], declared=True)
    counted = count_zero_rows(panel, asked, declared=True)
    assert counts(counted) == {code: n for code, n in wanted.items() if n}
    settled = settle_absent(panel, Absent(all_zero="drop_rows"), asked)
    gone = ("zero_in_every_size", "zero_before_first_value")
    assert counts(settled) == {code: wanted[code] for code in gone if wanted[code]}
    assert len(settled.panel) == len(panel) - sum(wanted[code] for code in gone)


def counts(ruled):
    return {one.rule.code: one.count for one in ruled.issues}


def test_the_last_years_of_a_closed_firm_are_after_more():
    raw = delivered()
    ledger = cleaned(zeros(raw, (raw["yr"] == LAST) & (firm_number(raw) < 3)))
    assert found(ledger) == {("zero_in_every_size", LAST): (3, "kept")}
