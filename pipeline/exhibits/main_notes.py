"""The notes of the main table, written from the parameters and results that it shows."""

import math

from pipeline.exhibits import rounding
from pipeline.exhibits.cautions import panel_warnings
from pipeline.exhibits.design_words import (
    cohort_words,
    design_rule,
    group_time_words,
    score_covariates,
)
from pipeline.exhibits.inputs import Effect, StudyResults, StudySettings, find_effect
from pipeline.exhibits.numbers import (
    LOG_SCALE,
    SHARE_SCALE,
    effect_decimals,
    percent,
    percentage_points,
)
from pipeline.exhibits.panels import absorbed, headline_panel, name_list, panel_letter
from pipeline.params.exhibit import Panel

_MISSING_RULES = {
    "drop_set": "a matched set counts in a year only if all its {firms} are observed in that year",
    "renormalise": "whoever is observed stays, and comparison weights are rescaled to the treated "
    "observed",
}


def main_notes(results: StudyResults, outcomes: list[str], start: int) -> tuple[str, ...]:
    """Return the notes for these outcomes, whose columns are numbered from `start`."""
    numbered = dict(enumerate(outcomes, start))
    return (
        _sample(results),
        *_estimators(results),
        *_designs(results),
        _inference(results, outcomes),
        *_ratios(results, numbered),
        *_translations(results, numbered),
        _observations(results),
        _foot(results),
        *panel_warnings(results, outcomes),
        *_not_shown(results, numbered),
        *_stars(results),
    )


def _sample(results: StudyResults) -> str:
    settings = results.settings
    window = settings.treatment.window
    return (
        f"Each cell is a separate regression on yearly data of {settings.exhibit.firms}, event "
        f"times {_signed(window.first_event_time)} to {_signed(window.last_event_time)}; reference "
        f"{_signed(settings.treatment.reference_event_time)}, t being the entry year."
    )


def _signed(event_time: int) -> str:
    return rounding.fixed(event_time, 0)


def _estimators(results: StudyResults) -> list[str]:
    sentences = []
    for spec in dict.fromkeys(panel.spec for panel in results.settings.exhibit.panels):
        where = _panel_list(results, spec)
        effects = " and ".join(name.lower() for name in absorbed(results, spec))
        if results.settings.spec(spec).estimator == "stacked":
            sentences.append(
                f"{where}: stacked difference-in-differences, each entry year against its own "
                f"comparison {results.settings.exhibit.firms}, with {effects} effects."
            )
        elif results.settings.spec(spec).estimator == "group_time":
            sentences.append(f"{where}: {group_time_words(results.settings, spec)}.")
        elif results.settings.spec(spec).estimator != "twoway":
            sentences.append(f"{where}: {cohort_words(results.settings, spec)}.")
        else:
            sentences.append(
                f"{where}: flat two-way fixed effects ({effects}), for comparability only: "
                "under staggered entry it uses treated units as comparisons."
            )
    return sentences


def _panel_list(results: StudyResults, spec: str) -> str:
    panels = results.settings.exhibit.panels
    return name_list("Panel", [panel_letter(i) for i, p in enumerate(panels) if p.spec == spec])


def _designs(results: StudyResults) -> list[str]:
    """Say once what designs share, and then what each scores on."""
    settings = results.settings
    by_rule: dict[str, dict[str, list[str]]] = {}
    for index, panel in enumerate(settings.exhibit.panels):
        rule = design_rule(settings, panel.design)
        letters = by_rule.setdefault(rule, {}).setdefault(panel.design, [])
        letters.append(panel_letter(index))
    return [_shared_rule(settings, rule, designs) for rule, designs in by_rule.items()]


def _shared_rule(settings: StudySettings, rule: str, designs: dict[str, list[str]]) -> str:
    everyone = sorted(letter for letters in designs.values() for letter in letters)
    scored = [
        f"{name_list('Panel', letters)}: {covariates}"
        for design, letters in designs.items()
        if (covariates := score_covariates(settings, design))
    ]
    ending = f" on the following. {'. '.join(scored)}." if len(scored) > 1 else "."
    if len(scored) == 1:
        ending = f" on {scored[0].partition(': ')[2]}."
    return f"Comparison in {name_list('Panel', everyone)}: {rule}{ending}"


