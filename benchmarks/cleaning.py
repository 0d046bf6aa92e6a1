"""Seconds and peak memory of cleaning: `python -m benchmarks.cleaning 1000000 10000000`.

For each number of firm-years, writes a panel of 12 columns with dirt in it (Parquet) and runs
`stages.clean` on it with every rule on, as its own process. The frame is the panel as pandas
holds it once loaded. `--write` keeps what was measured for docs/speed.md.
"""

import argparse
import copy
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from benchmarks.result_file import HERE, Measured, Run, today, versions
from benchmarks.side_by_side import process_taken
from pipeline.params.settings import load_yaml

ROOT = Path(__file__).parent.parent
FIRST_YEAR, N_YEARS = 2005, 10
SECTORS = np.array(["0110", "1010", "1310", "1520", "2012"])
LEGAL = np.array(["SA", "SRL", "EIRL"])
NUMBERS = ["sales", "employment", "exports", "wages", "assets", "in_customs"]
TEXTS = ["municipality", "sector", "legal", "origin"]
RULES = {
    "identifier": {"width": 9},
    "links": {"file": "links.csv", "add_up": ["sales", "employment"], "split": "refuse"},
    "corrections": "corrections.csv",
    "missing_codes": {"sales": ["-1"], "wages": ["-1"]},
    "duplicates": {"identical": "collapse", "conflicting": "first"},
    "recodes": [{"column": "sector", "file": "sectors.csv", "one_to_many": "refuse",
                 "unknown": "keep"}],
    "unit_factors": [{"column": "sales", "years": [2009], "factor": 1000.0}],
    "scale_checks": [{"columns": ["sales", "wages"], "pairs": [["sales", "wages"]],
                      "factors": [1000.0, 1e6], "tolerance_factor": 2.0, "action": "report"}],
    "prices": [{"columns": ["sales", "wages", "assets"], "file": "inflation.csv",
                "kind": "inflation_percent", "base_year": 2005}],
    "customs": {"column": "exports", "matched": "in_customs", "unmatched": "missing"},
    "filters": [{"column": "legal", "label": "Companies", "drop": ["EIRL"]}],
    "window": {"last_year": 2013, "minimum_pre_years": 2},
    "jumps": [{"columns": ["sales"], "factor": 500.0, "action": "set_missing"}],
    "tails": [{"columns": ["sales", "wages"], "method": "winsorise", "lower_percentile": 1,
               "upper_percentile": 99, "by": ["year", "sector"]}],
}  # fmt: skip


