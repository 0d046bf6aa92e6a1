"""Find the commits that held what a provenance file records: from a hash to git."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.commands.audit.revisions import run_git
from pipeline.publishing.provenance import NAME


@dataclass(frozen=True)
class Period:
    """Hold the commits of one study that had the same inputs: from `since` to before `until`."""

    study: str
    since: str
    until: str | None


def periods(root: Path, study: str, inputs: str) -> list[Period]:
    """Return when reports/<study>/provenance.json began with these inputs, oldest period first.

    `inputs` is a hash or how it begins. git searches the history of the one small file.
    """
    file, entry = f"reports/{study}/{NAME}", f'"inputs": "{inputs}'
    log = ("log", "--reverse", "--format=%h", f"-S{entry}", "--", file)
    found: list[Period] = []
    for commit in run_git(root, *log).stdout.split():
        if entry in run_git(root, "show", f"{commit}:./{file}").stdout:
            found.append(Period(study, commit, None))
        elif found:
            found[-1] = Period(study, found[-1].since, commit)
    return found
