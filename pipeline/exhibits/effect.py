"""One effect or test as readers see it: its figures, its decimals, and why it is missing."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pipeline.datasets.reasons import unpacked, unpacked_remarks
from pipeline.effects.terms import Term
from pipeline.errors import Reason
from pipeline.exhibits.details import known_or_nan
from pipeline.exhibits.render import rounding
from pipeline.exhibits.units import decimals_shown, shown_error, shown_value
from pipeline.exhibits.words.language import say, tell, tell_all

# Reasons of what is known and not published; of what is zero by construction; and the remark that
# names the entry years behind an effect where they are not all.
NOT_PUBLISHED = frozenset(
    {
        "few_firms_in_group",
        "one_firm_dominates",
        "tells_group_size",
        "tells_hidden_effect",
        "tells_hidden_mean",
    }
)
_BY_CONSTRUCTION = frozenset({"reference_period", "alive_by_construction"})
_ENTRY_YEARS = "entry_years_only"

# Families of effects of an event time and all beyond it: the code of their words, and a sign.
OPEN_ENDED = {
    "event_or_earlier": ("or_earlier", "\u2264"),
    "event_or_later": ("or_later", "\u2265"),
}


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


def by_event_time(effects: dict[Term, Effect]) -> dict[int, Effect]:
    """Return the effects that speak of one event time, by event time."""
    return {
        term.event_time: effect
        for term, effect in effects.items()
        if term.family == "event" and term.event_time is not None
    }


def with_open_ends(effects: dict[Term, Effect]) -> dict[int, Effect]:
    """Return the effects by event time, and at the ends those of all event times beyond."""
    families = ("event", *OPEN_ENDED)
    chosen = {t.event_time: e for t, e in effects.items() if t.family in families}
    return {time: effect for time, effect in chosen.items() if time is not None}


def signs_of_open_ends(effects: dict[int, Effect]) -> dict[int, str]:
    """Return the signs before event times whose effect is of all beyond them too."""
    families = {time: effect.term.family for time, effect in effects.items()}
    return {time: OPEN_ENDED[f][1] for time, f in families.items() if f in OPEN_ENDED}


def told_time(time: int, effects: Iterable[Effect | None]) -> str:
    """Return `-3`, or `-3 or earlier` where the effects at an event time are open-ended."""
    shown = rounding.fixed(time, 0)
    families = {effect.term.family for effect in effects if effect is not None}
    codes = [code for family, (code, _) in OPEN_ENDED.items() if family in families]
    return say(f"event_time.{codes[0]}", time=shown) if codes else shown


def partial_event_times(effects: dict[int, Effect]) -> dict[int, tuple[int, ...]]:
    """Return the event times at which not all entry years are seen, with those that are."""
    return {time: years for time, e in effects.items() if (years := e.entry_years)}


def told_years(years: Iterable[tuple[int, ...]]) -> str:
    """Return in words which entry years effects speak of."""
    return tell_all(Reason(_ENTRY_YEARS, {"years": listed}) for listed in years)


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
