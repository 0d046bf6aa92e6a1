"""Effects that together tell of few firms: which of them stay.

Effects of one outcome, design and estimator are averages of cells, the effect of one entry year at
one event time. Those of all entry years less those of cells that are shown are those of the cell
that is not: of one firm, where it entered alone. What is needed more is admitted first, averages
over all firms before effects by event time, and cells last; comparison firms are taken as known.

Effects by group and on samples are of sets of treated firms, one inside the other, likewise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.datasets.results import ESTIMATES, OUTCOME_PATHS, TERM
from pipeline.exhibits.inputs import StudyResults
from pipeline.params.exhibit import Disclosure
from pipeline.publishing.disclosure.admission import Alternative, Candidate, Guard, admitted
from pipeline.publishing.disclosure.blocks import Block, Place, place
from pipeline.publishing.disclosure.joined_arms import OfArm
from pipeline.publishing.disclosure.span import Firms

# Whose effects are averages of the same cells.
_FIT = ["outcome", "design", "arm", "sample", "grouping", "subgroup", "estimator"]

# Families of averages of cells, the most needed first.
_NEED = (
    "att",
    "event_average",
    "simple",
    "event",
    "event_or_later",
    "event_or_earlier",
    "cohort_average",
    "year_average",
    "event_balanced_average",
    "event_bin",
    "anticipation",
    "cohort",
    "year",
    "event_balanced",
    "att_gt",
)


@dataclass(frozen=True)
class TreatedCells:
    """Hold the cells (k,) of an outcome under a design: entry year, event time, treated firms."""

    cohort: Integers
    event_time: Integers
    n_firms: Integers

    @cached_property
    def firms(self) -> Firms:
        """Return whose effects cells are: of an entry year the firms of a cell are in all larger.

        What two of its cells share is not known; that is as few firms as may be.
        """
        groups, sizes = list[Flags](), list[int]()
        for cohort in np.unique(self.cohort):
            own = self.cohort == cohort
            below = 0
            for size in np.unique(self.n_firms[own]).tolist():
                groups.append(own & (self.n_firms >= size))
                sizes.append(size - below)
                below = size
        shared = np.array(groups, dtype=np.bool_).reshape(len(groups), len(self.cohort))
        return Firms(self.n_firms, shared, np.array(sizes, dtype=np.int64))

    def average(self, own: Flags) -> Floats:
        """Return the average of cells by their firms as a form."""
        return np.where(own, self.n_firms / max(int(self.n_firms[own].sum()), 1), 0.0)

    def mean_of(self, parts: Flags, values: Integers) -> Floats:
        """Return the mean, each value counting alike, of averages of the cells (k,) with it."""
        different = np.unique(values[parts])
        averages = [self.average(parts & (values == value)) for value in different]
        return np.asarray(np.sum([np.zeros(len(parts)), *averages], axis=0)) / max(len(averages), 1)

    def _is_of(self, cohort: int) -> Flags:
        return np.asarray(self.cohort == cohort)

    def form(self, term: Mapping[str, Any], balanced_to: int) -> Floats | None:
        """Return an effect as an average of cells, None where it is none of these.

        Balanced are the entry years with cells up to the event time `balanced_to`.
        """
        after = self.event_time >= 0
        year = self.cohort + self.event_time
        last = max(term["event_time"] or 0, term["last_event_time"] or 0)
        span = (self.event_time >= (term["event_time"] or 0)) & (self.event_time <= last)
        long = self.cohort[self.event_time == balanced_to]
        balanced = np.isin(self.cohort, long) & (self.event_time <= balanced_to)
        forms: dict[str, Callable[[], Floats]] = {
            "att": lambda: self.average(after),
            "simple": lambda: self.average(after),
            "event_average": lambda: self.mean_of(after, self.event_time),
            "event": lambda: self.average(self.event_time == term["event_time"]),
            "event_or_earlier": lambda: self.average(self.event_time <= term["event_time"]),
            "event_or_later": lambda: self.average(self.event_time >= term["event_time"]),
            "cohort": lambda: self.mean_of(after & self._is_of(term["cohort"]), year),
            "cohort_average": lambda: self.average(after),
            "year": lambda: self.average(after & (year == term["year"])),
            "year_average": lambda: self.mean_of(after, year),
            "event_bin": lambda: self.mean_of(span, self.event_time),
            "anticipation": lambda: self.mean_of(span, self.event_time),
            "event_balanced": lambda: self.average(
                balanced & (self.event_time == term["event_time"])
            ),
            "event_balanced_average": lambda: self.mean_of(balanced & after, self.event_time),
            "att_gt": lambda: self.average(
                (self.cohort == term["cohort"]) & (year == term["year"])
            ),
        }
        return forms[term["term"]]() if term["term"] in forms else None


def telling_effects(
    results: StudyResults,
    estimates: pd.DataFrame,
    blocks: Sequence[Block],
    arm_of: Mapping[str, OfArm],
) -> Flags:
    """Mark the rows of ESTIMATES that, with others shown, tell of few firms.

    `estimates` are those of the results without what is hidden for other reasons; `arm_of` says
    which designs are of arms other than the headline's, whose effects are needed less.
    """
    rule = results.settings.exhibit.disclosure
    cells = _cells_of_paths(blocks)
    shown = estimates[estimates["estimate"].notna()]
    raw = results.estimates
    of_cells = raw[(raw["term"] == "att_gt") & raw["estimate"].notna() & raw["n_treated"].notna()]
    own = {fit: _cells_of_rows(rows) for fit, rows in of_cells.groupby(_FIT, sort=False)}
    gone = _telling_sets(rule, shown, blocks, arm_of)
    for fit, rows in shown.groupby(_FIT, sort=False):
        known = own.get(fit, cells.get((str(fit[0]), str(fit[1]))))
        if known is not None and (known.n_firms < rule.min_cell_firms).any():
            gone |= _refused(rule, known, rows)
    return np.asarray(estimates.index.isin(gone), dtype=np.bool_)


def _refused(rule: Disclosure, cells: TreatedCells, rows: pd.DataFrame) -> set[Any]:
    """Return the rows of one fit whose effects may not be shown; a term's stand or go together."""
    balanced = rows.loc[rows["term"] == "event_balanced", "event_time"]
    balanced_to = int(balanced.max()) if len(balanced) else 0
    found, candidates = list[list[Any]](), list[Candidate]()
    for _, own in rows.groupby(list(TERM), dropna=False, sort=False):
        term = {str(n): None if pd.isna(v) else v for n, v in own.iloc[0][list(TERM)].items()}
        form = cells.form(term, balanced_to)
        if form is not None:
            late = term["event_time"] or 0
            n_firms = int(cells.n_firms[form > 0].sum())
            need = (_NEED.index(term["term"]), int(late < 0), abs(late), -n_firms)
            found.append(list(own.index))
            candidates.append(Candidate(need, (Alternative({0: form[None, :]}),)))
    block = Block.of_effects(cells.firms, cells.cohort)
    return _not_admitted(rule, block, found, candidates)


