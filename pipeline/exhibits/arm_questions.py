"""Sections of the page on arms: who else was affected, or whether arms did the same."""

from html import escape

from pipeline.exhibits.arms import exposed_arms
from pipeline.exhibits.checks.caution import Caution
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.page import strong
from pipeline.exhibits.panels.arms import arms_panel
from pipeline.exhibits.questions import TableLinks, outcome_section
from pipeline.exhibits.words.arms import arms_sentences, others_sentences
from pipeline.exhibits.words.language import say

_TABLES = ("arms", "arm_contrasts", "exposed", "arm_flow", "pools")


def others_section(results: StudyResults, links: TableLinks, cautions: list[Caution]) -> str:
    """Show participants, the exposed and all together; nothing where nobody else is an arm."""
    return _section(results, links, "others", others_sentences(results, strong))


def arms_section(results: StudyResults, links: TableLinks, cautions: list[Caution]) -> str:
    """Show arms of participants side by side, where no arm is of the exposed."""
    said = [] if exposed_arms(results) else arms_sentences(results, strong)
    return _section(results, links, "arms", said)


def _section(results: StudyResults, links: TableLinks, name: str, said: list[str]) -> str:
    if not said:
        return ""
    caption = escape(say("page.others_caption", firms=results.settings.exhibit.firms)) + links.to(
        *_TABLES
    )
    return outcome_section(results, name, arms_panel, lambda *_: " ".join(said), caption)
