"""The setting that settles each kind of near miss, as messages name it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyarrow import compute

from pipeline.datasets.arrays import Flags
from pipeline.panel.identifiers import (
    FORMS,
    PART_MARK,
    PLAIN_FORMS,
    Texts,
    by_part,
    form_without,
    ids_before,
    texts,
    without_last,
    without_prefix,
)

NAME = "name"

_ONE_BY_ONE = "list those that are the same firm in the file of clean.links"
_OF_PARTS = f", as the parts of data.firm_id joined by {PART_MARK}"
_SETTINGS = {
    "spaces": "clean.identifier.spaces: remove",
    "decimals": "clean.identifier.decimals: remove",
    "characters": "clean.identifier.characters: remove",
    "prefix": "clean.identifier.prefix: remove",
    "letters": "clean.identifier.letters: digits",
    "case": "clean.identifier.case: upper",
}
_DROP = "clean.identifier.drop_check_digit"


@dataclass(frozen=True)
class Sides:
    """Hold every identifier of register and panel, of so many parts each, as rules write them.

    `dropped` is the rule in force for check digits, which is not named again.
    """

    register: pd.Index
    panel: pd.Index
    n_parts: int = 1
    dropped: str | None = None


def remedy(kind: str, pairs: pd.DataFrame, sides: Sides) -> str:
    """Return the setting that settles near misses of a kind.

    `pairs` has `wanted`, `firm_id` and a flag for each kind. Nothing is dropped from identifiers
    that would then be those of several firms: such pairs are listed one by one.
    """
    in_parts = sides.n_parts > 1
    one_by_one = _ONE_BY_ONE + _OF_PARTS * in_parts
    if kind == "width":
        ways = [way for way in FORMS if way != "width" and pairs[way].any()]
        return remedy_of_form(kind, [*sides.register, *sides.panel], ways, in_parts=in_parts)
    if kind == "prefix" and _merge(sides, without_prefix):
        return one_by_one
    if kind in _SETTINGS:
        return _SETTINGS[kind]
    if kind == "check_digit" and not in_parts:
        return _drops(pairs[pairs[kind]], sides) or one_by_one
    last_is_none = in_parts or sides.dropped == "both" or _merge(sides, without_last)
    if kind == "other_check_digit" and not last_is_none:
        return f"{_DROP}: both, where the last character is one; else {one_by_one}"
    return one_by_one


def remedy_of_form(
    way: str, ids: Collection[str], others: Collection[str] = (), *, in_parts: bool = False
) -> str:
    """Return the setting that undoes a way of writing of identifiers, `others` undone before.

    The width of identifiers of several parts is one number a part, 0 where it never differs.
    """
    if way != "width":
        return _SETTINGS[way]
    written = pd.Series(form_without(texts(ids), others, in_parts=in_parts).to_pylist())
    if not in_parts:
        return f"clean.identifier.width: {written.str.len().max()}"
    parts = written.str.split(PART_MARK, expand=True)
    widths = [_width(parts[place]) for place in parts]
    return f"clean.identifier.width: [{', '.join(widths)}]"


def _width(part: pd.Series) -> str:
    """Return the width of a part that is written with and without zeros, else 0."""
    distinct = part.drop_duplicates()
    bare = distinct.str.lstrip("0")
    return str(distinct.str.len().max()) if bare.duplicated().any() else "0"


def _drops(pairs: pd.DataFrame, sides: Sides) -> str | None:
    """Return how the check digits of these pairs are dropped; None where firms would become one.

    From a mark on; of one table, where all of it has them; else of identifiers that are longer.
    """
    ways = [way for way in FORMS if way in PLAIN_FORMS or pairs[way].any()]
    wanted, known = (form_without(texts(pairs[side]), ways) for side in ("wanted", "firm_id"))
    of_register = np.asarray(compute.greater(*map(compute.utf8_length, (wanted, known))))
    longer = pairs["wanted"].where(of_register, pairs["firm_id"])
    marks = longer.str.extract(r"([^\w\s])\w\s*$")[0]
    if marks.nunique() == 1 and marks.notna().all():
        mark = str(marks.iloc[0])
        cut = f'clean.identifier.cut_at: "{mark}"'
        return None if _merge(sides, lambda ids: texts(ids_before(ids, mark))) else cut
    register, panel = (form_without(texts(side), ways) for side in (sides.register, sides.panel))
    as_it_is = compute.any(compute.is_in(register, value_set=panel)).as_py()
    if as_it_is or (of_register.any() and not of_register.all()):
        return _longer(pairs, of_register, sides, [way for way in ways if way != "width"])
    side, ids = ("register", register) if of_register.any() else ("panel", panel)
    in_force = sides.dropped in (side, "both")
    return None if in_force or _become_one(ids, without_last(ids)) else f"{_DROP}: {side}"


def _longer(
    pairs: pd.DataFrame, of_register: Flags, sides: Sides, ways: Collection[str]
) -> str | None:
    """Return the rule for tables of which some identifiers have a check digit, where it holds."""
    forms = [form_without(texts(pairs[side]), ways) for side in ("wanted", "firm_id")]
    wanted, known = (np.asarray(compute.utf8_length(form)) for form in forms)
    short, long = np.where(of_register, (known, wanted), (wanted, known))
    if len(set(short)) > 1 or (long != short + 1).any():
        return None
    width = int(short[0])

    def dropped(ids: Texts) -> Texts:
        return compute.if_else(
            compute.equal(compute.utf8_length(ids), width + 1), without_last(ids), ids
        )

    rule = f"{_DROP}: longer, with clean.identifier.width: {width}"
    return None if _merge(sides, dropped, ways) else rule


def _merge(sides: Sides, undone: Callable[[Texts], Texts], ways: Collection[str] = ()) -> bool:
    """Say whether a rule makes several firms one: of the panel, or of those that it changes."""
    in_parts = sides.n_parts > 1
    for side, changed_only in ((sides.panel, False), (sides.register, True)):
        ids = form_without(texts(side), ways, in_parts=in_parts)
        after = by_part(ids, undone) if in_parts else undone(ids)
        if changed_only:
            changed = compute.not_equal(ids, after)
            ids, after = ids.filter(changed), after.filter(changed)
        if _become_one(ids, after):
            return True
    return False


def _become_one(before: Texts, after: Texts) -> bool:
    return bool(len(compute.unique(after)) < len(compute.unique(before)))
