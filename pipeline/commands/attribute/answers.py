"""Answer, study by study, which setting moved which headline; say first how long it takes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.commands.attribute.attribution import Attribution
from pipeline.commands.attribute.attribution_words import attribution_markdown, attribution_text
from pipeline.commands.attribute.headlines_computed import Question, attribution, question
from pipeline.commands.audit.revisions import Revision
from pipeline.commands.audit.settings_diff import (
    changed_code,
    changed_data,
    changed_packages,
    not_run_words,
)
from pipeline.errors import ParamsError
from pipeline.exhibits.render.terminal import terminal_lines


@dataclass(frozen=True)
class StudyAnswer:
    """Hold what is said of one study: sentences, and what was attributed, if anything was."""

    study: str
    sentences: list[str]
    found: Attribution | None = None
    causes: str = ""

    def text(self) -> str:
        """Return it for a terminal."""
        table = [] if self.found is None else [attribution_text(self.found, self.causes)]
        return "\n".join([*map(terminal_lines, self.sentences), *table])

    def markdown(self) -> str:
        """Return it for a pull request."""
        table = [] if self.found is None else [attribution_markdown(self.found, self.causes)]
        return "\n\n".join([*self.sentences, *table])


def answer_data(answer: StudyAnswer) -> dict[str, Any]:
    """Return an answer for a program: settings, and by outcome before, after and amounts."""
    found = answer.found
    if found is None:
        return {"study": answer.study, "said": answer.sentences}
    figures = ("estimate", "half_width")
    return {
        "study": answer.study,
        "said": answer.sentences,
        "settings": [asdict(setting) for setting in found.settings],
        "not_in_headline": [name for setting in found.silent for name in setting.names],
        "headlines": {
            name: {
                "before": asdict(found.start(name)),
                "after": asdict(found.end(name)),
                "moved": {f: m and asdict(m) for f in figures for m in [found.moves(name, f)]},
                "other_causes": {f: found.other_causes(name, f) for f in figures},
            }
            for name in found.outcomes.labels
        },
    }


def answers(
    root: Path, old: Revision, new: Revision, announce: Callable[[str], None]
) -> list[StudyAnswer]:
    """Return the answer for every study of both states; `announce` tells of what takes long."""
    studies = dict.fromkeys([*new.studies(), *old.studies()])
    return [_answer(root, old, new, study, announce) for study in studies]


def _answer(
    root: Path, old: Revision, new: Revision, study: str, announce: Callable[[str], None]
) -> StudyAnswer:
    if study not in new.studies():
        return StudyAnswer(
            study, [f"{study}: no longer estimated: `studies` does not list it any more."]
        )
    if study not in old.studies():
        return StudyAnswer(study, [f"{study}: new, so that nothing is there to compare with."])
    stale = not_run_words(new, study)
    try:
        asked = question(root, old, new, study)
    except ParamsError as error:
        return StudyAnswer(study, [*stale, f"{study}: cannot be told with the code here: {error}"])
    if asked.nothing_moved:
        return StudyAnswer(study, [*stale, f"{study}: no setting changed and no headline moved."])
    announce(_announced(asked))
    return StudyAnswer(study, stale, attribution(asked), _causes(old, new, study))


def _announced(asked: Question) -> str:
    n, n_runs = len(asked.combinations), asked.n_runs
    counted = f"{asked.study}: {n} combinations of settings"
    if n_runs == 0:
        return f"{counted}, all made before"
    seconds = max(asked.seconds(), 1)
    expected = f"about {seconds:.0f} s (give or take a factor of 3)"
    return f"{counted}, {n_runs} to be made here: {expected}"


def _causes(old: Revision, new: Revision, study: str) -> str:
    """Say what changed beside settings between two states."""
    code, packages = changed_code(old, new), changed_packages(old, new)
    data = [change.name for change in changed_data(old, new) if change.name.endswith(f"/{study}")]
    told = [
        f"raw data ({', '.join(data)})" if data else "no raw data",
        f"{len(code)} files of code" if code else "no code",
        f"{len(packages)} package versions" if packages else "no package version",
    ]
    return ", ".join(told)
