"""Faults of exposures and links that only section `data` can show."""

from collections.abc import Iterator

from pipeline.params.data import DataSection, FileSource, PackageSource
from pipeline.params.exposure import LinkExposure, panel_columns_read
from pipeline.params.links_file import ONLY_KIND, LinksFile
from pipeline.params.treatment import TreatmentSection
from pipeline.params.treatment_faults import column_fault

PATH = "treatment.exposure"


def exposure_faults(data: DataSection, treatment: TreatmentSection) -> Iterator[str]:
    """Yield one line for each column of an exposure that the data lack, or have as another kind.

    And one for exposures that no arm can be compared by, and for links that cannot be.
    """
    if treatment.exposure and treatment.arms is None:
        yield (
            f"{PATH}: who is exposed is told by arm: declare treatment.arms, one of participants "
            "at least, or leave exposure out"
        )
    for name, exposure in treatment.exposure.items():
        if isinstance(exposure, LinkExposure) and data.links is None:
            yield f"{PATH}.{name} needs links between firms: name their file in data.links"
        if isinstance(exposure, LinkExposure) and data.links is not None:
            yield from _kind_faults(name, exposure, data.links)
        for key, column, kind in panel_columns_read(exposure):
            yield from column_fault(data, treatment, f"{PATH}.{name}.{key}", column, kind)
    if data.links is not None:
        yield from _file_faults(data, data.links)


def _kind_faults(name: str, exposure: LinkExposure, links: LinksFile) -> Iterator[str]:
    if exposure.links is not None and links.kind is None:
        yield f"{PATH}.{name}.links: data.links names no column `kind`; leave links out"
    both_ways = [
        kind for kind in links.undirected if exposure.links is None or kind in exposure.links
    ]
    if both_ways and exposure.direction != "either":
        yield (
            f"{PATH}.{name}.direction is {exposure.direction}, and links of the kind "
            f"{', '.join(both_ways)} have none (data.links.undirected): write either"
        )


def _file_faults(data: DataSection, links: LinksFile) -> Iterator[str]:
    if isinstance(data.source, FileSource) and links.file is None:
        yield "data.links.file is missing: name the file of links in data/raw"
    if not isinstance(data.source, FileSource) and links.file is not None:
        yield "data.links.file: only files deliver links (data.source.kind: files); leave it out"
    if isinstance(data.source, PackageSource) and links.file is None:
        yield "data.links: a package delivers no links; leave them out"
    unknown = [kind for kind in links.undirected if kind != ONLY_KIND]
    if links.kind is None and unknown:
        yield (
            f"data.links.undirected: {', '.join(unknown)} is no kind, for data.links names no "
            f"column `kind`: all links are of the kind {ONLY_KIND}"
        )
