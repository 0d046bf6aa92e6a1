"""Randomisation test of the average effect: entry re-assigned among clusters, matching redone.

Under the hypothesis that the programme did nothing to anybody, outcomes would be the same had
other clusters been treated. The test asks how often the t statistic would then be as large:
MacKinnon & Webb (2020), doi:10.1016/j.jeconom.2020.04.024. With few treated clusters it holds where
analytic errors do not, but its p-value cannot be smaller than the number of assignments allows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.adjusted_sample import standardised
from pipeline.effects.rows import Label, Row, label_of, without_figures
from pipeline.effects.sample import (
    StackedSample,
    check_comparable,
    sample_of_values,
    values_by_unit,
)
from pipeline.effects.study import Study
from pipeline.effects.tasks import Task
from pipeline.errors import EvaluationError, IdentificationError, Reason
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.active_units import ActiveUnits, active_units
from pipeline.inference.analytic import infer
from pipeline.inference.entry_assignments import Lottery, lottery, participants, stacks_of
from pipeline.inference.reassignment import Reassigned, Reassignment, reassignment
from pipeline.matching.redo import Redo
from pipeline.panel.scale import on_scale
from pipeline.params.estimate import Spec
from pipeline.params.match import ExternalDesign
from pipeline.progress import track

# Assignments that cannot be estimated are left out: the test then holds among those that can, as
# the actual one does. Where most cannot, that is no longer the design that was run.
LEAST_SHARE_ESTIMATED = 0.5

# Assignments that repeat the data give the same statistic up to rounding, and count as ties.
TIE = 1e-9

INFERENCE = "randomisation"
NO_STATISTIC = Reason("randomisation_without_error")
_MISSING = ("df", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True)
class Randomised:
    """Hold the t statistics of k outcomes (draws, k), missing where none, and how they were drawn.

    `n_assignments` counts all that are possible, the actual one included.
    """

    statistics: Floats
    n_clusters: int
    n_assignments: int
    enumerated: bool

    def p_value(self, observed: float, column: int) -> float:
        """Return the share of assignments, the actual one included, with as large a |t|."""
        drawn = self.statistics[:, column]
        drawn = np.abs(drawn[np.isfinite(drawn)])
        larger = int((drawn >= abs(observed) * (1 - TIE)).sum())
        return (larger + 1) / (len(drawn) + 1)

    def n_worked(self, column: int) -> int:
        """Return the number of assignments that gave a statistic."""
        return int(np.isfinite(self.statistics[:, column]).sum())

    def smallest_p(self, column: int) -> float:
        """Return the smallest p-value that the assignments allow."""
        return 1 / (self.n_worked(column) + 1)


def randomise(study: Study, redo: Redo, spec: Spec, labels: list[Label]) -> Randomised:
    """Return the t statistics of the outcomes of `labels`, all of one design, by assignment.

    Every assignment where there are no more than `draws`, else as many random ones. Raises
    IdentificationError where entry cannot be re-assigned, the design's weights come from a file, or
    most assignments cannot be estimated.
    """
    design, settings = labels[0].design, spec.option("randomisation")
    if isinstance(redo.match.designs.get(design), ExternalDesign):
        raise IdentificationError(Reason("randomisation_of_file_weights"))
    active = active_units(study, stacks_of(redo.scores))
    drawn = lottery(active, participants(active, redo.scores))
    worlds = worlds_of(study, redo, spec, labels, active)
    rng = np.random.default_rng(settings.seed)
    enumerated = drawn.n_assignments - 1 <= settings.draws
    number = drawn.n_assignments - 1 if enumerated else settings.draws
    dealt = _assignments(drawn, enumerated, settings.draws, rng)
    statistics = np.array(
        [
            worlds.statistics(drawn.entries(one, rng))
            for one in track(dealt, f"assignments of entry, design {design}", number)
        ]
    ).reshape(-1, len(labels))
    _require_draws(statistics)
    return Randomised(statistics, len(drawn.clusters), drawn.n_assignments, enumerated)


def _assignments(
    drawn: Lottery, enumerated: bool, draws: int, rng: np.random.Generator
) -> Iterator[Codes]:
    if enumerated:
        yield from drawn.every_other()
        return
    for _ in range(draws):
        yield rng.permutation(drawn.dealt)


@dataclass(frozen=True)
class Worlds:
    """Hold what the outcomes of one spec and design share over assignments.

    `values` are outcomes on their scale, by label, of all active units (u, event times).
    """

    study: Study
    spec: Spec
    fixed: Reassignment
    labels: list[Label]
    values: list[Floats]

    def statistics(self, entry: Floats) -> list[float]:
        """Return each outcome's t statistic had these firms entered; missing where none."""
        try:
            found = self.fixed.under(entry)
        except EvaluationError:
            return [float("nan")] * len(self.labels)
        pairs = zip(self.labels, self.values, strict=True)
        return [self._statistic(found, label, values) for label, values in pairs]

    def _statistic(self, found: Reassigned, label: Label, values: Floats) -> float:
        """Return the t statistic of the average effect in a study of re-assigned entry."""
        world = replace(self.study, stacks={label.design: found.stacks})
        try:
            sample = self._sample(found, values)
            check_comparable(sample)
            task = Task(world, self.spec.only_average(label.design), label.outcome, sample)
            results = ESTIMATORS[self.spec.estimator].again().estimate(task).results
        except EvaluationError:
            return float("nan")
        if not results or not results[0].terms:
            return float("nan")
        return float(infer(results[0], self.spec.cluster).statistics[0])

    def _sample(self, found: Reassigned, values: Floats) -> StackedSample:
        """Return an outcome's sample, with the covariates that the spec adjusts for."""
        named, columns = self.spec.option("covariates"), None
        if named:
            columns = standardised(self.fixed.covariates[named].iloc[found.units])
        own = values[found.units]
        return sample_of_values(found.stacks, own, self.study.estimate.missing, columns)


