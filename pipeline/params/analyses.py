"""Blocks of section `estimate` beside its specs: export margins, exit, groups, size weights.

Each is optional; one that is absent is not estimated. Designs must be those of some spec.
"""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from pipeline.params.inference import NO_CLUSTERS, ONE_DIRECTION, SpatialErrors
from pipeline.params.settings import Settings


def _one_direction(cluster: object) -> object:
    """Refuse a pair where errors are clustered in one direction only, and say why."""
    if isinstance(cluster, list | tuple):
        raise ValueError(
            "two-way clustering is for estimators that sum firms' influences. Analyses test groups "
            "jointly by each cluster's influence, which a covariance in two directions has not; "
            "abadie_imbens takes firms as independent; use one of assignment, firm"
        )
    return cluster


def _two_levels(cluster: object) -> object:
    """Refuse a list that is not two different levels."""
    if not isinstance(cluster, list | tuple):
        return cluster
    if len(cluster) != 2 or not all(isinstance(name, str) for name in cluster):
        raise ValueError("two-way clustering takes two levels: cluster: [assignment, sector], say")
    if cluster[0] == cluster[1]:
        raise ValueError(f"both levels are {cluster[0]}; two-way clustering takes two of them")
    if EXPOSURE_COMPONENT in cluster:
        raise ValueError(
            "exposure_component joins whole assignment clusters, and is no level of a pair: write "
            "cluster: exposure_component"
        )
    return tuple(cluster)


# Two levels that errors are clustered by: `assignment`, `firm`, or text columns of PANEL.
TwoWay = tuple[str, str]

# What errors are clustered by: a choice, two levels, or how near firms share shocks.
Clustering = str | TwoWay | SpatialErrors

# Assignment clusters that exposure joins: who exposes whom is in one.
EXPOSURE_COMPONENT = "exposure_component"
# Firms at a distance, which make no clusters.
DISTANCE = "distance"

OwnCluster = Literal["assignment", "firm", "exposure_component"]
OWN_LEVELS = get_args(OwnCluster)
Cluster = Annotated[OwnCluster, BeforeValidator(_one_direction)]
SpecCluster = Annotated[OwnCluster | Literal["distance"] | TwoWay, BeforeValidator(_two_levels)]
StackedCluster = Annotated[
    OwnCluster | Literal["distance", "set_and_assignment", "components"] | TwoWay,
    BeforeValidator(_two_levels),
]


def is_two_way(cluster: Clustering) -> bool:
    """Say whether errors are clustered in two directions."""
    return isinstance(cluster, tuple) or cluster == "set_and_assignment"


def without_clusters(cluster: Clustering) -> str | None:
    """Return why methods that take whole clusters do not go with errors; None where they do."""
    if is_two_way(cluster):
        return ONE_DIRECTION
    is_distance = cluster == DISTANCE or isinstance(cluster, SpatialErrors)
    return NO_CLUSTERS if is_distance else None


def clustering_levels(cluster: Clustering) -> tuple[str, str | None]:
    """Return a choice and None, or the two levels of a pair, as tables hold them in columns."""
    if isinstance(cluster, SpatialErrors):
        return DISTANCE, None
    return (cluster, None) if isinstance(cluster, str) else cluster


Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class Analysis(Settings):
    """Say what every analysis says: its designs, outcomes and clusters."""

    designs: list[str] = Field(min_length=1)
    outcomes: list[str] = Field(min_length=1)
    cluster: Cluster


class Margins(Analysis):
    """Take the effect on a level with zeros apart: how many firms are above zero, and how much.

    Outcomes are `proportional`. `unit_dependent` asks for asinh or log(1 + x) of the level, whose
    effects depend on its unit; the note then shows by how much.
    """

    unit_dependent: list[Literal["asinh", "log1p"]] = Field(default_factory=list)


class LastYearExit(Settings):
    """Take a firm for gone after its last year in the panel; years missing before it are gaps.

    It must be absent for at least `least_years_absent` years up to the panel's last year: one year
    more of them than 1 makes one year less in which exit is known.
    """

    known_by: Literal["last_year"]
    least_years_absent: int = Field(ge=1)


