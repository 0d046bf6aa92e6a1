"""Cleaning rules: one text table in, one text table out, and what the ledger says."""

import pandas as pd
import pytest
from text_tables import table

from pipeline.datasets.panel import CORRECTIONS, SURVIVAL_RULE
from pipeline.datasets.store import conform
from pipeline.errors import DataError
from pipeline.panel.ledger import apply_rules
from pipeline.panel.rules.corrections import correct_points
from pipeline.panel.rules.customs import separate_customs_states
from pipeline.panel.rules.duplicates import add_up_merged, collapse_identical, settle_conflicting
from pipeline.panel.rules.first_digits import take_first_digits
from pipeline.panel.rules.links import link, linked_identifiers
from pipeline.panel.rules.missing_zeros import take_missing_as_zero
from pipeline.panel.rules.outliers import find_jumps, limit_tails
from pipeline.panel.rules.prices import convert_prices
from pipeline.panel.rules.recodes import recode
from pipeline.panel.rules.restrictions import (
    balance_window,
    bound_years,
    count_gaps,
    exclude_always_treated,
    filter_rows,
    require_years,
)
from pipeline.panel.rules.standard import blank_missing_codes
from pipeline.panel.rules.units import apply_factor, check_scales
from pipeline.panel.values import firm_identifier
from pipeline.params.clean import (
    Customs,
    Duplicates,
    Filter,
    FirstDigits,
    Jumps,
    Links,
    PanelWindow,
    Price,
    Recode,
    ScaleCheck,
    Tails,
    UnitFactor,
)
from pipeline.params.identifier import Identifier


def rows(text):
    """Return a typed panel: firm_id, year, cohort, then numbers and codes."""
    frame = table(text, firm_id="str", year="Int64", cohort="Int64", sector="str")
    numbers = frame.select_dtypes("integer").columns.difference(["year", "cohort"])
    return frame.astype(dict.fromkeys(numbers, "float64"))


def same(found, expected):
    pd.testing.assert_frame_equal(found.reset_index(drop=True), rows(expected))


def entry(ruled):
    """Return the only issue of a rule as (column, count, firms, first year, last, action)."""
    (issue,) = ruled.issues
    years = issue.first_year, issue.last_year
    return issue.column, issue.count, issue.firms, *years, issue.action.code


def codes(issues):
    """Return what issues say: code and fields of what was found, and what was done."""
    return [(i.rule.code, dict(i.rule.fields), i.action.code, i.count) for i in issues]


@pytest.mark.parametrize(
    ("delivered", "written", "expected"),
    [
        (["12.0", " 7 "], {"width": 5}, ["00012", "00007"]),
        (["20-1 3", "44.5"], {"remove": " .-", "width": 4}, ["2013", "0445"]),
        ([12.0, 7.0], {"width": 3}, ["012", "007"]),
        (["7.654.321-0", "12"], {"cut_at": "-", "remove": "."}, ["7654321", "12"]),
    ],
)
def test_identifiers_are_written_as_declared(delivered, written, expected):
    assert firm_identifier(pd.Series(delivered), "id", Identifier(**written)).tolist() == expected


def test_an_identifier_longer_than_its_width_is_refused():
    with pytest.raises(DataError, match=r"longer than clean.identifier.width 3: 1 rows; .* row 3"):
        firm_identifier(pd.Series(["12", "1234"]), "id", Identifier(width=3))


REPEATED = """
firm_id year cohort sales
a       2001 -      1
a       2001 -      1
b       2001 -      2
b       2001 -      5
b       2001 -      3
"""


def test_identical_rows_collapse_and_are_counted():
    panel = rows(REPEATED)
    rule = Duplicates(identical="collapse", conflicting="refuse")
    ruled = collapse_identical(panel, panel["firm_id"], rule)
    assert ruled.panel.index.tolist() == [0, 2, 3, 4]
    assert entry(ruled) == ("firm_id", 1, 1, 2001, 2001, "collapsed")
    with pytest.raises(DataError, match=r"more than one row in a year: 3 rows; .* row 4, 5, 6"):
        settle_conflicting(ruled.panel, panel["firm_id"], rule)


