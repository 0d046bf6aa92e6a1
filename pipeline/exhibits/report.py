"""report.html: one study on one page, for readers who will open nothing else.

Every section is a question, one sentence that answers it, one figure and a caption; a section
whose inputs a study does not have is left out.
"""

import hashlib
from collections.abc import Callable
from html import escape

from pipeline.exhibits.arm_questions import arms_section, others_section
from pipeline.exhibits.cards import first_screen
from pipeline.exhibits.checks.caution import Caution
from pipeline.exhibits.checks.cautions import study_cautions
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.page import contents, folded, page, plain_table, prose, section
from pipeline.exhibits.pool_questions import pools_section
from pipeline.exhibits.questions import (
    TableLinks,
    before_section,
    choices_section,
    flow_section,
    groups_section,
)
from pipeline.exhibits.render.html import render_html
from pipeline.exhibits.render.results_csv import results_csv
from pipeline.exhibits.tables.registry import SECTIONS, TABLES
from pipeline.exhibits.tables.settings import settings_table
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.words.captions import caption
from pipeline.exhibits.words.caution_words import Said, cautions_said, severity_word
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.methods_paragraph import methods_sentences
from pipeline.params.leaves import leaves

_SIGNS = {"serious": "▲", "matters": "◆", "passed": "✓"}

# Digits of the fingerprint of the published numbers, in groups of four.
_FINGERPRINT = 16

_Section = Callable[[StudyResults, TableLinks, list[Caution]], str]
# In the order in which a reader asks.
_QUESTIONS: dict[str, _Section] = {
    "before": before_section,
    "choices": choices_section,
    "others": others_section,
    "arms": arms_section,
    "pools": pools_section,
    "groups": groups_section,
    "flow": flow_section,
}


def report_page(results: StudyResults, tables: dict[str, Table]) -> bytes:
    """Return the page, made of published results alone."""
    exhibit = results.settings.exhibit
    cautions, links = study_cautions(results), TableLinks(_placed(tables))
    questions = {name: ask(results, links, cautions) for name, ask in _QUESTIONS.items()}
    asked = {name: content for name, content in questions.items() if content}
    first = section("answer", say("page.answer"), "", *first_screen(results, cautions), hidden=True)
    main = [
        first,
        _cautions(results, cautions, [*asked, "appendix"]),
        *asked.values(),
        _methods(results),
        _appendix(results, tables, links),
    ]
    names = ["answer", "cautions", *asked, "methods", "appendix"]
    nav = contents((name, say(f"page.to_{name}")) for name in names)
    body = [
        f'<a class="skip" href="#answer">{escape(say("page.skip"))}</a>',
        _header(results),
        f'<div class="page">{nav}\n<main>',
        *main,
        "</main></div>",
        f"<footer>{escape(say('note.source'))} {escape(exhibit.source)}.</footer>",
    ]
    return page(exhibit.title, body, exhibit.language)


def _header(results: StudyResults) -> str:
    exhibit = results.settings.exhibit
    kicker = f'<p class="kick">{escape(say("page.kicker"))}</p>'
    return f"<header>{kicker}<h1>{escape(exhibit.title)}</h1></header>"


def _cautions(results: StudyResults, cautions: list[Caution], sections: list[str]) -> str:
    items = "\n".join(_caution(said, sections) for said in cautions_said(results, cautions))
    return section("cautions", say("page.cautions"), "", f'<ul class="cau">\n{items}\n</ul>')


def _caution(said: Said, sections: list[str]) -> str:
    """Return a caution with its sign and word, and a link to the section that shows more."""
    sign = f'<span aria-hidden="true">{_SIGNS[said.severity]}</span>'
    word = f"<b>{sign} {escape(severity_word(said.severity))}.</b>"
    name = said.section if said.section in sections else "appendix"
    link = f'<a href="#{name}">{escape(say(f"page.to_{name}"))}</a>'
    return f'<li class="{said.severity}">{word} {prose(said.sentence)} {link}</li>'


def _methods(results: StudyResults) -> str:
    paragraph = " ".join(methods_sentences(results))
    return section("methods", say("page.methods"), "", f"<p>{escape(paragraph)}</p>")


def _placed(tables: dict[str, Table]) -> list[Table]:
    """Return the tables in the order of the appendix."""
    return [
        table
        for heading in SECTIONS
        for placed, row in TABLES.items()
        for table in tables.values()
        if row.section == heading and table.part.table == placed
    ]


def _appendix(results: StudyResults, tables: dict[str, Table], links: TableLinks) -> str:
    """Return every table once, folded by section, then parameters and provenance."""
    parts = []
    for heading in SECTIONS:
        shown = [t for t in _placed(tables) if TABLES[t.part.table].section == heading]
        rendered = [
            render_html(
                table, links.caption(table, caption(results, table.part)), links.place(table)
            )
            for table in shown
        ]
        listed = ", ".join(dict.fromkeys(links.number(table) for table in shown))
        parts += [folded(say(f"report.{heading}"), listed, *rendered)] if shown else []
    number = say("page.appendix_says", n=len(tables))
    return section(
        "appendix", say("page.appendix"), number, *parts, _parameters(results), _provenance(results)
    )


def _parameters(results: StudyResults) -> str:
    """Return what every step was set to, in words, and the settings as params.yaml has them."""
    settings = results.settings
    sections = {name: getattr(settings, name).model_dump() for name in settings.__annotations__}
    rows = list(leaves(sections, results.study))
    heads = (say("report.setting"), say("report.value"))
    listed = plain_table(heads, rows, say("report.settings_that_ran"))
    count = say("report.n_settings", rows=len(rows))
    told = render_html(settings_table(results), say("captions.settings"))
    return folded(say("report.parameters"), count, told, listed, screen_only=True)


def _provenance(results: StudyResults) -> str:
    """Return source, period and the fingerprint of the published numbers, never a date."""
    digest = hashlib.sha256(results_csv(results.estimates)).hexdigest()[:_FINGERPRINT]
    groups = " ".join(digest[at : at + 4] for at in range(0, _FINGERPRINT, 4))
    rows = [
        (say("page.source"), results.settings.exhibit.source),
        *([(say("page.period"), covered)] if (covered := _covered(results)) else []),
        (say("page.fingerprint"), groups),
    ]
    heads = (say("report.setting"), say("report.value"))
    table = plain_table(heads, rows, say("page.made_from"))
    return folded(say("report.provenance"), "", table, say("report.recorded"))


def _covered(results: StudyResults) -> str:
    """Return the first and last year of the panel; nothing where the profile is absent."""
    profile = results.profile
    if profile is None or profile.empty:
        return ""
    first, last = int(profile["first_year"].min()), int(profile["last_year"].max())
    return f"{first}\u2013{last}"