class ColumnExit(Settings):
    """Take exit from a number column of the panel: the first year in which a firm is gone.

    A firm without a value is alive to the panel's last year, whether or not it has rows.
    """

    known_by: Literal["column"]
    column: str


class FlagExit(Settings):
    """Take exit from the flag that `clean.exit` names.

    A firm without one is alive to the panel's last year, whether or not it has rows.
    """

    known_by: Literal["flag"]


class Limits(Settings):
    """Bound what an outcome could have been, in the unit of its column."""

    lowest: float
    highest: float

    @model_validator(mode="after")
    def _ordered(self) -> "Limits":
        if self.lowest >= self.highest:
            raise ValueError("lowest must be below highest")
        return self


class Survival(Analysis):
    """Compare survival after entry, and show what exit makes of the effects on outcomes.

    `limits`, by outcome, are what worst-case bounds (Manski) fill in for firms that exit.
    """

    exit: Annotated[LastYearExit | ColumnExit | FlagExit, Field(discriminator="known_by")]
    limits: dict[str, Limits] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _limits_are_of_outcomes(self) -> "Survival":
        idle = [name for name in self.limits if name not in self.outcomes]
        if idle:
            raise ValueError(f"limits names {', '.join(idle)}, which outcomes does not")
        return self


class Grouping(Settings):
    """Group firms by what they were before entry.

    `category` takes the text of a column, `any` whether it is above zero, `level` and
    `years_since` (the year less a column that holds years) numbers that `edges` cut: a value on an
    edge is in the upper group. `entry_year` needs no column. `at` dates the column relative to
    entry, the base year where null. `labels` name the groups from the lowest up.
    """

    label: str
    transform: Literal["category", "any", "level", "years_since", "entry_year"]
    column: str | None = None
    at: int | None = None
    edges: list[float] = Field(default_factory=list)
    labels: list[str] | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Grouping":
        if (self.transform == "entry_year") != (self.column is None):
            raise ValueError("a column goes with every transform but entry_year")
        if (self.transform in ("level", "years_since")) != bool(self.edges):
            raise ValueError("edges go with level and years_since")
        if sorted(set(self.edges)) != self.edges:
            raise ValueError("edges must ascend, none twice")
        named = {"any": 2, "level": len(self.edges) + 1, "years_since": len(self.edges) + 1}
        if self.labels is not None and len(self.labels) != named.get(self.transform, 0):
            raise ValueError("labels need one name for each group of any, level or years_since")
        return self


class GroupsSection(Analysis):
    """Estimate average effects by groups that are fixed before entry, and test their equality.

    `match: common` keeps the design's matches, a comparison firm counting in the groups of the
    firms that it is matched to (in its own under weights); `within` matches again inside each
    group, on the same score. Groups with fewer than `least_firms` treated or comparison firms are
    not shown; nor are those with so few in effect, (sum w)^2 / sum(w^2), by sampling weights.
    """

    match: Literal["common", "within"]
    least_firms: int = Field(ge=2)
    by: dict[Name, Grouping] = Field(min_length=1)


class Size(Settings):
    """Name the column that weights firms, dated relative to entry, the base year where null."""

    column: str
    at: int | None = None


class SizeWeighted(Analysis):
    """Weight firms by size before entry, so that the effect is that on jobs or sales, not on firms.

    `comparison: treated_size` gives comparison firms of a matched set the size of its treated
    firm; `own_size` their own, scaled to the treated of their entry year (the only rule for designs
    without sets; a design with sets then counts whoever is observed). Where an outcome's column is
    a size's column, the total follows.
    """

    by: dict[Name, Size] = Field(min_length=1)
    comparison: Literal["treated_size", "own_size"]


class Analyses(Settings):
    """Hold the analyses of a study; null where one is not asked for."""

    margins: Margins | None = None
    survival: Survival | None = None
    groups: GroupsSection | None = None
    size_weighted: SizeWeighted | None = None

    def asked(self) -> dict[str, Analysis]:
        """Return the analyses asked for by name."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: analysis for name, analysis in found.items() if analysis is not None}
