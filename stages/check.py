"""Check params.yaml: every study, every setting, and that the files it names exist."""

import argparse
from pathlib import Path

from pipeline.datasets.complete import write_file
from pipeline.params.study import check_studies
from stages.run import PARAMS, progress, reported

# Constant, so that a changed setting re-runs `check` and the stage that reads the setting only.
CHECKED = Path("data/checked/params.txt")


def main() -> None:
    """Check all studies; write the constant file that `obtain` and `clean` depend on."""
    argparse.ArgumentParser(prog="python -m stages.check", description=__doc__).parse_args()
    with reported("check"):
        studies = check_studies(PARAMS, Path())
        write_file(CHECKED, b"params.yaml was checked\n")
    progress(f"check: {', '.join(studies)}")


if __name__ == "__main__":
    main()
