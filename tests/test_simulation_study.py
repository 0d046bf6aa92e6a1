"""The simulation study: what a seed gives, what is on file, and the formulas of its table."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.simulation_study import __main__ as command
from benchmarks.simulation_study.draws import COLUMNS, KEY, draw, world
from benchmarks.simulation_study.estimators import ESTIMATORS
from benchmarks.simulation_study.page import END, PAGE, START, tables
from benchmarks.simulation_study.scenarios import SCENARIOS
from benchmarks.simulation_study.storage import append_draws, finished, open_folder, read_draws
from benchmarks.simulation_study.summary import summarise

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
SMALL = BY_NAME["small_sample"]
ONCE = [estimator for estimator in ESTIMATORS if not estimator.redone]
NOT_LINEAR = {"twoway"}  # its truth is an average that its weights do not reproduce


@pytest.fixture(scope="module")
def small():
    return draw(world(SMALL, ONCE), seed=3)


def folder_with(tmp_path, *seeds):
    """Return a folder with draws of the small sample made by the command, re-assigning no entry."""
    arguments = ["--out", str(tmp_path / "out"), "--page", str(tmp_path / "page.md")]
    for estimator in ONCE:
        arguments += ["--estimator", estimator.name]
    command.main([*arguments, "--seeds", str(max(seeds) + 1), "--scenario", "small_sample"])
    return tmp_path / "out"


def test_a_seed_has_every_estimator_with_the_effect_and_without(small):
    wanted = {estimator.name for estimator in ONCE if estimator.runs_in(SMALL)}
    assert list(small.columns) == COLUMNS
    assert small.groupby("effect")["estimator"].apply(set).to_dict() == {
        "as set": wanted,
        "none": wanted,
    }
    assert small["estimate"].notna().all()


def test_an_estimator_that_only_tests_runs_without_the_effect_only(small):
    """Its estimate is its twin's; only the p-value is its own."""
    tested = [e for e in ESTIMATORS if e.name == "unmatched_randomised"]
    found = draw(world(SMALL, tested), seed=3)
    assert list(found["effect"]) == ["none"]
    row = found.iloc[0]
    twin = small.set_index(["estimator", "effect"]).loc["unmatched", "none"]
    assert row[["truth", "estimate", "std_error"]].equals(twin[["truth", "estimate", "std_error"]])
    assert np.isnan(row["conf_low"])
    assert 100 * row["p_value"] == pytest.approx(round(100 * row["p_value"]))
    assert row["p_value"] != twin["p_value"]


def test_estimates_with_and_without_effect_differ_by_the_truth_alone(small):
    """Firms, matches and noise are the same: a linear estimator finds the effect exactly."""
    estimates = small.pivot(index="estimator", columns="effect", values="estimate")
    truth = small[small["effect"] == "as set"].set_index("estimator")["truth"]
    found = (estimates["as set"] - estimates["none"]).drop(NOT_LINEAR)
    assert found.to_numpy() == pytest.approx(truth.drop(NOT_LINEAR).to_numpy(), abs=1e-9)
    assert (small.loc[small["effect"] == "none", "truth"] == 0).all()


def test_group_time_truth_leaves_out_cells_that_the_estimator_cannot_use():
    """A covariate separates the entrants of 2010: only those of 2008 are averaged."""
    found = draw(world(BY_NAME["growing_effects"], ONCE), seed=194).set_index(
        ["estimator", "effect"]
    )
    group_time, unmatched = found.loc["group_time"], found.loc["unmatched"]
    truth = group_time.loc["as set", "truth"]
    gap = group_time.loc["as set", "estimate"] - group_time.loc["none", "estimate"]
    assert gap == pytest.approx(truth, abs=1e-9)
    assert truth > unmatched.loc["as set", "truth"] + 0.05  # effects are larger for 2008
    assert "without 4 of 8 pairs of entry year and year" in group_time.loc["as set", "note"]


def test_where_the_score_stops_unmatched_estimators_go_on():
    found = draw(world(BY_NAME["cluster_shocks_4"], ONCE), seed=0)
    stopped = found[found["estimate"].isna()]
    matched = {"nearest", "nearest_two_way", "caliper", "entropy"}
    assert set(stopped["estimator"]) == matched | {"group_time"}
    reasons = stopped[stopped["estimator"].isin(matched)]["note"]
    assert reasons.str.contains("separates the groups").all()
    assert not found.duplicated(["effect", "estimator"]).any()


