"""What exposures need beside the panel: links between firms, and where places are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from pipeline.errors import DataError
from pipeline.panel.centroids import centroid_table
from pipeline.panel.firm_links import Written, firm_links
from pipeline.panel.ledger import Ledger
from pipeline.panel.origin import Origin, located
from pipeline.panel.rules.links import linked_identifiers
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.exposure import Exposures, centroid_files
from pipeline.params.written import key_columns


@dataclass(frozen=True)
class DeliveredLinks:
    """Hold the table of links as delivered, None without one, and where its rows are from."""

    table: pd.DataFrame | None
    origin: Origin


def with_exposure_inputs(
    ledger: Ledger,
    delivered: DeliveredLinks,
    tables: Mapping[str, pd.DataFrame],
    *,
    data: DataSection,
    clean: CleanSection,
    exposures: Exposures,
) -> Ledger:
    """Return the ledger of cleaning with LINKS and CENTROIDS, and what was found in the links.

    Links are those of all delivered firms, of those too that the sample leaves out; `tables` are
    rules files by name. Raises DataError where links or centroids cannot be used.
    """
    files = dict.fromkeys(centroid_files(exposures).values())
    if files:
        ledger = replace(ledger, centroids=centroid_table({file: tables[file] for file in files}))
    if data.links is None:
        return ledger
    if delivered.table is None:
        raise DataError("data.links: the study's source gave no links; name their file")
    firms = ledger.panel if ledger.frame is None else ledger.frame
    with located(delivered.origin):
        links, found = firm_links(
            delivered.table,
            data.links,
            pd.Index(firms["firm_id"].unique()),
            _written(data, clean, tables),
        )
    return replace(ledger, links=links).with_issues(found)


def _written(data: DataSection, clean: CleanSection, tables: Mapping[str, pd.DataFrame]) -> Written:
    """Say how links write firms and years: as the panel does."""
    identifier = clean.identifier.of_parts(len(key_columns(data.firm_id)))
    histories = None
    if clean.links is not None:
        histories = linked_identifiers(tables[clean.links.file], clean.links, identifier)
    return Written(identifier, data.years, histories)
