"""Dirt with a known answer: every injected problem is found, counted and treated as declared."""

import numpy as np
import pandas as pd
import pytest
import simulation
from workspace import section

from pipeline.errors import DataError
from pipeline.panel import clean_panel
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.treatment import TreatmentSection
from pipeline.simulate import simulate_programme
from pipeline.simulation.dirt import JUMP_FACTOR, MISSING_CODE, digits, soil

N_EACH = 7
BLOCK = section("simulated")
FIRMS = simulate_programme(
    simulation.settings(firms=999, municipalities=15, sectors=4, treated_clusters=20),
    np.random.default_rng(3),
)
DIRTY = soil(FIRMS.panel, FIRMS.register, N_EACH, np.random.default_rng(4))
RULES = {
    "identifier": {"width": 4},
    "links": {"file": "links.csv", "add_up": None, "split": "refuse"},
    "corrections": "corrections.csv",
    "missing_codes": {"sales": [MISSING_CODE]},
    "duplicates": {"identical": "collapse", "conflicting": "first"},
    "recodes": [{"column": "sector", "file": "sectors.csv", "one_to_many": "refuse",
                 "unknown": "refuse"}],
    "unit_factors": [{"column": "sales", "years": [DIRTY.unit_year], "factor": 1000.0}],
    "scale_checks": [{"columns": ["sales"], "factors": [1000.0], "tolerance_factor": 2.0,
                      "action": "refuse"}],
    "prices": [{"columns": ["sales"], "file": "inflation.csv", "kind": "inflation_percent",
                "base_year": 2005}],
    "customs": {"column": "exports", "matched": "in_customs", "unmatched": "missing"},
    "jumps": [{"columns": ["sales"], "factor": JUMP_FACTOR / 20, "action": "set_missing"}],
}  # fmt: skip


def cleaned(panel, register, tables, **changes):
    data = BLOCK["data"]
    flag = {"kind": "number", "column": "in_customs", "unit": "share", "label": "In customs"}
    columns = data["columns"] | {"in_customs": flag}
    return clean_panel(
        panel,
        register,
        tables,
        data=DataSection.model_validate(data | {"columns": columns}),
        clean=CleanSection.model_validate(RULES | changes),
        treatment=TreatmentSection.model_validate(BLOCK["treatment"]),
    )


def test_every_problem_is_found_and_counted():
    found = cleaned(DIRTY.panel, DIRTY.register, DIRTY.rules_tables).issues
    counts = {(row["rule"], row["column"]): row["count"] for _, row in found.iterrows()}
    old = int((FIRMS.panel["year"] < DIRTY.unit_year).sum())
    assert {
        ("identifier rewritten", "firm_id"): N_EACH,
        ("point correction: typing error", "sales"): N_EACH,
        ("code for missing", "sales"): N_EACH,
        ("identifier linked", "firm_id"): N_EACH,
        ("identical rows", "firm_id"): N_EACH,
        ("conflicting rows", "firm_id"): 2 * N_EACH,
        ("recoded, sectors.csv", "sector"): old,
        ("not in customs", "exports"): N_EACH,
        (f"more than {JUMP_FACTOR / 20:g} times off both neighbouring years", "sales"): N_EACH,
    }.items() <= counts.items()
    assert counts[("unit x 1000", "sales")] > 0
    assert counts[("prices, inflation.csv", "sales")] > len(FIRMS.panel) * 0.9


def test_what_is_left_is_the_clean_panel():
    found = cleaned(DIRTY.panel, DIRTY.register, DIRTY.rules_tables).panel
    clean = FIRMS.panel.assign(firm_id=digits(FIRMS.panel["firm_id"]))
    keys = ["firm_id", "year"]
    both = found.merge(clean, on=keys, suffixes=("", "_clean"), validate="one_to_one")
    assert len(both) == len(found) == len(clean)
    lost = clean.loc[[*DIRTY.rows["missing_code"], *DIRTY.rows["jump"]], keys]
    missing = both.loc[both["sales"].isna(), keys]
    assert set(map(tuple, missing.to_numpy())) == set(map(tuple, lost.to_numpy()))
    known = both.dropna(subset="sales")
    np.testing.assert_allclose(known["sales"], known["sales_clean"], rtol=1e-9)
    np.testing.assert_array_equal(both["employment"], both["employment_clean"])
    assert (both["sector"] == both["sector_clean"]).all()
    assert int(both["exports"].isna().sum()) == N_EACH


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit_factors": []}, f"sales {DIRTY.unit_year}: median moves / 1000"),
        ({"missing_codes": {}}, f"below its minimum 0: {N_EACH} rows"),
        ({"duplicates": {"identical": "collapse", "conflicting": "refuse"}},
         f"more than one row in a year: {2 * N_EACH} rows"),
        ({"jumps": [RULES["jumps"][0] | {"action": "refuse"}]}, f"years: {N_EACH} rows"),
    ],
)  # fmt: skip
def test_a_problem_without_its_rule_stops_with_the_count(changes, message):
    with pytest.raises(DataError, match=message):
        cleaned(DIRTY.panel, DIRTY.register, DIRTY.rules_tables, **changes)


def test_clean_data_pass_every_rule_untouched():
    panel = FIRMS.panel.assign(firm_id=digits(FIRMS.panel["firm_id"]), in_customs=1)
    register = FIRMS.register.assign(firm_id=digits(FIRMS.register["firm_id"]))
    empty = {"links.csv": ["old_id", "new_id"], "corrections.csv": list(
        DIRTY.rules_tables["corrections.csv"].columns)}  # fmt: skip
    tables = DIRTY.rules_tables | {
        name: pd.DataFrame(columns=names, dtype="str") for name, names in empty.items()
    }
    found = cleaned(panel, register, tables, unit_factors=[], prices=[])
    np.testing.assert_array_equal(found.panel["sales"], panel["sales"])
    assert set(found.issues["rule"]) <= {"zero", "beneficiary not in the panel"}
    assert found.sample_flow["firm_years_lost"].sum() == 0
