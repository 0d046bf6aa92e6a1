"""The stacked panel of one design: who is compared with whom, and where their rows are.

Built once per design and shared by its outcomes. A *unit* is a firm in a stack; a firm that
serves several stacks is several units. Tables are joined once, by key; after that only codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import dense_codes
from pipeline.errors import DataError
from pipeline.panel.panel_index import NO_ROW, PanelIndex
from pipeline.params.treatment import TreatmentSection

# Weights beyond this are no sampling or matching weights; below its inverse they count as zero.
LARGEST_WEIGHT = 1e100


@dataclass(frozen=True)
class SetMembers:
    """List the members of matched sets: unit, set code and set weight, each of shape (m,)."""

    unit: Codes
    set_code: Codes
    weight: Floats


@dataclass(frozen=True)
class Stacks:
    """Hold the units of one design and their PANEL rows by event time.

    Arrays over units, shape (u,): `firm` and `cluster` codes, `stack` (entry year), `treated`,
    `weight`, `base_row` (PANEL row of the base year), `firm_row` (some PANEL row of the firm, for
    what does not change). `panel_row` (u, event times) holds PANEL
    positions, NO_ROW where the firm is absent; `covered` says whether PANEL has that year at all.
    `sets` is None for a design without matched sets. `n_firms` counts the firms of PANEL, F.
    `levels` (F,) are the further clusters that specs name, by firm code; `names` gives the names of
    the codes of each and of `assignment`, those of `cluster`.
    """

    design: str
    event_times: NDArray[np.int64]
    reference: int
    firm: Codes
    cluster: Codes
    stack: NDArray[np.int64]
    treated: Flags
    weight: Floats
    base_row: Codes
    firm_row: Codes
    panel_row: Codes
    covered: Flags
    n_firms_moved: int
    sets: SetMembers | None
    n_firms: int
    levels: Mapping[str, Codes] = field(default_factory=dict)
    names: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)

    @property
    def assignment(self) -> Codes:
        """Return the assignment cluster by firm code, (F,)."""
        code = np.zeros(self.n_firms, dtype=np.intp)
        code[self.firm] = self.cluster
        return code

    @property
    def matched_set(self) -> Codes | None:
        """Return the matched set by firm code, (F,), -1 for none; None for a design without sets.

        A firm in several sets has one of them: such designs are not clustered by set.
        """
        if self.sets is None:
            return None
        code = np.full(self.n_firms, -1, dtype=np.intp)
        code[self.firm[self.sets.unit]] = self.sets.set_code
        return code

    @cached_property
    def entry_years(self) -> tuple[NDArray[np.int64], Codes]:
        """Return the entry years, ascending, and the position of each unit's among them, (u,)."""
        first = int(self.stack.min(initial=0))
        code = self.stack - first
        return first + np.flatnonzero(np.bincount(code)), dense_codes(code)

    def only(self, units: Codes, weight: Floats, sets: SetMembers | None = None) -> "Stacks":
        """Return some of the units, with weights of their own and sets among them."""
        return replace(
            self,
            firm=self.firm[units],
            cluster=self.cluster[units],
            stack=self.stack[units],
            treated=self.treated[units],
            weight=weight,
            base_row=self.base_row[units],
            firm_row=self.firm_row[units],
            panel_row=self.panel_row[units],
            covered=self.covered[units],
            sets=sets,
        )

    @property
    def reference_column(self) -> int:
        """Return the position of the reference event time among the event times."""
        return int(np.flatnonzero(self.event_times == self.reference)[0])


def join_stacks(
    index: PanelIndex,
    weights: pd.DataFrame,
    matches: pd.DataFrame,
    design: str,
    treatment: TreatmentSection,
) -> Stacks:
    """Join one design's WEIGHTS and MATCHES to PANEL over the event window.

    Raises DataError where WEIGHTS names a firm that PANEL lacks, or has a weight that is negative
    or no number.
    """
    units = weights[weights["design"] == design]
    weight = checked_weights(units["weight"].to_numpy(np.float64, na_value=np.nan), design)
    firm = np.asarray(index.firms.get_indexer(pd.Index(units["firm_id"])), dtype=np.intp)
    if (firm < 0).any():
        raise DataError(f"{design}: {int((firm < 0).sum())} rows of WEIGHTS have no firm in PANEL")
    stack = units["stack"].to_numpy(dtype=np.int64)
    treated = units["treated"].to_numpy(dtype=np.bool_)
    base_year = units["base_year"].to_numpy(dtype=np.int64)
    dated, clusters = pd.factorize(units["cluster"])
    cluster, n_firms_moved = firm_clusters(np.asarray(dated, np.intp), firm, stack, treated)
    return Stacks(
        design=design,
        firm=firm,
        cluster=cluster,
        stack=stack,
        treated=treated,
        weight=weight,
        n_firms_moved=n_firms_moved,
        sets=_set_members(index, matches[matches["design"] == design], firm, stack),
        names={"assignment": np.asarray(clusters, dtype=np.object_)},
        **rows_of_units(index, firm, stack, base_year, treatment),
    )


