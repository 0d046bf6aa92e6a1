"""Every figure that params can name: a new one is a module and a row here.

A row says what captions and the export manifest must know of a figure; what a row leaves out is an
error, never a silent default.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from pipeline.exhibits.figures.att_gt import att_gt_data, att_gt_grid
from pipeline.exhibits.figures.cohorts import cohort_plot
from pipeline.exhibits.figures.coverage import coverage, coverage_data
from pipeline.exhibits.figures.event_study import event_study
from pipeline.exhibits.figures.interval_rows import (
    arms,
    arms_data,
    choices,
    choices_data,
    forest,
    forest_data,
    pools_data,
    pools_figure,
)
from pipeline.exhibits.figures.love_plot import love_plot
from pipeline.exhibits.figures.outcome_paths import outcome_paths
from pipeline.exhibits.figures.overlap import overlap
from pipeline.exhibits.figures.pre_trend_power import pre_trend_data, pre_trend_power
from pipeline.exhibits.figures.sample_flow import flow_data, flow_figure
from pipeline.exhibits.inputs import StudyResults


@dataclass(frozen=True)
class RegisteredFigure:
    """Hold what the pipeline must know of one figure.

    `caption` is the code of its caption. `magnitudes` says whether it shows means of magnitudes, to
    which the dominance rule applies, or figures made of them; `counts` whether it shows numbers of
    firms, as tables do; `sampled` whether it is weighted where a study has sampling weights. `data`
    returns what is plotted; a figure whose data are empty is left out.
    """

    draw: Callable[[StudyResults], Figure]
    caption: str
    magnitudes: bool
    counts: bool
    sampled: bool
    data: Callable[[StudyResults], pd.DataFrame] | None = None


def drawn_figures(results: StudyResults) -> dict[str, RegisteredFigure]:
    """Return the figures that params ask for and for which the study has data, in order."""
    asked = {name: FIGURES[name] for name in results.settings.exhibit.figures}
    return {
        name: row for name, row in asked.items() if row.data is None or len(row.data(results)) > 0
    }


FIGURES: dict[str, RegisteredFigure] = {
    "outcome_paths": RegisteredFigure(
        draw=outcome_paths,
        caption="captions.outcome_paths",
        magnitudes=True,
        counts=False,
        sampled=True,
    ),
    "event_study": RegisteredFigure(
        draw=event_study,
        caption="captions.event_study",
        magnitudes=True,
        counts=False,
        sampled=True,
    ),
    "love_plot": RegisteredFigure(
        draw=love_plot, caption="captions.love_plot", magnitudes=False, counts=False, sampled=True
    ),
    "overlap": RegisteredFigure(
        draw=overlap, caption="captions.overlap", magnitudes=False, counts=False, sampled=False
    ),
    "sample_flow": RegisteredFigure(
        draw=flow_figure,
        caption="captions.flow",
        magnitudes=False,
        counts=True,
        sampled=False,
        data=flow_data,
    ),
    "cohorts": RegisteredFigure(
        draw=cohort_plot, caption="captions.cohorts", magnitudes=False, counts=False, sampled=False
    ),
    "choices": RegisteredFigure(
        draw=choices,
        caption="captions.choices",
        magnitudes=False,
        counts=False,
        sampled=True,
        data=choices_data,
    ),
    "forest": RegisteredFigure(
        draw=forest,
        caption="captions.forest",
        magnitudes=False,
        counts=True,
        sampled=True,
        data=forest_data,
    ),
    "att_gt": RegisteredFigure(
        draw=att_gt_grid,
        caption="captions.att_gt",
        magnitudes=False,
        counts=True,
        sampled=True,
        data=att_gt_data,
    ),
    "pre_trend_power": RegisteredFigure(
        draw=pre_trend_power,
        caption="captions.pre_trend_power",
        magnitudes=False,
        counts=False,
        sampled=True,
        data=pre_trend_data,
    ),
    "coverage": RegisteredFigure(
        draw=coverage,
        caption="captions.coverage",
        magnitudes=False,
        counts=False,
        sampled=False,
        data=coverage_data,
    ),
    "arms": RegisteredFigure(
        draw=arms,
        caption="captions.arms_figure",
        magnitudes=False,
        counts=True,
        sampled=True,
        data=arms_data,
    ),
    "pools": RegisteredFigure(
        draw=pools_figure,
        caption="captions.pools_figure",
        magnitudes=False,
        counts=True,
        sampled=True,
        data=pools_data,
    ),
}
