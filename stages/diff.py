"""Diff: what changed between two revisions, and which effects moved with it; nothing is run."""

import argparse
import sys
from pathlib import Path

from pipeline.commands.audit.diff_words import diff_markdown, diff_text
from pipeline.commands.audit.effect_diff import compare_revisions
from pipeline.commands.audit.revisions import Revision, commit
from pipeline.errors import EvaluationError
from stages.output import printing
from stages.run import report


def main() -> None:
    """Print the effect diff of two revisions, or of one and the files as they lie."""
    chosen = _arguments()
    try:
        old = commit(Path(), chosen.before)
        new = commit(Path(), chosen.after) if chosen.after else Revision(Path())
    except EvaluationError as error:
        raise SystemExit(report(error, "diff")) from None
    diff = compare_revisions(old, new)
    sys.stdout.write(diff_markdown(diff) if chosen.markdown else diff_text(diff))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stages.diff", description=__doc__)
    parser.add_argument("before", nargs="?", default="HEAD", help="a git revision; HEAD if absent")
    parser.add_argument("after", nargs="?", help="another; the files as they lie if absent")
    parser.add_argument("--markdown", action="store_true", help="for a pull request")
    return parser.parse_args()


if __name__ == "__main__":
    with printing():
        main()
