"""The notes of the main table, written from the parameters and results that it shows."""

import math

from pipeline.datasets.samples import CONCENTRATION, SAMPLES
from pipeline.exhibits.effect import missing_reason, missing_test_reason
from pipeline.exhibits.inputs import StudyResults, find_effect, pre_trend_result
from pipeline.exhibits.leads import is_varying, pre_trends
from pipeline.exhibits.ran import Ran, matching_designs, measures_change, ran, takes_every_year
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.panels import (
    Shown,
    by_panel,
    main_letter,
    main_panels,
    name_panels,
    panel_effects,
    panel_ran,
    pools,
    tests_pre_trends,
)
from pipeline.exhibits.words.cautions import panel_warnings
from pipeline.exhibits.words.designs import gap_rules, pool_that_ran, rule_that_ran
from pipeline.exhibits.words.estimators import estimator_words
from pipeline.exhibits.words.inference import inference_words
from pipeline.exhibits.words.language import join_words, say
from pipeline.exhibits.words.unit_notes import dependent_on_unit, percent_of_mean
from pipeline.params.exhibit import PanelSection


def main_notes(results: StudyResults, shown: Shown) -> tuple[str, ...]:
    """Return all that can be said of the outcomes and panels that one table shows."""
    notes = (
        *assigned_at_random(results, shown),
        _sample(results, shown),
        *_estimators(results, shown),
        *_designs(results, shown),
        inference_words(results, shown),
        *_ratios(results, shown),
        *dependent_on_unit(results, shown),
        *percent_of_mean(results, shown),
        *_pre_years(results, shown),
        *_missing(results, shown),
        _foot(results, shown),
        *panel_warnings(results, shown),
        *reasons_of_dashes(results, shown),
        *stars_words(results),
    )
    return tuple(note for note in notes if note)


def assigned_at_random(results: StudyResults, shown: Shown) -> list[str]:
    """Say first which panels rest on random assignment: those with the base value as covariate."""
    rests = [
        letter
        for letter in shown.panels
        if any(row.code("base") == "covariate" for row in panel_ran(results, shown, letter))
    ]
    return [say("main_notes.assigned_at_random", panels=name_panels(rests))] if rests else []


def _sample(results: StudyResults, shown: Shown) -> str:
    main = panel_ran(results, shown, main_letter(results, shown))[0]
    anticipated = say("main_notes.anticipation") if main.has("anticipation_years") else ""
    changes = "sample_of_panel" if takes_every_year(main) else "sample"
    return say(
        f"main_notes.{changes if measures_change(main) else 'sample_after_entry'}",
        data=say("main_notes.data", firms=results.settings.exhibit.firms),
        span=_span(results, shown),
        first_event_time=_signed(main.number("first_event_time")),
        last_event_time=_signed(main.number("last_event_time")),
        reference_event_time=_signed(main.number("base_event_time")),
        counted=_counted(results, shown),
        anticipated=anticipated,
    )


def _counted(results: StudyResults, shown: Shown) -> str:
    """Say how often an observation counts: pooled estimators take each once."""
    pooled = [k for k in shown.panels if pools(panel_ran(results, shown, k))]
    if not pooled:
        return say("main_notes.count_by_entry_year")
    if len(pooled) == len(shown.panels):
        return say("main_notes.count_once")
    return say("main_notes.count_mixed", panels=name_panels(pooled))


def _span(results: StudyResults, shown: Shown) -> str:
    """Return `, 1987\u20131989`: the years of all outcomes of the main panel."""
    design = shown.panels[main_letter(results, shown)].design
    years = [
        results.details.figure(SAMPLES, end, design=design, outcome=name)
        for name in shown.columns.values()
        for end in ("first_year", "last_year")
    ]
    known = [year.value for year in years if year.known]
    return f", {min(known):.0f}\u2013{max(known):.0f}" if known else ""


def _signed(event_time: int) -> str:
    return rounding.fixed(event_time, 0)


