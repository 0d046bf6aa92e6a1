"""Time the stacked event study against pyfixest, side by side.

    python -m benchmarks.stacked_speed --peer pyfixest=<python>

Both start from the same rows in memory: firms in stacks of three entry years, six years around
entry beside the reference year, matching weights, one row in twenty missing, firm x stack and
year x stack effects, an effect for each entry year and event time, errors by 2,000 clusters.
`--sizes` are rows. pyfixest takes them as a regression on 18 columns, for which 10,000,000 rows
take 16 GB.
"""

import numpy as np

from benchmarks.result_file import HERE
from benchmarks.side_by_side import Comparison, Figures, Side, compare

ENTRY_YEARS = np.array([2010, 2012, 2014])
EVENT_TIMES = np.arange(-3, 4)
REFERENCE = -1
CLUSTERS = 2_000
MISSING = 0.05


def simulate(n_rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(20261129)
    n_units = int(n_rows / (len(EVENT_TIMES) - MISSING * (len(EVENT_TIMES) - 1)))
    stack = rng.integers(0, len(ENTRY_YEARS), n_units)
    treated = rng.random(n_units) < 0.15
    cluster = rng.integers(0, CLUSTERS, n_units)
    weight = np.where(treated, 1.0, rng.uniform(0.1, 1.5, n_units))
    shock = rng.normal(size=(CLUSTERS, len(EVENT_TIMES)))[cluster]
    y = rng.normal(size=(n_units, len(EVENT_TIMES))) + 0.3 * shock
    y += rng.normal(size=n_units)[:, None] + 0.1 * treated[:, None] * (EVENT_TIMES >= 0)
    seen = rng.random(y.shape) >= MISSING
    seen[:, EVENT_TIMES == REFERENCE] = True
    unit, column = np.nonzero(seen)
    by_unit = {"stack": stack, "treated": treated, "cluster": cluster, "weight": weight}
    rows = {name: values[unit] for name, values in by_unit.items()}
    return rows | {"unit": unit, "event_time": EVENT_TIMES[column], "y": y[unit, column]}


def ours(data: dict[str, np.ndarray]) -> Figures:
    from pipeline.effects.sample import StackedSample
    from pipeline.effects.stacks import Stacks
    from pipeline.estimators.stacked import fit_cells, year_cells
    from pipeline.estimators.stacked_regressors import event_regressors
    from pipeline.inference.analytic import infer

    unit = data["unit"]
    first = np.flatnonzero(np.diff(unit, prepend=-1))
    nowhere = np.zeros(len(first), dtype=np.intp)
    stacks = Stacks(
        design="matched",
        event_times=EVENT_TIMES,
        reference=REFERENCE,
        firm=np.arange(len(first)),
        cluster=data["cluster"][first],
        stack=ENTRY_YEARS[data["stack"][first]],
        treated=data["treated"][first],
        weight=data["weight"][first],
        base_row=nowhere,
        firm_row=nowhere,
        panel_row=nowhere[:, None],
        covered=np.ones((len(first), len(EVENT_TIMES)), dtype=np.bool_),
        n_firms_moved=0,
        sets=None,
        n_firms=len(first),
    )
    at = unit, data["event_time"] - EVENT_TIMES[0]
    values, weights = np.zeros((2, *stacks.covered.shape))
    values[at], weights[at] = data["y"], data["weight"]
    sample = StackedSample(stacks, values, weights)
    cells = fit_cells(sample, event_regressors(sample), year_cells(sample, None, None))
    inferred = infer(cells, "assignment")
    estimated = inferred.estimated
    pairs = zip(estimated.estimates.tolist(), inferred.std_errors.tolist(), strict=True)
    named = zip(estimated.terms, pairs, strict=True)
    return {f"{term.cohort} {term.event_time}": list(pair) for term, pair in named}


def pyfixest(data: dict[str, np.ndarray]) -> Figures:
    import pandas as pd
    import pyfixest as package

    columns = {name: data[name] for name in ("y", "unit", "cluster", "weight")}
    columns["cell"] = data["stack"] * len(EVENT_TIMES) + data["event_time"] - EVENT_TIMES[0]
    effects = {}
    for stack, entry_year in enumerate(ENTRY_YEARS):
        for time in EVENT_TIMES[EVENT_TIMES != REFERENCE]:
            here = (data["stack"] == stack) & (data["event_time"] == time) & data["treated"]
            name = f"d{len(effects)}"
            columns[name], effects[name] = here.astype(float), f"{entry_year} {time}"
    fit = package.feols(
        f"y ~ {' + '.join(effects)} | unit + cell",
        pd.DataFrame(columns),
        vcov={"CRV1": "cluster"},
        weights="weight",
        copy_data=False,
        store_data=False,
    )
    estimates, errors = fit.coef(), fit.se()
    return {name: [float(estimates[d]), float(errors[d])] for d, name in effects.items()}


COMPARISON = Comparison(
    name="stacked_speed",
    what="stacked event study, 3 entry years, 7 event times, errors by 2,000 clusters",
    counted="rows",
    simulate=simulate,
    sides={
        HERE: Side(ours, ("numpy", "pandas", "scipy"), own=True),
        "pyfixest": Side(pyfixest, ("pyfixest", "numpy", "pandas"), most=3_000_000),
    },
    size=10_000_000,
)

if __name__ == "__main__":
    compare(COMPARISON, __doc__)
