"""Arms as they would be had others taken part: exposure, arms and the clean pool made again."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.datasets.arms import ARM_ENTRIES
from pipeline.datasets.arrays import Codes, Floats
from pipeline.datasets.exposure import CENTROIDS, EXPOSURE, EXPOSURE_FRAME, LINKS
from pipeline.datasets.store import conform, empty
from pipeline.panel.panel_index import PanelIndex, index_panel
from pipeline.panel.treated_clusters import first_entries
from pipeline.params.arms import Arms
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arms import firm_arms, panel_of_arm
from pipeline.selection.exposed_firms import ExposedFirms, exposure_rows
from pipeline.selection.exposure import ExposureInputs, exposed_firms
from pipeline.selection.exposure_components import exposure_components, with_components
from pipeline.selection.study_arms import Tables, centroids_by_file


@dataclass(frozen=True)
class DrawnArms:
    """Hold PANEL as all arms share it, and `tables` that arms are made of, by declaration.

    The population whose entry may be drawn are all firms before the sample leaves any out where the
    study has exposures, else those of PANEL.
    """

    panel: pd.DataFrame
    tables: Tables
    treatment: TreatmentSection

    @cached_property
    def population(self) -> pd.DataFrame:
        """Return a row for each firm and year of whom entry is drawn, with cohort and cluster."""
        return self.tables[EXPOSURE_FRAME] if self.treatment.exposure else self.panel

    @cached_property
    def index(self) -> PanelIndex:
        """Return the rows of each firm and year of the population; its order is that of firms."""
        return index_panel(self.population)

    @property
    def arms(self) -> Arms:
        """Return the arms of the study."""
        assert self.treatment.arms is not None, "of a study with arms"
        return self.treatment.arms

    @property
    def entries(self) -> pd.DataFrame:
        """Return ARM_ENTRIES."""
        return self.tables[ARM_ENTRIES]

    def seen_by(
        self, arm: str, cohort: Floats, entries: pd.DataFrame, *, joined: bool = False
    ) -> pd.DataFrame:
        """Return PANEL as an arm would see it had the population (F,) entered in these years.

        `cohort` is missing for never, `entries` are ARM_ENTRIES; `joined` adds the components of
        clusters that exposure joins. Places and links stay as they are, dated before those who did
        enter. Raises SupportError or DataError where arms cannot be.
        """
        code = self._firm_of_row
        own = pd.Series(cohort[code], index=self.panel.index).astype("Int64")
        first = self._first_entries(cohort)[self._cluster_of_row]
        entry = pd.Series(first, index=self.panel.index).astype("Int64")
        panel = self.panel.assign(cohort=own, cluster_entry=entry)
        drawn = [exposed.redrawn(cohort) for exposed in self._exposures]
        rows = [conform(EXPOSURE, exposure_rows(exposed)) for exposed in drawn]
        exposure = conform(EXPOSURE, pd.concat([empty(EXPOSURE), *rows]))
        found = firm_arms(entries, panel, self.arms, exposure)
        years = self.treatment.anticipation_years
        seen = panel_of_arm(panel, found.arms, found.contacts, arm, years)
        if not joined:
            return seen
        return with_components(seen, exposure_components(self.population, self.index, drawn))

    @cached_property
    def _exposures(self) -> list[ExposedFirms]:
        links, centroids = self.tables.get(LINKS), centroids_by_file(self.tables.get(CENTROIDS))
        given = ExposureInputs(self.population, self.index, links, centroids)
        named = self.treatment.exposure.items()
        return [exposed_firms(given, name, rule)[0] for name, rule in named]

    def _first_entries(self, cohort: Floats) -> Floats:
        """Return by cluster of the population when its first participant entered."""
        code, names = self._clusters
        firm = self.index.codes(self.population["firm_id"])
        return first_entries(self.population["year"].to_numpy(), cohort[firm], code, len(names))

    @cached_property
    def _clusters(self) -> tuple[Codes, pd.Index]:
        code, names = pd.factorize(self.population["cluster"], sort=True)
        return np.asarray(code, dtype=np.intp), pd.Index(names)

    @cached_property
    def _firm_of_row(self) -> Codes:
        return self.index.codes(self.panel["firm_id"])

    @cached_property
    def _cluster_of_row(self) -> Codes:
        return np.asarray(
            self._clusters[1].get_indexer(pd.Index(self.panel["cluster"])), dtype=np.intp
        )
