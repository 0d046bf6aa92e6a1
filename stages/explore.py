"""Explore: balance and headline effects for changed settings; writes nothing."""

import argparse
import sys

from ruamel.yaml import YAML

from pipeline.commands.explore import changed, explore
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import read
from pipeline.errors import EvaluationError, ParamsError
from pipeline.params.settings import load_yaml, study_block
from pipeline.params.study import read_study
from stages.output import printing
from stages.run import PARAMS, Folders, report


def main(arguments: list[str] | None = None) -> None:
    """Print what the headline design becomes with `key=value` changes to params.yaml."""
    parser = argparse.ArgumentParser(prog="python -m stages.explore", description=__doc__)
    parser.add_argument("study", help="a study of params.yaml")
    parser.add_argument("changes", nargs="*", help="match.designs.covariates.caliper_sd=0.1")
    asked = parser.parse_args(arguments)
    try:
        content = load_yaml(PARAMS)
        block = changed(study_block(content, asked.study), dict(map(_change, asked.changes)))
        study = read_study({**content, asked.study: block}, asked.study)
        panel = read(PANEL, Folders(asked.study).of("clean"))
        sys.stdout.write(explore(panel, study) + "\n")
    except EvaluationError as error:
        raise SystemExit(report(error, f"explore {asked.study}")) from None


def _change(text: str) -> tuple[str, object]:
    """Split `key=value`; the value is read as params.yaml would read it."""
    path, equals, value = text.partition("=")
    if not equals:
        raise ParamsError(f"{text} is no change; write the key, = and the value, without blanks")
    return path, YAML(typ="safe", pure=True).load(value)


if __name__ == "__main__":
    with printing():
        main()
