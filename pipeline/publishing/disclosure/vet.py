"""What of a study's results may be published: the declared rule applied to every results table.

A hidden figure is missing in the published table; its row stays. Sample sizes behind estimates are
always shown, as output checkers ask; docs/disclosure.md says what that leaves.
"""

from collections.abc import Mapping
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
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import design_ran, matching_designs, reference_event_time
from pipeline.publishing.disclosure.blocks import blocks_of
from pipeline.publishing.disclosure.counts import hide_told_counts
from pipeline.publishing.disclosure.derived import REASON as TELLS_EFFECT
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
from pipeline.publishing.disclosure.dominance import dominated, dominated_effects, dominated_sizes
from pipeline.publishing.disclosure.effects import telling_effects
from pipeline.publishing.disclosure.few_ones import hide_few_ones
from pipeline.publishing.disclosure.figures import OF_PROFILE, with_matched_counts
from pipeline.publishing.disclosure.groups import (
    REASON,
    Second,
    hide_group_tests,
    is_second,
    second_groups,
)
from pipeline.publishing.disclosure.issues import hide_issues
from pipeline.publishing.disclosure.joined_arms import OfArm
from pipeline.publishing.disclosure.lone_years import (
    entry_year_sizes,
    few_behind,
    without_lone_years,
)
from pipeline.publishing.disclosure.losses import Hidden, hide_steps, hide_support
from pipeline.publishing.disclosure.means import hide_means
from pipeline.publishing.disclosure.samples import hide_balance, hide_coverage, hide_paths
from pipeline.publishing.disclosure.told_means import REASON as TELLS_MEAN
from pipeline.publishing.disclosure.told_means import hide_effects_of, percents_of_hidden_means

_FIGURES = [n for what in ("effect", "statistic") for n in columns_that_tell(ESTIMATES, what)]
_SIZES = [n for what in ("count", "other_count") for n in columns_that_tell(ESTIMATES, what)]

# Whose designs are, where no arm but one has some.
_ONE_ARM: Mapping[str, OfArm] = {}


def vet(results: StudyResults, arm_of: Mapping[str, OfArm] = _ONE_ARM) -> StudyResults:
    """Return the results with everything hidden that section `exhibit.disclosure` declares.

    Those of several arms are `join_arms`; `arm_of` says whose designs are.
    """
    rule = results.settings.exhibit.disclosure
    minimum = rule.min_cell_firms
    blocks = [] if results.populations is None else blocks_of(results.populations)
    support, hidden = results.support, Hidden()
    if support is not None:
        support, hidden = hide_support(support, minimum)
    estimates = _estimates(results, minimum)
    second = second_groups(estimates, results.details.of(GROUPING_LOSSES), minimum)
    estimates = _without(estimates, is_second(estimates, second), REASON)
    telling = pd.Series(telling_effects(results, estimates, blocks, arm_of), index=estimates.index)
    estimates = _without(estimates, telling, TELLS_EFFECT)
    vetted = replace(
        results,
        support=support,
        balance=hide_balance(results.balance, minimum),
        estimates=estimates,
        tests=_tests(results, estimates, second),
        paths=hide_paths(results.paths, minimum),
        sample_flow=hide_steps(results.sample_flow, minimum),
        issues=hide_issues(results.issues, results.profile, minimum),
        coverage=_coverage(results, minimum),
    )
    vetted = replace(vetted, details=_details(vetted, hidden, minimum))
    vetted = hide_few_ones(replace(vetted, profile=_profile(vetted)), results, minimum)
    baselines = without(vetted.details, BASELINES, ["mean"], _path_hidden(vetted))
    vetted = hide_means(replace(vetted, details=baselines), blocks)
    vetted = replace(vetted, details=_underived(results, vetted))
    if results.counted is not None:
        vetted = hide_told_counts(vetted, results, results.counted, minimum, arm_of)
    baselines = without(vetted.details, BASELINES, ["mean"], _path_hidden(vetted))
    return _without_percents(results, _by_counts(replace(vetted, details=baselines)))


