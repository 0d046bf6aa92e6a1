"""What a delivery lacks: thin years, absent firms, columns without values, and what settles it."""

import numpy as np
import pandas as pd
import pytest

from pipeline.analyses.specs import estimate_specs
from pipeline.commands.in_memory import match_in_memory
from pipeline.datasets.panel import COVERAGE_BY_SOURCE, FIRM_FLOWS, ISSUES
from pipeline.datasets.store import conform, empty
from pipeline.errors import DataError
from pipeline.panel.clean import clean_panel
from pipeline.panel.coverage import with_coverage
from pipeline.panel.ledger import Ledger
from pipeline.panel.notices import notices
from pipeline.panel.origin import Segment
from pipeline.panel.used_columns import used_columns
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection

N_FIRMS, N_TREATED, ENTRY = 60, 20, 2008
FIRST, LAST = 2003, 2012


def number(name, unit):
    return {"kind": "number", "column": name, "unit": unit, "label": name}


DATA = {
    "source": {"kind": "files", "panel": "panel.csv"},
    "firm_id": "id",
    "year": "yr",
    "cluster": ["town"],
    "columns": {
        "sales": number("sales", "US$"),
        "jobs": number("jobs", "jobs"),
        "exports": number("exports", "US$"),
        "age": number("age", "years"),
        "distance": number("distance", "km"),
        "entry": number("entry", "year"),
        "town": {"kind": "text", "column": "town", "label": "Town"},
        "state": {"kind": "text", "column": "state", "label": "State"},
    },
}
CLEAN = {"duplicates": {"identical": "refuse", "conflicting": "refuse"}}
TREATMENT = {
    "entry": {"source": "entry_year", "column": "entry"},
    "anticipation_years": 0,
    "comparison": "never_treated",
    "window": {"first_event_time": FIRST - ENTRY, "last_event_time": LAST - ENTRY},
}
OUTCOMES = {
    "sales_log": {"column": "sales", "transform": "log", "unit": "US$", "label": "Sales"},
}
SCORE = {
    "covariates": {"jobs": {"label": "Jobs", "column": "jobs", "transform": "log", "at": -1}},
    "unmatched": {"controls_from": "all"},
    "models": {
        "logit": {"controls_from": "all", "covariates": ["jobs"], "fit": "per_stack"}
        | {"link": "logit", "missing": "drop_firm", "support": "none"}
    },
}
DATA_SECTION = DataSection.model_validate(DATA)
SCORE_SECTION = ScoreSection.model_validate(SCORE)


def delivered():
    """Return a panel of firms that are all there in every year, the first of them treated."""
    firm, year = np.divmod(np.arange(N_FIRMS * (LAST - FIRST + 1)), LAST - FIRST + 1)
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "id": [f"f{i:03}" for i in firm],
            "yr": FIRST + year,
            "sales": rng.lognormal(3, 0.2, len(firm)),
            "jobs": rng.integers(5, 50, len(firm)).astype(float),
            "exports": rng.lognormal(1, 0.2, len(firm)),
            "age": 3.0 + firm % 7 + year,
            "distance": 1.0 + firm,
            "entry": np.where(firm < N_TREATED, float(ENTRY), np.nan),
            "town": [f"t{i // 2}" for i in firm],
            "state": "open",
        }
    )


def sections_of(window=None, **rules):
    treatment = TREATMENT | ({"window": window} if window else {})
    return {
        "data": DATA_SECTION,
        "clean": CleanSection.model_validate(CLEAN | rules),
        "treatment": TreatmentSection.model_validate(treatment),
    }


def used_in(sections, outcomes):
    return used_columns(
        OutcomesSection.model_validate(outcomes), SCORE_SECTION, sections["treatment"]
    )


def cleaned(raw, *, outcomes=OUTCOMES, window=None, **rules):
    """Clean a panel as delivered by all rules."""
    sections = sections_of(window, **rules)
    used = used_in(sections, outcomes)
    return clean_panel(raw.reset_index(drop=True), None, {}, **sections, used=used)


