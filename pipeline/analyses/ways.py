"""What the settings of an analysis come to on one design and outcome: what SPECS says ran."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from pipeline.analyses.group_names import BY_GROUP
from pipeline.analyses.margins import NAME as MARGINS
from pipeline.analyses.size_weighted import NAME as SIZE_WEIGHTED
from pipeline.analyses.survival import NAME as SURVIVAL
from pipeline.analyses.survival import OUTCOME as ALIVE
from pipeline.effects.resolved import Asked, Resolved
from pipeline.effects.study import Study

_Way = tuple[Resolved, list[str]]


def asked_of_analyses(study: Study) -> Iterator[tuple[str, Asked, Resolved, list[str]]]:
    """Yield each analysis on a design and outcome, how it runs and the terms that it asks for."""
    for name, analysis in study.estimate.analyses.asked().items():
        for design in analysis.designs:
            alive = [ALIVE] if name == SURVIVAL else []
            for outcome in (*alive, *analysis.outcomes):
                of = Asked(study, analysis, design, outcome)
                yield name, of, *_WAYS[name](of)


def _averages(asked: Asked, *method: str) -> Resolved:
    """Return how averages over event times are estimated on an analysis' own stacked sample."""
    return Resolved(
        method=method,
        average="event",
        base="reference_year",
        event_base="none",
        gaps=(asked.gaps,),
        weights="scaled_to_treated" if asked.design == "unmatched" else "matching",
        firm_effects="firm_by_entry_year",
        year_effects="year_by_entry_year",
    )


def _least_squares_or_poisson(asked: Asked) -> str:
    return "poisson" if asked.in_ratios else "least_squares"


def _also_renormalised(asked: Asked) -> tuple[str, ...]:
    """Return the rules for gaps where a part is of those observed, whatever their sets are."""
    return tuple(dict.fromkeys((asked.gaps, "renormalise")))


def _margins(asked: Asked) -> _Way:
    """Return the way of margins: parts by Poisson, those above zero at base by least squares."""
    whole = _averages(asked, "poisson", "least_squares")
    terms = ["firms_above_zero", "level_per_firm", "level", "att", *asked.spec.unit_dependent]
    return replace(whole, gaps=_also_renormalised(asked)), terms


def _survival(asked: Asked) -> _Way:
    """Return the way of survival itself, or of an outcome with exit counted and bounded."""
    if asked.outcome == ALIVE:
        alive = _averages(asked, "least_squares")
        return replace(alive, event_base="universal"), ["event", "att"]
    if asked.in_ratios:
        return _averages(asked, "poisson"), ["att"]
    bounded = _averages(asked, "least_squares", "trimmed_means", "worst_case")
    return replace(bounded, gaps=_also_renormalised(asked)), ["att", "lee", "manski"]


def _groups(asked: Asked) -> _Way:
    """Return the way of groups: with the design's weights, or with those of another match."""
    own = _averages(asked, _least_squares_or_poisson(asked))
    if asked.spec.match == "within":
        own = replace(own, weights="matched_within_groups")
    return own, ["att"]


def _size_weighted(asked: Asked) -> _Way:
    """Return the way of weights by size, which under own sizes leave no sets."""
    weights = asked.spec.comparison
    own = replace(_averages(asked, "least_squares"), weights=weights)
    if weights == "own_size":
        own = replace(own, gaps=("renormalise",))
    return own, ["att_by", "total"]


_WAYS: dict[str, Callable[[Asked], _Way]] = {
    MARGINS: _margins,
    SURVIVAL: _survival,
    BY_GROUP: _groups,
    SIZE_WEIGHTED: _size_weighted,
}
