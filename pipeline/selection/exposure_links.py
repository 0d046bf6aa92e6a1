"""Exposure by links between firms: supply, purchases, flows of workers, ownership."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats, Integers
from pipeline.errors import DataError, SupportError
from pipeline.panel.panel_index import NO_ROW, places_in
from pipeline.params.exposure import LinkExposure
from pipeline.selection.exposure_course import BaseFirms, Step, class_of, entered_by


@dataclass(frozen=True)
class LinkedFirms:
    """Hold pairs of linked firms once: who is exposed, by whom, and the weight; shape (pairs,).

    `n_late` links were left out since they are dated from the first entry of their component on,
    `n_early` since they are dated too long before it.
    """

    exposed: Codes
    by: Codes
    weight: Floats
    n_late: int
    n_early: int


def linked_firms(links: pd.DataFrame, rule: LinkExposure, firms: BaseFirms) -> LinkedFirms:
    """Return the pairs of LINKS that expose firms: those dated before anybody they reach entered.

    A component is the firms that links of the declared kinds join, in any year and direction.
    Raises DataError where links are late, unless they are declared to be left out, where a kind is
    absent or LINKS names a firm that PANEL lacks; SupportError where no link is left.
    """
    kept = links if rule.links is None else links[links["kind"].isin(rule.links)]
    _require_kinds(links, rule)
    source, target = (places_in(firms.firm_id, kept[end]) for end in ("source", "target"))
    _require_known(source, target)
    year, weight = kept["year"].to_numpy(np.int64), kept["weight"].to_numpy(np.float64)
    entry = _first_entry_around(source, target, firms)
    late = year >= entry  # never where nobody enters
    _refuse_late(late, rule)
    early = np.zeros(len(kept), dtype=np.bool_)
    if rule.years_before is not None:
        early = year < entry - rule.years_before
    used = ~late & ~early
    if not used.any():
        raise SupportError(
            f"none of {len(kept)} links is dated before the first entry in its component, as links "
            "that expose must be: deliver earlier ones"
        )
    pairs = _directed(source[used], target[used], weight[used], rule)
    return LinkedFirms(*_once(*pairs, len(firms.firm_id)), int(late.sum()), int(early.sum()))


def _refuse_late(late: Flags, rule: LinkExposure) -> None:
    if late.any() and rule.late_links == "refuse":
        raise DataError(
            f"{int(late.sum())} of {len(late)} links are dated from the first entry in their "
            "component on, so that they may follow from the programme: deliver earlier ones, or "
            "declare late_links: leave_out"
        )


def _require_kinds(links: pd.DataFrame, rule: LinkExposure) -> None:
    known = set(links["kind"].unique())
    absent = [kind for kind in rule.links or [] if kind not in known]
    if absent:
        raise DataError(
            f"links: no link is of the kind {', '.join(absent)}; compare the file's column of kinds"
        )


def _require_known(source: Codes, target: Codes) -> None:
    unknown = int(((source == NO_ROW) | (target == NO_ROW)).sum())
    if unknown:
        raise DataError(
            f"{unknown} links name a firm that the panel lacks: make LINKS from these firms alone"
        )


def _first_entry_around(source: Codes, target: Codes, firms: BaseFirms) -> Floats:
    """Return the first entry year in the component of each link, missing where nobody enters."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(firms.firm_id)
    joined = coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(n, n))
    n_components, component = connected_components(joined.tocsr(), directed=False)
    first = np.full(n_components, np.nan)
    np.fmin.at(first, component, firms.cohort)
    return np.asarray(first[component[source]])


def _directed(
    source: Codes, target: Codes, weight: Floats, rule: LinkExposure
) -> tuple[Codes, Codes, Floats]:
    """Return who is exposed by each link, by whom, and its weight."""
    match rule.direction:
        case "source":
            return source, target, weight
        case "target":
            return target, source, weight
        case "either":
            exposed = np.concatenate([source, target])
            return exposed, np.concatenate([target, source]), np.concatenate([weight, weight])


def _once(exposed: Codes, by: Codes, weight: Floats, n: int) -> tuple[Codes, Codes, Floats]:
    """Add up the weights of the links of a pair, of all years and kinds."""
    pair, place = np.unique(exposed.astype(np.int64) * n + by, return_inverse=True)
    sums = np.asarray(np.bincount(place, weights=weight), dtype=np.float64)
    return np.asarray(pair // n, dtype=np.intp), np.asarray(pair % n, dtype=np.intp), sums


def link_steps(linked: LinkedFirms, rule: LinkExposure, firms: BaseFirms) -> Iterator[Step]:
    """Yield for each entry year the linked participants of each firm, or their share of weights."""
    n = len(firms.firm_id)
    everyone = np.bincount(linked.exposed, weights=linked.weight, minlength=n)
    for year in firms.entry_years:
        enters = entered_by(firms, year)[linked.by]
        count = np.bincount(linked.exposed[enters], minlength=n).astype(np.float64)
        if rule.measure != "share":
            yield Step(year, _class_of_count(count, rule), count)
            continue
        sums = np.bincount(linked.exposed[enters], weights=linked.weight[enters], minlength=n)
        share = np.divide(sums, everyone, out=np.zeros(n), where=count > 0)
        yield Step(year, class_of(share, rule.edges), share)


def _class_of_count(count: Floats, rule: LinkExposure) -> Integers:
    return class_of(count, rule.edges if rule.measure == "count" else [])


def without_links(linked: LinkedFirms, n_firms: int) -> Flags:
    """Mark the firms that no link can expose."""
    alone = np.ones(n_firms, dtype=np.bool_)
    alone[linked.exposed] = False
    return alone
