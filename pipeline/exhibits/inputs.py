"""What exhibits are made from: a study's results tables and the settings that produced them."""

import math
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from pipeline.datasets.reasons import unpacked, unpacked_remarks
from pipeline.effects.terms import ATT, Term
from pipeline.errors import Reason
from pipeline.exhibits.details import Details, known_or_nan
from pipeline.exhibits.units import decimals_shown, shown_error, shown_value
from pipeline.exhibits.words.language import speaking, tell, tell_all
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.exhibit import ExhibitSection
from pipeline.params.inference_methods import primary_methods
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import Outcome, OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection

# Reasons of what is known and not published; of what is zero by construction; and the remark that
# names the entry years behind an effect where they are not all.
NOT_PUBLISHED = frozenset(
    {"few_firms_in_group", "one_firm_dominates", "tells_group_size", "tells_hidden_effect"}
)
_BY_CONSTRUCTION = frozenset({"reference_period", "alive_by_construction"})
_ENTRY_YEARS = "entry_years_only"


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

    def spec(self, name: str) -> Spec:
        """Return an estimation spec by name."""
        return next(spec for spec in self.estimate.specs if spec.name == name)

    def design_label(self, design: str) -> str:
        """Return what readers call a design."""
        return self.exhibit.design_labels.get(design, design)

    def outcome(self, name: str) -> Outcome:
        """Return an outcome by name."""
        return self.outcomes.root[name]


@dataclass(frozen=True)
class StudyResults:
    """Hold the results tables of one study (declared in `pipeline.datasets`) and its settings.

    None of them names a firm. `recovery` exists where the truth is known. `dominance`,
    `populations` and `counted` are made from firms, and are not published. `details` are the
    tables behind feet and notes.
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

    @cached_property
    def effects(self) -> "dict[tuple[str, ...], dict[Term, Effect]]":
        """Hold effects on all firms, by outcome, design, spec and band, then term.

        Of each the row of the method by which effects have their own errors.
        """
        return {
            key: {term: self.with_decimals(key[0], effect) for term, effect in found.items()}
            for key, found in self._measured.items()
        }

    def with_decimals(self, outcome: str, effect: "Effect") -> "Effect":
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
    def _measured(self) -> "dict[tuple[str, ...], dict[Term, Effect]]":
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
        """Hold what readers call the levels that errors may be clustered by.

        Those of pairs are columns of PANEL too, which go by their labels in PROFILE, or, without
        it, by the names that the user gave them.
        """
        estimate, exhibit = self.settings.estimate, self.settings.exhibit
        pairs = [spec.cluster for spec in estimate.specs if not isinstance(spec.cluster, str)]
        labels = {} if self.profile is None else _labels(self.profile)
        columns = {level: labels.get(level, level) for pair in pairs for level in pair}
        return columns | {"assignment": exhibit.cluster, "firm": exhibit.firm}

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


@dataclass(frozen=True)
class Effect:
    """Hold one row of ESTIMATES; what is missing is NaN, or empty text.

    Figures are as stored, on `scale`; `decimals` are those at which readers are shown them in their
    unit (`exhibits.units`).
    """

    estimate: float
    std_error: float
    statistic: float
    df: float
    p_value: float
    conf_low: float
    conf_high: float
    n_treated: float
    n_control: float
    n_obs: float
    n_clusters: float
    n_treated_clusters: float
    conf_level: float
    scale: str
    estimand: str
    cluster: str
    other_cluster: str
    term: Term
    reason: Reason | None
    remarks: tuple[Reason, ...]
    decimals: int = 0

    @property
    def estimated(self) -> bool:
        """Say whether there is an estimate with a standard error."""
        return not math.isnan(self.estimate) and not math.isnan(self.std_error)

    @property
    def hidden(self) -> bool:
        """Say whether the estimate is not published."""
        return _is_hidden(self.reason)

    @property
    def entry_years(self) -> tuple[int, ...]:
        """Return the entry years behind it where they are not all, none where they are."""
        years = self.remark(_ENTRY_YEARS)
        return () if years is None else tuple(years.fields["years"])

    def remark(self, code: str) -> Reason | None:
        """Return a remark by its code, None where the effect has none such."""
        return next((remark for remark in self.remarks if remark.code == code), None)


@dataclass(frozen=True)
class PreTrendTest:
    """Hold the joint test of effects before the reference year: its p-value, NaN without one."""

    p_value: float
    reason: Reason | None
    remarks: tuple[Reason, ...] = ()

    @property
    def hidden(self) -> bool:
        """Say whether there is a test that is not published."""
        return _is_hidden(self.reason)


def _is_hidden(reason: Reason | None) -> bool:
    return reason is not None and reason.code in NOT_PUBLISHED


_NUMBERS = [name for name, kind in Effect.__annotations__.items() if kind is float]
_WORDS = [name for name, kind in Effect.__annotations__.items() if kind is str]


def decimals_of(effects: "Iterable[Effect]", least: int) -> int:
    """Return the decimals at which effects of one outcome are shown."""
    present = [effect for effect in effects if not math.isnan(effect.estimate)]
    return decimals_shown(
        [shown_error(e.std_error, e.estimate, e.scale) for e in present if e.estimated],
        [shown_value(e.estimate, e.scale) for e in present],
        least,
    )


def shown_effect(effect: Effect) -> Effect:
    """Return an effect with its figures in the reader's unit."""
    value, low, high = (
        shown_value(figure, effect.scale)
        for figure in (effect.estimate, effect.conf_low, effect.conf_high)
    )
    error = shown_error(effect.std_error, effect.estimate, effect.scale)
    return replace(effect, estimate=value, std_error=error, conf_low=low, conf_high=high, scale="")


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


