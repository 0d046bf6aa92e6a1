"""Placebos: declared apart, run like other outcomes, shown in their own table, found where due."""

import dataclasses
import json
import math

import latex
import numpy as np
import pandas as pd
import pytest
import simulation
from monte_carlo import estimate_seed, evaluation
from results import (
    EVERYONE,
    OUTCOMES,
    _table,
    remarked,
    said,
    settings,
    study_results,
    with_details,
    with_settings,
)
from scipy.stats import binom
from shown_tables import effect_tables
from text_tables import lines
from workspace import section

from pipeline.datasets.fits import PRE_TREND_POWER
from pipeline.datasets.results import ESTIMATES, TESTS
from pipeline.effects.rows import PLACEBO_ENTRY, Label, effect_row
from pipeline.effects.terms import ATT
from pipeline.errors import ParamsError, Reason
from pipeline.exhibits.checks.cautions import study_cautions
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.numbers import headline_metrics
from pipeline.exhibits.render.latex import fits, fits_page, render_latex
from pipeline.exhibits.render.results_csv import plots_csv
from pipeline.exhibits.summary import summary
from pipeline.exhibits.tables.placebos import placebos_tables
from pipeline.exhibits.units import percent, shown_error
from pipeline.exhibits.words.language import speaking
from pipeline.inference.covariance import benjamini_hochberg
from pipeline.inference.multiplicity import family_tests
from pipeline.params.study import cross_faults, read_study
from pipeline.publishing.study import build_texts, study_tables
from pipeline.simulation.simulate import simulate_programme

RENT = {
    "column": "rent",
    "transform": "log",
    "unit": "US$ per m2",
    "label": "Log rent",
    "negative_control": "landlords do not know the programme",
}


def faults(change):
    """Return the faults of the study `simulated` after a change of its sections."""
    block = section("simulated")
    change(block)
    try:
        return list(cross_faults(read_study({"simulated": block}, "simulated")))
    except ParamsError as error:
        return str(error).splitlines()


# Declared


def test_a_negative_control_has_a_family_of_its_own():
    outcomes = settings(OUTCOMES | {"rent": RENT}).outcomes
    assert outcomes.root["rent"].family == "negative controls"
    assert list(outcomes.negative_controls) == ["rent"]
    assert list(outcomes.intended) == list(OUTCOMES)


def test_a_family_shared_with_outcomes_that_the_programme_moves_is_refused():
    def share(block):
        block["outcomes"]["rent_log"]["family"] = "exports"

    (message,) = faults(share)
    assert "rent_log is a negative control in the family exports of exports_value" in message
    assert "give it another family, or none" in message


def test_the_reason_is_asked_for_and_one_outcome_must_be_left():
    def flag(block):
        block["outcomes"]["rent_log"]["negative_control"] = True

    def only(block):
        block["outcomes"] = {"rent_log": block["outcomes"]["rent_log"]}

    assert any("outcomes.rent_log.negative_control is True" in line for line in faults(flag))
    assert any("every outcome is a negative control" in line for line in faults(only))


def test_analyses_beside_the_specs_refuse_it():
    def group(block):
        block["estimate"]["analyses"]["groups"]["outcomes"].append("rent_log")

    assert faults(group) == [
        "estimate.analyses.groups.outcomes: rent_log is a negative control; these run through "
        "specs only, and what analyses take apart is an effect: leave it out here"
    ]


# Corrected


def average(outcome, p_value, sample="all"):
    place = ("att", "log_points", "firm", 0.95)
    label = Label(outcome, "covariates", "stacked", *place, sample=sample)
    return effect_row(label, ATT, p_value=p_value)


def test_q_values_are_those_without_placebos():
    outcomes = settings(OUTCOMES | {"rent": RENT, "rent_2": RENT}).outcomes.root
    real = [average("sales_log", 0.01), average("employment_log", 0.04)]
    placebos = [average("rent", 0.5), average("rent_2", 0.9)]
    dated = [
        average("sales_log", 0.3, PLACEBO_ENTRY),
        average("employment_log", 0.2, PLACEBO_ENTRY),
    ]
    found = family_tests([*real, *placebos, *dated], outcomes)
    q_values = {(row["outcome"], row["sample"]): row["p_value"] for row in found}
    expected = zip([*real, *placebos, *dated], [0.02, 0.04, 0.9, 0.9, 0.3, 0.3], strict=True)
    assert q_values == {(r["outcome"], r["sample"]): pytest.approx(q) for r, q in expected}
    assert [*benjamini_hochberg(np.array([0.3, 0.2]))] == pytest.approx([0.3, 0.3])


# Shown


