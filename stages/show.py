"""Show: print the committed main table of a study, or another one, in the terminal."""

import argparse
import sys
from pathlib import Path

from pipeline.commands.audit.rebuild import published_results
from pipeline.errors import EvaluationError
from pipeline.exhibits.render.terminal import render_text
from pipeline.exhibits.words.language import speaking
from pipeline.publishing.study import study_tables
from stages.output import printing
from stages.run import report


def main() -> None:
    """Print the tables whose file name starts with the name asked for."""
    chosen = _arguments()
    try:
        results = published_results(Path(), chosen.study)
        tables = study_tables(results)
    except EvaluationError as error:
        raise SystemExit(report(error, "show")) from None
    with speaking(results.settings.exhibit):
        shown = [render_text(t) for name, t in tables.items() if name.startswith(chosen.table)]
    if not shown:
        raise SystemExit(f"{chosen.study} has no table {chosen.table}; it has {', '.join(tables)}")
    sys.stdout.write("\n".join(shown))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stages.show", description=__doc__)
    parser.add_argument("study", help="a study of params.yaml")
    parser.add_argument("table", nargs="?", default="main_effects", help="its file name")
    return parser.parse_args()


if __name__ == "__main__":
    with printing():
        main()
