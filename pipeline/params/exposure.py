"""Section `treatment.exposure`: by what a firm counts as exposed to the participation of others."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.settings import Settings

# Of fewer exposed firms, or firms in fewer cells, no interval is told.
FEWEST_FIRMS, FEWEST_CELLS = 30, 6

# What a share of participants is counted in, where it is not a column of sizes.
OF_FIRMS = "firms"

# What classes are of: participants in the cell, shares, distance to the nearest, linked ones.
Measure = Literal[
    "participants", "share_of_firms", "share_of_size", "km", "linked_participants", "share_of_links"
]

# Bounds of a class, the upper one in it; None where it has none.
Bounds = tuple[float | None, float | None]


class Among(Settings):
    """Take only firms whose column has one of the values as exposed (non-tradable sectors, say).

    Participants in other sectors expose them all the same.
    """

    column: str
    values: list[str | float] = Field(min_length=1)


class ExposureRule(Settings):
    """Say what all kinds of exposure ask: among which firms the exposed are, and when they were so.

    `base_year` is the year of the panel that `among` and places are taken from, the last year of a
    firm before it where the firm has no row of it, else its first year; null is the year before
    anybody enters.
    """

    among: Among | None = None
    base_year: int | None = None


class PlacedRule(ExposureRule):
    """Say what is done where places come late, or not at all.

    `late_places`: a participant whose place is known only from its own entry on stops the run, or
    exposes others from there (`keep`). Firms without a place are neither exposed nor compared; more
    than `most_missing_percent` of them are refused.
    """

    late_places: Literal["refuse", "keep"] = "refuse"
    most_missing_percent: float = Field(default=20, ge=0, le=100)


class CellExposure(PlacedRule):
    """Expose a firm once another firm of its cell takes part: one with the same text in `columns`.

    Municipality and sector, say.
    """

    kind: Literal["cell"]
    columns: list[str] = Field(min_length=1)

    @property
    def classes(self) -> list[Bounds]:
        """Return the bounds of the only class: none."""
        return [(None, None)]

    @property
    def measured_in(self) -> Measure:
        """Return what the exposure is a number of."""
        return "participants"


class ShareExposure(PlacedRule):
    """Expose a firm by the share of the other firms of its cell that take part.

    Of the `firms` active in the base year, or of their sizes in a number column (jobs). Classes are
    closed on the right: edges [0.1, 0.3] make (0, 0.1], (0.1, 0.3] and (0.3, 1]; a share of zero is
    a class of its own, not exposed.
    """

    kind: Literal["share"]
    columns: list[str] = Field(min_length=1)
    of: str
    edges: list[float]

    @model_validator(mode="after")
    def _edges_are_shares(self) -> "ShareExposure":
        _require_ascending(self.edges, "edges")
        if self.edges and self.edges[-1] >= 1:
            raise ValueError("edges are shares between 0 and 1; the last class reaches to 1 anyway")
        return self

    @property
    def classes(self) -> list[Bounds]:
        """Return the bounds of each class, the lowest share first."""
        return _between([*self.edges, 1.0])

    @property
    def measured_in(self) -> Measure:
        """Return what classes are of."""
        return "share_of_firms" if self.of == OF_FIRMS else "share_of_size"


class RingExposure(PlacedRule):
    """Expose a firm by the distance to the nearest other firm that takes part, in km.

    Rings are closed on the right: edges_km [12, 30] make [0, 12] and (12, 30]. Places are the
    PANEL columns `latitude` and `longitude` in decimal degrees, or `place`, a text column that
    the file `centroids` of data/rules gives a latitude and longitude (columns place, latitude,
    longitude; radius_km, where there is one, may not be above the narrowest ring at the median).
    `precision_km` is by how much a place may be off: the radius of a municipality, where places
    are its centre.
    """

    kind: Literal["ring"]
    latitude: str | None = None
    longitude: str | None = None
    place: str | None = None
    centroids: str | None = None
    edges_km: list[float] = Field(min_length=1)
    precision_km: float = Field(ge=0)

    @model_validator(mode="after")
    def _places_are_named_once(self) -> "RingExposure":
        given = [n for n in ("latitude", "longitude", "place", "centroids") if getattr(self, n)]
        if given not in (["latitude", "longitude"], ["place", "centroids"]):
            raise ValueError("give latitude and longitude, or place and centroids")
        return self

    @model_validator(mode="after")
    def _rings_are_as_wide_as_places(self) -> "RingExposure":
        _require_ascending(self.edges_km, "edges_km")
        if self.narrowest_km < self.precision_km:
            raise ValueError(
                f"a ring is {self.narrowest_km:g} km wide and places are known to "
                f"{self.precision_km:g} km (precision_km): widen the rings"
            )
        return self

    @property
    def narrowest_km(self) -> float:
        """Return the width of the narrowest ring."""
        return min(b - a for a, b in pairwise([0.0, *self.edges_km]))

    @property
    def classes(self) -> list[Bounds]:
        """Return the bounds of each ring in km, the nearest first."""
        return _between(self.edges_km)

    @property
    def measured_in(self) -> Measure:
        """Return what classes are of."""
        return "km"


class LinkExposure(ExposureRule):
    """Expose a firm by its links to firms that take part, dated before anybody it could reach did.

    `links` lists kinds of LINKS, null takes all. `direction` says at which end of a link the
    exposed firm stands: `source` (its targets take part), `target`, or either. `measure`: any link;
    the count of linked participants, in classes (0, 1], (1, 5], (5, ...) for edges [1, 5]; or their
    share of the weights of all its links, in classes as of shares of a cell. `years_before` takes
    only links of so many years before the first entry of the component, null all. Links dated from
    that year on stop the run, or are left out (`late_links`).
    """

    kind: Literal["link"]
    links: list[str] | None = Field(default=None, min_length=1)
    direction: Literal["source", "target", "either"]
    measure: Literal["any", "count", "share"]
    edges: list[float] = Field(default=[])
    years_before: int | None = Field(default=None, ge=1)
    late_links: Literal["refuse", "leave_out"] = "refuse"

    @model_validator(mode="after")
    def _edges_fit_the_measure(self) -> "LinkExposure":
        _require_ascending(self.edges, "edges")
        if self.measure == "any" and self.edges:
            raise ValueError("measure: any has one class; edges go with count and share")
        if self.measure == "share" and self.edges and self.edges[-1] >= 1:
            raise ValueError("edges are shares between 0 and 1; the last class reaches to 1 anyway")
        return self

    @property
    def classes(self) -> list[Bounds]:
        """Return the bounds of each class, the weakest first."""
        if self.measure == "any":
            return [(None, None)]
        return _between([*self.edges, 1.0 if self.measure == "share" else None])

    @property
    def measured_in(self) -> Measure:
        """Return what classes are of."""
        return "share_of_links" if self.measure == "share" else "linked_participants"


OneExposure = Annotated[
    CellExposure | ShareExposure | RingExposure | LinkExposure, Field(discriminator="kind")
]

# By the name that results give each.
Exposures = dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], OneExposure]


def panel_columns_read(exposure: OneExposure) -> Iterator[tuple[str, str, str]]:
    """Yield key, column and kind of each PANEL column that an exposure reads."""
    if exposure.among is not None:
        number = isinstance(exposure.among.values[0], float)
        yield "among.column", exposure.among.column, "number" if number else "text"
    if isinstance(exposure, CellExposure | ShareExposure):
        yield from (("columns", column, "text") for column in exposure.columns)
    if isinstance(exposure, ShareExposure) and exposure.of != OF_FIRMS:
        yield "of", exposure.of, "number"
    if isinstance(exposure, RingExposure):
        named = {"latitude": exposure.latitude, "longitude": exposure.longitude}
        yield from ((key, column, "number") for key, column in named.items() if column is not None)
        if exposure.place is not None:
            yield "place", exposure.place, "text"


def centroid_files(exposures: Exposures) -> dict[str, str]:
    """Return the files of data/rules/<study>/ that exposures take places from, by setting."""
    return {
        f"treatment.exposure.{name}.centroids": rule.centroids
        for name, rule in exposures.items()
        if isinstance(rule, RingExposure) and rule.centroids is not None
    }


def _between(upper: Sequence[float | None]) -> list[Bounds]:
    """Return the classes that end at these edges, the first above 0."""
    return list(pairwise([0.0, *upper]))


def _require_ascending(edges: list[float], name: str) -> None:
    if any(b <= a for a, b in pairwise([0.0, *edges])):
        raise ValueError(f"{name} must ascend from above 0: [{', '.join(f'{e:g}' for e in edges)}]")