@pytest.mark.parametrize(
    ("settings", "kept"),
    [({"conflicting": "first"}, 2), ({"conflicting": "last"}, 3),
     ({"conflicting": "largest", "by": "sales"}, 5)],
)  # fmt: skip
def test_conflicting_rows_are_settled_by_the_named_rule(settings, kept):
    panel = rows(REPEATED)
    rule = Duplicates(identical="collapse", **settings)
    once = collapse_identical(panel, panel["firm_id"], rule).panel
    ruled = settle_conflicting(once, panel["firm_id"], rule)
    assert ruled.panel["sales"].tolist() == [1, kept]
    assert entry(ruled)[1] == 3


def test_links_follow_changes_to_their_end_and_join_splits():
    changes = table("old_id new_id\na b\nb c\nd c", old_id="str")
    links = linked_identifiers(changes, Links(file="l.csv", add_up=None, split="refuse"),
                               Identifier())  # fmt: skip
    assert link(pd.Series(["a", "b", "c", "d", "e"]), links).tolist() == ["c", "c", "c", "c", "e"]
    parts = table("old_id new_id\na b\na c", old_id="str")
    with pytest.raises(DataError, match="1 firms split into several"):
        linked_identifiers(parts, Links(file="l.csv", add_up=None, split="refuse"), Identifier())
    joined = linked_identifiers(parts, Links(file="l.csv", add_up=None, split="join"),
                                Identifier())  # fmt: skip
    assert link(pd.Series(["a", "b", "c"]), joined).tolist() == ["a", "a", "a"]


def test_links_in_a_circle_are_refused():
    circle = table("old_id new_id\na b\nb a", old_id="str")
    with pytest.raises(DataError, match="in a circle"):
        linked_identifiers(circle, Links(file="l.csv", add_up=None, split="refuse"), Identifier())


def test_merged_firms_add_up_the_named_columns_only():
    panel = rows("""
firm_id year cohort sales founded
a       2001 2002   1     1990
a       2001 2002   5     1980
b       2001 -      2     1970
""")
    same(
        add_up_merged(panel, ["sales"]).panel,
        """
firm_id year cohort sales founded
a       2001 2002   6     1990
b       2001 -      2     1970
""",
    )
    with pytest.raises(DataError, match="firms that links join share a year: 2 rows"):
        add_up_merged(panel, None)


RAW = table("""
firm_id year sales employment
a       2001 10    s/d
a       2002 -1    4
b       2001 -1.0  999999
b       2002 7     2
""", firm_id="str", year="Int64", sales="str")  # fmt: skip


def test_codes_for_missing_are_blanked_as_text_and_as_numbers():
    found, issues = blank_missing_codes(RAW, {"sales": ["-1"], "employment": ["s/d", "999999"]})
    assert found["sales"].isna().tolist() == [False, True, True, False]
    assert found["employment"].isna().tolist() == [True, False, True, False]
    assert [(issue.column, issue.count) for issue in issues] == [("sales", 2), ("employment", 2)]


def test_a_code_with_a_zero_in_front_is_another_code():
    panel = RAW.assign(sector=["9", "09", "10", None])
    found, issues = blank_missing_codes(panel, {"sector": ["9"]})
    assert found["sector"].isna().tolist() == [True, False, False, True]
    assert [issue.count for issue in issues] == [1]


def corrections(**changes):
    row = {
        "firm_id": "a",
        "year": "2001",
        "column": "sales",
        "old": "10",
        "new": "100",
        "reason": "zero was lost",
        "source": "annual report",
    }
    return pd.DataFrame([row | changes])


