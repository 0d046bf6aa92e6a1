"""Dirt with a known answer: every injected problem is found, counted and treated as declared."""

import numpy as np
import pandas as pd
import pytest
import simulation
from dirt import (
    JUMP_FACTOR,
    MISSING_CODES,
    SPLIT_SECTOR,
    UNKNOWN_SECTOR,
    digits,
    soil,
)
from workspace import section

from pipeline.datasets.panel import ISSUES, PANEL
from pipeline.datasets.store import conform
from pipeline.errors import DataError
from pipeline.panel.clean import clean_panel
from pipeline.panel.sources import obtain_tables
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.treatment import TreatmentSection
from pipeline.simulation.simulate import simulate_programme

N_EACH = 8
BLOCK = section("simulated")
FIRMS = simulate_programme(
    simulation.settings(firms=999, municipalities=15, sectors=4, treated_clusters=20),
    np.random.default_rng(3),
)
CLEAN = FIRMS.panel.assign(firm_id=digits(FIRMS.panel["firm_id"]))
DIRTY = soil(FIRMS.panel, FIRMS.register, N_EACH, np.random.default_rng(4))
RULES = {
    "identifier": {"width": 4, "remove": " ", "cut_at": "-"},
    "links": {"file": "links.csv", "add_up": ["sales", "employment", "exports"], "split": "join"},
    "corrections": "corrections.csv",
    "missing_codes": {"sales": list(MISSING_CODES)},
    "duplicates": {"identical": "collapse", "conflicting": "first"},
    "recodes": [
        {"column": "sector", "file": "sectors.csv", "one_to_many": "first", "unknown": "keep"},
        {"column": "municipality", "file": "places.csv", "one_to_many": "refuse",
         "unknown": "refuse"},
    ],
    "unit_factors": [
        {"column": "sales", "years": [DIRTY.unit_year], "factor": 1000.0},
        {"column": "exports", "years": [DIRTY.milli_year], "factor": 0.001},
    ],
    "scale_checks": [{"columns": ["sales", "exports"], "factors": [1000.0],
                      "tolerance_factor": 2.5, "action": "refuse"}],
    "prices": [
        {"columns": ["sales"], "file": "inflation.csv", "kind": "inflation_percent",
         "base_year": 2005},
        {"columns": ["exports"], "file": "exchange.csv", "kind": "exchange_rate"},
    ],
    "customs": {"column": "exports", "matched": "in_customs", "unmatched": "missing"},
    "jumps": [{"columns": ["sales"], "factor": JUMP_FACTOR / 20, "action": "set_missing"}],
    "register_values": {"texts": "join", "numbers": "sum"},
}  # fmt: skip
REGISTER = BLOCK["data"]["register_columns"] | {
    "exit_year": "exit",
    "component": "component",
    "role": "role",
    "amount": "amount",
    "decision": "decision",
}
ENTRY = {
    "source": "register",
    "programme": "cdp",
    "other_programmes": "exclude",
    "accepted": ["approved"],
    "switches_off": "absorbing",
}
SPANISH = {"firm_id": "rut", "year": "año", "sales": "ventas", "employment": "empleo"}
NUMBERS = ["sales", "employment", "exports", "distance_km", "rent"]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """Write the dirt as a ministry does: yearly files, semicolons, decimal commas, Latin-1.

    One year calls its sales differently.
    """
    folder = tmp_path_factory.mktemp("delivered")
    panel = DIRTY.panel
    point = r"(\d)\.(\d)"
    commas = {name: panel[name].str.replace(point, r"\1,\2", regex=True) for name in NUMBERS}
    panel = panel.assign(**commas).rename(columns=SPANISH)
    for year, rows in panel.groupby("año"):
        named = rows.rename(columns={"ventas": "facturación"} if year == "2009" else {})
        path = folder / f"empresas_{year}.csv"
        named.drop(columns="año").to_csv(path, index=False, sep=";", encoding="cp1252")
    DIRTY.register.to_excel(folder / "beneficiarios.xlsx", index=False)
    return folder


def data_section():
    source = {
        "kind": "files",
        "panel": "empresas_*.csv",
        "register_file": "beneficiarios.xlsx",
        "format": {"delimiter": ";", "decimal": ",", "encoding": "cp1252"},
        "register_format": {"decimal": ",", "thousands": "."},
        "rename": {"empresas_2009.csv": {"facturación": "ventas"}},
        "year_in_name": True,
    }
    data = BLOCK["data"]
    flag = {"kind": "number", "column": "in_customs", "unit": "share", "label": "In customs"}
    columns = {name: dict(column) for name, column in data["columns"].items()}
    for name, column in columns.items():
        column["column"] = SPANISH.get(name, column["column"])
    return DataSection.model_validate(
        data
        | {
            "source": source,
            "firm_id": "rut",
            "year": "año",
            "columns": columns | {"in_customs": flag},
            "register_columns": REGISTER,
        }
    )


