"""Rows of matching on one difference per firm: variances by neighbours, normal intervals."""

from dataclasses import replace

import numpy as np

from pipeline.effects.estimated import Estimated
from pipeline.effects.matched_effects import MatchedEffects
from pipeline.effects.rows import Label, Row
from pipeline.effects.terms import Term
from pipeline.errors import IdentificationError, Reason
from pipeline.inference.covariance import is_rounding, std_errors_of
from pipeline.inference.neighbour_variance import neighbour_variance
from pipeline.inference.result_rows import Errors, result_rows

INFERENCE = "abadie_imbens"


def abadie_imbens_rows(label: Label, matched: Estimated) -> list[Row]:
    """Return a row for every term, with normal tests and intervals."""
    estimated, unknown = with_neighbour_covariance(matched)
    assert estimated.covariance is not None, "just made"
    errors = std_errors_of(estimated.covariance)
    reasons = [
        unknown.get(term) or _why_none(estimated, term, error)
        for term, error in zip(estimated.terms, errors, strict=True)
    ]
    known = np.where([reason is None for reason in reasons], errors, np.nan)
    said = [estimated.remarks.get(term, ()) for term in estimated.terms]
    told = Errors(known, np.inf, reasons, said, lambda term: dict(estimated.counts.get(term, {})))
    return [row | {"inference": INFERENCE} for row in result_rows(label, estimated, told)]


def with_neighbour_covariance(matched: Estimated) -> tuple[Estimated, dict[Term, Reason]]:
    """Return a result with the variances of its terms, and why some have none.

    Entry years share no firm, so that the variances of their effects add up. Terms share firms:
    what covariance they have is not known.
    """
    assert isinstance(matched.source, MatchedEffects), "asked of matched effects"
    variances = np.zeros(len(matched.source.effects))
    unknown: dict[Term, Reason] = {}
    for position, effect in enumerate(matched.source.effects):
        try:
            variances[position] = neighbour_variance(effect)
        except IdentificationError as error:
            used = np.flatnonzero(matched.loadings[position])
            unknown |= {matched.terms[column]: error.reason for column in used}
    covariance = np.full((len(matched.terms), len(matched.terms)), np.nan)
    np.fill_diagonal(covariance, variances @ np.square(matched.loadings))
    return replace(matched, covariance=covariance), unknown


def _why_none(estimated: Estimated, term: Term, error: float) -> Reason | None:
    counts = estimated.counts[term]
    if counts["n_treated"] < 2:
        return Reason("one_treated_matched")
    rounding = is_rounding(error, counts["n_obs"], estimated.largest)
    return Reason("no_variation") if rounding else None
