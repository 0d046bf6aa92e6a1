"""Run one stage: read its sections, call it, report faults without a traceback."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import EvaluationError, ParamsError
from pipeline.params.settings import load_yaml, parse_section, study_block
from pipeline.progress import telling

PARAMS = Path("params.yaml")


def run_stage(main: Callable[..., None], sections: dict[str, Any]) -> None:
    """Run `main(folders, **sections)` for the study named on the command line.

    Exits 2 with a message where the user must act. DVC records the parameters that it read
    before the stage ran, so a section edited meanwhile would make dvc.lock lie: the stage
    reads its sections again at the end and fails if they changed.
    """
    study = _study_argument(main)
    folders = Folders(study)
    try:
        settings = _read(study, sections)
        started = time.perf_counter()
        with watched(f"{_verb(main)} {study}"):
            main(folders, **settings)
        if _read(study, sections) != settings:
            raise ParamsError(
                f"{PARAMS}: {study} changed while the stage ran; run `dvc repro` again"
            )
    except EvaluationError as error:
        raise SystemExit(report(error, f"{_verb(main)} {study}", folders)) from None
    progress(f"{_verb(main)} {study}: {time.perf_counter() - started:.1f} s")


class Folders:
    """Name the folders of one study: raw data, rules files, what stages write, results."""

    def __init__(self, study: str, root: Path = Path()) -> None:
        self.study = study
        self.raw = root / "data" / "raw" / study
        self.rules = root / "data" / "rules" / study
        self.private = root / "data" / study
        self.reports = root / "reports" / study
        self.headlines = root / "reports" / "headlines" / f"{study}.json"

    def of(self, stage: str) -> Path:
        """Return the folder that a stage writes: data/<study>/<stage>."""
        return self.private / stage


def report(error: EvaluationError, where: str, folders: Folders | None = None) -> int:
    """Print what failed and what to do; write the rows concerned to a private file."""
    print(f"{where}: {type(error).__name__}", file=sys.stderr)
    for line in str(error).splitlines():
        print(f"  {line}", file=sys.stderr)
    if error.problems is not None and folders is not None:
        folders.private.mkdir(parents=True, exist_ok=True)
        path = folders.private / "problems.csv"
        error.problems.to_csv(path, index=False, lineterminator="\n")
        print(f"  The rows concerned are in {path.as_posix()} (private).", file=sys.stderr)
    return 2


def progress(message: str) -> None:
    """Print a line for a person at a terminal; stay quiet in CI and in files."""
    if _is_watched():
        print(message, file=sys.stderr)


@contextmanager
def watched(name: str) -> Iterator[None]:
    """Show on one line of the terminal how far the work inside has come; none in CI and files."""
    if not _is_watched():
        yield
        return
    with telling(lambda message: print(f"\r\033[K{name}: {message}", end="", file=sys.stderr)):
        yield
    print("\r\033[K", end="", file=sys.stderr)


def _is_watched() -> bool:
    return sys.stderr.isatty() and not os.environ.get("CI")


def _study_argument(main: Callable[..., None]) -> str:
    parser = argparse.ArgumentParser(
        prog=f"python -m stages.{_verb(main)}", description=sys.modules[main.__module__].__doc__
    )
    parser.add_argument("study", help="a study of params.yaml")
    return str(parser.parse_args().study)


def _read(study: str, sections: dict[str, Any]) -> dict[str, Any]:
    block = study_block(load_yaml(PARAMS), study)
    return {name: parse_section(block, study, name, model) for name, model in sections.items()}


def _verb(main: Callable[..., None]) -> str:
    return Path(main.__code__.co_filename).stem