ENTRY = {
    "outcome": "sales_log",
    "design": "covariates_lags",
    **EVERYONE,
    "sample": PLACEBO_ENTRY,
    "estimator": "stacked",
    "term": "att",
    "inference": "analytic",
    "band": "pointwise",
    "estimand": "att",
    "estimate": 0.0777,
    "std_error": 0.03,
    "p_value": 0.0123,
    "conf_low": 0.0189,
    "conf_high": 0.1366,
    "conf_level": 0.95,
    "scale": "log_points",
    "n_obs": 4321,
    **said(None, Reason("placebo_entry", {"years": 2})),
}
NONE = ENTRY | {
    "outcome": "employment_log",
    **dict.fromkeys(("estimate", "std_error", "p_value", "conf_low", "conf_high", "n_obs")),
    **said(Reason("placebo_all_matched_on", {"years": 2})),
}
SLOPES = {
    0.5: {"slope_jointly": 0.0211, "slope_by_any": 0.0144},
    0.8: {"slope_jointly": 0.0322, "slope_by_any": 0.0266},
}


def slopes(outcome="sales_log", design="covariates_lags"):
    place = {"outcome": outcome, "design": design, "estimator": "stacked", "scale": "share"}
    return [place | {"power": power} | found for power, found in SLOPES.items()]


def made(outcomes=None, **exhibit):
    """Return a study with a negative control and a placebo entry date two years early."""
    plain = study_results(OUTCOMES | {"rent": RENT} | (outcomes or {}), **exhibit)
    plain = with_details(plain, PRE_TREND_POWER, slopes())
    chosen = plain.settings
    asked = chosen.estimate.model_dump(exclude_unset=True)
    asked["specs"][0]["placebo_entry_years"] = 2
    q_value = EVERYONE | {"outcome": "sales_log", "design": "covariates_lags"}
    q_value |= {"sample": PLACEBO_ENTRY}
    q_value |= {"estimator": "stacked", "test": "q_value", "p_value": 0.0246}
    more = dataclasses.replace(
        plain,
        estimates=pd.concat([plain.estimates, _table(ESTIMATES, [ENTRY, NONE])], ignore_index=True),
        tests=pd.concat([plain.tests, _table(TESTS, [q_value])], ignore_index=True),
    )
    section = type(chosen.estimate).model_validate(asked)
    return with_settings(more, dataclasses.replace(chosen, estimate=section))


@pytest.fixture(scope="module")
def results():
    return made()


def test_a_placebo_is_no_headline(results):
    without = study_results()
    for table in effect_tables(results).values():
        assert "Log rent" not in [column.heading for column in table.columns]
    assert list(json.loads(headline_metrics(results))) == list(
        json.loads(headline_metrics(without))
    )
    told = " ".join(json.loads(headlines(results))["findings"])
    assert "rent" not in told + summary(results) + str([*plots_csv(results)])
    shown = {name: str(table) for name, table in study_tables(results).items()}
    assert {name for name, text in shown.items() if "Log rent" in text} <= {
        "placebos",
        "checks",
        "recovery",
        "settings",
    }


def test_placebos_that_are_called_alike_have_a_panel_each():
    effects, _ = placebos_tables(made({"lease": RENT | {"column": "lease"}}))
    rent, lease, *_ = effects.panels
    assert rent.title == lease.title == "Placebo outcome: Log rent (percent)"
    assert len(rent.rows) == len(lease.rows) == 4


def test_the_table_shows_every_placebo_estimate(results):
    effects, _ = placebos_tables(results)
    panels = {panel.title: panel.rows for panel in effects.panels}
    assert list(panels) == [
        "Placebo outcome: Log rent (percent)",
        "Entry dated 2 years too early: Annual sales (percent)",
        "Entry dated 2 years too early: Log employment (percent)",
    ]
    rows = results.estimates
    rows = rows[(rows["outcome"] == "rent") & (rows["term"] == "att")].set_index("design")
    shown = panels["Placebo outcome: Log rent (percent)"]
    assert [row.label for row in shown] == ["Panel A", "Panel B", "Panel C", "Panel D"]
    for row, design in zip(shown[1:3], ("covariates", "covariates_lags"), strict=True):
        estimate, error, interval, _, q_value, observed = row.cells
        of = rows.loc[design]
        assert estimate.value == percent(of["estimate"])
        assert error.value == shown_error(of["std_error"], of["estimate"], "log_points")
        assert (interval.low, interval.high) == (percent(of["conf_low"]), percent(of["conf_high"]))
        assert (q_value.plain(), observed.plain()) == ("—", "11,752")
    assert lines(effects)[4:] == [
        ("Panel C", "8.1", "3.2", "[1.9, 14.6]", "0.01", "0.02", "4,321"),
        ("Panel C", "—", "", "", "—", "—", ""),
    ]


def test_the_notes_say_where_years_are_left_out_because_adjusted_for(results):
    rows = results.estimates["sample"] == PLACEBO_ENTRY
    code = Reason("placebo_entry_without_adjusted_for", {"years": 2, "times": [-1]})
    changed = remarked(results.estimates, rows & results.estimates["estimate"].notna(), code)
    fitted = dataclasses.replace(results, estimates=changed)
    words = "change since the year before that entry a specification adjusts for"
    for study, is_said in ((results, False), (fitted, True)):
        assert (words in " ".join(placebos_tables(study)[0].notes)) == is_said


