"""What exhibits are made from: a study's results tables and the settings that produced them."""

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from pipeline.datasets.reasons import unpacked, unpacked_remarks
from pipeline.effects.terms import ATT, Term
from pipeline.errors import Reason
from pipeline.exhibits.details import Details, known_or_nan
from pipeline.exhibits.effect import Effect, PreTrendTest, as_effect, decimals_of
from pipeline.exhibits.words.language import speaking
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.exhibit import ARM_TABLES, POOL_TABLES, ExhibitSection, TableName
from pipeline.params.inference_methods import primary_methods
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import Outcome, OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection


@dataclass(frozen=True)
class Dominance:
    """Hold the largest firm's share of published totals, in percent, by what is published.

    The tables are OUTCOME_DOMINANCE, COVARIATE_DOMINANCE and PANEL_DOMINANCE.
    """

    outcomes: pd.DataFrame
    covariates: pd.DataFrame
    panel: pd.DataFrame


@dataclass(frozen=True)
class Populations:
    """Hold which published sets of firms overlap, and by how many.

    The tables are POPULATION_SETS, POPULATIONS, SIGNATURES and SHARED_FIRMS.
    """

    sets: pd.DataFrame
    populations: pd.DataFrame
    signatures: pd.DataFrame
    shared: pd.DataFrame


@dataclass(frozen=True)
class CountedFirms:
    """Hold COUNTED_SETS and COUNTED_FIRMS: whom published counts count, and how many alike."""

    sets: pd.DataFrame
    firms: pd.DataFrame


@dataclass(frozen=True)
class StudySettings:
    """Hold the sections of one study that its exhibits describe."""

    outcomes: OutcomesSection
    treatment: TreatmentSection
    score: ScoreSection
    match: MatchSection
    estimate: EstimateSection
    exhibit: ExhibitSection

    def of_arm(self, arm_folder: str) -> "StudySettings":
        """Return the settings as they hold for an arm, given its subfolder, none the headline's."""
        estimate = self.estimate.of_other_arms
        if not arm_folder or estimate is self.estimate:
            return self
        specs = {spec.name for spec in estimate.specs}
        panels = [panel for panel in self.exhibit.panels if panel.spec in specs]
        exhibit = self.exhibit.model_copy(update={"panels": panels})
        return replace(self, estimate=estimate, exhibit=exhibit)

    def spec(self, name: str) -> Spec:
        """Return an estimation spec by name."""
        return next(spec for spec in self.estimate.specs if spec.name == name)

    def design_label(self, design: str) -> str:
        """Return what readers call a design."""
        return self.exhibit.design_labels.get(design, design)

    @property
    def tables(self) -> list[TableName]:
        """Return the tables asked for; where params name none, those of arms and pools too."""
        asked = self.exhibit.tables
        if "tables" in self.exhibit.model_fields_set:
            return asked
        of_arms = ARM_TABLES if self.treatment.arms is not None else ()
        return [*asked, *of_arms, *POOL_TABLES] if self.treatment.pools else [*asked, *of_arms]

    @property
    def arm_folders(self) -> dict[str, str]:
        """Return the subfolder of each arm's files by its name, none for the headline's."""
        return self.treatment.arm_folders

    @property
    def arm_names(self) -> list[str]:
        """Return the arms, their contrasts and the exposures that params name."""
        arms = self.treatment.arms
        return [] if arms is None else [*arms.named, *arms.contrasts, *self.treatment.exposure]

    def arm_label(self, name: str) -> str:
        """Return what readers call an arm, or a contrast of arms."""
        return self.exhibit.arm_labels.get(name, name.replace("_", " "))

    def outcome(self, name: str) -> Outcome:
        """Return an outcome by name."""
        return self.outcomes.root[name]


