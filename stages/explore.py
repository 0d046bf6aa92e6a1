"""Try changed settings: balance and headline effects in seconds; writes nothing."""

from argparse import ArgumentParser, Namespace
from typing import Any

from pipeline.commands.arms_in_memory import cleaned_by
from pipeline.commands.explore import Explored, changed, explore, explored_text
from pipeline.datasets.store import read
from pipeline.errors import ParamsError
from pipeline.params.settings import load_yaml, read_value, study_block
from pipeline.params.study import read_study
from stages.command import Command, Reply, run_command
from stages.run import PARAMS, Folders


def main(arguments: list[str] | None = None) -> None:
    """Print what the headline design becomes with `key=value` changes to params.yaml."""
    run_command(Command("explore", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("study", help="a study of params.yaml")
    parser.add_argument("--arm", help="an arm of the study; the headline's if absent")
    parser.add_argument("changes", nargs="*", help="match.designs.covariates.caliper_sd=0.1")


def _reply(chosen: Namespace) -> Reply:
    content = load_yaml(PARAMS)
    block = changed(study_block(content, chosen.study), dict(map(_change, chosen.changes)))
    study = read_study({**content, chosen.study: block}, chosen.study)
    folder = Folders(chosen.study).of("clean")
    cleaned = {table: read(table, folder) for table in cleaned_by(study.data, study.treatment)}
    found = explore(cleaned, study, chosen.arm)
    return Reply(explored_text(found), {"study": chosen.study, **_data(found)})


def _data(found: Explored) -> dict[str, Any]:
    return {
        "arm": found.arm,
        "design": found.design,
        "matched": found.matched,
        "shortages": found.shortages,
        "balance": found.balance.to_dict("records"),
        "effects": found.effects.to_dict("records"),
    }


def _change(text: str) -> tuple[str, object]:
    """Split `key=value`; the value is read as params.yaml would read it."""
    path, equals, value = text.partition("=")
    if not equals:
        raise ParamsError(f"{text} is no change; write the key, = and the value, without blanks")
    return path, read_value(value)


if __name__ == "__main__":
    main()
