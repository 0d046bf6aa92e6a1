"""Identifiers of a register that are nearly those of firms of the panel, by kind.

A kind counts where it hits at least five times as often as for identifiers drawn at random from
the panel's own range: where these are dense, one digit off is another firm.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from pipeline.datasets.arrays import Codes
from pipeline.panel.drawn_alike import drawn_alike, drawn_one_off
from pipeline.panel.identifiers import (
    FORMS,
    LETTER_FORMS,
    PART_MARK,
    PLAIN_FORMS,
    Texts,
    form_without,
    of_part,
    texts,
    without_last,
)

# A kind counts from this many times as often as by chance, in so many draws.
ABOVE_CHANCE = 5
LEAST_DRAWN, _MOST_DRAWN = 2_000, 20_000
# Ways of letters that leave fewer than this share of the panel's firms apart take what names them.
_LEAST_APART = 0.5
# The last place in which two characters are tried in the other order.
_LAST_PLACE = 30

# What else than its form parts a pair, and the kinds that a pair may be of.
_EDITS = ("check_digit", "other_check_digit", "transposition")
KINDS = (*FORMS, *_EDITS)
# Another way of writing the same characters is nearer than other characters.
_EDIT_WEIGHS = len(FORMS) + 1
# Ways of letters are tried beside the others, alone and together.
_WAYS = (PLAIN_FORMS, *((*PLAIN_FORMS, way) for way in LETTER_FORMS), (*PLAIN_FORMS, *LETTER_FORMS))

_NOTHING = pa.scalar("", pa.large_string())

Shorten = Callable[[Texts], Texts]
Holds = Callable[..., Any]


def near_misses(
    wanted: pd.Index, firms: pd.Index, rng: np.random.Generator, n_parts: int = 1
) -> pd.DataFrame:
    """Return the pairs of an unfound identifier and one of the panel that nearly agree.

    Each has `wanted`, `firm_id` and a flag for each kind in which it differs, all of kinds that
    count; of the pairs of an unfound identifier those that differ in fewest. Identifiers of
    `n_parts` columns are compared part by part.
    """
    n = min(max(LEAST_DRAWN, len(wanted)), _MOST_DRAWN)
    drawn = [drawn_alike(firms, n, rng), drawn_one_off(_forms(wanted), _forms(firms), n, rng)]
    sides = texts([*wanted, *drawn[0], *drawn[1]]), texts(firms)
    pairs = _pairs(*sides, n_parts)
    bounds = np.cumsum([len(wanted), len(drawn[0]), len(drawn[1])])
    group = np.searchsorted(bounds, pairs["wanted"].to_numpy(), side="right")
    own, alike, one_off = (pairs[group == side] for side in range(3))
    found, chance = _rates(own, len(wanted)), _rates(alike, len(drawn[0]))
    of_length = _rates(one_off, len(drawn[1]))["check_digit"]
    chance["check_digit"] = max(chance["check_digit"], of_length)
    too_few = [kind for kind in KINDS if found[kind] < ABOVE_CHANCE * chance[kind]]
    kept = fewest_kinds(own[~own[too_few].any(axis=1)])
    ids = {
        "wanted": wanted.take(kept["wanted"].to_numpy()),
        "firm_id": firms.take(kept["firm"].to_numpy()),
    }
    return kept[list(KINDS)].reset_index(drop=True).assign(**ids)


def _forms(ids: pd.Index) -> pd.Index:
    forms: list[str] = form_without(texts(ids), PLAIN_FORMS, in_parts=True).to_pylist()
    return pd.Index(forms)


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


def _pairs(wanted: Texts, firms: Texts, n_parts: int) -> pd.DataFrame:
    """Return positions of both identifiers of each pair, with a flag for each kind."""
    plain, found = None, []
    for ways in _WAYS:
        keys = [form_without(side, ways, in_parts=n_parts > 1) for side in (wanted, firms)]
        if plain is not None and (
            all(own.equals(before) for own, before in zip(keys, plain, strict=True))
            or len(compute.unique(keys[1])) < _LEAST_APART * len(firms)
        ):
            continue
        found.append(_pairs_of(wanted, firms, _Compared(keys[0], keys[1], ways, n_parts)))
        plain = plain or keys
    return pd.concat(found, ignore_index=True).drop_duplicates()


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


@dataclass(frozen=True)
class _Compared:
    """Hold the forms of both sides, the ways that they are without, and of how many parts."""

    wanted: Texts
    firms: Texts
    ways: Sequence[str]
    n_parts: int

    @property
    def shortened(self) -> list[Shorten]:
        """Return how identifiers lose the last character, of each part."""
        if self.n_parts == 1:
            return [without_last]
        return [partial(of_part, place=n, undone=without_last) for n in range(self.n_parts)]

    def forms(self, ids: Texts, but: str | None = None) -> Texts:
        """Return identifiers without the ways, but for one."""
        ways = [way for way in self.ways if way != but]
        return form_without(ids, ways, in_parts=self.n_parts > 1)


def _pairs_of(wanted: Texts, firms: Texts, compared: _Compared) -> pd.DataFrame:
    """Return the pairs that agree without some ways of writing, each of which letters need."""
    key, whole = compared.wanted, _Known.of(compared.firms)
    place = np.arange(len(key))
    joined: dict[str, list[pd.DataFrame]] = {edit: [] for edit in ("", *_EDITS)}
    joined[""] = [whole.pairs(place, key)]
    for shorten in compared.shortened:
        short, shortened = shorten(key), _Known.of(shorten(compared.firms))
        joined["check_digit"] += [whole.pairs(place, short), shortened.pairs(place, key)]
        joined["other_check_digit"].append(shortened.pairs(place, short))
    joined["transposition"] = [whole.pairs(*swapped) for swapped in _swapped(wanted, compared)]
    edited = [
        _with_kinds(pd.concat(found), edit, wanted, firms, compared)
        for edit, found in joined.items()
        if found
    ]
    pairs = pd.concat(edited, ignore_index=True)
    needed = [way for way in LETTER_FORMS if way in compared.ways]
    return pairs[pairs[needed].all(axis=1)]


def _swapped(wanted: Texts, compared: _Compared) -> Iterator[tuple[Codes, Texts]]:
    """Yield identifiers with two neighbours of a part in the other order, and their places."""
    forms = compared.forms(wanted, but="width")
    length = compute.utf8_length(forms)
    longest = compute.max(length).as_py() or 0
    for at in range(min(longest, _LAST_PLACE) - 1):
        cuts = [(0, at), (at + 1, at + 2), (at, at + 1), (at + 2, None)]
        parts = [compute.utf8_slice_codeunits(forms, *cut) for cut in cuts]
        other = compute.binary_join_element_wise(*parts, _NOTHING)
        there = np.asarray(
            compute.and_(compute.greater(length, at + 1), compute.not_equal(other, forms))
        )
        if compared.n_parts > 1:
            there &= ~np.asarray(compute.equal(parts[1], PART_MARK))
            there &= ~np.asarray(compute.equal(parts[2], PART_MARK))
        place = np.flatnonzero(there)
        moved = other.take(pa.array(place))
        yield place, form_without(moved, ["width"], in_parts=compared.n_parts > 1)


def _same(one: Texts, other: Texts, shortened: Sequence[Shorten]) -> Any:
    return compute.equal(one, other)


def _one_longer(one: Texts, other: Texts, shortened: Sequence[Shorten]) -> Any:
    longer = [
        compute.or_(compute.equal(shorten(one), other), compute.equal(one, shorten(other)))
        for shorten in shortened
    ]
    return _any_of(longer)


def _same_but_last(one: Texts, other: Texts, shortened: Sequence[Shorten]) -> Any:
    return _any_of([compute.equal(shorten(one), shorten(other)) for shorten in shortened])


def _any_of(flags: Sequence[Any]) -> Any:
    found = flags[0]
    for more in flags[1:]:
        found = compute.or_(found, more)
    return found


def _swap_of(one: Texts, other: Texts, shortened: Sequence[Shorten]) -> Any:
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


def _with_kinds(
    pairs: pd.DataFrame, edit: str, wanted: Texts, firms: Texts, compared: _Compared
) -> pd.DataFrame:
    """Flag the edit, and the ways of writing without which a pair does not agree but for it."""
    pairs = pairs.drop_duplicates()
    if pairs.empty:
        return pairs.assign(**dict.fromkeys(KINDS, pd.Series(dtype=bool)))
    one, other = (
        side.take(pa.array(pairs[name].to_numpy()))
        for side, name in ((wanted, "wanted"), (firms, "firm"))
    )
    keys = compared.forms(one), compared.forms(other)
    differs = np.asarray(compute.not_equal(*keys))
    itself = np.asarray(compute.equal(one, other)) if edit == "" else ~differs
    flags = {kind: np.full(len(pairs), kind == edit) for kind in KINDS}
    holds = partial(_HOLDS[edit], shortened=compared.shortened)
    plain = np.asarray(holds(one, other))
    # zeros in front that swapping makes, or takes away, are no way of writing
    in_form = np.asarray(holds(*keys))
    left_out = itself | ~(plain | in_form)
    rest = np.flatnonzero(~plain)
    for way in compared.ways if len(rest) else ():
        forms = (compared.forms(side.take(pa.array(rest)), but=way) for side in (one, other))
        flags[way][rest] = ~np.asarray(holds(*forms))
    return pairs.assign(**flags).loc[~np.asarray(left_out, dtype=np.bool_)]