def _inference(results: StudyResults, outcomes: list[str]) -> str:
    panel = _headline(results)
    effects = [find_effect(results, name, panel.design, panel.spec) for name in outcomes]
    cluster = next((e.cluster for e in effects if e is not None and e.cluster), "")
    by = f" by {cluster}" if cluster else ""
    level = f"{100 * results.settings.estimate.conf_level:g}"
    return (
        f"Standard errors clustered{by} in parentheses: factor G/(G\u22121) \u00d7 "
        "(N\u22121)/(N\u2212K), K without effects nested in clusters; in brackets "
        f"{level} percent confidence intervals, t with G\u22121 degrees of freedom, conditional "
        "on the match."
    )


def _headline(results: StudyResults) -> Panel:
    return results.settings.exhibit.panels[headline_panel(results)]


def _ratios(results: StudyResults, numbered: dict[int, str]) -> list[str]:
    """Say which columns show proportional effects on a level, and what their totals rest on."""
    panel = _headline(results)
    sentences = []
    for column, name in numbered.items():
        if results.settings.outcome(name).transform != "proportional":
            continue
        shares = [
            results.fact(panel.design, name, f"largest_firm_share_{group}")
            for group in ("treated", "comparison")
        ]
        largest = " and ".join(f"{100 * share:.0f}" for share in shares)
        sentences.append(
            f"Column {column}: proportional effect on the level, zeros included, by Poisson with "
            "the effects of the stacked panels; it needs parallel ratios. The largest firm makes "
            f"{largest} percent of the treated and the comparison total (Panel "
            f"{panel_letter(headline_panel(results))})."
        )
    return sentences


def _translations(results: StudyResults, numbered: dict[int, str]) -> list[str]:
    """Translate the headline panel's own numbers, column by column."""
    panel = _headline(results)
    parts = []
    for column, name in numbered.items():
        effect = find_effect(results, name, panel.design, panel.spec)
        if effect is not None and effect.estimated:
            parts.append(f"column {column}, {_translation(results, effect)}")
    if not parts:
        return []
    letter = panel_letter(headline_panel(results))
    level = f"{100 * results.settings.estimate.conf_level:g}"
    return [
        f"In words, Panel {letter} (b log points are 100(exp(b) \u2212 1) percent, from unrounded "
        f"figures; in brackets what the {level} percent interval cannot exclude): "
        f"{'; '.join(parts)}."
    ]


def _translation(results: StudyResults, effect: Effect) -> str:
    """Return `0.082 is 8.5 percent [2.1 to 15.4]`, in percentage points for shares."""
    decimals = effect_decimals([effect], results.settings.exhibit.decimals)
    shown = rounding.fixed(effect.estimate, decimals)
    ends = (effect.estimate, effect.conf_low, effect.conf_high)
    if effect.scale == LOG_SCALE:
        value, low, high = (rounding.fixed(percent(end), 1) for end in ends)
        return f"{shown} is {value} percent [{low} to {high}]"
    if effect.scale == SHARE_SCALE:
        value, low, high = (rounding.fixed(percentage_points(end), 1) for end in ends)
        return f"linear probability: {shown} is {value} percentage points [{low} to {high}]"
    _, low, high = (rounding.fixed(end, decimals) for end in ends)
    return f"{shown} {effect.scale} [{low} to {high}]"


def _observations(results: StudyResults) -> str:
    rule = _MISSING_RULES[results.settings.estimate.missing]
    return (
        f"N differs between columns because outcomes are missing in some years: "
        f"{rule.format(firms=results.settings.exhibit.firms)}; logs leave out zeros. Observations "
        "are yearly rows, counted once per entry year that they serve."
    )


def _foot(results: StudyResults) -> str:
    alpha = 100 * (1 - results.settings.estimate.conf_level)
    return (
        f"Foot: Panel {panel_letter(headline_panel(results))}; baseline mean in levels, reference "
        f"year; minimum detectable effect at {100 * results.settings.estimate.power:g} percent "
        f"power, two-sided test at {alpha:.3g} percent, in the units of the estimate."
    )


def _not_shown(results: StudyResults, numbered: dict[int, str]) -> list[str]:
    """Give the reason for every dash."""
    sentences = []
    for column, name in numbered.items():
        outcome = results.settings.outcome(name)
        if not outcome.observed:
            sentences.append(f"Column {column} ({outcome.label}): not observed, {outcome.reason}.")
            continue
        for index, panel in enumerate(results.settings.exhibit.panels):
            effect = find_effect(results, name, panel.design, panel.spec)
            if effect is not None and math.isnan(effect.estimate) and effect.note:
                sentences.append(f"Panel {panel_letter(index)}, column {column}: {effect.note}.")
    return sentences


def _stars(results: StudyResults) -> list[str]:
    return ["* p < 0.10, ** p < 0.05, *** p < 0.01."] if results.settings.exhibit.stars else []
