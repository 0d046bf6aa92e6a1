"""Draws on file: one CSV per scenario, appended seed by seed, with the settings that made it."""

import json
from pathlib import Path

import pandas as pd

from benchmarks.simulation_study.draws import COLUMNS, KEY, World

SECTIONS = ("simulation", "outcomes", "treatment", "score", "match")


def open_folder(folder: Path, world: World) -> None:
    """Note the settings beside the draws; refuse draws on file that others have made."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {name: getattr(world, name).model_dump(mode="json") for name in SECTIONS}
    text = json.dumps(settings, indent=1, sort_keys=True) + "\n"
    path = folder / f"{world.scenario.name}.json"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise SystemExit(f"{path}: draws on file were made with other settings; use another folder")
    path.write_text(text, encoding="utf-8")


def read_draws(folder: Path, scenario: str) -> pd.DataFrame:
    """Return COLUMNS of the draws on file, none if there is no file; a line cut short is cut."""
    path = folder / f"{scenario}.csv"
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)
    # "none" is a value here, and the only empty fields are missing numbers and notes
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def append_draws(folder: Path, scenario: str, draws: pd.DataFrame) -> None:
    """Add rows at the end, in one write."""
    path = folder / f"{scenario}.csv"
    text = draws.to_csv(index=False, header=not path.exists(), lineterminator="\n")
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text)


def finished(draws: pd.DataFrame) -> dict[int, set[str]]:
    """Return the estimators on file for each seed."""
    return {
        int(seed): set(names)
        for seed, names in draws[KEY].groupby("seed")["estimator"].unique().items()
    }
