"""The largest firm in what paths and baseline means publish, and in what specs weight firms by."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.datasets.dominance import OUTCOME_DOMINANCE
from pipeline.effects.adjusted_sample import adjusted_sample
from pipeline.effects.sample import StackedSample, values_by_unit
from pipeline.effects.study import Study, asked, outcome_sample
from pipeline.errors import IdentificationError
from pipeline.estimators.group_time.cohort_sample import CohortSample
from pipeline.estimators.group_time.group_time_study import spec_samples
from pipeline.panel.scale import on_scale
from pipeline.params.estimate import Spec
from pipeline.params.group_time_spec import GroupTimeSpec


def outcome_dominance(study: Study) -> pd.DataFrame:
    """Return OUTCOME_DOMINANCE: means of levels in the estimates' samples, and specs' weights.

    Where firms have sampling weights, a share is that of weights where it is more, of means on any
    scale; specs of group-time effects, whose firms may be others, are told each.
    """
    rows: list[dict[str, object]] = []
    for design, name, specs in asked(study):
        if not study.outcomes[name].observed:
            continue
        own = {"outcome": name, "design": design}
        sample = outcome_sample(study, design, name)
        by_level = study.outcomes[name].transform != "any"
        if by_level or study.sampling is not None:
            for cell in _cells(sample, _level(study, name)):
                shares = [cell.of_level] * by_level + [cell.of_weight] * (
                    study.sampling is not None
                )
                rows.append(own | {"estimator": None} | cell.row(float(np.fmax.reduce(shares))))
        for spec in specs:
            sampled = study.sampling is not None and isinstance(spec, GroupTimeSpec)
            if sampled or spec.option("weight_by") is not None:
                found = _of_weights(study, spec, sample, name)
                rows += [own | {"estimator": spec.name} | row for row in found]
    return pd.DataFrame(rows, columns=list(OUTCOME_DOMINANCE.columns))


@dataclass(frozen=True)
class _Cell:
    """Hold the firm, weight and level, all (n,), of what is seen of a group at an event time."""

    treated: bool
    event_time: int
    firm: Codes
    weight: Floats
    level: Floats

    @property
    def of_level(self) -> float:
        """Return the largest firm's share in percent of the total of weighted levels."""
        return self._share(self.weight * np.nan_to_num(self.level))

    @property
    def of_weight(self) -> float:
        """Return the largest firm's share in percent of the weights."""
        return self._share(self.weight)

    def row(self, share: float) -> dict[str, object]:
        """Return the cell and a share as OUTCOME_DOMINANCE has them."""
        return {"treated": self.treated, "event_time": self.event_time, "share": share}

    def _share(self, parts: Floats) -> float:
        by_firm = np.abs(np.bincount(self.firm, parts))
        return float(100 * by_firm.max() / by_firm.sum()) if by_firm.sum() > 0 else float("nan")


def _level(study: Study, name: str) -> Floats:
    column = study.panel[study.outcomes[name].column]
    return column.to_numpy(float, na_value=float("nan"))


def _of_weights(
    study: Study, spec: Spec, sample: StackedSample, name: str
) -> Iterator[dict[str, object]]:
    """Yield the largest share of a spec's weights, or of the weighted levels where that is more.

    The second where effects are in levels. Nothing is yielded where nothing can be estimated.
    """
    try:
        cells = _weighted_cells(study, spec, sample, name)
    except IdentificationError:
        return
    in_levels = study.outcomes[name].in_levels
    for cell in cells:
        of_level = cell.of_level if in_levels else np.nan
        yield cell.row(float(np.fmax(cell.of_weight, of_level)))


def _weighted_cells(study: Study, spec: Spec, sample: StackedSample, name: str) -> list[_Cell]:
    """Return the cells of a spec that weights firms."""
    outcome, level = study.outcomes[name], _level(study, name)
    if isinstance(spec, GroupTimeSpec):
        values = level if outcome.in_levels else on_scale(study.panel[outcome.column], outcome)
        samples = spec_samples(study, spec, sample.stacks, values).samples
        return _cells_of_cohorts(samples)
    return list(_cells(adjusted_sample(study, spec, sample, name)[0], level))


def _cells(sample: StackedSample, level: Floats) -> Iterator[_Cell]:
    """Yield the cells of a stacked sample."""
    stacks, values = sample.stacks, values_by_unit(sample.stacks, level)
    for treated in (False, True):
        own = stacks.treated == treated
        for column, time in enumerate(stacks.event_times.tolist()):
            units = np.flatnonzero(own & sample.observed[:, column])
            if len(units):
                weight, found = sample.weights[units, column], values[units, column]
                yield _Cell(treated, time, stacks.firm[units], weight, found)


def _cells_of_cohorts(samples: list[CohortSample]) -> list[_Cell]:
    """Return the cells of cohorts together, comparison firms of each scaled to its treated."""
    weighted = [(sample, _scaled_weights(sample)) for sample in samples]
    times = sorted({int(year) - own.cohort for own in samples for year in own.years})
    cells = []
    for treated in (False, True):
        for time in times:
            parts = [
                (own.firm[kept], weight[kept, column], own.y[kept, column])
                for own, weight in weighted
                for column in np.flatnonzero(own.years == own.cohort + time)
                for kept in [(own.treated == treated) & (weight[:, column] > 0)]
            ]
            firm, weight, level = (np.concatenate(part) for part in zip(*parts, strict=True))
            if len(firm):
                cells.append(_Cell(treated, time, firm, weight, level))
    return cells


def _scaled_weights(sample: CohortSample) -> Floats:
    """Return weights (u, T) of who is seen, untreated if of the comparison; zero of others."""
    treated = sample.treated[:, None]
    seen: Flags = np.isfinite(sample.y)
    seen &= treated | (sample.treated_from[:, None] > sample.years)
    weight = sample.weight[:, None] * seen
    own, others = (weight * treated).sum(axis=0), (weight * ~treated).sum(axis=0)
    both = (own > 0) & (others > 0)
    ratio = np.divide(own, others, out=np.zeros_like(own), where=both)
    return np.asarray(weight * np.where(treated, both, ratio))
