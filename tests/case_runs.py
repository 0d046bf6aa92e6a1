"""Run a case of tests/cases: its stages in this process, and what it must hold afterwards."""

import contextlib
import io
import re
import shutil
import sys
import textwrap
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from import_closure import ROOT

from pipeline.params.settings import load_yaml
from stages.run import run_stage

CASES = Path(__file__).parent / "cases"
STUDY = "firms"


@dataclass(frozen=True)
class Ran:
    """Hold where a case stood, its last stage (`ok` where none stopped), exit code and lines."""

    root: Path
    stopped: str
    rc: int
    shown: str


def names() -> list[str]:
    return sorted(path.parent.name for path in CASES.glob("*/case.yaml"))


def case(name: str) -> dict:
    return load_yaml(CASES / name / "case.yaml")


def set_up(name: str, root: Path) -> None:
    """Lay out a project with the case's study, or with its files to start one from."""
    shutil.copy(ROOT / "dvc.yaml", root)
    written = CASES / name / "section.yaml"
    if not written.exists():
        shutil.copytree(CASES / name / "raw", root / "delivered")
        (root / "data" / "raw").mkdir(parents=True)
        (root / "params.yaml").write_text("studies:\n")
        return
    shutil.copytree(CASES / name / "raw", root / "data" / "raw" / STUDY)
    (root / "data" / "rules" / STUDY).mkdir(parents=True)
    for kind in ("raw", "rules"):
        (root / "data" / kind / STUDY / "README.md").write_text("made up\n")
    block = textwrap.indent(written.read_text("utf-8"), "  ")
    (root / "params.yaml").write_text(f"studies: [{STUDY}]\n{STUDY}:\n{block}", "utf-8")


def run(root: Path, stages: list[str]) -> Ran:
    """Run stages in the current folder, which is `root`, until one stops."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        for line in stages:
            stage, *files = line.split()
            if rc := _exit_code(stage, [f"delivered/{file}" for file in files]):
                return Ran(root, stage, rc, shown.getvalue())
    return Ran(root, "ok", 0, shown.getvalue())


def _exit_code(stage: str, files: list[str]) -> int:
    module = import_module(f"stages.{stage}")
    arguments = {"check": [], "start": [STUDY, *files]}.get(stage, [STUDY])
    sys.argv = [stage, *arguments]
    try:
        if stage in {"check", "start"}:
            module.main()
        else:
            run_stage(module.main, module.SECTIONS)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def faults(ran: Ran, holds: list[dict]) -> list[str]:
    """Return what each outcome lacks; empty where one holds entirely."""
    if ran.rc not in (0, 2):
        return [ran.shown]
    lacking = [next(_lacks(outcome, ran), None) for outcome in holds]
    return [] if None in lacking else [str(lack) for lack in lacking] + [ran.shown]


def _lacks(outcome: dict, ran: Ran) -> Iterator[str]:
    if outcome.get("rc", ran.rc) != ran.rc:
        yield f"exit code is {ran.rc}"
    if "stops" in outcome and ran.stopped not in np.atleast_1d(outcome["stops"]):
        yield f"stops at {ran.stopped}"
    yield from _words(ran.shown, outcome.get("says", []), outcome.get("never", []))
    if "panel" in outcome:
        yield from _panel(ran.root, outcome["panel"])
    for cell in outcome.get("cells", []):
        yield from _cell(ran.root, cell)
    for text in outcome.get("text", []):
        files = sorted(ran.root.glob(text["file"]))
        if not files:
            yield f"no file {text['file']}"
        joined = "\n".join(file.read_text("utf-8") for file in files)
        yield from _words(joined, text.get("has", []), text.get("lacks", []))
    yield from _section(ran.root, outcome)


def _words(text: str, has: list[str], lacks: list[str]) -> Iterator[str]:
    found = {pattern: re.search(pattern, text, re.I | re.S) for pattern in [*has, *lacks]}
    yield from (f"lacks {pattern}" for pattern in has if not found[pattern])
    yield from (f"has {found[pattern]}" for pattern in lacks if found[pattern])


def _panel(root: Path, wanted: dict[str, float]) -> Iterator[str]:
    panel = pd.read_parquet(root / "data" / STUDY / "clean" / "panel.parquet")
    firms = panel.drop_duplicates("firm_id")
    got = {"rows": len(panel), "firms": len(firms), "treated": firms["cohort"].notna().sum()}
    got |= {f"missing {name}": panel[name].isna().sum() for name in panel.columns}
    for name, value in wanted.items():
        have = got[name] if name in got else pd.to_numeric(panel[name]).sum()
        if abs(have - value) > 1e-6 * max(1, abs(value)):
            yield f"panel: {name} is {have:g}"


def _cell(root: Path, cell: dict) -> Iterator[str]:
    path = next(iter(sorted(root.glob(cell["file"]))), None)
    if path is None:
        yield f"no file {cell['file']}"
        return
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    for column, value in cell.get("where", {}).items():
        table = table[table[column].astype(str) == str(value)]
    table = table.sort_values("firm_id") if "firm_id" in table else table
    found, wanted = table[cell["column"]].tolist(), np.atleast_1d(cell["value"]).tolist()
    if len(found) != len(wanted) or not all(map(_same, found, wanted, [cell] * len(found))):
        yield f"{path.name}: {cell['column']} is {found}"


def _same(found: object, wanted: object, cell: dict) -> bool:
    if isinstance(wanted, str):
        return found == wanted
    return abs(float(found) - float(wanted)) <= cell.get("tolerance", 1e-6)


def _section(root: Path, outcome: dict) -> Iterator[str]:
    text = (root / "params.yaml").read_text("utf-8")
    block = load_yaml(root / "params.yaml").get(STUDY)
    for wish in ("settings", "settings_not"):
        for path, value in outcome.get(wish, {}).items():
            found = block
            for key in path.split("."):
                found = found.get(key) if isinstance(found, dict) else None
            if (found == value) == (wish == "settings_not"):
                yield f"section: {path} is {found!r}"
    wanted = outcome.get("section", {})
    yield from _words(text, wanted.get("has", []), wanted.get("lacks", []))
