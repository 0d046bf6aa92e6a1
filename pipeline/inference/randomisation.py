"""Randomisation test of the average effect: entry re-assigned among clusters, matching redone.

Under the hypothesis that the programme did nothing to anybody, outcomes would be the same had
other clusters been treated. The test asks how often the t statistic would then be as large:
MacKinnon & Webb (2020), doi:10.1016/j.jeconom.2020.04.024. With few treated clusters it holds where
analytic errors do not, but its p-value cannot be smaller than the number of assignments allows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.adjusted_sample import standardised
from pipeline.effects.answers import Task
from pipeline.effects.estimated import Estimated
from pipeline.effects.rows import Label, Row, label_of, without_figures
from pipeline.effects.sample import check_comparable, sample_of_values, values_by_unit
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study
from pipeline.errors import EvaluationError, IdentificationError, Reason
from pipeline.estimators.event_average import ChangesByUnit, average_from_entry, changes_of
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.active_units import ActiveUnits, active_units
from pipeline.inference.analytic import infer
from pipeline.inference.arm_assignments import arm_lottery
from pipeline.inference.arm_randomisation import ArmWorlds
from pipeline.inference.entry_assignments import Lottery, lottery, participants, stacks_of
from pipeline.inference.reassignment import Reassigned, Reassignment, reassignment
from pipeline.matching.redo import Redo
from pipeline.panel.scale import on_scale
from pipeline.parallel import results_in_order
from pipeline.params.arms import ONLY_ARM
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
    drawn, statistics_of = _dealer(study, redo, spec, labels)
    rng = np.random.default_rng(settings.seed)
    enumerated = drawn.n_assignments - 1 <= settings.draws
    number = drawn.n_assignments - 1 if enumerated else settings.draws
    dealt = _assignments(drawn, enumerated, settings.draws, rng)
    what = f"assignments of entry of {drawn.n_firms:,} firms, design {design},"
    entries = (drawn.entries(one, rng) for one in track(dealt, what, number))
    found = list(results_in_order(statistics_of, entries))
    statistics = np.array(found).reshape(-1, len(labels))
    _require_draws(statistics)
    return Randomised(statistics, len(drawn.clusters), drawn.n_assignments, enumerated)


def _dealer(
    study: Study, redo: Redo, spec: Spec, labels: list[Label]
) -> tuple[Lottery, Callable[[Floats], list[float]]]:
    """Return who deals entry out, and what gives the statistics of each assignment."""
    if study.arm != ONLY_ARM:
        if redo.arms is None:
            raise IdentificationError(Reason("randomisation_of_arms"))
        dealt = arm_lottery(redo.arms)
        return dealt.lottery, ArmWorlds(study, redo, spec, labels, dealt).statistics
    active = active_units(study, stacks_of(redo.scores))
    drawn = lottery(active, participants(active, redo.scores))
    return drawn, worlds_of(study, redo, spec, labels, active).statistics


def _assignments(
    drawn: Lottery, enumerated: bool, draws: int, rng: np.random.Generator
) -> Iterator[Codes]:
    if enumerated:
        yield from drawn.every_other()
        return
    for _ in range(draws):
        yield rng.permutation(drawn.dealt)


@dataclass(frozen=True)
class _Outcome:
    """Hold one outcome on its scale by row of PANEL, for all assignments."""

    label: Label
    column: Floats
    every: Stacks

    @cached_property
    def changes(self) -> ChangesByUnit:
        """Return its changes in all active units."""
        return changes_of(self.every, values_by_unit(self.every, self.column))


@dataclass(frozen=True)
class Worlds:
    """Hold what the assignments of entry share for one spec and design.

    `closed` says whether the average is that of the event study in closed form.
    """

    study: Study
    spec: Spec
    fixed: Reassignment
    outcomes: list[_Outcome]
    closed: bool

    def statistics(self, entry: Floats) -> list[float]:
        """Return each outcome's t statistic had firms (F,) entered then; missing where none."""
        try:
            found = self.fixed.under(entry)
        except EvaluationError:
            return [float("nan")] * len(self.outcomes)
        return [self._statistic(found, outcome) for outcome in self.outcomes]

    def _statistic(self, found: Reassigned, outcome: _Outcome) -> float:
        try:
            effect = self._in_closed_form(found, outcome) or self._estimate(found, outcome)
        except EvaluationError:
            return float("nan")
        if effect is None or not effect.terms:
            return float("nan")
        return float(infer(effect, self.spec.clustering).statistics[0])

    def _in_closed_form(self, found: Reassigned, outcome: _Outcome) -> Estimated | None:
        """Return the average effect from standing changes, None where only the estimator tells."""
        if not self.closed or found.has_sets:
            return None
        return average_from_entry(outcome.changes, found.weighed)

    def _estimate(self, found: Reassigned, outcome: _Outcome) -> Estimated | None:
        """Return the average effect as the estimator answers, if it does."""
        name, design = outcome.label.outcome, outcome.label.design
        named, columns = self.spec.option("covariates"), None
        if named:
            columns = standardised(self.fixed.covariates[named].iloc[found.used])
        values = values_by_unit(found.stacks, outcome.column)
        sample = sample_of_values(found.stacks, values, self.study.estimate.missing, columns)
        check_comparable(sample)
        world = replace(self.study, stacks={design: found.stacks})
        task = Task(world, self.spec.only_average(design), name, sample)
        return next(iter(ESTIMATORS[self.spec.estimator].again().estimate(task).results), None)


def worlds_of(
    study: Study, redo: Redo, spec: Spec, labels: list[Label], active: ActiveUnits
) -> Worlds:
    """Prepare the assignments of entry among active units for one spec and design."""
    described = [study.outcomes[label.outcome] for label in labels]
    columns = [on_scale(study.panel[outcome.column], outcome) for outcome in described]
    own = zip(labels, columns, strict=True)
    closed = ESTIMATORS[spec.estimator].again().closed
    return Worlds(
        study=study,
        spec=spec,
        fixed=reassignment(study, redo, labels[0].design, active),
        outcomes=[_Outcome(label, column, active.every) for label, column in own],
        closed=closed is not None and closed(spec),
    )


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
    made = [Reason("randomisation_of_all_arms")] * (study.arm != ONLY_ARM)
    return without + [_row(row, found, column, made) for column, row in enumerate(tested)]


def _row(analytic: Row, found: Randomised, column: int, made: list[Reason]) -> Row:
    lost = len(found.statistics) - found.n_worked(column)
    said = [_drawn(found, column), *made] + [Reason("randomisation_left_out", {"n": lost})] * bool(
        lost
    )
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
