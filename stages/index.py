"""Index: one page that lists every study and links to its report."""

import argparse
from pathlib import Path

from pipeline.errors import EvaluationError
from pipeline.exhibits.index import index_page
from pipeline.params.settings import load_yaml, study_names
from pipeline.params.study import read_study
from stages.run import PARAMS, report

INDEX = Path("reports/index.html")


def main() -> None:
    """Read every study's sections; write reports/index.html."""
    argparse.ArgumentParser(prog="python -m stages.index", description=__doc__).parse_args()
    try:
        content = load_yaml(PARAMS)
        studies = {name: read_study(content, name) for name in study_names(content)}
    except EvaluationError as error:
        raise SystemExit(report(error, "index")) from None
    INDEX.parent.mkdir(parents=True, exist_ok=True)
    INDEX.write_bytes(index_page(studies))


if __name__ == "__main__":
    main()
