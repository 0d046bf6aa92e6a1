import csv
import dataclasses
import io
import math
import re

import pandas as pd
import pytest
from published import build_exhibits
from results import (
    OUTCOMES,
    many_outcomes,
    remarked,
    study_results,
    with_details,
    with_figures,
    with_settings,
)
from shown_tables import effect_tables

from pipeline.datasets.balance import SUPPORT
from pipeline.datasets.fits import DETECTABLE
from pipeline.datasets.reasons import packed_list, with_reason
from pipeline.datasets.samples import BASELINES, CONCENTRATION, SAMPLES
from pipeline.datasets.selection import SCORE_SHARES
from pipeline.datasets.specs import SPECS
from pipeline.datasets.store import conform, empty
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.exhibits.details import Details
from pipeline.exhibits.figures.event_study import event_study
from pipeline.exhibits.numbers import study_numbers
from pipeline.exhibits.render.latex import fits_page
from pipeline.exhibits.render.results_csv import plots_csv, results_csv
from pipeline.exhibits.render.table_csv import render_csv
from pipeline.exhibits.summary import summary
from pipeline.exhibits.tables import main_effects as main_table
from pipeline.exhibits.tables.balance import balance_table
from pipeline.exhibits.tables.cohorts import cohorts_table
from pipeline.exhibits.tables.detectable_effects import detectable_effects
from pipeline.exhibits.tables.dynamic_effects import dynamic_effects
from pipeline.exhibits.tables.estimators import estimators_tables
from pipeline.exhibits.tables.panels import Shown, lettered_panels
from pipeline.exhibits.tables.parts import side_by_side
from pipeline.exhibits.tables.recovery import recovery_table
from pipeline.exhibits.tables.sample_flow import sample_flow
from pipeline.exhibits.tables.score import score_table
from pipeline.exhibits.tables.table import (
    DASH,
    Interval,
    Magnitude,
    Number,
    Table,
    TableColumn,
    TablePart,
    Text,
    WholeNumbers,
)
from pipeline.exhibits.units import percent, shown_error, shown_value
from pipeline.exhibits.words.captions import caption, table_floats
from pipeline.exhibits.words.language import say, speaking, tell
from pipeline.exhibits.words.main_notes import main_notes
from pipeline.params.exhibit import DEFAULT_TABLES
from pipeline.params.group_time_spec import GroupTimeSpec
from pipeline.params.outcomes import OutcomesSection
from pipeline.publishing.study import study_tables
from pipeline.publishing.swap import FOLDERS, write_exhibits

NO_VARIATION = Reason("no_variation")

TABLES = (
    "main_effects",
    "variants",
    "checks",
    "estimators",
    "dynamic_effects",
    "detectable_effects",
    "balance",
    "balance_summary",
    "matching_choices",
    "score",
    "cohorts",
    "sample_flow",
    "summary_statistics",
    "missingness",
    "issues",
    "recovery",
)


@pytest.fixture(scope="module")
def results():
    return study_results()


@pytest.fixture(scope="module")
def files(results):
    return build_exhibits(results)


def _panels(results):
    """Return the panels of the main table from its first columns, over all its parts."""
    return [panel for table in effect_tables(results).values() for panel in table.panels]


def _first(results):
    return effect_tables(results)["main_effects"]


def _with_headline(results):
    """Return the table with the headline's panel, which is the third."""
    return next(t for t in effect_tables(results).values() if "Panel C. " in t.panels[-1].title)


def _notes(results):
    return " ".join(note for table in effect_tables(results).values() for note in table.notes)


def _read(shown: str) -> float:
    return float(shown.strip("()").replace(",", "").replace("\u2212", "-"))


def _rows(results):
    """Return the average effects by (panel, outcome) as the tables of results have them."""
    table = results.estimates
    average = table[table["term"] == "att"].set_index(["outcome", "design", "estimator"])
    for position, panel in enumerate(results.settings.exhibit.panels):
        for column, outcome in enumerate(results.settings.outcomes.root):
            yield position, column, average.loc[(outcome, panel.design, panel.spec)]


def test_every_printed_number_is_the_estimate_rounded(results):
    panels = _panels(results)
    assert len(panels) == 4
    for position, column, row in _rows(results):
        if math.isnan(row.estimate):
            assert column == len(panels[position].rows[0].cells), "it has no column"
            continue
        estimate, error, interval, firms = (
            line.cells[column] for line in panels[position].rows[:4]
        )
        half, scale = 0.5001 * 10**-estimate.decimals, row.scale
        wanted = [shown_value(v, scale) for v in (row.estimate, row.conf_low, row.conf_high)]
        shown = [_read(estimate.plain()), *(_read(end) for end in interval.ends())]
        assert shown == pytest.approx(wanted, abs=half)
        spread = shown_error(row.std_error, row.estimate, scale)
        assert _read(error.plain()) == pytest.approx(spread, abs=half)
        assert firms == WholeNumbers((row.n_treated, row.n_control))


def test_same_decimals_down_every_column():
    for table in effect_tables(study_results(many_outcomes(9))).values():
        for column in range(len(table.columns)):
            cells = table.column_cells(column)
            assert len({c.decimals for c in cells if isinstance(c, Number | Interval)}) == 1


def test_unobserved_outcome_has_no_column_and_the_notes_say_why(results):
    table = _first(results)
    assert "Export value" not in [column.heading for column in table.columns]
    assert "Export value: not observed, no customs data in this register." in table.notes


def test_outcomes_of_one_family_share_a_spanner():
    level = OUTCOMES["exports_any"] | {"transform": "level", "label": "Export value"}
    table = _first(study_results(OUTCOMES | {"exports_value": level}))
    assert [column.spanner for column in table.columns] == ["", "", "Exports", "Exports"]


