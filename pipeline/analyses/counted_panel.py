"""Whom counts of the panel count: entry years, and values of each column by year and group."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.analyses.counted_sets import CountedSets, CountPlace
from pipeline.datasets.arrays import Codes, Flags
from pipeline.datasets.panel import COVERAGE, ENTRY_YEAR, PROFILE, YEAR
from pipeline.datasets.populations import COMPARISON, NOUGHTS, ONES, TREATED
from pipeline.panel.panel_index import NO_ROW, PanelIndex

_PLAIN = ["firm_id", "year", "cohort"]


def is_binary(values: pd.Series) -> bool:
    """Say whether values are zeros and ones."""
    return pd.api.types.is_numeric_dtype(values.dtype) and bool(values.dropna().isin([0, 1]).all())


def entrants(panel: pd.DataFrame, index: PanelIndex) -> tuple[Codes, Codes]:
    """Return the codes of the firms that enter, and their entry years."""
    first = panel.drop_duplicates("firm_id")
    entered = first[first["cohort"].notna()]
    year: Codes = entered["cohort"].to_numpy(np.intp)
    return index.codes(entered["firm_id"]), year


def count_panel(sets: CountedSets, panel: pd.DataFrame, index: PanelIndex) -> None:
    """Add the firms of each entry year, and those with a value of each column in each year."""
    code, entry = entrants(panel, index)
    for year in np.flatnonzero(np.bincount(entry)).tolist():
        rows = CountPlace(PROFILE.name, "n_rows", part=ENTRY_YEAR, time=year, treated=TREATED)
        sets.add(rows, code[entry == year])
    treated = np.zeros(len(index.firms), dtype=np.bool_)
    treated[code] = True
    there = index.row != NO_ROW
    for name in [name for name in panel.columns if name not in _PLAIN]:
        one = None
        if is_binary(panel[name]):
            one = np.append(panel[name].eq(1).to_numpy(), False)[index.row] & there
        has = np.append(panel[name].notna().to_numpy(), False)[index.row] & there
        for group, of in ((True, TREATED), (False, COMPARISON)):
            own = treated == group
            place = CountPlace(COVERAGE.name, "n_firms", variable=name, treated=of)
            everyone = np.flatnonzero(own)
            for year, column in _years(index.first_year, there):
                sets.add(place.but(time=year), everyone)
                seen = np.flatnonzero(own & has[:, column])
                sets.add(place.but(column="n_observed", time=year), seen)
                rows = CountPlace(PROFILE.name, "n_rows", part=YEAR, variable=name, time=year)
                sets.add(rows.but(treated=of), np.flatnonzero(own & there[:, column]))
                lacking = np.flatnonzero(own & there[:, column] & ~has[:, column])
                sets.add(rows.but(column="n_missing", treated=of), lacking)
                if one is not None:
                    own_rows = own & has[:, column]
                    ones = np.flatnonzero(own_rows & one[:, column])
                    noughts = np.flatnonzero(own_rows & ~one[:, column])
                    sets.add(rows.but(column=ONES, treated=of), ones)
                    sets.add(rows.but(column=NOUGHTS, treated=of), noughts)


def _years(first: int, there: Flags) -> Iterator[tuple[int, int]]:
    """Yield the years that PANEL has, and their columns."""
    for column in np.flatnonzero(there.any(axis=0)).tolist():
        yield first + column, column
