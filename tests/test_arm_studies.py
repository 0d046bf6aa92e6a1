"""Estimands of studies with arms and exposure, against figures worked out by hand.

S1, S2 and S3 are the figures of the method's section 4; each runs from a panel and a register
through exposure, arms, scores, matching and estimates.
"""

import numpy as np
import pandas as pd
import pytest
from arm_studies import STACKED, block, participants_and, run_arms

from benchmarks import spillover
from pipeline.datasets.arms import ARM_CONTRASTS
from pipeline.datasets.store import read
from pipeline.params.arm_faults import arm_faults_of_study
from pipeline.params.arms import Arms
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection
from pipeline.params.settings import parse_section
from pipeline.params.treatment import TreatmentSection

CELL = {"mates": {"kind": "cell", "columns": ["cell"]}}
MATES = {"mates": {"exposure": "mates"}}

# S1, hand data: changes of 12 firms in cells a and b, in which the first two and one take part, and
# c, out of reach.
CHANGES = {
    "a": [0.30, 0.20, 0.10, 0.06],
    "b": [0.26, 0.04, 0.08, 0.00],
    "c": [0.02, -0.02, 0.04, 0.00],
}
JOIN = {"a": 2, "b": 1, "c": 0}


def from_changes(firms: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return panel and register: two years, between which `y` changes; who joins enters then."""
    before = firms.assign(year=2001, y=1.0)
    after = firms.assign(year=2002, y=1.0 + firms["change"])
    register = firms.loc[firms["joins"], ["firm"]].assign(entry=2002, part="grant")
    return pd.concat([before, after]).drop(columns=["change", "joins"]), register


def hand_firms() -> pd.DataFrame:
    rows = [
        (f"{cell}{i}", cell, change, i < JOIN[cell])
        for cell, changes in CHANGES.items()
        for i, change in enumerate(changes)
    ]
    return pd.DataFrame(rows, columns=["firm", "cell", "change", "joins"])


def exactly(value: float) -> object:
    return pytest.approx(value, abs=1e-9)


def test_twelve_firms_give_total_spillover_own_and_overall(tmp_path):
    """S1: total on the treated .2433333, spillover .046, own .1973333, the sum 3 x + 5 x = .96."""
    panel, register = from_changes(hand_firms())
    found = run_arms(tmp_path, panel, register, block({}, participants_and(**MATES), CELL))
    total, spill = found.att(), found.att("mates")
    assert (total["estimate"], total["estimand"]) == (exactly(0.73 / 3), "total_on_treated")
    assert (spill["estimate"], spill["estimand"]) == (exactly(0.046), "spill")
    assert (total["n_treated"], spill["n_treated"], total["n_control"]) == (3, 5, 4)
    own = found.contrasts("own", "participants").loc[("att", pd.NA)]
    assert own["estimate"] == exactly(0.592 / 3)
    overall = found.contrasts("overall", "participants").loc[("att", pd.NA)]
    assert overall["estimate"] * 8 == exactly(0.96)
    shares = found.own_exposure().set_index("class")[["n_firms", "share"]]
    assert shares.loc[0].to_list() == [0, 0]
    assert shares.loc[1].to_list() == [3, 1]


@pytest.mark.slow
def test_twelve_firms_compared_with_all_others_tell_neither(tmp_path):
    """S1: who compares with cell mates as well finds .2177778, an effect of its own name."""
    panel, register = from_changes(hand_firms())
    naive = run_arms(tmp_path, panel, register, block({}, None, {})).att()
    assert (naive["estimate"], naive["estimand"]) == (exactly(1.96 / 9), "att")


RING = {"kind": "ring", "latitude": "lat", "longitude": "lon", "precision_km": 0.1}


def grid_firms() -> pd.DataFrame:
    """Return 60 firms 12 km apart on the equator; three of the first column take part (S3)."""
    i = np.arange(60)
    x, y = 12.0 * (i % 10), 12.0 * (i // 10)
    joins = (x == 0) & (y <= 24)
    km = np.hypot(x[:, None] - x[joins], y[:, None] - y[joins])
    np.fill_diagonal(km[joins], np.inf)
    nearest = np.round(km, 6).min(axis=1)
    near, far = ~joins & (nearest <= 12), (nearest > 12) & (nearest <= 30)
    change = 0.02 + 0.10 * joins + 0.04 * near + 0.01 * far + ((37 * i % 11) - 5) / 100
    degree = np.pi / 180 * 6371.01
    firms = pd.DataFrame({"firm": [f"f{n:02d}" for n in i], "change": change, "joins": joins})
    return firms.assign(cell=firms["firm"], lat=y / degree, lon=x / degree)


def rings(edges: list[float], **arms: dict) -> dict:
    named = {name: {"exposure": "near"} | arm for name, arm in arms.items()}
    columns = {"lat": "number", "lon": "number"}
    return block(columns, participants_and(**named), {"near": RING | {"edges_km": edges}})


@pytest.mark.slow
def test_rings_of_the_grid_give_total_and_spillover_by_distance(tmp_path):
    """S3: .08463768 on the treated, .04380435 within 12 km, .01559006 within 30."""
    panel, register = from_changes(grid_firms())
    asked = rings([12, 30], ring_1={"classes": [1]}, ring_2={"classes": [2]})
    found = run_arms(tmp_path, panel, register, asked)
    effects = [found.att(arm)["estimate"] for arm in ("", "ring_1", "ring_2")]
    assert effects == pytest.approx([0.08463768, 0.04380435, 0.01559006], abs=5e-9)
    own = found.contrasts("own", "participants").loc[("att", pd.NA)]
    assert own["estimate"] == pytest.approx(effects[0] - effects[1], abs=1e-9)
    # rings are closed on the right: with edges just below 12 km nobody is in the first
    opened = rings([11.9, 30], reached={})
    found = run_arms(tmp_path / "open", panel, register, opened)
    assert found.att("reached")["estimate"] == pytest.approx(0.02585, abs=1e-6)


def in_arrays(found) -> dict[str, float]:
    """Return what `benchmarks.spillover` finds, of a study's tables."""
    total, spill = found.att(), found.att("mates")
    overall = found.contrasts("overall", "participants").loc[("att", pd.NA)]
    n = total["n_treated"] + spill["n_treated"]
    return {
        "direct": total["estimate"],
        "direct_joint": total["std_error"],
        "indirect": spill["estimate"],
        "indirect_joint": spill["std_error"],
        "sum": overall["estimate"] * n,
        "sum_joint": overall["std_error"] * n,
        "sum_apart": overall["std_error_apart"] * n,
    }


def agrees(root, firms: pd.DataFrame) -> None:
    panel, register = from_changes(firms)
    found = run_arms(root, panel, register, block({}, participants_and(**MATES), CELL))
    expected = spillover.effects(firms)
    for name, value in in_arrays(found).items():
        assert value == pytest.approx(expected[name], rel=1e-9, abs=1e-10), name


@pytest.mark.slow
def test_a_study_of_few_cells_gives_what_arrays_do(tmp_path):
    firms = spillover.drawn_firms(0)
    agrees(tmp_path, firms[firms["cell"].between("c22", "c37")])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_acceptance_draws_give_what_arrays_do(tmp_path, seed):
    agrees(tmp_path, spillover.drawn_firms(seed))


@pytest.mark.slow
def test_intervals_of_the_sum_need_the_joint_covariance():
    """S2: means, and coverage near 95, 92 and 90 percent, within three Monte-Carlo errors.

    A share p of 500 draws has the error sqrt(p (1 - p) / 500), .0097 at 95 percent.
    """
    found = spillover.summary(500).set_index("quantity")
    stored = pd.read_csv(spillover.OUT).set_index("quantity")
    np.testing.assert_allclose(found.to_numpy(float), stored.to_numpy(float), rtol=1e-5)
    expected = {"direct": 0.10, "indirect": 0.04, "all_others": 0.10 - 0.04 * 525 / 1775}
    for name, value in (expected | {"same_cell": 0.06}).items():
        assert abs(found.loc[name, "mean"] - value) < 3 * found.loc[name, "mc_error"], name
    for name in ("direct", "indirect", "sum"):
        assert abs(found.loc[name, "coverage_joint"] - 0.95) < 3 * 0.0097
    assert found.loc["sum", "coverage_apart"] < 0.95 - 3 * 0.0097
    assert found.loc["sum", "coverage_by_firm"] < 0.95 - 3 * 0.0097


# Cells of five firms: of low ones a firm takes part in 2003, of high ones three, of late ones one
# in 2003 and another in 2004, of clean ones none. Shares of the other four that do: 1/4 and 3/4 for
# who stays out, 1/2 for participants of high cells, 1/4 for the first of late ones, a year later.
ENTRIES = {"low": [2003], "high": [2003] * 3, "late": [2003, 2004], "clean": []}
OF_CLASS = {1: 0.1, 2: 0.5}
SHARES = {"share": {"kind": "share", "columns": ["cell"], "of": "firms", "edges": [0.3]}}
BY_CLASS = {
    "low": {"exposure": "share", "classes": [1]},
    "high": {"exposure": "share", "classes": [2]},
}


def share_firms() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return panel and register, own effects of .6 and spillover by class, without noise.

    Spillover grows by half of that in the first year, year by year.
    """
    rows = []
    for kind, entries in ENTRIES.items():
        for number, place in [(n, p) for n in range(6) for p in range(5)]:
            cell, own = f"{kind}{number}", (entries + [9999] * 5)[place]
            for year in range(2001, 2007):
                before = [e for i, e in enumerate(entries) if i != place and e <= year]
                number_of_class = (len(before) > 0) + (len(before) / 4 > 0.3)
                spilt = OF_CLASS.get(number_of_class, 0) * (1 + (year - min(before, default=0)) / 2)
                y = number + 0.2 * place + 0.05 * year + 0.6 * (own <= year) + spilt
                rows.append((f"{cell}_{place}", cell, year, y, own))
    firms = pd.DataFrame(rows, columns=["firm", "cell", "year", "y", "entry"])
    register = firms[firms["entry"] < 9999].drop_duplicates("firm")[["firm", "entry"]]
    return firms.drop(columns="entry"), register.assign(part="grant")


@pytest.mark.slow
def test_classes_of_shares_recover_spillover_that_is_not_linear(tmp_path):
    """Own effects take spillover at the participants' own class, from when others joined."""
    panel, register = share_firms()
    window = {"window": {"first_event_time": -1, "last_event_time": 2}}
    asked = block({}, participants_and(**BY_CLASS), SHARES, treatment=window)
    found = run_arms(tmp_path, panel, register, asked)
    assert found.att("low")["estimate"] == exactly(0.1 * 1.5)
    assert found.att("high")["estimate"] == exactly(0.5 * 1.5)
    total = found.estimates()["estimate"]
    # 18 of 30 participants are in high cells, 6 in late ones
    assert total[("event", 0)] == exactly(0.6 + 0.6 * 0.5)
    assert total[("event", 2)] == exactly(0.6 + 0.6 * 0.5 * 2 + 0.2 * 0.1 * 1.5)
    shares = found.own_exposure()[["class", "lag", "n_firms", "share"]].fillna(-1).to_numpy()
    assert shares.tolist() == [[0, -1, 6, 0.2], [1, 1, 6, 0.2], [2, 0, 18, 0.6]]
    own = found.contrasts("own", "participants")["estimate"]
    assert own.drop(("event", -1), errors="ignore").to_list() == [exactly(0.6)] * 4
    # a firm that was exposed before it joined is of the exposed until then, and of no other arm
    assert found.flow().loc["participants", "n_after_another"] == 6


def staggered_firms() -> pd.DataFrame:
    """Return 24 cells of five firms, 2001 to 2007; of half of them two join in 2003 or 2005."""
    rng = np.random.default_rng(1)
    firms = pd.DataFrame({"firm": [f"f{n:03d}" for n in range(120)]})
    number = np.arange(120) // 5
    firms["cell"] = [f"c{n:02d}" for n in number]
    firms["entry"] = np.where(number % 4 < 2, 2003 + 2 * (number % 4), np.nan)
    firms["joins"] = firms["entry"].notna() & (np.arange(120) % 5 < 2)
    panel = firms.merge(pd.DataFrame({"year": range(2001, 2008)}), how="cross")
    effect = np.where(panel["joins"], 0.5, 0.2) * (panel["year"] >= panel["entry"])
    return panel.assign(y=effect + 0.1 * panel["year"] + rng.normal(size=len(panel)))


GROUP_TIME = STACKED | {
    "estimator": "group_time",
    "method": "difference",
    "covariates": [],
    "base": "universal",
    "bands": False,
}
FLAT = {name: STACKED | {"estimator": name} for name in ("sun_abraham", "extended_twoway")}
IMPUTATION = STACKED | {"estimator": "imputation"}
TWOWAY = {k: v for k, v in STACKED.items() if k != "average"} | {
    "estimator": "twoway",
    "terms": ["att"],
}
SPECS = {
    "stacked": STACKED,
    "pooled": STACKED | {"average": "pooled"},
    "group_time": GROUP_TIME,
    "imputation": IMPUTATION,
    **FLAT,
    **{f"{n}_of_panel": spec | {"firms": "panel"} for n, spec in FLAT.items()},
    "group_time_of_panel": GROUP_TIME | {"firms": "panel"},
    "imputation_of_panel": IMPUTATION | {"firms": "panel"},
    "twoway_of_panel": TWOWAY | {"firms": "panel"},
}


@pytest.mark.slow
@pytest.mark.parametrize("comparison", ["never_treated", "not_yet_treated"])
def test_every_estimator_compares_with_firms_out_of_reach(tmp_path, comparison):
    """Effects are those of a study delivered without the exposed, from when they are so on.

    Stacks and firms not yet treated: who is exposed before a stack's last year is in none.
    """
    firms = staggered_firms()
    panel, register = firms.drop(columns=["joins", "entry"]), firms[firms["joins"]]
    register = register.drop_duplicates("firm")[["firm", "entry"]].assign(part="grant")
    window = {"window": {"first_event_time": -2, "last_event_time": 2}, "comparison": comparison}
    specs = {
        name: spec
        for name, spec in SPECS.items()
        if comparison == "never_treated" or spec.get("firms") == "panel"
    }
    headline = {"spec": next(iter(specs)), "design": "unmatched", "term": "att"}
    changes = {"treatment": window, "estimate": {"specs": specs, "headline": headline}}
    with_arms = block({}, participants_and(**MATES), CELL, **changes)
    found = run_arms(tmp_path / "arms", panel, register, with_arms)
    reached = firms["entry"].notna() & ~firms["joins"]
    if comparison == "not_yet_treated":
        reached &= firms["year"] >= firms["entry"]
    without = run_arms(
        tmp_path / "without", panel[~reached], register, block({}, None, {}, **changes)
    )
    for name in specs:
        own, expected = found.estimates(spec=name), without.estimates(spec=name)
        assert len(own) == len(expected) > 0
        for column in ("estimate", "std_error", "n_treated", "n_control"):
            np.testing.assert_allclose(
                own[column].to_numpy(float),
                expected[column].to_numpy(float),
                atol=1e-10,
                err_msg=name,
            )
        for estimand in ("own", "overall"):
            row = found.contrasts(estimand, "participants", name).loc[("att", pd.NA)]
            assert row["std_error"] > 0 and row["n_clusters"] == 24, name


# Sectors a, whose firms take part in towns reached, and b; changes add up of the sector's, of what
# else happens to towns reached (.30), and of the effect (.10).
TOWNS = {
    "exposure": {
        "neighbours": {
            "kind": "cell",
            "columns": ["cell"],
            "among": {"column": "sector", "values": ["b"]},
        }
    },
    "arms": participants_and(others={"exposure": "neighbours"})
    | {
        "contrasts": {"triple": {"participants": 1, "others": -1}},
        "triple_differences": {"triple": "sector"},
    },
}
SIZE = {"size": {"label": "Size", "column": "size", "transform": "level", "at": -1}}
SECTOR = {"sector": {"label": "Sector", "column": "sector", "transform": "category", "at": -1}}
LOGIT = {"controls_from": "all", "covariates": ["size"], "fit": "per_stack", "link": "logit"}
FILE = {
    "method": "external",
    "score": "logit",
    "file": "weights.csv",
    "content": "weights",
    "firm_id": "firm",
    "weight": "w",
    "control_id": None,
    "stack": None,
}
CELLS = {"method": "cells", "score": "logit", "exact": ["sector"]}


def town_firms() -> pd.DataFrame:
    """Return three firms of each sector in 24 towns, of which half are reached."""
    rng = np.random.default_rng(3)
    rows = []
    for town in range(24):
        for sector, trend in (("a", 0.02), ("b", 0.05)):
            for place in range(3):
                joins = town < 12 and sector == "a"
                change = trend + 0.30 * (town < 12) + 0.10 * joins + rng.normal(0, 0.05)
                rows.append((f"{town}{sector}{place}", f"t{town:02d}", sector, change, joins))
    firms = pd.DataFrame(rows, columns=["firm", "cell", "sector", "change", "joins"])
    return firms.assign(size=rng.normal(size=len(firms)))


def towns(**changes: dict) -> dict:
    specs = {
        "stacked": STACKED | {"designs": ["unmatched", "same"]},
        "by_sector": STACKED | {"year_effects_by": "sector"},
    }
    sections = {
        "treatment": {"arms": TOWNS["arms"], "exposure": TOWNS["exposure"]},
        "score": {
            "covariates": SECTOR | SIZE,
            "models": {"logit": LOGIT | {"missing": "drop_firm", "support": "none"}},
        },
        "match": {"designs": {"same": CELLS}},
        "estimate": {"specs": specs},
    }
    for name, more in changes.items():
        sections[name] |= more
    return block({"sector": "text", "size": "number"}, None, {}, **sections)


@pytest.mark.slow
def test_a_triple_difference_is_the_difference_of_two_within_sectors(tmp_path):
    """(a - b in towns reached) - (a - b in others), of means of changes, by hand."""
    firms = town_firms()
    panel, register = from_changes(firms)
    found = run_arms(tmp_path, panel, register, towns())
    means = firms.groupby([firms["cell"] < "t12", "sector"])["change"].mean()
    by_hand = means[True, "a"] - means[True, "b"] - (means[False, "a"] - means[False, "b"])
    reached, town = (firms["cell"] < "t12").to_numpy(), pd.factorize(firms["cell"])[0]
    own = {
        sector: spillover.influence_of(
            firms["change"].to_numpy(), reached & of, ~reached & of, town
        )
        for sector in "ab"
        for of in [(firms["sector"] == sector).to_numpy()]
    }
    error = np.sqrt(((own["a"] - own["b"]) ** 2).sum())
    rows = read(ARM_CONTRASTS, found.folders.of("estimate"))
    rows = rows[(rows["contrast"] == "triple") & (rows["term"] == "att")]
    rows = rows.set_index(["estimator", "design"])
    for place in (("stacked", "same"), ("by_sector", "unmatched")):
        assert rows.loc[place, "estimate"] == pytest.approx(by_hand, abs=1e-9)
    assert rows.loc[("stacked", "same"), "std_error"] == pytest.approx(error, rel=1e-8)
    assert rows.loc[("stacked", "unmatched"), "reason"] == "not_compared_within"
    # what happens to towns reached is in the effect on participants alone
    assert (found.att()["estimate"] > 0.3).all()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"treatment": {"comparison": "not_yet_treated"}}, "not the difference of two differences"),
        (
            {"estimate": {"specs": {"stacked": STACKED}}},
            "no spec compares firms within sector and by nothing",
        ),
        (
            {
                "match": {"designs": {"same": CELLS | {"exact": ["sector", "size"]}}},
                "estimate": {"specs": {"stacked": STACKED | {"designs": ["unmatched", "same"]}}},
            },
            "no spec compares firms within sector and by nothing",
        ),
        ({"score": {"covariates": SIZE}}, "sector is not defined in score.covariates"),
        ({"treatment": {"exposure": {"neighbours": CELL["mates"]}}}, "takes firms of every sector"),
        (
            {"match": {"designs": {"same": CELLS, "file": FILE}}},
            "does not say whom each of treatment.arms is compared with",
        ),
    ],
)
def test_what_cannot_be_by_arm_is_refused(changes, fault):
    sections = towns(**changes)
    read_sections = (
        parse_section(sections, "firms", name, kind)
        for name, kind in (
            ("treatment", TreatmentSection),
            ("score", ScoreSection),
            ("match", MatchSection),
            ("estimate", EstimateSection),
        )
    )
    assert any(fault in line for line in arm_faults_of_study(*read_sections))


@pytest.mark.parametrize(
    ("weights", "fault"),
    [
        ({"participants": 1, "others": -2}, "weigh the arm of the target sector by 1"),
        ({"participants": -1, "others": 1}, "the arm weighed by 1 is one of participants"),
    ],
)
def test_a_triple_difference_is_of_participants_less_others(weights, fault):
    with pytest.raises(ValueError, match=fault):
        Arms.model_validate(TOWNS["arms"] | {"contrasts": {"triple": weights}})
    with pytest.raises(ValueError, match="triple is no contrast; contrasts are none"):
        Arms.model_validate(TOWNS["arms"] | {"contrasts": {}})
