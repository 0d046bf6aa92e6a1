"""The panels of the main table: their letters, the headline among them, what each absorbs."""

from pipeline.exhibits.design_words import capitalised
from pipeline.exhibits.inputs import StudyResults


def panel_letter(index: int) -> str:
    """Return A for the first panel."""
    return chr(ord("A") + index)


def name_list(noun: str, names: list[str]) -> str:
    """Return `Panel A`, or `Panels A, B and C`."""
    if len(names) == 1:
        return f"{noun} {names[0]}"
    return f"{noun}s {', '.join(names[:-1])} and {names[-1]}"


def headline_panel(results: StudyResults) -> int:
    """Return the position of the panel that shows the headline; the first where none does."""
    headline = results.settings.estimate.headline
    panels = results.settings.exhibit.panels
    shown = [(panel.design, panel.spec) == (headline.design, headline.spec) for panel in panels]
    return shown.index(True) if True in shown else 0


def absorbed(results: StudyResults, spec: str) -> tuple[str, str]:
    """Return the two sets of effects that a spec absorbs, in words."""
    chosen = results.settings.spec(spec)
    unit = results.settings.exhibit.firms.removesuffix("s")
    if chosen.estimator != "stacked":
        return capitalised(unit), "Year"
    by = f"{chosen.year_effects_by} \u00d7 " if chosen.year_effects_by else ""
    return capitalised(f"{unit} \u00d7 entry-year"), capitalised(f"{by}year \u00d7 entry-year")
