"""Faults of exposures that only section `data` can show."""

from collections.abc import Iterator

from pipeline.params.data import DataSection
from pipeline.params.exposure import Exposures, LinkExposure, LinksFile, panel_columns_read
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
        for key, column, kind in panel_columns_read(exposure):
            yield from column_fault(data, treatment, f"{PATH}.{name}.{key}", column, kind)


def _kind_fault(name: str, exposure: LinkExposure, links: LinksFile) -> Iterator[str]:
    if exposure.links is not None and links.kind is None:
        yield f"{PATH}.{name}.links: the file of links names no column `kind`; leave links out"
