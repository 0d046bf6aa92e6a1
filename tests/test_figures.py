import pytest
from matplotlib.figure import Figure
from results import many_outcomes, study_results

from pipeline.exhibits.design_words import matched_event_times
from pipeline.exhibits.event_study import event_study
from pipeline.exhibits.figures import BLUE, render_figure
from pipeline.exhibits.flow_figure import flow_figure
from pipeline.exhibits.love_plot import love_plot
from pipeline.exhibits.outcome_paths import outcome_paths
from pipeline.exhibits.overlap import overlap, score_bins

DRAWN = (outcome_paths, event_study, love_plot, overlap, flow_figure)


@pytest.fixture(scope="module")
def results():
    return study_results()


def _words(figure: Figure) -> list[str]:
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    return [" ".join(text.split()) for text in texts]


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
    assert "pre-trends $p$ = 0.41" in words


def test_event_study_shows_the_estimates(results):
    table = results.estimates
    chosen = (table["outcome"] == "sales_log") & (table["design"] == "covariates_lags")
    chosen &= table["event_time"].notna() & (table["estimator"] == "stacked")
    expected = table[chosen].set_index("event_time")["estimate"].to_dict()
    panel = event_study(results).axes[0]
    points = [line for line in panel.lines if line.get_marker() == "o"]
    drawn = {
        int(x): y
        for line in points
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }
    assert drawn == pytest.approx(expected)


def test_reference_and_matched_lags_are_hollow(results):
    assert matched_event_times(results.settings, "sales_log", "covariates_lags") == {-2}
    assert matched_event_times(results.settings, "employment_log", "covariates_lags") == set()
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


def test_nine_outcomes_stand_in_three_rows():
    figure = outcome_paths(study_results(many_outcomes(9)))
    assert len(figure.axes) == 9
    assert figure.get_size_inches()[1] == pytest.approx(3 * 2.1)


def test_love_plot_has_lines_at_the_threshold(results):
    axes = love_plot(results).axes[0]
    upright = {line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"}
    assert upright == {-0.1, 0.1}


def test_overlap_shares_sum_to_one(results):
    bins = score_bins(results.scores, "covariates")
    assert bins["treated"].sum() == pytest.approx(1)
    assert bins["comparison"].sum() == pytest.approx(1)
    in_bin = results.scores.query("model == 'covariates' and treated")["propensity_score"]
    first = bins.iloc[3]
    inside = ((in_bin >= first.low) & (in_bin < first.high)).mean()
    assert first.treated == pytest.approx(inside)


def test_the_flow_figure_shows_each_rule_with_what_is_left(results):
    (axes,) = flow_figure(results).axes
    assert [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()] == list(
        results.sample_flow["rule"][1:]
    )
    assert [text.get_text().strip() for text in axes.texts] == ["81,984 left"]
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == pytest.approx([100 * 60 / 84210, 100 * 2166 / 84210])
