"""The attacked study with arms: one inside another by three firms, and one of exposed firms.

Two participants are in no arm. Zones with participants expose half of the other firms.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from attacked_study import STUDY, Attacked, delivered_panel
from attacked_study import section as attacked_section
from marked_study import STAGES, run
from workspace import project

# Components by the firm's number, where it is not training.
_ADVICE, _OTHER = (10, 33, 50), (15, 44)
# Zones of each entry year: the first, and how many.
_FIRST_ZONE = {2010: 0, 2011: 1, 2012: 7, 2013: 13}
_ZONES = {2010: 1, 2011: 6, 2012: 6, 2013: 7}
ARMS = {
    "headline": "training",
    "several": "in_each",
    "least_firms": 5,
    "named": {
        "training": {"source": "register", "component": ["training"]},
        "credit": {"source": "register", "component": ["credit"]},
        "wide": {"source": "register", "component": ["training", "advice"]},
        "near": {"source": "exposure", "exposure": "zone_mates"},
    },
    "contrasts": {
        "training_less_credit": {"training": 1.0, "credit": -1.0},
        "wide_less_training": {"wide": 1.0, "training": -1.0},
    },
}


def delivered_arms() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return panel and register: who entered when in which component."""
    panel = delivered_panel()
    number = panel["firm"].str[1:].astype(int)
    entered = panel["entry"] < 9999
    # zones of participants have one entry year, so that nobody is exposed before it enters
    first, among = panel["entry"].map(_FIRST_ZONE), panel["entry"].map(_ZONES)
    others = np.where(number % 2 == 0, number % 20, 20 + number % 20)
    zone = np.where(entered, first + number % among.fillna(1), others).astype(int)
    panel = panel.assign(zone=[f"z{z:02d}" for z in zone])
    rows = panel[entered].drop_duplicates("firm")
    own = rows["firm"].str[1:].astype(int)
    part = np.select(
        [own.isin(_ADVICE), own.isin(_OTHER), own % 3 == 0],
        ["advice", "other", "credit"],
        "training",
    )
    return panel.drop(columns="entry"), rows[["firm", "entry"]].assign(part=part)


def section() -> dict:
    """Return the study's block of params.yaml: two designs, stacked effects, groups by sector."""
    block = attacked_section()
    block["data"]["source"] |= {"register_file": "register.csv"}
    block["data"]["columns"].pop("entry")
    block["data"]["columns"]["zone"] = {"kind": "text", "column": "zone", "label": "Zone"}
    columns = {"firm_id": "firm", "entry_year": "entry", "component": "part"}
    block["data"]["register_columns"] = columns
    block["outcomes"] = {n: block["outcomes"][n] for n in ("sales", "sales_log", "exports_any")}
    entry = {"source": "register", "programme": None, "other_programmes": "keep"}
    exposure = {"zone_mates": {"kind": "cell", "columns": ["zone"]}}
    block["treatment"] |= {"entry": entry, "arms": ARMS, "exposure": exposure}
    block["score"]["models"] = {"basic": block["score"]["models"]["basic"]}
    block["match"]["designs"] = {"matched": block["match"]["designs"]["matched"]}
    spec = block["estimate"]["specs"]["stacked"] | {"designs": ["unmatched", "matched"]}
    block["estimate"]["specs"] = {"stacked": spec}
    groups = block["estimate"]["analyses"]["groups"]
    by = {"sector": groups["by"]["sector"]}
    block["estimate"]["analyses"] = {"groups": groups | {"by": by}}
    labels = {"unmatched": "unmatched", "matched": "matched"}
    block["exhibit"] |= {"design_labels": labels, "figures": [], "tables": ["main_effects"]}
    return block


def attacked_arms(folder: Path) -> Attacked:
    """Write the study with arms into a project and run every stage of it once."""
    project(folder, {STUDY: section()})
    raw = folder / "data" / "raw" / STUDY
    for table, name in zip(delivered_arms(), ("panel", "register"), strict=True):
        table.to_csv(raw / f"{name}.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["stage", STUDY])
        for verb in STAGES:
            run(verb)
    return Attacked(folder)
