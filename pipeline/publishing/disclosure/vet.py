"""What of a study's results may be published: the declared rule applied to every results table.

A hidden figure is missing in the published table; its row stays. Sample sizes behind estimates are
always shown, as output checkers ask; docs/disclosure.md says what that leaves.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.datasets.panel import YEAR
from pipeline.datasets.reasons import with_reason
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.samples import BASELINES, CONCENTRATION, GROUPING_LOSSES
from pipeline.datasets.small_counts import small
from pipeline.datasets.store import columns_that_tell
from pipeline.errors import Reason
from pipeline.exhibits.details import Details
from pipeline.exhibits.inputs import Dominance, StudyResults
from pipeline.exhibits.ran import design_ran, matching_designs, reference_event_time
from pipeline.publishing.disclosure.counts import hide_told_counts
from pipeline.publishing.disclosure.covariate_means import hide_dominated_covariates
from pipeline.publishing.disclosure.derived import (
    hidden_groups,
    hidden_rows,
    hide_derived_details,
    hide_derived_tests,
    hide_differences_together,
    unseen_leads,
)
from pipeline.publishing.disclosure.details import (
    hide_few_compared,
    hide_reasons,
    hide_single_firms,
    hide_small_counts,
    keys_of,
    without,
)
from pipeline.publishing.disclosure.dominance import dominated, dominated_sizes
from pipeline.publishing.disclosure.few_ones import hide_few_ones
from pipeline.publishing.disclosure.groups import (
    REASON,
    Second,
    hide_group_tests,
    is_second,
    second_groups,
)
from pipeline.publishing.disclosure.losses import Hidden, few_lost, hide_steps, hide_support
from pipeline.publishing.disclosure.samples import hide_balance, hide_coverage, hide_paths

_FIGURES = [n for what in ("effect", "statistic") for n in columns_that_tell(ESTIMATES, what)]
_SIZES = [n for what in ("count", "other_count") for n in columns_that_tell(ESTIMATES, what)]


def vet(results: StudyResults) -> StudyResults:
    """Return the results with everything hidden that section `exhibit.disclosure` declares."""
    rule = results.settings.exhibit.disclosure
    minimum = rule.min_cell_firms
    support, hidden = results.support, Hidden()
    if support is not None:
        support, hidden = hide_support(support, minimum)
    balance, _ = hide_balance(results.balance, few_lost(hidden), minimum)
    headline = results.settings.estimate.headline.design
    estimates = _estimates(results, minimum)
    second = second_groups(estimates, results.details.of(GROUPING_LOSSES), minimum)
    estimates = _without(estimates, is_second(estimates, second), REASON)
    vetted = replace(
        results,
        support=support,
        balance=balance,
        estimates=estimates,
        tests=_tests(results, estimates, second),
        paths=hide_paths(results.paths, [headline, "unmatched"], minimum),
        sample_flow=hide_steps(results.sample_flow, minimum),
        issues=_issues(results.issues, minimum),
        coverage=_coverage(results, minimum),
    )
    vetted = replace(vetted, details=_details(vetted, hidden, minimum))
    if results.dominance is not None:
        vetted = _dominated(vetted, results.dominance)
    vetted = replace(vetted, details=_underived(results, vetted))
    vetted = hide_few_ones(vetted, results, minimum)
    if results.counted is not None:
        vetted = hide_told_counts(vetted, results, results.counted, minimum)
    baselines = without(vetted.details, BASELINES, ["mean"], _path_hidden(vetted))
    return replace(vetted, details=baselines)


def _tests(results: StudyResults, estimates: pd.DataFrame, second: Second) -> pd.DataFrame:
    """Hide what TESTS says of estimates that are hidden among `estimates`, and of `second`."""
    hidden = hidden_rows(results.estimates, estimates)
    if hidden.empty and not second:
        return results.tests
    reference = reference_event_time(results)
    unseen = unseen_leads(results.estimates, estimates, reference)
    tests = hide_group_tests(results.tests, second | hidden_groups(hidden))
    return hide_derived_tests(tests, hidden, unseen)


def _underived(results: StudyResults, vetted: StudyResults) -> Details:
    """Hide details from which what is hidden elsewhere could be worked out."""
    reference = reference_event_time(results)
    return hide_derived_details(
        hide_differences_together(vetted.details, results.balance, vetted.balance),
        hidden_rows(results.estimates, vetted.estimates),
        unseen_leads(results.estimates, vetted.estimates, reference),
    )


def _estimates(results: StudyResults, minimum: int) -> pd.DataFrame:
    """Replace estimates on few firms of a group, or weighted mostly by one, by the reason."""
    estimates = results.estimates
    percent = results.settings.exhibit.disclosure.dominance_percent
    counts = estimates[["n_treated", "n_control"]].to_numpy(float, na_value=np.nan)
    few = pd.Series(small(counts, minimum).any(axis=1), index=estimates.index)
    shown = _without(estimates, few, Reason("few_firms_in_group", {"least": minimum}))
    concentration = results.details.of(CONCENTRATION)
    of_one = pd.Series(dominated_sizes(estimates, concentration, percent), index=estimates.index)
    return _without(shown, of_one & ~few, Reason("one_firm_dominates", {"percent": percent}))


def _coverage(results: StudyResults, minimum: int) -> pd.DataFrame | None:
    if results.coverage is None:
        return None
    return hide_coverage(results.coverage, results.profile, minimum)


def _without(estimates: pd.DataFrame, hidden: "pd.Series[bool]", reason: Reason) -> pd.DataFrame:
    """Replace figures and sizes of the hidden rows by the reason."""
    if not hidden.any():
        return estimates
    shown = estimates.copy()
    shown.loc[hidden, _FIGURES] = np.nan
    shown.loc[hidden, _SIZES] = pd.NA
    return with_reason(shown, hidden, reason)


def _issues(issues: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Hide what ISSUES counts of few firms, or of few rows, and in which years these few are."""
    counted = ["count", "firms"]
    counts = issues[counted].to_numpy(float, na_value=np.nan)
    few = pd.Series(small(counts, minimum).any(axis=1), index=issues.index)
    hidden = [*counted, "first_year", "last_year"]
    return issues.assign(**{name: issues[name].astype("Int64").mask(few) for name in hidden})


