"""Identifiers of a register that are nearly those of firms of the panel, by kind.

A kind counts where it hits at least five times as often as for identifiers drawn at random from
the panel's own range: where these are dense, one digit off is another firm.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from pipeline.datasets.arrays import Codes
from pipeline.panel.identifiers import FORMS, Texts, form_without, texts, without_last

# A kind counts from this many times as often as by chance, in so many draws.
_ABOVE_CHANCE = 5
_LEAST_DRAWN, _MOST_DRAWN = 2_000, 20_000
# The last place in which two characters are tried in the other order.
_LAST_PLACE = 30

# What else than its form parts a pair, and the kinds that a pair may be of.
_EDITS = ("check_digit", "other_check_digit", "transposition")
KINDS = (*FORMS, *_EDITS)
# Another way of writing the same characters is nearer than other characters.
_EDIT_WEIGHS = len(FORMS) + 1

_NOTHING = pa.scalar("", pa.large_string())

Holds = Callable[[Texts, Texts], Any]


def near_misses(wanted: pd.Index, firms: pd.Index, rng: np.random.Generator) -> pd.DataFrame:
    """Return the pairs of an unfound identifier and one of the panel that nearly agree.

    Each has `wanted`, `firm_id` and a flag for each kind in which it differs, all of kinds that
    count; of the pairs of an unfound identifier those that differ in fewest.
    """
    drawn = drawn_alike(firms, min(max(_LEAST_DRAWN, len(wanted)), _MOST_DRAWN), rng)
    pairs = _pairs(texts([*wanted, *drawn]), texts(firms))
    is_wanted = (pairs["wanted"] < len(wanted)).to_numpy()
    own, by_chance = pairs[is_wanted], pairs[~is_wanted]
    found, chance = _rates(own, len(wanted)), _rates(by_chance, len(drawn))
    too_few = [kind for kind in KINDS if found[kind] < _ABOVE_CHANCE * chance[kind]]
    kept = fewest_kinds(own[~own[too_few].any(axis=1)])
    ids = {
        "wanted": wanted.take(kept["wanted"].to_numpy()),
        "firm_id": firms.take(kept["firm"].to_numpy()),
    }
    return kept[list(KINDS)].reset_index(drop=True).assign(**ids)


def drawn_alike(firms: pd.Index, n: int, rng: np.random.Generator) -> list[str]:
    """Draw identifiers as long as those of the panel, each character from one in its place."""
    ids = np.asarray(firms, dtype=np.str_)
    length = np.char.str_len(ids)
    drawn_length = length[rng.integers(len(ids), size=n)]
    drawn: list[str] = []
    for size in np.unique(drawn_length):
        alike = ids[length == size].astype(f"U{size}").view("U1").reshape(-1, size)
        row = rng.integers(len(alike), size=(int((drawn_length == size).sum()), size))
        drawn += ["".join(characters) for characters in alike[row, np.arange(size)]]
    return drawn


def fewest_kinds(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of each unfound identifier that differ in fewest kinds."""
    apart = pairs[list(FORMS)].sum(axis=1) + _EDIT_WEIGHS * pairs[list(_EDITS)].any(axis=1)
    return pairs[apart == apart.groupby(pairs["wanted"]).transform("min")]


def _rates(pairs: pd.DataFrame, n: int) -> dict[str, float]:
    """Return the share of identifiers that nearly agree with a firm's, by kind.

    Another way of writing counts where it is all that parts them.
    """
    same = ~pairs[list(_EDITS)].any(axis=1)
    of_kind = {kind: pairs[kind] & (same if kind in FORMS else True) for kind in KINDS}
    return {kind: pairs.loc[rows, "wanted"].nunique() / max(n, 1) for kind, rows in of_kind.items()}


def _pairs(wanted: Texts, firms: Texts) -> pd.DataFrame:
    """Return positions of both identifiers of each pair, with a flag for each kind."""
    key = form_without(wanted, FORMS)
    known = form_without(firms, FORMS)
    whole, shortened = _Known.of(known), _Known.of(without_last(known))
    place, short = np.arange(len(key)), without_last(key)
    joined = {
        "": [whole.pairs(place, key)],
        "check_digit": [whole.pairs(place, short), shortened.pairs(place, key)],
        "other_check_digit": [shortened.pairs(place, short)],
        "transposition": [whole.pairs(*swapped) for swapped in _swapped(wanted)],
    }
    edited = [
        _with_kinds(pd.concat(found), edit, wanted, firms)
        for edit, found in joined.items()
        if found
    ]
    return pd.concat(edited, ignore_index=True)