def cleaned(folder, *, entry=ENTRY, tables=None, **changes):
    data = data_section()
    raw = obtain_tables(data, folder)
    return clean_panel(
        raw.panel,
        raw.register,
        tables or DIRTY.rules_tables,
        data=data,
        clean=CleanSection.model_validate(RULES | changes),
        treatment=TreatmentSection.model_validate(BLOCK["treatment"] | {"entry": entry}),
        origins=raw.origins,
    )


@pytest.fixture(scope="module")
def ledger(delivered):
    return cleaned(delivered)


def test_rows_are_counted_by_the_file_that_they_came_in(ledger):
    """One file a year, whatever rules did to rows since."""
    flows = ledger.flows
    assert flows["n_firms"].sum() == len(ledger.panel)
    named = [f"empresas_{year}.csv" for year in flows["year"]]
    assert flows["source"].tolist() == named and len(set(named)) > 2


def test_every_problem_is_found_and_counted(ledger):
    conform(ISSUES, ledger.issues)
    conform(PANEL, ledger.panel)
    counts = ledger.issues.set_index(["rule", "column"])["count"].to_dict()
    assert {
        ("identifier_rewritten", "firm_id"): N_EACH,
        ("point_correction", "sales"): N_EACH,
        ("missing_code", "sales"): N_EACH,
        ("identifier_linked", "firm_id"): (1 + 1 + 2) * N_EACH,
        ("identical_rows", "firm_id"): N_EACH,
        ("conflicting_rows", "firm_id"): 2 * N_EACH,
        ("merged_firms", "firm_id"): 4 * N_EACH,
        ("code_becomes_several", "sector"): N_EACH,
        ("code_not_in_file", "sector"): N_EACH,
        ("not_in_customs", "exports"): N_EACH,
        ("missing_in_customs", "exports"): N_EACH,
        ("years_not_observed", "year"): N_EACH,
        ("jump", "sales"): N_EACH,
        ("not_in_panel", "firm_id"): N_EACH,
        ("applicant_not_accepted", "firm_id"): N_EACH,
        ("leaves_programme", "firm_id"): N_EACH,
        ("several_values", "component"): N_EACH,
        ("several_values", "amount"): N_EACH,
    }.items() <= counts.items()
    early = CLEAN["year"] < DIRTY.unit_year
    recoded = counts[("recoded", "municipality")]
    struck = CLEAN["year"].to_numpy()[DIRTY.rows["gap"]] < DIRTY.unit_year
    assert recoded == early.sum() - struck.sum()
    flow = ledger.sample_flow.set_index("rule")["firms_lost"]
    assert flow["not_already_treated"] == N_EACH
    assert flow["not_in_another_programme_only"] == N_EACH
    assert set(ledger.not_found["firm_id"]) == set(DIRTY.firms["unknown"])


def rows_of(*problems):
    """Return the keys of the firm-years that problems strike."""
    return CLEAN.loc[np.concatenate([DIRTY.rows[p] for p in problems]), ["firm_id", "year"]]


def keys(frame):
    return set(map(tuple, frame[["firm_id", "year"]].to_numpy()))


def test_what_is_left_is_the_clean_panel(ledger):
    left_out = {*DIRTY.firms["already_treated"], *DIRTY.firms["other_programme"]}
    clean = CLEAN[~CLEAN["firm_id"].isin(left_out)].drop(index=DIRTY.rows["gap"])
    both = ledger.panel.merge(
        clean, on=["firm_id", "year"], suffixes=("", "_clean"), validate="one_to_one"
    )
    assert len(both) == len(ledger.panel) == len(clean)
    elsewhere = {
        "sales": keys(rows_of("missing_code", "jump")),
        "employment": keys(rows_of("tail")),
        "exports": keys(rows_of("not_in_customs", "missing_exports")),
        "sector": keys(rows_of("split_sector", "unknown_sector")),
        "municipality": set(),
    }
    pairs = list(both[["firm_id", "year"]].itertuples(index=False, name=None))
    for name, struck in elsewhere.items():
        kept = both[[pair not in struck for pair in pairs]]
        if name in ("sector", "municipality"):
            assert (kept[name] == kept[f"{name}_clean"]).all()
        else:
            np.testing.assert_allclose(kept[name], kept[f"{name}_clean"], rtol=1e-9, atol=1e-9)


def at(*problems):
    return pd.MultiIndex.from_frame(rows_of(*problems))


