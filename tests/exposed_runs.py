"""Run stages of a study of exposure in this process, on files that a test makes."""

from importlib import import_module
from pathlib import Path

import pandas as pd
from arms_study import STUDY, delivered, section

from pipeline.params.settings import parse_section
from stages.run import Folders


def delivered_in(
    root: Path,
    *,
    panel: pd.DataFrame | None = None,
    register: pd.DataFrame | None = None,
    raw: dict[str, pd.DataFrame] | None = None,
    rules: dict[str, pd.DataFrame] | None = None,
) -> Folders:
    """Write the study's files, its own where none are given, and return its folders."""
    folders = Folders(STUDY, root)
    own = dict(zip(("panel", "register"), delivered(), strict=True))
    files = {"panel.csv": own["panel"] if panel is None else panel}
    files["register.csv"] = own["register"] if register is None else register
    for folder, tables in ((folders.raw, files | (raw or {})), (folders.rules, rules or {})):
        folder.mkdir(parents=True)
        for name, table in tables.items():
            table.to_csv(folder / name, index=False)
    return folders


def run_stages(folders: Folders, block: dict, *verbs: str) -> Folders:
    """Run these stages, of the block's settings."""
    for verb in verbs:
        stage = import_module(f"stages.{verb}")
        settings = {
            name: parse_section(block, folders.study, name, model)
            for name, model in stage.SECTIONS.items()
        }
        stage.main(folders, **settings)
    return folders


def block_of(data: dict | None = None, **treatment: dict) -> dict:
    """Return the study's block with further settings of data and treatment."""
    block = section(**treatment)
    block["data"] |= data or {}
    return block
