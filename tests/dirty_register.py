"""A participation register as programmes keep it, made from a clean one."""

import numpy as np
import pandas as pd

EVALUATED = "cdp"


def soil_register(
    register: pd.DataFrame, panel: pd.DataFrame, n_each: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Return the register with `n_each` firms of each problem, in text, and who they are.

    Beneficiaries whom the panel lacks, a second component for the same firm, firms that leave,
    firms that entered before the panel starts, firms of another programme, and applicants who were
    refused. Dates are written 2009-10-31, amounts 1.234,5.
    """
    firms = _firms(register, panel, n_each, rng)
    entered = register.assign(
        component="finance", role="supplier", amount=1234.5, exit="", decision="approved"
    )
    entered.loc[entered["firm_id"].isin(firms["leaves"]), "exit"] = str(panel["year"].max())
    second = entered[entered["firm_id"].isin(firms["two_rows"])].assign(component="technical")
    unknown = _rows(firms["unknown"], int(panel["year"].median()))
    already = _rows(firms["already_treated"], int(panel["year"].min()))
    refused = _rows(firms["refused"], int(panel["year"].median())).assign(
        decision="rejected", component="", role="", amount=np.nan
    )
    other = _rows(firms["other_programme"], int(panel["year"].median())).assign(programme="other")
    listed = pd.concat([entered, second, unknown, already, other, refused], ignore_index=True)
    listed["entry_year"] = listed["entry_year"].astype("str") + "-03-31"
    listed["amount"] = [
        "" if np.isnan(amount) else f"{amount:,.1f}".translate(str.maketrans(",.", ".,"))
        for amount in listed["amount"]
    ]
    return listed.astype("str"), firms


def _firms(
    register: pd.DataFrame, panel: pd.DataFrame, n_each: int, rng: np.random.Generator
) -> dict[str, list[str]]:
    """Draw firms of the programme once each, and others that no programme has."""
    known = register["firm_id"].isin(panel["firm_id"])
    once = register[known & ~register.duplicated("firm_id", keep=False)]
    evaluated = rng.permutation(once.loc[once["programme"] == EVALUATED, "firm_id"])
    first = panel.loc[panel["year"] == panel["year"].min(), "firm_id"]
    others = rng.permutation(first[~first.isin(register["firm_id"])])
    return {
        "unknown": [f"5{i:03d}" for i in range(n_each)],
        "two_rows": list(evaluated[:n_each]),
        "leaves": list(evaluated[n_each : 2 * n_each]),
        "already_treated": list(others[:n_each]),
        "refused": list(others[n_each : 2 * n_each]),
        "other_programme": list(others[2 * n_each : 3 * n_each]),
    }


def _rows(firms: list[str], entry_year: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "firm_id": firms,
            "programme": EVALUATED,
            "entry_year": entry_year,
            "component": "finance",
            "role": "supplier",
            "amount": 1234.5,
            "exit": "",
            "decision": "approved",
        }
    )