def test_where_nothing_can_be_estimated_every_row_has_the_reason():
    matched = [e for e in ESTIMATORS if e.design == "nearest" and e.runs_in(SMALL)]
    found = draw(world(BY_NAME["cluster_shocks_4"], matched), seed=0)
    assert len(found) == sum(len(estimator.effects) for estimator in matched)
    assert found["estimate"].isna().all()
    assert found["note"].str.contains("separates the groups").all()


@pytest.mark.slow
def test_an_estimator_may_make_weights_again_in_its_draws():
    entropy = next(e for e in ESTIMATORS if e.name == "entropy")
    spec = entropy.spec | {"inference": "cluster_bootstrap", "draws": 50, "seed": 1}
    again = replace(entropy, name="again", spec=spec, inference="cluster_bootstrap")
    found = draw(world(SMALL, [entropy, again]), seed=3).set_index(["effect", "estimator"])
    both = found.loc["as set"]
    assert both.loc["again", "estimate"] == both.loc["entropy", "estimate"]
    assert both.loc["again", "std_error"] != both.loc["entropy", "std_error"]
    assert both.loc["again", "truth"] == both.loc["entropy", "truth"]


def test_draws_on_file_are_not_made_again(tmp_path):
    out = folder_with(tmp_path, 0)
    first = (out / "small_sample.csv").read_bytes()
    folder_with(tmp_path, 0)
    assert (out / "small_sample.csv").read_bytes() == first
    table = pd.read_csv(tmp_path / "page.csv")
    assert (table["estimates"] == 1).all()


def test_only_estimators_that_a_seed_lacks_are_run(tmp_path, small):
    out = tmp_path / "out"
    out.mkdir()
    append_draws(out, "small_sample", small[small["estimator"] != "nearest"].assign(seed=0))
    folder_with(tmp_path, 0)
    found = read_draws(out, "small_sample")
    assert list(found["estimator"].tail(2)) == ["nearest", "nearest"]
    assert len(found) == len(small)


def test_a_line_cut_short_is_left_out_and_made_again(tmp_path):
    out = folder_with(tmp_path, 0)
    drawn = out / "small_sample.csv"
    whole = drawn.read_bytes()
    cut = whole[: whole.rfind(b"none,sales_log,twoway")]
    drawn.write_bytes(cut)
    assert len(read_draws(out, "small_sample")) == whole.count(b"\n") - 2
    assert drawn.read_bytes() == cut  # reading changes nothing
    folder_with(tmp_path, 0)
    again = read_draws(out, "small_sample").drop_duplicates(KEY)
    assert len(again) == whole.count(b"\n") - 1


def test_draws_of_other_settings_are_refused(tmp_path):
    out = folder_with(tmp_path, 0)
    noted = out / "small_sample.json"
    noted.write_text(noted.read_text().replace('"firms": 150', '"firms": 151'))
    with pytest.raises(SystemExit, match="made with other settings"):
        folder_with(tmp_path, 0)


def test_draws_made_before_an_optional_setting_existed_stay_good(tmp_path):
    """Null asks for nothing: on file or not, the settings are the same."""
    out, added = folder_with(tmp_path, 0), world(SMALL, ONCE)
    noted = json.loads((out / "small_sample.json").read_text())
    noted["match"]["designs"]["nearest"]["later_setting"] = None
    (out / "small_sample.json").write_text(json.dumps(noted))
    open_folder(out, added)
    assert "later_setting" not in (out / "small_sample.json").read_text()
    assert "null" not in (out / "small_sample.json").read_text()


def test_folders_drawn_with_other_estimators_can_be_joined(tmp_path, small):
    whole, tests = tmp_path / "whole", tmp_path / "tests"
    later = small["estimator"] == "twoway"
    for folder, rows in ((whole, small[~later]), (tests, small[later])):
        open_folder(folder, world(SMALL))
        append_draws(folder, "small_sample", rows)
    first, second = (path / "small_sample.json" for path in (whole, tests))
    assert first.read_bytes() == second.read_bytes()
    rows = (tests / "small_sample.csv").read_text().split("\n", 1)[1]
    with (whole / "small_sample.csv").open("a", newline="") as file:
        file.write(rows)
    joined = read_draws(whole, "small_sample")
    assert set(joined["estimator"]) == set(small["estimator"]) and len(joined) == len(small)
    assert finished(joined, world(SMALL, ONCE)) == {3: set(small["estimator"])}