def test_the_notes_say_what_a_placebo_cannot_show(results):
    notes = " ".join(placebos_tables(results)[0].notes)
    assert "Log rent, landlords do not know the programme." in notes
    assert "no proof of the contrary" in notes
    assert "of 5 true nulls about 0.3 are rejected at 5 percent" in notes
    assert "C, Matched on covariates and lags (main specification)" in notes
    assert (
        "Not estimated: no placebo entry 2 years early: the design matched on this outcome" in notes
    )


def test_the_pre_trend_test_stands_beside_its_power(results):
    power = placebos_tables(results)[1]
    assert [panel.title for panel in power.panels] == ["Annual sales (percent a year)"]
    assert lines(power) == [("Panel C", "0.41", "2.1", "3.3", "1.5", "2.7")]
    assert "Over the 4 years from the reference year" in " ".join(power.notes)


def _of_dates(results):
    return results.tests["sample"] == PLACEBO_ENTRY


def severities(results):
    """Return how grave each check of placebos came out, by check and outcome."""
    return {(c.code, c.outcome): c.severity for c in study_cautions(results)}


def test_a_placebo_effect_is_a_caution(results):
    found = severities(results)
    assert found["placebo_entry", "sales_log"] == "serious"
    assert found["placebo_outcomes", None] == "passed"
    tests = results.tests.assign(p_value=results.tests["p_value"].mask(_of_dates(results), 0.06))
    by_chance = severities(dataclasses.replace(results, tests=tests))
    assert by_chance["placebo_entry", "sales_log"] == "passed"
    rent = (results.estimates["outcome"] == "rent") & (results.estimates["term"] == "att")
    p_values = results.estimates["p_value"].mask(rent, 0.01)
    moved = dataclasses.replace(results, estimates=results.estimates.assign(p_value=p_values))
    assert severities(moved)["placebo_outcomes", None] == "matters"


def test_a_study_without_placebos_has_no_table():
    assert placebos_tables(study_results()) == []


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_the_tables_fit_a_page_in_every_language(language):
    more = {f"rent_{i}": RENT | {"label": f"Rent of premises number {i}"} for i in range(3)}
    shown = study_tables(made(more, language=language, tables=["placebos"]))
    assert list(shown) == ["placebos", "placebos_2"]
    assert all(fits(table) and fits_page(table) for table in shown.values())
    assert b"placebos_2" in build_texts(made(language=language, tables=["placebos"]))["tables.tex"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_the_latex_compiles_without_overfull_boxes(language, tmp_path):
    results = made(language=language, tables=["placebos"])
    with speaking(results.settings.exhibit):
        fragments = [render_latex(table) for table in study_tables(results).values()]
    code, log = latex.compile_latex("\\clearpage\n".join(fragments), tmp_path)
    assert (code, latex.faults(log)) == (0, [])


# Simulated


def rents(**changes):
    small = simulation.settings(firms=600, municipalities=12, sectors=4, treated_clusters=12)
    changed = small.model_copy(update=changes)
    panel = simulate_programme(changed, np.random.default_rng(5)).panel
    return panel.set_index(["firm_id", "year"])["rent"]


def test_the_programme_does_not_move_rents_and_broken_trends_do():
    before = rents()
    alone = simulation.settings().effects.model_copy(update={"sales_percent": [50.0]})
    for changes in ({"effects": alone}, {"spillover_percent": 20.0}, {"anticipation_percent": 9.0}):
        pd.testing.assert_series_equal(rents(**changes), before)
    moved = np.log(rents(treated_trend_percent_per_year=3.0) / before)
    # levels are delivered to ten digits
    assert set(moved.round(8).unique()) >= {0.0, 0.03, -0.03}


@dataclasses.dataclass(frozen=True)
class Rejections:
    """Count rejections of the two placebos at five percent, under the matched design."""

    outcome: int
    entry: int


def rejections(seeds, **changes) -> Rejections:
    study = evaluation(["unmatched", "covariates"], ["sales_log", "rent_log"])
    counts = {"all": 0, PLACEBO_ENTRY: 0}
    for seed in seeds:
        rows = estimate_seed(study, simulation.settings(**changes), seed).results.estimates
        rows = rows[(rows["design"] == "covariates") & (rows["estimator"] == "stacked")]
        for sample, outcome in (("all", "rent_log"), (PLACEBO_ENTRY, "sales_log")):
            chosen = rows[(rows["sample"] == sample) & (rows["outcome"] == outcome)]
            p_value = float(chosen["p_value"].iloc[0])
            assert not math.isnan(p_value)
            counts[sample] += p_value < 0.05
    return Rejections(counts["all"], counts[PLACEBO_ENTRY])


def test_placebos_find_trends_that_differ():
    found = rejections([0], treated_trend_percent_per_year=6.0)
    assert found == Rejections(1, 1)


@pytest.mark.slow
def test_placebos_reject_at_the_nominal_rate_and_find_broken_trends():
    seeds = range(60)
    least, most = binom.interval(0.999, len(seeds), 0.05)
    held = rejections(seeds)
    assert least <= held.outcome <= most
    assert least <= held.entry <= most
    broken = rejections(seeds[:20], treated_trend_percent_per_year=6.0)
    assert broken.outcome == 20
    assert broken.entry >= 15