def by_event_time(effects: dict[Term, Effect]) -> dict[int, Effect]:
    """Return the effects that speak of one event time, by event time."""
    return {
        term.event_time: effect
        for term, effect in effects.items()
        if term.family == "event" and term.event_time is not None
    }


def partial_event_times(effects: dict[int, Effect]) -> dict[int, tuple[int, ...]]:
    """Return the event times at which not all entry years are seen, with those that are."""
    return {time: years for time, e in effects.items() if (years := e.entry_years)}


def told_years(years: Iterable[tuple[int, ...]]) -> str:
    """Return in words which entry years effects speak of."""
    return tell_all(Reason(_ENTRY_YEARS, {"years": listed}) for listed in years)


def find_effect(results: StudyResults, outcome: str, design: str, spec: str) -> Effect | None:
    """Return the average effect on the treated of one outcome, design and spec, if it has a row."""
    return find_effects(results, outcome, design, spec).get(ATT)


def missing_reason(effect: Effect) -> str:
    """Return why there is no estimate or no standard error; empty where there are both."""
    if effect.reason is None or effect.reason.code in _BY_CONSTRUCTION:
        return ""
    if math.isnan(effect.estimate):
        return tell_all((*effect.remarks, effect.reason))
    return "" if effect.estimated else tell(effect.reason)


def missing_test_reason(test: PreTrendTest) -> str:
    """Return why there is no p-value, and what of the test must be known."""
    return "" if test.reason is None else tell_all((test.reason, *test.remarks))


def as_effect(row: dict[str, Any]) -> Effect:
    """Return a row of ESTIMATES as an effect."""
    numbers = {name: known_or_nan(row[name]) for name in _NUMBERS}
    words = {name: "" if pd.isna(row[name]) else str(row[name]) for name in _WORDS}
    fields: dict[str, Any] = {**numbers, **words}
    return Effect(
        **fields,
        term=_term(row),
        reason=unpacked(row["reason"], row["reason_fields"]),
        remarks=unpacked_remarks(row["remarks"]),
    )


def _term(row: dict[str, Any]) -> Term:
    names = ("cohort", "year", "event_time", "last_event_time")
    places = [None if pd.isna(row[name]) else int(row[name]) for name in names]
    return Term(str(row["term"]), *places)
