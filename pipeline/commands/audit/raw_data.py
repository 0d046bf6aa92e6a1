"""Say whose raw data are here: a clone has none of a private study's."""

from pathlib import Path
from typing import Any

from pipeline.params.settings import study_names
from pipeline.params.study import absent_files, read_study


def studies_without_raw_data(root: Path, content: dict[str, Any]) -> set[str]:
    """Return the studies of params.yaml of which a raw file that the settings name is not here."""
    return {
        name for name in study_names(content) if absent_files(read_study(content, name), name, root)
    }