def rows_of_units(
    index: PanelIndex,
    firm: Codes,
    stack: NDArray[np.int64],
    base_year: NDArray[np.int64],
    treatment: TreatmentSection,
) -> dict[str, Any]:
    """Return what Stacks says of units' rows in PANEL over the event window; arguments are (u,)."""
    window = treatment.window
    event_times = np.arange(window.first_event_time, window.last_event_time + 1)
    return {
        "event_times": event_times,
        "reference": treatment.reference_event_time,
        "base_row": index.rows(firm, base_year[:, None])[:, 0],
        "firm_row": index.row.max(axis=1, initial=NO_ROW)[firm],
        "panel_row": index.rows(firm, stack[:, None] + event_times),
        "covered": index.covers(stack[:, None] + event_times),
        "n_firms": len(index.firms),
    }


def checked_weights(weight: Floats, design: str) -> Floats:
    """Return weights (u,); raise DataError unless each is zero or a number of ordinary size."""
    faulty = int((~((weight >= 0) & (weight <= LARGEST_WEIGHT))).sum())
    if faulty:
        raise DataError(
            f"{design}: {faulty} of {len(weight)} weights are negative, missing or infinite; "
            "weights are zero or more: correct the file that they come from"
        )
    return np.where(weight < 1 / LARGEST_WEIGHT, 0.0, weight)


def firm_clusters(
    dated: Codes, firm: Codes, stack: NDArray[np.int64], treated: Flags
) -> tuple[Codes, int]:
    """Give each firm one assignment cluster, and count the firms that had to choose.

    `dated` (u,) is each unit's cluster in its stack's base year, so that a firm that moves has
    several. It keeps the one of the stack in which it is treated, else of its first stack: its
    errors then never spread over two clusters, and firm x stack effects stay nested in clusters.
    """
    chosen = np.zeros(int(firm.max(initial=-1)) + 1, dtype=np.intp)
    chosen[firm] = dated
    moved = np.zeros(len(chosen), dtype=np.bool_)
    moved[firm[chosen[firm] != dated]] = True
    units = np.flatnonzero(moved[firm])
    own = units[own_units(firm[units], stack[units], treated[units])]
    chosen[firm[own]] = dated[own]
    return chosen[firm], int(moved.sum())


def own_units(firm: Codes, stack: NDArray[np.int64], treated: Flags) -> Codes:
    """Return one unit per firm: that of the stack in which it is treated, else of its first."""
    order = np.lexsort((stack, ~treated, firm))
    return np.asarray(order[np.unique(firm[order], return_index=True)[1]], dtype=np.intp)


def unit_covariates(
    stacks: Stacks, panel: pd.DataFrame, covariates: pd.DataFrame, names: list[str]
) -> Floats:
    """Return COVARIATES by unit, shape (u, k); a value that it lacks is missing."""
    firm_id = panel["firm_id"].to_numpy()[stacks.firm_row]
    keys = pd.MultiIndex.from_arrays([stacks.stack, firm_id])
    indexed = covariates.set_index(["stack", "firm_id"])[names]
    return indexed.reindex(keys).to_numpy(dtype=np.float64)


def firm_covariates(
    stacks: Stacks, panel: pd.DataFrame, covariates: pd.DataFrame, names: list[str]
) -> Floats:
    """Return COVARIATES by firm code, shape (firms, k), dated as in the firm's own unit."""
    by_unit = unit_covariates(stacks, panel, covariates, names)
    unit = own_units(stacks.firm, stacks.stack, stacks.treated)
    values = np.full((int(stacks.firm.max(initial=-1)) + 1, len(names)), np.nan)
    values[stacks.firm[unit]] = by_unit[unit]
    return values


def _set_members(
    index: PanelIndex, matches: pd.DataFrame, firm: Codes, stack: NDArray[np.int64]
) -> SetMembers | None:
    if matches.empty:
        return None
    member = index.firms.get_indexer(pd.Index(matches["firm_id"]))
    units = pd.MultiIndex.from_arrays([stack, firm])
    unit = units.get_indexer(
        pd.MultiIndex.from_arrays([matches["stack"].to_numpy(dtype=np.int64), member])
    )
    if (unit < 0).any():
        raise DataError(f"{int((unit < 0).sum())} rows of MATCHES have no firm in WEIGHTS")
    set_code = matches.groupby(["stack", "set_id"], sort=False).ngroup()
    return SetMembers(
        unit=np.asarray(unit, dtype=np.intp),
        set_code=np.asarray(set_code, dtype=np.intp),
        weight=matches["set_weight"].to_numpy(dtype=np.float64),
    )
