"""Checks of one outcome's headline effect, each with the rule by which it is serious or matters."""

import math
from collections.abc import Callable

from pipeline.datasets.fits import FITS, PRE_TREND_POWER
from pipeline.datasets.samples import ABOVE_50, CONCENTRATION, SAMPLES, TO_50
from pipeline.effects.rows import PLACEBO_ENTRY
from pipeline.exhibits.checks.caution import Caution, Severity
from pipeline.exhibits.checks.variants import variants
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.leads import has_hidden_lead, headline_pre_trends
from pipeline.exhibits.ran import measures_change, ran
from pipeline.exhibits.tables.placebos import placebo_found
from pipeline.inference.cautions import FEW_TREATED_CLUSTERS, UNINFORMATIVE_BELOW

# The power at which the drift that a test would miss is told: Roth (2022),
# doi:10.1257/aeri.20210236.
FOUND_WITH = 0.8

# A drift that no test would have found matters where it could make half of the effect.
_MOST_BY_DRIFT = 0.5

# Losses of one row in five, and a firm that is a quarter of a group's total, are ours to choose:
# above them a single group of firms can decide the effect.
_MANY_ROWS, _LARGE_SHARES = 0.2, (TO_50, ABOVE_50)


def adjusted_p_value(results: StudyResults, outcome: str, effect: Effect) -> float:
    """Return the p-value that holds over the outcome's family, its own where it stands alone.

    Romano and Wolf's where asked for, else the q-value of Benjamini and Hochberg.
    """
    headline = results.settings.estimate.headline
    tests = results.tests
    rows = tests[
        (tests["outcome"] == outcome)
        & (tests["design"] == headline.design)
        & (tests["estimator"] == headline.spec)
        & (tests[["sample", "subgroup"]] == "all").all(axis=1)
        & tests["p_value"].notna()
    ]
    found = {row["test"]: float(row["p_value"]) for row in rows.to_dict("records")}
    return found.get("romano_wolf", found.get("q_value", effect.p_value))


def _several_outcomes(results: StudyResults, outcome: str, effect: Effect) -> Caution | None:
    """An interval that excludes zero alone, and not once its family is tested together."""
    adjusted = adjusted_p_value(results, outcome, effect)
    if _includes_zero(effect) or math.isnan(adjusted):
        return None
    unsure = adjusted >= 1 - effect.conf_level
    return Caution("matters" if unsure else "passed", "several_outcomes", {"p": adjusted}, outcome)


def _gap_before(results: StudyResults, outcome: str, effect: Effect) -> Caution | None:
    """A joint test before entry that rejects is serious; none at all matters.

    So does an effect that measures no change, but where support was assigned at random.
    """
    headline = results.settings.estimate.headline
    row = ran(results, headline.design, outcome, headline.spec)
    if row is not None and not measures_change(row):
        drawn = row.code("base") == "covariate"
        return None if drawn else Caution("matters", "levels_only", {}, outcome)
    found = headline_pre_trends(results, outcome)
    leads = [e for e in found.leads.values() if not math.isnan(e.p_value)]
    p_value = found.test.p_value
    if math.isnan(p_value) and leads:
        # without a joint test: Bonferroni's bound
        p_value = min(1.0, len(leads) * min(lead.p_value for lead in leads))
    if math.isnan(p_value):
        hidden = found.seen == "hidden" or has_hidden_lead(results, outcome)
        return Caution("matters", "look_hidden" if hidden else "no_look_before", {}, outcome)
    gap = p_value < 1 - effect.conf_level
    return Caution("serious" if gap else "passed", "gap_before", {"p": p_value}, outcome)


def _drift_missed(results: StudyResults, outcome: str, effect: Effect) -> Caution | None:
    """A drift that the test before entry would miss matters where it could make half the effect.

    It goes on after entry: at the years averaged it is slope x years from the reference year.
    """
    slope, distance = drift_missed(results, outcome), _years_from_reference(results, outcome)
    if _includes_zero(effect) or math.isnan(slope) or math.isnan(distance):
        return None
    made = slope * distance
    much = made >= _MOST_BY_DRIFT * abs(effect.estimate)
    fields = {"slope": slope, "made": made}
    return Caution("matters" if much else "passed", "drift_missed", fields, outcome)


def drift_missed(results: StudyResults, outcome: str) -> float:
    """Return the drift a year that the headline's test finds with power 0.8; NaN where unknown.

    That of the joint test, or, without one, of any single lead.
    """
    headline = results.settings.estimate.headline
    key = {"design": headline.design, "outcome": outcome, "estimator": headline.spec}
    slopes = [
        results.details.figure(PRE_TREND_POWER, column, **key, power=FOUND_WITH).value
        for column in ("slope_jointly", "slope_by_any")
    ]
    return next((slope for slope in slopes if not math.isnan(slope)), math.nan)


