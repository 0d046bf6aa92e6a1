"""Seconds and peak memory of a study of two arms: `python -m benchmarks.arms`.

Simulates a programme of clusters at each size, observed for 10 years, and runs every stage from the
raw panel to ARM_CONTRASTS, each as its own process in a temporary folder. The study is that of
`benchmarks/large.yaml` (3 outcomes; all firms and two matched designs; stacked, group-time and flat
effects) by two components of the programme, each against firms out of reach, with their difference.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from benchmarks.endtoend import ROOT, SEED, run_stage, settings_for
from benchmarks.result_file import HERE, Run, stage_table
from pipeline.params.settings import load_yaml
from pipeline.params.simulation import ClusterProgramme
from pipeline.simulation.simulate import simulate_programme

STAGES = ["obtain", "clean", "score", "match", "balance", "estimate"]
PROGRAMME = {
    "country_km": 1500,
    "municipality_sd_km": 4,
    "tradable_sectors": 4,
    "saturations": [0.2, 0.6],
    "other_alone_share": 0,
    "saturation_edges": [],
    "spill_percent": {"tradable": [4], "non_tradable": [-2]},
    "horizontal_percent": 1,
    "links_per_firm": {"supply": 0, "labour_flow": 0},
    "local_link_share": 0,
    "link_percent": {"supply": 0, "labour_flow": 0},
    "component_factors": {"training": 1, "equipment": 0.5},
    "several_components_share": 0,
}
TREATMENT = {
    "entry": {"source": "register", "programme": None, "other_programmes": "keep"},
    "exposure": {"neighbours": {"kind": "cell", "columns": ["municipality", "sector"]}},
    "arms": {
        "headline": "training",
        "named": {
            name: {"source": "register", "component": [name]} for name in ("training", "equipment")
        },
        "contrasts": {"difference": {"training": 1, "equipment": -1}},
    },
}


def block() -> dict[str, Any]:
    """Return the study `large` by two arms."""
    study: dict[str, Any] = load_yaml(ROOT / "benchmarks" / "large.yaml")["large"]
    study["data"]["register_columns"]["component"] = "component"
    study["treatment"] |= TREATMENT
    return study


def write_raw(firms: int, folder: Path) -> int:
    """Simulate the firms and write panel and register as Parquet; return the rows of the panel."""
    programme = ClusterProgramme.model_validate(PROGRAMME)
    asked = settings_for(firms).model_copy(update={"cluster_programme": programme})
    drawn = simulate_programme(asked, np.random.default_rng(SEED))
    folder.mkdir(parents=True)
    drawn.panel.to_parquet(folder / "firms.parquet", index=False)
    drawn.register.to_parquet(folder / "register.parquet", index=False)
    return len(drawn.panel)


def run(firms: int) -> list[Run]:
    """Return what each stage took on the panel of so many firms."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "dvc.yaml", folder)
        with (folder / "params.yaml").open("w", encoding="utf-8") as file:
            YAML().dump({"studies": ["large"], "large": block()}, file)
        rows = write_raw(firms, folder / "data" / "raw" / "large")
        runs = []
        for stage in STAGES:
            took = run_stage(stage, folder)
            runs.append(Run(HERE, stage, rows, [took.seconds], [took.cpu_seconds], [took.mib]))
        found = pd.read_parquet(folder / "data" / "large" / "estimate" / "arm_contrasts.parquet")
    known = found["estimate"].notna()
    print(f"{firms} firms: {len(found)} contrasts, {int(known.sum())} of them estimated")
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--firms", type=int, nargs="+", default=[100_000])
    runs: list[Run] = []
    for firms in parser.parse_args().firms:
        runs += run(firms)
    cpu = sum(taken.cpu_seconds[0] for taken in runs)
    print("\n".join([*stage_table(runs), f"{cpu:.0f} s of processor time, waiting left out"]))


if __name__ == "__main__":
    main()