def covered(raw, *, outcomes=OUTCOMES, window=None, origin=(), **rules):
    """Look for gaps in a panel that no rule changes."""
    sections = sections_of(window, **rules)
    panel = raw.rename(columns={"id": "firm_id", "yr": "year"}).reset_index(drop=True)
    panel = panel.assign(
        year=panel["year"].astype("Int64"),
        cohort=panel["entry"].astype("Int64"),
        cluster=panel["town"],
    )
    ledger = Ledger(panel, pd.DataFrame(), empty(ISSUES))
    return with_coverage(ledger, **sections, origin=origin, used=used_in(sections, outcomes))


def found(ledger):
    """Return count, firms and action of the findings on gaps by rule and first year or column."""
    conform(ISSUES, ledger.issues)
    gaps = ledger.issues[~ledger.issues["rule"].isin(["missing_value", "years_not_observed"])]
    return {
        (row.rule, row.first_year if row.column == "year" else row.column): (row.count_, row.action)
        for row in gaps.rename(columns={"count": "count_"}).itertuples()
    }


def firm_number(raw):
    return raw["id"].str[1:].astype(int)


def half(raw, year, share=0.4):
    """Leave out of a year all but a share of the firms of both groups."""
    keep = (raw["yr"] != year) | (firm_number(raw) % 10 < 10 * share)
    return raw[keep]


def test_a_whole_panel_has_no_gap():
    ledger = cleaned(delivered())
    assert found(ledger) == {}
    assert list(notices(ledger)) == []


@pytest.mark.parametrize(
    ("year", "around"), [(2003, "2004: 60"), (2007, "2006: 60, 2008: 60"), (2012, "2011: 60")]
)
def test_a_year_with_fewer_than_half_of_the_firms_around_it_stops(year, around):
    with pytest.raises(DataError) as error:
        covered(half(delivered(), year))
    said = str(error.value)
    assert f"{year} has 24 firms, fewer than half" in said
    assert f"({around}); 36 firms seen there lack {year}" in said
    for setting in ("clean.coverage.leave_out_years", "clean.window", "treatment.window"):
        assert setting in said
    assert "clean.absent.flag" in said and "clean.coverage.accept: [half_year]" in said


SHORT = {"first_event_time": -2, "last_event_time": 2}


@pytest.mark.parametrize(
    ("year", "settings"),
    [
        (2003, {"window": SHORT}),
        (2012, {"window": SHORT}),
        (2003, {"first_year": 2004}),
        (2012, {"last_year": 2011}),
        (2007, {"coverage": {"leave_out_years": [2007]}}),
        (2007, {"coverage": {"accept": ["half_year"]}}),
        (2012, {"coverage": {"accept": ["half_year"]}}),
    ],
)
def test_every_setting_that_is_named_settles_a_half_year(year, settings):
    bounds = {k: v for k, v in settings.items() if k in ("first_year", "last_year")}
    rules = {k: v for k, v in settings.items() if k not in bounds}
    raw = half(delivered(), year)
    if bounds:
        data = CleanSection.model_validate(CLEAN | {"window": bounds})
        ledger = clean_panel(
            raw.reset_index(drop=True),
            None,
            {},
            data=DATA_SECTION,
            clean=data,
            treatment=TreatmentSection.model_validate(TREATMENT),
        )
    else:
        ledger = cleaned(raw, **rules)
    left_out = bool(bounds) or "leave_out_years" in settings.get("coverage", {})
    assert (year in set(ledger.panel["year"])) == (not left_out)
    gaps = found(ledger)
    if left_out:
        assert ("half_of_firms_in_year", year) not in gaps
        assert len(ledger.sample_flow[ledger.sample_flow["firm_years_lost"] == 24]) == 1
    else:
        action = "accepted" if "coverage" in settings else "not_filled"
        assert gaps[("half_of_firms_in_year", year)] == (36, action)