def test_a_correction_replaces_the_value_expected_and_is_named_in_the_ledger():
    found, issues, listed = correct_points(RAW, corrections(), "corrections.csv", Identifier())
    assert found["sales"].tolist() == ["100", "-1", "-1.0", "7"]
    assert RAW["sales"].tolist()[0] == "10"
    assert codes(issues) == [("point_correction", {"file": "corrections.csv"}, "replaced", 1)]
    (row,) = conform(CORRECTIONS, listed).to_dict("records")
    assert (row["reason"], row["source"]) == ("zero was lost", "annual report")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"old": "11"}, "column sales: the value found is not the old value expected: 1 rows"),
        ({"old": None}, "the value found is not the old value expected"),
        ({"column": "profit"}, r"a column is not in data.columns: 1 rows; use standard names \("),
        ({"year": "2009"}, "firm-year is not in the panel: 1 rows"),
        ({"reason": None}, "a correction has no reason"),
        ({"source": None}, "a correction has no source"),
    ],
)
def test_a_correction_that_does_not_fit_is_an_error(changes, message):
    with pytest.raises(DataError, match=message):
        correct_points(RAW, corrections(**changes), "corrections.csv", Identifier())


SECTORS = """
firm_id year cohort sector
a       2001 -      17
a       2005 -      13
b       2001 -      18
b       2005 -      99
"""


def concordance(text):
    return table(text, **{"from": "str", "to": "str"})


def test_codes_are_recoded_in_the_years_in_which_the_table_applies():
    by_year = concordance("from to last_year\n17 13 2004\n18 13 2004")
    rule = Recode(column="sector", file="isic.csv", one_to_many="refuse", unknown="keep")
    ruled = recode(rows(SECTORS), by_year, rule)
    assert ruled.panel["sector"].tolist() == ["13", "13", "13", "99"]
    file = {"file": "isic.csv"}
    assert codes(ruled.issues) == [
        ("recoded", file, "code_replaced", 2),
        ("code_not_in_file", file, "kept", 2),
        ("codes_joined", file, "code_replaced", 2),
    ]
    assert [issue.firms for issue in ruled.issues] == [2, 2, None], "codes are of no firm"


def test_a_code_that_becomes_several_is_refused_or_takes_the_first():
    split = concordance("from to\n17 13\n17 14\n13 13\n18 15\n99 99")
    refuse = Recode(column="sector", file="isic.csv", one_to_many="refuse", unknown="refuse")
    with pytest.raises(DataError, match=r"turns a code of sector into several: 1 rows; .* row 2"):
        recode(rows(SECTORS), split, refuse)
    first = recode(rows(SECTORS), split, refuse.model_copy(update={"one_to_many": "first"}))
    assert first.panel["sector"].tolist() == ["13", "13", "15", "99"]
    several = ("code_becomes_several", {"file": "isic.csv"}, "first_row_taken", 1)
    assert several in codes(first.issues)


def test_a_code_that_the_table_lacks_is_refused_where_declared():
    rule = Recode(column="sector", file="isic.csv", one_to_many="refuse", unknown="refuse")
    with pytest.raises(DataError, match=r"isic.csv lacks a code of sector: 2 rows; .* row 3, 5"):
        recode(rows(SECTORS), concordance("from to\n17 13\n18 13"), rule)


CODES = """
firm_id year cohort sector
a       2001 -      0111
b       2001 -      111
c       2001 -      C10.71
d       2001 -      C
e       2001 -      -
"""


def test_codes_are_shortened_to_their_first_digits_and_lost_zeros_put_back():
    rule = FirstDigits(column="sector", digits=2, code_digits=4)
    ruled = take_first_digits(rows(CODES), rule)
    assert ruled.panel["sector"].fillna("-").tolist() == ["01", "01", "10", "-", "-"]
    assert codes(ruled.issues) == [
        ("leading_zeros_lost", {}, "zeros_put_in_front", 1),
        ("fewer_digits", {"digits": 2}, "set_missing", 1),
        ("first_digits", {"digits": 2}, "code_replaced", 3),
    ]
    as_they_are = take_first_digits(rows(CODES), FirstDigits(column="sector", digits=2))
    assert as_they_are.panel["sector"].fillna("-").tolist() == ["01", "11", "10", "-", "-"]
    with pytest.raises(DataError, match=r"at which end zeros were lost: 1 rows; .* row 3"):
        take_first_digits(rows(CODES.replace(" 111", " 1.1")), rule)
    with pytest.raises(ValueError, match="code_digits 2: a code has more digits than the 2"):
        FirstDigits(column="sector", digits=2, code_digits=2)


