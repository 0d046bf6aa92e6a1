"""What a figure shows, as a table: points, bars, intervals and words, in units of its axes.

Stored beside each figure. It depends neither on fonts nor on how a version of the drawing library
arranges panels, so that figures made by different versions can be compared by it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.container import Container
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

# Below this a coordinate is rounding around zero.
_ZERO = 1e-12


@dataclass(frozen=True)
class _Mark:
    """Hold one thing drawn: where it is, then where it ends if it extends, what it says."""

    kind: str
    series: str = ""
    place: Sequence[float] = ()
    text: str = ""


_PLACES = ["x", "y", "x_end", "y_end"]
_COLUMNS = ["panel", "kind", "series", *_PLACES, "text"]


def plotted_data(figure: Figure) -> bytes:
    """Return what a figure shows as CSV, panel by panel, in the order of drawing."""
    rows = [
        {"panel": number, **vars(mark), **dict(zip(_PLACES, mark.place, strict=False))}
        for number, axes in enumerate(figure.axes, start=1)
        for mark in _marks(axes)
    ]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    places = table[_PLACES].astype(float)
    table[_PLACES] = places.mask(places.abs() < _ZERO, 0.0)
    text: str = table.to_csv(index=False, lineterminator="\n", float_format="%.8g")
    return text.encode("utf-8")


def _marks(axes: Axes) -> Iterator[_Mark]:
    yield from _axis_words(axes)
    bars = {id(bar): _series(bars) for bars in axes.containers for bar in bars.get_children()}
    for artist in axes.get_children():
        series = bars.get(id(artist), _series(artist))
        for place in _places(artist, axes):
            yield _Mark(_kind(artist), series, place)
        if isinstance(artist, Text) and artist.get_text():
            yield _Mark("text", text=artist.get_text())


def _kind(artist: Artist) -> str:
    kinds = {LineCollection: "line", PolyCollection: "area", Rectangle: "bar"}
    return next((name for kind, name in kinds.items() if isinstance(artist, kind)), "point")


def _places(artist: Artist, axes: Axes) -> Iterator[Sequence[float]]:
    """Yield where an artist is, in units of the axes; nothing of what marks the axes themselves."""
    match artist:
        case PathCollection():
            yield from np.asarray(artist.get_offsets(), dtype=float).tolist()
        case LineCollection():
            yield from ((*line[0], *line[-1]) for line in artist.get_segments() if len(line))
        case PolyCollection():
            for path in artist.get_paths():
                yield from np.asarray(path.vertices).tolist()
        case Line2D() if artist.get_transform() == axes.transData:
            yield from np.asarray(artist.get_xydata(), dtype=float).tolist()
        case Rectangle() if artist.get_data_transform() == axes.transData:
            x, y = artist.get_xy()
            yield x, y, x + artist.get_width(), y + artist.get_height()


def _axis_words(axes: Axes) -> Iterator[_Mark]:
    """Yield the axes' labels, and ticks that are named or chosen, not left to be found."""
    for side, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if axis.get_label_text():
            yield _Mark(f"{side}_label", text=axis.get_label_text())
        if isinstance(axis.get_major_locator(), FixedLocator):
            for place, name in zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True):
                at = (place,) if side == "x" else (np.nan, place)
                yield _Mark("tick", place=at, text=name.get_text())


def _series(artist: Artist | Container) -> str:
    """Return what a legend calls it; nothing where the drawing library made up a name."""
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else label