def dirty_panel(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return firms in rows of ten years each, with codes, a year in thousands and duplicates."""
    firm = np.repeat(np.arange(n_rows // N_YEARS), N_YEARS)
    year = FIRST_YEAR + np.tile(np.arange(N_YEARS), n_rows // N_YEARS)
    n = len(firm)
    sales = np.exp(rng.normal(5, 1, n))
    panel = pd.DataFrame(
        {
            "firm_id": pd.Series(firm).astype("str").str.zfill(9),
            "year": year,
            "municipality": pd.Series(np.char.mod("M%03d", np.arange(300)))[firm % 300].array,
            "sector": pd.Series(SECTORS)[firm % 5].array,
            "legal": pd.Series(LEGAL)[(firm // 7) % 3].array,
            "origin": pd.Series(["local", "foreign"])[firm % 2].array,
            "sales": np.where(year == 2009, sales / 1000, sales),
            "employment": rng.poisson(12, n).astype(float),
            "exports": np.where(firm % 4 == 0, sales / 5, 0.0),
            "wages": np.where(rng.random(n) < 0.01, -1.0, sales / 4),
            "assets": sales * 2,
            "in_customs": 1.0,
        }
    )
    panel.loc[panel.index[-50:], panel.columns[2:]] = panel.iloc[:50, 2:].to_numpy()
    return pd.concat([panel.iloc[:-1], panel.iloc[:1]], ignore_index=True)


def settings() -> dict[str, object]:
    """Return params with one study that reads the panel and has every rule on."""
    study = copy.deepcopy(load_yaml(ROOT / "tests" / "studies" / "simulated.yaml")["simulated"])
    number = {"kind": "number", "unit": "US$", "label": "x", "minimum": 0}
    code = {"kind": "text", "label": "x"}
    study["data"]["source"] = {"kind": "files", "panel": "p.parquet", "register_file": "r.csv"}
    study["data"]["columns"] = {name: number | {"column": name} for name in NUMBERS} | {
        name: code | {"column": name} for name in TEXTS
    }
    study["clean"] = RULES
    return {"studies": ["big"], "big": study}


def prepare(folder: Path, n_rows: int) -> int:
    """Write params, obtained tables and rules files; return the size of the frame in bytes."""
    obtained, rules = folder / "data/big/obtained", folder / "data/rules/big"
    obtained.mkdir(parents=True)
    rules.mkdir(parents=True)
    panel = dirty_panel(n_rows, np.random.default_rng(1))
    panel.to_parquet(obtained / "panel.parquet", index=False)
    firms = panel["firm_id"].drop_duplicates()
    entrants = firms[::20].iloc[: len(firms) // 20]
    register = pd.DataFrame({"firm_id": entrants, "programme": "cdp", "entry_year": 2010})
    register.to_parquet(obtained / "register.parquet", index=False)
    ids = firms.iloc[1:100:2].to_numpy()
    new = [f"9{firm[1:]}" for firm in ids]
    pd.DataFrame({"old_id": ids, "new_id": new}).to_csv(rules / "links.csv", index=False)
    pd.DataFrame({"from": SECTORS, "to": ["01", "10", "10", "15", "20"]}).to_csv(
        rules / "sectors.csv", index=False
    )
    years = range(FIRST_YEAR, FIRST_YEAR + N_YEARS)
    pd.DataFrame({"year": years, "value": 4.0}).to_csv(rules / "inflation.csv", index=False)
    point = panel.iloc[[25]][["firm_id", "year"]].assign(
        column="employment", old=panel["employment"].iloc[25], new=3, reason="typing", source="note"
    )
    point.to_csv(rules / "corrections.csv", index=False)
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(settings(), file)
    return int(panel.memory_usage(deep=True).sum())


def measure(folder: Path, n_rows: int) -> Run:
    """Run the clean stage on the prepared panel."""
    command = [sys.executable, "-m", "stages.clean", "big"]
    took = process_taken(command, folder, {"PYTHONPATH": str(ROOT)})
    return Run(HERE, "clean, every rule on", n_rows, [took.seconds], [took.cpu_seconds], [took.mib])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="+", type=int, help="numbers of firm-years")
    parser.add_argument("--write", action="store_true", help="write benchmarks/measured/")
    options = parser.parse_args()
    print("firm-years   frame MiB  seconds  peak MiB  peak / frame", flush=True)
    runs = []
    for n_rows in options.rows:
        with tempfile.TemporaryDirectory() as name:
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:  # its memory is its own
                frame = pool.submit(prepare, Path(name), n_rows).result() / 2**20
            run = measure(Path(name), n_rows)
        runs.append(run)
        print(f"{n_rows:>10,} {frame:10.0f} {run.seconds[0]:8.1f} {run.mib[0]:9.0f} "
              f"{run.mib[0] / frame:13.1f}", flush=True)  # fmt: skip
    measured = Measured(
        what="cleaning of 12 columns",
        command=f"python -m benchmarks.cleaning {' '.join(map(str, options.rows))}",
        counted="firm-years",
        runs=runs,
        versions={HERE: versions("numpy", "pandas", "pyarrow")},
        **today(),
    )
    if options.write:
        measured.write("cleaning")


if __name__ == "__main__":
    main()
