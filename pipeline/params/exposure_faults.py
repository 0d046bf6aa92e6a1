"""Faults of exposures that only section `data` can show."""

from collections.abc import Iterator

from pipeline.params.data import DataSection
from pipeline.params.exposure import (
    OF_FIRMS,
    CellExposure,
    Exposures,
    LinkExposure,
    LinksFile,
    OneExposure,
    RingExposure,
    ShareExposure,
)
from pipeline.params.treatment import TreatmentSection
from pipeline.params.treatment_faults import column_fault

PATH = "treatment.exposure"


def exposure_faults(
    data: DataSection, treatment: TreatmentSection, exposures: Exposures, links: LinksFile | None
) -> Iterator[str]:
    """Yield one line for each column of an exposure that the data lack, or have as another kind."""
    for name, exposure in exposures.items():
        if isinstance(exposure, LinkExposure) and links is None:
            yield f"{PATH}.{name} needs links: name their file"
        if isinstance(exposure, LinkExposure) and links is not None:
            yield from _kind_fault(name, exposure, links)
        for key, column, kind in _columns(exposure):
            yield from column_fault(data, treatment, f"{PATH}.{name}.{key}", column, kind)


def _kind_fault(name: str, exposure: LinkExposure, links: LinksFile) -> Iterator[str]:
    if exposure.links is not None and links.kind is None:
        yield f"{PATH}.{name}.links: the file of links names no column `kind`; leave links out"


def _columns(exposure: OneExposure) -> Iterator[tuple[str, str, str]]:
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
