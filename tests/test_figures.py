import dataclasses
import io

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, fontManager
from results import OUTCOMES, many_outcomes, remarked, score_rows, study_results, with_details

from pipeline.datasets.fits import PRE_TREND_POWER
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.store import conform
from pipeline.errors import Reason
from pipeline.exhibits.figures.att_gt import att_gt_data, att_gt_grid
from pipeline.exhibits.figures.coverage import coverage, coverage_data
from pipeline.exhibits.figures.drawing import BLUE, ITALIC_P, _bring_fonts, render_figure
from pipeline.exhibits.figures.event_study import _pre_trend_words, event_study
from pipeline.exhibits.figures.interval_rows import choices, choices_data
from pipeline.exhibits.figures.love_plot import love_plot
from pipeline.exhibits.figures.outcome_paths import outcome_paths
from pipeline.exhibits.figures.overlap import overlap
from pipeline.exhibits.figures.pre_trend_power import pre_trend_data, pre_trend_power
from pipeline.exhibits.figures.registry import drawn_figures
from pipeline.exhibits.figures.sample_flow import flow_data, flow_figure
from pipeline.exhibits.inputs import find_effect
from pipeline.exhibits.ran import ran
from pipeline.exhibits.units import percent
from pipeline.publishing.disclosure.score_shares import score_shares
from pipeline.publishing.publication import as_published
from pipeline.selection.score_bins import count_score_bins

DRAWN = (outcome_paths, event_study, love_plot, overlap, flow_figure)


@pytest.fixture(scope="module")
def results():
    return study_results()


def _words(figure: Figure) -> list[str]:
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    return [" ".join(text.split()) for text in texts]


def _upright_bars(axes):
    """Yield x, lower and upper end of every bar that is drawn as a line."""
    for bars in axes.collections:
        if isinstance(bars, LineCollection):
            for (x, low), (_, high) in bars.get_segments():
                yield x, low, high


def _points(axes, label):
    (line,) = (line for line in axes.lines if line.get_label() == label)
    return dict(zip(line.get_xdata(), line.get_ydata(), strict=True))


def _with_partial(results):
    """Return the results with an event time of log sales that one entry year lacks."""
    estimates = results.estimates.copy()
    chosen = (estimates["outcome"] == "sales_log") & (estimates["event_time"] == 3)
    estimates = remarked(estimates, chosen, Reason("entry_years_only", {"years": [2009]}))
    return dataclasses.replace(results, estimates=estimates)


