"""The page of the simulation study: one table per scenario, every cell with its error."""

from pathlib import Path


def document(store: Path, scenarios: dict) -> str:
    return ""
