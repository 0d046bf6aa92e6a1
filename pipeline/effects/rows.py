"""Rows of ESTIMATES and TESTS from fits: names, intervals, notes, reasons."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.effects.cluster_cautions import cluster_caution
from pipeline.effects.counts import LONE_IN_COHORT, Counts, entry_years_note
from pipeline.effects.least_squares import Fit
from pipeline.effects.sample import StackedSample
from pipeline.estimators.stacked import after_entry, event_times
from pipeline.inference.covariance import n_groups, std_errors_of, t_intervals, wald_test
from pipeline.panel.panel_index import Codes

Row = dict[str, Any]

NO_PRE_YEAR = (
    "no pre-trend can be seen: no year before the reference year is observed in the window"
)
ALL_MATCHED_ON = "no pre-trend can be seen: every year before the reference year was matched on"
FOR_COMPARABILITY = (
    "for comparability: firms treated earlier serve as comparisons for firms treated later"
)
REFERENCE = "reference period"
STACKED_ONLY = "effects in proportion to the level are estimated by the stacked estimator only"


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

    A standard error is missing, with the reason, where too few clusters stand behind it (at an
    event time: behind the entry years seen at it) or where it is zero: an exact fit says nothing
    on how far the estimate is from the truth. Averages, which have no event time, say where
    clusters are too few.
    """
    behind = [counts if time is None else counts.at([time]) for _, time, _ in terms]
    reasons = _why_none(label, behind, std_errors)
    std_errors = np.where([reason is None for reason in reasons], std_errors, np.nan)
    df = counts.n_clusters - 1
    shown = t_intervals(estimates, std_errors, df, label.conf_level)
    caution = joined_notes(few_clusters_note(label, counts), counts.adjustment)
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
                note, reasons[i], caution if event_time is None else None, behind[i].left_out
            ),
            **counts.columns,
        )
        for i, (term, event_time, note) in enumerate(terms)
    ]


def _why_none(label: Label, behind: list[Counts], std_errors: np.ndarray) -> list[str | None]:
    """Say of each standard error why there is none; None where it stands."""
    two_way = label.cluster == "set_and_assignment"
    pairs = zip(behind, std_errors, strict=True)
    return [counts.why_none(float(error), two_way) for counts, error in pairs]


def few_clusters_note(label: Label, counts: Counts) -> str | None:
    """Return what an average effect must say of the number of clusters behind it."""
    return cluster_caution(label.cluster, counts.n_clusters, counts.n_treated_clusters)


