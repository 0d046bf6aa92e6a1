"""Pools: the effect under each, its difference from the clean one, and pools that give none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matched_sets import nearest_design
from pydantic import ValidationError
from stacked_tables import outcomes
from statsmodels.api import OLS
from test_estimate_faults import FILE
from test_exposure import panel as exposure_panel
from text_tables import table

from pipeline.analyses.pool_matching import HeadlineArm
from pipeline.analyses.pools import pool_effects
from pipeline.analyses.specs import estimate_specs
from pipeline.commands.in_memory import InMemory, match_in_memory
from pipeline.datasets.panel import PANEL
from pipeline.datasets.pools import POOL_FIRMS, POOLS
from pipeline.datasets.store import Dataset, conform, read, write
from pipeline.errors import DataError
from pipeline.panel.panel_index import index_panel
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.pool_faults import pool_faults
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arms import firm_arms, panel_of_arm
from pipeline.selection.exposure import ExposureInputs, exposure_tables
from pipeline.selection.pools import pool_contacts

ENTRY = 2010
CELL = {"kind": "cell", "columns": ["town"]}
RING = {
    "kind": "ring",
    "latitude": "lat",
    "longitude": "lon",
    "edges_km": [12.0],
    "precision_km": 0,
}
EVERYBODY = {"everybody": {"kind": "everyone"}}
POOLED = {
    **EVERYBODY,
    "outside_towns": {"kind": "outside", "columns": ["town"]},
    "wood": {"kind": "among", "column": "sector", "values": ["wood"]},
}

# Study S1 of the method, exact arithmetic: changes of 12 firms in three towns, D takes part.
S1 = table(
    """
