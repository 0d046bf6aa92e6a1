"""Which arms the register puts each firm in, and when: every row counts, not one value a firm."""

import pandas as pd

from pipeline.datasets.arms import ARM_ENTRIES
from pipeline.datasets.store import conform, empty
from pipeline.errors import DataError
from pipeline.panel.register_fields import RegisterRows, amounts
from pipeline.panel.values import refuse_other_spellings, register_words
from pipeline.params.arms import Arms, RegisterArm
from pipeline.params.data import RegisterColumns


def arm_entries(rows: RegisterRows, columns: RegisterColumns, arms: Arms) -> pd.DataFrame:
    """Return ARM_ENTRIES: the first year in which a firm enters by a row that an arm takes.

    Raises DataError where the register spells a value of an arm otherwise, or has none of it.
    """
    parts = []
    for name, arm in arms.of("register").items():
        assert isinstance(arm, RegisterArm), "of the register"
        taken = rows.entered & _taken(rows.register, columns, arm, f"treatment.arms.named.{name}")
        if not taken.any():
            raise DataError(
                f"treatment.arms.named.{name}: no row of the register that counts as entry fulfils "
                "it; correct its values, or take it out"
            )
        first = rows.year[taken].groupby(rows.firm[taken]).min()
        parts.append(first.rename("cohort").rename_axis("firm_id").reset_index().assign(arm=name))
    return conform(ARM_ENTRIES, pd.concat(parts)) if parts else empty(ARM_ENTRIES)


def _taken(
    register: pd.DataFrame, columns: RegisterColumns, arm: RegisterArm, path: str
) -> pd.Series:
    """Flag the rows that fulfil all that an arm asks for."""
    taken = pd.Series(True, index=register.index)
    for name, values in arm.values.items():
        column = getattr(columns, name)
        words = register_words(register[column])
        refuse_other_spellings(words, values, f"{column} (register)", f"{path}.{name}")
        taken &= words.isin(values)
    if arm.amount is None:
        return taken
    low, high = arm.amount
    amount = amounts(register[columns.amount], f"{columns.amount} (register)")
    above = amount.notna() if low is None else amount > low
    return taken & above & (True if high is None else amount <= high)