def average_rows(label: Label, counts: Counts, fit: Fit, note: str | None) -> list[Row]:
    """Return the row of the average effect, term `att`."""
    if not fit.estimable[0]:
        return [missing_row(label, "att", "collinear with the absorbed effects")]
    error = std_errors_of(fit.covariance[:1, :1])
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
    errors = std_errors_of(fit.covariance)[used]
    rows = [
        row | _firms_at(sample, fit, times[i])
        for i, row in zip(
            used, fitted_rows(label, counts, terms, fit.estimates[used], errors), strict=True
        )
    ]
    reference = sample.stacks.reference
    rows.append(
        effect_row(label, f"event[{reference}]", event_time=reference, estimate=0.0, note=REFERENCE)
        | counts.columns
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


def tested_leads(fit: Fit, counts: Counts, reference: int, matched: frozenset[int]) -> Codes:
    """Return the positions of estimable leads that the design did not match on.

    Event times that a design matched on are alike by construction. Those at which every entry year
    has its treated firms in one cluster have no standard error of their own, unless none has.
    """
    times = np.array(event_times(fit.names))
    earlier = np.flatnonzero((times < reference) & fit.estimable)
    alone = _alone(counts, [int(times[i]) for i in earlier])
    tested = [times[i] not in matched and times[i] not in alone for i in earlier]
    return earlier[tested] if len(earlier) else earlier


def _alone(counts: Counts, times: list[int]) -> frozenset[int]:
    """Return the event times whose clusters give no standard error although others' do."""
    if counts.too_few is not None:
        return frozenset()
    return frozenset(time for time in times if counts.at([time]).too_few is not None)


def pre_trend_row(
    label: Label, counts: Counts, fit: Fit, reference: int, matched: frozenset[int]
) -> Row:
    """Return the joint test that the coefficients before the reference year are all zero."""
    times = np.array(event_times(fit.names))
    earlier = np.flatnonzero((times < reference) & fit.estimable)
    before = tested_leads(fit, counts, reference, matched)
    free = [int(times[i]) for i in earlier if times[i] not in matched]
    if not free:
        return test_row(label, "pre_trends", note=ALL_MATCHED_ON if len(earlier) else NO_PRE_YEAR)
    alone = [time for time in free if time in _alone(counts, free)]
    if not len(before):
        tested = f"event times {', '.join(map(str, alone))}"
        return test_row(label, "pre_trends", note=f"{tested}: {LONE_IN_COHORT}")
    covariance = fit.covariance[np.ix_(before, before)]
    tested = f"event times {', '.join(str(times[i]) for i in before)}"
    if len(free) < len(earlier):
        left_out = ", ".join(str(times[i]) for i in earlier if times[i] in matched)
        tested += f"; matched on and left out: {left_out}"
    if alone:
        tested += f"; without a standard error and left out: {', '.join(map(str, alone))}"
    return joint_test_row(label, counts, tested, fit.estimates[before], covariance)


def joint_test_row(
    label: Label, counts: Counts, tested: str, estimates: np.ndarray, covariance: np.ndarray
) -> Row:
    """Return the Wald test that estimates before entry are all zero, or why there is none.

    `tested` says in words what is.
    """
    errors = std_errors_of(covariance)
    reason = next((why for e in errors if (why := counts.why_none(float(e)))), None)
    if reason is not None:
        return test_row(label, "pre_trends", note=f"{tested}: {reason}")
    test = wald_test(estimates, covariance, counts.n_clusters - 1)
    if np.isnan(test.statistic):
        tested += f": no joint test with {counts.n_clusters} clusters and {test.df} coefficients"
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
    behind = counts.at(times[inside].tolist())
    return _equal_mean_rows(label, behind, fit, inside, term)[0]


def _equal_mean_rows(
    label: Label, counts: Counts, fit: Fit, positions: Codes, term: str
) -> list[Row]:
    times = event_times(fit.names)
    estimate = fit.estimates[positions].mean()
    variance = fit.covariance[np.ix_(positions, positions)].sum()
    error = std_errors_of(np.array([[variance]])) / len(positions)
    note = f"equal-weight mean over event times {', '.join(str(times[i]) for i in positions)}"
    return fitted_rows(
        label,
        counts,
        [(term, None, note)],
        np.array([estimate]),
        error,
    )


def _stacks_note(sample: StackedSample, event_time: int) -> str | None:
    contributing = np.unique(sample.stack[sample.event_time == event_time])
    return entry_years_note(contributing.tolist(), len(np.unique(sample.stack)))


def _reason(sample: StackedSample, event_time: int, observed: bool) -> str:
    if observed:
        return "collinear with the absorbed effects"
    column = event_time - int(sample.stacks.event_times[0])
    if not sample.stacks.covered[:, column].any():
        return "no entry year has this event time inside the years of the panel"
    return "no entry year has both treated and comparison firms observed at this event time"


def simultaneous_rows(rows: list[Row], critical: float) -> list[Row]:
    """Return the rows with the band that one critical value for all of them gives."""
    note = f"critical value {critical:.2f} over {len(rows)} estimates"
    return [
        row
        | {
            "band": "simultaneous",
            "p_value": np.nan,
            "conf_low": row["estimate"] - critical * row["std_error"],
            "conf_high": row["estimate"] + critical * row["std_error"],
            "note": joined_notes(row["note"], note),
        }
        for row in rows
    ]


def joined_notes(*parts: str | None) -> str | None:
    """Join the parts that say something; None where none does."""
    return "; ".join(part for part in parts if part) or None


def effect_row(label: Label, term: str, **values: Any) -> Row:
    """Return a row of ESTIMATES for all firms, analytic and pointwise unless `values` differ."""
    rest = {"sample": "all", "subgroup": "all", "inference": "analytic", "band": "pointwise"}
    return vars(label) | rest | {"term": term} | values
