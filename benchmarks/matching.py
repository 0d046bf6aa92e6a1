"""Score and match 1:1 to the nearest, against pymatchit-causal and R's MatchIt, side by side.

    python -m benchmarks.matching --peer pymatchit-causal=<python> --peer MatchIt=<Rscript>

One in ten firms is treated; a logit on five covariates (here by statsmodels, its table included),
then nearest neighbours without replacement on the linear score, caliper 0.2 SD, inside 20 exact
cells, highest scores first. Beside them a plain neighbour search by scikit-learn on the same firms
(with replacement, no caliper). MatchIt is R's, from Debian (r-cran-matchit), and reads the firms
from a file outside the clock.
"""

import contextlib
import io
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.result_file import HERE
from benchmarks.side_by_side import Comparison, Figures, Side, compare

COVARIATES = [f"x{i}" for i in range(1, 6)]
MATCHIT = Path(__file__).parent / "matchit.R"
OF_MATCHIT = (
    "MatchIt 4.5.1 pairs some firms beyond the caliper (0.44 apart at a caliper of 0.125 among "
    "10,000 firms of this benchmark), so that its figures differ."
)


def firms(n: int) -> pd.DataFrame:
    """Draw firms whose treatment depends on their covariates; exactly one in ten is treated."""
    rng = np.random.default_rng(n)
    table = pd.DataFrame(rng.normal(size=(n, len(COVARIATES))), columns=COVARIATES)
    index = 0.3 * table.sum(axis=1).to_numpy() + rng.logistic(size=n)
    treated = index >= np.sort(index)[-(n // 10)]
    return table.assign(treat=treated.astype(int), cell=rng.integers(0, 20, n))


def figures(table: pd.DataFrame, matched: np.ndarray) -> Figures:
    """Return how many firms are matched, and the mean of each covariate among comparison firms."""
    found = table.iloc[matched]
    means = found.loc[found["treat"] == 0, COVARIATES].mean()
    return {"matched": [float(len(found))], **{name: [means[name]] for name in COVARIATES}}


def ours(table: pd.DataFrame) -> Figures:
    from pipeline.matching.nearest import caliper_width, match_nearest
    from pipeline.selection.score_fit import fit_score

    treated = table["treat"].to_numpy() == 1
    score = fit_score(table[COVARIATES], treated, "logit").linear_score
    sets = match_nearest(
        score,
        treated,
        ratio=1,
        replacement=False,
        caliper=caliper_width(score, treated, 0.2, "all"),
        cells=table["cell"].to_numpy(),
        order="largest",
        tie_tolerance=0.0,
    )
    return figures(table, np.concatenate([sets.treated, sets.control]))


def scikit_learn(table: pd.DataFrame) -> None:
    """Score without penalty, then ask for the nearest neighbour in each cell."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import NearestNeighbors

    model = LogisticRegression(C=np.inf).fit(table[COVARIATES], table["treat"])
    score = model.decision_function(table[COVARIATES])[:, None]
    treated, cell = table["treat"].to_numpy() == 1, table["cell"].to_numpy()
    for value in np.unique(cell):
        inside = cell == value
        found = NearestNeighbors(n_neighbors=1).fit(score[inside & ~treated])
        found.kneighbors(score[inside & treated])


def pymatchit(table: pd.DataFrame) -> Figures:
    from pymatchit import MatchIt

    with contextlib.redirect_stdout(io.StringIO()):
        model = MatchIt(table, link="linear.logit", exact=["cell"], caliper=0.2)
        model.fit(f"treat ~ {' + '.join(COVARIATES)}")
    return figures(table, model.matched_data.index.to_numpy())


def matchit(table: pd.DataFrame, rscript: str) -> dict[str, Any]:
    """Match by R's MatchIt, which measures its own process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "firms.bin"
        table[[*COVARIATES, "treat", "cell"]].to_numpy(np.float64).ravel("F").tofile(file)
        command = [rscript, str(MATCHIT), str(file), str(len(table))]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = json.loads(printed.splitlines()[-1])
    matched = np.array(found.pop("matched"), dtype=np.intp) - 1
    return {**found, "figures": figures(table, matched)}


OWN = ("numpy", "pandas", "statsmodels")

COMPARISON = Comparison(
    name="matching",
    what="logit on 5 covariates and 1:1 nearest matching, caliper 0.2 SD, 20 exact cells",
    counted="firms",
    simulate=firms,
    sides={
        HERE: Side(ours, OWN, own=True),
        "scikit-learn": Side(scikit_learn, ("scikit-learn",), own=True),
        # Beyond this it takes hours.
        "pymatchit-causal": Side(pymatchit, ("pymatchit-causal", "pandas"), most=100_000),
        "MatchIt": Side(matchit, (), program=True, note=OF_MATCHIT),
    },
    size=1_000_000,
)

if __name__ == "__main__":
    compare(COMPARISON, __doc__)
