"""Every figure that params can name: a new one is a module and a row here.

A row says what captions and the export manifest must know of a figure; what a row leaves out is an
error, never a silent default.
"""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from pipeline.exhibits.figures.cohorts import cohort_plot
from pipeline.exhibits.figures.event_study import event_study
from pipeline.exhibits.figures.love_plot import love_plot
from pipeline.exhibits.figures.outcome_paths import outcome_paths
from pipeline.exhibits.figures.overlap import overlap
from pipeline.exhibits.figures.sample_flow import flow_figure
from pipeline.exhibits.inputs import StudyResults


@dataclass(frozen=True)
class RegisteredFigure:
    """Hold what the pipeline must know of one figure.

    `caption` is the code of its caption. `magnitudes` says whether it shows means of magnitudes, to
    which the dominance rule applies, or figures made of them; `counts` whether it shows numbers of
    firms, as tables do.
    """

    draw: Callable[[StudyResults], Figure]
    caption: str
    magnitudes: bool
    counts: bool


FIGURES: dict[str, RegisteredFigure] = {
    "outcome_paths": RegisteredFigure(
        draw=outcome_paths, caption="captions.outcome_paths", magnitudes=True, counts=False
    ),
    "event_study": RegisteredFigure(
        draw=event_study, caption="captions.event_study", magnitudes=True, counts=False
    ),
    "love_plot": RegisteredFigure(
        draw=love_plot, caption="captions.love_plot", magnitudes=False, counts=False
    ),
    "overlap": RegisteredFigure(
        draw=overlap, caption="captions.overlap", magnitudes=False, counts=False
    ),
    "sample_flow": RegisteredFigure(
        draw=flow_figure, caption="captions.sample_flow", magnitudes=False, counts=True
    ),
    "cohorts": RegisteredFigure(
        draw=cohort_plot, caption="captions.cohorts", magnitudes=False, counts=False
    ),
}
