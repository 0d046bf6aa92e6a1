"""Effects before entry: which of them can speak of trends, of whom, and what came of their test."""

import math
from dataclasses import dataclass
from typing import Literal

from pipeline.exhibits.effect import Effect, PreTrendTest, by_event_time, told_years
from pipeline.exhibits.inputs import StudyResults, find_effects, pre_trend_result
from pipeline.exhibits.ran import Ran, ran_on

# Why nothing can be seen, as reasons of the test say it.
_NOTHING_TO_TEST = frozenset(
    {"no_pre_year", "earlier_years_in_one_bin", "all_matched_on", "all_adjusted_for"}
)


@dataclass(frozen=True)
class LeadsSeen:
    """Hold the joint test of effects before entry, and those of them that can speak of trends.

    These have an estimate with an error, and are at event times on which the design did not match,
    and for which the spec does not adjust.
    """

    test: PreTrendTest
    leads: dict[int, Effect]

    @property
    def seen(self) -> Literal["tested", "hidden", "untested", "nothing"]:
        """Say whether there is a test, one that is not published, leads only, or nothing."""
        if not math.isnan(self.test.p_value):
            return "tested"
        if self.test.hidden:
            return "hidden"
        reason = self.test.reason
        nothing = reason is not None and reason.code in _NOTHING_TO_TEST
        return "untested" if self.leads and not nothing else "nothing"

    @property
    def entry_years(self) -> tuple[int, ...]:
        """Return the only entry years that have any of these effects; none where all have one."""
        years = [effect.entry_years for effect in self.leads.values()]
        return tuple(sorted({year for some in years for year in some})) if all(years) else ()

    @property
    def told_years(self) -> str:
        """Return `entry years 2010 only`; empty where every entry year has an effect."""
        return told_years([self.entry_years] if self.entry_years else [])


def pre_trends(results: StudyResults, outcome: str, design: str, spec: str) -> LeadsSeen:
    """Return what effects before entry show of one outcome, under a design and a spec."""
    row = ran_on(results, spec, [design], [outcome])[0]
    effects = by_event_time(find_effects(results, outcome, design, spec))
    alike = {*row.listed("matched_event_times"), *row.listed("adjusted_event_times")}
    leads = {
        time: effect
        for time, effect in effects.items()
        if is_before(row, time) and effect.estimated and time not in alike
    }
    return LeadsSeen(pre_trend_result(results, outcome, design, spec), leads)


def headline_pre_trends(results: StudyResults, outcome: str) -> LeadsSeen:
    """Return what they show of one outcome under the headline's design and spec."""
    headline = results.settings.estimate.headline
    return pre_trends(results, outcome, headline.design, headline.spec)


def has_hidden_lead(results: StudyResults, outcome: str) -> bool:
    """Say whether one of the headline's effects before entry is known and not published."""
    headline = results.settings.estimate.headline
    row = ran_on(results, headline.spec, [headline.design], [outcome])[0]
    effects = by_event_time(find_effects(results, outcome, headline.design, headline.spec))
    return any(is_before(row, time) and effect.hidden for time, effect in effects.items())


def is_varying(row: Ran) -> bool:
    """Say whether effects before entry are measured from the year before each."""
    return row.code("event_base") == "varying"


def is_before(row: Ran, event_time: int) -> bool:
    """Say whether an event time is one of those that are tested before entry."""
    base = row.number("base_event_time")
    return event_time < base or (event_time == base and is_varying(row))