town dy    d sector
A    0.30  1 food
A    0.20  1 food
A    0.10  0 food
A    0.06  0 wood
B    0.26  1 food
B    0.04  0 food
B    0.08  0 food
B    0.00  0 wood
C    0.02  0 food
C    -0.02 0 food
C    0.04  0 wood
C    0.00  0 wood
""",
    dy="float64",
    d="int64",
)


def treatment(pools: dict | None = None, **changes: object) -> TreatmentSection:
    return TreatmentSection.model_validate(
        {
            "entry": {"source": "register", "programme": None, "other_programmes": "keep"},
            "anticipation_years": 0,
            "comparison": "never_treated",
            "window": {"first_event_time": -1, "last_event_time": 0},
            "arms": {
                "headline": "direct",
                "named": {"direct": {"source": "register", "component": ["c"]}},
            },
            "exposure": {"cell_mates": CELL},
            "pools": POOLED if pools is None else pools,
            **changes,
        }
    )


def panel_of(firms: pd.DataFrame) -> pd.DataFrame:
    """Return PANEL with sales 0 in 2009 and `dy` in 2010; other columns stay."""
    ids = [f"f{place:03d}" for place in range(len(firms))]
    given = firms.drop(columns=["dy", "d"]).assign(
        firm_id=ids, cohort=np.where(firms["d"] == 1, ENTRY, np.nan), cluster=firms["town"]
    )
    before = given.assign(year=ENTRY - 1, sales=0.0)
    after = given.assign(year=ENTRY, sales=firms["dy"].to_numpy())
    panel = pd.concat([before, after], ignore_index=True)
    panel["cohort"] = panel["cohort"].astype("Float64").astype("Int64")
    return conform(PANEL, panel.assign(cluster_entry=cluster_entry(panel)))


def given(panel: pd.DataFrame) -> ExposureInputs:
    return ExposureInputs(panel, index_panel(panel), None, {})


def under_pools(panel: pd.DataFrame, asked: TreatmentSection, **design: Any) -> pd.DataFrame:
    """Return POOLS by pool."""
    return tables_of(panel, asked, **design)[POOLS].set_index("pool")


def tables_of(
    panel: pd.DataFrame,
    asked: TreatmentSection,
    *,
    design: str = "unmatched",
    covariates: tuple[str, ...] = (),
    cluster: str | list[str] = "assignment",
) -> dict[Dataset, pd.DataFrame]:
    """Return POOLS and POOL_FIRMS, from PANEL on as the stages do; all firms are in the sample."""
    entered = panel.dropna(subset="cohort").drop_duplicates("firm_id")
    entries = entered[["firm_id", "cohort"]].assign(arm="direct")
    exposure = exposure_tables(panel, asked.exposure).firms
    found = firm_arms(entries, panel, asked.arms, exposure)
    seen = panel_of_arm(panel, found.arms, found.contacts, "direct", 0)
    used = in_memory(seen, asked, design, covariates, cluster)
    study = replace(used.study, arm="direct")
    headline = HeadlineArm(study, used.redo, estimate_specs(study, used.redo))
    contacts = pool_contacts(given(panel), asked.pools, asked.exposure, entries)
    return pool_effects(headline, panel, contacts, found.arms)


def in_memory(
    panel: pd.DataFrame,
    asked: TreatmentSection,
    design: str,
    covariates: tuple[str, ...],
    cluster: str | list[str],
) -> InMemory:
    """Score, match and prepare one design on a panel."""
    return match_in_memory(
        panel,
        outcomes=outcomes(),
        treatment=asked,
        score=scored(covariates),
        match=matched(covariates),
        estimate=estimated(design, cluster),
    )


def estimated(design: str, cluster: str | list[str]) -> EstimateSection:
    """Return the section of one stacked spec on one design."""
    spec = {"estimator": "stacked", "average": "event", "terms": ["att", "event"]}
    spec |= {"designs": [design], "outcomes": "all", "cluster": cluster}
    headline = {"spec": "main", "design": design, "term": "att"}
    shared = {"conf_level": 0.95, "power": 0.8, "missing": "renormalise", "headline": headline}
    return EstimateSection.model_validate(shared | {"specs": {"main": spec}})


def scored(covariates: tuple[str, ...]) -> ScoreSection:
    level = {"transform": "level", "at": -1}
    models = {"logit": MODEL | {"covariates": list(covariates)}} if covariates else {}
    return ScoreSection.model_validate(
        {
            "covariates": {n: level | {"label": n, "column": n} for n in covariates},
            "unmatched": {"controls_from": "all"},
            "models": models,
        }
    )


MODEL = {"controls_from": "all", "fit": "per_stack", "link": "logit", "missing": "drop_firm"}
MODEL |= {"support": "none"}


def matched(covariates: tuple[str, ...]) -> MatchSection:
    designs = {"near": nearest_design("logit")} if covariates else {}
    balance = {"denominator": "pooled", "threshold": 0.1}
    return MatchSection.model_validate({"designs": designs, "balance": balance})


def test_pools_of_the_hand_made_towns_give_the_figures_of_the_method():
    """Naive .2177778 of all as pool, .2433333 in total: .046 of the difference is spillover."""
    tables = tables_of(panel_of(S1), treatment(), cluster="firm")
    rows = tables[POOLS].set_index("pool")
    assert rows.loc["clean", "estimate"] == pytest.approx(0.2433333, abs=5e-8)
    assert rows.loc["everybody", "estimate"] == pytest.approx(0.2177778, abs=5e-8)
    assert rows.loc["everybody", "difference"] == pytest.approx(-0.2433333 + 0.2177778, abs=1e-7)
    assert rows.loc["outside_towns", "estimate"] == rows.loc["clean", "estimate"]
    assert rows.loc["wood", "estimate"] == pytest.approx(0.76 / 3 - 0.10 / 4)
    assert rows["n_pool"].to_dict() == {"clean": 4, "everybody": 9, "outside_towns": 4, "wood": 4}
    shares = rows["share_not_clean"].to_dict()
    assert shares == pytest.approx(
        {"clean": 0, "everybody": 5 / 9, "outside_towns": 0, "wood": 2 / 4}
    )
    of_firms = tables[POOL_FIRMS].set_index(["pool", "other"])
    assert (of_firms["n_treated_only"] == 0).all()
    apart = of_firms["n_control_only"]
    assert apart["everybody", "clean"] == 5 and apart["clean", "everybody"] == 0
    assert apart["wood", "outside_towns"] == 2 and apart["outside_towns", "wood"] == 2
    # of the four changes without sign of the clean towns the largest is 0.04 of 0.08
    assert of_firms["largest_percent"]["clean", "clean"] == pytest.approx(50)


def test_the_clean_row_is_the_headline_and_the_others_name_their_reasons():
    same = {"same": {"kind": "unexposed", "to": ["cell_mates"]}}
    rows = under_pools(panel_of(S1), treatment(same), cluster="firm")
    assert rows.loc["same", "estimate"] == rows.loc["clean", "estimate"]
    assert rows.loc["same", "std_error"] == rows.loc["clean", "std_error"]
    assert rows["reason"].fillna("").to_dict() == {"clean": "", "same": "pool_as_clean"}
    assert rows.loc["same", "difference"] == 0
    assert rows["difference_std_error"].isna().all()
    assert rows["position"].to_list() == [0, 1]


def test_a_clean_pool_in_one_cluster_leaves_the_difference_without_an_error():
    rows = under_pools(panel_of(S1), treatment(EVERYBODY))
    assert rows.loc["clean", "reason"] == "comparison_in_one_cluster"
    assert rows.loc["everybody", "reason"] == "clean_pool_without_error"
    assert rows.loc["everybody", "difference"] == pytest.approx(-0.0255556, abs=5e-8)


def towns(seed: int, n_towns: int = 60, spill: float = 0.0, own: float = 0.1) -> pd.DataFrame:
    """Return towns of six firms: in half of them two take part, and `spill` reaches the others."""
    rng = np.random.default_rng(seed)
    town = np.repeat(np.arange(n_towns), 6)
    treated = town < n_towns // 2
    d = treated & (np.arange(len(town)) % 6 < 2)
    shock = rng.normal(0, 0.05, n_towns)[town] + rng.normal(0, 0.05, len(town))
    dy = shock + own * d + spill * (treated & ~d)
    size = np.where(d, 1.0, 0.0) + rng.normal(size=len(town))
    sector = np.where(np.arange(len(town)) % 2, "wood", "food")
    firms = {"town": [f"t{t:02d}" for t in town], "dy": dy, "d": d.astype(int), "size": size}
    return pd.DataFrame(firms | {"sector": sector})


def test_the_error_of_a_difference_is_that_of_a_stacked_regression_and_of_a_bootstrap():
    firms = towns(1)
    rows = under_pools(panel_of(firms), treatment(EVERYBODY))
    error = rows.loc["everybody", "difference_std_error"]
    clean = (firms["d"] == 1) | (firms["town"] >= "t30")
    copies = pd.concat([firms.assign(copy=1.0), firms[clean].assign(copy=0.0)])
    design = np.column_stack([np.ones(len(copies)), copies["d"], copies["copy"]])
    design = np.column_stack([design, design[:, 1] * design[:, 2]])
    fit = OLS(copies["dy"].to_numpy(), design).fit(
        cov_type="cluster", cov_kwds={"groups": copies["town"], "use_correction": False}
    )
    assert rows.loc["everybody", "difference"] == pytest.approx(fit.params[3], rel=1e-8)
    # the small-sample factors of both effects, of 60 clusters, are all that is between
    assert error == pytest.approx(fit.bse[3], rel=0.02)
    assert error == pytest.approx(bootstrapped(firms), rel=0.06)
    alone = np.hypot(rows.loc["everybody", "std_error"], rows.loc["clean", "std_error"])
    assert error < 0.7 * alone


def bootstrapped(firms: pd.DataFrame, n_draws: int = 2000) -> float:
    """Return the SD over draws of towns of the difference of the two pools' effects."""
    rng = np.random.default_rng(5)
    sums = firms.assign(one=1.0).groupby(["town", "d"])[["dy", "one"]].sum().unstack(fill_value=0)
    town = sums.to_numpy()  # dy of d 0, dy of d 1, then their numbers
    drawn = rng.multinomial(len(town), np.full(len(town), 1 / len(town)), size=n_draws)
    clean = town * np.arange(len(town))[:, None].__ge__(30)
    mean = [(drawn @ part)[:, 0] / (drawn @ part)[:, 2] for part in (town, clean)]
    return float(np.std(mean[1] - mean[0]))