@dataclass(frozen=True)
class StudyResults:
    """Hold the results tables of one study (declared in `pipeline.datasets`) and its settings.

    None of them names a firm. `recovery` exists where the truth is known. `dominance`,
    `populations`, `counted` and `pool_firms` are made from firms, and are not published. `details`
    are the tables behind feet and notes. Of a study with arms these are the results of one, `arm`;
    `arms` has those of every arm by name. What is told of all of them stands in ARM_FLOW,
    ARM_CONTRASTS, EXPOSED and POOLS.
    """

    study: str
    settings: StudySettings
    estimates: pd.DataFrame
    tests: pd.DataFrame
    paths: pd.DataFrame
    details: Details
    balance: pd.DataFrame
    sample_flow: pd.DataFrame
    issues: pd.DataFrame
    coefficients: pd.DataFrame
    score_shares: pd.DataFrame | None = None
    recovery: pd.DataFrame | None = None
    support: pd.DataFrame | None = None
    profile: pd.DataFrame | None = None
    coverage: pd.DataFrame | None = None
    dominance: Dominance | None = None
    populations: Populations | None = None
    counted: CountedFirms | None = None
    arm: str | None = None
    arms: Mapping[str, "StudyResults"] = field(default_factory=dict)
    arm_flow: pd.DataFrame | None = None
    arm_contrasts: pd.DataFrame | None = None
    exposed: pd.DataFrame | None = None
    pools: pd.DataFrame | None = None
    pool_firms: pd.DataFrame | None = None

    @property
    def arm_folder(self) -> str:
        """Return the subfolder of an arm's files, none for the headline's and without arms."""
        return "" if self.arm is None else self.settings.arm_folders[self.arm]

    @cached_property
    def effects(self) -> dict[tuple[str, ...], dict[Term, Effect]]:
        """Hold effects on all firms, by outcome, design, spec and band, then term.

        Of each the row of the method by which effects have their own errors.
        """
        return {
            key: {term: self.with_decimals(key[0], effect) for term, effect in found.items()}
            for key, found in self._measured.items()
        }

    def with_decimals(self, outcome: str, effect: Effect) -> Effect:
        """Return an effect with the decimals of its outcome; on no scale of one with its own."""
        of = self.settings.outcomes.root.get(outcome)
        if of is not None and of.scale == effect.scale:
            return replace(effect, decimals=self.decimals[outcome])
        return replace(effect, decimals=decimals_of([effect], self.settings.exhibit.decimals))

    @cached_property
    def decimals(self) -> dict[str, int]:
        """Hold the decimals at which effects on an outcome are shown, wherever they are.

        Two digits of the smallest standard error of the outcome over the panels of the study.
        """
        panels = [(panel.design, panel.spec) for panel in self.settings.exhibit.panels]
        found = {}
        for name in self.settings.outcomes.root:
            keys = [(name, *place, "pointwise") for place in panels]
            effects = [e for key in keys if (e := self._measured.get(key, {}).get(ATT))]
            found[name] = decimals_of(effects, self.settings.exhibit.decimals)
        return found

    @cached_property
    def _measured(self) -> dict[tuple[str, ...], dict[Term, Effect]]:
        """Hold the same effects as stored, without the decimals at which they are shown."""
        table = self.estimates
        everyone = (table[["sample", "grouping", "subgroup"]] == "all").all(axis=1)
        primary = table["inference"].isin(primary_methods())
        found: dict[tuple[str, ...], dict[Term, Effect]] = {}
        for row in table[everyone & primary].to_dict("records"):
            named = {str(key): value for key, value in row.items()}
            key = tuple(str(named[name]) for name in ("outcome", "design", "estimator", "band"))
            effect = as_effect(named)
            found.setdefault(key, {})[effect.term] = effect
        return found

    @cached_property
    def levels(self) -> dict[str, str]:
        """Hold what readers call the levels that errors may be clustered by, arms and exposures.

        Those of pairs are columns of PANEL too, which go by their labels in PROFILE, or, without
        it, by the names that the user gave them.
        """
        estimate, exhibit = self.settings.estimate, self.settings.exhibit
        pairs = [spec.cluster for spec in estimate.specs if not isinstance(spec.cluster, str)]
        labels = {} if self.profile is None else _labels(self.profile)
        columns = {level: labels.get(level, level) for pair in pairs for level in pair}
        named = {arm: self.settings.arm_label(arm) for arm in self.settings.arm_names}
        return named | columns | {"assignment": exhibit.cluster, "firm": exhibit.firm}

    def plain_name(self, outcome: str) -> str:
        """Return what prose calls an outcome: of one in logs its column, which percents are of."""
        described = self.settings.outcome(outcome)
        if described.transform != "log" or self.profile is None:
            return described.label
        return _labels(self.profile).get(str(described.column), described.label)

    def speaking(self) -> AbstractContextManager[None]:
        """Make every phrase and number inside the block follow the study's settings."""
        return speaking(self.settings.exhibit, self.levels)


def _labels(profile: pd.DataFrame) -> dict[str, str]:
    """Return what readers call the columns of PANEL."""
    known = profile.dropna(subset="label")
    return dict(zip(known["column"], known["label"], strict=True))


def find_effects(
    results: StudyResults, outcome: str, design: str, spec: str, band: str = "pointwise"
) -> dict[Term, Effect]:
    """Return the effects of one outcome, design and spec by term, for all firms, analytic."""
    return results.effects.get((outcome, design, spec, band), {})


def pre_trend_result(results: StudyResults, outcome: str, design: str, spec: str) -> PreTrendTest:
    """Return the pre-trend test of one outcome, design and spec, or the reason for none."""
    tests = results.tests
    rows = tests[
        (tests["outcome"] == outcome)
        & (tests["design"] == design)
        & (tests["sample"] == "all")
        & (tests["estimator"] == spec)
        & (tests["test"] == "pre_trends")
    ].to_dict("records")
    if not rows:
        return PreTrendTest(math.nan, Reason("no_event_times_asked"))
    return PreTrendTest(
        known_or_nan(rows[0]["p_value"]),
        unpacked(rows[0]["reason"], rows[0]["reason_fields"]),
        unpacked_remarks(rows[0]["remarks"]),
    )


def find_effect(results: StudyResults, outcome: str, design: str, spec: str) -> Effect | None:
    """Return the average effect on the treated of one outcome, design and spec, if it has a row."""
    return find_effects(results, outcome, design, spec).get(ATT)