def _estimators(results: StudyResults, shown: Shown) -> list[str]:
    panels_of: dict[str, list[str]] = {}
    for letter, panel in shown.panels.items():
        panels_of.setdefault(panel.spec, []).append(letter)
    return [
        f"{name_panels(letters)}: {estimator_words(results, _ran(results, shown, letters))}."
        for letters in panels_of.values()
    ]


def _ran(results: StudyResults, shown: Shown, letters: list[str]) -> list[Ran]:
    return [row for letter in letters for row in panel_ran(results, shown, letter)]


def _designs(results: StudyResults, shown: Shown) -> list[str]:
    """Say who is in the pool and how firms are picked, each once."""
    designs = {letter: panel.design for letter, panel in shown.panels.items()}
    rows = {letter: panel_ran(results, shown, letter) for letter in shown.panels}
    pools = by_panel({k: pool_that_ran(results, rows[k]) for k in designs})
    rules = by_panel({k: rule_that_ran(results, d, rows[k]) for k, d in designs.items()})
    matched = set(designs.values()) & set(matching_designs(results))
    listed = say("main_notes.score_covariates") if matched else ""
    return [
        say("main_notes.pools", pools=pools),
        say("main_notes.rules", rules=rules, listed=listed),
    ]


def _ratios(results: StudyResults, shown: Shown) -> list[str]:
    """Say which columns show proportional effects on a level, and what their totals rest on."""
    firms = results.settings.exhibit.firms
    sentences = []
    for column, name in shown.columns.items():
        if any(in_ratios(results, name, panel) for panel in shown.panels.values()):
            sentences.append(say("main_notes.proportional", column=column, firms=firms))
            sentences += largest_firms(results, shown, name)
    return sentences


def in_ratios(results: StudyResults, outcome: str, panel: PanelSection) -> bool:
    """Say whether a panel shows a proportional effect on an outcome, by Poisson."""
    row = ran(results, panel.design, outcome, panel.spec)
    effect = find_effect(results, outcome, panel.design, panel.spec)
    known = effect is not None and not math.isnan(effect.estimate)
    return known and row is not None and "poisson" in row.listed("method")


def largest_firms(results: StudyResults, shown: Shown, outcome: str) -> list[str]:
    """Give the largest five's share in each group's total; nothing where it is not published.

    Of the main panel, or of the first that shows the outcome in proportion.
    """
    letters = [k for k, panel in shown.panels.items() if in_ratios(results, outcome, panel)]
    main = main_letter(results, shown)
    letter = main if main in letters else letters[0]
    bands = largest_bands(results, shown.panels[letter].design, outcome)
    if not bands:
        return []
    return [say("main_notes.largest_firms", largest=join_words(bands), letter=letter)]


def largest_bands(
    results: StudyResults, design: str, outcome: str, grouping: str = "all"
) -> list[str]:
    """Return in which bands the largest five's shares lie, treated and comparison, or nothing.

    `outcome` is `all` where `grouping` is a size that weights are by.
    """
    key = {"design": design, "outcome": outcome, "grouping": grouping}
    rows = results.details.records(CONCENTRATION, **key)
    bands = {row["treated"]: row["largest_five_band"] for row in rows}
    known = [band for band in (bands.get(True), bands.get(False)) if isinstance(band, str)]
    return [say(f"share_band.{band}") for band in known] if len(known) == 2 else []


def _pre_years(results: StudyResults, shown: Shown) -> list[str]:
    """Say what the pre-trend test tests, and for which entry years nothing can be seen."""
    if not any(tests_pre_trends(results, panel.spec) for panel in shown.panels.values()):
        return []
    unseen = [say("main_notes.others_unseen", note=n) for n in partial_leads(results, shown)]
    return [say("main_notes.pre_trends", partial="".join(unseen)), *varying_base(results, shown)]


def varying_base(results: StudyResults, shown: Shown) -> list[str]:
    """Say in which panels effects before entry are measured from another period."""
    tested = [k for k, panel in shown.panels.items() if tests_pre_trends(results, panel.spec)]
    rows = {k: panel_ran(results, shown, k) for k in tested}
    varying = [k for k in tested if any(is_varying(row) for row in rows[k])]
    return [say("main_notes.varying_base", panels=name_panels(varying))] if varying else []


