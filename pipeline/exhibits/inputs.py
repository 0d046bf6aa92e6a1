"""What exhibits are made from: a study's results tables and the settings that produced them."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.datasets.reasons import unpacked, unpacked_remarks
from pipeline.datasets.results import TERM
from pipeline.effects.terms import ATT, Term
from pipeline.errors import Reason
from pipeline.exhibits.details import Details
from pipeline.exhibits.words.language import tell
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.exhibit import ExhibitSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import Outcome, OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection

if TYPE_CHECKING:  # what is published is made without it
    from pipeline.publishing.disclosure.dominance import Dominance


# Reasons of what is estimated but not published.
NOT_PUBLISHED = frozenset(
    {"few_firms_in_group", "one_firm_dominates", "tells_group_size", "tells_hidden_effect"}
)

# Reasons of an effect that is zero by construction: it needs no standard error.
_BY_CONSTRUCTION = frozenset({"reference_period", "alive_by_construction"})


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

    `scores` holds firms; exhibits take bin counts from it and nothing else. `recovery` exists
    where the truth is known: outcome, design, estimator, term, truth, estimate, std_error.
    `dominance` is what the disclosure rule needs of firms, and is never published.
    `details` are the tables behind feet and notes.
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
    scores: pd.DataFrame
    coefficients: pd.DataFrame
    recovery: pd.DataFrame | None = None
    support: pd.DataFrame | None = None
    profile: pd.DataFrame | None = None
    dominance: "Dominance | None" = None

    @cached_property
    def effects(self) -> "dict[tuple[str, ...], dict[Term, Effect]]":
        """Hold effects on all firms, by outcome, design, spec and band, then term.

        Of each the analytic row, which is by Abadie and Imbens for one difference per firm.
        """
        table = self.estimates
        everyone = (table["sample"] == "all") & (table["subgroup"] == "all")
        everyone &= table["grouping"] == "all"
        found: dict[tuple[str, ...], dict[Term, Effect]] = {}
        analytic = table["inference"].isin(["analytic", "abadie_imbens"])
        for row in table[everyone & analytic].to_dict("records"):
            named = {str(key): value for key, value in row.items()}
            key = tuple(str(named[name]) for name in ("outcome", "design", "estimator", "band"))
            effect = as_effect(named)
            found.setdefault(key, {})[effect.term] = effect
        return found


@dataclass(frozen=True)
class Effect:
    """Hold one row of ESTIMATES; what is missing is NaN, or empty text.

    `reason` says why there is no estimate or no standard error, `remarks` what must be known of
    what there is.
    """

    term: Term
    reason: Reason | None
    remarks: tuple[Reason, ...]
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

    @property
    def estimated(self) -> bool:
        """Say whether there is an estimate with a standard error."""
        return not math.isnan(self.estimate) and not math.isnan(self.std_error)

    @property
    def hidden(self) -> bool:
        """Say whether the estimate is not published."""
        return self.reason is not None and self.reason.code in NOT_PUBLISHED


@dataclass(frozen=True)
class PreTrendTest:
    """Hold the joint test of effects before the reference year: p-value, or why there is none."""

    p_value: float
    reason: Reason | None

    @property
    def hidden(self) -> bool:
        """Say whether there is a test that is not published."""
        return self.reason is not None and self.reason.code in NOT_PUBLISHED


_NUMBERS = [name for name, kind in Effect.__annotations__.items() if kind is float]
_WORDS = [name for name, kind in Effect.__annotations__.items() if kind is str]


def find_effects(
    results: StudyResults, outcome: str, design: str, spec: str, band: str = "pointwise"
) -> dict[Term, Effect]:
    """Return the effects of one outcome, design and spec by term, for all firms, analytic."""
    return results.effects.get((outcome, design, spec, band), {})


def pre_trend_test(results: StudyResults, outcome: str, design: str, spec: str) -> PreTrendTest:
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
    row = rows[0]
    return PreTrendTest(_number(row["p_value"]), unpacked(row["reason"], row["reason_fields"]))


def by_event_time(effects: dict[Term, Effect]) -> dict[int, Effect]:
    """Return the effects that speak of one event time, by event time."""
    return {
        term.event_time: effect
        for term, effect in effects.items()
        if term.family == "event" and term.event_time is not None
    }


def partial_event_times(effects: dict[int, Effect]) -> dict[int, Reason]:
    """Return the event times at which not all entry years are seen, with what says so."""
    return {
        time: remark
        for time, effect in effects.items()
        for remark in effect.remarks
        if remark.code == "entry_years_only"
    }


def lead_remarks(effects: dict[int, Effect], results: StudyResults) -> tuple[Reason, ...]:
    """Return which entry years the leads speak of, where not all have them."""
    reference = results.settings.treatment.reference_event_time
    partial = partial_event_times(effects)
    found = {tell(said): said for time, said in sorted(partial.items()) if time < reference}
    return tuple(found[words] for words in sorted(found))


def find_effect(results: StudyResults, outcome: str, design: str, spec: str) -> Effect | None:
    """Return the average effect on the treated of one outcome, design and spec, if it has a row."""
    return find_effects(results, outcome, design, spec).get(ATT)


def missing_reason(effect: Effect) -> str:
    """Return why there is no estimate or no standard error, told; empty where there are both."""
    reason = effect.reason
    if reason is None or effect.estimated or reason.code in _BY_CONSTRUCTION:
        return ""
    return tell(reason)


def as_effect(row: dict[str, Any]) -> Effect:
    """Return a row of ESTIMATES as an effect."""
    numbers = {name: _number(row[name]) for name in _NUMBERS}
    words = {name: "" if pd.isna(row[name]) else str(row[name]) for name in _WORDS}
    fields: dict[str, Any] = {**numbers, **words}
    places = (_place(row[name]) for name in TERM[1:])
    return Effect(
        term=Term(str(row["term"]), *places),
        reason=unpacked(row["reason"], row["reason_fields"]),
        remarks=unpacked_remarks(row["remarks"]),
        **fields,
    )


def _place(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _number(value: Any) -> float:
    return math.nan if pd.isna(value) else float(value)