def _not_admitted(
    rule: Disclosure, block: Block, rows: list[list[Any]], candidates: list[Candidate]
) -> set[Any]:
    """Return the rows of candidates that are not admitted."""
    guards = {block.number: Guard(block, rule)}
    chosen = admitted(candidates, guards)
    return {i for own, option in zip(rows, chosen, strict=True) if option is None for i in own}


def _cells_of_rows(rows: pd.DataFrame) -> TreatedCells:
    """Return the cells that an estimator's own rows tell."""
    own = rows.drop_duplicates(["cohort", "year"])
    cohort = own["cohort"].to_numpy(np.int64)
    time = own["year"].to_numpy(np.int64) - cohort
    return TreatedCells(cohort, time, own["n_treated"].to_numpy(np.int64))


def _cells_of_paths(blocks: Sequence[Block]) -> dict[tuple[str, str], TreatedCells]:
    """Return the cells of each outcome and design, by entry year and event time of its paths."""
    parts: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for block in blocks:
        for (table, design, _, _, outcome, time, *_), treated in block.sets:
            if table == OUTCOME_PATHS.name and treated:
                own = block.treated(place(table, design, outcome, event_time=time)) > 0
                n = np.where(own, block.firms.n_firms, 0)
                parts.setdefault((outcome, design), []).extend(
                    (int(stack), int(time), int(n[block.stack == stack].sum()))
                    for stack in np.unique(block.stack[own])
                )
    return {key: TreatedCells(*np.array(cells, dtype=np.int64).T) for key, cells in parts.items()}


def _telling_sets(
    rule: Disclosure, shown: pd.DataFrame, blocks: Sequence[Block], arm_of: Mapping[str, OfArm]
) -> set[Any]:
    """Return the rows of groups and samples that, with those of all firms, tell of few."""
    of = ["design", "sample", "outcome", "grouping", "subgroup"]
    rows = {_place(*map(str, key)): list(own.index) for key, own in shown.groupby(of, sort=False)}
    gone = set[Any]()
    for block in blocks:
        places = [found for found, _ in block.sets if found[0] == ESTIMATES.name and found in rows]
        forms = {found: block.treated(found) for found in places}
        candidates = [
            Candidate(_need_of_set(found, block, form, arm_of), (_option(block, form),))
            for found, form in forms.items()
        ]
        if candidates:
            gone |= _not_admitted(rule, block, [rows[found] for found in places], candidates)
    return gone


def _place(design: str, sample: str, outcome: str, grouping: str, subgroup: str) -> Place:
    return place(
        ESTIMATES.name, design, outcome, sample=sample, grouping=grouping, subgroup=subgroup
    )


def _need_of_set(
    found: Place, block: Block, form: Floats, arm_of: Mapping[str, OfArm]
) -> tuple[int, ...]:
    """Return the order of sets: all firms, samples, groups, the headline's arm, the largest."""
    _, design, _, sample, _, _, grouping, _ = found
    n_firms = int(form @ block.firms.n_firms)
    return int(grouping != "all"), int(sample != "all"), int(design in arm_of), -n_firms


def _option(block: Block, form: Floats) -> Alternative:
    return Alternative({block.number: form[None, :]})
