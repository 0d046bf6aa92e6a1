"""The look of every figure, and how it becomes files that are the same on every run.

6.5 in wide, 9 pt, Okabe-Ito colours (doi:10.1038/nmeth.1618); marker, hatch or line style says
the same as colour, so that the figures read in grey.
"""

import io
import math
import textwrap
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.ticker import ScalarFormatter

from pipeline.exhibits.figures.plotted import plotted_data
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say, speech

# What a figure is drawn from.
Drawn = TypeVar("Drawn")

WIDTH_INCHES = 6.5

BLUE = "#0072B2"
ORANGE = "#D55E00"
GREY = "#595959"
MIDDLE = "#8C8C8C"
PALE = "#BFBFBF"
SHADE = "#F0F0F0"

# Text is never read as mathematics, so an italic letter is a character of its own.
ITALIC_P = "\U0001d45d"

DAGGER = "\u2020"

# What a tick label with a minus sign and its distance take, in characters of a heading.
_CHARACTERS_A_TICK = 3

FORMATS = ("pdf", "svg", "png")

_STYLE: Any = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "axes.titlelocation": "left",
    "hatch.linewidth": 0.6,
    "savefig.dpi": 200,
    "figure.dpi": 200,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "cluster-impact",
    "text.usetex": False,
    # A label may hold a dollar sign.
    "text.parse_math": False,
}

# Without dates and versions, the same figure is the same bytes.
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def render_figure(
    draw: Callable[[Drawn], Figure], drawn: Drawn, formats: Collection[str] = FORMATS
) -> dict[str, bytes]:
    """Return one figure as bytes by format: pdf for LaTeX, svg and png for the web, its data."""
    _bring_fonts()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        figure = draw(drawn)
        _mark_ticks(figure)
        drawings = {kind: _save(figure, kind) for kind in formats}
        return {**drawings, "csv": plotted_data(figure)}


@cache
def _bring_fonts() -> None:
    """Use the fonts that come with matplotlib.

    Its stored list of fonts may be of another environment, or of one that is gone: then it draws
    with whatever font it finds, and the figure is not the same bytes.
    """
    own = sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("STIX*.ttf"))
    names = {path.name for path in own}
    fontManager.ttflist[:] = [
        font for font in fontManager.ttflist if Path(font.fname).name not in names
    ]
    for path in own:
        fontManager.addfont(path)


@dataclass(frozen=True)
class PanelGrid:
    """Hold a figure, its panels, and how many characters a line above or in a panel holds."""

    figure: Figure
    panels: list[Axes]
    line_length: int

    def title(self, axes: Axes, heading: str, subtitle: str = "") -> None:
        """Put a heading over a panel and smaller grey lines under it, both wrapped."""
        small = textwrap.fill(subtitle, self.line_length + 2)
        n_lines = small.count("\n") + 1 if small else 0
        axes.set_title(textwrap.fill(heading, self.line_length), loc="left", pad=5 + 11 * n_lines)
        text = axes.text(
            0, 1.02, small, transform=axes.transAxes, ha="left", va="bottom", color=GREY, size=7.5
        )
        # The heading's padding already holds its place.
        text.set_in_layout(False)

    def say_instead(self, axes: Axes, reason: str) -> None:
        """Fill a panel that has nothing to show with the reason, in words."""
        axes.set_axis_off()
        words = textwrap.fill(reason, self.line_length - 2)
        middle: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, words, color=GREY, size=8, **middle)


def panel_grid(n_panels: int, panel_height: float = 2.2) -> PanelGrid:
    """Return a figure with one axes per panel: up to four a row, rows filled evenly.

    Rows are balanced, so five panels stand as three and two; spare places are removed.
    """
    n_rows = math.ceil(n_panels / 4)
    n_columns = math.ceil(n_panels / n_rows)
    figure = Figure(figsize=(WIDTH_INCHES, panel_height * n_rows), layout="constrained")
    places: list[Axes] = list(figure.subplots(n_rows, n_columns, squeeze=False).flat)
    for spare in places[n_panels:]:
        spare.remove()
    # About 13 characters of 9 pt text an inch, axis labels aside.
    return PanelGrid(figure, places[:n_panels], int(13 * WIDTH_INCHES / n_columns) + 1)


def integer_ticks(
    grid: PanelGrid,
    axes: Axes,
    times: list[int],
    partial: Collection[int] = (),
    before: Mapping[int, str] = MappingProxyType({}),
) -> None:
    """Mark event times at whole years, every second or third where a panel is narrow.

    A dagger stands beside event times marked that some entry years lack, and a sign `before` those
    that are open-ended, which are always marked.
    """
    step = math.ceil(len(times) / (grid.line_length // _CHARACTERS_A_TICK))
    # Steps count from 0, the entry year, so that it is always marked.
    shown = [time for time in times if time % step == 0 or time in before]
    labels = [
        before.get(time, "") + rounding.fixed(time, 0) + (DAGGER if time in partial else "")
        for time in shown
    ]
    axes.set_xticks(shown, labels)


def partial_key() -> Line2D:
    """Return the legend entry of the dagger."""
    return Line2D(
        [], [], linestyle="none", label=say("drawing.some_entry_years_only", dagger=DAGGER)
    )


def _mark_ticks(figure: Figure) -> None:
    """Write tick labels with the report's decimal mark, where it is not the point."""
    if speech().decimal_mark == ".":
        return
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), ScalarFormatter):
                axis.set_major_formatter(lambda value, _: rounding.general(round(value, 6)))


def _save(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=_METADATA[kind])
    return buffer.getvalue()
