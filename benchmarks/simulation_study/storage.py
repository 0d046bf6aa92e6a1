"""Draws on file: one CSV per scenario, appended seed by seed, with the settings that made it."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.simulation_study.draws import COLUMNS, KEY, World

SECTIONS = ("simulation", "outcomes", "treatment", "score", "match")


def open_folder(folder: Path, world: World) -> None:
    """Note the settings beside the draws; refuse draws on file that others have made.

    A setting that is null asks for nothing: draws stay good when an optional setting is added.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = _asked({name: getattr(world, name).model_dump(mode="json") for name in SECTIONS})
    path = folder / f"{world.scenario.name}.json"
    if path.exists() and _asked(json.loads(path.read_text(encoding="utf-8"))) != settings:
        raise SystemExit(f"{path}: draws on file were made with other settings; use another folder")
    text = json.dumps(settings, indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")
    _cut_off(folder / f"{world.scenario.name}.csv")


def _asked(settings: Any) -> Any:
    """Return settings without the keys that are null."""
    if isinstance(settings, dict):
        return {key: _asked(value) for key, value in settings.items() if value is not None}
    return [_asked(value) for value in settings] if isinstance(settings, list) else settings


def read_draws(folder: Path, scenario: str) -> pd.DataFrame:
    """Return COLUMNS of the draws on file, none if there is no file; a line cut short is left out.

    Changes nothing, so that a table can be made while the study runs.
    """
    path = folder / f"{scenario}.csv"
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    # "none" is a value here, and the only empty fields are missing numbers and notes
    content = BytesIO(_whole_lines(path.read_bytes()))
    return pd.read_csv(content, keep_default_na=False, na_values=[""])


def _cut_off(path: Path) -> None:
    """Remove a line that an interrupted run left unfinished, so that rows can be added."""
    if path.exists():
        content = path.read_bytes()
        whole = _whole_lines(content)
        if whole != content:
            path.write_bytes(whole)


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def append_draws(folder: Path, scenario: str, draws: pd.DataFrame) -> None:
    """Add rows at the end, in one write."""
    path = folder / f"{scenario}.csv"
    text = draws.to_csv(index=False, header=not path.exists(), lineterminator="\n")
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text)


def finished(draws: pd.DataFrame, world: World) -> dict[int, set[str]]:
    """Return, for each seed, the estimators whose rows are all on file."""
    outcomes = world.scenario.outcomes
    wanted = {e.name: len(e.effects) * sum(map(e.estimates, outcomes)) for e in world.estimators}
    rows = draws.drop_duplicates(KEY).groupby(["seed", "estimator"]).size()
    done: dict[int, set[str]] = {}
    for (seed, estimator), count in rows.items():
        if count == wanted.get(estimator):
            done.setdefault(int(seed), set()).add(estimator)
    return done