def test_matching_is_done_again_in_each_pool_and_neighbours_that_gain_more_turn_the_sign():
    firms = towns(2, spill=0.6)
    asked = treatment({**EVERYBODY, "wood": POOLED["wood"]})
    rows = under_pools(panel_of(firms), asked, design="near", covariates=("size",))
    assert (rows["n_treated"] == 60).all() and (rows["n_control"] <= 60).all()
    assert rows["n_pool"].to_dict() == {"clean": 180, "everybody": 300, "wood": 150}
    assert 0.2 < rows.loc["everybody", "share_not_clean"] < 0.6
    assert rows.loc["clean", "estimate"] == pytest.approx(0.1, abs=0.05)
    assert rows.loc["clean", "conf_low"] > 0 > rows.loc["everybody", "conf_high"]
    gap = 0.6 * rows.loc["everybody", "share_not_clean"]
    assert rows.loc["everybody", "difference"] == pytest.approx(-gap, abs=0.06)
    assert rows.loc["everybody", "difference_conf_high"] < 0


def test_a_study_without_arms_has_the_headlines_own_pool_as_clean_one():
    """Everybody else is that pool; those outside the towns of participants are another."""
    asked = treatment({name: POOLED[name] for name in ("everybody", "outside_towns")}, arms=None)
    panel = panel_of(S1)
    used = in_memory(panel, asked, "unmatched", (), "firm")
    headline = HeadlineArm(used.study, used.redo, estimate_specs(used.study, used.redo))
    contacts = pool_contacts(given(panel), asked.pools, asked.exposure)
    rows = pool_effects(headline, panel, contacts, None)[POOLS].set_index("pool")
    assert rows.loc["clean", "estimate"] == pytest.approx(0.2177778, abs=5e-8)
    assert rows.loc["everybody", "reason"] == "pool_as_clean"
    assert rows.loc["outside_towns", "estimate"] == pytest.approx(0.2433333, abs=5e-8)
    assert rows.loc["outside_towns", "difference"] == pytest.approx(0.0255556, abs=5e-8)
    assert (rows["share_not_clean"] == 0).all()