UNITS = """
firm_id year cohort sales wages
a       2001 -      100   30
b       2001 -      300   90
a       2002 -      .110  31
b       2002 -      .290  88
a       2003 -      120   .032
b       2003 -      310   .091
"""
CHECK = {"columns": ["sales"], "factors": [1e3, 1e6], "tolerance_factor": 2.0, "action": "report"}


def test_a_year_in_another_unit_is_found_and_can_be_declared():
    ruled = check_scales(rows(UNITS), ScaleCheck(**CHECK))
    assert codes(ruled.issues) == [
        ("median_rises", {"factor": 1000}, "reported", 1),
        ("median_falls", {"factor": 1000}, "reported", 1),
    ]
    assert [issue.first_year for issue in ruled.issues] == [2003, 2002]
    declared = apply_factor(rows(UNITS), UnitFactor(column="sales", years=[2002], factor=1000))
    assert entry(declared) == ("sales", 2, 2, 2002, 2002, "converted")
    assert check_scales(declared.panel, ScaleCheck(**CHECK)).issues == ()


def test_a_column_in_another_unit_than_its_pair_is_refused():
    pairs = ScaleCheck(**CHECK | {"columns": ["sales"], "pairs": [("wages", "sales")],
                                  "action": "refuse"})  # fmt: skip
    one_year = rows(UNITS)
    one_year = one_year[one_year["year"] == 2003]
    with pytest.raises(DataError, match="wages 2003: median is sales / 1000"):
        check_scales(one_year.assign(wages=one_year["wages"] * 3), pairs)


def test_a_unit_factor_without_values_is_an_error():
    with pytest.raises(DataError, match="sales has no value in 2009"):
        apply_factor(rows(UNITS), UnitFactor(column="sales", years=[2009], factor=1000))


PRICES = """
firm_id year cohort sales sector
a       2001 -      100   x
a       2002 -      121   x
a       2003 -      -     y
"""


def price(**changes):
    rule = {"columns": ["sales"], "file": "cpi.csv", "kind": "index", "base_year": 2001}
    return Price(**rule | changes)


def test_an_index_and_its_inflation_rates_give_the_same_prices():
    index = table("year value\n2001 200\n2002 220\n2003 231")
    rates = table("year value\n2001 7\n2002 10\n2003 5")
    by_index = convert_prices(rows(PRICES), index, price())
    by_rates = convert_prices(rows(PRICES), rates, price(kind="inflation_percent"))
    assert by_index.panel["sales"].tolist()[:2] == pytest.approx([100, 110])
    pd.testing.assert_frame_equal(by_index.panel, by_rates.panel)
    assert entry(by_rates)[1:5] == (2, 1, 2001, 2002)


def test_inflation_rates_are_never_used_as_an_index():
    rates = table("year value\n2001 7\n2002 2\n2003 5")
    with pytest.raises(DataError, match=r"moves by 250 percent .* declare kind: inflation_percent"):
        convert_prices(rows(PRICES), rates, price())
    with pytest.raises(DataError, match="zero or below, as no index can"):
        convert_prices(rows(PRICES), table("year value\n2001 1\n2002 -2\n2003 1"), price())


