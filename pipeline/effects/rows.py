"""Rows of ESTIMATES and TESTS from fits: names, intervals, notes, reasons."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.effects.cluster_cautions import LONE_CLUSTER, cluster_caution
from pipeline.effects.least_squares import Fit
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacked import after_entry, event_times
from pipeline.effects.stacks import Flags
from pipeline.inference import n_groups, t_intervals, wald_test
from pipeline.panel_index import Codes

Row = dict[str, Any]

NO_PRE_YEAR = (
    "no pre-trend can be seen: no year before the reference year is observed in the window"
)
ALL_MATCHED_ON = "no pre-trend can be seen: every year before the reference year was matched on"
FOR_COMPARABILITY = (
    "for comparability: firms treated earlier serve as comparisons for firms treated later"
)
REFERENCE = "reference period"


@dataclass(frozen=True)
class Label:
    """Say which estimate a row belongs to, and on which scale it is."""

    outcome: str
    design: str
    estimator: str
    estimand: str
    scale: str
    cluster: str
    conf_level: float


@dataclass(frozen=True)
class Counts:
    """Count distinct treated and comparison firms, firm-years, clusters, treated clusters."""

    n_treated: int
    n_control: int
    n_obs: int
    n_clusters: int
    n_treated_clusters: int


def count_sample(kept: Flags, treated: Flags, firm: Codes, *clusters: Codes) -> Counts:
    """Count what the kept rows hold; all arrays have one entry per row.

    Clustered in two directions, the smaller number of clusters counts; treated clusters are those
    of the first.
    """
    treated, firm = treated[kept], firm[kept]
    groups = [cluster[kept] for cluster in clusters]
    return Counts(
        n_treated=n_groups(firm[treated]),
        n_control=n_groups(firm[~treated]),
        n_obs=len(firm),
        n_clusters=min(n_groups(group) for group in groups),
        n_treated_clusters=n_groups(groups[0][treated]),
    )


def missing_row(label: Label, term: str, reason: str, event_time: int | None = None) -> Row:
    """Return a row without an estimate, with the reason in its note."""
    return effect_row(label, term, note=reason, event_time=event_time)


def summary_term(term: str) -> str:
    """Return the row that stands for a family of terms: it carries the reason for all of them."""
    families = {"event", "event_balanced", "cohort", "year"}
    return f"{term}_average" if term in families else term


def fitted_rows(
    label: Label,
    counts: Counts,
    terms: list[tuple[str, int | None, str | None]],
    estimates: np.ndarray,
    std_errors: np.ndarray,
) -> list[Row]:
    """Return one row per (term, event time, note), with t(G-1) tests and intervals.

    Averages, which have no event time, say where clusters are too few. Where all treated firms lie
    in one of several clusters, their residuals sum to nearly zero in it and the clustered standard
    error all but leaves them out: it is missing then.
    """
    df = counts.n_clusters - 1
    lone = counts.n_treated_clusters < 2 <= counts.n_clusters
    std_errors = np.full(len(std_errors), np.nan) if lone else std_errors
    shown = t_intervals(estimates, std_errors, df, label.conf_level)
    caution = cluster_caution(label.cluster, counts.n_clusters)
    return [
        effect_row(
            label,
            term,
            event_time=event_time,
            estimate=estimates[i],
            std_error=std_errors[i],
            statistic=shown.statistic[i],
            df=float(df),
            p_value=shown.p_value[i],
            conf_low=shown.low[i],
            conf_high=shown.high[i],
            note=joined_notes(
                note, LONE_CLUSTER if lone else None, caution if event_time is None else None
            ),
            **vars(counts),
        )
        for i, (term, event_time, note) in enumerate(terms)
    ]


def average_rows(label: Label, counts: Counts, fit: Fit, note: str | None) -> list[Row]:
    """Return the row of the average effect, term `att`."""
    if not fit.estimable[0]:
        return [missing_row(label, "att", "collinear with the absorbed effects")]
    error = np.sqrt(fit.covariance[:1, :1].ravel())
    return fitted_rows(label, counts, [("att", None, note)], fit.estimates[:1], error)


def event_rows(label: Label, counts: Counts, fit: Fit, sample: StackedSample) -> list[Row]:
    """Return a row for each event time of the window, and their average after entry.

    An event time's firms are those observed at it.
    """
    times = list(event_times(fit.names))
    used = np.flatnonzero(fit.estimable)
    terms: list[tuple[str, int | None, str | None]] = [
        (fit.names[i], times[i], _stacks_note(sample, times[i])) for i in used
    ]
    errors = np.sqrt(np.diag(fit.covariance))[used]
    rows = [
        row | _firms_at(sample, fit, times[i])
        for i, row in zip(
            used, fitted_rows(label, counts, terms, fit.estimates[used], errors), strict=True
        )
    ]
    reference = sample.stacks.reference
    rows.append(
        effect_row(label, f"event[{reference}]", event_time=reference, estimate=0.0, note=REFERENCE)
        | vars(counts)
    )
    estimated = {times[i] for i in used} | {reference}
    for event_time in (int(e) for e in sample.stacks.event_times if e not in estimated):
        reason = _reason(sample, event_time, event_time in times)
        rows.append(missing_row(label, f"event[{event_time}]", reason, event_time))
    return rows + event_average_rows(label, counts, fit, "event_average")


def _firms_at(sample: StackedSample, fit: Fit, event_time: int) -> dict[str, int]:
    here = fit.kept & (sample.event_time == event_time)
    firm = sample.stacks.firm[sample.unit]
    return {
        "n_treated": n_groups(firm[here & sample.treated]),
        "n_control": n_groups(firm[here & ~sample.treated]),
    }


def tested_leads(fit: Fit, reference: int, matched: frozenset[int]) -> Codes:
    """Return the positions of estimable leads that the design did not match on.

    Event times that a design matched on are alike by construction.
    """
    times = np.array(event_times(fit.names))
    earlier = np.flatnonzero((times < reference) & fit.estimable)
    return earlier[[times[i] not in matched for i in earlier]] if len(earlier) else earlier


def pre_trend_row(label: Label, fit: Fit, reference: int, matched: frozenset[int]) -> Row:
    """Return the joint test that the coefficients before the reference year are all zero."""
    times = np.array(event_times(fit.names))
    earlier = np.flatnonzero((times < reference) & fit.estimable)
    before = tested_leads(fit, reference, matched)
    if not len(before):
        return test_row(label, "pre_trends", note=ALL_MATCHED_ON if len(earlier) else NO_PRE_YEAR)
    test = wald_test(fit.estimates[before], fit.covariance[np.ix_(before, before)], fit.df)
    tested = f"event times {', '.join(str(times[i]) for i in before)}"
    if len(before) < len(earlier):
        left_out = ", ".join(str(times[i]) for i in earlier if times[i] in matched)
        tested += f"; matched on and left out: {left_out}"
    if np.isnan(test.statistic):
        tested += f": no joint test with {fit.n_clusters} clusters and {test.df} coefficients"
    return test_row(label, "pre_trends", note=tested, **vars(test))


def test_row(label: Label, test: str, **values: Any) -> Row:
    """Return a row of TESTS; what is not given is missing."""
    empty = dict.fromkeys(("statistic", "df", "df_denominator", "p_value"), np.nan)
    place = {name: vars(label)[name] for name in ("outcome", "design", "estimator")}
    return place | {"sample": "all", "test": test} | empty | values


def event_average_rows(label: Label, counts: Counts, fit: Fit, term: str) -> list[Row]:
    """Return the average over event times from entry on, equally weighted: V = a' V a."""
    after = after_entry(event_times(fit.names), fit.estimable)
    if not len(after):
        return [missing_row(label, term, "no event time from entry on is estimated")]
    return _equal_mean_rows(label, counts, fit, after, term)