def test_an_unknown_scenario_is_named(tmp_path):
    with pytest.raises(SystemExit, match="no scenario rain; there are parallel_trends"):
        command.main(["--out", str(tmp_path), "--scenario", "rain"])
    with pytest.raises(SystemExit, match="no estimator ols; there are nearest"):
        command.main(["--out", str(tmp_path), "--estimator", "ols"])


def made_up():
    """Four seeds: errors 0.1, -0.1, 0.3 and no estimate; two of three intervals cover 0.5."""
    effect = pd.DataFrame(
        {
            "seed": range(4),
            "effect": "as set",
            "outcome": "sales_log",
            "estimator": "nearest",
            "truth": [0.5, 0.5, 0.5, np.nan],
            "estimate": [0.6, 0.4, 0.8, np.nan],
            "std_error": [0.1, 0.1, 0.4, np.nan],
            "conf_low": [0.4, 0.3, 0.6, np.nan],
            "conf_high": [0.8, 0.5, 1.0, np.nan],
            "p_value": [0.01, 0.01, 0.01, np.nan],
            "n_treated_clusters": [10, 10, 10, np.nan],
        }
    )
    null = effect.assign(effect="none", truth=0.0, p_value=[0.05, 0.051, 0.9, 0.2])
    return pd.concat([effect, null], ignore_index=True)


def test_summary_formulas():
    cell = summarise(made_up()).iloc[0]
    errors = np.array([0.1, -0.1, 0.3])
    assert cell[["seeds", "estimates", "intervals", "tests"]].tolist() == [4, 3, 3, 4]
    assert cell["bias"] == pytest.approx(0.1)
    assert cell["bias_mc_error"] == pytest.approx(0.2 / np.sqrt(3))
    assert cell["sd"] == pytest.approx(0.2)
    assert cell["mean_std_error"] == pytest.approx(0.2)
    assert cell["rmse"] == pytest.approx(np.sqrt(0.11 / 3))
    squared = np.array([0.01, 0.01, 0.09]).std(ddof=1)
    assert cell["rmse_mc_error"] == pytest.approx(
        squared / np.sqrt(3) / (2 * np.sqrt((errors**2).mean()))
    )
    assert cell["coverage"] == pytest.approx(2 / 3)
    assert cell["coverage_mc_error"] == pytest.approx(np.sqrt(2 / 9 / 3))
    assert cell["rejection"] == pytest.approx(1 / 4)  # 0.05 rejects
    assert cell["rejection_mc_error"] == pytest.approx(np.sqrt(3 / 16 / 4))


def test_rows_of_an_estimator_that_only_tests_say_so():
    null = made_up().query("effect == 'none'").assign(estimator="unmatched_randomised")
    cell = summarise(null).iloc[0]
    assert cell[["seeds", "estimates", "intervals", "tests"]].tolist() == [4, 0, 0, 4]
    assert cell["treated_clusters"] == 10
    text = tables(summarise(pd.concat([made_up(), null])).assign(scenario="small_sample"))
    assert "randomisation test | tests 4 of 4 | – | – | – | 0.250 (0.217) |" in text
    coverage, _, rejection = text.partition("### Tests at 5 percent")
    assert "randomisation test" not in coverage
    assert "| stacked, unmatched, randomisation test | 25 |" in rejection


def test_a_seed_that_is_on_file_twice_counts_once():
    twice = pd.concat([made_up(), made_up()])
    assert summarise(twice).equals(summarise(made_up()))


def test_cells_that_chance_does_not_explain_are_marked():
    cells = summarise(made_up()).assign(scenario="parallel_trends")
    fine = tables(cells)
    assert "| 3 of 4 | 0.100 (0.115) | 0.191 (0.070) | 0.667 (0.272) | 0.250 (0.217) |" in fine
    off = tables(cells.assign(bias=0.4, coverage=0.5, intervals=400, rejection=0.2, tests=400))
    assert "| **0.400** (0.115) | 0.191 (0.070) | **0.500** (0.272) | **0.200** (0.217) |" in off


def test_the_page_shows_the_cells_of_the_table_beside_it():
    cells = pd.read_csv(PAGE.with_suffix(".csv"))
    text = PAGE.read_text(encoding="utf-8")
    assert text.partition(START)[2].partition(END)[0].strip() == tables(cells).strip()
    assert set(cells["scenario"]) == set(BY_NAME)