def test_a_flag_of_absent_rows_settles_years_that_have_them():
    """In all years but one, closed firms have rows too, which a column tells."""
    raw = half(delivered(), 2007)
    closed = (firm_number(raw) % 10 >= 4) & (raw["yr"] != 2007)
    raw = raw.assign(state=np.where(closed, "closed", "open"))
    with pytest.raises(DataError, match="2007 has 24 firms"):
        cleaned(raw)
    flagged = {"flag": "state", "flag_values": ["closed"], "flagged": "drop_rows"}
    ledger = cleaned(raw, absent=flagged)
    assert found(ledger) == {("flagged_absent", 2003): (9 * 36, "left_out")}
    step = ledger.sample_flow.set_index("rule").loc["not_absent"]
    assert (step["firm_years_lost"], step["firms_lost"]) == (9 * 36, 36)


def test_steady_entry_and_exit_is_no_gap():
    """A tenth of the firms leaves every year, and as many enter."""
    raw, n = delivered(), 6
    start = firm_number(raw) // n
    stays = (raw["yr"] - FIRST >= start - 5) & (raw["yr"] - FIRST <= start + 4)
    ledger = covered(raw[stays])
    assert found(ledger) == {}


def test_far_fewer_firms_of_a_group_are_flagged_and_do_not_stop():
    raw = delivered()
    number = firm_number(raw)
    ledger = covered(raw[~((raw["yr"] == 2006) & (number < N_TREATED) & (number % 2 == 0))])
    assert found(ledger) == {
        ("few_treated_in_year", 2006): (10, "not_filled"),
        ("gone_one_year", 2006): (10, "not_filled"),
    }
    assert [n for n in notices(ledger) if n.startswith("2006 has far fewer treated firms")]


@pytest.mark.parametrize("asked", [{"balanced": True}, {"minimum_post_years": 5}])
def test_a_half_year_is_seen_before_firms_without_it_leave(asked):
    sections, raw = sections_of(), half(delivered(), 2009).reset_index(drop=True)

    def seen(**rules):
        clean = CleanSection.model_validate(CLEAN | {"window": asked} | rules)
        return clean_panel(raw, None, {}, **sections | {"clean": clean}, used=[])

    with pytest.raises(DataError, match="2009 has 24 firms, fewer than half"):
        seen()
    ledger = seen(coverage={"accept": ["half_year"]})
    assert found(ledger)[("half_of_firms_in_year", 2009)] == (36, "accepted")
    assert ledger.panel["firm_id"].nunique() < N_FIRMS


def test_a_half_year_in_one_of_two_files_is_flagged():
    raw = delivered()
    small = firm_number(raw) >= 40
    lacks = small & (raw["yr"] == 2010) & (firm_number(raw) % 10 < 6)
    north, south = raw[~small], raw[small & ~lacks]
    origins = (
        Segment("north.csv", 0, len(north), 2),
        Segment("south.csv", len(north), len(south), 2),
    )
    ledger = covered(pd.concat([north, south]), origin=origins)
    rules = ("few_firms_of_file_in_year", "few_comparison_in_year", "gone_one_year")
    assert found(ledger) == {(rule, 2010): (12, "not_filled") for rule in rules}
    assert any("a delivered file has far fewer firms of 2010" in n for n in notices(ledger))
    assert "south" not in ledger.issues.to_csv()
    flows = conform(FIRM_FLOWS, ledger.flows).set_index(["year", "source", "treated"])
    assert flows.loc[(2010, "south.csv", False), "n_firms"] == 8
    assert flows.loc[(2011, "south.csv", False), "n_back"] == 12
    assert flows.loc[(2003, "north.csv", True), "n_entering"] == N_TREATED


def test_rows_missing_and_zero_are_counted_by_file_group_and_year():
    raw = delivered()
    raw.loc[(raw["yr"] == 2005) & (raw["id"] < "f003"), "sales"] = np.nan
    raw.loc[(raw["yr"] == 2005) & (raw["id"] > "f055"), "exports"] = 0.0
    table = conform(COVERAGE_BY_SOURCE, covered(raw).by_source)
    cells = table.set_index(["column", "year", "treated", "source"])[
        ["n_rows", "n_missing", "n_zero"]
    ]
    assert cells.loc[("sales", 2005, True, "none")].tolist() == [20, 3, 0]
    assert cells.loc[("exports", 2005, False, "none")].tolist() == [40, 0, 4]
    assert cells.loc[("town", 2005, False, "none")].isna().tolist() == [False, False, True]


