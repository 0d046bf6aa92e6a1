"""Identifiers drawn at random from the range of those of the panel, to know what chance does."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.panel.identifiers import PART_MARK

# How long each part of an identifier is.
Shape = tuple[int, ...]


def drawn_alike(firms: pd.Index, n: int, rng: np.random.Generator) -> list[str]:
    """Draw identifiers as long as those of the panel, each character from one in its place."""
    ids = np.asarray(firms, dtype=np.str_)
    shape = _shape_codes(firms)
    drawn_shape = shape[rng.integers(len(ids), size=n)]
    drawn: list[str] = []
    for code in np.unique(drawn_shape):
        own = ids[shape == code]
        size = len(own[0])
        alike = own.astype(f"U{size}").view("U1").reshape(-1, size)
        row = rng.integers(len(alike), size=(int((drawn_shape == code).sum()), size))
        drawn += ["".join(characters) for characters in alike[row, np.arange(size)]]
    return drawn


def drawn_one_off(wanted: pd.Index, firms: pd.Index, n: int, rng: np.random.Generator) -> list[str]:
    """Draw identifiers as long as those wanted, from the range of firms with one character off.

    By shape of those wanted, as often as it occurs: identifiers are drawn as those of firms that
    are one longer in one of their parts, or shorter, and lose the last character of that part, or
    have one added. A shape that no firm is one off from gives empty ones, which are of nobody.
    """
    ids = pd.Series(np.asarray(firms, dtype=object))
    by_shape = {shape: ids.index[rows] for shape, rows in _by_shape(firms)}
    drawn: list[str] = []
    for shape, places in _by_shape(wanted):
        size = round(n * len(places) / len(wanted))
        near = [(at, off) for at, off in _one_off(shape) if at in by_shape]
        drawn += _drawn_near(ids, by_shape, near, size, rng) if near else [""] * size
    return drawn


def _drawn_near(
    ids: pd.Series,
    by_shape: dict[Shape, pd.Index],
    near: list[tuple[Shape, int]],
    size: int,
    rng: np.random.Generator,
) -> list[str]:
    """Draw from firms of some shapes by their number; `near` has the part that is one off."""
    n_firms = np.array([len(by_shape[shape]) for shape, _ in near])
    drawn: list[str] = []
    for (shape, part), share in zip(near, n_firms / n_firms.sum(), strict=True):
        own = pd.Index(ids[by_shape[shape]])
        for one in drawn_alike(own, round(size * share), rng):
            drawn.append(_off_by_one(one, part, rng))
    return drawn


def _off_by_one(one: str, part: int, rng: np.random.Generator) -> str:
    """Return an identifier without the last character of a part, or one added where negative."""
    parts = one.split(PART_MARK)
    at = abs(part) - 1
    parts[at] = parts[at] + str(rng.integers(10)) if part < 0 else parts[at][:-1]
    return PART_MARK.join(parts)


def _one_off(shape: Shape) -> Iterator[tuple[Shape, int]]:
    """Yield the shapes one longer (part, from 1) and one shorter (negative) in one part."""
    for at, size in enumerate(shape):
        for more in (1, -1):
            if size + more > 0:
                yield (*shape[:at], size + more, *shape[at + 1 :]), more * (at + 1)


def _by_shape(ids: pd.Index) -> Iterator[tuple[Shape, np.ndarray]]:
    """Yield each shape, and the places of the identifiers that have it."""
    codes = _shape_codes(ids)
    for code in np.unique(codes):
        places = np.flatnonzero(codes == code)
        yield tuple(map(len, str(ids[places[0]]).split(PART_MARK))), places


def _shape_codes(ids: pd.Index) -> np.ndarray:
    """Number the shapes of identifiers: by length, and among these by the lengths of parts."""
    written = np.asarray(ids, dtype=np.str_)
    length = np.char.str_len(written).astype(np.int64)
    joined = np.char.find(written, PART_MARK) >= 0
    if not joined.any():
        return length
    shapes = ["-".join(str(len(part)) for part in one.split(PART_MARK)) for one in written]
    return np.asarray(pd.factorize(pd.Index(shapes), sort=True)[0])
