"""Seconds and peak memory of each stage: `python -m benchmarks.stages 100000 10`.

Runs every stage of the study `simulated`, enlarged to the given firms and years, as its own
process in a temporary folder. Times are wall-clock on this machine, noisy on a shared one.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.params.settings import load_yaml

ROOT = Path(__file__).parent.parent
STAGES = ["obtain", "clean", "score", "match", "balance", "estimate", "exhibit"]


def enlarged(firms: int, years: int) -> dict[str, object]:
    """Return params with the simulated study at the given size, clusters grown in proportion."""
    content = load_yaml(ROOT / "tests" / "studies" / "simulated.yaml")
    study = content["simulated"]
    settings = study["data"]["source"]["settings"]
    factor = firms / settings["firms"]
    settings["municipalities"] = max(1, round(settings["municipalities"] * factor))
    settings["treated_clusters"] = max(1, round(settings["treated_clusters"] * factor))
    settings["firms"] = firms
    settings["last_year"] = settings["first_year"] + years - 1
    return {"studies": ["simulated"], "simulated": study}


def run_stage(stage: str, folder: Path) -> tuple[float, float]:
    """Run one stage; return seconds and peak resident memory in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", f"stages.{stage}", "simulated"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{stage} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("firms", type=int)
    parser.add_argument("years", type=int)
    asked = parser.parse_args()
    firms, years = asked.firms, asked.years
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "dvc.yaml", folder)  # `exhibit` reads its declared inputs from it
        with (folder / "params.yaml").open("w", encoding="utf-8") as file:
            YAML().dump(enlarged(firms, years), file)
        print(f"{firms:,} firms x {years} years\nstage      seconds  peak MiB")
        for stage in STAGES:
            seconds, memory = run_stage(stage, folder)
            print(f"{stage:<10} {seconds:7.1f}  {memory:8.0f}", flush=True)


if __name__ == "__main__":
    main()