def test_stars_only_where_the_switch_is_on(results):
    plain, starred = _first(results), _first(study_results(stars=True))
    cells = [c for i in range(3) for c in starred.column_cells(i) if isinstance(c, Number)]
    assert any(cell.suffix for cell in cells)
    assert not any(
        cell.suffix for i in range(3) for cell in plain.column_cells(i) if isinstance(cell, Number)
    )


def test_notes_state_rule_scale_and_warnings(results):
    notes = _notes(results)
    for fragment in (
        "the three nearest comparison firms on the linear propensity score, without replacement",
        "caliper 0.2 standard deviations of the two groups pooled, exact within Sector (t\u22121)",
        "G/(G\u22121) \u00d7 (N\u22121)/(N\u2212K)",
        "clustered by municipality x sector",
        "for comparability only",
        "or a comparison: 14 of 412 (Panels B and C)",
        "through clustering: 123 (Panels B and C)",
    ):
        assert fragment in notes
    assert "Fewer than 20 treated clusters" not in notes


def _with_whole_sets_lost(lost, per_set=3.0, missing="drop_set"):
    """Give results in which sets of a design lost treated firm-years of log sales, of 640."""
    results = study_results()
    results = with_figures(
        results,
        SAMPLES,
        {"design": "covariates", "outcome": "sales_log"},
        comparison_firms_per_set=per_set,
        treated_years=640,
        treated_years_dropped=pd.NA if math.isnan(lost) else int(lost),
    )
    chosen = results.settings.estimate.model_copy(update={"missing": missing})
    return with_settings(results, dataclasses.replace(results.settings, estimate=chosen))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (_with_whole_sets_lost(31.0), "31 of 640 (4.8 percent) (Panel B)."),
        (_with_whole_sets_lost(math.nan), "few (Panel B)."),
        (_with_whole_sets_lost(0.0), None),
        (_with_whole_sets_lost(31.0, per_set=1.0), None),
        (_with_whole_sets_lost(31.0, missing="renormalise"), None),
    ],
)
def test_treated_years_lost_with_a_set_of_many_are_a_warning(made, said):
    shown = Shown(dict(enumerate(OUTCOMES, 1)), lettered_panels(made))
    lost = [note for note in main_notes(made, shown) if note.startswith("Treated yearly")]
    assert [note.endswith(f"loses most: {said}") for note in lost] == ([True] if said else [])


def test_the_rule_for_missing_outcomes_is_the_one_that_ran(results):
    sizes = pd.array(range(100, 100 + len(results.estimates)), dtype="Int64")
    results = dataclasses.replace(results, estimates=results.estimates.assign(n_obs=sizes))
    shown = Shown(dict(enumerate(OUTCOMES, 1)), lettered_panels(results))
    whole = say("gap_rule.drop_set", firms=results.settings.exhibit.firms)
    assert whole in " ".join(main_notes(results, shown))
    gaps = packed_list(["renormalise"])
    ran = results.details.of(SPECS).assign(gaps=gaps).to_dict("records")
    assert whole not in " ".join(main_notes(with_details(results, SPECS, ran), shown))


def test_one_effect_has_the_same_digits_in_tables_numbers_and_sentences(results):
    row = next(row for position, column, row in _rows(results) if (position, column) == (2, 0))
    shown = _panels(results)[2].rows[0].cells[0].plain()
    assert shown == f"{100 * (math.exp(row.estimate) - 1):.1f}"
    key = "madeup.sales_log.covariates_lags.stacked.att.pct"
    assert study_numbers(results)[key].formatted == shown
    assert f", {shown} percent \\[" in summary(results)


def test_entry_years_without_leads_are_named(results):
    estimates = results.estimates.copy()
    # of the two leads -2 was matched on, and shows nothing
    lead = (estimates["event_time"] == -3) & (estimates["outcome"] == "sales_log")
    estimates = remarked(estimates, lead, Reason("entry_years_only", {"years": [2010]}))
    changed = dataclasses.replace(results, estimates=estimates)
    words = "entry years 2010 only, for others no pre-trend can be seen"
    # the note is that of the headline's table
    assert words in " ".join(_with_headline(changed).notes)
    assert words not in _notes(results)


def test_the_foot_shows_the_baseline_mean_of_the_main_panel(results):
    table = _with_headline(results)
    for column, outcome in enumerate(["sales_log", "employment_log", "exports_any"]):
        key = {"design": "covariates_lags", "outcome": outcome, "treated": False}
        mean = results.details.figure(BASELINES, "mean", **key)
        wanted = 100 * mean.value if outcome == "exports_any" else mean.value
        assert table.foot[0].cells[column].value == wanted
    assert table.foot[1].cells[2].plain() == "% of firms"


def test_few_treated_clusters_are_a_warning(results):
    estimates = results.estimates.copy()
    estimates.loc[estimates["design"] == "covariates", "n_treated_clusters"] = 7
    few = dataclasses.replace(results, estimates=estimates)
    assert "too short: 7 (Panel B)." in _notes(few)


def test_columns_with_different_samples_give_the_reason(results):
    estimates = results.estimates.copy()
    estimates.loc[estimates["outcome"] == "sales_log", "n_obs"] = 11000
    uneven = dataclasses.replace(results, estimates=estimates)
    sets = "a matched set counts in a year only if all its firms are observed in that year"
    rescaled = "comparison weights are rescaled to the treated observed"
    shown = Shown(dict(enumerate(OUTCOMES, 1)), lettered_panels(uneven))
    notes = " ".join(main_notes(uneven, shown))
    once = "whoever is observed in a year counts in it"
    told = f"{rescaled} (Panel A); {sets} (Panels B and C); {once} (Panel D)."
    assert told in notes
    assert sets not in _notes(results)
    assert rescaled not in _notes(results)


