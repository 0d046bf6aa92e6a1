"""Say an effect diff in words and tables, for a terminal or for a pull request."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.commands.audit.effect_diff import EffectDiff, StudyDiff
from pipeline.commands.audit.moved_rows import Estimate, Moved
from pipeline.commands.audit.sample_diff import MovedCount
from pipeline.commands.audit.settings_diff import Changed
from pipeline.exhibits.render import rounding
from pipeline.exhibits.render.markdown import escape_markdown, render_markdown
from pipeline.exhibits.render.terminal import render_narrow, terminal_lines
from pipeline.exhibits.tables.table import (
    DASH,
    Cell,
    Panel,
    Row,
    Table,
    TableColumn,
    Text,
    WholeNumbers,
)


@dataclass(frozen=True)
class _Section:
    """Hold one heading and its table, or one sentence; `folded` where a page hides it first."""

    heading: str
    content: Table | str
    folded: bool = False


def diff_text(diff: EffectDiff) -> str:
    """Return the effect diff as plain text."""
    parts = [f"Effect diff: {diff.before} -> {diff.after}"]
    for section in _sections(diff):
        parts.append(f"\n{section.heading}\n{'=' * len(section.heading)}")
        parts.append(_content(section, render_narrow, terminal_lines))
    return "\n".join(parts) + "\n"


def diff_markdown(diff: EffectDiff) -> str:
    """Return the effect diff as Markdown; what is long is folded."""
    title = escape_markdown(f"Effect diff: {diff.before} \u2192 {diff.after}")
    parts = [f"## {title}"]
    for section in _sections(diff):
        content = _content(section, render_markdown, escape_markdown)
        heading = escape_markdown(section.heading)
        if section.folded:
            parts.append(f"<details><summary>{heading}</summary>\n\n{content}\n\n</details>")
        else:
            parts.append(f"### {heading}\n\n{content}")
    return "\n\n".join(parts) + "\n"


def _content(
    section: _Section, table: Callable[[Table], str], sentence: Callable[[str], str]
) -> str:
    shown = section.content
    return table(shown).rstrip() if isinstance(shown, Table) else sentence(shown)


def _sections(diff: EffectDiff) -> list[_Section]:
    """Return what changed first, then what moved."""
    causes = [
        ("Parameters", diff.parameters, ("before", "after")),
        ("Raw data", diff.data, ("hash before", "hash after")),
        ("Code", diff.code, ("lines", "stages that run it")),
        ("Package versions", diff.packages, ("before", "after")),
    ]
    sections = [
        _Section(heading, _changed(rows, heads) if rows else "No change.")
        for heading, rows, heads in causes
    ]
    if diff.not_run:
        sections.insert(1, _Section("Not run", " ".join(diff.not_run)))
    if diff.nothing_moved:
        words = "Nothing moved: every estimate and every count is the same."
        return [*sections, _Section("Results", words)]
    return [*sections, *(part for study in diff.studies for part in _study(study))]


def _changed(rows: list[Changed], heads: tuple[str, str]) -> Table:
    return Table(
        columns=tuple(TableColumn(head) for head in heads),
        panels=(Panel("", tuple(Row(r.name, (_text(r.before), _text(r.after))) for r in rows)),),
    )


def _text(value: str) -> Cell:
    return Text(value) if value else DASH


def _study(study: StudyDiff) -> list[_Section]:
    if study.gone or study.new:
        return [_one_sided(study)]
    sections = [_Section(study.study, "No estimate moved.")]
    if study.estimates:
        heading = f"{study.study}: {len(study.estimates)} of {study.n_estimates} estimates moved"
        sections = _averages_first(heading, study.estimates, study.study)
    if study.contrasts:
        heading = (
            f"{study.study}: sums of effects of several arms that moved ({len(study.contrasts)})"
        )
        sections += _averages_first(heading, study.contrasts, f"{study.study}, of several arms")
    if study.pools:
        heading = f"{study.study}: effects under other pools that moved ({len(study.pools)})"
        sections.append(_Section(heading, _moved(study.pools)))
    return [*sections, *_counts(study)]


def _averages_first(heading: str, rows: list[Moved], told: str) -> list[_Section]:
    """Return average effects, then others, folded."""
    averages = [row for row in rows if row.headline or row.place["term"] == "att"]
    others = [row for row in rows if row not in averages]
    sections = [_Section(heading, _moved(averages) if averages else "No average effect.")]
    if others:
        heading = f"{told}: effects by event time and others ({len(others)})"
        sections.append(_Section(heading, _moved(others), folded=True))
    return sections


def _one_sided(study: StudyDiff) -> _Section:
    """Say that only one of two states has a study, with its headlines."""
    fate = "no longer estimated" if study.gone else "new"
    side = "before" if study.gone else "after"
    headlines = [row for row in study.estimates if row.headline]
    table = Table(
        columns=(TableColumn(side),),
        panels=(Panel("Headline", tuple(_one_side(row, side) for row in headlines)),),
    )
    return _Section(f"{study.study}: {fate}", table if headlines else "It has no headline.")


def _one_side(row: Moved, side: str) -> Row:
    effect: Estimate = getattr(row, side)
    return Row(row.name, (_estimate(effect, rounding.decimals_for([effect.std_error], 2, 0)),))


def _moved(rows: list[Moved]) -> Table:
    heads = ["before", "after", "change", "in std. errors", "p before", "p after"]
    groups = [("Headline", True), ("Other estimates", False)]
    panels = [
        Panel(title, tuple(_moved_row(row) for row in rows if row.headline == headline))
        for title, headline in groups
    ]
    return Table(
        columns=tuple(TableColumn(head) for head in heads),
        panels=tuple(panel for panel in panels if panel.rows),
        notes=("In parentheses standard errors; changes are after less before.",),
    )


def _moved_row(row: Moved) -> Row:
    errors = [side.std_error for side in (row.before, row.after)]
    decimals = rounding.decimals_for([e for e in errors if not math.isnan(e)], 2, 0)
    cells = (
        _estimate(row.before, decimals),
        _estimate(row.after, decimals),
        _signed(row.change),
        _signed(row.change_in_errors),
        _p_value(row.before.p_value),
        _p_value(row.after.p_value),
    )
    marks = f" ({'; '.join(row.marks)})" if row.headline and row.marks else ""
    return Row(f"{row.name}{marks}", cells)


def _estimate(side: Estimate, decimals: int) -> Cell:
    if math.isnan(side.estimate):
        return DASH
    shown = rounding.fixed(side.estimate, decimals)
    if math.isnan(side.std_error):
        return Text(shown)
    return Text(f"{shown} ({rounding.positive(side.std_error, decimals)})")


def _signed(value: float) -> Cell:
    if math.isnan(value):
        return None
    return Text(("+" if value > 0 else "") + rounding.in_significant_digits(value, 2))


def _p_value(value: float) -> Cell:
    return None if math.isnan(value) else Text(rounding.positive(value, 3))


def _counts(study: StudyDiff) -> list[_Section]:
    if not study.counts:
        return []
    table = Table(
        columns=(TableColumn("before"), TableColumn("after"), TableColumn("change")),
        panels=(Panel("", tuple(_count_row(row) for row in study.counts)),),
    )
    return [_Section(f"{study.study}: sample flow", table)]


def _count_row(row: MovedCount) -> Row:
    sides = [None if n is None else WholeNumbers((n,)) for n in (row.before, row.after)]
    change: Cell = None
    if row.before is not None and row.after is not None:
        change = Text(f"{'+' * (row.after > row.before)}{rounding.whole(row.after - row.before)}")
    return Row(row.name, (*(DASH if cell is None else cell for cell in sides), change))
