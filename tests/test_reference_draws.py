"""P-values over all sign patterns and all assignments, as Stata and R print them.

Sources in reference/README.md.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_randomisation import rows_of

from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform
from pipeline.effects.absorb import two_effects
from pipeline.inference.wild_bootstrap import sums_for_draws, wild_test
from pipeline.panel.treated_clusters import cluster_entry

REFERENCE = Path(__file__).parent / "reference"

# Four lines per cluster, the first three treated; eight units before and after, in turn.
SIX_CLUSTERS = """
0.467900024557135 5.28330432772302 6.21815961331612 8.91123549413264
1.6036031176057 5.93987635703142 5.51552308604298 12.5845789538936
10.043533800938 -0.529572566385062 11.6147463969497 4.90478267058331
0.0195534899449052 -0.623734360455213 4.62408114371322 1.77824940819063
1.44117212105917 11.8287065860359 2.48612322817247 0.79272738518101
0.25664105566934 5.46071019138058 5.45585277762759 1.72888361535044
1.64819641981181 -2.16930041278279 -8.65527307341515 -0.820012214512376
2.00788152825625 1.35027289877691 -4.22739939644098 2.96495871691995
12.4088103290406 3.86455595416874 -3.77098700413387 8.74834024074986
7.63806603679012 5.21226192690189 10.3553929570071 5.02404351098283
0.0773467620776902 3.8454453091425 4.92829011733396 8.18058751908359
2.32327477678745 3.85791466127983 3.9943310874897 5.63626346312242
3.98548370346126 2.08705100717492 11.9671637110292 8.50781843122744
9.45919061415933 9.17729331028167 7.13828833203314 3.60329239073677
8.91231705393201 6.51778257944759 11.8343546913714 5.85077180326843
5.99854630042171 3.83363405966151 0.1722050079041 13.599136275248
7.39942475667185 6.67760744120808 8.06177241503042 2.99574273253755
4.17388457897458 8.58064165732133 1.35389122978994 10.4092188896989
10.0502116052792 -0.0952531532868699 -0.95058168214624 2.07486027363059
8.73683838173143 6.20299878058477 8.71918261324184 6.78513130717663
5.0782224773697 2.95137909543423 -0.00135445066279938 2.94611250473384
2.51953938488589 -1.52349046695107 0.164141843016002 1.29757869447802
2.59101825926055 4.68185771046451 0.988240247965372 -3.44776984931728
7.81515777811177 -4.39325130500531 1.60122778317178 0.151072360378801
"""

# Outcome and treatment of twelve units, and of eight clusters of three.
UNITS = """
1.0601436025974385 2.3402152455545338 0.50779348144867043 0.37952510018005958
1.4898420501851981 2.1568870081600608 1.9054142489978987 0.069531955291795344
1.7707481775367266 2.495303194458288 0.4557854527149181 1.3423842389597818
"""
UNITS_TREATED = "0 0 0 0 0 1 1 0 1 1 1 1"
CLUSTERS = """
0.47225430735849883 -1.1711904441502023 -0.11880795467873939
-1.2389869669228615 -1.0693051282918211 0.8004307345198568
0.75522393996112436 1.5302369103475002 2.4471484826761949
0.010450219231233127 0.48234870239037547 0.70451479522401572
1.3516232074770893 0.062785606804333982 1.3639816635990354
1.2487675952492296 -1.6572005046207903 0.74932686152929029
1.1961382881885991 0.43531386838479647 3.0772008088344407
1.2331591448440686 -0.72838946934586657 0.54541566153082022
"""
CLUSTERS_TREATED = "0 0 1 0 1 1 1 0"


def numbers(text):
    return np.array(text.split(), dtype=float)


def codes(values):
    return pd.factorize(values)[0].astype(np.intp)


def enumerated(y, regressors, first, second, clusters):
    """Test the first of the regressors by all sign patterns of the clusters."""
    effects = two_effects(codes(first), codes(second), np.ones(len(y)))
    sums = sums_for_draws(np.asarray(y, float), np.asarray(regressors, float), effects, clusters)
    return wild_test(sums, 0.95, 9999, np.random.default_rng(0), count_ties=False)


@pytest.mark.parametrize(
    ("names", "p_value", "interval"),
    [
        (["x1", "x2"], 0.0654296875, (-0.0199614603936035, 0.433168636396784)),
        (["x2", "x1"], 0.00537109375, (-0.360398739124929, -0.0702803456414)),
    ],
)
def test_unit_effects_that_cross_the_clusters_as_boottest(names, p_value, interval):
    """Twelve clusters, 4,096 patterns; boottest finds ends to 0.3 percent of the width."""
    data = pd.read_csv(REFERENCE / "boottest_panel.csv")
    nothing = np.zeros(len(data))
    found = enumerated(data["y"], data[names], data["id"], nothing, codes(data["c"]))
    assert (found.n_draws, found.n_ties) == (4096, 2)
    assert found.p_value == found.larger_share == p_value
    width = interval[1] - interval[0]
    assert (found.low, found.high) == pytest.approx(interval, abs=0.003 * width)


@pytest.mark.parametrize(
    ("names", "larger", "interval"),
    [
        (["d"], 0.634277343750, (-0.22277456955702266, 0.59384217049476140)),
        (["d", "x2"], 0.583496093750, (-0.24306407804165511, 0.61455179753816658)),
        (["x2", "d"], 0.0, (0.21111715740499223, 0.40607470803217099)),
    ],
)
def test_unit_and_year_effects_as_boottest(names, larger, interval):
    data = pd.read_csv(REFERENCE / "boottest_two_effects.csv")
    found = enumerated(data["y"], data[names], data["unit"], data["year"], codes(data["cl"]))
    assert found.larger_share == larger
    assert found.p_value == max(larger, 1 / 4097)
    width = interval[1] - interval[0]
    assert (found.low, found.high) == pytest.approx(interval, abs=0.003 * width)


def panel_of(firms, before, after):
    """Return PANEL of 2004 and 2005: firm_id, cluster, and treated in 2005 by firm."""
    both = pd.concat([firms.assign(year=2004, sales=before), firms.assign(year=2005, sales=after)])
    both["cohort"] = both["treated"].map({1: 2005, 0: None}).astype("Int64")
    both = both.sort_values(["firm_id", "year"], ignore_index=True)
    size = np.arange(len(firms)) * 5 % 7  # the study has a score, which this design does not use
    both = both.drop(columns="treated").assign(size=np.repeat(size, 2).astype(float))
    return conform(PANEL, both.assign(cluster_entry=cluster_entry(both)))


def test_six_clusters_of_a_study_as_fwildclusterboot():
    """Of 64 patterns two have larger statistics, and two more are the data's.

    Units before and after are firms here, whose effects change no t statistic: the treated and the
    comparison units are as many, and all are observed in both years.
    """
    y = numbers(SIX_CLUSTERS).reshape(48, 2)
    cluster = np.repeat(np.arange(6), 8)
    firms = pd.DataFrame(
        {
            "firm_id": [f"F{i:02d}" for i in range(48)],
            "cluster": cluster.astype(str),
            "treated": (cluster < 3).astype(int),
        }
    )
    panel = panel_of(firms, y[:, 0], y[:, 1])
    draws = {"randomisation": None, "wild_bootstrap": {"draws": 99, "seed": 1, "ties": "left_out"}}
    found = rows_of(panel, "unmatched", **draws).loc["wild_bootstrap"]
    assert found["estimate"] == pytest.approx(2.23239205609, abs=1e-10)
    assert found["p_value"] == 0.03125
    ends = found[["conf_low", "conf_high"]].tolist()
    assert ends == pytest.approx([0.226920726858, 4.86871767596], abs=1e-4)
    assert "only larger statistics count (boottest)" in found["note"]
    draws["wild_bootstrap"] = {"draws": 99, "seed": 1}
    found = rows_of(panel, "unmatched", **draws).loc["wild_bootstrap"]
    assert found["p_value"] == 0.0625
    assert "p = 0.03125 where only larger statistics count (boottest)" in found["note"]


@pytest.mark.parametrize(
    ("text", "treated", "per_cluster", "p_value", "possible"),
    [
        (UNITS, UNITS_TREATED, 1, 0.14285714285714285, 924),
        (CLUSTERS, CLUSTERS_TREATED, 3, 0.08571428571428572, 70),
    ],
)
def test_all_assignments_of_a_study_as_ritest(text, treated, per_cluster, p_value, possible):
    """Stata's ritest, two-sided, counts assignments as large as the actual one, which is one."""
    y = numbers(text)
    cluster = np.arange(len(y)) // per_cluster
    firms = pd.DataFrame(
        {
            "firm_id": [f"F{i:02d}" for i in range(len(y))],
            "cluster": cluster.astype(str),
            "treated": numbers(treated)[cluster].astype(int),
        }
    )
    panel = panel_of(firms, np.zeros(len(y)), y)
    draws = {"randomisation": {"draws": 999, "seed": 1}}
    found = rows_of(panel, "unmatched", **draws).loc["randomisation"]
    assert found["p_value"] == pytest.approx(p_value, abs=1e-12)
    assert f"all of {possible} assignments" in found["note"]