def test_outcome_that_cannot_be_estimated_has_a_dash_and_a_reason(results):
    estimates = results.estimates.copy()
    lost = (estimates["outcome"] == "sales_log") & (estimates["design"] == "covariates")
    estimates.loc[lost, ["estimate", "std_error"]] = math.nan
    estimates = with_reason(estimates, lost, Reason("no_event_time_after_entry"))
    table = _first(dataclasses.replace(results, estimates=estimates))
    assert table.panels[1].rows[0].cells[0] == DASH
    assert "Panel B, column 1: no event time from entry on is estimated." in table.notes


def test_an_estimate_without_standard_error_says_why(results):
    estimates = results.estimates.copy()
    lost = (estimates["outcome"] == "sales_log") & (estimates["design"] == "covariates")
    estimates.loc[lost, ["std_error", "statistic", "p_value", "conf_low", "conf_high"]] = math.nan
    estimates = with_reason(estimates, lost, NO_VARIATION)
    spoilt = dataclasses.replace(results, estimates=estimates)
    table = _first(spoilt)
    assert table.panels[1].rows[0].cells[0] != DASH
    assert f"Panel B, column 1: {tell(NO_VARIATION)}." in table.notes
    spanish = spoilt.settings.exhibit.model_copy(update={"language": "es"})
    with speaking(spanish):
        notes = " ".join(_first(spoilt).notes)
    assert "sin error estándar: el resultado se ajusta exactamente, no queda variación" in notes


def _without_errors(results, reason, estimate=None):
    """Return results whose effects have no standard error anywhere, for one reason."""
    estimates = results.estimates.copy()
    names = ["std_error", "statistic", "df", "p_value", "conf_low", "conf_high"]
    estimates.loc[:, names] = math.nan
    estimates = with_reason(estimates, [True] * len(estimates), reason)
    if estimate is not None:
        estimates.loc[:, "estimate"] = estimate
    return dataclasses.replace(results, estimates=estimates)


ONE_CLUSTER = Reason("one_cluster")


def test_without_any_standard_error_sizes_stay_and_no_clustering_is_claimed(results):
    table = _first(_without_errors(results, ONE_CLUSTER))
    rows = {row.label: row.cells for row in table.panels[1].rows}
    assert isinstance(rows["Treated / comp."][0], WholeNumbers)
    foot = {row.label: row.cells for row in table.foot}
    assert isinstance(foot["Observations"][0], WholeNumbers)
    assert isinstance(foot["Clusters / treated"][0], WholeNumbers)
    notes = " ".join(table.notes)
    assert "Standard errors clustered" not in notes
    assert tell(ONE_CLUSTER) in notes


def test_an_effect_in_its_own_unit_without_standard_error_is_not_rounded_to_zero():
    spoilt = _without_errors(study_results(many_outcomes(3)), ONE_CLUSTER, 0.137)
    assert _first(spoilt).panels[0].rows[0].cells[2] == Number(0.137, 2)
    rounding = _without_errors(study_results(many_outcomes(3)), ONE_CLUSTER, 3e-16)
    cells = _first(rounding).panels[0].rows[0].cells
    assert [cell.decimals for cell in cells] == [0, 0, 0]


def test_the_summary_says_why_there_is_no_interval(results):
    text = summary(_without_errors(results, ONE_CLUSTER, math.log(1.05)))
    assert f"Annual sales, 5.0 percent ({tell(ONE_CLUSTER)})" in text
    lost = Reason("nobody_observed_after_entry")
    text = summary(_without_errors(results, lost, math.nan))
    assert f"Annual sales, not estimated ({tell(lost)})" in text


@pytest.mark.parametrize("share", [math.nan, 0.0])
def test_a_total_of_nothing_has_no_largest_firms(share):
    ratio = OUTCOMES["exports_any"] | {"transform": "proportional", "label": "Export value"}
    made = study_results(OUTCOMES | {"exports_value": OUTCOMES["exports_any"]})
    outcomes = OutcomesSection.model_validate(OUTCOMES | {"exports_value": ratio})
    settings = dataclasses.replace(made.settings, outcomes=outcomes)
    results = with_settings(made, settings)
    ours = {"design": "covariates", "outcome": "exports_value", "grouping": "all"}
    rows = [
        ours | {"treated": treated, "largest_five_band": "above_50" if value > 0 else None}
        for treated, value in ((True, share), (False, 0.25))
        if not math.isnan(share)
    ]
    notes = _notes(with_details(results, CONCENTRATION, rows) if rows else results)
    assert "Column 4: proportional effect on the level by Poisson" in notes
    assert "The five largest make" not in notes


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["estimates", "errors", "tests", "all but the reasons"])
def test_exhibits_are_built_where_nothing_can_be_estimated(results, lost):
    """Every figure and table of every outcome: dashes and reasons, no `nan`, no failure."""
    estimates, tests, paths = results.estimates.copy(), results.tests.copy(), results.paths
    shown = estimates["reason"].ne("reference_period").fillna(True).astype(bool)
    names = ["std_error", "statistic", "df", "p_value", "conf_low", "conf_high"]
    if lost == "tests":
        tests[["statistic", "df", "df_denominator", "p_value"]] = math.nan
        untested = Reason("event_times_untested", {"times": [-3, -2], "reason": NO_VARIATION})
        tests = with_reason(tests, [True] * len(tests), untested)
    elif lost == "errors":
        estimates.loc[shown, names] = math.nan
        estimates = with_reason(estimates, shown, NO_VARIATION)
    else:
        estimates.loc[shown, ["estimate", *names]] = math.nan
        estimates = with_reason(estimates, shown, Reason("no_outcome_variation"))
    if lost == "all but the reasons":
        estimates = estimates[estimates["term"].isin(["att", "event_average"])]
        tests, paths = tests.iloc[:0], paths.iloc[:0]
    spoilt = dataclasses.replace(results, estimates=estimates, tests=tests, paths=paths)
    files = build_exhibits(spoilt)
    text = b" ".join(
        body for name, body in files.items() if name.endswith((".html", ".tex", ".md"))
    )
    assert not re.search(rb"\b(nan|NaN|inf)\b", text)


