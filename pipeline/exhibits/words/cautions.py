"""Warnings that a reader of an estimate must see; each states the number behind it."""

import math
from collections.abc import Callable

import pandas as pd

from pipeline.datasets.fits import FITS
from pipeline.datasets.matches import MATCHED
from pipeline.datasets.panel import SURVIVAL_RULE
from pipeline.datasets.samples import SAMPLES, SHARED_CLUSTERS
from pipeline.exhibits.beneficiaries import treated_lost, treated_of_risk_sets
from pipeline.exhibits.details import Figure
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.panels import Shown, by_panel, panel_effects, panel_ran
from pipeline.exhibits.tables.table import HIDDEN, Table
from pipeline.exhibits.words.beneficiaries import shown_lost, switched_off, told_count
from pipeline.exhibits.words.language import say, tell
from pipeline.exhibits.words.means import means_of_others
from pipeline.exhibits.words.steps import issue_rule
from pipeline.inference.cautions import FEW_TREATED_CLUSTERS

_Count = Callable[[StudyResults, Shown, str], str]


def panel_warnings(results: StudyResults, shown: Shown) -> list[str]:
    """Return who is lost or ended, and one sentence per warning with its number in every panel."""
    said = [*shown_lost(results, shown), *switched_off(results), *means_of_others(results, shown)]
    for code, count in _WARNINGS.items():
        found = {letter: count(results, shown, letter) for letter in shown.panels}
        if any(found.values()):
            said.append(_warning(results, code, by_panel(found)))
    return said


def _warning(results: StudyResults, code: str, panels: str) -> str:
    if code == "note.few_treated_clusters":
        return say(code, few_treated_clusters=FEW_TREATED_CLUSTERS, panels=panels)
    return say(code, firms=results.settings.exhibit.firms, panels=panels)


def _few_clusters(results: StudyResults, shown: Shown, letter: str) -> str:
    """Return the fewest treated clusters over the columns, where they are few."""
    counts = [effect.n_treated_clusters for effect in panel_effects(results, shown, letter)]
    fewest = min((count for count in counts if not math.isnan(count)), default=math.inf)
    return rounding.whole(fewest) if fewest < FEW_TREATED_CLUSTERS else ""


def _errors_by_firm(results: StudyResults, shown: Shown, letter: str) -> str:
    by_firm = [r for r in panel_ran(results, shown, letter) if r.code("cluster") == "firm"]
    if not by_firm:
        return ""
    column, design = "n_treated_sharing_cluster", shown.panels[letter].design
    if (row := by_firm[0]).code("firms") == "panel":
        place = {name: row.code(name) for name in FITS.key}
        return _count(results.details.figure(FITS, column, **place))
    return _count(results.details.figure(SHARED_CLUSTERS, column, design=design))


def _support_losses(results: StudyResults, shown: Shown, letter: str) -> str:
    effects = panel_effects(results, shown, letter)
    if all(effect.estimand in ("att", "ato") for effect in effects):
        return ""
    lost = treated_lost(results, shown.panels[letter].design)
    if not lost:
        return ""
    told, everyone = told_count(results, lost), treated_of_risk_sets(results)
    if math.isnan(everyone):
        return told
    return say("cautions.lost_of", lost=told, everyone=rounding.whole(everyone))


def _not_compared(results: StudyResults, shown: Shown, letter: str) -> str:
    """Return the most over the columns, where there are any."""
    panel = shown.panels[letter]
    column, place = (
        "n_treated_without_comparison",
        {"design": panel.design, "estimator": panel.spec},
    )
    counts = [
        results.details.figure(FITS, column, **place, outcome=row.code("outcome"))
        for row in panel_ran(results, shown, letter)
        if row.has("year_effects_by")
    ]
    if any(count.hidden for count in counts):
        return say("mark.few")
    most = max((count.value for count in counts if count.known), default=0.0)
    return rounding.whole(most) if most else ""


def _in_treated_clusters(results: StudyResults, shown: Shown, letter: str) -> str:
    """Return the count over entry years, which is no count of firms where some are in several."""
    count = _of_design(results, shown, letter, "n_comparison_in_treated_clusters")
    several = count and _of_design(results, shown, letter, "n_comparison_reused")
    return say("cautions.once_an_entry", n=count) if several else count


