"""One fault that an audit finds, and what whoever reads it is to do."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

# The change was meant, or it was not: the reader knows which.
RUN_OR_UNDO = (
    "if the change is meant, `dvc repro` and commit params.yaml, dvc.lock and reports/ together; "
    "if not, `git checkout` the file"
)
# Also where dvc.lock agrees with the file, so that `dvc repro` alone would run nothing.
MAKE_AGAIN = (
    "if it was edited here, `git checkout reports` puts it back; if it was committed so, "
    "`dvc repro --force --single-item exhibit@{study} record@{study} index` makes it again"
)

_WIDTH = 98  # characters: the command indents lines by two


@dataclass(frozen=True)
class Fault:
    """Hold what is wrong, in one or more lines, and what to do about it."""

    what: str
    todo: str

    def of_study(self, study: str) -> "Fault":
        """Return the fault with its place under reports/, and a remedy that names the study."""
        todo = self.todo.replace("{study}", study)
        return Fault(f"reports/{study}/{self.what}", todo)


def with_remedies(faults: Iterable[Fault]) -> list[str]:
    """Return the faults as lines: those with one remedy together, the remedy under them."""
    by_remedy: dict[str, list[str]] = {}
    for fault in faults:
        by_remedy.setdefault(fault.todo, []).extend(fault.what.splitlines())
    return [
        line
        for todo, lines in by_remedy.items()
        for line in (*lines, *textwrap.wrap(f"-> {todo}", _WIDTH, subsequent_indent="   "))
    ]
