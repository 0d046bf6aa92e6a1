"""The dominance rule: a mean or total in which one firm weighs too much is not shown.

The (1, k) rule: hidden where the largest firm's contribution exceeds k percent of the total.
Hundepool et al. (2012), doi:10.1002/9781118348239, section 4.2. It concerns magnitudes: shares and
logs have no contributions that anyone could look up. Where one firm has most of the weights, a mean
or effect is that firm's, on any scale.
"""

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import reference_event_time, sampling_weight
from pipeline.publishing.disclosure.blocks import Place
from pipeline.publishing.disclosure.details import keys_of
from pipeline.publishing.disclosure.figures import (
    SAMPLES,
    balance_places,
    baseline_places,
    path_places,
    support_places,
)

_TERMS = ("att_by", "total")
# Margins on scales that are the level itself in a large unit, which UNIT_DEPENDENCE tells.
_NEAR_LEVELS = ("asinh", "log1p")


def dominated(
    rows: pd.DataFrame, shares: pd.DataFrame, keys: list[str], percent: float
) -> np.ndarray:
    """Mark the rows of a published table whose largest firm exceeds `percent` of the total."""
    found = rows[keys].merge(shares, on=keys, how="left")["share"]
    return np.asarray(found > percent)


def dominated_sizes(
    estimates: pd.DataFrame, concentration: pd.DataFrame, percent: float
) -> np.ndarray:
    """Mark estimates (n,) of a design and size of which one firm has more than `percent`.

    `concentration` is CONCENTRATION, whose groupings are the sizes that firms are weighted by.
    """
    heavy = concentration[100 * concentration["largest_firm_share"] > percent]
    found = set(zip(heavy["design"], heavy["grouping"], strict=True))
    places = zip(estimates["design"], estimates["grouping"], strict=True)
    by_size = estimates["term"].isin(_TERMS).to_numpy()
    return by_size & np.array([place in found for place in places], dtype=np.bool_)


def dominated_effects(results: StudyResults) -> Flags:
    """Mark the effects (n,) for which one firm has too much of either group.

    An effect in levels times its treated firms is the change of their total less that of the
    others: where one firm is most of it, the firm's own. So is one that weights firms, on any
    scale, where one has most of the weights; with sampling weights all do. At the reference year or
    any year that it is of. Effects are needed more than means: they go where others have less than
    half of what `dominance_percent` leaves to them (above 75 percent where it is 50).
    """
    if results.dominance is None:
        return np.zeros(len(results.estimates), np.bool_)
    shares = results.dominance.outcomes
    heavy = shares[shares["share"] > _percent_of_effects(results)]
    weighted = heavy["estimator"].notna()
    by_level = _at_times_of(results, heavy[~weighted], ["outcome", "design"])
    by_weight = _at_times_of(results, heavy[weighted], ["outcome", "design", "estimator"])
    if sampling_weight(results) is not None:
        return by_level | by_weight | _of_no_mean(results, heavy[~weighted])
    return (by_level & effects_in_levels(results)) | by_weight


def dominates_effect(results: StudyResults, outcome: str, largest_percent: float) -> bool:
    """Say whether the largest firm of a mean has too much of an outcome's effect.

    As `dominated_effects` of effects in levels, and of all where firms have sampling weights.
    """
    of_level = results.settings.outcome(outcome).in_levels
    may = of_level or sampling_weight(results) is not None
    return may and largest_percent > _percent_of_effects(results)


def _of_no_mean(results: StudyResults, heavy: pd.DataFrame) -> Flags:
    """Mark the effects (n,) on what has no mean of its own, as survival, where a design's are."""
    told = results.estimates["outcome"].isin(list(results.settings.outcomes.root)).to_numpy()
    return np.asarray(_at_times_of(results, heavy, ["design"]) & ~told)


def _at_times_of(results: StudyResults, heavy: pd.DataFrame, key: list[str]) -> Flags:
    """Mark the effects (n,) with a time in `heavy`, by key: the reference or of their own."""
    found = heavy.groupby(key)["event_time"].agg(set).items()
    times = {place if isinstance(place, tuple) else (place,): own for place, own in found}
    rows, reference = results.estimates, reference_event_time(results)
    time = rows["event_time"].fillna(rows["year"] - rows["cohort"]).astype("Int64")
    marks = []
    for place, own in zip(keys_of(rows, key), time, strict=True):
        heavy_at = times.get(place, set())
        marks.append(not heavy_at.isdisjoint({reference, *(heavy_at if pd.isna(own) else {own})}))
    return np.array(marks, dtype=np.bool_)


def effects_in_levels(results: StudyResults) -> Flags:
    """Mark the effects (n,) in levels, or on a scale that is a level in a large unit."""
    of = results.settings.outcomes.root.items()
    outcomes = {name for name, outcome in of if outcome.in_levels}
    rows = results.estimates
    return np.asarray(rows["outcome"].isin(outcomes) | rows["term"].isin(_NEAR_LEVELS))


def _percent_of_effects(results: StudyResults) -> float:
    return (100 + results.settings.exhibit.disclosure.dominance_percent) / 2


def dominated_sets(results: StudyResults) -> set[tuple[Place, bool]]:
    """Return the places of means of magnitudes of which one firm has too much, with their group.

    Of paths only those in levels; baselines are of levels whatever the outcome's scale. With
    sampling weights of all paths, of which one firm may have most of the weights.
    """
    dominance, percent = results.dominance, results.settings.exhibit.disclosure.dominance_percent
    if dominance is None:
        return set()
    outcomes = dominance.outcomes[dominance.outcomes["estimator"].isna()]
    outcomes = outcomes[outcomes["share"] > percent]
    levels = {
        name
        for name, outcome in results.settings.outcomes.root.items()
        if outcome.in_levels or outcome.in_ratios
    }
    sampled = sampling_weight(results) is not None
    paths = outcomes if sampled else outcomes[outcomes["outcome"].isin(levels)]
    base = outcomes[outcomes["event_time"] == reference_event_time(results)]
    covariates = dominance.covariates[dominance.covariates["share"] > percent]
    samples = covariates[covariates["sample"].isin(SAMPLES)]
    fates = covariates[~covariates["sample"].isin(SAMPLES)].rename(columns={"sample": "fate"})
    named = [
        (path_places(paths), paths),
        (baseline_places(base), base),
        (balance_places(samples), samples),
        (support_places(fates), fates),
    ]
    return {
        (found, bool(treated))
        for places, rows in named
        for found, treated in zip(places, rows["treated"], strict=True)
    }