def test_waves_may_be_numbered_with_gaps():
    """Waves 3, 4, 6 and 7: the one between is named, and no wave beside it is thin."""
    raw = delivered()
    ledger = cleaned(raw[raw["yr"].isin([2006, 2007, 2009, 2010])])
    assert found(ledger) == {("year_without_rows", 2008): (60, "not_filled")}


def test_firms_that_move_are_counted():
    raw = delivered()
    moves = (raw["yr"] >= 2009) & (firm_number(raw) % 10 == 0)
    back = (raw["yr"] >= 2011) & (raw["id"] == "f000")
    raw = raw.assign(town=raw["town"].where(~moves | back, "t99"))
    ledger = covered(raw)
    assert found(ledger) == {("cluster_changes", "cluster"): (7, "kept")}
    row = ledger.issues.set_index("rule").loc["cluster_changes"]
    assert row[["firms", "first_year", "last_year"]].tolist() == [6, 2009, 2011]


def without(raw, column, rows):
    return raw.assign(**{column: raw[column].mask(rows)})


def test_an_outcome_that_nobody_has_in_a_year_of_the_window_stops():
    raw = without(delivered(), "sales", delivered()["yr"] == 2010)
    with pytest.raises(DataError) as error:
        covered(raw)
    said = str(error.value)
    assert said.startswith(
        "sales has no value in any row of 2010 (60 rows), and outcomes.sales_log "
    )
    for setting in ("treatment.window", "leave_out_years: [2010]", "post_only", "observed: false"):
        assert setting in said
    assert "clean.coverage.accept: [missing_year]" in said
    gap = ("no_value_in_year", "sales")
    accepted = covered(raw, coverage={"accept": ["missing_year"]})
    assert found(accepted)[gap] == (60, "accepted")
    assert found(covered(raw, window=SHORT | {"last_event_time": 1}))[gap] == (60, "kept_missing")
    assert gap not in found(cleaned(raw, coverage={"leave_out_years": [2010]}))
    unseen = OUTCOMES["sales_log"] | {"observed": False, "reason": "not asked"}
    other = OUTCOMES["sales_log"] | {"column": "exports"}
    assert (
        found(covered(raw, outcomes={"sales_log": unseen, "exports": other}))[gap][1]
        == "kept_missing"
    )


def test_an_outcome_first_observed_after_entry_is_not_missed_before():
    raw = without(delivered(), "exports", delivered()["yr"] < 2010)
    outcome = OUTCOMES["sales_log"] | {"column": "exports"}
    with pytest.raises(
        DataError, match=r"^exports has no value in any row of 2003.* outcomes.exports "
    ):
        covered(raw, outcomes=OUTCOMES | {"exports": outcome})
    post = outcome | {"transform": "level", "post_only": True}
    assert found(covered(raw, outcomes=OUTCOMES | {"exports": post}))
    never = without(delivered(), "exports", delivered()["yr"] >= ENTRY)
    with pytest.raises(DataError, match="exports has no value in any row of treated firms of 2008"):
        covered(never, outcomes=OUTCOMES | {"exports": post})


def test_a_covariate_that_nobody_has_in_its_year_stops():
    raw = without(delivered(), "jobs", delivered()["yr"] == ENTRY - 1)
    with pytest.raises(
        DataError, match=r"^jobs has no value in any row of 2007 .*score.covariates.jobs read"
    ) as error:
        covered(raw)
    assert "treatment.leave_out_entry_years" in str(error.value)
    # in another year it is not read
    ledger = covered(without(delivered(), "jobs", delivered()["yr"] == ENTRY))
    assert found(ledger) == {("no_value_in_year", "jobs"): (60, "kept_missing")}


