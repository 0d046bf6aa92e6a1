"""Check params.yaml: every study, every setting, and that the files it names exist."""

import argparse
from pathlib import Path

from pipeline.errors import EvaluationError
from pipeline.params.study import check_studies
from stages.run import PARAMS, progress, report

# Constant, so that a changed setting re-runs `check` and the stage that reads the setting only.
CHECKED = Path("data/checked/params.txt")


def main() -> None:
    """Check all studies; write the constant file that `obtain` and `clean` depend on."""
    argparse.ArgumentParser(prog="python -m stages.check", description=__doc__).parse_args()
    try:
        studies = check_studies(PARAMS, Path())
    except EvaluationError as error:
        raise SystemExit(report(error, "check")) from None
    CHECKED.parent.mkdir(parents=True, exist_ok=True)
    CHECKED.write_text("params.yaml was checked\n", encoding="utf-8")
    progress(f"check: {', '.join(studies)}")


if __name__ == "__main__":
    main()