def _key_words(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize("draw", DRAWN)
def test_figures_are_six_and_a_half_inches_wide(draw, results):
    assert draw(results).get_size_inches()[0] == 6.5


def test_svg_has_no_date(results):
    assert b"dc:date" not in render_figure(overlap, results)["svg"]


def test_unobserved_outcome_says_why(results):
    reason = "not observed: no customs data in this register"
    assert reason in _words(event_study(results))
    assert reason in _words(outcome_paths(results))


def test_panel_without_pre_trend_says_so(results):
    words = _words(event_study(results))
    assert "no pre-trend can be seen" in words
    assert f"pre-trends {ITALIC_P} = 0.41" in words


def test_event_study_shows_the_estimates(results):
    table = results.estimates
    chosen = (table["outcome"] == "sales_log") & (table["design"] == "covariates_lags")
    chosen &= table["event_time"].notna() & (table["estimator"] == "stacked")
    expected = table[chosen].set_index("event_time")["estimate"].map(percent).to_dict()
    panel = event_study(results).axes[0]
    points = [line for line in panel.lines if line.get_marker() == "o"]
    ends = table[chosen].dropna(subset="conf_low").set_index("event_time")
    assert {int(x): (low, high) for x, low, high in _upright_bars(panel)} == {
        time: (percent(row.conf_low), percent(row.conf_high)) for time, row in ends.iterrows()
    }
    drawn = {
        int(x): y
        for line in points
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }
    assert drawn == pytest.approx(expected)


def test_reference_and_matched_lags_are_hollow(results):
    sales = ran(results, "covariates_lags", "sales_log", "stacked")
    employment = ran(results, "covariates_lags", "employment_log", "stacked")
    assert sales.listed("matched_event_times") == [-2]
    assert employment.listed("matched_event_times") == []
    panel = event_study(results).axes[0]
    hollow = [line for line in panel.lines if line.get_markerfacecolor() == "white"]
    assert sorted(x for line in hollow for x in line.get_xdata()) == [-2, -1]
    assert all(line.get_markeredgecolor() == BLUE for line in hollow)


def test_shares_are_drawn_in_percentage_points(results):
    table = results.estimates
    chosen = (table["outcome"] == "exports_any") & (table["design"] == "covariates_lags")
    largest = table.loc[chosen & (table["event_time"] == 3), "estimate"].iloc[0]
    panel = event_study(results).axes[2]
    values = [y for line in panel.lines if line.get_marker() == "o" for y in line.get_ydata()]
    assert max(values) == pytest.approx(100 * largest)


def test_key_names_markers_bars_and_daggers_that_are_drawn(results):
    assert _key_words(event_study(results)) == ["reference or matched on", "95% interval"]
    partial = _with_partial(results)
    dagger = "\u2020 some entry years only"
    for draw, axes in ((event_study, 0), (outcome_paths, 0)):
        figure = draw(partial)
        assert dagger in _key_words(figure)
        ticks = [label.get_text() for label in figure.axes[axes].get_xticklabels()]
        assert ticks == ["\u22123", "\u22122", "\u22121", "0", "1", "2", "3\u2020"]
        assert "3" in [label.get_text() for label in figure.axes[1].get_xticklabels()]
        assert dagger not in _key_words(draw(results))


def test_axes_have_units(results):
    assert [axes.get_ylabel() for axes in event_study(results).axes[:3]] == [
        "percent",
        "percent",
        "percentage points",
    ]
    assert [axes.get_ylabel() for axes in outcome_paths(results).axes[:3]] == [
        "log US$ million",
        "log jobs",
        "share",
    ]


def test_outcome_paths_are_those_of_the_table(results):
    panel = outcome_paths(results).axes[0]
    paths = results.paths[results.paths["outcome"] == "sales_log"]
    for label, design, treated in (
        ("Treated", "covariates_lags", True),
        ("Comparison, weighted", "covariates_lags", False),
        ("Comparison, all", "unmatched", False),
    ):
        chosen = (paths["design"] == design) & (paths["treated"] == treated)
        expected = paths[chosen].set_index("event_time")["mean"].to_dict()
        assert _points(panel, label) == expected


def test_labels_with_dollar_signs_are_drawn(results):
    outcomes = {"sales": {**OUTCOMES["sales_log"], "label": r"Sales $\unknown$", "unit": "$"}}
    rendered = render_figure(event_study, study_results(outcomes))
    assert set(rendered) == {"pdf", "svg", "png", "csv"}


def test_what_a_figure_plots_stands_beside_it(results):
    plotted = pd.read_csv(io.BytesIO(render_figure(overlap, results)["csv"]))
    bars = plotted[plotted["kind"] == "bar"]
    of_treated = bars[bars["series"] == "Treated"]
    assert of_treated["y_end"].tolist() == pytest.approx(results.score_shares["share_treated"])
    assert (of_treated["x_end"] - of_treated["x"]).min() > 0
    assert bars["series"].nunique() == 2
    words = set(plotted["text"].dropna())
    assert {"Propensity score", "Share of group"} <= words


def test_chosen_ticks_are_among_what_a_figure_plots(results):
    plotted = pd.read_csv(io.BytesIO(render_figure(love_plot, results)["csv"]))
    ticks = plotted[plotted["kind"] == "tick"]
    points = plotted[plotted["series"] == "After matching"]
    assert set(points["y"]) <= set(ticks["y"])


def test_nine_outcomes_stand_in_three_rows():
    figure = outcome_paths(study_results(many_outcomes(9)))
    assert len(figure.axes) == 9
    assert figure.get_size_inches()[1] == pytest.approx(3 * 2.1)


def test_love_plot_has_lines_at_the_threshold(results):
    axes = love_plot(results).axes[0]
    upright = {line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"}
    assert upright == {-0.1, 0.1}


def test_love_plot_shows_the_differences(results):
    table = results.balance
    chosen = table[(table["design"] == "covariates_lags") & (table["stack"] == "all")]
    axes = love_plot(results).axes[0]
    for label, sample in (("Before matching", "before"), ("After matching", "after")):
        expected = chosen.loc[chosen["sample"] == sample, "std_diff"]
        assert sorted(_points(axes, label)) == sorted(expected)


def test_love_plot_of_a_headline_without_matching_has_one_sample(results):
    headline = results.settings.estimate.headline.model_copy(update={"design": "unmatched"})
    estimate = results.settings.estimate.model_copy(update={"headline": headline})
    settings = dataclasses.replace(results.settings, estimate=estimate)
    figure = love_plot(dataclasses.replace(results, settings=settings))
    assert _key_words(figure) == ["All compared"]


def test_overlap_shares_sum_to_one():
    scores = pd.DataFrame(score_rows(np.random.default_rng(1)))
    bins = score_shares(count_score_bins(scores), "covariates")
    assert bins["share_treated"].sum() == pytest.approx(1)
    assert bins["share_comparison"].sum() == pytest.approx(1)
    in_bin = scores.query("model == 'covariates' and treated")["propensity_score"]
    first = bins.iloc[3]
    inside = ((in_bin >= first.low) & (in_bin < first.high)).mean()
    assert first.share_treated == pytest.approx(inside)


def test_the_flow_figure_counts_both_sides_and_what_each_loses(results):
    (axes,) = flow_figure(results).axes
    words = [text.get_text() for text in axes.texts if text.get_text()]
    data = flow_data(results)
    left = data[data["kind"] == "left"]
    for row in left.to_dict("records"):
        for side in ("treated", "comparison"):
            assert not row[side] or f"{row['label']}: {row[side]}" in words
    losses = " ".join(words)
    for row in data[data["kind"] == "lost"].to_dict("records"):
        assert not row["treated"] or f"\u2212 {row['treated']} " in losses


def test_choices_draw_every_variant_with_its_interval(results):
    data = choices_data(results)
    axes = choices(results).axes
    assert len(axes) == 3
    sales = data[data["outcome"] == "sales_log"]
    drawn = {
        (low, high)
        for bars in axes[0].collections
        if isinstance(bars, LineCollection)
        for (low, _), (high, _) in bars.get_segments()
    }
    assert drawn == set(zip(sales["conf_low"], sales["conf_high"], strict=True))
    effect = find_effect(results, "sales_log", "covariates_lags", "stacked")
    assert sales.loc[sales["headline"], "estimate"].item() == pytest.approx(
        100 * np.expm1(effect.estimate)
    )
    assert sales["biased"].sum() == 1  # the flat two-way figure
    counted = sales[~sales["biased"]]
    clear = ((counted["conf_low"] > 0) | (counted["conf_high"] < 0)).sum()
    heading = axes[0].get_title(loc=mpl.rcParams["axes.titlelocation"])
    assert heading.splitlines() == ["Annual sales", f"{clear} of {len(sales) - 1} clear of zero"]


def test_a_figure_without_data_is_left_out(results):
    assert {"forest", "att_gt", "pre_trend_power", "coverage"}.isdisjoint(drawn_figures(results))
    assert {"choices", "sample_flow"} <= set(drawn_figures(results))


def test_the_grid_has_a_row_an_entry_year_and_squares_before(results):
    rows = results.estimates
    average = rows[(rows["design"] == "covariates_lags") & rows["event_time"].isna()]
    cells = [
        average.assign(term="att_gt", cohort=cohort, year=year, estimate=0.01 * (year - 2008))
        for cohort in (2009, 2010)
        for year in (2008, 2009, 2010, 2011)
    ]
    table = pd.concat([rows, *cells], ignore_index=True)
    with_cells = dataclasses.replace(results, estimates=conform(as_published(ESTIMATES), table))
    data = att_gt_data(with_cells)
    assert set(data["cohort"]) == {2009, 2010}
    grid = att_gt_grid(with_cells).axes
    assert len(grid) == 6
    markers = {line.get_xdata()[0]: line.get_marker() for line in grid[0].lines[1:]}
    assert markers == {2008: "s", 2009: "o", 2010: "o", 2011: "o"}


def test_coverage_shows_each_column_once(results):
    rows = [
        {"column": column, "year": year, "treated": treated, "n_firms": 100}
        | {"n_observed": 80, "observed_share": 0.8}
        for column in ("sales", "employment", "exports")
        for year in (2009, 2010)
        for treated in (True, False)
    ]
    seen = dataclasses.replace(results, coverage=pd.DataFrame(rows))
    data = coverage_data(seen)
    assert list(dict.fromkeys(data["outcome"])) == ["sales_log", "employment_log", "exports_any"]
    assert set(data["observed_percent"]) == {80.0}
    assert len(coverage(seen).axes) == 3


def test_the_drift_that_a_test_misses_goes_on_after_entry(results):
    key = {"design": "covariates_lags", "outcome": "sales_log", "estimator": "stacked"}
    row = {**key, "power": 0.8, "slope_jointly": 0.02, "slope_by_any": 0.03, "scale": "log_points"}
    known = with_details(results, PRE_TREND_POWER, [row])
    data = pre_trend_data(known).set_index("event_time")["drift"]
    assert data[-1] == 0
    assert data[3] == pytest.approx(100 * np.expm1(0.08))
    (axes,) = pre_trend_power(known).axes
    assert "a drift of 2.0 percent a year" in " ".join(_words_of(axes))


def _words_of(axes):
    return [" ".join(text.get_text().split()) for text in axes.texts]


def test_event_times_of_narrow_panels_are_not_crowded():
    figure = event_study(study_results(many_outcomes(4)))
    shown = [
        [tick.get_text() for tick in axes.get_xticklabels() if tick.get_text()]
        for axes in figure.axes
    ]
    assert all(len(labels) <= 7 and "0" in labels for labels in shown)


def test_a_long_list_of_entry_years_does_not_fill_a_panel(results):
    table = results.estimates.copy()
    early = table["event_time"] < -1
    years = list(range(2003, 2011))
    table = remarked(table, early, Reason("entry_years_only", {"years": years}))
    crowded = dataclasses.replace(results, estimates=table)
    words = _pre_trend_words(crowded, "sales_log")
    assert "some entry years" in words and "2003" not in words
    table = remarked(table, early, Reason("entry_years_only", {"years": [2003]}))
    short = dataclasses.replace(results, estimates=table)
    assert "entry 2003 only" in _pre_trend_words(short, "sales_log")


@pytest.mark.parametrize("listed", [[], ["/gone/STIXGeneral.ttf"]])
def test_a_list_of_fonts_that_another_environment_left_changes_no_figure(
    results, listed, monkeypatch
):
    with results.speaking():
        before = render_figure(flow_figure, results, ["svg"])["svg"]
        fonts = [FontEntry(fname=name, name="STIXGeneral") for name in listed]
        others = [font for font in fontManager.ttflist if not font.name.startswith("STIX")]
        monkeypatch.setattr(fontManager, "ttflist", [*fonts, *others])
        _bring_fonts.cache_clear()
        assert render_figure(flow_figure, results, ["svg"])["svg"] == before