@pytest.mark.parametrize(
    ("treated", "n", "group"), [(True, 200, "treated"), (False, 400, "comparison")]
)
def test_a_column_that_one_group_lacks_stops_where_it_is_used(treated, n, group):
    of_group = (firm_number(delivered()) < N_TREATED) == treated
    raw = without(delivered(), "sales", of_group)
    with pytest.raises(
        DataError, match=rf"in any row of {group} firms of 2003.*\({n} rows\)"
    ) as error:
        covered(raw)
    assert "clean.coverage.accept: [missing_group]" in str(error.value)
    gap = (f"no_value_of_{group}", "sales")
    assert found(covered(raw, coverage={"accept": ["missing_group"]}))[gap] == (n, "accepted")
    unused = without(delivered(), "exports", of_group)
    assert found(covered(unused))[(f"no_value_of_{group}", "exports")] == (n, "kept_missing")


def closed_at(raw, year, n):
    """Give n firms rows of zeros from a year on; what they are and where stays."""
    zero = (raw["yr"] >= year) & (firm_number(raw) >= N_FIRMS - n)
    return raw.assign(**{name: raw[name].mask(zero, 0.0) for name in ("sales", "jobs", "exports")})


def test_many_rows_of_zeros_stop_although_age_and_distance_are_known():
    with pytest.raises(DataError) as error:
        cleaned(closed_at(delivered(), 2010, 3))
    said = str(error.value)
    assert said.startswith(
        "9 of 540 rows of firms that had more before (1.7 percent, 2010 to 2012)"
    )
    for action in ("drop_rows", "set_missing", "keep", "clean.absent.flag", "clean.window"):
        assert action in said
    # age and distance, which a closed firm has, are no sizes
    assert "have zero in every one of sales, jobs, exports: closed" in said


@pytest.mark.parametrize(
    ("rule", "n_rows", "n_missing", "action"),
    [
        ("drop_rows", 591, 0, "left_out"),
        ("set_missing", 600, 9, "set_missing"),
        ("keep", 600, 0, "accepted"),
    ],
)
def test_rows_of_zeros_are_settled_as_declared(rule, n_rows, n_missing, action):
    absent = {"all_zero": rule, "columns": ["sales", "jobs", "exports"]}
    ledger = cleaned(closed_at(delivered(), 2010, 3), absent=absent)
    assert (len(ledger.panel), ledger.panel["sales"].isna().sum()) == (n_rows, n_missing)
    assert found(ledger)[("zero_in_every_size", 2010)] == (9, action)
    step = ledger.sample_flow.set_index("rule").loc["not_absent"]
    assert step["firm_years_lost"] == 600 - n_rows


def test_few_rows_of_zeros_are_counted_and_kept():
    ledger = cleaned(closed_at(delivered(), 2012, 5))
    assert found(ledger) == {("zero_in_every_size", 2012): (5, "kept")}


@pytest.mark.parametrize(
    ("absent", "fault"),
    [
        ({"flag": "state"}, "flag, flag_values and flagged go together"),
        ({"all_zero": "set_missing"}, "set_missing needs columns"),
    ],
)
def test_half_a_rule_on_absent_firms_is_refused(absent, fault):
    with pytest.raises(ValueError, match=fault):
        CleanSection.model_validate(CLEAN | {"absent": absent})


def test_a_year_to_leave_out_that_there_is_not_is_refused():
    with pytest.raises(DataError, match="leave_out_years: no firm has a row of 2020"):
        cleaned(delivered(), coverage={"leave_out_years": [2020]})


