"""The comparison with frozen results finds what moved, and only that."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.freeze import __main__ as command
from benchmarks.freeze.allowed import reason
from benchmarks.freeze.comparison import compare
from benchmarks.freeze.keys import TABLES, Table, estimates
from benchmarks.freeze.storage import FROZEN, read, studies, write
from pipeline.datasets.samples import GROUPS

BY_NAME = {table.name: table for table in TABLES}
STUDY = "michigan"


def faults(name, change):
    """Return the differences, none of them allowed, that a change to one table gives."""
    found = differences(name, change)
    return [difference for difference in found if reason(difference) is None]


def differences(name, change, study=STUDY):
    table, frozen = BY_NAME[name], read(BY_NAME[name], study)
    return compare(table, study, frozen, change(frozen.copy())).differences


def pick(frame, **key):
    """Return the place of the only row with a key."""
    held = np.logical_and.reduce([frame[name] == value for name, value in key.items()])
    assert held.sum() == 1
    return frame.index[held][0]


ATT = {
    "outcome": "training_hours",
    "design": "covariates",
    "sample": "all",
    "subgroup": "all",
    "estimator": "stacked",
    "family": "att",
    "inference": "analytic",
    "band": "pointwise",
}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_table_does_not_differ_from_itself(name):
    assert differences(name, lambda frame: frame.sample(frac=1, random_state=1)) == []


@pytest.mark.parametrize(("by", "n"), [(1 + 1e-6, 1), (1 + 1e-10, 0), (np.nan, 1)])
def test_an_estimate_that_moved_is_found(by, n):
    def change(frame):
        frame.loc[pick(frame, **ATT), "estimate"] *= by
        return frame

    found = faults("estimates", change)
    assert [(one.column, one.key["family"]) for one in found] == [("estimate", "att")] * n


def test_a_rounding_zero_is_no_difference_but_a_small_effect_is():
    def to(value):
        def change(frame):
            frame.loc[0, "std_diff"] = value
            return frame

        return change

    table, frozen = BY_NAME["balance"], to(0.0)(read(BY_NAME["balance"], STUDY))
    assert compare(table, STUDY, frozen, to(3e-9)(frozen.copy())).differences == []
    assert len(compare(table, STUDY, frozen, to(3e-7)(frozen.copy())).differences) == 1


@pytest.mark.parametrize("name", BY_NAME)
def test_a_missing_and_a_new_row_are_found(name):
    def rename(frame):
        frame.loc[0, "design"] = "another"
        return frame

    kinds = [difference.kind for difference in differences(name, rename)]
    assert kinds[0] == "row is missing"
    assert len(kinds) == 2


def test_one_firm_more_is_found():
    def change(frame):
        frame.loc[pick(frame, **ATT), "n_treated"] += 1
        return frame

    assert [one.column for one in faults("estimates", change)] == ["n_treated"]


def test_a_changed_pair_is_found_by_its_firms():
    def change(frame):
        frame.loc[0, "firm_id"] = "another firm"
        return frame

    found = faults("matches", change)
    assert {one.key["firm_id"] for one in found} >= {"another firm"}
    assert [one.kind for one in found] == ["row is missing", "row is new"]


def test_a_weight_that_moved_beyond_its_stored_digits_is_found():
    def change(frame):
        frame.loc[frame["weight"].idxmax(), "weight"] *= 1 + 2e-8
        return frame

    assert [one.column for one in faults("weights", change)] == ["weight"]


@pytest.mark.parametrize(("moved", "n"), [(0.1, 0), (0.5, 1)])
def test_a_bound_of_a_simultaneous_band_may_move_a_little(moved, n):
    def change(frame):
        row = frame.index[frame["band"] == "simultaneous"][0]
        frame.loc[row, "conf_high"] += moved * frame.loc[row, "std_error"]
        return frame

    assert len(differences("estimates", change)) == 1
    assert len(faults("estimates", change)) == n


def test_a_bound_of_a_pointwise_interval_may_not_move():
    def change(frame):
        row = pick(frame, **ATT)
        frame.loc[row, "conf_high"] += 0.01 * frame.loc[row, "std_error"]
        return frame

    assert [one.column for one in faults("estimates", change)] == ["conf_high"]


@pytest.mark.parametrize(("estimate", "n"), [(np.nan, 0), (0.1, 1)])
def test_a_new_row_is_allowed_where_it_holds_no_estimate(estimate, n):
    def change(frame):
        new = frame.loc[[pick(frame, **ATT)]].assign(family="another", estimate=estimate)
        return pd.concat([frame, new], ignore_index=True)

    assert len(differences("estimates", change)) == 1
    assert len(faults("estimates", change)) == n


@pytest.mark.parametrize(
    ("outcome", "band", "n"),
    [
        ("exports_value", "simultaneous", 0),
        ("exports_value", "other", 1),
        ("sales_log", "simultaneous", 1),
    ],
)
def test_a_new_band_is_allowed_for_effects_in_proportion_only(outcome, band, n):
    def change(frame):
        held = (frame["outcome"] == outcome) & (frame["family"] == "event")
        held &= frame["band"] == "pointwise"
        new = frame[held].head(1).assign(band=band, event_time="9")
        return pd.concat([frame, new], ignore_index=True)

    found = differences("estimates", change, "simulated")
    assert len(found) == 1
    assert [reason(difference) for difference in found].count(None) == n


@pytest.mark.parametrize(("design", "n"), [("entropy", 0), ("covariates", 1)])
def test_the_ratio_of_two_rounding_errors_may_go(design, n):
    def change(frame):
        frame.loc[pick(frame, family="rubin_r_after", design=design), "value"] = np.nan
        return frame

    assert len(differences("facts", change)) == 1
    assert len(faults("facts", change)) == n


def test_facts_that_no_table_holds_any_more_are_counted_not_passed_over(capsys):
    table, frozen = BY_NAME["facts"], read(BY_NAME["facts"], STUDY)
    without = frozen[frozen["family"] != "rubin_b_after"]
    found = compare(table, STUDY, frozen, without)
    assert found.differences == []
    assert found.not_compared == {"rubin_b_after": 3}
    assert command.report(found, everything=False) == 0
    assert "not compared, 3 facts without a place: rubin_b_after (3)" in capsys.readouterr().out


def test_typed_coordinates_have_the_keys_that_were_frozen(tmp_path):
    known = {"outcome": "y", "design": "d", "sample": "all", "estimator": "e", "subgroup": "all"}
    known |= {"inference": "analytic", "band": "pointwise", "estimate": 1.0, "grouping": "all"}
    rows = [
        known | {"term": "att"},
        known | {"term": "event", "event_time": -2},
        known | {"term": "event_bin", "event_time": 1, "last_event_time": 3},
        known | {"term": "att_gt", "cohort": 2004, "year": 2007, "event_time": 3},
        known | {"term": "total", "grouping": "jobs"},
        known | {"term": "att", "grouping": "size", "subgroup": "g2"},
        known | {"term": "att", "grouping": "area", "subgroup": "g1"},
        known | {"term": "att", "grouping": "sector", "subgroup": "food"},
    ]
    groups = [
        {"grouping": "size", "subgroup": "g2", "position": 2, "transform": "level", "low": 10.0},
        {"grouping": "area", "subgroup": "g1", "position": 1, "label": "urban"},
        {"grouping": "sector", "subgroup": "food", "position": 1, "transform": "category"},
    ]
    whole = dict.fromkeys(["cohort", "year", "event_time", "last_event_time"], "Int64")
    (tmp_path / "estimate").mkdir()
    pd.DataFrame(rows).astype(whole).to_parquet(tmp_path / "estimate" / "estimates.parquet")
    columns = list(GROUPS.columns)
    told = pd.DataFrame(groups).reindex(columns=columns).assign(design="d")
    told.to_parquet(tmp_path / "estimate" / "groups.parquet")
    table = Table("estimates", BY_NAME["estimates"].key, ("estimate",), estimates)
    names = ["family", "cohort", "year", "event_time", "last_event_time", "of", "subgroup"]
    assert sorted(table.of(tmp_path)[names].itertuples(index=False, name=None)) == [
        ("att", "", "", "", "", "", "all"),
        ("att", "", "", "", "", "", "area=urban"),
        ("att", "", "", "", "", "", "sector=food"),
        ("att", "", "", "", "", "", "size=10 or more"),
        ("att_gt", "2004", "2007", "", "", "", "all"),
        ("event", "", "", "-2", "", "", "all"),
        ("event_bin", "", "", "1", "3", "", "all"),
        ("total", "", "", "", "", "jobs", "all"),
    ]


def test_every_study_is_frozen_in_small_files_that_are_written_alike(tmp_path):
    assert studies() == ["fastfood", "kenya", "michigan", "simulated"]
    files = list(FROZEN.rglob("*.csv.gz"))
    assert len(files) == len(studies()) * len(TABLES)
    assert sum(path.stat().st_size for path in files) < 1_000_000
    for table in TABLES:
        again = write(table, read(table, STUDY), STUDY, tmp_path)
        assert again.read_bytes() == (FROZEN / STUDY / again.name).read_bytes()


def test_the_command_names_the_row_and_fails(tmp_path, monkeypatch, capsys):
    tables = {table.name: read(table, STUDY) for table in TABLES}
    moved = tables["estimates"].copy()
    moved.loc[pick(moved, **ATT), "estimate"] += 1
    monkeypatch.setattr(command, "TABLES", tuple(BY_NAME.values()))
    monkeypatch.setattr(Table, "of", lambda self, _: {**tables, "estimates": moved}[self.name])
    assert command.main(["compare", STUDY]) == 1
    shown = capsys.readouterr().out
    assert "outcome=training_hours design=covariates" in shown
    assert "1 differences" in shown
    monkeypatch.setattr(Table, "of", lambda self, _: tables[self.name])
    assert command.main(["compare", STUDY]) == 0
    assert capsys.readouterr().out.endswith("no difference\n")