def test_clusters_in_two_directions_give_no_difference_and_say_so():
    rows = under_pools(panel_of(towns(3, 8)), treatment(EVERYBODY), cluster=["firm", "town"])
    assert rows.loc["everybody", "reason"] == "pools_without_common_clusters"
    assert np.isfinite(rows.loc["everybody", "estimate"])


def test_pools_that_nobody_is_in_or_that_cannot_be_matched_are_rows_with_a_reason(tmp_path):
    firms = towns(4, 12, spill=0.3)
    firms["lat"], firms["lon"] = firms["town"].str[1:].astype(float), 0.0
    far = {"kind": "beyond", "ring": "near", "km": 111.3}
    lone = {"kind": "among", "column": "sector", "values": ["lone"]}
    firms.loc[70:, ["sector", "size"]] = ["lone", 50.0]  # of another size than all others
    asked = treatment(
        {"near": far, "far": far | {"km": 1500.0}, "lone": lone},
        exposure={"cell_mates": CELL, "near": RING},
    )
    rows = under_pools(panel_of(firms), asked, design="near", covariates=("size",))
    assert rows["reason"].fillna("").to_dict() == {
        "clean": "",
        "near": "",
        "far": "pool_without_firms",
        "lone": "pool_without_support",
    }
    # towns 0 to 5 take part: at 111.19 km from the next one, town 6 is within 111.3 km
    assert rows.loc["near", "n_pool"] == 30 and rows.loc["clean", "n_pool"] == 36
    assert rows.loc[["far", "lone"], ["estimate", "difference"]].isna().all(axis=None)
    write(POOLS, conform(POOLS, rows.reset_index()), tmp_path)
    assert read(POOLS, tmp_path)["kind_fields"].notna().sum() == 3


def test_a_firm_leaves_a_pool_when_the_pool_says_so():
    """Firm a takes part in 2003, b and f in 2005; f is the first of town y, e is its mate."""
    frame = exposure_panel()
    pools = treatment(
        {
            **POOLED,
            "beyond": {"kind": "beyond", "ring": "near", "km": 12.0},
            "both": {"kind": "unexposed", "to": ["cell_mates", "near"]},
        },
        exposure={"cell_mates": CELL, "near": RING | {"edges_km": [30.0]}},
    )
    found = pool_contacts(given(frame), pools.pools, pools.exposure)
    by_pool = {
        pool: dict(zip(own["firm_id"], own["contact"].astype(object), strict=True))
        for pool, own in found.groupby("pool")
    }
    own = {"a": 2003, "b": 2005, "f": 2005}
    assert by_pool["everybody"] == own
    reached = own | {"b": 2003, "c": 2003, "d": 2003, "e": 2005}
    assert by_pool["outside_towns"] == reached
    assert by_pool["beyond"] == own | {"c": 2003}
    assert by_pool["both"] == own | {"b": 2003, "c": 2003, "d": 2003, "e": 2005}
    assert {firm for firm, year in by_pool["wood"].items() if pd.isna(year)} == {"d"}


def test_entries_of_arms_count_as_taking_part():
    """An arm may list firms that the evaluated programme does not."""
    entries = pd.DataFrame({"arm": ["other"], "firm_id": ["g"], "cohort": [2004]})
    asked = treatment(EVERYBODY)
    found = pool_contacts(given(exposure_panel()), asked.pools, asked.exposure, entries)
    assert found.set_index("firm_id")["contact"].to_dict()["g"] == 2004