def _details(results: StudyResults, hidden: Hidden, minimum: int) -> Details:
    """Hide small counts, what tells them, and baseline means whose path is hidden."""
    models = {
        name: design_ran(results, name).code("score_model") for name in matching_designs(results)
    }
    few = hide_few_compared(hide_single_firms(results.details, minimum), minimum)
    shown = hide_reasons(hide_small_counts(few, minimum), hidden, models)
    return without(shown, BASELINES, ["mean"], _path_hidden(results))


def _path_hidden(results: StudyResults) -> list[bool]:
    """Mark baseline means of a group whose mean at the reference year is hidden."""
    reference = reference_event_time(results)
    at_base = results.paths[results.paths["event_time"] == reference]
    key = ["outcome", "design", "treated"]
    gone = set(keys_of(at_base[at_base["mean"].isna()], key))
    return [place in gone for place in keys_of(results.details.of(BASELINES), key)]


def _dominated(results: StudyResults, dominance: Dominance) -> StudyResults:
    """Hide means in which the largest firm exceeds the declared share of the total."""
    percent = results.settings.exhibit.disclosure.dominance_percent
    reference = reference_event_time(results)
    at_base = dominance.outcomes[dominance.outcomes["event_time"] == reference]
    means = results.details.of(BASELINES)
    levels = dominated(means, at_base, ["outcome", "design", "treated"], percent)
    outcomes = results.settings.outcomes.root.items()
    shown = [name for name, o in outcomes if o.transform in ("level", "proportional")]
    keys = ["outcome", "design", "treated", "event_time"]
    paths = dominated(results.paths, dominance.outcomes, keys, percent)
    paths = paths & results.paths["outcome"].isin(shown).to_numpy()
    balance, support = hide_dominated_covariates(
        results.balance, results.support, dominance.covariates, percent
    )
    return replace(
        results,
        details=without(results.details, BASELINES, ["mean"], levels),
        paths=results.paths.assign(mean=results.paths["mean"].mask(paths)),
        profile=_dominated_profile(results.profile, dominance, percent),
        balance=balance,
        support=support,
    )


def _dominated_profile(
    profile: pd.DataFrame | None, dominance: Dominance, percent: float
) -> pd.DataFrame | None:
    if profile is None:
        return None
    by_year = profile.assign(year=profile["first_year"].where(profile["scope"] == YEAR))
    marks = dominated(by_year, dominance.panel, ["column", "year", "treated"], percent)
    return profile.assign(mean=profile["mean"].mask(marks))