def test_prices_by_group_and_exchange_rates():
    by_sector = table("year sector value\n2001 x 100\n2002 x 110\n2003 y 100\n2001 y 50\n2002 y 80")
    found = convert_prices(rows(PRICES), by_sector, price(by="sector", largest_move_percent=70))
    assert found.panel["sales"].tolist()[:2] == pytest.approx([100, 110])
    rate = price(kind="exchange_rate", base_year=None)
    dollars = convert_prices(rows(PRICES), table("year value\n2001 2\n2002 4"), rate)
    assert dollars.panel["sales"].tolist()[:2] == [50, 30.25]


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ("year value\n2001 100", "covers not all firm-years: 1 have none, in 2002"),
        ("year value\n2002 100\n2003 100", "no value for base_year 2001"),
        ("year value\n2001 100\n2001 100", "a year is there twice: 1 rows"),
        ("year value\n2001 x\n2002 100", "a value is no number: 1 rows"),
        ("year cpi\n2001 100", "has no column value; it has year, cpi"),
        (
            "A1 7.3\nA2 100",
            "has no column .*; none of its 2 columns has a name .*: has it a header",
        ),
    ],
)
def test_a_price_table_that_cannot_be_used_is_an_error(series, message):
    with pytest.raises(DataError, match=message):
        convert_prices(rows(PRICES), table(series), price())


CUSTOMS = """
firm_id year cohort exports matched
a       2001 -      5       1
b       2001 -      0       1
c       2001 -      -       1
d       2001 -      -       0
"""


@pytest.mark.parametrize(("unmatched", "last"), [("missing", None), ("zero", 0.0)])
def test_zero_missing_and_not_in_customs_are_three_states(unmatched, last):
    rule = Customs(column="exports", matched="matched", unmatched=unmatched)
    ruled = separate_customs_states(rows(CUSTOMS), rule)
    found = [None if pd.isna(value) else value for value in ruled.panel["exports"]]
    assert found == [5, 0, None, last]
    assert codes(ruled.issues) == [
        ("zero", {}, "kept_zero", 1),
        ("missing_in_customs", {}, "kept", 1),
        ("not_in_customs", {}, f"set_{unmatched}", 1),
    ]


def test_a_value_of_a_firm_that_customs_lack_is_refused():
    rule = Customs(column="exports", matched="matched", unmatched="missing")
    with pytest.raises(DataError, match=r"has a value although matched is 0: 1 rows; .* row 2"):
        separate_customs_states(rows(CUSTOMS).assign(matched=0.0), rule)


WINDOW = """
firm_id year cohort sales sector
t       2001 2003   1     x
t       2002 2003   1     x
t       2003 2003   1     x
u       2002 2003   1     x
u       2003 2003   1     x
c       2001 -      1     x
c       2002 -      1     y
"""


def kept(ruled):
    return "".join(ruled.panel["firm_id"])


def test_filters_and_windows_keep_what_they_name():
    panel = rows(WINDOW)
    assert kept(filter_rows(panel, Filter(column="sector", label="x", keep=["x"]))) == "tttuuc"
    assert kept(filter_rows(panel, Filter(column="sector", label="y", drop=["y"]))) == "tttuuc"
    assert kept(bound_years(panel, PanelWindow(first_year=2002))) == "ttuuc"
    with pytest.raises(DataError, match="sector never is z"):
        filter_rows(panel, Filter(column="sector", label="z", keep=["z"]))


def test_minimum_years_count_before_and_from_entry_on():
    panel = rows(WINDOW)
    pre = require_years(panel, PanelWindow(minimum_pre_years=2))
    assert kept(pre) == "tttcc"
    assert pre.issues == ()
    post = require_years(panel, PanelWindow(minimum_pre_years=1, minimum_post_years=2))
    assert kept(post) == ""
    assert entry(post)[1] == 7


def test_firms_that_enter_in_the_first_year_are_never_seen_before():
    panel = rows(WINDOW)
    panel.loc[panel["firm_id"] == "u", "cohort"] = 2001
    assert kept(exclude_always_treated(panel)) == "tttcc"
    panel.loc[panel["firm_id"] == "u", "cohort"] = 2002
    assert kept(exclude_always_treated(panel)) == "tttuucc"


def test_years_between_those_of_a_firm_are_counted():
    panel = rows(WINDOW)
    gap = panel[(panel["firm_id"] != "t") | (panel["year"] != 2002)]
    assert entry(count_gaps(gap)) == ("year", 1, 1, 2001, 2003, "not_filled")
    assert count_gaps(panel).issues == ()


