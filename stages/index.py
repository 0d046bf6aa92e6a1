"""Index: one page with the findings of every study and a link to its report."""

import argparse
import json
from pathlib import Path
from typing import Any

from pipeline.datasets.complete import write_file
from pipeline.errors import DataError
from pipeline.exhibits.page import index_page
from pipeline.params.settings import load_yaml, study_names
from stages.run import PARAMS, reported

HEADLINES = Path("reports/headlines")
INDEX = Path("reports/index.html")


def main() -> None:
    """Read what `exhibit` wrote of every study; write reports/index.html."""
    argparse.ArgumentParser(prog="python -m stages.index", description=__doc__).parse_args()
    with reported("index"):
        found = {name: _headlines(name) for name in study_names(load_yaml(PARAMS))}
        write_file(INDEX, index_page(found))


def _headlines(study: str) -> dict[str, Any]:
    path = HEADLINES / f"{study}.json"
    if not path.is_file():
        raise DataError(f"{path.as_posix()} does not exist yet: run `dvc repro`, which makes it")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    main()
