r"""Check that LaTeX files quote known numbers only: every \result{key} of the files named."""

import argparse
import sys
from pathlib import Path

from pipeline.commands.audit.tex_keys import check_keys, known_keys
from pipeline.errors import EvaluationError
from stages.output import printing
from stages.run import report


def main(arguments: list[str] | None = None) -> None:
    """Print unknown keys with file, line and the nearest known key; exit 2 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m stages.check_tex", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="LaTeX files")
    try:
        found = check_keys(parser.parse_args(arguments).files, known_keys(Path()))
    except EvaluationError as error:
        raise SystemExit(report(error, "check_tex")) from None
    for line in found.made_by_commands:
        print(line)
    for line in found.unknown:
        print(line, file=sys.stderr)
    print(f"{found.n_keys} keys, {len(found.unknown)} unknown")
    sys.exit(2 if found.unknown else 0)


if __name__ == "__main__":
    with printing():
        main()
