"""The rows that balance is measured on: firms in stacks, sorted into cells of stack and group."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.selection.firm_stacks import FirmStacks
from pipeline.selection.frequency import times_of


@dataclass(frozen=True)
class BalanceRows:
    """Hold the firms of all stacks, sorted by stack, comparison firms before treated.

    `row` (n,) points into COVARIATES and `place` from there back, `firm` numbers firms, `stack`
    points into `stacks`. `bounds` (2 stacks + 1,) part the rows into comparison and treated firms
    of each stack, which `cell` numbers. `sampling` (n,) are sampling weights, None without any.
    """

    row: Codes
    place: Codes
    firm: Codes
    stack: Codes
    stacks: list[str]
    treated: Flags
    cell: Codes
    bounds: Codes
    sampling: Floats | None = None

    def has_stack(self, member: Flags) -> Flags:
        """Mark the stacks that have members."""
        return np.asarray(np.logical_or.reduceat(member, self.bounds[:-1:2]))


def balance_rows(tables: FirmStacks) -> BalanceRows:
    """Return the firms of COVARIATES in cells, by who is treated in SCORES."""
    treated = np.zeros(len(tables.firm), dtype=np.bool_)
    treated[tables.scores["row"]] = tables.scores["treated"]
    stacks, stack = np.unique(tables.stack, return_inverse=True)
    cell = 2 * stack + treated
    # whole numbers of 16 bits are sorted in time proportional to their number
    row = np.argsort(cell.astype(np.int16), kind="stable")
    place = np.empty_like(row)
    place[row] = np.arange(len(row))
    return BalanceRows(
        row=row,
        place=place,
        firm=tables.firm[row],
        stack=stack[row],
        stacks=[str(year) for year in stacks],
        treated=treated[row],
        cell=cell[row],
        bounds=np.searchsorted(cell[row], np.arange(2 * len(stacks) + 1)),
        sampling=None if tables.sampling is None else tables.sampling[row],
    )


def level_weights(rows: BalanceRows, member: Flags) -> Floats:
    """Weight members so that each stack's comparison firms weigh as much as its treated.

    The treated weigh 1, or their sampling weights, in proportion to which comparison firms do then.
    """
    mass = times_of(rows.sampling, len(rows.row))
    counts = np.bincount(rows.cell[member], mass[member], 2 * len(rows.stacks))
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.nan_to_num(counts[1::2] / counts[::2], posinf=0.0)
    return np.where(member, mass * np.where(rows.treated, 1.0, level[rows.stack]), 0.0)
