"""Flat weighted two-way fixed effects, shown for comparability only.

It pools all entry years in one panel with firm and year effects, so firms treated earlier serve
as comparisons for firms treated later. Goodman-Bacon (2021),
doi:10.1016/j.jeconom.2021.03.014.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.answers import Answer
from pipeline.effects.estimated import Estimated, Seen, as_known, joined
from pipeline.effects.event_averages import mean_from_entry
from pipeline.effects.least_squares import as_estimated
from pipeline.effects.sample import StackedSample
from pipeline.effects.terms import ATT, EVENT_AVERAGE, Term, event
from pipeline.errors import Reason
from pipeline.estimators.end_bins import EndBins
from pipeline.estimators.twoway_by_arrays import solve_by_arrays
from pipeline.estimators.twoway_by_linearmodels import solve_by_linearmodels
from pipeline.panel.panel_index import NO_ROW
from pipeline.params.estimate import TwowaySpec

FOR_COMPARABILITY = Reason("for_comparability")
ONE_FOR_ALL = Reason("one_effect_for_all_entry_years")


@dataclass(frozen=True)
class FlatSample:
    """Hold one row per firm-year, shape (n,).

    A firm in several stacks has its summed `weight`; without matching it is one. `cohort` is
    PANEL's, infinite for never-treated; `treated_post` marks treated firm-years by it,
    `anticipated` those between the reference year and entry. `panel_row` is the position in PANEL.
    `assignment` (F,) is the cluster by firm code in which support was given out, `levels` hold
    further ones, `names` what they are called, as in `Seen`. `ends` bins event times where rows are
    every firm-year of the panel, None where they are those of the event window.
    """

    firm: Codes
    year: NDArray[np.int64]
    y: Floats
    weight: Floats
    cohort: Floats
    treated_post: Flags
    anticipated: Flags
    ever_treated: Flags
    panel_row: Codes
    assignment: Codes
    levels: Mapping[str, Codes] = field(default_factory=dict)
    names: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    ends: EndBins | None = None

    @property
    def seen(self) -> Seen:
        """Return the rows as results hold them, entry years pooled."""
        return Seen(
            firm=self.firm,
            treated=self.ever_treated,
            assignment=self.assignment,
            levels=self.levels,
            names=self.names,
        )

    @property
    def seen_by_entry(self) -> Seen:
        """Return the rows as results hold them, each entry year with effects of its own."""
        entry = np.where(self.ever_treated, self.cohort, 0).astype(np.int64)
        event_time = np.where(self.ever_treated, self.event_time, self.year)
        return replace(self.seen, entry=entry, event_time=event_time)

    @property
    def event_time(self) -> NDArray[np.int64]:
        """Return years since entry, binned at the ends; of never-treated firms that of year 0."""
        entry = np.where(np.isfinite(self.cohort), self.cohort, 0).astype(np.int64)
        since = self.year - entry
        return since if self.ends is None else self.ends.binned(since)

    @property
    def averaged(self) -> Flags:
        """Mark the treated firm-years of event times that averages take."""
        if self.ends is None or self.ends.averaged:
            return self.treated_post
        return self.treated_post & (self.event_time < self.ends.last)

    def where(self, kept: Flags) -> "FlatSample":
        """Return the kept rows only."""
        whole = ("assignment", "levels", "names", "ends")
        by_row = [name for name in vars(self) if name not in whole]
        return replace(self, **{name: getattr(self, name)[kept] for name in by_row})


def flat_sample(sample: StackedSample, panel: pd.DataFrame) -> FlatSample:
    """Collapse a stacked sample to firm-years, adding weights over stacks.

    Without matching every firm-year has weight one: stacks scale comparison firms to the treated of
    one entry year, which means nothing to a regression that pools them.
    """
    every = np.asarray(sample.panel_row)
    of_row = np.full(len(panel), NO_ROW)
    of_row[every] = np.arange(len(every))  # any of a firm-year's rows: they agree
    panel_row = np.flatnonzero(of_row != NO_ROW)
    first = of_row[panel_row]
    unit = sample.unit[first]
    year = sample.stacks.stack[unit] + sample.event_time[first]
    cohort = panel["cohort"].to_numpy(dtype=np.float64, na_value=np.inf)[panel_row]
    treated_post = year >= cohort
    weight = np.bincount(every, sample.weight, len(panel)).astype(np.float64)[panel_row]
    if sample.stacks.design == "unmatched":
        weight = np.ones(len(panel_row))
    return FlatSample(
        firm=sample.stacks.firm[unit],
        year=year,
        y=sample.y[first],
        weight=weight,
        cohort=cohort,
        treated_post=treated_post,
        anticipated=(year > cohort + sample.stacks.reference) & ~treated_post,
        ever_treated=np.bincount(every, sample.treated, len(panel))[panel_row] > 0,
        panel_row=panel_row,
        assignment=sample.stacks.assignment,
        levels=sample.stacks.levels,
        names=sample.stacks.names,
    )


def estimate_twoway(spec: TwowaySpec, flat: FlatSample, reference: int) -> Answer:
    """Return the figure, and of every firm-year of the panel the event study where asked for."""
    results = [_average(flat)] if "att" in spec.terms else []
    return Answer([*results, *([fit_event_study(flat, reference)] if spec.bins else [])])


def _average(flat: FlatSample) -> Estimated:
    """Return the figure; years of anticipation, which have a term of their own, are not shown."""
    found = fit_twoway(flat)
    reasons = {term: why for term, why in found.reasons.items() if term == ATT}
    return replace(found.where([ATT]), reasons=reasons, remarks={ATT: (FOR_COMPARABILITY,)})


def twoway_regressors(flat: FlatSample) -> Floats:
    """Return treated x post and, where firms anticipate, their years before entry, (n, 1 or 2)."""
    columns = [flat.treated_post] + [flat.anticipated] * bool(flat.anticipated.any())
    return np.column_stack(columns).astype(np.float64)


def fit_twoway(flat: FlatSample) -> Estimated:
    """Fit y on treated x post with firm and year effects, weighted; terms `att`, `anticipation`.

    By linearmodels where it can (`solve_by_linearmodels`), else by our own regression; the result
    says which. Raises IdentificationError where no row or no treated x post variation is left.
    """
    regressors = twoway_regressors(flat)
    return _fit(flat, regressors, (ATT, Term("anticipation"))[: regressors.shape[1]])


def fit_event_study(flat: FlatSample, reference: int) -> Estimated:
    """Fit y on dummies of event times, binned at the ends, with firm and year effects.

    y_it = a_i + l_t + sum_e b_e 1(e_it = e), e_it being clipped to the ends, without the
    `reference`: Schmidheiny & Siegloch (2023), equations 3 and 4. Terms are `event`, those at the
    ends open-ended, and `event_average`. Raises IdentificationError as `fit_twoway` does.
    """
    assert flat.ends is not None, "of every firm-year of the panel"
    own = flat.event_time[flat.ever_treated]
    times = [time for time in np.unique(own).tolist() if time != reference]
    dummies = [flat.ever_treated & (flat.event_time == time) for time in times]
    terms = [event(time) for time in times]
    found = _fit(flat, np.column_stack(dummies).astype(np.float64), terms)
    averaged = flat.ends.averaged_part(found)
    average = mean_from_entry(averaged, EVENT_AVERAGE, averaged.reasons)
    remarks = {term: (ONE_FOR_ALL,) for term in found.terms}
    shown = replace(found, remarks=remarks, zeros={event(reference): Reason("reference_period")})
    said = replace(average, remarks={EVENT_AVERAGE: (FOR_COMPARABILITY,)})
    return joined([flat.ends.named(shown), flat.ends.told(said)])


def _fit(flat: FlatSample, regressors: Floats, terms: Sequence[Term]) -> Estimated:
    """Fit y on regressors (n, k) with firm and year effects, weighted."""
    year = np.asarray(flat.year - int(flat.year.min()), dtype=np.intp)
    given = (flat.y, regressors, flat.firm, year, flat.weight)
    solved = solve_by_linearmodels(*given) or solve_by_arrays(*given)
    return as_estimated(solved, terms, flat.seen)


def true_twoway(flat: FlatSample, effect: Floats) -> float:
    """Return the weighted mean of a true effect (n,) over treated firm-years.

    That is what two-way fixed effects is usually read as; its own weights may be negative.
    """
    weight = flat.weight * flat.averaged
    return float((weight * np.where(flat.averaged, effect, 0.0)).sum() / weight.sum())


def true_event_mean(flat: FlatSample, effect: Floats) -> float:
    """Return the equal-weight mean over event times of the weighted mean of a true effect (n,)."""
    since = np.where(flat.averaged, flat.event_time, -1)
    times = np.unique(since[flat.averaged])
    means = {
        event(int(e)): float(np.average(effect[since == e], weights=flat.weight[since == e]))
        for e in times
    }
    return mean_from_entry(as_known(means, flat.seen), ATT).estimate(ATT)