def test_firms_within_reach_are_in_no_unexposed_pool_whoever_was_asked():
    """Firm d, of food, has participants in its town; the exposure asks for firms of wood alone."""
    wood = {"column": "sector", "values": ["wood"]}
    asked = treatment(
        {"unexposed": {"kind": "unexposed", "to": ["mates"]}},
        exposure={"mates": CELL | {"among": wood}},
    )
    found = pool_contacts(given(exposure_panel()), asked.pools, asked.exposure)
    assert found.set_index("firm_id")["contact"].to_dict()["d"] == 2003


def test_values_that_nobody_has_are_refused():
    asked = treatment({"metal": POOLED["wood"] | {"values": ["metal"]}})
    with pytest.raises(DataError, match=r"treatment\.pools\.metal: no firm has one of values in"):
        pool_contacts(given(exposure_panel()), asked.pools, asked.exposure)


@pytest.mark.parametrize(
    ("pool", "fault"),
    [
        ({"clean": {"kind": "everyone"}}, "results call the pool of the headline so"),
        ({"p": {"kind": "unexposed", "to": ["cell_mats"]}}, "did you mean cell_mates"),
        ({"p": {"kind": "beyond", "ring": "links", "km": 10.0}}, "links is not in treatment"),
        ({"p": {"kind": "beyond", "ring": "cell_mates", "km": 10.0}}, "is of kind cell"),
        ({"p": {"kind": "beyond", "ring": "near", "km": 0.5}}, "places are known to 1 km"),
        ({"p": {"kind": "outside", "columns": []}}, "at least 1 item"),
        ({"p": {"kind": "nobody"}}, "does not match any of the expected tags"),
    ],
)
def test_pools_that_cannot_be_are_told(pool: dict, fault: str):
    rings = {"cell_mates": CELL, "near": RING | {"precision_km": 1.0}}
    with pytest.raises(ValidationError, match=fault):
        treatment(pool, exposure=rings)


def faults(pools: dict, design: dict | None = None, spec: dict | None = None) -> list[str]:
    """Return the faults of pools beside a design and the headline's spec."""
    number = {"kind": "number", "unit": "degrees", "label": "X", "column": "x"}
    text = {"kind": "text", "label": "X", "column": "x"}
    register = {"firm_id": "id", "entry_year": "entry", "component": "part"}
    data = DataSection.model_validate(
        {
            "source": {"kind": "files", "panel": "p.csv", "register_file": "r.csv"},
            "firm_id": "id",
            "year": "year",
            "cluster": ["town"],
            "columns": {"town": text, "sector": text, "jobs": number},
            "register_columns": register,
        }
    )
    designs = {"designs": {} if design is None else {"near": design}}
    balance = {"denominator": "pooled", "threshold": 0.1}
    match = MatchSection.model_validate(designs | {"balance": balance})
    name = "unmatched" if design is None else "near"
    estimate = estimated(name, "firm").model_dump(exclude_unset=True)
    if spec is not None:
        said = {"name": "main", "designs": [name], "outcomes": "all", "terms": ["att"]}
        estimate["specs"] = [said | {"cluster": "firm"} | spec]
    return list(
        pool_faults(data, treatment(pools), match, EstimateSection.model_validate(estimate))
    )


def test_check_tells_columns_that_pools_lack():
    assert faults(POOLED) == []
    towns = {"outside_towns": {"kind": "outside", "columns": ["twon"]}}
    assert faults(towns) == [
        "treatment.pools.outside_towns.columns: twon is not in data.columns; did you mean town?"
    ]
    (of_number,) = faults({"large": {"kind": "among", "column": "jobs", "values": ["a"]}})
    assert of_number.startswith("treatment.pools.large.column: jobs is a number column")
    assert faults({"large": {"kind": "among", "column": "jobs", "values": [1.0]}}) == []


def test_check_refuses_headlines_that_no_pool_can_have():
    (of_file,) = faults(EVERYBODY, FILE)
    assert "comes from a file, and each pool is matched again" in of_file
    (of_panel,) = faults(EVERYBODY, spec={"estimator": "twoway", "firms": "panel"})
    assert "takes all firms of the panel, whatever the pool" in of_panel
    by_firm = {"estimator": "matched_difference", "inference": "abadie_imbens"}
    (without_sums,) = faults(EVERYBODY, nearest_design("logit"), by_firm)
    assert "has no errors that are sums over clusters" in without_sums
    assert faults({}, FILE) == []
