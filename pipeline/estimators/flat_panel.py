"""The firm-years of flat estimators: those of a design's event window, or all of the panel."""

from dataclasses import replace

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.effects.answers import Task
from pipeline.effects.panel_firms import panel_clusters, panel_firms
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.end_bins import EndBins
from pipeline.estimators.twoway import FlatSample, flat_sample
from pipeline.panel.panel_index import NO_ROW, n_groups
from pipeline.panel.scale import on_scale


def flat_of(task: Task) -> tuple[FlatSample, dict[str, int]]:
    """Return the firm-years that a spec runs on, and the firms left out, as columns of FITS.

    Raises IdentificationError where every firm-year is left out.
    """
    study, spec = task.study, task.spec
    if spec.firms != "panel":
        return flat_sample(task.sample, study.panel), {}
    described = study.outcomes[task.outcome]
    flat = every_firm_year(study, on_scale(study.panel[described.column], described))
    flat = replace(flat, ends=ends_of(study, spec.end_bins == "averaged"))
    exactly = spec.estimator == "sun_abraham"  # whose effects are against that year alone
    based = has_base(flat, study.treatment.reference_event_time, exactly=exactly)
    if not (based & flat.treated_post).any():
        raise IdentificationError(Reason("nobody_observed_after_entry"))
    return flat.where(based), {"n_without_year_before": n_groups(flat.firm[~based])}


def ends_of(study: Study, averaged: bool) -> EndBins:
    """Return the event times at which the window bins."""
    window = study.treatment.window
    return EndBins(window.first_event_time, window.last_event_time, averaged)


def every_firm_year(study: Study, values: Floats) -> FlatSample:
    """Return every firm-year of PANEL with an outcome, `values` by row, each of weight one.

    A firm that never enters stops comparing when one of its cluster enters, or is about to, where
    the pool of the unmatched design leaves out firms in treated clusters.
    """
    firms, index = panel_firms(study), study.index
    firm, column = np.nonzero(index.row != NO_ROW)
    row, year = index.row[firm, column], index.first_year + column
    anticipation = study.treatment.anticipation_years
    never = np.isinf(firms.cohort)
    exposed = never[firm] & (year >= firms.exposed_from[firm] - anticipation)
    used = np.isfinite(values[row]) & ~exposed
    firm, row, year = firm[used], row[used], year[used].astype(np.int64)
    cohort = firms.cohort[firm]
    treated_post = year >= cohort
    clusters = panel_clusters(study, firms)
    codes = dict(clusters.codes)
    return FlatSample(
        firm=firm,
        year=year,
        y=values[row],
        weight=np.ones(len(row)),
        cohort=cohort,
        treated_post=treated_post,
        anticipated=(year > cohort - 1 - anticipation) & ~treated_post,
        ever_treated=np.isfinite(cohort),
        panel_row=row,
        assignment=codes.pop("assignment"),
        levels=codes,
        names=clusters.names,
    )


def has_base(flat: FlatSample, reference: int, *, exactly: bool = False) -> Flags:
    """Mark the firm-years of never-treated firms, and of entry years with a year to start from.

    That is one at the reference event time or before it, or `exactly` at it. Others, as of firms
    that enter before the panel begins, have no change to show and would only compare.
    """
    event_time = flat.year - flat.cohort
    starts = event_time == reference if exactly else event_time <= reference
    known = np.unique(flat.cohort[starts & flat.ever_treated])
    return np.asarray(~flat.ever_treated | np.isin(flat.cohort, known))