def test_pre_trend_tests_stand_in_stacked_panels_with_a_reason_for_each_dash(results):
    first, _, main, flat = _panels(results)
    tests = first.rows[-1]
    assert tests.label == main.rows[-1].label == "Pre-trend p"
    assert [cell and cell.plain() for cell in tests.cells] == ["0.41", "\u2014", "0.41"]
    assert flat.rows[-1].label == "Treated / comp."
    reason = f"no pre-trend test, {tell(Reason('no_pre_year'))}"
    assert f"Panels A, B and C, column 2: {reason}." in _first(results).notes


def test_notes_give_the_years_of_the_data(results):
    assert "yearly data of firms, 2006\u20132013, event times" in _notes(results)


def test_clusters_are_named_by_panel_where_they_differ(results):
    estimates = results.estimates.copy()
    estimates.loc[estimates["design"] == "covariates", "cluster"] = "firm"
    mixed = dataclasses.replace(results, estimates=estimates)
    told = "clustered by municipality x sector (Panels A and C); by firm (Panel B) in"
    assert told in _notes(mixed)
    assert "clustered by municipality x sector in parentheses" in _notes(results)


@pytest.mark.parametrize(
    ("average", "words"),
    [
        ("event", "the equal-weight mean over event times from entry on, each against the"),
        ("pooled", "treated \u00d7 post, against all years before entry pooled"),
    ],
)
def test_notes_say_what_the_average_is(results, average, words):
    stacked, *others = results.settings.estimate.specs
    specs = [stacked.model_copy(update={"average": average}), *others]
    estimate = results.settings.estimate.model_copy(update={"specs": specs})
    settings = dataclasses.replace(results.settings, estimate=estimate)
    assert f"the average is {words}" in _notes(with_settings(results, settings))


def test_notes_say_where_there_is_no_caliper(results):
    rules = results.settings.match.designs
    free = {k: rule.model_copy(update={"caliper_sd": None}) for k, rule in rules.items()}
    match = results.settings.match.model_copy(update={"designs": free})
    settings = dataclasses.replace(results.settings, match=match)
    words = "without replacement, no caliper, exact within Sector (t\u22121)"
    assert words in _notes(with_settings(results, settings))
    assert "no caliper" not in _notes(results)


def test_years_of_anticipation_are_explained(results):
    treatment = results.settings.treatment.model_copy(update={"anticipation_years": 1})
    settings = dataclasses.replace(results.settings, treatment=treatment)
    words = "Years between the reference year and entry are in neither baseline nor effect."
    assert words in _notes(with_settings(results, settings))
    assert words not in _notes(results)


def test_names_keep_their_capital_letters():
    assert "with R&D_firm \u00d7 entry-year and" in _notes(
        study_results(firms="R&D_firms", firm="R&D_firm")
    )


def test_balance_table_shows_before_and_after(results):
    table = balance_table(results)
    after = results.balance.query(
        "design == 'covariates_lags' and sample == 'after' and covariate == 'age'"
    ).iloc[0]
    row = next(row for row in table.rows() if row.label == "Age (t\u22121)")
    assert row.cells[4].value == after["std_diff"]
    assert row.cells[5].value == after["variance_ratio"]
    assert [panel.title for panel in table.panels][1] == "Not in the propensity score"
    assert any("threshold of 0.1 is" in note for note in table.notes)


def test_categories_share_a_row_with_their_largest_difference(results):
    rows = {row.label: row for row in balance_table(results).rows()}
    (label,) = (label for label in rows if label.startswith("Sector"))
    assert label == "Sector (t\u22121), largest of 2"
    table = results.balance
    chosen = (table["design"] == "covariates_lags") & (table["covariate"] == "sector")
    for column, sample in ((2, "before"), (4, "after")):
        differences = table.loc[chosen & (table["sample"] == sample), "std_diff"]
        largest = differences.loc[differences.abs().idxmax()]
        assert rows[label].cells[column].value == largest
    assert rows[label].cells[0] is None


def test_balance_counts_firms_by_entry_year_and_distinct_ones(results):
    rows = {row.label: row for row in balance_table(results).rows()}
    units = rows["Firms \u00d7 entry years"].cells
    assert [units[i] for i in (0, 1, 3)] == [
        WholeNumbers((412,)),
        WholeNumbers((9836,)),
        WholeNumbers((1071,)),
    ]
    assert rows["distinct firms"].cells[3] == WholeNumbers((1071,))
    notes = " ".join(balance_table(results).notes)
    assert "all treated firms with the score's covariates" in notes
    assert "matched on covariates: " in notes


def test_headline_without_matching_has_no_columns_after_matching(results):
    headline = results.settings.estimate.headline.model_copy(update={"design": "unmatched"})
    estimate = results.settings.estimate.model_copy(update={"headline": headline})
    settings = dataclasses.replace(results.settings, estimate=estimate)
    table = balance_table(dataclasses.replace(results, settings=settings))
    assert [column.heading for column in table.columns] == ["Treated", "Comp.", "Std. diff."]
    assert not any("After" in column.spanner for column in table.columns)
    assert "After matching" not in " ".join(table.notes)


def test_sample_flow_adds_up_in_both_groups(results):
    _, risk, everyone, matched, _ = sample_flow(results).panels
    for group in (4, 5):
        count = {row.label: row.cells[group].values[0] for row in risk.rows if row.cells[group]}
        left = count["In a risk set (once an entry year)"]
        assert left == count.get("Entrants", left) - count.get(
            "not active in base or entry year", 0
        )
        for panel in (everyone, matched):
            lost = sum(r.cells[group].values[0] for r in panel.rows if r.indent and r.cells[group])
            assert lost > 0 or (panel, group) == (everyone, 4)
            assert left - lost == panel.rows[-1].cells[group].values[0]
    assert matched.rows[-1].label == "In the design"