def _reused(results: StudyResults, shown: Shown, letter: str) -> str:
    """Return those of the design's stacks, of which a panel on every firm of PANEL has none."""
    if all(row.code("firms") == "panel" for row in panel_ran(results, shown, letter)):
        return ""
    return _of_design(results, shown, letter, "n_comparison_reused")


def _already_treated(results: StudyResults, shown: Shown, letter: str) -> str:
    """Return the largest weight over the columns, in percent, where there is any."""
    panel = shown.panels[letter]
    place = {"design": panel.design, "estimator": panel.spec}
    shares = [
        results.details.figure(FITS, "share_already_treated", **place, outcome=name).value
        for name in shown.columns.values()
    ]
    largest = 100 * max((share for share in shares if not math.isnan(share)), default=0.0)
    return rounding.fixed(largest, 1) if largest > 0 else ""


def _lost_with_their_set(results: StudyResults, shown: Shown, letter: str) -> str:
    """Return count and share of treated firm-years that whole sets took with them."""

    def figure(column: str, outcome: str) -> Figure:
        place = {"design": shown.panels[letter].design, "outcome": outcome}
        return results.details.figure(SAMPLES, column, **place)

    lost: dict[str, float] = {}
    whole = [r for r in panel_ran(results, shown, letter) if "drop_set" in r.listed("gaps")]
    for outcome in (row.code("outcome") for row in whole):
        if figure("comparison_firms_per_set", outcome).value > 1:
            dropped = figure("treated_years_dropped", outcome)
            if dropped.hidden:
                return say("mark.few")
            lost[outcome] = dropped.value
    worst = max(lost, key=lambda name: lost[name], default="")
    if not worst or not lost[worst] > 0:
        return ""
    everyone = figure("treated_years", worst).value
    if math.isnan(everyone):
        return rounding.whole(lost[worst])
    return say(
        "cautions.lost_of_everyone",
        lost=rounding.whole(lost[worst]),
        everyone=rounding.whole(everyone),
        share=rounding.fixed(100 * lost[worst] / everyone, 1),
    )


def _of_design(results: StudyResults, shown: Shown, letter: str, name: str) -> str:
    """Return a count of MATCHED over all entry years, where it is not zero."""
    design = shown.panels[letter].design
    return _count(results.details.figure(MATCHED, name, design=design, stack="all"))


def _count(count: Figure) -> str:
    """Return a count that is not zero, or that it is small."""
    if count.hidden:
        return say("mark.few")
    return rounding.whole(count.value) if count.value > 0 else ""


def survival_caution(results: StudyResults) -> tuple[str, ...]:
    """Return the note that every table carries where the panel was cut by years after entry."""
    found = results.issues[results.issues["rule"] == SURVIVAL_RULE]
    return tuple(
        say(
            "cautions.selected_on_survival",
            rule=tell(issue_rule(row).fields["step"], "step"),
            row=say("mark.few") if pd.isna(row["count"]) else rounding.whole(row["count"]),
            firms=results.settings.exhibit.firms,
        )
        for _, row in found.iterrows()
    )


def hidden_note(results: StudyResults, table: Table) -> tuple[str, ...]:
    """Return the note of a table that hides something under the declared disclosure rule."""
    rule = results.settings.exhibit.disclosure
    if not any(cell is HIDDEN for row in table.rows() for cell in row.cells):
        return ()
    return (
        say(
            "cautions.hidden",
            least=rule.min_cell_firms,
            firms=results.settings.exhibit.firms,
            percent=rounding.general(rule.dominance_percent),
        ),
    )


# What each warning counts by panel: of treated firms first, then of comparison firms.
_WARNINGS: dict[str, _Count] = {
    "note.few_treated_clusters": _few_clusters,
    "cautions.errors_by_firm": _errors_by_firm,
    "cautions.matched_treated_only": _support_losses,
    "cautions.not_compared": _not_compared,
    "cautions.lost_with_set": _lost_with_their_set,
    "cautions.comparison_in_treated_clusters": _in_treated_clusters,
    "cautions.reused_comparison": _reused,
    "cautions.already_treated_weight": _already_treated,
}
