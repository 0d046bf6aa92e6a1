"""Coverage: of each outcome's column, the share of firms observed, by year."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.exhibits.figures.drawing import BLUE, ORANGE, panel_grid
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say

_LOOKS: tuple[tuple[bool, str, dict[str, Any]], ...] = (
    (True, "column.treated", {"color": BLUE, "linestyle": "-", "marker": "o"}),
    (
        False,
        "column.never_treated",
        {"color": ORANGE, "linestyle": "--", "marker": "s", "markerfacecolor": "white"},
    ),
)


def coverage_data(results: StudyResults) -> pd.DataFrame:
    """Return percent observed by outcome, year and treatment; none where coverage is absent."""
    columns = ["outcome", "year", "treated", "observed_percent"]
    if results.coverage is None:
        return pd.DataFrame(columns=columns)
    lines = []
    for name, outcome in results.settings.outcomes.intended.items():
        rows = results.coverage[results.coverage["column"] == outcome.column]
        known = rows.dropna(subset="observed_share").sort_values(["treated", "year"])
        shares = 100 * known["observed_share"].astype(float)
        lines.append(known.assign(outcome=name, observed_percent=shares)[columns])
    # outcomes of one column are observed alike
    first = pd.concat(lines, ignore_index=True)
    seen = {name: o.column for name, o in reversed(results.settings.outcomes.intended.items())}
    kept = set({column: name for name, column in seen.items()}.values())
    return first[first["outcome"].isin(kept)].reset_index(drop=True)


def coverage(results: StudyResults) -> Figure:
    """Draw one panel a column: treated firms and those never treated."""
    data = coverage_data(results)
    names = list(dict.fromkeys(data["outcome"]))
    grid = panel_grid(len(names), 2.1)
    for axes, name in zip(grid.panels, names, strict=True):
        own = data[data["outcome"] == name]
        _panel(axes, own)
        worst = own.loc[own["observed_percent"].idxmin()]
        low, year = rounding.whole(worst["observed_percent"]), int(worst["year"])
        grid.title(axes, results.plain_name(name), say("coverage_plot.lowest", low=low, year=year))
    handles, labels = grid.panels[0].get_legend_handles_labels()
    grid.figure.legend(handles, labels, loc="outside upper center", ncols=2)
    grid.figure.supxlabel(say("att_gt_plot.year"), size=9)
    grid.figure.supylabel(say("coverage_plot.observed"), size=9)
    return grid.figure


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    for treated, code, look in _LOOKS:
        own = rows[rows["treated"] == treated]
        axes.plot(own["year"], own["observed_percent"], markersize=3.5, label=say(code), **look)
    axes.xaxis.set_major_formatter(lambda year, _: f"{year:.0f}" if year == round(year) else "")
    axes.tick_params(labelsize=7)
