"""What a design could have found: effects by treated clusters, and trends before entry."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.fits import TREATED_CLUSTERS
from pipeline.effects.description import Fact
from pipeline.effects.rows import Label, Row
from pipeline.effects.stacks import Flags, Floats
from pipeline.inference.covariance import minimum_detectable_effect
from pipeline.inference.detectable_names import detectable, detectable_in_unit
from pipeline.inference.pre_trend_power import FOUND_WITH, slope_found_by_any, slope_found_jointly
from pipeline.params.estimate import EstimateSection


@dataclass(frozen=True)
class Baseline:
    """Hold the treated firms' mean of the outcome in the reference year, and its unit."""

    mean: float
    unit: str


def effect_facts(
    label: Label, row: Row, settings: EstimateSection, baseline: Baseline
) -> list[Fact]:
    """Return the minimum detectable effect of a summary row, in its units and in the outcome's."""
    error, df = row.get("std_error", np.nan), row.get("df", np.nan)
    return _facts(label, error, df if np.isfinite(df) else np.inf, settings, baseline)


def detectable_fact(label: Label, row: Row, settings: EstimateSection) -> Fact:
    """Return the minimum detectable effect of a row with normal inference, in its units."""
    error = row.get("std_error", np.nan)
    effect = minimum_detectable_effect(error, np.inf, settings.conf_level, settings.power)
    return detectable(label.estimator), effect, label.scale


def by_treated_clusters(
    label: Label,
    influence: Floats,
    treated: Flags,
    settings: EstimateSection,
    baseline: Baseline,
    *,
    normal: bool,
) -> list[Fact]:
    """Return the minimum detectable effect had other numbers of clusters been treated.

    `influence` (G,) of the average effect by cluster, `treated` (G,). The treated clusters' part of
    the variance is taken to fall with their number, the others' part to stay. Inference is `normal`
    or t with one degree of freedom less than clusters.
    """
    used = influence != 0
    own, others = np.square(influence[treated]).sum(), np.square(influence[~treated]).sum()
    n_treated, n_others = int((used & treated).sum()), int((used & ~treated).sum())
    if n_treated < 2 or not np.isfinite(own + others):
        return []
    facts: list[Fact] = []
    for number in TREATED_CLUSTERS:
        error = float(np.sqrt(own * n_treated / number + others))
        df = np.inf if normal else n_others + number - 1
        facts += _facts(label, error, df, settings, baseline, treated_clusters=number)
    return facts


def _facts(
    label: Label,
    error: float,
    df: float,
    settings: EstimateSection,
    baseline: Baseline,
    *,
    treated_clusters: int | None = None,
) -> list[Fact]:
    """Return the smallest effect found with an error: in the estimate's units and the outcome's.

    A log effect d of treated firms with baseline mean m is m (exp(d) - 1) of the outcome's unit.
    """
    effect = minimum_detectable_effect(error, df, settings.conf_level, settings.power)
    in_unit = baseline.mean * np.expm1(effect) if label.scale == "log points" else effect
    spec = label.estimator
    return [
        (detectable(spec, treated_clusters), effect, label.scale),
        (detectable_in_unit(spec, treated_clusters), float(in_unit), baseline.unit),
    ]


@dataclass(frozen=True)
class Slopes:
    """Hold k effects before entry: the years that a slope has by each, and their covariance.

    `years` (k,) is what a slope of one a year makes of each effect: the distance to the reference
    year, or one for a difference from the year before.
    """

    years: Floats
    covariance: Floats


def slope_facts(label: Label, tested: Slopes, single: Slopes, df_denominator: float) -> list[Fact]:
    """Return the slopes of a linear pre-trend that the tests of the leads would have found.

    `pre_trend_slope` by the joint test of `tested`, which is reported, `pre_trend_slope_any` where
    a significant one of `single` is taken as a finding; a year, in units of the estimate.
    """
    level, facts = 1 - label.conf_level, []
    unit = f"{label.scale} a year"
    for power in FOUND_WITH:
        of = f"[{label.estimator},{100 * power:g}]"
        jointly = slope_found_jointly(tested.years, tested.covariance, df_denominator, level, power)
        alone = slope_found_by_any(single.years, single.covariance, level, power)
        facts += [
            (f"pre_trend_slope{of}", jointly, unit),
            (f"pre_trend_slope_any{of}", alone, unit),
        ]
    return facts
