"""Entry years of few firms: effects that speak of them alone, and remarks that name them.

An effect at an event time that only some entry years reach is, where these have few firms, that of
few. Where the others have few, the number of firms behind it, less that of all, tells how many: the
number stays, and no remark says of which entry years it is.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags
from pipeline.datasets.populations import EVERY, TREATED
from pipeline.datasets.reasons import packed_remarks, unpacked_remarks
from pipeline.datasets.results import ESTIMATES
from pipeline.errors import Reason
from pipeline.exhibits.inputs import CountedFirms
from pipeline.publishing.disclosure.counted import CELL

_ONLY, _WITHOUT_ERROR = "entry_years_only", "entry_years_left_out_of_error"

# Treated firms of an entry year, by design and outcome.
Sizes = dict[tuple[str, str], dict[int, int]]


def entry_year_sizes(counted: CountedFirms, reference: int) -> Sizes:
    """Return how many treated firms of each entry year a sample has in the reference year.

    Of what is no outcome of the panel, survival say, the most that any outcome has.
    """
    size = counted.firms.groupby("counted")["n_firms"].sum()
    sets = counted.sets
    own = sets["table"].eq(ESTIMATES.name) & sets["part"].eq(CELL) & sets["treated"].eq(TREATED)
    found: Sizes = {}
    for row in sets[own & sets["time"].eq(reference)].to_dict("records"):
        year, n_firms = int(row["stack"]), int(size[row["counted"]])
        found.setdefault((row["design"], row["variable"]), {})[year] = n_firms
        most = found.setdefault((row["design"], EVERY), {})
        most[year] = max(n_firms, most.get(year, 0))
    return found


def _of(sizes: Sizes, design: str, outcome: str) -> dict[int, int]:
    return sizes.get((design, outcome)) or sizes.get((design, EVERY), {})


def few_behind(estimates: pd.DataFrame, sizes: Sizes, minimum: int) -> Flags:
    """Mark effects on entry years of few firms only."""
    only = []
    places = zip(estimates["design"], estimates["outcome"], estimates["remarks"], strict=True)
    for design, outcome, remarks in places:
        of = _of(sizes, design, outcome)
        seen = sum(of.get(year, 0) for year in _years(unpacked_remarks(remarks), _ONLY))
        only.append(0 < seen < minimum)
    return np.array(only, dtype=np.bool_)


def without_lone_years(estimates: pd.DataFrame, sizes: Sizes, minimum: int) -> pd.DataFrame:
    """Leave out remarks that name entry years of few firms, or all but such years."""
    told = []
    places = zip(estimates["design"], estimates["outcome"], estimates["remarks"], strict=True)
    for design, outcome, remarks in places:
        found = unpacked_remarks(remarks)
        of = _of(sizes, design, outcome)
        kept = [remark for remark in found if not _tells(remark, of, minimum)]
        told.append(remarks if len(kept) == len(found) else packed_remarks(kept))
    return estimates.assign(remarks=pd.Series(told, index=estimates.index, dtype="str"))


def _tells(remark: Reason, of: dict[int, int], minimum: int) -> bool:
    """Say whether few firms are in the entry years that a remark names, or leaves out."""
    if remark.code not in (_ONLY, _WITHOUT_ERROR):
        return False
    named = sum(of.get(year, 0) for year in remark.fields["years"])
    if remark.code == _ONLY:
        return 0 < sum(of.values()) - named < minimum
    return 0 < named < minimum


def _years(remarks: Iterable[Reason], code: str) -> list[int]:
    return [year for remark in remarks if remark.code == code for year in remark.fields["years"]]