def test_recovery_shows_the_error_in_standard_errors(results):
    table = recovery_table(results, results.recovery)
    truth, estimate, error, gap, ratio = table.panels[0].rows[0].cells
    assert gap.value == pytest.approx(estimate.value - truth.value)
    assert ratio.value == pytest.approx(gap.value / error.value)


def test_recovery_is_ordered_as_panels_then_as_specs():
    panels = [{"design": "covariates_lags", "spec": "stacked", "label": "Main"}]
    results = study_results(panels=panels)
    shuffled = results.recovery.sort_values("design", ascending=False)
    labels = [row.label for row in recovery_table(results, shuffled).panels[0].rows]
    assert labels[0] == "Main"
    starts = [label.split(",")[0] for label in labels[1:]]
    assert starts == ["all firms", "all firms", "matched on covariates"]
    assert "two-way" in labels[2], "the spec that params name second"


def test_summary_says_effect_interval_and_how_sure(results):
    text = summary(results)
    row = next(row for position, column, row in _rows(results) if (position, column) == (2, 0))
    shown, low, high = (
        f"{100 * math.expm1(end):.1f}".replace("-", "\u2212")
        for end in (row.estimate, row.conf_low, row.conf_high)
    )
    assert f"Annual sales, {shown} percent \\[{low} to {high}\\]" in text
    assert f"[{low} to {high}\\], cannot tell" in text
    assert "Annual sales, p = 0.41; none can be seen for Log employment." in text
    assert "Any exports" not in text  # of another family than `main`
    assert text.startswith("**A made-up programme.** Programme, average effect on treated firms")


def test_summary_of_an_effect_clear_of_zero_says_how_sure_and_why_not_surer(results):
    estimates = results.estimates.copy()
    estimates.loc[estimates["term"] == "att", ["conf_low", "conf_high"]] = [0.01, 0.1]
    text = summary(dataclasses.replace(results, estimates=estimates))
    assert "1.0 to 10.5\\], some evidence of a rise" in text
    assert "Matters: Tested together with the other outcomes of its family" in text


def test_results_csv_has_eight_digits_and_unix_line_ends(results):
    content = results_csv(results.estimates).decode()
    assert "\r" not in content
    longest = max(len(f.lstrip("-0.").replace(".", "")) for f in content.split(",") if "e" not in f
                  and f.replace(".", "").replace("-", "").isdigit())  # fmt: skip
    assert longest == 8


def test_files_are_the_declared_ones(files, results):
    figures = ("outcome_paths", "event_study", "love_plot", "overlap", "sample_flow", "cohorts")
    figures += ("choices",)  # of groups, entry years, power and coverage the study has nothing
    names = {f"figures/{name}.{kind}" for name in figures for kind in ("pdf", "svg", "png", "csv")}
    names |= {f"tables/{name}.{kind}" for name in TABLES for kind in ("tex", "md", "csv")}
    names |= {"tables.tex", "tables.docx", "figures.tex", "report.html"}
    names |= {"metrics.json", "numbers.json", "numbers.tex", "numbers_all.json", "summary.md"}
    names |= {"methods.tex"}
    names |= {"manifest.csv"}
    assert names <= set(files)
    named = {f"tables/{n}.{kind}" for n in study_tables(results) for kind in ("tex", "md", "csv")}
    rest = set(files) - names - named
    assert all(name.startswith(("results/", "plots/")) for name in rest)
    assert not any("scores" in name or "weights" in name for name in rest)


def test_a_sample_cut_by_years_after_entry_is_marked_in_every_table(results):
    fields = '{"step": {"code": "every_year", "fields": {}}}'
    row = {"issue": 1, "rule": "selects_on_survival", "rule_fields": fields, "column": "year",
           "count": 1234, "firms": 200, "first_year": 2001, "last_year": 2009,
           "action": "left_out", "action_fields": None}  # fmt: skip
    step = results.sample_flow.iloc[[1]].assign(step=3, rule="every_year", rule_fields=None)
    flow = pd.concat([results.sample_flow, step])
    cut = dataclasses.replace(results, issues=pd.DataFrame([row]), sample_flow=flow)
    said = "Caution: the sample selects on survival (observed in every year: 1,234 yearly rows"
    for name, table in study_tables(cut).items():
        assert any(said in note for note in table.notes), name
    for name, table in study_tables(results).items():
        assert not any("survival (" in note for note in table.notes), name


def test_two_builds_are_the_same_bytes(files):
    assert build_exhibits(study_results()) == files


def test_no_firm_identifier_is_published(files):
    text = [content for name, content in files.items() if not name.endswith(("pdf", "png"))]
    assert not any(b"F0001" in content for content in text)


def test_inputs_are_not_changed(files, results):
    # `files` was built from `results`; the same seed gives the tables as they were.
    untouched = study_results()
    for field in dataclasses.fields(results):
        frame = getattr(results, field.name)
        if hasattr(frame, "columns"):
            assert frame.equals(getattr(untouched, field.name))


def test_params_choose_and_order_the_exhibits(results):
    chosen = study_results(tables=["balance", "main_effects"], figures=["love_plot"])
    files = build_exhibits(chosen)
    assert {name.split(".")[0] for name in files if "tables/" in name or "figures/" in name} == {
        "tables/balance",
        "tables/main_effects",
        "figures/love_plot",
    }
    floats = files["tables.tex"].decode()
    assert floats.index("tables/balance") < floats.index("tables/main_effects")
    assert "tables/score" not in floats
    assert "effects by outcome and design}" in floats


def test_captions_number_every_kind_of_part(results):
    part = TablePart("main_effects", 2)
    assert part.file_name == "main_effects_2"
    assert caption(results, part) == "Effects by outcome and design, part 2"
    assert caption(results, TablePart("balance", 2)).endswith("comparison firms are, part 2")