def _without_percents(results: StudyResults, vetted: StudyResults) -> StudyResults:
    """Hide effects in percent of a mean that is not shown, where those on its level are."""
    outcomes = percents_of_hidden_means(results, vetted)
    shown = vetted.estimates[_FIGURES].notna().any(axis=1)
    told = vetted.estimates["outcome"].isin(outcomes) & shown
    estimates = _without(vetted.estimates, told, TELLS_MEAN)
    return replace(
        vetted,
        estimates=estimates,
        tests=_tests(vetted, estimates, set()),
        details=hide_effects_of(vetted, outcomes),
    )


def _by_counts(results: StudyResults) -> StudyResults:
    """Hide means of SUPPORT whose number is hidden, and numbers that BALANCE shows twice.

    A mean of whole numbers, zeros and ones among them, is a fraction that tells how many they are.
    """
    support = results.support
    return replace(
        results,
        balance=with_matched_counts(results.balance),
        support=None
        if support is None
        else support.assign(mean=support["mean"].mask(support["n_treated"].isna())),
    )


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
        hide_differences_together(
            vetted.details,
            results.balance,
            vetted.balance,
            results.settings.match.balance.threshold,
        ),
        hidden_rows(results.estimates, vetted.estimates),
        unseen_leads(results.estimates, vetted.estimates, reference),
    )


def _estimates(results: StudyResults, minimum: int) -> pd.DataFrame:
    """Replace estimates on few firms of a group, or weighted mostly by one, by the reason."""
    estimates = results.estimates
    percent = results.settings.exhibit.disclosure.dominance_percent
    counts = estimates[["n_treated", "n_control"]].to_numpy(float, na_value=np.nan)
    few = pd.Series(small(counts, minimum).any(axis=1), index=estimates.index)
    if results.counted is not None and minimum > 1:
        sizes = entry_year_sizes(results.counted, reference_event_time(results))
        few |= few_behind(estimates, sizes, minimum)
        estimates = without_lone_years(estimates, sizes, minimum)
    shown = _without(estimates, few, Reason("few_firms_in_group", {"least": minimum}))
    concentration = results.details.of(CONCENTRATION)
    by_size = dominated_sizes(estimates, concentration, percent)
    of_one = pd.Series(by_size | dominated_effects(results), index=estimates.index)
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


def _details(results: StudyResults, hidden: Hidden, minimum: int) -> Details:
    """Hide small counts, and what tells them."""
    models = {
        name: design_ran(results, name).code("score_model") for name in matching_designs(results)
    }
    few = hide_few_compared(hide_single_firms(results.details, minimum), minimum)
    return hide_reasons(hide_small_counts(few, minimum), hidden, models)


def _path_hidden(results: StudyResults) -> list[bool]:
    """Mark baseline means of a group whose mean at the reference year is hidden."""
    reference = reference_event_time(results)
    at_base = results.paths[results.paths["event_time"] == reference]
    key = ["outcome", "design", "treated"]
    gone = set(keys_of(at_base[at_base["mean"].isna()], key))
    return [place in gone for place in keys_of(results.details.of(BASELINES), key)]


def _profile(results: StudyResults) -> pd.DataFrame | None:
    """Hide means and spreads of PROFILE of which one firm has too much, and what holds those.

    Several years together would tell a hidden one.
    """
    profile, dominance = results.profile, results.dominance
    if profile is None or dominance is None:
        return profile
    percent = results.settings.exhibit.disclosure.dominance_percent
    cell = ["column", "scope", "first_year", "treated"]
    marks = dominated(profile, dominance.panel, cell, percent)
    own = profile[marks & profile["scope"].eq(YEAR).to_numpy()]
    years = set(zip(own["column"], own["treated"], strict=True))
    several = profile["scope"].ne(YEAR).to_numpy()
    groups = zip(profile["column"], profile["treated"], strict=True)
    told = several & np.array([group in years for group in groups], dtype=np.bool_)
    return profile.assign(**{name: profile[name].mask(marks | told) for name in OF_PROFILE})
