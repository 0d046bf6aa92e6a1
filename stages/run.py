"""Run one stage: read its sections, call it, report faults without a traceback."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.datasets.complete import write_file
from pipeline.errors import EvaluationError, MachineError, ParamsError
from pipeline.parallel import working
from pipeline.params.settings import load_yaml, parse_section, study_block
from pipeline.progress import telling
from stages.faults import hide_messages

if TYPE_CHECKING:  # `check` reports errors without waiting for pandas
    import pandas as pd

PARAMS = Path("params.yaml")

# By name, so that no stage depends on the words: they are printed here, and in no result.
WORDS = "pipeline.exhibits.words.language"

# Back to the start of the terminal's line, which goes.
_CLEAR = "\r\033[K"

# What a machine refuses that whoever runs it can repair, and how.
_REFUSALS = {
    errno.ENOSPC: "free space",
    errno.EDQUOT: "free space",
    errno.EFBIG: "free space, or raise the limit on file sizes",
    errno.EROFS: "make it writable",
    errno.EACCES: "close it where it is open, or give yourself the right to read and write it",
    errno.EPERM: "give yourself the right to read and write it",
    errno.EBUSY: "close it where it is open",
}


def run_stage(main: Callable[..., None], sections: dict[str, Any]) -> None:
    """Run `main(folders, **sections)` for the study named on the command line.

    Exits 2 with a message where the user must act. DVC records the parameters that it read
    before the stage ran, so a section edited meanwhile would make dvc.lock lie: the stage
    reads its sections again at the end and fails if they changed.
    """
    study, jobs = _arguments(main)
    folders = Folders(study)
    with reported(f"{_verb(main)} {study}", folders):
        written = PARAMS.read_bytes()
        settings = _read(study, sections)
        started = time.perf_counter()
        with watched(f"{_verb(main)} {study}"), working(jobs):
            main(folders, **settings)
        if PARAMS.read_bytes() != written and _read(study, sections) != settings:
            raise ParamsError(
                f"{PARAMS}: {study} changed while the stage ran; run `dvc repro` again"
            )
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

    def of(self, stage: str, arm_folder: str = "") -> Path:
        """Return the folder that a stage writes, data/<study>/<stage>, or in it that of an arm."""
        return self.private / stage / arm_folder


@contextmanager
def reported(where: str, folders: Folders | None = None) -> Iterator[None]:
    """Exit 2 with a message, no traceback, where whoever runs the work inside must act."""
    hide_messages()
    try:
        yield
    except EvaluationError as error:
        raise SystemExit(report(error, where, folders)) from None
    except OSError as error:
        if not refused(error):
            raise
        raise SystemExit(report(machine_error(error), where)) from None


def refused(error: OSError) -> bool:
    """Say whether the machine refused what whoever runs it can repair."""
    return error.errno in _REFUSALS


def machine_error(error: OSError) -> MachineError:
    """Say which file or folder could not be written or read, why, and what to do."""
    place = f" {_short(error.filename)}" if isinstance(error.filename, str) else ""
    number = error.errno or 0
    remedy = _REFUSALS.get(number, "repair that")
    return MachineError(
        f"cannot use{place}: {os.strerror(number)}; {remedy} and run again (earlier results stay)"
    )


def report(error: EvaluationError, where: str, folders: Folders | None = None) -> int:
    """Print what failed and what to do; write the rows concerned to a private file."""
    if isinstance(error, MachineError):
        print(f"{where}: {error}", file=sys.stderr)
        return 2
    print(f"{where}: {type(error).__name__}", file=sys.stderr)
    for line in message_of(error).splitlines():
        print(f"  {line}", file=sys.stderr)
    if error.problems is not None and folders is not None:
        print(f"  {_keep_rows(error.problems, folders)}", file=sys.stderr)
    return 2


def message_of(error: EvaluationError) -> str:
    """Return an error's message; one that is a reason is told in words."""
    if error.has_words:
        return str(error)
    words = importlib.import_module(WORDS)
    return str(words.tell(error.reason))


def _keep_rows(problems: pd.DataFrame, folders: Folders) -> str:
    """Write rows to the private file; say where they are, or why they are nowhere."""
    path = folders.private / "problems.csv"
    content = problems.to_csv(index=False, lineterminator="\n").encode("utf-8")
    try:
        write_file(path, content)
    except OSError as error:
        return f"The rows concerned are not kept: {machine_error(error)}"
    return f"The rows concerned are in {path.as_posix()} (private)."


def _short(path: str) -> str:
    """Return a path from here; of what is beside its place until it is complete, the folder."""
    place, here = Path(path), Path.cwd()
    for part in (place, *place.parents):
        place = part.parent if part.name.startswith(".new-") else place
    return (place.relative_to(here) if place.is_relative_to(here) else place).as_posix()


def notify(message: str) -> None:
    """Print a line that whoever runs the stage must see, in CI and in files too."""
    print(f"{_CLEAR if _is_watched() else ''}{message}", file=sys.stderr)


def progress(message: str) -> None:
    """Print a line for a person at a terminal; stay quiet in CI and in files."""
    if _is_watched():
        notify(message)


@contextmanager
def watched(name: str) -> Iterator[None]:
    """Show on one line of the terminal how far the work inside has come; none in CI and files."""
    if not _is_watched():
        yield
        return

    def show(message: str) -> None:
        line = f"{name}: {message}"[: shutil.get_terminal_size().columns - 1]
        print(f"{_CLEAR}{line}", end="", file=sys.stderr, flush=True)

    try:
        with telling(show):
            yield
    finally:
        print(_CLEAR, end="", file=sys.stderr, flush=True)


def _is_watched() -> bool:
    return sys.stderr.isatty() and not os.environ.get("CI")


def _arguments(main: Callable[..., None]) -> tuple[str, int]:
    """Return the study and the number of jobs, which DVC's commands take from the environment."""
    parser = argparse.ArgumentParser(
        prog=f"python -m stages.{_verb(main)}", description=sys.modules[main.__module__].__doc__
    )
    parser.add_argument("study", help="a study of params.yaml")
    parser.add_argument(
        "--jobs",
        type=number_of_jobs,
        default=os.environ.get("IMPACT_JOBS") or "1",
        help="pieces of work at a time, with the same results; IMPACT_JOBS without it, else 1",
    )
    chosen = parser.parse_args()
    return str(chosen.study), int(chosen.jobs)


def number_of_jobs(text: str) -> int:
    """Read a number of jobs."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of jobs: give it, or IMPACT_JOBS, a whole number from 1 on"
        )
    return int(text)


def _read(study: str, sections: dict[str, Any]) -> dict[str, Any]:
    block = study_block(load_yaml(PARAMS), study)
    return {name: parse_section(block, study, name, model) for name, model in sections.items()}


def _verb(main: Callable[..., None]) -> str:
    return Path(main.__code__.co_filename).stem