@dataclass(frozen=True)
class _Known:
    """Find firms by key: those of a key stand together in `firm`, from `start` on, `size` many."""

    keys: Texts
    firm: Codes
    start: Codes
    size: Codes

    @classmethod
    def of(cls, keys: Texts) -> "_Known":
        """Index firms by the keys that they have."""
        encoded = keys.dictionary_encode()
        code = np.asarray(encoded.indices, dtype=np.intp)
        size = np.bincount(code, minlength=len(encoded.dictionary))
        start = np.cumsum(size) - size
        return cls(encoded.dictionary, np.argsort(code, kind="stable"), start, size)

    def pairs(self, place: Codes, keys: Texts) -> pd.DataFrame:
        """Return every pair of a wanted identifier, at its place, and a firm with its key."""
        keys = compute.if_else(compute.equal(keys, ""), None, keys)
        code = compute.index_in(keys, value_set=self.keys)
        there = np.flatnonzero(np.asarray(compute.is_valid(code)))
        found = np.asarray(code.take(pa.array(there)), dtype=np.intp)
        size = self.size[found]
        within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        firm = self.firm[np.repeat(self.start[found], size) + within]
        return pd.DataFrame({"wanted": np.repeat(place[there], size), "firm": firm})


def _swapped(wanted: Texts) -> Iterator[tuple[Codes, Texts]]:
    """Yield identifiers with two neighbours in the other order, and their places."""
    forms = form_without(wanted, [way for way in FORMS if way != "width"])
    length = compute.utf8_length(forms)
    longest = compute.max(length).as_py() or 0
    for at in range(min(longest, _LAST_PLACE) - 1):
        parts = [(0, at), (at + 1, at + 2), (at, at + 1), (at + 2, None)]
        other = compute.binary_join_element_wise(
            *(compute.utf8_slice_codeunits(forms, *part) for part in parts), _NOTHING
        )
        there = np.asarray(
            compute.and_(compute.greater(length, at + 1), compute.not_equal(other, forms))
        )
        place = np.flatnonzero(there)
        yield place, form_without(other.take(pa.array(place)), ["width"])


def _same(one: Texts, other: Texts) -> Any:
    return compute.equal(one, other)


def _one_longer(one: Texts, other: Texts) -> Any:
    return compute.or_(
        compute.equal(without_last(one), other), compute.equal(one, without_last(other))
    )


def _same_but_last(one: Texts, other: Texts) -> Any:
    return compute.equal(without_last(one), without_last(other))


def _swap_of(one: Texts, other: Texts) -> Any:
    return pa.array(
        [_is_swap(a, b) for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True)],
        pa.bool_(),
    )


def _is_swap(one: str, other: str) -> bool:
    if len(one) != len(other):
        return False
    differ = [at for at, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    return (
        len(differ) == 2
        and differ[1] == differ[0] + 1
        and one[differ[0]] == other[differ[1]]
        and one[differ[1]] == other[differ[0]]
    )


_HOLDS: dict[str, Holds] = {
    "": _same,
    "check_digit": _one_longer,
    "other_check_digit": _same_but_last,
    "transposition": _swap_of,
}


def _with_kinds(pairs: pd.DataFrame, edit: str, wanted: Texts, firms: Texts) -> pd.DataFrame:
    """Flag the edit, and the ways of writing without which a pair does not agree but for it."""
    pairs = pairs.drop_duplicates()
    one, other = (
        side.take(pa.array(pairs[name].to_numpy()))
        for side, name in ((wanted, "wanted"), (firms, "firm"))
    )
    differs = np.asarray(compute.not_equal(form_without(one, FORMS), form_without(other, FORMS)))
    itself = np.asarray(compute.equal(one, other)) if edit == "" else ~differs
    flags = {kind: np.full(len(pairs), kind == edit) for kind in KINDS}
    holds = _HOLDS[edit]
    plain = np.asarray(holds(one, other))
    # zeros in front that swapping makes, or takes away, are no way of writing
    in_form = np.asarray(holds(form_without(one, FORMS), form_without(other, FORMS)))
    left_out = itself | ~(plain | in_form)
    rest = np.flatnonzero(~plain)
    for way in FORMS if len(rest) else ():
        ways = [w for w in FORMS if w != way]
        forms = (form_without(side.take(pa.array(rest)), ways) for side in (one, other))
        flags[way][rest] = ~np.asarray(holds(*forms))
    return pairs.assign(**flags).loc[~np.asarray(left_out, dtype=np.bool_)]
