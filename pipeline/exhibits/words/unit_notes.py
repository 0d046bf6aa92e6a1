"""Say what an effect's unit depends on: the unit of an asinh, the mean of a percentage."""

from pipeline.datasets.fits import UNIT_DEPENDENCE
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.panels import Shown, main_letter, panel_ran
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.means import name_columns
from pipeline.params.exhibit import PanelSection

# Effects in several units differ by orders of magnitude.
_UNIT_DIGITS = 2


def dependent_on_unit(results: StudyResults, shown: Shown) -> list[str]:
    """Say which columns are in asinh, and what the effect of the main panel is in other units."""
    letter = main_letter(results, shown)
    return [
        say(
            "main_notes.depends_on_unit",
            column=column,
            shown=_in_other_units(results, name, letter, shown.panels[letter]),
        )
        for column, name in shown.columns.items()
        if results.settings.outcome(name).transform == "asinh"
    ]


def _in_other_units(results: StudyResults, outcome: str, letter: str, panel: PanelSection) -> str:
    """Return an average effect in its unit and in two others; empty where one is not known."""
    place = {"design": panel.design, "outcome": outcome, "estimator": panel.spec, "term": "att"}
    hundredth, million = (
        results.details.figure(UNIT_DEPENDENCE, name, **place) for name in ("x100", "per_million")
    )
    effect = find_effect(results, outcome, panel.design, panel.spec)
    if effect is None or not (effect.estimated and hundredth.known and million.known):
        return ""
    return say(
        "main_notes.in_other_units",
        own=rounding.in_significant_digits(effect.estimate, _UNIT_DIGITS),
        unit=results.settings.outcome(outcome).unit,
        hundredth=rounding.in_significant_digits(hundredth.value, _UNIT_DIGITS),
        million=rounding.in_significant_digits(million.value, _UNIT_DIGITS),
        letter=letter,
    )


def percent_of_mean(results: StudyResults, shown: Shown) -> list[str]:
    """Say which columns are in percent of which mean, and that it is taken as fixed."""
    settings = results.settings
    columns = [n for n, o in shown.columns.items() if settings.outcome(o).in_percent_of_mean]
    if not columns:
        return []
    main = panel_ran(results, shown, main_letter(results, shown))[0]
    return [
        say(
            "main_notes.percent_of_mean",
            columns=name_columns(columns),
            firms=settings.exhibit.firms,
            design_label=settings.design_label(settings.estimate.headline.design),
            reference=rounding.fixed(main.number("base_event_time"), 0),
        )
    ]