def plants_without_effect():
    """Return plants of which the programme changes nothing; comparison plants close more often.

    Closed and unsurveyed plants have rows of zeros, as customs and tax offices deliver them.
    """
    rng = np.random.default_rng(7)
    n, years = 300, np.arange(2005, 2012)
    treated, exports = np.arange(n) < 150, rng.random(n) < 0.5
    absent_from = np.where(rng.random(n) < np.where(treated, 0.02, 0.3), 2009, 9999)
    firm, year = np.repeat(np.arange(n), len(years)), np.tile(years, n)
    there = (year < absent_from[firm]).astype(float)
    sells = exports[firm] ^ (rng.random(len(firm)) < 0.02)
    return pd.DataFrame(
        {
            "id": [f"p{i:03}" for i in firm],
            "yr": year,
            "sales": rng.lognormal(3, 0.3, len(firm)) * there,
            "jobs": rng.lognormal(2, 0.3, len(firm)) * there,
            "exports": sells * rng.lognormal(1, 0.3, len(firm)) * there,
            "age": 1.0 + year - 2000,
            "distance": 1.0 + firm,
            "entry": np.where(treated[firm], float(ENTRY), np.nan),
            "town": [f"t{i}" for i in firm],
            "state": "open",
        }
    )


EXPORTS = {"column": "exports", "transform": "any", "unit": "share", "label": "Any exports"}


ESTIMATE = {
    "conf_level": 0.95,
    "power": 0.8,
    "missing": "renormalise",
    "headline": {"spec": "main", "design": "unmatched", "term": "att"},
    "specs": {
        "main": {"estimator": "stacked", "average": "event", "designs": ["unmatched"]}
        | {"outcomes": "all", "terms": ["att"], "cluster": "firm"}
    },
}


def export_effect(all_zero):
    window = {"first_event_time": -2, "last_event_time": 3}
    absent = {"all_zero": all_zero, "columns": ["sales", "jobs", "exports"]}
    panel = cleaned(plants_without_effect(), window=window, absent=absent).panel
    balance = {"denominator": "pooled", "threshold": 0.1}
    found = match_in_memory(
        panel,
        outcomes=OutcomesSection.model_validate({"exports_any": EXPORTS}),
        treatment=TreatmentSection.model_validate(TREATMENT | {"window": window}),
        score=SCORE_SECTION,
        match=MatchSection.model_validate({"designs": {}, "balance": balance}),
        estimate=EstimateSection.model_validate(ESTIMATE),
    )
    rows = estimate_specs(found.study, found.redo).estimates
    return rows.loc[rows["term"] == "att", ["estimate", "std_error"]].iloc[0]


@pytest.mark.slow
def test_rows_of_zeros_of_absent_plants_no_longer_make_an_export_effect():
    """The programme changes nothing: zeros as values make an effect, zeros as absence none."""
    with pytest.raises(DataError, match=r"^\d+ of 1800 rows of firms that had more before"):
        cleaned(plants_without_effect())
    as_values, as_absent = export_effect("keep"), export_effect("drop_rows")
    assert as_values["estimate"] > 3 * as_values["std_error"] > 0
    assert abs(as_absent["estimate"]) < 2 * as_absent["std_error"]
    not_known = export_effect("set_missing")
    assert not_known["estimate"] == pytest.approx(as_absent["estimate"])


def test_what_reads_one_column_is_told_together():
    raw = without(delivered(), "jobs", delivered()["yr"].isin([2006, 2007]))
    outcomes = OUTCOMES | {"jobs_log": OUTCOMES["sales_log"] | {"column": "jobs"}}
    with pytest.raises(DataError) as error:
        covered(raw, outcomes=outcomes)
    said = str(error.value)
    assert said.count("\n") == 0
    assert "of 2006, 2007 (120 rows), and outcomes.jobs_log, score.covariates.jobs read it" in said


def test_a_group_without_values_in_the_years_that_are_read_is_said_where_it_is_accepted():
    """Treated firms have sales before the window alone."""
    in_window = (firm_number(delivered()) < N_TREATED) & delivered()["yr"].ge(2006)
    raw = without(delivered(), "sales", in_window)
    with pytest.raises(DataError, match="in any row of treated firms of 2006, 2007"):
        covered(raw, window=SHORT)
    ledger = covered(raw, window=SHORT, coverage={"accept": ["missing_group"]})
    assert found(ledger) == {("no_value_of_treated", "sales"): (5 * N_TREATED, "accepted")}
