"""Say what changed between two revisions, and which effects moved with it; nothing is run."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from pipeline.commands.audit.diff_words import diff_markdown, diff_text
from pipeline.commands.audit.effect_diff import compare_revisions
from pipeline.commands.audit.revisions import Revision, commit
from stages.command import Command, Reply, run_command


def main(arguments: list[str] | None = None) -> None:
    """Print the effect diff of two revisions, or of one and the files as they lie."""
    run_command(Command("diff", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("before", nargs="?", default="HEAD", help="a git revision; HEAD if absent")
    parser.add_argument("after", nargs="?", help="another; the files as they lie if absent")
    parser.add_argument("--markdown", action="store_true", help="for a pull request")


def _reply(chosen: Namespace) -> Reply:
    old = commit(Path(), chosen.before)
    new = commit(Path(), chosen.after) if chosen.after else Revision(Path())
    diff = compare_revisions(old, new)
    return Reply(diff_markdown(diff) if chosen.markdown else diff_text(diff), asdict(diff))


if __name__ == "__main__":
    main()
