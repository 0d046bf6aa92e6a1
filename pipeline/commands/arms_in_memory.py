"""All arms of a study in memory, as the stages make them, and what is said between them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from pipeline.analyses.pool_matching import HeadlineArm
from pipeline.analyses.pools import pool_effects
from pipeline.commands.in_memory import InMemory, match_in_memory
from pipeline.datasets.exposure import EXPOSURE
from pipeline.datasets.panel import PANEL
from pipeline.datasets.pools import POOLS
from pipeline.datasets.reasons import unpacked
from pipeline.datasets.store import Dataset, empty
from pipeline.effects.exposed_arm import exposed_arm
from pipeline.errors import Reason, SupportError
from pipeline.inference.between_arms import BetweenArms, between_arms
from pipeline.inference.own_exposure import arm_effects
from pipeline.panel.coverage import require_observed
from pipeline.panel.used_columns import used_columns
from pipeline.params.arm_faults import ArmSections
from pipeline.params.data import DataSection
from pipeline.params.study import StudySection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arms import panels_by_arm
from pipeline.selection.drawn_arms import DrawnArms
from pipeline.selection.exposure_components import with_components
from pipeline.selection.study_arms import (
    StudyArms,
    contacts_made_of,
    study_arms,
    study_pools,
)
from pipeline.selection.supported_arms import NO_ARMS, TriedArms


@dataclass(frozen=True)
class PooledFirms:
    """Hold PANEL, POOL_CONTACTS and ARMS, by which the headline's arm sees each other pool."""

    panel: pd.DataFrame
    contacts: pd.DataFrame
    arms: pd.DataFrame | None


@dataclass(frozen=True)
class ArmsInMemory:
    """Hold each arm that has support by name, EXPOSURE, and which arms were tried.

    A study without arms has one, `all`. `pooled` is of a study with pools.
    """

    by_arm: dict[str, InMemory]
    exposure: pd.DataFrame
    tried: TriedArms
    pooled: PooledFirms | None = None

    def arm(self, name: str) -> InMemory:
        """Return one arm; raise SupportError with the reason where it has no support."""
        if name not in self.by_arm:
            row = self.flow.set_index("arm").loc[name]
            why = unpacked(row["reason"], row["reason_fields"])
            raise SupportError(why or Reason("arm_without_effect", {"arms": [name]}))
        return self.by_arm[name]

    @property
    def flow(self) -> pd.DataFrame:
        """Return ARM_FLOW with the reasons of arms without support; NO_ARMS without arms."""
        return NO_ARMS if self.tried.treatment.arms is None else self.tried.told

    @cached_property
    def pools(self) -> pd.DataFrame:
        """Return POOLS, which has no row where the study declares no pools."""
        if self.pooled is None:
            return empty(POOLS)
        own, of = self.arm(self.tried.treatment.headline_arm), self.pooled
        headline = HeadlineArm(own.study, own.redo, own.estimated)
        return pool_effects(headline, of.panel, of.contacts, of.arms)[POOLS]

    @cached_property
    def between(self) -> BetweenArms:
        """Return contrasts between all arms, of a study that names arms."""
        effects = {}
        for arm, own in self.by_arm.items():
            with self.tried.trying(arm):
                effects[arm] = arm_effects(own.study, own.estimated)
        any_arm = next(iter(self.by_arm.values()))
        study, redo = any_arm.study, any_arm.redo
        sections = ArmSections(study.treatment, redo.score, redo.match, study.estimate)
        return between_arms(effects, self.exposure, sections)


def match_arms(
    cleaned: Mapping[Dataset, pd.DataFrame],
    study: StudySection,
    brought: dict[str, pd.DataFrame] | None = None,
    only: Collection[str] | None = None,
) -> ArmsInMemory:
    """Return what `match_in_memory` does for the sections of a study, by arm.

    `cleaned` are the tables of `cleaned_by`, `only` names the arms that are asked for, None all.
    Raises DataError too where they read a column that nobody has in a year, as `clean` does.
    """
    panel, treatment = cleaned[PANEL], study.treatment
    require_observed(panel, study.clean, used_columns(study.outcomes, study.score, treatment))
    arms, drawn = study_arms(panel, cleaned, treatment), None
    if arms is not None:
        panel = with_components(panel, arms.components)
        drawn = DrawnArms(cleaned[PANEL], cleaned, treatment)
    tried = TriedArms(treatment, "score", NO_ARMS if arms is None else arms.of_firms.flow)
    asked = [arm for arm in tried.left if only is None or arm in only]
    by_arm = {}
    for arm, seen in panels_by_arm(panel, _seen_by(arms), treatment, asked):
        with tried.trying(arm):
            by_arm[arm] = match_in_memory(
                seen,
                outcomes=study.outcomes,
                treatment=treatment,
                score=study.score,
                match=study.match,
                estimate=study.estimate,
                brought=brought,
                arm=arm,
                arms=drawn,
                exposed=exposed_arm(tried.counts(arm)),
            )
    exposure = empty(EXPOSURE) if arms is None else arms.exposure
    return ArmsInMemory(by_arm, exposure, tried, _pooled(panel, cleaned, arms, treatment))


def _pooled(
    panel: pd.DataFrame,
    cleaned: Mapping[Dataset, pd.DataFrame],
    arms: StudyArms | None,
    treatment: TreatmentSection,
) -> PooledFirms | None:
    if not treatment.pools:
        return None
    of_firms = None if arms is None else arms.of_firms.arms
    return PooledFirms(panel, study_pools(cleaned, treatment), of_firms)


def cleaned_by(data: DataSection, treatment: TreatmentSection) -> Iterator[Dataset]:
    """Yield the tables of cleaning that `match_arms` takes."""
    yield PANEL
    yield from contacts_made_of(data, treatment)


def _seen_by(arms: StudyArms | None) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    return None if arms is None else arms.seen_by
