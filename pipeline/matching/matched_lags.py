"""Lags used in matching: event times at which treated and comparison firms were made alike.

A difference there is small by construction. Event studies mark these event times, and the test
of pre-trends leaves them out.
"""

from pipeline.params.match import MatchSection, conditioning_covariates
from pipeline.params.score import ScoreSection

MatchedTimes = dict[str, dict[str, frozenset[int]]]


def matched_times(score: ScoreSection, match: MatchSection) -> MatchedTimes:
    """Return, by design and PANEL column, the event times that the design conditions on."""
    return {
        design: _times_by_column(
            score, conditioning_covariates(rule, score.models[rule.score].covariates)
        )
        for design, rule in match.designs.items()
    }


def _times_by_column(score: ScoreSection, names: list[str]) -> dict[str, frozenset[int]]:
    covariates = score.dated(names)
    return {
        column: frozenset(time for c in covariates if c.column == column for time in c.event_times)
        for column in {str(c.column) for c in covariates}
    }
