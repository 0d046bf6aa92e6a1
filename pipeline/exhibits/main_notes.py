"""The notes of the main table, written from the parameters and results that it shows."""

import math

from pipeline.exhibits import rounding
from pipeline.exhibits.cautions import panel_warnings
from pipeline.exhibits.design_words import design_pool, design_rule, score_covariates
from pipeline.exhibits.estimator_words import cohort_words, group_time_words
from pipeline.exhibits.inputs import (
    Effect,
    StudyResults,
    StudySettings,
    by_event_time,
    find_effect,
    find_effects,
    lead_notes,
)
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
        *_pre_years(results, outcomes),
        _observations(results, outcomes),
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
    """Say who is in the pool, how firms are picked, and what the score holds, each once."""
    settings = results.settings
    designs = [panel.design for panel in settings.exhibit.panels]
    pools = _by_text([design_pool(settings, design) for design in designs])
    rules = _by_text([design_rule(settings, design) for design in designs])
    scores = _by_text(_score_texts(settings, designs))
    sentences = [f"Comparison pool: {pools}.", f"Matching: {rules}."]
    return [*sentences, f"Score: {scores}."] if scores else sentences


def _by_text(texts: list[str]) -> str:
    """Return `text (Panels A and B); text (Panel C)`, each text once, empty ones left out."""
    panels_of: dict[str, list[str]] = {}
    for index, text in enumerate(texts):
        if text:
            panels_of.setdefault(text, []).append(panel_letter(index))
    return "; ".join(
        f"{text} ({name_list('Panel', letters)})" for text, letters in panels_of.items()
    )


def _score_texts(settings: StudySettings, designs: list[str]) -> list[str]:
    """List each panel's covariates, as an earlier panel's and more where that is shorter."""
    lists = [score_covariates(settings, design) for design in designs]
    texts = []
    for index, covariates in enumerate(lists):
        inside = [i for i in range(index) if lists[i] and set(lists[i]) < set(covariates)]
        if inside:
            base = max(inside, key=lambda i: len(lists[i]))
            added = [label for label in covariates if label not in lists[base]]
            texts.append(f"as Panel {panel_letter(base)} and {', '.join(added)}")
        else:
            texts.append(", ".join(covariates))
    return texts


def _inference(results: StudyResults, outcomes: list[str]) -> str:
    panel = _headline(results)
    effects = [find_effect(results, name, panel.design, panel.spec) for name in outcomes]
    cluster = next((e.cluster for e in effects if e is not None and e.cluster), "")
    unit = results.settings.exhibit.firms.removesuffix("s")
    by = {"": "", "assignment": f" by {results.settings.exhibit.cluster}", "firm": f" by {unit}"}
    level = f"{100 * results.settings.estimate.conf_level:g}"
    return (
        f"Standard errors clustered{by[cluster]} in parentheses: factor G/(G\u22121) \u00d7 "
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


def _pre_years(results: StudyResults, outcomes: list[str]) -> list[str]:
    """Say for which entry years no pre-trend can be seen."""
    panel = _headline(results)
    notes = {
        lead_notes(by_event_time(find_effects(results, name, panel.design, panel.spec)), results)
        for name in outcomes
    } - {""}
    return [
        f"Effects before the reference year: {note}; for other entry years no pre-trend can be "
        "seen."
        for note in sorted(notes)
    ]


def _observations(results: StudyResults, outcomes: list[str]) -> str:
    """Say what an observation is and, where columns differ, why."""
    what = "Observations are yearly rows, counted once per entry year that they serve."
    panel = _headline(results)
    effects = [find_effect(results, name, panel.design, panel.spec) for name in outcomes]
    if len({effect.n_obs for effect in effects if effect is not None and effect.estimated}) < 2:
        return what
    rule = _MISSING_RULES[results.settings.estimate.missing]
    return (
        f"{what} Their number differs between columns because outcomes are missing in some years: "
        f"{rule.format(firms=results.settings.exhibit.firms)}; logs leave out zeros."
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
