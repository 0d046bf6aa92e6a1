"""The panels of the main table: their letters, the main one, what each compares and absorbs."""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.estimators.registry import ESTIMATORS
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.ran import Ran, estimator_of, ran_on
from pipeline.exhibits.words.estimator_names import estimator_name
from pipeline.exhibits.words.language import join_words, say
from pipeline.params.exhibit import PanelSection


@dataclass(frozen=True)
class Shown:
    """Hold what one table shows: outcomes by column number, panels by letter."""

    columns: dict[int, str]
    panels: dict[str, PanelSection]


# More do not stand in the main table, but in that of variants.
MOST_PANELS = 3


def lettered_panels(results: StudyResults) -> dict[str, PanelSection]:
    """Return every panel of the study by its letter: first those of the main table."""
    return {chr(ord("A") + i): panel for i, panel in enumerate(_ordered(results))}


def _ordered(results: StudyResults) -> list[PanelSection]:
    """Return panels as params have them, but the headline's no later than the main table's last."""
    panels = list(results.settings.exhibit.panels)
    headline = results.settings.estimate.headline
    for late in panels[MOST_PANELS:]:
        if (late.design, late.spec) == (headline.design, headline.spec):
            panels.remove(late)
            panels.insert(MOST_PANELS - 1, late)
    return panels


def main_panels(results: StudyResults) -> dict[str, PanelSection]:
    """Return the panels of the main table by letter."""
    return dict(list(lettered_panels(results).items())[:MOST_PANELS])


def further_panels(results: StudyResults) -> dict[str, PanelSection]:
    """Return the panels that the main table has no room for, by letter."""
    return dict(list(lettered_panels(results).items())[MOST_PANELS:])


def tests_pre_trends(results: StudyResults, spec: str) -> bool:
    """Say whether a spec's estimator tests its effects before entry."""
    return ESTIMATORS[estimator_of(results, spec)].pre_trends


def panel_ran(results: StudyResults, shown: Shown, letter: str) -> list[Ran]:
    """Return how the spec of a panel ran on the outcomes shown."""
    panel = shown.panels[letter]
    return ran_on(results, panel.spec, [panel.design], shown.columns.values())


def pools(rows: list[Ran]) -> bool:
    """Say whether firm-years counted once, whatever they were compared with."""
    return all(row.code("firm_years") == "once" for row in rows)


def panel_position(results: StudyResults, design: str, spec: str) -> int:
    """Return the place of a design and spec among the main table's panels, last if not there."""
    panels = [(panel.design, panel.spec) for panel in _ordered(results)]
    return panels.index((design, spec)) if (design, spec) in panels else len(panels)


def panel_label(results: StudyResults, design: str, spec: str) -> str:
    """Return what the main table calls a design and spec; its design and estimator if not there."""
    panels = results.settings.exhibit.panels
    labels = [panel.label for panel in panels if (panel.design, panel.spec) == (design, spec)]
    if labels:
        return labels[0]
    return f"{results.settings.design_label(design)}, {estimator_name(results, spec)}"


def panel_name(results: StudyResults, design: str, spec: str) -> str:
    """Return `Panel A` for what is a panel of the main table, else its design and spec."""
    letters = list(lettered_panels(results))
    position = panel_position(results, design, spec)
    if position < len(letters):
        return name_panels(letters[position])
    return panel_label(results, design, spec)


def panels_key(results: StudyResults, shown: list[tuple[str, str]]) -> str:
    """Say what the panels of the main table are that rows are named by; empty where none is."""
    listed = [
        f"{letter}, {panel.label}"
        for letter, panel in lettered_panels(results).items()
        if (panel.design, panel.spec) in shown
    ]
    return say("panels.key", listed="; ".join(listed)) if listed else ""


def main_letter(results: StudyResults, shown: Shown) -> str:
    """Return the letter of the panel with the headline; the first shown where none has it."""
    headline = results.settings.estimate.headline
    wanted = (headline.design, headline.spec)
    same = [k for k, panel in shown.panels.items() if (panel.design, panel.spec) == wanted]
    return (same or list(shown.panels))[0]


def panel_effects(results: StudyResults, shown: Shown, letter: str) -> list[Effect]:
    """Return the estimated average effects of a panel, in the order of columns."""
    panel = shown.panels[letter]
    found = [
        find_effect(results, name, panel.design, panel.spec) for name in shown.columns.values()
    ]
    return [effect for effect in found if effect is not None and effect.estimated]


def name_panels(letters: Iterable[str]) -> str:
    """Return `Panel A`, or `Panels A, B and C`."""
    named = [*letters]
    if len(named) == 1:
        return say("panels.one", letter=named[0])
    return say("panels.several", letters=join_words(named))


def by_panel(texts: dict[str, str]) -> str:
    """Return `text (Panels A and B); text (Panel C)`, each text once, empty ones left out.

    A text of every panel needs no list of them.
    """
    panels_of: dict[str, list[str]] = {}
    for letter, text in texts.items():
        if text:
            panels_of.setdefault(text, []).append(letter)
    if [len(letters) for letters in panels_of.values()] == [len(texts)]:
        return next(iter(panels_of))
    return "; ".join(f"{text} ({name_panels(letters)})" for text, letters in panels_of.items())


def absorbed(results: StudyResults, row: Ran) -> tuple[str, str]:
    """Return the two sets of effects that a regression absorbed, in words."""
    by = f"{row.code('year_effects_by')} \u00d7 " if row.has("year_effects_by") else ""
    return (
        say(f"firm_effects.{row.code('firm_effects')}", unit=results.settings.exhibit.firm),
        say(f"year_effects.{row.code('year_effects')}", by=by),
    )