def test_every_table_knows_which_part_it_is():
    tables = study_tables(study_results(many_outcomes(5)))
    assert [table.part.file_name for table in tables.values()] == list(tables)
    parts = {table.part for table in tables.values()}
    assert {TablePart("main_effects", 2), TablePart("variants", 2)} < parts


def test_an_exhibit_whose_inputs_are_absent_is_left_out(results):
    without = dataclasses.replace(
        results, recovery=None, coefficients=results.coefficients.iloc[:0]
    )
    assert {"recovery", "score"} & set(study_tables(without)) == set()
    assert {"recovery", "score"} <= set(study_tables(results))


def test_csv_holds_every_number_of_every_table_unrounded(results):
    for name, table in study_tables(results).items():
        rows = list(csv.DictReader(io.StringIO(render_csv(table))))
        values = [float(row["value"]) for row in rows if row["value"]]
        cells = [cell for row in table.rows() for cell in row.cells]
        numbers = [v for cell in cells for v in figures_of(cell)]
        assert sorted(values) == sorted(numbers)
        assert numbers or name.split("_")[0] in ("checks", "settings")


def figures_of(cell):
    match cell:
        case WholeNumbers():
            return list(map(float, cell.values))
        case Interval():
            return [cell.low, cell.high]
        case Number() | Magnitude():
            return [cell.value]
    return []


def test_dynamic_effects_are_the_estimates_by_event_time(results):
    (table,) = dynamic_effects(results)
    rows = {row.label: row for row in table.rows() if row.label}
    estimates = results.estimates.set_index(
        ["outcome", "design", "estimator", "term", "event_time"]
    )
    for time in (-3, -2, 0, 1, 2, 3):
        shown = rows[str(time).replace("-", "\u2212")].cells[0].value
        wanted = estimates.loc[("sales_log", "covariates_lags", "stacked", "event", time)]
        assert shown == percent(wanted.estimate)
    assert "\u22121" not in rows
    assert rows["Pre-trends, joint p"].cells[0].plain() == "0.41"
    assert rows["Pre-trends, joint p"].cells[1].plain() == "none"
    assert "column 1 in \u22122" in " ".join(table.notes)


def test_dynamic_effects_name_the_years_that_some_entry_years_lack(results):
    estimates = results.estimates.copy()
    third = (estimates["event_time"] == 3).fillna(False)
    estimates = remarked(estimates, third, Reason("entry_years_only", {"years": [2009]}))
    (table,) = dynamic_effects(dataclasses.replace(results, estimates=estimates))
    assert "Years that some entry years lack: 3, entry years 2009 only." in table.notes


def test_score_table_has_a_column_a_fit_and_a_dash_for_a_term_not_in_it(results):
    (table,) = score_table(results)
    assert [column.heading for column in table.columns] == ["Entry in 2009", "Entry in 2010"]
    rows = {row.label: row for row in table.rows()}
    assert rows["Sector (t\u22121): food & drink"].cells[1] == DASH
    assert rows["Age (t\u22121)"].cells[0].value == pytest.approx(-0.1)
    assert rows["Comparison firms"].cells[0] == WholeNumbers((9495,))
    assert table.panels[0].rows[-2].label == "Constant"


def test_score_of_pooled_entry_years_shows_their_levels_below_the_constant(results):
    fitted = results.coefficients[results.coefficients["fit"] == "2009"].assign(fit="pooled")
    level = fitted[fitted["term"] == "const"].assign(term="stack", category="2010", estimate=0.7)
    pooled = dataclasses.replace(results, coefficients=pd.concat([fitted, level]))
    (table,) = score_table(pooled)
    assert [column.heading for column in table.columns] == ["All entry years"]
    labels = [row.label for row in table.panels[0].rows]
    assert labels[-4::2] == ["Constant", "Entry in 2010"]
    assert table.panels[0].rows[-2].cells[0].value == pytest.approx(0.7)


def test_cohorts_add_up_to_the_foot(results):
    table = cohorts_table(results)
    assert [row.label for row in table.panels[0].rows] == ["2009", "2010"]
    for column in (0, 1):
        total = sum(row.cells[column].values[0] for row in table.panels[0].rows)
        assert table.foot[0].cells[column] == WholeNumbers((total,))


def test_estimators_on_the_same_firms_stand_side_by_side(results):
    (table,) = estimators_tables(results)
    assert [panel.title for panel in table.panels] == ["All firms"]
    labels = [row.label for row in table.panels[0].rows]
    assert labels[::3] == ["Stacked difference-in-differences", "Flat two-way fixed effects"]
    flat = results.effects["sales_log", "unmatched", "flat", "pointwise"][ATT]
    shown = [row.cells[0] for row in table.panels[0].rows[3:6]]
    assert shown[0].value == percent(flat.estimate)
    assert shown[1].value == shown_error(flat.std_error, flat.estimate, flat.scale)
    assert (shown[2].low, shown[2].high) == (percent(flat.conf_low), percent(flat.conf_high))
    alone = [s for s in results.settings.estimate.specs if s.name == "stacked"]
    estimate = results.settings.estimate.model_copy(update={"specs": alone})
    lone = dataclasses.replace(results.settings, estimate=estimate)
    assert estimators_tables(with_settings(results, lone)) == []


def test_detectable_effects_are_those_stored_in_percent_and_points(results):
    (table,) = detectable_effects(results)
    cells = table.panels[0].rows[2].cells
    assert cells[0].value == pytest.approx(100 * math.expm1(2.8 * 0.031))
    assert cells[2].value == pytest.approx(100 * 2.8 * 0.0092)


