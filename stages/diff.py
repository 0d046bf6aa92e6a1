"""Say what changed between two revisions, and which effects moved with it; nothing is run.

With --attribute the headlines are computed under combinations of the settings that changed, in
memory; no file of the project is touched.
"""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from pipeline.commands.attribute.answers import answer_data, answers
from pipeline.commands.attribute.waterfall import waterfalls
from pipeline.commands.audit.diff_words import diff_markdown, diff_text
from pipeline.commands.audit.effect_diff import compare_revisions
from pipeline.commands.audit.revisions import Revision, commit
from pipeline.datasets.complete import write_file
from pipeline.exhibits.render.markdown import escape_markdown
from stages.command import Command, Reply, UsageError, run_command
from stages.run import notify


def main(arguments: list[str] | None = None) -> None:
    """Print the effect diff of two revisions, or of one and the files as they lie."""
    run_command(Command("diff", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("before", nargs="?", default="HEAD", help="a git revision; HEAD if absent")
    parser.add_argument("after", nargs="?", help="another; the files as they lie if absent")
    parser.add_argument(
        "--attribute",
        action="store_true",
        help="which changed setting moved which headline; computes what is not stored",
    )
    parser.add_argument(
        "--waterfall",
        type=Path,
        metavar="FILE.svg",
        help="with --attribute: draw it; of several studies each in a file of its own",
    )
    parser.add_argument("--markdown", action="store_true", help="for a pull request")


def _reply(chosen: Namespace) -> Reply:
    old = commit(Path(), chosen.before)
    new = commit(Path(), chosen.after) if chosen.after else Revision(Path())
    if chosen.attribute:
        return _attributed(chosen, old, new)
    if chosen.waterfall:
        raise UsageError("--waterfall draws what --attribute finds: give both")
    diff = compare_revisions(old, new)
    return Reply(diff_markdown(diff) if chosen.markdown else diff_text(diff), asdict(diff))


def _attributed(chosen: Namespace, old: Revision, new: Revision) -> Reply:
    """Say which changed setting moved which headline; draw it where a file is named."""
    found = answers(Path(), old, new, notify)
    if chosen.waterfall:
        for path, content in waterfalls(found, chosen.waterfall).items():
            write_file(path, content)
    title = f"Which setting moved which headline: {old.label} -> {new.label}"
    parts = [answer.markdown() if chosen.markdown else answer.text() for answer in found]
    heading = f"## {escape_markdown(title)}\n" if chosen.markdown else f"{title}\n"
    return Reply("\n".join([heading, *parts]) + "\n", {"studies": list(map(answer_data, found))})


if __name__ == "__main__":
    main()
