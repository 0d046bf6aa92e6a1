"""Checks of the headline design as a whole: support, balance, losses, who is compared."""

import math
from collections.abc import Callable

from pipeline.datasets.matches import MATCHED
from pipeline.datasets.panel import NOT_IN_PANEL, SURVIVAL_RULE
from pipeline.datasets.samples import ATTRITION
from pipeline.datasets.selection import STACKS
from pipeline.exhibits.beneficiaries import treated_lost, treated_of_risk_sets
from pipeline.exhibits.checks.caution import Caution, Severity
from pipeline.exhibits.checks.gaps import coverage_gaps
from pipeline.exhibits.design_balance import differences_together
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import balance_rule, matching_designs
from pipeline.exhibits.tables.placebos import placebo_found

# One treated firm in ten left out changes whom the effect speaks of.
_MANY_LOST = 0.1

# Dropouts bias beyond one in five, or by 5 points between groups: What Works Clearinghouse,
# Standards Handbook 4.1, boundaries of low attrition.
_MANY_GONE, _GONE_UNEVENLY = 0.2, 0.05


def _support(results: StudyResults) -> Caution | None:
    """Treated firms without covariates or a comparison matter from one in ten."""
    design = results.settings.estimate.headline.design
    lost, everyone = treated_lost(results, design), treated_of_risk_sets(results)
    if math.isnan(lost) or not everyone > 0:
        return None
    severity: Severity = "matters" if lost > _MANY_LOST * everyone else "passed"
    return Caution(severity, "support", {"lost": lost, "everyone": everyone})


def _imbalance(results: StudyResults) -> Caution | None:
    """Any difference above the declared threshold matters."""
    headline = results.settings.estimate.headline.design
    matched = headline in matching_designs(results)
    found = differences_together(results, headline, "after" if matched else "before")
    if found.hidden or not found.n_known:
        return None
    threshold = balance_rule(results).value("threshold")
    fields = {"n_above": found.n_above, "n": found.n_known, "largest": found.largest}
    severity: Severity = "matters" if found.n_above else "passed"
    return Caution(severity, "imbalance", {**fields, "threshold": threshold})


def _dropouts(results: StudyResults) -> Caution | None:
    """Many firms gone by the last year, or many more in one group, matter."""
    gone = [_gone(results, group) for group in (True, False)]
    if any(map(math.isnan, gone)):
        return None
    uneven = abs(gone[0] - gone[1]) > _GONE_UNEVENLY
    severity: Severity = "matters" if max(gone) > _MANY_GONE or uneven else "passed"
    return Caution(severity, "dropouts", {"treated": gone[0], "comparison": gone[1]})


def _gone(results: StudyResults, treated: bool) -> float:
    """Return the share of a group that is gone by the last year of which it is known."""
    design = results.settings.estimate.headline.design
    rows = results.details.rows(ATTRITION, design=design, treated=treated)
    known = rows.dropna(subset="share_alive").sort_values("event_time")
    return 1 - float(known["share_alive"].iloc[-1]) if len(known) else math.nan


def _in_treated_clusters(results: StudyResults) -> Caution | None:
    """Comparison firms among participants' neighbours may be affected themselves."""
    design = results.settings.estimate.headline.design
    column = "n_comparison_in_treated_clusters"
    count = results.details.figure(MATCHED, column, design=design, stack="all")
    if not count.known or not count.value > 0:
        return None
    return Caution("matters", "neighbours", {"n": count.value})


def _placebo_outcomes(results: StudyResults) -> Caution | None:
    """An effect on what the programme cannot move: the comparison misses something."""
    headline = results.settings.estimate.headline
    controls = list(results.settings.outcomes.negative_controls)
    if not controls:
        return None
    place = (headline.design, headline.spec)
    found = [n for n in controls if placebo_found(results, n, "all", *place) is not None]
    severity: Severity = "matters" if found else "passed"
    return Caution(severity, "placebo_outcomes", {"outcomes": found or controls})


def _not_in_panel(results: StudyResults) -> Caution | None:
    """Beneficiaries that the panel lacks are not evaluated; few of them are no caution."""
    lost = results.issues[results.issues["rule"] == NOT_IN_PANEL]["count"]
    known = lost.dropna()
    entrants = results.details.total(STACKS, "n_entrants")
    if known.empty or not known.sum() > _MANY_LOST * entrants.value:
        return None
    return Caution("matters", "not_in_panel", {"n": float(known.sum())})


def _selected_on_survival(results: StudyResults) -> Caution | None:
    """A panel cut by years after entry holds survivors only."""
    found = (results.issues["rule"] == SURVIVAL_RULE).any()
    return Caution("matters", "selected_on_survival") if found else None


def _coverage(results: StudyResults) -> Caution | None:
    """Gaps of the delivery matter but for the few firms that move, are away or have zeros."""
    found = coverage_gaps(results)
    if not found:
        return None
    matter = any(gap.matters for gap in found)
    return Caution("matters" if matter else "passed", "coverage", {"gaps": found})


StudyCheck = Callable[[StudyResults], Caution | None]

# In the order in which findings of one severity are told.
STUDY_CHECKS: tuple[StudyCheck, ...] = (
    _selected_on_survival,
    _in_treated_clusters,
    _placebo_outcomes,
    _support,
    _imbalance,
    _dropouts,
    _not_in_panel,
    _coverage,
)