def partial_leads(results: StudyResults, shown: Shown) -> list[str]:
    """Say for which entry years alone effects before entry can be seen, where not for all."""
    panel = shown.panels[main_letter(results, shown)]
    found = [pre_trends(results, name, panel.design, panel.spec) for name in shown.columns.values()]
    return sorted({one.told_years for one in found} - {""})


def _missing(results: StudyResults, shown: Shown) -> list[str]:
    """Say by which rules outcomes may be missing, where columns or panels differ by them."""
    rules = {
        letter: gap_rules(results.settings, panel_ran(results, shown, letter))
        for letter in shown.panels
    }
    if observations_differ(results, shown):
        return [say("main_notes.missing", rules=by_panel(rules))]
    of_design = {(panel.design, rules[k]) for k, panel in shown.panels.items()}
    several = len(of_design) > len({panel.design for panel in shown.panels.values()})
    return [say("main_notes.gaps", rules=by_panel(rules))] if several else []


def observations_differ(results: StudyResults, shown: Shown) -> bool:
    """Say whether the columns of a panel rest on different numbers of observations."""
    numbers = ({e.n_obs for e in panel_effects(results, shown, k)} for k in shown.panels)
    return any(len(found) > 1 for found in numbers)


def _foot(results: StudyResults, shown: Shown) -> str:
    """Say of what the foot is; empty for further panels, which have none."""
    if not set(shown.panels) <= set(main_panels(results)):
        return ""
    return say(
        "main_notes.foot",
        firms=results.settings.exhibit.firms,
        main_letter=main_letter(results, shown),
    )


def reasons_of_dashes(results: StudyResults, shown: Shown) -> list[str]:
    """Give the reason for every dash."""
    cells: dict[str, dict[int, list[str]]] = {}
    for column, name in shown.columns.items():
        for letter in shown.panels:
            reason = _reason(results, shown, letter, name)
            if reason:
                cells.setdefault(reason, {}).setdefault(column, []).append(letter)
    places = {
        reason: "; ".join(_place(results, shown, n, k) for n, k in found.items())
        for reason, found in cells.items()
    }
    told = (f"{place}: {reason}." for reason, place in places.items())
    return list(told)


def _place(results: StudyResults, shown: Shown, column: int, letters: list[str]) -> str:
    """Name cells by panel and column; by the outcome where its column would have none."""
    if letters == list(shown.panels) and not any(
        shown.columns[column] in _outcomes_estimated(results, shown, letter) for letter in letters
    ):
        return results.settings.outcome(shown.columns[column]).label
    return say("main_notes.panels_and_column", panels=name_panels(letters), n=column)


def _outcomes_estimated(results: StudyResults, shown: Shown, letter: str) -> set[str]:
    panel = shown.panels[letter]
    found = {n: find_effect(results, n, panel.design, panel.spec) for n in shown.columns.values()}
    return {name for name, e in found.items() if e is not None and not math.isnan(e.estimate)}


def _reason(results: StudyResults, shown: Shown, letter: str, outcome: str) -> str:
    """Return why a cell has no estimate, error or pre-trend test; empty where it has all."""
    panel = shown.panels[letter]
    effect = find_effect(results, outcome, panel.design, panel.spec)
    if effect is None or not effect.estimated:
        return "" if effect is None else missing_reason(effect)
    if not tests_pre_trends(results, panel.spec):
        return ""
    test = pre_trend_result(results, outcome, panel.design, panel.spec)
    if test.hidden or not math.isnan(test.p_value):
        return ""
    return say("main_notes.no_pre_trend_test", note=missing_test_reason(test))


def stars_words(results: StudyResults) -> list[str]:
    """Say what stars mean, where a study has them."""
    if not results.settings.exhibit.stars:
        return []
    ten, five, one = (rounding.fixed(level, 2) for level in (0.1, 0.05, 0.01))
    return [say("main_notes.stars", ten=ten, five=five, one=one)]
