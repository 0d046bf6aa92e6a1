"""Entry into arms re-assigned among clusters: what each participant entered, dealt out together.

What a firm enters and when, all arms at once, is an event. A cluster's pattern are the events of
its participants; patterns are dealt out as in `entry_assignments`. Participants who could not be in
a risk set keep what they entered.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.inference.entry_assignments import Eligible, Lottery, lottery_of
from pipeline.panel.panel_index import NO_ROW
from pipeline.selection.drawn_arms import DrawnArms

_NO_EVENT = -1


@dataclass(frozen=True)
class ArmEvents:
    """Hold what firms of the population entered: `event` (F,) codes, -1 for nothing.

    `year` (events,) is the first year of each, `cohort` (events,) that of entry in any way, missing
    where only an arm has one; `arms` lists arm and cohort of each event.
    """

    event: Codes
    year: Floats
    cohort: Floats
    arms: pd.DataFrame


@dataclass(frozen=True)
class ArmLottery:
    """Deal out what participants entered; `kept` (F,) marks those who keep it."""

    made_of: DrawnArms
    events: ArmEvents
    lottery: Lottery
    kept: Flags

    def under(self, drawn: Floats) -> tuple[Floats, pd.DataFrame]:
        """Return cohorts (F,) and ARM_ENTRIES where firms have these events, missing for none."""
        own = self.events.event
        event = np.where(np.isnan(drawn), _NO_EVENT, drawn).astype(np.intp)
        event = np.where(self.kept, own, event)
        entered = event != _NO_EVENT
        cohort = np.full(len(event), np.nan)
        cohort[entered] = self.events.cohort[event[entered]]
        firms = pd.DataFrame(
            {"event": event[entered], "firm_id": self.made_of.index.firms.array[entered]}
        )
        entries = firms.merge(self.events.arms, on="event")[["arm", "firm_id", "cohort"]]
        return cohort, entries.astype({"cohort": "Int64"})


def arm_lottery(made_of: DrawnArms) -> ArmLottery:
    """Return the lottery behind the entries of a study with arms.

    Raises IdentificationError where every cluster has participants.
    """
    events = arm_events(made_of)
    active = _Active(made_of, events)
    codes = range(len(events.year))
    eligible = {event: active.eligible(event) for event in codes}
    counts = {event: active.counts(event) for event in codes}
    drawn = lottery_of(counts, eligible, active.n_clusters, len(events.event))
    return ArmLottery(made_of, events, drawn, active.kept)


def arm_events(made_of: DrawnArms) -> ArmEvents:
    """Return what each firm of the population entered, all arms at once."""
    index, entries = made_of.index, made_of.entries
    cohort = made_of.population["cohort"].to_numpy(np.float64, na_value=np.nan)
    own = np.full(len(index.firms), np.nan)
    own[index.codes(made_of.population["firm_id"])] = cohort
    firm = index.codes(entries["firm_id"])
    known = entries.assign(firm=firm)[firm != NO_ROW].sort_values(["firm", "arm"])
    words = known["arm"] + " " + known["cohort"].astype("str") + "; "
    said = words.groupby(known["firm"]).sum().reindex(range(len(own)), fill_value="")
    keys = pd.MultiIndex.from_arrays([np.nan_to_num(own, nan=-1.0), said])
    takes_part = np.isfinite(own) | (said != "").to_numpy()
    event = np.full(len(own), _NO_EVENT, dtype=np.intp)
    code, _ = pd.factorize(keys[takes_part], sort=True)
    event[takes_part] = code
    first = np.unique(code, return_index=True)[1]
    example = np.flatnonzero(takes_part)[first]
    arms = known.assign(event=event[known["firm"]])
    arms = arms[arms["firm"].isin(example)][["event", "arm", "cohort"]]
    earliest = arms.groupby("event")["cohort"].min().reindex(range(len(example)))
    year = np.fmin(own[example], earliest.to_numpy(np.float64, na_value=np.nan))
    return ArmEvents(event, year, own[example], arms)


@dataclass(frozen=True)
class _Active:
    """Find the firms that are there in the base and entry year of an event, by cluster."""

    made_of: DrawnArms
    events: ArmEvents

    @cached_property
    def _cluster(self) -> tuple[Codes, int]:
        code, names = pd.factorize(self.made_of.population["cluster"], sort=True)
        return np.asarray(code, dtype=np.intp), len(names)

    @property
    def n_clusters(self) -> int:
        """Return the number of clusters."""
        return self._cluster[1]

    def _base_row(self, event: int) -> Codes:
        """Return the row of each firm's base year, NO_ROW unless it is there at entry too."""
        year, index = int(self.events.year[event]), self.made_of.index
        base = index.in_year(year + self.made_of.treatment.reference_event_time)
        return np.where(index.in_year(year) != NO_ROW, base, NO_ROW)

    @cached_property
    def kept(self) -> Flags:
        """Mark participants who are not there in the base and entry year of what they entered."""
        event, kept = self.events.event, np.zeros(len(self.events.event), dtype=np.bool_)
        for code in range(len(self.events.year)):
            own = event == code
            kept[own] = self._base_row(code)[own] == NO_ROW
        return kept

    def eligible(self, event: int) -> Eligible:
        """Return who could have entered so, sorted by cluster, then identifier."""
        row = self._base_row(event)
        firm = np.flatnonzero((row != NO_ROW) & ~self.kept)
        cluster = self._cluster[0][row[firm]]
        order = np.lexsort((self._rank[firm], cluster))
        first = np.searchsorted(cluster[order], np.arange(self.n_clusters + 1))
        return Eligible(firm[order], first)

    def counts(self, event: int) -> Codes:
        """Return how many firms of each cluster did enter so."""
        own = np.flatnonzero((self.events.event == event) & ~self.kept)
        cluster = self._cluster[0][self._base_row(event)[own]]
        return np.bincount(cluster, minlength=self.n_clusters)

    @cached_property
    def _rank(self) -> Codes:
        """Return the rank of each firm's identifier."""
        order = np.asarray(self.made_of.index.firms.argsort(), dtype=np.intp)
        rank = np.empty(len(order), dtype=np.intp)
        rank[order] = np.arange(len(order))
        return rank
