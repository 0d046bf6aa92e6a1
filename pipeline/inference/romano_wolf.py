"""Romano-Wolf p-values: one statement about every average effect of a family of outcomes.

Outcomes of the same firms move together, so that their joint distribution is drawn: each draw gives
every cluster one random sign for all outcomes at once, conditional on the matched sets.
"""

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.collected import Collected
from pipeline.effects.rows import ALL, Row
from pipeline.errors import Reason
from pipeline.inference.wild_bootstrap import random_signs
from pipeline.params.inference import RomanoWolf
from pipeline.params.outcomes import Outcome

# Clusters whose signs are drawn at once: bounds memory, and is part of what a seed means.
CLUSTERS_AT_ONCE = 4096


def romano_wolf_tests(
    collected: Collected, outcomes: dict[str, Outcome], settings: RomanoWolf
) -> list[Row]:
    """Return a row of TESTS, `romano_wolf`, for each average effect of a family of several.

    A family is what params declare, within one design and estimator; outcomes whose estimator
    keeps no influences (one cluster code each) are left out, and so are specs that do not ask for
    the average; the note counts who is in.
    """
    statistics = _average_statistics(collected)
    families: dict[tuple[str, str, str], list[str]] = {}
    for design, estimator, outcome in collected.influences:
        if (design, estimator, outcome) in statistics:
            families.setdefault((design, estimator, outcomes[outcome].family), []).append(outcome)
    rows: list[Row] = []
    for family, members in families.items():
        if len(members) > 1:
            tested = np.array([statistics[*family[:2], outcome] for outcome in members])
            rows += _family_rows(collected, family, members, tested, settings)
    return rows


def _average_statistics(collected: Collected) -> dict[tuple[str, str, str], float]:
    """Return the t statistic of each average effect by design, estimator and outcome."""
    return {
        (row["design"], row["estimator"], row["outcome"]): row.get("statistic", np.nan)
        for row in collected.estimates
        if (row["term"], row["sample"]) == ("att", ALL)
        and (row["grouping"], row["subgroup"]) == (ALL, ALL)
        and (row["inference"], row["band"]) == ("analytic", "pointwise")
    }


def _family_rows(
    collected: Collected,
    family: tuple[str, str, str],
    members: list[str],
    statistics: Floats,
    settings: RomanoWolf,
) -> list[Row]:
    design, estimator, name = family
    influence = _stacked_influences([collected.influences[design, estimator, o] for o in members])
    rng = np.random.default_rng(settings.seed)
    p_values = step_down(statistics, influence, settings.draws, rng)
    said = {"n": len(members), "family": name, "draws": settings.draws}
    place = dict.fromkeys(("arm", "sample", "grouping", "subgroup"), ALL)
    place |= {"design": design, "estimator": estimator}
    found = {"test": "romano_wolf", "reason": None, "remarks": (Reason("romano_wolf", said),)}
    return [
        place | found | {"outcome": outcome, "p_value": p_value}
        for outcome, p_value in zip(members, p_values, strict=True)
    ]


def _stacked_influences(parts: list[Floats]) -> Floats:
    """Return influences by outcome and cluster code, (k, G); clusters that one lacks are zero."""
    most = max(len(part) for part in parts)
    return np.array([np.pad(part, (0, most - len(part))) for part in parts])


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
