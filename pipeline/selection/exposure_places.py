"""Places of firms in the base year: where they are from, who has none, and what that exposes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.errors import DataError, Reason
from pipeline.panel.centroids import require_on_earth
from pipeline.panel.ledger import Issue
from pipeline.params.exposure import (
    OF_FIRMS,
    CellExposure,
    PlacedRule,
    RingExposure,
    ShareExposure,
)
from pipeline.selection.exposure_cells import NO_CELL, any_other_steps, cell_codes, share_steps
from pipeline.selection.exposure_course import BaseFirms, Steps
from pipeline.selection.exposure_joins import Joins, joined_by_cell, joined_by_ring
from pipeline.selection.exposure_rings import KM_PER_DEGREE, NO_PLACE, distinct_places, ring_steps

# Fewer decimals of degrees than this are looked for: the last is 111 metres.
_DECIMALS_LOOKED_AT = 4

# CENTROIDS by file.
Centroids = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class PlacedExposure:
    """Hold what exposes and joins firms by place, the cells, if any, and whose place is known."""

    steps: Steps
    joins: Joins
    known: Flags
    cell: Codes | None
    issues: list[Issue]


def placed_exposure(
    panel: pd.DataFrame, firms: BaseFirms, name: str, rule: PlacedRule, centroids: Centroids
) -> PlacedExposure:
    """Return what exposes firms by cell, share or ring.

    Raises DataError where places are wrong, come too late, or lack for more than is declared.
    """
    if isinstance(rule, RingExposure):
        if rule.place is None:
            return _by_ring(_coordinates(panel, firms, rule), firms, name, rule)
        coordinates, found = _of_centroids(panel, firms, name, rule, centroids)
        return _by_ring(coordinates, firms, name, rule, found)
    if not isinstance(rule, CellExposure | ShareExposure):
        raise ValueError(f"{type(rule).__name__} has no places")
    cell = cell_codes(panel, rule.columns, firms)
    known = cell != NO_CELL
    issues, joins = list(_place_issues(firms, known, name, rule)), partial(joined_by_cell, cell)
    if isinstance(rule, CellExposure):
        return PlacedExposure(partial(any_other_steps, cell), joins, known, cell, issues)
    size, without = _sizes(panel, firms, rule)
    issues += _issue("size_missing_in_share", "counted_as_none", name, without)
    steps = partial(share_steps, cell, size=size, edges=rule.edges)
    return PlacedExposure(steps, joins, known, cell, issues)


def _by_ring(
    coordinates: Floats,
    firms: BaseFirms,
    name: str,
    rule: RingExposure,
    found: Iterable[Issue] = (),
) -> PlacedExposure:
    places = distinct_places(coordinates)
    known = places.of_firm != NO_PLACE
    issues = [*_place_issues(firms, known, name, rule), *_coarse(coordinates, name, rule), *found]
    steps = partial(ring_steps, places, edges_km=rule.edges_km)
    joins = partial(joined_by_ring, places, rule.edges_km[-1])
    return PlacedExposure(steps, joins, known, None, issues)


def _sizes(panel: pd.DataFrame, firms: BaseFirms, rule: ShareExposure) -> tuple[Floats, int]:
    """Return the size of each firm in the base year, and how many of those active then have none.

    Raises DataError where nobody is seen in the base year, or a size is negative.
    """
    active = firms.year == firms.base_year
    if not active.any():
        raise DataError(
            f"no firm has a row of the base year {firms.base_year}, and a share needs the firms "
            "active then: write a base_year that the panel has, before the first entry"
        )
    if rule.of == OF_FIRMS:
        return np.ones(len(active)), 0
    size = panel[rule.of].to_numpy(dtype=np.float64, na_value=np.nan)[firms.row]
    if (size < 0).any():
        raise DataError(
            f"{int((size < 0).sum())} firms have a negative {rule.of} in the base year: correct it"
        )
    return np.nan_to_num(size), int((np.isnan(size) & active).sum())


def _coordinates(panel: pd.DataFrame, firms: BaseFirms, rule: RingExposure) -> Floats:
    """Return latitude and longitude of each firm, shape (firms, 2), missing where unknown."""
    named = [str(rule.latitude), str(rule.longitude)]
    coordinates = np.column_stack(
        [panel[c].to_numpy(np.float64, na_value=np.nan)[firms.row] for c in named]
    )
    require_on_earth(coordinates, " and ".join(named), "firms")
    return coordinates


def _of_centroids(
    panel: pd.DataFrame, firms: BaseFirms, name: str, rule: RingExposure, centroids: Centroids
) -> tuple[Floats, list[Issue]]:
    """Return the coordinates (firms, 2) of the firms' places, and which places the file lacks.

    Raises DataError where the places are known less exactly than the narrowest ring is wide.
    """
    table = centroids[str(rule.centroids)]
    place = panel[rule.place].array[firms.row]
    at = pd.Index(table["place"]).get_indexer(pd.Index(place))
    _require_precise(table["radius_km"].to_numpy(np.float64)[np.unique(at[at >= 0])], rule)
    found = table[["latitude", "longitude"]].to_numpy(np.float64)[at]
    lacking = pd.Series(place)[(at < 0) & pd.notna(place)]
    rule_of = Reason("place_not_in_table", {"file": str(rule.centroids)})
    told = Issue(
        rule_of, name, Reason("neither_exposed_nor_clean"), lacking.nunique(), len(lacking)
    )
    return np.where(at[:, None] >= 0, found, np.nan), [told] if len(lacking) else []


def _require_precise(radius_km: Floats, rule: RingExposure) -> None:
    """Raise DataError where the median radius (places,) is above the width of a ring."""
    known = radius_km[~np.isnan(radius_km)]
    median = float(np.median(known)) if len(known) else 0.0
    if median > rule.narrowest_km:
        raise DataError(
            f"a ring is {rule.narrowest_km:g} km wide, and the places of {rule.centroids} have a "
            f"median radius of {median:.1f} km (radius_km): widen the rings, or deliver coordinates"
        )


def _place_issues(firms: BaseFirms, known: Flags, name: str, rule: PlacedRule) -> Iterator[Issue]:
    """Yield what places lack; raise DataError where it is more than declared."""
    enters = ~np.isnan(firms.cohort)
    late = known & (firms.year >= firms.cohort)
    if late.any() and rule.late_places == "refuse":
        raise DataError(
            f"{int(late.sum())} of {int(enters.sum())} participants have no row before their own "
            "entry, so that their place may follow from the programme: deliver earlier years, or "
            "declare late_places: keep"
        )
    percent = 100 * float((~known).mean())
    if percent > rule.most_missing_percent:
        raise DataError(
            f"{int((~known).sum())} of {len(known)} firms ({percent:.1f} percent) have no place in "
            f"the base year {firms.base_year}, more than most_missing_percent "
            f"{rule.most_missing_percent:g}: fill places, or declare more"
        )
    unplaced = "neither_exposed_nor_clean"
    yield from _issue("firm_without_place", unplaced, name, int((~known & ~enters).sum()))
    yield from _issue(
        "participant_without_place", "exposes_nobody", name, int((~known & enters).sum())
    )
    yield from _issue("place_from_entry_on", "kept", name, int(late.sum()))


def _coarse(coordinates: Floats, name: str, rule: RingExposure) -> Iterator[Issue]:
    """Yield a remark where all places are written to steps wider than the narrowest ring."""
    known = coordinates[~np.isnan(coordinates).any(axis=1)]
    narrowest = rule.narrowest_km
    for decimals in range(_DECIMALS_LOOKED_AT):
        step_km = KM_PER_DEGREE / 10**decimals
        if step_km > narrowest and np.array_equal(np.round(known, decimals), known):
            remark = Reason("places_rounded", {"km": step_km, "narrowest": narrowest})
            yield Issue(remark, name, Reason("kept"), len(known), len(known))
            return


def _issue(rule: str, action: str, name: str, n_firms: int) -> list[Issue]:
    return [Issue(Reason(rule), name, Reason(action), n_firms, n_firms)] if n_firms else []
