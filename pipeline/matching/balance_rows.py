"""The rows that balance is measured on: firms in stacks, sorted into cells of stack and group."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.selection.firm_stacks import FirmStacks


@dataclass(frozen=True)
class BalanceRows:
    """Hold the firms of all stacks, sorted by stack, comparison firms before treated.

    `row` (n,) points into COVARIATES and `place` from there back, `firm` numbers firms, `stack`
    points into `stacks`. `bounds` (2 stacks + 1,) part the rows into comparison and treated firms
    of each stack, which `cell` numbers.
    """

    row: Codes
    place: Codes
    firm: Codes
    stack: Codes
    stacks: list[str]
    treated: Flags
    cell: Codes
    bounds: Codes

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
    )


def level_weights(rows: BalanceRows, member: Flags) -> Floats:
    """Weight members so that each stack's comparison firms weigh as much as its treated."""
    counts = np.bincount(rows.cell[member], minlength=2 * len(rows.stacks))
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.nan_to_num(counts[1::2] / counts[::2], posinf=0.0)
    return np.where(member, np.where(rows.treated, 1.0, level[rows.stack]), 0.0)
