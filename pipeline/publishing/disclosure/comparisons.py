"""Comparisons between entry years, of which one may have too few firms to be told of."""

import re

import numpy as np
import pandas as pd

from pipeline.publishing.disclosure.counts import small

# bacon_firms[twoway,2006] counts; weights follow from the counts, estimates are of the same firms.
_SIZE = re.compile(r"bacon_firms\[(\w+),\w+\]")
_FIGURE = re.compile(r"bacon_(?:firms|weight|estimate|already_treated)\[(\w+)(?:,.*)?\]")


def few_compared(facts: pd.DataFrame, minimum: int) -> "pd.Series[bool]":
    """Mark every figure of a decomposition in which some entry year has few firms.

    Weights are products of numbers of firms and sum to one, so that any of them tells of the rest.
    """
    is_small = small(facts["value"].to_numpy(float, na_value=np.nan), minimum)
    places = list(zip(facts["design"], facts["outcome"], facts["name"], strict=True))
    few = {_decomposition(place, _SIZE) for place, s in zip(places, is_small, strict=True) if s}
    few.discard(None)
    marks = [_decomposition(place, _FIGURE) in few for place in places]
    return pd.Series(marks, index=facts.index, dtype=bool)


def _decomposition(place: tuple[str, str, str], named: re.Pattern[str]) -> tuple[str, ...] | None:
    """Return design, outcome and spec of a fact so named, None for any other."""
    design, outcome, name = place
    found = named.fullmatch(name)
    return None if found is None else (design, outcome, found[1])
