"""Which firms published means speak of: the units of paths, balance, losses and the profile.

Means can be added and subtracted where they are of one variable at one date. A covariate dated one
year before entry is the outcome of that year where column and scale are the same.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.results import ESTIMATES, OUTCOME_PATHS
from pipeline.datasets.samples import BASELINES
from pipeline.effects.populations import (
    MEMBER,
    TREATED,
    Members,
    Named,
    Population,
    Units,
    of_both,
)
from pipeline.effects.study import Study
from pipeline.matching.redo import Redo
from pipeline.panel.panel_index import NO_ROW
from pipeline.params.score import Covariate
from pipeline.selection.firm_stacks import FirmStacks, firm_stacks
from pipeline.selection.support import treated_by_fate

LEVEL = "level"
SCORE = "propensity_score"
_SCALES = {"log": "log", "level": LEVEL, "any": "any", "proportional": LEVEL}
_SCALES |= {"percent_of_mean": LEVEL, "asinh": "asinh"}

# Bits of a unit's kind in balance tables: samples, then fates of the treated; those that are lost
# have the bit of all lost and that of the reason.
_SAMPLES = {"before": MEMBER, "on_support": 4, "after": 8}
_FATES = {"kept": 16, "lost": 32, "no_covariate": 64, "off_support": 128, "no_match": 256}


@dataclass(frozen=True)
class Variable:
    """Say what is averaged: a column on a scale, so many years from entry.

    Without `event_time` it is the covariate of that name, or the outcome whose effects are told.
    """

    name: str
    scale: str
    event_time: int | None = None


# What makes the units of a variable, one table and design after another.
Sources = dict[Variable, list[Callable[[], Iterable[Units]]]]


@dataclass(frozen=True)
class PublishedMeans:
    """Say whom the means of one arm are of; `observed` is where paths observe units (`Members`)."""

    study: Study
    redo: Redo
    weights: pd.DataFrame
    members: Members

    @cached_property
    def sources(self) -> Sources:
        """Hold what makes the units of one variable after another, then effects by outcome."""
        found: Sources = {}
        for name, covariate in self.redo.score.covariates.items():
            variable = _variable(name, covariate)
            found.setdefault(variable, []).append(partial(self._of_covariate, name))
        for variable, places in self._outcome_variables().items():
            for place in places:
                path = partial(self._of_path, *place, variable)
                found.setdefault(variable, []).append(path)
        for model in dict.fromkeys(self._models.values()):
            scores = Variable(model, SCORE)
            found[scores] = [partial(self._of_score, model)]
        return found | self._of_effects()

    def sizes(self, variable: Variable, stack: Codes, firm: Codes) -> Floats:
        """Return the levels (n,) of a covariate of units, missing where it is not known."""
        values = self._tables.covariates[variable.name].to_numpy(float)
        at = np.searchsorted(self.stacks, stack)
        here = (at < len(self.stacks)) & (firm >= 0)
        here[here] &= self.stacks[at[here]] == stack[here]
        rows = np.full(len(firm), NO_ROW, dtype=np.intp)
        rows[here] = self._row_of_unit[at[here], firm[here]]
        return np.asarray(np.where(rows == NO_ROW, np.nan, values[rows]))

    @cached_property
    def stacks(self) -> Codes:
        """Return the entry years of all designs, ascending."""
        own = [self._tables.stack, *(found.stack for found in self.study.stacks.values())]
        return np.asarray(np.unique(np.concatenate(own)), dtype=np.intp)

    @cached_property
    def _tables(self) -> FirmStacks:
        return firm_stacks(self.redo.scores, self.redo.covariates, self.weights)

    @cached_property
    def _firm(self) -> Codes:
        """Return PANEL's code of each row of COVARIATES."""
        return self.study.index.codes(self._tables.covariates["firm_id"])

    @cached_property
    def _row_of_unit(self) -> Codes:
        """Return the rows of COVARIATES by stack and firm."""
        rows = np.full((len(self.stacks), len(self.study.index.firms)), NO_ROW, dtype=np.intp)
        rows[np.searchsorted(self.stacks, self._tables.stack), self._firm] = np.arange(
            len(self._firm)
        )
        return rows

    @cached_property
    def _models(self) -> dict[str, str]:
        designs = self.redo.match.designs.items()
        return {"unmatched": "unmatched"} | {name: design.score for name, design in designs}

    @cached_property
    def _kinds(self) -> dict[str, Codes]:
        """Return by design the kind of each row of COVARIATES, zero where it is in no sample."""
        tables, found = self._tables, {}
        for design, model in self._models.items():
            kind = np.zeros(len(tables.firm), dtype=np.intp)
            risk_set = tables.of_model(model)
            row = risk_set["row"].to_numpy()
            kind[row] = MEMBER + TREATED * risk_set["treated"].to_numpy()
            kind[row[risk_set["on_support"].to_numpy()]] += _SAMPLES["on_support"]
            used = np.zeros(len(kind), dtype=np.bool_)
            used[tables.of_design(design)["row"]] = True
            kind[used & (kind > 0)] += _SAMPLES["after"]
            found[design] = kind
        for design, row, fate in treated_by_fate(tables, self.redo.match):
            kind = found[design]
            kind[row] |= TREATED
            for name, bit in _FATES.items():
                kind[row[fate == name]] |= bit
        return found

    @cached_property
    def _weighted(self) -> set[str]:
        """Return the designs whose comparison firms of some entry year differ in weight."""
        others = self.weights[~self.weights["treated"]].groupby(["design", "stack"])["weight"]
        differ = others.min() < others.max()
        return set(differ.index[differ].get_level_values("design"))

    def _of_covariate(self, name: str) -> Iterator[Units]:
        """Yield the firms that have a covariate, by design."""
        known = self._tables.covariates[name].notna().to_numpy()
        number = pd.api.types.is_numeric_dtype(self._tables.covariates[name])
        for design, kind in self._kinds.items():
            yield self._of_rows(design, name, known, kind, with_fates=number)

    def _of_rows(
        self, design: str, name: str, known: Flags, kind: Codes, *, with_fates: bool
    ) -> Units:
        own = np.flatnonzero(known & (kind > 0))
        named = list[Named]()
        for stack in (None, *self.stacks.tolist()):
            at = "all" if stack is None else str(stack)
            for sample, bit in _SAMPLES.items():
                place = Population(BALANCE.name, design, name, at, sample)
                weighted = sample == "after" and design in self._weighted
                named.extend(of_both(place, bit, stack, weighted=weighted))
            for fate, bit in _FATES.items() if with_fates else ():
                place = Population(SUPPORT.name, design, name, at, fate)
                named.append(Named(place, bit | TREATED, bit | TREATED, stack))
        return Units(self._tables.stack[own], self._firm[own], kind[own], tuple(named))

    def _of_score(self, model: str) -> Iterator[Units]:
        """Yield the balance of a model's own score."""
        scores = self._tables.of_model(model)
        known = np.zeros(len(self._firm), dtype=np.bool_)
        known[scores.loc[scores["propensity_score"].notna(), "row"]] = True
        for design, kind in self._kinds.items():
            if self._models[design] == model and known.any():
                yield self._of_rows(design, SCORE, known, kind, with_fates=False)

    def _outcome_variables(self) -> dict[Variable, list[tuple[str, str, str]]]:
        """Return what paths and baselines average, with design, outcome and table."""
        found: dict[Variable, list[tuple[str, str, str]]] = {}
        reference = self.study.treatment.reference_event_time
        for design, name in self.members.observed:
            outcome, stacks = self.study.outcomes[name], self.study.stacks[design]
            column, scale = str(outcome.column), _SCALES[str(outcome.transform)]
            for time in stacks.event_times.tolist():
                path = (design, name, OUTCOME_PATHS.name)
                found.setdefault(Variable(column, scale, time), []).append(path)
            base = Variable(column, scale if scale == "any" else LEVEL, reference)
            found.setdefault(base, []).append((design, name, BASELINES.name))
        return found

    def _of_path(
        self, design: str, outcome: str, table: str, variable: Variable
    ) -> Iterator[Units]:
        """Yield the units of a path at one event time."""
        stacks, observed = self.study.stacks[design], self.members.observed[design, outcome]
        column = int(np.flatnonzero(stacks.event_times == variable.event_time)[0])
        own = np.flatnonzero(observed[:, column])
        time = variable.event_time if table == OUTCOME_PATHS.name else None
        named = of_both(Population(table, design, outcome, event_time=time))
        kind = MEMBER + TREATED * stacks.treated[own]
        yield Units(stacks.stack[own], stacks.firm[own], kind, tuple(named))

    def _of_effects(self) -> Sources:
        """Return what makes the treated firms of effects, by outcome and design."""
        found: Sources = {}
        for place in self.members.sets:
            variable = Variable(place.variable, f"{ESTIMATES.name} {place.design}")
            found.setdefault(variable, []).append(partial(self._of_effect, place))
        return found

    def _of_effect(self, place: Population) -> Iterator[Units]:
        firm = self.members.sets[place]
        named = (Named(place, MEMBER, MEMBER),)
        yield Units(np.zeros_like(firm), firm, np.full_like(firm, MEMBER), named)


def _variable(name: str, covariate: Covariate) -> Variable:
    """Return what a covariate is: a column of one year, or else itself."""
    if covariate.at is not None and covariate.transform in _SCALES:
        return Variable(str(covariate.column), _SCALES[covariate.transform], covariate.at)
    level = covariate.transform == "level" and covariate.change is None and covariate.trend is None
    return Variable(name, LEVEL if level else "covariate")
