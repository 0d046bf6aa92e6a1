"""Faults of years and event times that sections can show together, before any data are read."""

from collections.abc import Iterator

from pipeline.params.analysis_faults import Sections
from pipeline.params.flat_spec import FlatSpec
from pipeline.params.treatment import GroupEntry


def window_faults(study: Sections) -> Iterator[str]:
    """Yield one line for each setting that leaves no firm, or no year, whatever the data hold."""
    yield from _years_in_window(study)
    yield from _end_bins(study)
    entry = study.treatment.entry
    if isinstance(entry, GroupEntry):
        yield from _entry_of_group(study, entry.entry_year)
    if study.estimate.analyses.survival is not None and not study.treatment.window.last_event_time:
        yield (
            "estimate.analyses.survival counts who is left in the years after entry, and "
            "treatment.window.last_event_time is 0: make that 1 or more, or leave survival out"
        )


def _end_bins(study: Sections) -> Iterator[str]:
    """Yield what binned end points leave without an event time of its own."""
    window, reference = study.treatment.window, study.treatment.reference_event_time
    for spec in study.estimate.specs:
        if not isinstance(spec, FlatSpec) or not spec.bins:
            continue
        path = f"estimate.specs.{spec.name}.firms: panel"
        if spec.bins_leads and window.first_event_time >= reference:
            yield (
                f"{path} bins event times at or below treatment.window.first_event_time, which is "
                f"the reference, {reference}: make it {reference - 1} or earlier"
            )
        if spec.end_bins == "shown" and not window.last_event_time:
            yield (
                f"{path} bins event times at or above treatment.window.last_event_time, which is "
                "0, and no other is left to average: make it 1 or more, or say end_bins: averaged"
            )


def _years_in_window(study: Sections) -> Iterator[str]:
    window = study.clean.window
    if window.first_year is None or window.last_year is None:
        return
    n_years = window.last_year - window.first_year + 1
    if n_years < 1:
        yield (
            f"clean.window.first_year is {window.first_year}, after last_year {window.last_year}: "
            "no year is left; the first may be the last year or earlier"
        )
        return
    asked = window.minimum_pre_years + window.minimum_post_years
    if asked > n_years:
        yield (
            f"clean.window.minimum_pre_years and minimum_post_years ask for {asked} years, and the "
            f"window has {n_years}: no firm is left; ask for {n_years} or fewer together"
        )


def _entry_of_group(study: Sections, year: int) -> Iterator[str]:
    """Yield what leaves no firm of the treated group, or no year before it enters."""
    window, path = study.clean.window, "treatment.entry.entry_year"
    base = year + study.treatment.reference_event_time
    if window.first_year is not None and base < window.first_year:
        yield (
            f"{path} is {year}, and its base year {base} lies before clean.window.first_year "
            f"{window.first_year}: nothing can be compared before entry; begin the window earlier"
        )
    if window.last_year is not None and year > window.last_year:
        yield (
            f"{path} is {year}, after clean.window.last_year {window.last_year}: nobody is seen "
            "after entry; end the window later"
        )
    if year in study.treatment.leave_out_entry_years:
        yield (
            f"treatment.leave_out_entry_years lists {year}, the only entry year: no treated firm "
            "is left; take it off the list"
        )