def worlds_of(
    study: Study, redo: Redo, spec: Spec, labels: list[Label], active: ActiveUnits
) -> Worlds:
    """Prepare the assignments of entry among active units for one spec and design."""
    described = [study.outcomes[label.outcome] for label in labels]
    scaled = [on_scale(study.panel[outcome.column], outcome) for outcome in described]
    values = [values_by_unit(active.every, column) for column in scaled]
    fixed = reassignment(study, redo, labels[0].design, active)
    return Worlds(study, spec, fixed, labels, values)


def _require_draws(statistics: Floats) -> None:
    if not len(statistics):
        raise IdentificationError(Reason("randomisation_without_alternative"))
    worked = np.isfinite(statistics).any(axis=1).mean()
    if worked < LEAST_SHARE_ESTIMATED:
        lost = {"percent": 100 * (1 - float(worked))}
        raise IdentificationError(Reason("randomisation_draws_lost", lost))


def randomisation_rows(study: Study, redo: Redo, analytic: list[Row]) -> list[Row]:
    """Return a row for the average effect of every spec, design and outcome that asks for it."""
    rows: list[Row] = []
    for spec in study.estimate.specs:
        if spec.option("randomisation") is None:
            continue
        for design in spec.designs:
            own = [row for row in analytic if _is_average(row, spec, design)]
            rows += _design_rows(study, redo, spec, own)
    return rows


def _is_average(row: Row, spec: Spec, design: str) -> bool:
    place = (row["estimator"], row["design"], row["term"], row["sample"], row["inference"])
    linear = np.isfinite(row.get("estimate", np.nan))
    return bool(linear and place == (spec.name, design, "att", "all", "analytic"))


def _design_rows(study: Study, redo: Redo, spec: Spec, rows: list[Row]) -> list[Row]:
    linear = [row for row in rows if not study.outcomes[row["outcome"]].in_ratios]
    tested = [row for row in linear if np.isfinite(row["statistic"])]
    without = [_without(row, NO_STATISTIC) for row in linear if not np.isfinite(row["statistic"])]
    if not tested:
        return without
    labels = [label_of(row) for row in tested]
    try:
        found = randomise(study, redo, spec, labels)
    except IdentificationError as error:
        return without + [_without(row, error.reason) for row in tested]
    return without + [_row(row, found, column) for column, row in enumerate(tested)]


def _row(analytic: Row, found: Randomised, column: int) -> Row:
    lost = len(found.statistics) - found.n_worked(column)
    said = [_drawn(found, column)] + [Reason("randomisation_left_out", {"n": lost})] * bool(lost)
    missing = dict.fromkeys(("df", "conf_low", "conf_high"), np.nan)
    p_value = found.p_value(analytic["statistic"], column)
    row = analytic | missing | {"inference": INFERENCE, "p_value": p_value}
    return row | {"reason": None, "remarks": tuple(said)}


def _drawn(found: Randomised, column: int) -> Reason:
    fields = {"n_clusters": found.n_clusters, "smallest_p": found.smallest_p(column)}
    if found.enumerated:
        return Reason("randomisation_all", {**fields, "possible": found.n_assignments})
    fields["drawn"] = found.n_worked(column)
    if found.n_assignments < 1e6:
        return Reason("randomisation_random", {**fields, "possible": found.n_assignments})
    return Reason("randomisation_random_of_many", fields)


def _without(analytic: Row, reason: Reason) -> Row:
    return without_figures(analytic, INFERENCE, reason, *_MISSING)
