"""Private tables of sets of firms, counted by the pipeline from sets that a test names."""

import numpy as np
import pandas as pd

from pipeline.analyses.populations import by_signature, tables_of
from pipeline.datasets.populations import POPULATION_SETS, POPULATIONS, SHARED_FIRMS, SIGNATURES
from pipeline.datasets.store import conform
from pipeline.effects.populations import MEMBER, TREATED, Named, Units
from pipeline.exhibits.inputs import Populations

TABLES = (POPULATION_SETS, POPULATIONS, SIGNATURES, SHARED_FIRMS)


def populations(*blocks, n_firms=200):
    """Return the tables of blocks: each maps a place to its units (stack, firm); sizes by firm.

    A block is a mapping, or a pair of one and the sizes (n_firms,) of its values.
    """
    parts = {table: [] for table in TABLES}
    for number, block in enumerate(blocks, 1):
        sets, sizes = block if isinstance(block, tuple) else (block, None)
        stacks = np.unique([stack for units in sets.values() for stack, _ in units])
        found = by_signature(
            [units_of(place, units) for place, units in sets.items()], stacks, n_firms
        )
        own = None if sizes is None else np.asarray(sizes, float)[found.firm]
        for table, rows in tables_of(found, own).items():
            parts[table].append(rows.assign(block=number))
    names = ("sets", "populations", "signatures", "shared")
    tables = [conform(table, pd.concat(parts[table])) for table in TABLES]
    return Populations(**dict(zip(names, tables, strict=True)))


def units_of(place, units):
    """Return the units of one set, treated or not as its place says."""
    stack, firm = np.array(sorted(set(units)), dtype=np.intp).reshape(-1, 2).T
    kind = MEMBER | (TREATED if place.treated else 0)
    return Units(stack, firm, np.full_like(firm, kind), (Named(place, kind, kind),))


def firms(*codes, stack=2009):
    """Return units of one stack."""
    return [(stack, code) for code in codes]