def test_what_is_struck_is_treated_as_declared(ledger):
    panel = ledger.panel.set_index(["firm_id", "year"])
    assert panel.loc[at("missing_code", "jump"), "sales"].isna().all()
    assert panel.loc[at("not_in_customs", "missing_exports"), "exports"].isna().all()
    sectors = DIRTY.rules_tables["sectors.csv"]
    first = sectors.loc[sectors["from"] == SPLIT_SECTOR, "to"].iloc[0]
    assert (panel.loc[at("split_sector"), "sector"] == first).all()
    assert (panel.loc[at("unknown_sector"), "sector"] == UNKNOWN_SECTOR).all()
    twice = ledger.panel[ledger.panel["firm_id"].isin(DIRTY.firms["two_rows"])]
    assert set(twice["component"]) == {"finance + technical"}
    assert set(twice["amount"]) == {2469.0}
    refused = ledger.panel[ledger.panel["firm_id"].isin(DIRTY.firms["refused"])]
    assert refused["cohort"].isna().all()
    assert (refused["applicant"] == 1).all()


@pytest.mark.parametrize("method", ["winsorise", "trim"])
def test_extreme_tails_are_limited(method, delivered):
    tails = {"columns": ["employment"], "method": method, "lower_percentile": None,
             "upper_percentile": 99.5, "by": []}  # fmt: skip
    ledger = cleaned(delivered, tails=[tails])
    panel = ledger.panel.set_index(["firm_id", "year"])
    struck = panel.loc[at("tail"), "employment"]
    assert struck.isna().all() if method == "trim" else struck.max() <= CLEAN["employment"].max()
    count = ledger.issues.set_index("rule")["count"]["above_percentile"]
    assert N_EACH <= count < 0.01 * len(panel)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit_factors": RULES["unit_factors"][1:]},
         f"sales {DIRTY.unit_year}: median moves / 1000"),
        ({"unit_factors": RULES["unit_factors"][:1]},
         f"exports {DIRTY.milli_year}: median moves x 1000"),
        ({"missing_codes": {}}, rf"column ventas: a value is no number: {N_EACH // 2} rows; .* "
         r"of empresas_"),
        ({"missing_codes": {"sales": ["s/d", "nd", ".."]}}, "below its minimum 0: 2 rows"),
        ({"duplicates": {"identical": "collapse", "conflicting": "refuse"}},
         f"more than one row in a year: {2 * N_EACH} rows"),
        ({"duplicates": {"identical": "refuse", "conflicting": "refuse"}},
         f"identical rows in a year: {2 * N_EACH} rows"),
        ({"jumps": [RULES["jumps"][0] | {"action": "refuse"}]}, f"years: {N_EACH} rows"),
        ({"links": RULES["links"] | {"split": "refuse"}}, f"{N_EACH} firms split into several"),
        ({"links": RULES["links"] | {"add_up": None}}, f"share a year: {4 * N_EACH} rows"),
        ({"recodes": [RULES["recodes"][0] | {"one_to_many": "refuse"}]},
         f"turns a code of sector into several: {N_EACH} rows"),
        ({"recodes": [RULES["recodes"][0] | {"unknown": "refuse"}]},
         f"lacks a code of sector: {N_EACH} rows"),
        ({"register_values": {}}, f"several values of component for a firm: {2 * N_EACH} rows; .* "
         r"of beneficiarios.xlsx"),
        ({"entry": ENTRY | {"switches_off": "refuse"}},
         f"a firm leaves the programme; .*: {N_EACH} rows"),
    ],
)  # fmt: skip
def test_a_problem_without_its_rule_stops_with_the_count(changes, message, delivered):
    with pytest.raises(DataError, match=message):
        cleaned(delivered, **changes)


def test_clean_data_pass_every_rule_untouched():
    panel = CLEAN.assign(in_customs=1)
    register = FIRMS.register.assign(firm_id=digits(FIRMS.register["firm_id"]))
    empty = {"links.csv": ["old_id", "new_id"], "corrections.csv": list(
        DIRTY.rules_tables["corrections.csv"].columns)}  # fmt: skip
    tables = DIRTY.rules_tables | {
        name: pd.DataFrame(columns=names, dtype="str") for name, names in empty.items()
    }
    data = BLOCK["data"]
    flag = {"kind": "number", "column": "in_customs", "unit": "share", "label": "In customs"}
    found = clean_panel(
        panel,
        register,
        tables,
        data=DataSection.model_validate(data | {"columns": data["columns"] | {"in_customs": flag}}),
        clean=CleanSection.model_validate(RULES | {"unit_factors": [], "prices": []}),
        treatment=TreatmentSection.model_validate(BLOCK["treatment"]),
    )
    pd.testing.assert_frame_equal(
        found.panel[["sales", "employment", "exports", "sector", "municipality"]],
        panel[["sales", "employment", "exports", "sector", "municipality"]].astype(
            {"employment": "float64"}
        ),
    )
    kept = {"zero", "not_in_panel", "code_not_in_file"}
    assert set(found.issues["rule"]) <= kept
    assert found.sample_flow["firm_years_lost"].sum() == 0