def _years_from_reference(results: StudyResults, outcome: str) -> float:
    """Return how far the years averaged are from the reference year, on average."""
    headline = results.settings.estimate.headline
    row = ran(results, headline.design, outcome, headline.spec)
    if row is None:
        return math.nan
    last, reference = row.number("last_event_time"), row.number("base_event_time")
    return last / 2 - reference if last >= 0 else math.nan


def _few_clusters(results: StudyResults, outcome: str, effect: Effect) -> Caution | None:
    """Too few treated clusters for any interval are serious, few of them matter."""
    n_clusters = effect.n_treated_clusters
    if math.isnan(n_clusters):
        return None
    severity: Severity = "matters" if n_clusters < FEW_TREATED_CLUSTERS else "passed"
    if n_clusters < UNINFORMATIVE_BELOW:
        severity = "serious"
    return Caution(severity, "few_treated_clusters", {"n": n_clusters}, outcome)


def _sign_changes(results: StudyResults, outcome: str, effect: Effect) -> Caution | None:
    """Another variant with the other sign matters; with its whole interval there it is serious."""
    others = [v.effect for v in variants(results, outcome) if not (v.is_headline or v.biased)]
    if not others or _includes_zero(effect):
        return None
    turned = [e for e in others if e.estimate * effect.estimate < 0]
    against = [e for e in turned if not _includes_zero(e)]
    severity: Severity = "matters" if turned else "passed"
    fields = {"turned": len(turned), "n": len(others)}
    return Caution("serious" if against else severity, "sign_changes", fields, outcome)


def _placebo_entry(results: StudyResults, outcome: str, effect: Effect) -> Caution | None:
    """An effect of an entry dated too early is serious."""
    table = results.estimates
    asked = (table["outcome"] == outcome) & (table["sample"] == PLACEBO_ENTRY)
    if not table.loc[asked, "estimate"].notna().any():
        return None
    headline = results.settings.estimate.headline
    found = placebo_found(results, outcome, PLACEBO_ENTRY, headline.design, headline.spec)
    severity: Severity = "passed" if found is None else "serious"
    return Caution(severity, "placebo_entry", {}, outcome)


def _rows_left_out(results: StudyResults, outcome: str, effect: Effect) -> Caution | None:
    """Rows left out for a missing outcome matter from one in five."""
    design = results.settings.estimate.headline.design
    columns = ("firm_years_dropped", "firm_years_missing")
    found = [results.details.figure(SAMPLES, c, design=design, outcome=outcome) for c in columns]
    if math.isnan(effect.n_obs) or not all(figure.known for figure in found):
        return None
    lost = sum(figure.value for figure in found)
    share = lost / (lost + effect.n_obs)
    severity: Severity = "matters" if share > _MANY_ROWS else "passed"
    return Caution(severity, "rows_left_out", {"share": share}, outcome)


def _not_compared(results: StudyResults, outcome: str, effect: Effect) -> Caution | None:
    """Treated firms whose year effects hold no comparison firm matter from one in five."""
    headline = results.settings.estimate.headline
    key = {"design": headline.design, "outcome": outcome, "estimator": headline.spec}
    count = results.details.figure(FITS, "n_treated_without_comparison", **key)
    if not count.known or not effect.n_treated > 0:
        return None
    share = count.value / effect.n_treated
    severity: Severity = "matters" if share > _MANY_ROWS else "passed"
    return Caution(severity, "not_compared", {"share": share}, outcome)


def _largest_firm(results: StudyResults, outcome: str, effect: Effect) -> Caution | None:
    """A firm that is a quarter of the treated total matters where totals are averaged."""
    design = results.settings.estimate.headline.design
    key = {"design": design, "outcome": outcome, "grouping": "all", "treated": True}
    rows = results.details.records(CONCENTRATION, **key)
    if not rows or not isinstance(rows[0]["largest_firm_band"], str):
        return None
    band = rows[0]["largest_firm_band"]
    severity: Severity = "matters" if band in _LARGE_SHARES else "passed"
    return Caution(severity, "largest_firm", {"band": band}, outcome)


def _includes_zero(effect: Effect) -> bool:
    return effect.conf_low <= 0 <= effect.conf_high


OutcomeCheck = Callable[[StudyResults, str, Effect], Caution | None]

# In the order in which findings of one severity are told.
OUTCOME_CHECKS: tuple[OutcomeCheck, ...] = (
    _gap_before,
    _placebo_entry,
    _sign_changes,
    _few_clusters,
    _drift_missed,
    _several_outcomes,
    _rows_left_out,
    _not_compared,
    _largest_firm,
)
