"""Coverage of direct, indirect and total effects: `python -m benchmarks.spillover --seeds 500`.

80 cells of 25 firms, 30 of them treated; of their firms 30 percent take part and change by .10,
the others by .04; cells and firms have shocks. With firms of other cells as comparison, b is the
total effect on participants, g spillover, and N_T b + N_S g what all of it comes to. By arrays,
as two differences in means and influences by cell: `tests/test_arm_studies.py` holds these to what
the stages give. Writes docs/spillover_coverage.csv: means, and the share of 95% intervals that hold
the truth by the joint covariance, without what the two effects share, and by firm.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

CELLS, TREATED, FIRMS, SHARE = 80, 30, 25, 0.3
TOTAL, SPILL = 0.10, 0.04
# Shocks of cells are small beside those of firms: what a whole cell shares is what errors by firm
# leave out.
CELL_SD, FIRM_SD = 0.04, 0.30

OUT = Path(__file__).parent.parent / "docs" / "spillover_coverage.csv"

# What intervals rest on: both effects over cells, each alone, firms as if each were a cell.
KINDS = ("joint", "apart", "by_firm")


def drawn_firms(seed: int) -> pd.DataFrame:
    """Return the firms of one draw: cell (c00 ...), whether it joins, and its change."""
    rng = np.random.default_rng(seed)
    cell = np.repeat(np.arange(CELLS), FIRMS)
    treated = cell < TREATED
    joins = treated & (rng.random(len(cell)) < SHARE)
    effect = np.where(joins, TOTAL, np.where(treated, SPILL, 0.0))
    shock = rng.normal(0, CELL_SD, CELLS)[cell] + rng.normal(0, FIRM_SD, len(cell))
    names = [f"c{number:02d}" for number in range(CELLS)]
    firm = [f"f{number:04d}" for number in range(len(cell))]
    return pd.DataFrame(
        {"firm": firm, "cell": np.array(names)[cell], "change": effect + shock, "joins": joins}
    )


def effects(firms: pd.DataFrame) -> dict[str, float]:
    """Return effects and their standard errors by each kind, `direct`, `indirect` and `sum`.

    An effect is a difference in means against firms of other cells, a firm's influence its
    deviation over the number of its group. `all_others` and `same_cell` are the effects on
    participants that other pools would show.
    """
    joins, change = firms["joins"].to_numpy(), firms["change"].to_numpy()
    cell = pd.factorize(firms["cell"])[0]
    reached = np.isin(cell, cell[joins])
    spilt, clean = reached & ~joins, ~reached
    numbers = {"direct": int(joins.sum()), "indirect": int(spilt.sum())}
    found = {f"n_{name}": float(n) for name, n in numbers.items()}
    found["all_others"] = change[joins].mean() - change[~joins].mean()
    found["same_cell"] = change[joins].mean() - change[spilt].mean()
    for kind in KINDS:
        cluster = np.arange(len(cell)) if kind == "by_firm" else cell
        influence = {
            name: influence_of(change, group, clean, cluster)
            for name, group in (("direct", joins), ("indirect", spilt))
        }
        summed = [influence[name] * n for name, n in numbers.items()]
        square = sum(s**2 for s in summed) if kind == "apart" else sum(summed) ** 2
        found |= {f"{n}_{kind}": float(np.sqrt((v**2).sum())) for n, v in influence.items()}
        found[f"sum_{kind}"] = float(np.sqrt(np.sum(square)))
    for name, group in (("direct", joins), ("indirect", spilt)):
        found[name] = change[group].mean() - change[clean].mean()
    found["sum"] = sum(n * found[name] for name, n in numbers.items())
    return found


def influence_of(
    change: np.ndarray, group: np.ndarray, clean: np.ndarray, cluster: np.ndarray
) -> np.ndarray:
    """Return each cluster's influence on a difference in means, with its small-sample factor.

    That of the regression over two years, one regressor and a year: G/(G-1) x (2n-1)/(2n-3).
    """
    n, sums = 0, np.zeros(int(cluster.max()) + 1)
    for side, sign in ((group, 1), (clean, -1)):
        deviation = sign * (change[side] - change[side].mean()) / side.sum()
        sums += np.bincount(cluster[side], deviation, len(sums))
        n += 2 * int(side.sum())
    n_clusters = len(np.unique(cluster[group | clean]))
    return sums * np.sqrt(n_clusters / (n_clusters - 1) * (n - 1) / (n - 3))


def summary(seeds: int) -> pd.DataFrame:
    """Return means with Monte-Carlo errors, and coverage by kind, over seeds from 0."""
    draws = pd.DataFrame([effects(drawn_firms(seed)) for seed in range(seeds)])
    n_total = draws["n_direct"] * TOTAL + draws["n_indirect"] * SPILL
    truths = {"direct": TOTAL, "indirect": SPILL, "sum": n_total}
    rows = []
    for name in ("direct", "indirect", "sum", "all_others", "same_cell"):
        row = {"quantity": name, "mean": draws[name].mean()}
        row["mc_error"] = draws[name].std() / np.sqrt(seeds)
        if name in truths:
            row["truth"] = float(np.mean(truths[name]))
            off = (draws[name] - truths[name]).abs()
            for kind in KINDS:
                df = (CELLS if kind != "by_firm" else CELLS * FIRMS) - 1
                reach = draws[f"{name}_{kind}"] * stats.t.ppf(0.975, df)
                row[f"coverage_{kind}"] = float((off <= reach).mean())
        rows.append(row)
    return pd.DataFrame(rows).assign(seeds=seeds)


def main() -> None:
    """Write the summary."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=500, help="draws, from seed 0")
    found = summary(parser.parse_args().seeds)
    found.to_csv(OUT, index=False, float_format="%.6g", lineterminator="\n")
    print(found.to_string(index=False))


if __name__ == "__main__":
    main()