def test_detectable_effects_stand_in_the_unit_and_by_number_of_treated_clusters(results):
    headline = results.settings.estimate.headline
    place = {"design": headline.design, "outcome": "sales_log", "estimator": "stacked"}
    in_unit = with_figures(results, DETECTABLE, place, effect_in_unit=2.13, unit="US$")
    had = place | {"grouping": "all", "treated_clusters": 5, "scale": "log_points"}
    had |= {"effect": 0.31, "effect_in_unit": 8.6, "unit": "US$"}
    (table,) = detectable_effects(with_details(in_unit, DETECTABLE, [had]))
    units, clusters, in_unit = table.panels[1:]
    assert units.title == "Log effects in the unit of the outcome"
    shown = {row.label: row.cells for row in units.rows}
    position = [(p.design, p.spec) for p in results.settings.exhibit.panels].index(
        (headline.design, headline.spec)
    )
    assert units.rows[position].cells[0].value == 2.13
    assert shown["unit"][0].text == results.settings.outcome("sales_log").unit
    assert units.rows[position].cells[2] is None, "a share has no other unit"
    assert [row.label for row in clusters.rows][:2] == [
        "5 treated clusters",
        "10 treated clusters",
    ]
    assert clusters.rows[0].cells[0].value == percent(0.31)
    assert clusters.rows[0].cells[1] == DASH
    assert in_unit.title == "The same, log effects in the unit of the outcome"
    assert in_unit.rows[0].cells[0].value == 8.6
    assert in_unit.rows[1].cells[0] is None
    notes = " ".join(table.notes)
    assert "m(exp(d) \u2212 1)" in notes and "Other numbers of treated clusters" in notes


def test_every_table_of_outcomes_says_which_are_not_observed(results):
    for name, table in study_tables(results).items():
        headings = [column.heading for column in table.columns]
        if "Export value" in headings:
            assert "(Export value): not observed, no customs data" in " ".join(table.notes), name


def test_outcomes_that_are_not_observed_are_named_once():
    unobserved = {
        f"more_{i}": {"label": f"More {i}", "unit": "US$", "observed": False, "reason": "not asked"}
        for i in range(4)
    }
    some = study_results(OUTCOMES | unobserved)
    tables = study_tables(some)
    for name in ("main_effects", "dynamic_effects", "detectable_effects", "matching_choices"):
        told = " ".join(tables[name].notes)
        assert all(told.count(f"More {i}: not observed, not asked.") == 1 for i in range(4))
    assert dynamic_effects(some)[0].columns[0].number == 1


def test_poisson_is_explained_only_where_it_stands(results):
    ratio = results.settings.outcomes.root["sales_log"].model_copy(
        update={"transform": "proportional"}
    )
    root = results.settings.outcomes.root | {"sales_log": ratio}
    outcomes = results.settings.outcomes.model_copy(update={"root": root})
    panels = lettered_panels(results)
    estimates = results.estimates.copy()
    lost = (estimates["design"] == panels["A"].design) & (estimates["outcome"] == "sales_log")
    estimates.loc[lost, "estimate"] = math.nan
    place = {"design": panels["B"].design, "outcome": "sales_log", "grouping": "all"}
    shares = [
        place | {"treated": group, "largest_five_band": "from_10_to_25"} for group in (True, False)
    ]
    made = with_settings(
        dataclasses.replace(with_details(results, CONCENTRATION, shares), estimates=estimates),
        dataclasses.replace(results.settings, outcomes=outcomes),
    )

    def notes(letter):
        return " ".join(main_notes(made, Shown({1: "sales_log"}, {letter: panels[letter]})))

    assert "by Poisson" in notes("B")
    assert "by Poisson" not in notes("A")


def test_tables_split_into_numbered_files():
    assert list(study_tables(study_results(many_outcomes(5), notes="short")))[:4] == [
        "main_effects",
        "main_effects_2",
        "variants",
        "variants_2",
    ]


def test_parts_are_even_and_fit_a_page():
    panels = study_results().settings.exhibit.panels * 3
    chosen = {"panels": panels, "notes": "short", "tables": list(DEFAULT_TABLES)}
    tables = study_tables(study_results(many_outcomes(9), **chosen))
    sizes = [len(t.panels) for name, t in tables.items() if name.startswith("variants")]
    assert sum(sizes) == 3 * (len(panels) - 3)
    assert max(sizes) - min(sizes) <= 1
    assert all(fits_page(table) for table in tables.values())
    assert tables["variants"].panels[0].title.startswith("Panel D. ")


def test_the_main_table_has_three_panels_and_the_headline_is_one_of_them():
    panels = study_results().settings.exhibit.panels
    late = [panels[3], panels[0], panels[1], panels[1], panels[2]]
    tables = study_tables(study_results(panels=late, notes="short"))
    titles = [panel.title for panel in tables["main_effects"].panels]
    assert titles == [
        "Panel A. Flat two-way fixed effects",
        "Panel B. Difference-in-differences, all firms",
        "Panel C. Matched on covariates and lags (main specification)",
    ]
    assert [p.title[:8] for p in tables["variants"].panels] == ["Panel D.", "Panel E."]


def test_each_part_of_a_table_is_made_once():
    made = []

    def make(numbered):
        made.append(numbered)
        return Table(columns=tuple(map(TableColumn, numbered.values())), panels=())

    side_by_side(list("abcdefg"), make)
    assert made == [dict(enumerate("abcd", start=1)), dict(enumerate("efg", start=5))]


def test_each_part_of_the_main_table_is_made_once(monkeypatch):
    made = []
    make = main_table._table
    monkeypatch.setattr(
        main_table, "_table", lambda results, shown: made.append(shown) or make(results, shown)
    )
    tables = effect_tables(study_results(many_outcomes(5)))
    assert len(tables) > 1
    assert all(made.count(shown) == 1 for shown in made)


def test_writing_replaces_what_the_stage_owns_and_nothing_else(tmp_path):
    reports = tmp_path / "reports"
    (reports / "tables").mkdir(parents=True)
    (reports / "tables" / "stale.tex").write_text("old")
    (reports / "note.html").write_text("another's")
    write_exhibits({"tables/new.tex": b"new", "metrics.json": b"{}"}, reports, tmp_path / "fresh")
    found = {path.relative_to(reports).as_posix() for path in reports.rglob("*") if path.is_file()}
    assert found == {"tables/new.tex", "metrics.json", "note.html"}


