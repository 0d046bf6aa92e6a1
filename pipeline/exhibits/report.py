"""report.html: one study on one page, for readers who will open nothing else."""

import re
from html import escape

from pipeline.exhibits.inputs import StudyResults, by_event_time, find_effects
from pipeline.exhibits.numbers import translated, translated_unit
from pipeline.exhibits.page import bullets, definitions, page, plain_table, section
from pipeline.exhibits.render import rounding
from pipeline.exhibits.render.html import render_html
from pipeline.exhibits.tables.registry import SECTIONS, TABLES
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.words.assumptions import assumptions
from pipeline.exhibits.words.captions import caption
from pipeline.exhibits.words.findings import findings, headline_effect
from pipeline.exhibits.words.fixed_points import told_points
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.limitations import limitations
from pipeline.params.leaves import leaves

_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_REFERENCES = re.compile(r'(id="|href="#|url\(#)')


def report_page(results: StudyResults, tables: dict[str, Table], event_study: str) -> bytes:
    """Return the page; `event_study` is the figure as SVG."""
    title = results.settings.exhibit.title
    effects, *others = _table_sections(results, tables)
    return page(
        title,
        [
            f"<header><h1>{escape(title)}</h1>{bullets(findings(results), 'lead')}</header>",
            section(say("event_study.title"), _figure(results, event_study)),
            effects,
            section(say("report.assumptions"), definitions(assumptions(results))),
            section(say("report.limitations"), bullets(limitations(results))),
            *others,
            section(say("report.parameters"), _parameters(results)),
            section(say("report.provenance"), _provenance()),
        ],
        results.settings.exhibit.language,
    )


def _table_sections(results: StudyResults, tables: dict[str, Table]) -> list[str]:
    """Return one section a heading, the effects first; a heading without a table is left out."""
    sections = []
    for heading in SECTIONS:
        shown = [
            render_html(table, caption(results, table.part))
            for placed, row in TABLES.items()
            for table in tables.values()
            if row.section == heading and table.part.table == placed
        ]
        sections.append(section(say(f"report.{heading}"), *shown) if shown else "")
    return sections


def _figure(results: StudyResults, svg: str) -> str:
    headline = results.settings.estimate.headline
    words = say(
        "report.figure_caption",
        hollow=told_points(results, "report"),
        design_label=results.settings.design_label(headline.design),
    )
    alternative = escape(say("event_study.alt"))
    return (
        f'<figure><div class="wide" role="region" tabindex="0" aria-label="{alternative}">'
        f"{_inline(svg, _described(results))}</div>"
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )


def _inline(svg: str, description: str) -> str:
    """Return an SVG for a page: no XML prologue, its own names, a description for readers."""
    drawing = _REFERENCES.sub(r"\1event-study-", _PROLOGUE.sub("", svg).strip())
    return drawing.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1)


def _described(results: StudyResults) -> str:
    """Say the figure in words, for those who cannot see it."""
    headline = results.settings.estimate.headline
    panels = []
    for name in results.settings.outcomes.intended:
        effects = by_event_time(find_effects(results, name, headline.design, headline.spec))
        points = [
            f"{rounding.fixed(time, 0)}: {translated(effect, results.settings.exhibit.decimals)[0]}"
            for time, effect in sorted(effects.items())
            if effect.estimated
        ]
        chosen = headline_effect(results, name)
        if points and chosen is not None:
            named = f"{results.plain_name(name)}, {translated_unit(chosen)}"
            panels.append(f"{named}: {'; '.join(points)}")
    return say("report.figure_description", panels=". ".join(panels))


def _parameters(results: StudyResults) -> str:
    settings = results.settings
    sections = {name: getattr(settings, name).model_dump() for name in settings.__annotations__}
    rows = list(leaves(sections, results.study))
    listed = plain_table(
        (say("report.setting"), say("report.value")), rows, say("report.settings_that_ran")
    )
    summary = say("report.n_settings", rows=len(rows))
    return f"<details><summary>{summary}</summary>{listed}</details>"


def _provenance() -> str:
    """Say where it is recorded from what the page was made; the page changes with figures only."""
    return say("report.recorded")