def test_what_selects_on_survival_is_marked_for_the_notes():
    ruled = balance_window(rows(WINDOW), PanelWindow(balanced=True))
    assert kept(ruled) == "ttt"
    assert codes(ruled.issues) == [(SURVIVAL_RULE, {"step": ruled.step}, "left_out", 4)]


JUMPS = """
firm_id year cohort sales
a       2001 -      10
a       2002 -      9000
a       2003 -      11
b       2001 -      10
b       2002 -      9000
b       2004 -      11
"""


def test_a_value_far_from_both_neighbouring_years_is_a_jump():
    rule = Jumps(columns=["sales"], factor=100, action="set_missing")
    ruled = find_jumps(rows(JUMPS), rule)
    assert ruled.panel["sales"].isna().tolist() == [False, True, False, False, False, False]
    assert entry(ruled)[1:] == (1, 1, 2002, 2002, "set_missing")
    reported = find_jumps(rows(JUMPS), rule.model_copy(update={"action": "report"}))
    assert reported.panel["sales"].notna().all()
    with pytest.raises(DataError, match="100 times off both neighbouring years: 1 rows"):
        find_jumps(rows(JUMPS), rule.model_copy(update={"action": "refuse"}))


TAILS = """
firm_id year cohort sales
a       2001 -      0
b       2001 -      50
c       2001 -      100
d       2001 2001   400
"""


@pytest.mark.parametrize(("method", "expected"), [("winsorise", 100), ("trim", None)])
def test_thresholds_of_tails_come_from_untreated_values(method, expected):
    rule = Tails(columns=["sales"], method=method, lower_percentile=None,
                 upper_percentile=100, by=["year"])  # fmt: skip
    ruled = limit_tails(rows(TAILS), rule)
    found = [None if pd.isna(value) else value for value in ruled.panel["sales"]]
    assert found == [0, 50, 100, expected]
    assert entry(ruled)[1] == 1


def test_a_group_without_untreated_values_has_no_threshold():
    panel = rows(TAILS).assign(year=pd.array([2001, 2001, 2001, 2002], dtype="Int64"))
    rule = Tails(columns=["sales"], method="trim", lower_percentile=1, upper_percentile=99,
                 by=["year"])  # fmt: skip
    ruled = limit_tails(panel, rule)
    assert ruled.panel["sales"].tolist()[3] == 400
    assert [issue.count for issue in ruled.issues] == [2, 1]


def test_the_ledger_counts_losses_by_group_and_shares_of_size():
    panel = rows("""
firm_id year cohort sales employment
t       2001 2002   10    1
t       2002 2002   10    1
c       2001 -      60    2
c       2002 -      20    0
""")
    ledger = apply_rules([panel], [lambda p: bound_years(p, PanelWindow(first_year=2002))])
    row = ledger.sample_flow.iloc[1]
    assert (row["rule"], row["rule_fields"]) == ("years", '{"first": 2002, "last": 2002}')
    assert (row["firms_lost"], row["firm_years_lost"], row["firm_years"]) == (0, 2, 2)
    assert (row["treated_firm_years_lost"], row["comparison_firm_years_lost"]) == (1, 1)
    assert row["sales_lost_share"] == pytest.approx(0.7)
    assert row["employment_lost_share"] == pytest.approx(0.75)


BLANKS = """
firm_id year cohort sales jobs exports
a       2001 -      5     1    3
b       2001 -      5     -    -
c       2001 -      -     -    -
a       2002 -      5     1    -
"""


def test_missing_means_zero_for_firms_that_answered_in_years_in_which_somebody_did():
    ruled = take_missing_as_zero(rows(BLANKS), ["exports"], ["sales", "jobs"])
    found = [None if pd.isna(value) else value for value in ruled.panel["exports"]]
    assert found == [3, 0, None, None]
    assert codes(ruled.issues) == [
        ("missing_means_zero", {}, "set_zero", 1),
        ("nobody_has_a_value", {}, "kept", 1),
        ("no_other_size", {}, "kept", 1),
    ]
    with pytest.raises(DataError, match="no other number column tells which firms answered"):
        take_missing_as_zero(rows(BLANKS), ["exports"], [])