def test_every_folder_that_dvc_expects_is_there(tmp_path, results):
    """Also without any figure or table asked for, and without an effect to plot."""
    estimates = results.estimates.assign(estimate=math.nan, std_error=math.nan)
    nothing = dataclasses.replace(results, estimates=estimates)
    (plot,) = plots_csv(nothing).items()
    assert plot == ("plots/effect_sales_log.csv", b"event_time,estimate,conf_low,conf_high\n")
    write_exhibits({"summary.md": b"a"}, tmp_path / "reports", tmp_path / "fresh")
    folders = {path.name for path in (tmp_path / "reports").iterdir() if path.is_dir()}
    assert folders == {"tables", "figures", "plots", "results"} == set(FOLDERS)


def test_a_failure_leaves_earlier_files(tmp_path):
    reports, fresh = tmp_path / "reports", tmp_path / "fresh"
    write_exhibits({"metrics.json": b"old"}, reports, fresh)
    half: dict = {"metrics.json": b"new", "numbers.json": None}
    with pytest.raises(TypeError):
        write_exhibits(half, reports, fresh)
    assert (reports / "metrics.json").read_bytes() == b"old"
    assert {path.name for path in reports.iterdir()} == {"metrics.json", *FOLDERS}
    assert not fresh.exists()


def test_study_without_any_observed_outcome_says_so_everywhere():
    unseen = {name: {**OUTCOMES["exports_value"], "family": "main"} for name in ("a", "b")}
    results = study_results(unseen)
    tables = study_tables(results)
    assert "main_effects" not in tables and "cohorts" in tables
    floats = table_floats(results, tables.values())
    assert "% No table is made, as there is nothing to show, of: effects by outcome" in floats
    assert not any(axes.axison for axes in event_study(results).axes)


def test_a_study_without_a_matched_design_has_its_exhibits():
    """Where only `unmatched` is asked for no design picks firms: there is no support to show."""
    made = study_results()
    settings = made.settings
    specs = [s.model_copy(update={"designs": ["unmatched"]}) for s in settings.estimate.specs]
    headline = settings.estimate.headline.model_copy(update={"design": "unmatched"})
    alone = dataclasses.replace(
        settings,
        estimate=settings.estimate.model_copy(update={"specs": specs, "headline": headline}),
        match=settings.match.model_copy(update={"designs": {}}),
        score=settings.score.model_copy(update={"models": {}}),
        exhibit=settings.exhibit.model_copy(
            update={"panels": [p for p in settings.exhibit.panels if p.design == "unmatched"]}
        ),
    )
    support = conform(SUPPORT, pd.DataFrame(columns=list(SUPPORT.columns)))
    kept = {
        name: getattr(made, name).query("design == 'unmatched'")
        for name in ("estimates", "tests", "paths", "recovery")
    }
    kept["details"] = Details(
        {
            name: table.query("design == 'unmatched'") if "design" in table else table
            for name, table in made.details.tables.items()
        }
    )
    kept["score_shares"] = empty(SCORE_SHARES)
    results = dataclasses.replace(made, settings=alone, support=support, **kept)
    tables = study_tables(results)
    assert "main_effects" in tables and "support" not in tables


def with_group_time(results):
    """Return the results with the flat figure's panel made by group-time effects instead."""
    settings = results.settings
    spec = GroupTimeSpec(
        name="flat",
        designs=["unmatched"],
        outcomes="all",
        terms=["att"],
        estimator="group_time",
        cluster="assignment",
        average="event",
        method="difference",
        covariates=[],
        base="varying",
        bands=None,
    )
    specs = [spec if s.name == "flat" else s for s in settings.estimate.specs]
    estimate = settings.estimate.model_copy(update={"specs": specs})
    estimates = results.estimates.copy()
    estimates.loc[estimates["estimator"] == "flat", "df"] = math.nan
    test = {"outcome": "sales_log", "design": "unmatched", "sample": "all", "estimator": "flat"}
    test |= {"test": "pre_trends", "p_value": 0.37}
    tests = pd.concat([results.tests, pd.DataFrame([test])], ignore_index=True)
    made = dataclasses.replace(results, estimates=estimates, tests=tests)
    return with_settings(made, dataclasses.replace(settings, estimate=estimate))


def test_group_time_panels_have_their_pre_trend_test_and_normal_intervals(results):
    made = with_group_time(results)
    flat = next(k for k, p in lettered_panels(made).items() if p.spec == "flat")
    tables = effect_tables(made).values()
    panel = next(p for t in tables for p in t.panels if p.title.startswith(f"Panel {flat}. "))
    tests = {row.label: row.cells for row in panel.rows}["Pre-trend p"]
    assert tests[0] == Text("0.37")

    def notes(*letters):
        panels = {letter: lettered_panels(made)[letter] for letter in letters}
        return " ".join(main_notes(made, Shown({1: "sales_log"}, panels)))

    assert "t with G" not in notes(flat) and "95 percent confidence intervals." in notes(flat)
    assert "degrees of freedom (Panel A)." in notes("A", flat), "A matches nobody"
    assert "degrees of freedom (Panel B), conditional on the match." in notes("B", flat)
    assert "degrees of freedom, conditional on the match." in notes("B")


def test_notes_say_how_often_an_observation_counts(results):
    panels = lettered_panels(results)
    flat = next(letter for letter, panel in panels.items() if panel.spec == "flat")

    def counted(*letters):
        shown = Shown({1: "sales_log"}, {letter: panels[letter] for letter in letters})
        return main_notes(results, shown)[0]

    assert "count once per entry year that they serve." in counted("A")
    assert f"that they serve, once in all in Panel {flat}." in counted("A", flat)
    assert counted(flat).endswith("Observations count once.")