def event_bin_row(label: Label, counts: Counts, fit: Fit, first: int, last: int) -> Row:
    """Return the equal-weight mean of the effects from event time `first` to `last`."""
    times = np.array(event_times(fit.names))
    inside = np.flatnonzero((times >= first) & (times <= last) & fit.estimable)
    term = f"event_bin[{first},{last}]"
    if not len(inside):
        return missing_row(label, term, f"no event time from {first} to {last} is estimated")
    return _equal_mean_rows(label, counts, fit, inside, term)[0]


def _equal_mean_rows(
    label: Label, counts: Counts, fit: Fit, positions: Codes, term: str
) -> list[Row]:
    times = event_times(fit.names)
    estimate = fit.estimates[positions].mean()
    error = np.sqrt(fit.covariance[np.ix_(positions, positions)].sum()) / len(positions)
    note = f"equal-weight mean over event times {', '.join(str(times[i]) for i in positions)}"
    return fitted_rows(
        label,
        counts,
        [(term, None, note)],
        np.array([estimate]),
        np.array([error]),
    )


def _stacks_note(sample: StackedSample, event_time: int) -> str | None:
    """Name the entry years behind an event time unless all contribute."""
    all_stacks = np.unique(sample.stack)
    contributing = np.unique(sample.stack[sample.event_time == event_time])
    if len(contributing) == len(all_stacks):
        return None
    return f"entry years {', '.join(str(year) for year in contributing)} only"


def _reason(sample: StackedSample, event_time: int, observed: bool) -> str:
    if observed:
        return "collinear with the absorbed effects"
    column = event_time - int(sample.stacks.event_times[0])
    if not sample.stacks.covered[:, column].any():
        return "no entry year has this event time inside the years of the panel"
    return "no entry year has both treated and comparison firms observed at this event time"


def joined_notes(*parts: str | None) -> str | None:
    """Join the parts that say something; None where none does."""
    return "; ".join(part for part in parts if part) or None


def effect_row(label: Label, term: str, **values: Any) -> Row:
    """Return a row of ESTIMATES for all firms, analytic and pointwise unless `values` differ."""
    rest = {"sample": "all", "subgroup": "all", "inference": "analytic", "band": "pointwise"}
    return vars(label) | rest | {"term": term} | values
