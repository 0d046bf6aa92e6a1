"""Faults of pools that only other sections can show."""

from collections.abc import Iterator

from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import ExternalDesign, MatchSection
from pipeline.params.pools import pool_columns_read
from pipeline.params.treatment import TreatmentSection
from pipeline.params.treatment_faults import column_fault

_PATH = "treatment.pools"


def pool_faults(
    data: DataSection, treatment: TreatmentSection, match: MatchSection, estimate: EstimateSection
) -> Iterator[str]:
    """Yield one line for each column that the data lack, and where a pool can give no effect."""
    for name, pool in treatment.pools.items():
        for key, column, kind in pool_columns_read(pool):
            yield from column_fault(data, treatment, f"{_PATH}.{name}.{key}", column, kind)
    if treatment.pools:
        yield from _headline_faults(match, estimate)


def _headline_faults(match: MatchSection, estimate: EstimateSection) -> Iterator[str]:
    """Yield why the headline's effect is not to be had under another pool."""
    headline = estimate.headline
    spec = next(spec for spec in estimate.specs if spec.name == headline.spec)
    if isinstance(match.designs.get(headline.design), ExternalDesign):
        yield (
            f"{_PATH}: the design {headline.design} of the headline comes from a file, and each "
            "pool is matched again: give estimate.headline another design, or leave pools out"
        )
    if spec.primary_inference == "abadie_imbens" or spec.option("firms") == "panel":
        why = (
            "takes all firms of the panel, whatever the pool"
            if spec.option("firms") == "panel"
            else "has no errors that are sums over clusters, as the difference of two pools needs"
        )
        yield (
            f"{_PATH}: the spec {spec.name} of the headline {why}: give estimate.headline a "
            "stacked spec, or leave pools out"
        )
