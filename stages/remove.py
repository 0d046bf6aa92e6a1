"""Remove a study with its results; data/raw and whatever no stage made stay."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from pipeline.commands.remove import Removal, plan_removal, remove_study
from pipeline.params.settings import load_yaml
from stages.command import Command, Reply, UsageError, run_command
from stages.output import put
from stages.run import PARAMS


def main(arguments: list[str] | None = None) -> None:
    """Show what goes, ask, and remove it, all or nothing."""
    run_command(Command("remove", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("study", help="a study of params.yaml")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _reply(chosen: Namespace) -> Reply:
    removal = plan_removal(Path(), chosen.study)
    if not chosen.yes:
        if chosen.json:
            raise UsageError("with --json nobody can be asked: give --yes too")
        put(_in_words(removal))
        if not _agreed(chosen.study):
            return Reply("nothing was removed\n")
    remove_study(Path(), removal)
    none = "" if load_yaml(PARAMS)["studies"] else "; no study is left: start or add one"
    return Reply(f"{chosen.study} is removed{none}\n", _data(removal))


def _agreed(study: str) -> bool:
    try:
        return input(f"Remove {study}? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        raise UsageError("nobody is there to be asked: give --yes") from None


def _in_words(removal: Removal) -> str:
    study = removal.study
    going = [f"params.yaml: section {study}, and its name in studies"]
    going += [f"dvc.lock: {len(removal.stages)} stages"] if removal.stages else []
    going += _counted(removal.files)
    staying = [f"data/raw/{study}/ and data/rules/{study}/", *map(str, removal.staying)]
    lines = ["This goes:", *going, "This stays:", *staying]
    return "\n".join(line if line.endswith(":") else f"  {line}" for line in lines) + "\n"


def _counted(files: list[Path]) -> list[str]:
    """Return a line for each folder with its number of files."""
    places: dict[str, int] = {}
    for file in files:
        place = "/".join(file.parts[:2])
        places[place] = places.get(place, 0) + 1
    return [f"{place}/: {n} files" for place, n in places.items()]


def _data(removal: Removal) -> dict[str, Any]:
    return {
        "study": removal.study,
        "stages": removal.stages,
        "removed": [file.as_posix() for file in removal.files],
        "staying": [file.as_posix() for file in removal.staying],
    }


if __name__ == "__main__":
    main()
