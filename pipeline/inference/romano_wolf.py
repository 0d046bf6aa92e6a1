"""Romano-Wolf p-values: one statement about every average effect of a family of outcomes.

Outcomes of the same firms move together, so that their joint distribution is drawn: each draw gives
every cluster one random sign for all outcomes at once, conditional on the matched sets.
"""

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.collected import Collected
from pipeline.effects.estimated import joined
from pipeline.effects.kept import Kept
from pipeline.effects.rows import ALL, Row, test_row
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT
from pipeline.errors import Reason
from pipeline.estimators.registry import ESTIMATORS
from pipeline.inference.wild_bootstrap import random_signs
from pipeline.params.inference import RomanoWolf

# Clusters whose signs are drawn at once: bounds memory, and is part of what a seed means.
CLUSTERS_AT_ONCE = 4096


def romano_wolf_tests(collected: Collected, study: Study, settings: RomanoWolf) -> list[Row]:
    """Return a row of TESTS, `romano_wolf`, for each average effect of a family of several.

    A family is what params declare, within one design and estimator; outcomes without influences
    by one cluster each are left out, and so are effects in ratios and specs that do not ask for
    the average; the note counts who is in.
    """
    joint = {s.name for s in study.estimate.specs if ESTIMATORS[s.estimator].joint}
    families: dict[tuple[str, str, str], list[Kept]] = {}
    for kept in collected.kept:
        label = kept.label
        if label.estimator not in joint or not _has_average(kept):
            continue
        outcome = study.outcomes[label.outcome]
        if not outcome.in_ratios:
            key = (label.design, label.estimator, outcome.family)
            families.setdefault(key, []).append(kept)
    return [
        row
        for (*_, family), members in families.items()
        if len(members) > 1
        for row in _family_rows(members, family, settings)
    ]


def _has_average(kept: Kept) -> bool:
    """Say whether a result is the average effect on all firms, by clusters in one direction."""
    label = kept.label
    whole = {label.sample, label.grouping, label.subgroup} == {ALL}
    return whole and ATT in kept.by_cluster.terms and kept.by_whole_clusters


def _family_rows(members: list[Kept], family: str, settings: RomanoWolf) -> list[Row]:
    averages = joined([kept.by_cluster.where([ATT]) for kept in members])
    assert averages.influence is not None, "kept by cluster"
    influence = averages.influence.T
    statistics = averages.estimates / np.sqrt((influence**2).sum(axis=1))
    rng = np.random.default_rng(settings.seed)
    p_values = step_down(statistics, influence, settings.draws, rng)
    said = {"n": len(members), "family": family, "draws": settings.draws}
    return [
        test_row(kept.label, "romano_wolf", p_value=p_value, remarks=[Reason("romano_wolf", said)])
        for kept, p_value in zip(members, p_values.tolist(), strict=True)
    ]


def step_down(
    statistics: Floats, influence: Floats, draws: int, rng: np.random.Generator
) -> Floats:
    """Return the step-down adjusted p-value of each of k t statistics.

    In the order of |t|, p_j = (1 + number of draws with max over the hypotheses not yet passed of
    |t*| >= |t_j|) / (draws + 1), made non-decreasing; t*_k = sum_g v_g psi_kg / SE_k with random
    signs v. Romano & Wolf (2005), doi:10.1198/016214504000000539; (2016),
    doi:10.1016/j.spl.2016.02.012. `influence` (k, G), SE_k^2 = sum_g psi_kg^2.
    """
    drawn = np.abs(_drawn_statistics(influence, draws, rng))
    order = np.argsort(-np.abs(statistics), kind="stable")
    p_values, largest = np.empty(len(statistics)), 0.0
    for place, hypothesis in enumerate(order):
        most = drawn[:, order[place:]].max(axis=1)
        reached = (most >= abs(statistics[hypothesis])).sum()
        largest = max(largest, (1 + reached) / (draws + 1))
        p_values[hypothesis] = largest
    return p_values


def _drawn_statistics(influence: Floats, draws: int, rng: np.random.Generator) -> Floats:
    standardised = influence / np.sqrt((influence**2).sum(axis=1, keepdims=True))
    statistics = np.zeros((draws, len(influence)))
    for start in range(0, influence.shape[1], CLUSTERS_AT_ONCE):
        part = standardised[:, start : start + CLUSTERS_AT_ONCE]
        statistics += random_signs(draws, part.shape[1], rng) @ part.T
    return statistics
