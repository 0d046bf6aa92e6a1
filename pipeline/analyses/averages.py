"""Average effects on samples that analyses make: the mean over event times from entry on."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from pipeline.datasets.arrays import Floats
from pipeline.effects.collected import Collected
from pipeline.effects.estimated import Estimated, combined
from pipeline.effects.event_averages import mean_from_entry
from pipeline.effects.rows import Label, Row
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, Term
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.ratios import (
    RatioSample,
    average_ratio,
    finite_events,
    fit_ratios,
    ratio_sample,
)
from pipeline.estimators.stacked import event_effects, fit_cells
from pipeline.estimators.stacked_regressors import Regressors, event_regressors
from pipeline.estimators.year_cells import year_cells
from pipeline.inference.analytic import infer
from pipeline.inference.stored import kept_rows

Weights = Callable[[Estimated, Regressors], Floats]


def average_effect(
    study: Study, sample: StackedSample, term: Term = ATT, weights: Weights | None = None
) -> Estimated:
    """Estimate the mean over event times from entry on by stacked least squares.

    `weights` gives the (k,) weights of entry years' effects otherwise. Raises IdentificationError
    where nothing can be estimated.
    """
    regressors = event_regressors(sample)
    cells = fit_cells(sample, regressors, year_cells(sample, study.panel, None))
    events = event_effects(cells, regressors)
    mean = _required(mean_from_entry(events, term))
    if weights is None:
        return mean
    return combined(cells, [term], weights(cells, regressors)[:, None])


def ratios_of(study: Study, sample: StackedSample) -> RatioSample:
    """Find the rows that Poisson regressions on the sample can use."""
    cells = year_cells(sample, study.panel, None).codes
    return ratio_sample(sample, event_regressors(sample), cells)


def average_log_ratio(found: RatioSample, y: Floats, term: Term = ATT) -> Estimated:
    """Estimate the mean log ratio over event times from entry on, by Poisson, for outcomes y (n,).

    `y` is zero where the sample's outcome is, and only there. Raises IdentificationError where the
    average has no finite value, SupportError where nothing is left.
    """
    ratios = fit_ratios(found, y)
    return _required(average_ratio(finite_events(ratios, found.regressors), ratios, term))


def average_row(
    collected: Collected,
    label: Label,
    found: Estimated,
    remarks: Iterable[Reason] = (),
) -> Row:
    """Return the row of an average, saying what `remarks` do, and keep what it rests on."""
    said = {term: tuple(remarks) for term in found.terms}
    inferred = infer(replace(found, remarks=said), label.cluster)
    return kept_rows(collected, label, inferred)[0]


def _required(average: Estimated) -> Estimated:
    """Return an average without what it says; raise IdentificationError where there is none."""
    for reason in average.reasons.values():
        raise IdentificationError(reason)
    return replace(average, remarks={})
