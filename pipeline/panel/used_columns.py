"""Which columns of PANEL outcomes and covariates read, and in which years."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection


@dataclass(frozen=True)
class UsedColumn:
    """Hold an outcome or covariate by name, the column that it reads, and at which event times.

    An outcome first observed after entry is not read in `every_year`, but in those that have it.
    """

    section: Literal["outcomes", "score.covariates"]
    name: str
    column: str
    event_times: tuple[int, ...]
    every_year: bool = True

    @property
    def path(self) -> str:
        """Return its path in params."""
        return f"{self.section}.{self.name}"

    def years(self, entry_years: Iterable[int]) -> frozenset[int]:
        """Return the years in which the column is read, given when firms enter."""
        return frozenset(entry + time for entry in entry_years for time in self.event_times)


def window_times(treatment: TreatmentSection) -> tuple[int, ...]:
    """Return the event times that are compared."""
    window = treatment.window
    return tuple(range(window.first_event_time, window.last_event_time + 1))


def used_columns(
    outcomes: OutcomesSection, score: ScoreSection, treatment: TreatmentSection
) -> Sequence[UsedColumn]:
    """Return what every outcome that is observed and every covariate reads; products read none."""
    times = window_times(treatment)
    after = tuple(time for time in times if time >= 0)
    of_outcomes = [
        UsedColumn("outcomes", name, outcome.column, after, every_year=False)
        if outcome.post_only
        else UsedColumn("outcomes", name, outcome.column, times)
        for name, outcome in outcomes.root.items()
        if outcome.observed and outcome.column is not None
    ]
    of_covariates = [
        UsedColumn("score.covariates", name, covariate.column, tuple(covariate.event_times))
        for name, covariate in score.covariates.items()
        if covariate.column is not None and covariate.event_times
    ]
    return [*of_outcomes, *of_covariates]
