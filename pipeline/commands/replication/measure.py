"""Measure what each stage takes: seconds and peak memory, in a process of its own."""

import csv
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from pipeline.commands.replication.readme import MEASURED
from pipeline.errors import EvaluationError

_STAGES = ("obtain", "clean", "score", "match", "balance", "estimate", "exhibit")
_HEAD = ("study", "stage", "seconds", "peak_mb", "machine")


class MeasureError(EvaluationError):
    """Report a stage that did not run to its end while it was measured."""


def measure_stages(root: Path, studies: list[str]) -> Path:
    """Run every stage of the studies again, outside DVC, and write docs/measured.csv.

    Stages give the same files as before, so nothing else changes. Linux and macOS only.
    """
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    path = root / MEASURED
    rows = [
        (study, stage, *_measured(root, stage, study), machine)
        for study in studies
        for stage in _STAGES
    ]
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([_HEAD, *rows])
    return path


def _measured(root: Path, stage: str, study: str) -> tuple[str, str]:
    started = time.perf_counter()
    command = [sys.executable, "-m", f"stages.{stage}", study]
    with subprocess.Popen(command, cwd=root) as running:
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise MeasureError(f"{stage} {study} stopped: see above; run `dvc repro` first")
    kilobytes = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return f"{time.perf_counter() - started:.1f}", f"{kilobytes / 1024:.0f}"
