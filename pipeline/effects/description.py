"""What a table foot needs beside the estimates: baseline means, losses, outcome paths."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.effects.sample import StackedSample
from pipeline.effects.stacks import Floats
from pipeline.params.outcomes import Outcome

Fact = tuple[str, float, str]


def baseline_facts(sample: StackedSample, panel: pd.DataFrame, outcome: Outcome) -> list[Fact]:
    """Return weighted means in the reference year: a share for `any`, else the column's level.

    A log outcome's mean is over the firms of its sample, those above zero.
    """
    levels = panel[outcome.column].to_numpy(dtype=np.float64, na_value=np.nan)[sample.panel_row]
    values = sample.y if outcome.transform == "any" else levels
    at_base = sample.event_time == sample.stacks.reference
    means = {
        name: _weighted_mean(values, sample.weight, at_base & (sample.treated == treated))
        for name, treated in (("baseline_mean", False), ("baseline_mean_treated", True))
    }
    return [(name, value, outcome.unit) for name, value in means.items()]


def sample_facts(sample: StackedSample) -> list[Fact]:
    """Return what missing outcomes cost, the years and stacks used, and firms used twice."""
    losses = sample.losses
    used = pd.DataFrame({"firm": sample.stacks.firm[sample.unit], "unit": sample.unit})
    per_firm = used.drop_duplicates().groupby("firm").size()
    facts: list[tuple[str, float, str]] = [
        ("n_treated_missing", losses.treated_missing, "firms"),
        ("firm_years_missing", losses.firm_years_missing, "firm-years"),
        ("firm_years_dropped", losses.firm_years_dropped, "firm-years"),
        ("treated_years", losses.treated_years, "firm-years"),
        ("treated_years_dropped", losses.treated_years_dropped, "firm-years"),
        ("stack_years_dropped", losses.stack_years_dropped, "stack-years"),
        ("n_firms_reused", int((per_firm > 1).sum()), "firms"),
        ("n_firms_moved_cluster", sample.stacks.n_firms_moved, "firms"),
    ]
    if sample.stacks.sets is not None:
        sets = sample.stacks.sets
        n_sets = _n_distinct(sets.set_code)
        per_set = (len(sets.unit) - n_sets) / max(n_sets, 1)
        facts.append(("comparison_firms_per_set", per_set, "per set"))
    if len(sample.y):
        cluster = sample.stacks.cluster[sample.unit]
        facts += [
            ("n_treated_clusters", _n_distinct(cluster[sample.treated]), "clusters"),
            ("n_stacks", _n_distinct(sample.stack), "stacks"),
            ("first_year", int(sample.year.min()), "year"),
            ("last_year", int(sample.year.max()), "year"),
        ]
    return facts


def outcome_paths(sample: StackedSample, outcome: str) -> pd.DataFrame:
    """Return weighted means of the transformed outcome by group and event time.

    Pooled over stacks on the estimator's rows and weights, so that the composition is the same.
    """
    rows = pd.DataFrame(
        {
            "treated": sample.treated,
            "event_time": sample.event_time,
            "weight": sample.weight,
            "weighted": sample.weight * sample.y,
        }
    )
    groups = rows.groupby(["treated", "event_time"])
    sums = groups[["weight", "weighted"]].sum()
    path = (sums["weighted"] / sums["weight"]).rename("mean").reset_index()
    path["n_firms"] = groups.size().to_numpy()
    return path.assign(outcome=outcome, design=sample.stacks.design)


def _n_distinct(codes: NDArray[np.integer]) -> int:
    return len(np.unique(codes))


def facts_rows(design: str, outcome: str, facts: list[Fact]) -> list[dict[str, Any]]:
    """Return facts as rows of FACTS."""
    return [
        {"design": design, "outcome": outcome, "name": name, "value": value, "unit": unit}
        for name, value, unit in facts
    ]


def _weighted_mean(values: Floats, weight: Floats, where: np.ndarray) -> float:
    total = weight[where].sum()
    return float((values[where] * weight[where]).sum() / total) if total > 0 else float("nan")
