"""The short notes of the main table: what a reader of the table alone must know.

Conventions stand once in the methods paragraph; cautions stand here whatever the count of words.
"""

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import (
    Ran,
    conf_level,
    estimator_of,
    matching_designs,
    measures_change,
)
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.panels import (
    Shown,
    by_panel,
    lettered_panels,
    main_letter,
    panel_effects,
    panel_ran,
    tests_pre_trends,
)
from pipeline.exhibits.words.cautions import panel_warnings
from pipeline.exhibits.words.designs import gap_rules, pool_that_ran, rule_that_ran
from pipeline.exhibits.words.end_bins import last_averaged
from pipeline.exhibits.words.estimators import estimator_words, name_with_covariates
from pipeline.exhibits.words.inference import clustered_by
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.main_notes import (
    assigned_at_random,
    in_ratios,
    largest_firms,
    observations_differ,
    partial_leads,
    reasons_of_dashes,
    stars_words,
    varying_base,
)
from pipeline.exhibits.words.means import name_columns
from pipeline.exhibits.words.unit_notes import dependent_on_unit, percent_of_mean
from pipeline.params.exhibit import PanelSection


def short_notes(results: StudyResults, shown: Shown) -> tuple[str, ...]:
    """Return the notes for the outcomes and panels that one table shows."""
    notes = (
        *assigned_at_random(results, shown),
        _effect(results, shown),
        brackets(results, shown),
        _estimators(results, shown),
        *_apart(results, shown),
        _comparison(results, shown),
        *_scales(results, shown),
        *_pre_trends(results, shown),
        say("short_notes.missing") if observations_differ(results, shown) else "",
        _foot(results, shown),
        *panel_warnings(results, shown),
        *reasons_of_dashes(results, shown),
        *stars_words(results),
        say("short_notes.methods"),
    )
    return tuple(note for note in notes if note)


def variant_notes(results: StudyResults, shown: Shown) -> tuple[str, ...]:
    """Return the notes of panels beyond the main table, which has said what stands in them."""
    notes = (
        *assigned_at_random(results, shown),
        say("short_notes.as_main"),
        _estimators(results, shown),
        *_apart(results, shown),
        _comparison(results, shown),
        *varying_base(results, shown),
        *panel_warnings(results, shown),
        *reasons_of_dashes(results, shown),
    )
    return tuple(note for note in notes if note)


def _main(results: StudyResults, shown: Shown) -> Ran:
    return panel_ran(results, shown, main_letter(results, shown))[0]


def _effect(results: StudyResults, shown: Shown) -> str:
    main = _main(results, shown)
    changes = "effect" if last_averaged(main) is not None else "effect_of_panel"
    measured = changes if measures_change(main) else "effect_after_entry"
    reference = (
        say("short_notes.all_before")
        if main.code("average") == "pooled"
        else say("short_notes.reference", event_time=_time(main, "base_event_time"))
    )
    return say(
        f"short_notes.{measured}",
        firms=results.settings.exhibit.firms,
        first=0,
        last=rounding.fixed(last_averaged(main) or 0, 0),
        reference=reference,
        anticipated=say("main_notes.anticipation") if main.has("anticipation_years") else "",
    )


def _time(row: Ran, column: str) -> str:
    return rounding.fixed(row.number(column), 0)


def brackets(results: StudyResults, shown: Shown) -> str:
    """Say what stands in parentheses and brackets, and how errors are clustered."""
    by = clustered_by(results, shown)
    return say(
        "short_notes.brackets",
        level=rounding.general(100 * conf_level(results)),
        by=say("short_notes.clustered", by=by) if by else "",
    )


def _estimators(results: StudyResults, shown: Shown) -> str:
    named = {
        letter: name_with_covariates(results, panel_ran(results, shown, letter))
        for letter in shown.panels
    }
    return say("short_notes.estimators", named=by_panel(named))


def _apart(results: StudyResults, shown: Shown) -> list[str]:
    """Say in full how panels of one design and estimator differ, which their names do not tell."""
    specs: dict[tuple[str, str], set[str]] = {}
    for panel in lettered_panels(results).values():
        specs.setdefault(_alike(results, panel), set()).add(panel.spec)
    apart = [k for k, panel in shown.panels.items() if len(specs[_alike(results, panel)]) > 1]
    if not apart:
        return []
    return [say("short_notes.apart", words=by_panel({k: _whole(results, shown, k) for k in apart}))]


def _alike(results: StudyResults, panel: PanelSection) -> tuple[str, str]:
    return panel.design, estimator_of(results, panel.spec)


def _whole(results: StudyResults, shown: Shown, letter: str) -> str:
    rows = panel_ran(results, shown, letter)
    parts = [estimator_words(results, rows), gap_rules(results.settings, rows)]
    return ", ".join(part for part in parts if part)


def _comparison(results: StudyResults, shown: Shown) -> str:
    """Say who is compared, and how firms are weighted where no design picks them."""
    pools = {k: pool_that_ran(results, panel_ran(results, shown, k)) for k in shown.panels}
    weighted = {k: _weights(results, shown, k) for k in shown.panels}
    parts = [by_panel(pools), by_panel(weighted)]
    return say("short_notes.comparison", pools="; ".join(part for part in parts if part))


def _weights(results: StudyResults, shown: Shown, letter: str) -> str:
    """Return the rule of weights that no design has, where it is not the usual one."""
    rows = panel_ran(results, shown, letter)
    usual = not any(
        row.has("weight_by") or row.code("weights") in ("one", "sampling") for row in rows
    )
    design = shown.panels[letter].design
    if usual or design in matching_designs(results):
        return ""
    return rule_that_ran(results, design, rows)


def _scales(results: StudyResults, shown: Shown) -> list[str]:
    """Say which columns are estimated in logs and which by Poisson, and whose totals are large."""
    ratios = [n for n, name in shown.columns.items() if _by_poisson(results, shown, name)]
    outcomes = {n: results.settings.outcome(name) for n, name in shown.columns.items()}
    logs = [n for n, outcome in outcomes.items() if outcome.in_logs and n not in ratios]
    firms = results.settings.exhibit.firms
    notes = [say("short_notes.in_logs", columns=name_columns(logs))] if logs else []
    if ratios:
        notes.append(say("short_notes.proportional", columns=name_columns(ratios), firms=firms))
    notes += dependent_on_unit(results, shown)
    notes += percent_of_mean(results, shown)
    return notes + [
        sentence for n in ratios for sentence in largest_firms(results, shown, shown.columns[n])
    ]


def _by_poisson(results: StudyResults, shown: Shown, outcome: str) -> bool:
    return any(in_ratios(results, outcome, panel) for panel in shown.panels.values())


def _pre_trends(results: StudyResults, shown: Shown) -> list[str]:
    if not any(tests_pre_trends(results, panel.spec) for panel in shown.panels.values()):
        return []
    return [
        say(
            "short_notes.pre_trends",
            row=say("main_effects.pre_trend_p"),
            reference=_time(_main(results, shown), "base_event_time"),
            partial="".join(
                say("short_notes.leads_of", note=note) for note in partial_leads(results, shown)
            ),
        ),
        *varying_base(results, shown),
    ]


def _foot(results: StudyResults, shown: Shown) -> str:
    letter = main_letter(results, shown)
    if not panel_effects(results, shown, letter):
        return ""
    return say(
        "short_notes.foot",
        letter=letter,
        firms=results.settings.exhibit.firms,
        reference=_time(_main(results, shown), "base_event_time"),
    )
