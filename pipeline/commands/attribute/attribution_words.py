"""Say in a terminal, or in a pull request, which setting moved which headline."""

from collections.abc import Iterator

from pipeline.commands.attribute.attribution import Attribution
from pipeline.commands.attribute.attribution_table import (
    OTHER_CAUSES,
    attribution_table,
    shown_outcomes,
)
from pipeline.commands.attribute.changed_settings import Setting
from pipeline.commands.attribute.shapley import MOST_SHARED, Chosen
from pipeline.exhibits.render.markdown import escape_markdown, render_markdown
from pipeline.exhibits.render.terminal import render_text, terminal_lines

_WIDTH = 100

_SHARED = (
    "Each amount is the mean over all orders in which the settings can be changed (Shapley's "
    "value): they add up."
)
_PAIRS = (
    "Of two amounts the first is with this setting changed alone, the second with it changed last, "
    "after all others; '?' could not be computed."
)
_CAUSES = (
    f"{OTHER_CAUSES}: what moved beside the settings, which were all computed with the code and "
    "the data that are here. Between the two states changed"
)
_PRIVATE = (
    "Computed from firms and not vetted for disclosure: do not publish what was not published."
)


def attribution_text(found: Attribution, causes: str) -> str:
    """Return one study's answer as plain text, in lines of at most 100 characters."""
    heading = _heading(found)
    lines = [heading, "=" * len(heading), *_wrapped(_listed(found))]
    for block in _blocks(found):
        lines += ["", render_text(attribution_table(found, block)).rstrip()]
    return "\n".join([*lines, "", *_wrapped(_notes(found, causes))]) + "\n"


def attribution_markdown(found: Attribution, causes: str) -> str:
    """Return the same as Markdown."""
    outcomes = shown_outcomes(found)
    table = [render_markdown(attribution_table(found, outcomes)).rstrip()] if outcomes else []
    listed = "\n".join(f"- {escape_markdown(line)}" for line in _listed(found))
    notes = escape_markdown(" ".join(_notes(found, causes)))
    return "\n\n".join([f"### {escape_markdown(_heading(found))}", listed, *table, notes]) + "\n"


def _heading(found: Attribution) -> str:
    n = len(found.settings)
    counted = {0: "no changed setting enters", 1: "1 changed setting enters"}
    return f"{found.study}: {counted.get(n, f'{n} changed settings enter')} the headline"


def _listed(found: Attribution) -> Iterator[str]:
    """Yield each setting by its full path, with its values; those that move nothing together."""
    for number, setting in enumerate(found.settings, start=1):
        for name, before, after in zip(setting.names, setting.before, setting.after, strict=True):
            yield f"{number}  {name}: {before} -> {after}"
    if found.silent:
        yield f"Not in the headline: {', '.join(_names(found.silent))}"


def _names(settings: list[Setting]) -> list[str]:
    return [name for setting in settings for name in setting.names]


def _blocks(found: Attribution) -> list[list[str]]:
    """Divide the outcomes into tables that fit a terminal."""
    blocks: list[list[str]] = []
    for name in shown_outcomes(found):
        if blocks and _fits(found, [*blocks[-1], name]):
            blocks[-1].append(name)
        else:
            blocks.append([name])
    return blocks


def _fits(found: Attribution, outcomes: list[str]) -> bool:
    lines = render_text(attribution_table(found, outcomes)).splitlines()
    return max(map(len, lines)) <= _WIDTH


def _wrapped(lines: Iterator[str]) -> list[str]:
    return [terminal_lines(line, "   ") for line in lines]


def _notes(found: Attribution, causes: str) -> Iterator[str]:
    if len(found.settings) > MOST_SHARED or found.refused:
        yield _PAIRS
    elif len(found.settings) > 1:
        yield _SHARED
    for chosen, reason in found.refused.items():
        yield f"Not computed: {_combination(found, chosen)}: {reason}"
    other = sorted(found.outcomes.other_units)
    if other:
        labels = ", ".join(found.outcomes.labels[name] for name in other)
        yield f"In other units after than before, so that no difference is told: {labels}."
    yield f"{_CAUSES}: {causes}."
    yield _PRIVATE


def _combination(found: Attribution, chosen: Chosen) -> str:
    labels = [f"{n + 1} {found.settings[n].label}" for n in sorted(chosen)]
    return " with ".join(labels) or "the settings before"
