"""Poisson with absorbed effects and separation as R's fixest and Stata's ppmlhdfe print them.

Sources in reference/README.md.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from regressions import poisson

from pipeline.effects.absorb import singletons_dropped
from pipeline.effects.separation import usable_rows

REFERENCE = Path(__file__).parent / "reference"
EXAMPLES = pd.read_csv(REFERENCE / "separation_examples.csv", dtype={"example": str})


def codes(values):
    return pd.factorize(values)[0].astype(np.intp)


@pytest.mark.parametrize("name", EXAMPLES["example"].unique())
def test_exactly_the_separated_rows_are_found(name):
    """Data sets by the authors of ppmlhdfe, who marked the rows; a third effect is a regressor.

    What else is left out is alone in an effect once they are gone.
    """
    rows = EXAMPLES[EXAMPLES["example"] == name].dropna(axis=1, how="all")
    regressors = rows.filter(like="x").drop(columns="example").to_numpy(float)
    if "id3" in rows:
        regressors = pd.get_dummies(rows["id3"]).to_numpy(float)
    if not regressors.shape[1]:
        regressors = np.zeros((len(rows), 1))
    first, second = (codes(rows.get(effect, pd.Series(0, rows.index))) for effect in ("id1", "id2"))
    found = usable_rows(rows["y"].to_numpy(float), regressors, first, second)
    separated = rows["separated"].to_numpy() == 1
    expected = ~separated
    expected[~separated] = singletons_dropped(first[~separated], second[~separated])
    assert (found.kept == expected).all()
    assert found.n_separated + found.n_all_zero == separated.sum()


FEPOIS = {
    "none": [0.28817054011814042, -0.13696225186791583],
    "w": [0.28197429549702979, -0.16755605761367265],
}
FEPOIS_ERRORS = {
    ("none", "g"): [0.047475771410370175, 0.03507263974145891],
    ("none", "c2"): [0.03818354868912258, 0.02936951755159324],
    ("none", "year"): [0.022297662240037996, 0.04510757683570803],
    ("w", "g"): [0.05275032070838533, 0.04302461190129898],
    ("w", "c2"): [0.03965097416108839, 0.03517975284597716],
    ("w", "year"): [0.022572064446310307, 0.05031347712913689],
}


@pytest.mark.parametrize(("weight", "cluster"), FEPOIS_ERRORS)
def test_firm_and_year_effects_as_fixest(weight, cluster):
    """Clusters that contain the firms (g), cross them (c2), or are years; with and without weights.

    The outcomes of sixteen rows' firms are all zero.
    """
    data = pd.read_csv(REFERENCE / "fepois.csv.gz")
    found = poisson(
        data["cnt"].to_numpy(float),
        data[["x1", "x2"]].to_numpy(),
        ("x1", "x2"),
        first=codes(data["firm"]),
        second=codes(data["year"]),
        weight=np.ones(len(data)) if weight == "none" else data[weight].to_numpy(),
        clusters=codes(data[cluster]),
    )
    usable = usable_rows(
        data["cnt"].to_numpy(float),
        data[["x1", "x2"]].to_numpy(),
        codes(data["firm"]),
        codes(data["year"]),
    )
    assert found.estimated.regression.n_obs == 1026 and usable.n_all_zero == 16
    assert found.estimated.estimates == pytest.approx(FEPOIS[weight], rel=1e-8)
    assert found.std_errors == pytest.approx(FEPOIS_ERRORS[weight, cluster], rel=1e-7)


def test_zeros_singletons_and_errors_as_ppmlhdfe():
    """Stata's ppmlhdfe leaves out 53 rows in all, and multiplies its variance by G/(G-1) alone.

    Here it is G/(G-1) x (N-1)/(N-K) as in R's fixest, K counting two regressors and six years.
    """
    data = pd.read_csv(REFERENCE / "ppmlhdfe_singletons.csv")
    y, regressors = data["y"].to_numpy(float), data[["x1", "d"]].to_numpy(float)
    first, second = codes(data["id"]), codes(data["year"])
    found = poisson(
        y,
        regressors,
        ("x1", "d"),
        first=first,
        second=second,
        weight=np.ones(len(data)),
        clusters=first,
    )
    usable = usable_rows(y, regressors, first, second)
    assert usable.n_all_zero + usable.n_separated + usable.n_singletons == 53
    assert (found.estimated.regression.n_obs, found.counts.n_clusters) == (384, 95)
    assert found.estimated.estimates == pytest.approx(
        [3.26437485259470472e-01, 3.12264573015700042e-01], rel=1e-8
    )
    errors = found.std_errors * np.sqrt((384 - 8) / (384 - 1))
    assert errors == pytest.approx([2.81976457738369948e-02, 1.41250514009206102e-01], rel=1e-7)
