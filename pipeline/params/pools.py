"""Block `treatment.pools`: firms that the headline's arm is compared with beside the clean pool."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.exposure import (
    CellExposure,
    Exposures,
    OneExposure,
    RingExposure,
    panel_columns_read,
)
from pipeline.params.settings import Settings, nearest_known

# How results name the pool that effects are of.
CLEAN_POOL = "clean"


class EveryonePool(Settings):
    """Compare with every firm that does not take part, whoever it is exposed to."""

    kind: Literal["everyone"]


class OutsidePool(Settings):
    """Compare with firms in whose cell nobody takes part: one with the same text in `columns`.

    Municipality, or municipality and sector. Cells are of `base_year`, null the year before anybody
    enters; firms without a cell are not compared, and above `most_missing_percent` refused.
    """

    kind: Literal["outside"]
    columns: list[str] = Field(min_length=1)
    base_year: int | None = None
    most_missing_percent: float = Field(default=20, ge=0, le=100)

    @property
    def exposure(self) -> CellExposure:
        """Return the exposure by cell that the pool is free of."""
        return CellExposure(
            kind="cell",
            columns=self.columns,
            base_year=self.base_year,
            most_missing_percent=self.most_missing_percent,
            late_places="keep",
        )


class BeyondPool(Settings):
    """Compare with firms farther than `km` from whoever takes part.

    `ring` names a block of treatment.exposure of kind ring, which says where firms are; its edges
    do not matter.
    """

    kind: Literal["beyond"]
    ring: str
    km: float = Field(gt=0, allow_inf_nan=False)


class UnexposedPool(Settings):
    """Compare with firms that none of some blocks of treatment.exposure, `to`, reaches."""

    kind: Literal["unexposed"]
    to: list[str] = Field(min_length=1)


class AmongPool(Settings):
    """Compare with firms that do not take part and whose `column` has one of the values.

    Firms of other sectors, say, as of `base_year`, null the year before anybody enters.
    """

    kind: Literal["among"]
    column: str
    values: list[str | float] = Field(min_length=1)
    base_year: int | None = None


OnePool = Annotated[
    EveryonePool | OutsidePool | BeyondPool | UnexposedPool | AmongPool,
    Field(discriminator="kind"),
]

# By the name that results give each.
Pools = dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], OnePool]


def kept_out_by(pool: OnePool, exposures: Exposures) -> list[OneExposure]:
    """Return the exposures whose firms a pool leaves out."""
    if isinstance(pool, OutsidePool):
        return [pool.exposure]
    if isinstance(pool, BeyondPool):
        return [exposures[pool.ring].model_copy(update={"edges_km": [pool.km]})]
    return [exposures[name] for name in pool.to] if isinstance(pool, UnexposedPool) else []


def pool_columns_read(pool: OnePool) -> Iterator[tuple[str, str, str]]:
    """Yield key, column and kind of each PANEL column that a pool reads beside its exposures."""
    if isinstance(pool, OutsidePool):
        yield from panel_columns_read(pool.exposure)
    if isinstance(pool, AmongPool):
        yield "column", pool.column, "text" if isinstance(pool.values[0], str) else "number"


def undeclared_exposures(pools: Pools, exposures: Exposures) -> Iterator[str]:
    """Yield one line for each pool that names an exposure that there is not, or misuses one."""
    if CLEAN_POOL in pools:
        yield f"pools.{CLEAN_POOL}: results call the pool of the headline so; rename it"
    for name, pool in pools.items():
        named = {"ring": [pool.ring]} if isinstance(pool, BeyondPool) else {}
        named |= {"to": pool.to} if isinstance(pool, UnexposedPool) else {}
        for key, exposed in named.items():
            for absent in (one for one in exposed if one not in exposures):
                near = nearest_known(absent, list(exposures))
                yield f"pools.{name}.{key}: {absent} is not in treatment.exposure{near}"
        if isinstance(pool, BeyondPool) and pool.ring in exposures:
            yield from _distance_fault(name, pool, exposures[pool.ring])


def _distance_fault(name: str, pool: BeyondPool, ring: OneExposure) -> Iterator[str]:
    if not isinstance(ring, RingExposure):
        yield (
            f"pools.{name}.ring: {pool.ring} is of kind {ring.kind}; distances come from an "
            "exposure of kind ring"
        )
    elif pool.km < ring.precision_km:
        yield (
            f"pools.{name}.km is {pool.km:g}, and places are known to {ring.precision_km:g} km "
            f"(exposure.{pool.ring}.precision_km): widen the distance"
        )
