"""A design as it would be had other firms entered: risk sets, scores and matches made again.

What no assignment of entry changes stands in arrays: who is active in which base and entry year,
where their rows and clusters are, their covariates, which are dated before entry, and exact cells.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats, Integers
from pipeline.datasets.panel import SAMPLING_WEIGHT
from pipeline.effects.candidates import Candidates
from pipeline.effects.stacks import Stacks, checked_weights
from pipeline.effects.study import Study
from pipeline.errors import Reason, SupportError
from pipeline.estimators.event_average import Weighed
from pipeline.inference.active_units import ActiveUnits
from pipeline.matching.cells import exact_cells
from pipeline.matching.designs import match_stack, read_by
from pipeline.matching.redo import Redo
from pipeline.matching.stack import RiskSet, StackMatch
from pipeline.params.design_rules import CellDesign
from pipeline.params.match import AnyDesign
from pipeline.params.score import ControlsFrom
from pipeline.selection.covariates import covariates_by_code, with_categories
from pipeline.selection.drawn_score import DrawnScore, drawn_score


@dataclass(frozen=True)
class Reassigned:
    """Hold a design under one assignment: matches, and the candidates that each is of.

    `treated` and `weight` are by candidate, (u,).
    """

    candidates: Candidates
    found: list[StackMatch]
    units: list[Codes]
    treated: Flags
    weight: Floats

    @cached_property
    def used(self) -> Codes:
        """Return the candidates that have a weight."""
        return np.flatnonzero(self.weight > 0)

    @property
    def has_sets(self) -> bool:
        """Say whether there are matched sets."""
        return any(len(match.sets.treated) for match in self.found)

    @cached_property
    def stacks(self) -> Stacks:
        """Return the stacks that the matches make; firm codes count those used only."""
        joined = self.candidates.matched(self.found, self.units, self.treated)
        firms, code = np.unique(joined.firm, return_inverse=True)
        return replace(joined, firm=code, n_firms=len(firms))

    @cached_property
    def weighed(self) -> Weighed:
        """Return the same by candidate. Raises DataError as `stacks` does."""
        every, weight = self.candidates.every, np.zeros(len(self.weight))
        weight[self.used] = checked_weights(self.weight[self.used], every.design)
        assignment = np.zeros(every.n_firms, dtype=np.intp)
        cluster, _ = self.candidates.clusters(self.used, self.treated[self.used])
        assignment[every.firm[self.used]] = cluster
        return Weighed(weight, self.treated, every.firm, assignment)


@dataclass(frozen=True)
class Reassignment:
    """Hold what the assignments of entry share for one design, whose rule is None if `unmatched`.

    By active unit (u,): `firms` has the stack and sampling weights, if any; `covariates`, text as
    categories; `score` is the model's, None without;
    `usable` says who has its covariates; `cells` are the exact cells, None without any or where
    bins cut those at risk anew.
    """

    active: ActiveUnits
    candidates: Candidates
    source: ControlsFrom
    rule: AnyDesign | None
    firms: pd.DataFrame
    score: DrawnScore | None
    covariates: pd.DataFrame
    usable: Flags
    cells: Integers | None

    def under(self, entry: Floats) -> Reassigned:
        """Return the design had firms (F,) entered in these years, missing for never.

        Raises SupportError or DataError where it cannot be made.
        """
        member, treated = self.active.risk_sets(entry, self.source)
        units = np.flatnonzero(member & self.usable)
        firms = self.firms.iloc[units].assign(treated=treated[units])
        _require_groups(firms, np.unique(entry[np.isfinite(entry)]))
        found, rows = [], []
        for risk_set in self._risk_sets(self._scored(firms)):
            found.append(match_stack(risk_set, self.rule))
            rows.append(risk_set.firms.index.to_numpy())
        weight = self.candidates.weights(found, rows)
        return Reassigned(self.candidates, found, rows, treated, weight)

    def _scored(self, firms: pd.DataFrame) -> pd.DataFrame:
        """Return the firms at risk with their scores, if the design has any, and support."""
        if self.score is None:
            return firms.assign(linear_score=np.nan, propensity_score=np.nan, on_support=True)
        every = self.score.firms.assign(treated=False)
        every.loc[firms.index, "treated"] = firms["treated"]
        return replace(self.score, firms=every).scores(firms.index.to_numpy())

    def _risk_sets(self, scored: pd.DataFrame) -> Iterator[RiskSet]:
        """Yield the risk set of each stack, its firms by unit."""
        read = read_by(self.rule)
        years, starts = np.unique(scored["stack"], return_index=True)
        ends = [*starts[1:].tolist(), len(scored)]
        for year, first, last in zip(years.tolist(), starts.tolist(), ends, strict=True):
            firms = scored.iloc[first:last]
            units = firms.index.to_numpy()
            where = f"stack {year}, design {self.candidates.every.design}"
            values = self.covariates[read].iloc[units]
            yield RiskSet(where, year, firms, values, self._cells_of(units))

    def _cells_of(self, units: Codes) -> Integers | None:
        if not isinstance(self.rule, CellDesign) or not self.rule.exact:
            return None
        if self.cells is not None:
            return self.cells[units]
        own = self.covariates[self.rule.exact].iloc[units]
        return exact_cells(own, self.rule.exact, self.rule.bins)


def reassignment(study: Study, redo: Redo, design: str, active: ActiveUnits) -> Reassignment:
    """Prepare the assignments of entry among active units, for one design."""
    rule, every = redo.match.designs.get(design), active.every
    covariates = with_categories(
        covariates_by_code(study.panel, study.index, every.firm, every.stack, redo.score.covariates)
    )
    firms = pd.DataFrame({"stack": every.stack, "treated": False})
    if study.sampling is not None:
        firms[SAMPLING_WEIGHT] = study.sampling[every.firm_row]
    return Reassignment(
        active=active,
        candidates=active.candidates(design),
        source=redo.controls_from(design),
        rule=rule,
        firms=firms,
        score=None if rule is None else _score(redo, rule.score, firms, covariates),
        covariates=covariates,
        usable=_usable(covariates, rule, redo),
        cells=_standing_cells(covariates, rule),
    )


def _score(redo: Redo, name: str, firms: pd.DataFrame, covariates: pd.DataFrame) -> DrawnScore:
    """Return a score model to be fitted among firms of several stacks, whoever is treated."""
    return drawn_score(name, redo.score.models[name], firms, covariates)


def _usable(covariates: pd.DataFrame, rule: AnyDesign | None, redo: Redo) -> Flags:
    """Say who has all covariates of a design's score; where it refuses others, its fit does."""
    model = None if rule is None else redo.score.models[rule.score]
    if model is None or model.missing == "refuse":
        return np.ones(len(covariates), dtype=np.bool_)
    return np.asarray(covariates[model.covariates].notna().all(axis=1))


def _standing_cells(covariates: pd.DataFrame, rule: AnyDesign | None) -> Integers | None:
    """Return the exact cells that do not depend on who is at risk."""
    if not isinstance(rule, CellDesign) or any(b.edges is None for b in rule.bins.values()):
        return None
    return exact_cells(covariates, rule.exact, rule.bins)


def _require_groups(firms: pd.DataFrame, entry_years: Floats) -> None:
    """Raise SupportError unless every stack has firms of both groups."""
    for year in entry_years:
        own = firms.loc[firms["stack"] == year, "treated"]
        if own.all() or not own.any():
            sizes = {"n_treated": int(own.sum()), "n_control": int((~own).sum())}
            found = {"entry_year": int(year), **sizes}
            raise SupportError(Reason("entry_year_lacks_group", found))
