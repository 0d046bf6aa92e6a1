"""What a design could have found: effects by treated clusters, and trends before entry."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.datasets.fits import TREATED_CLUSTERS
from pipeline.effects.estimated import Estimated
from pipeline.effects.rows import ALL, Label, Row, fit_key
from pipeline.inference.covariance import minimum_detectable_effect
from pipeline.inference.pre_trend_power import FOUND_WITH, slope_found_by_any, slope_found_jointly
from pipeline.params.estimate import EstimateSection
from pipeline.params.outcomes import ASINH_SCALE, LOG_SCALE


@dataclass(frozen=True)
class Baseline:
    """Hold the treated firms' mean of the outcome in the reference year, and its unit."""

    mean: float
    unit: str


def detectable_row(
    label: Label,
    error: float,
    df: float,
    settings: EstimateSection,
    baseline: Baseline | None = None,
    *,
    treated_clusters: int | None = None,
    event_time: int | None = None,
) -> Row:
    """Return the row of DETECTABLE of an effect with an error, normal where `df` is infinite.

    Of the average, or of a lead at its event time. In the outcome's unit too, given its `baseline`:
    a log effect d of treated firms with baseline mean m is m (exp(d) - 1). An effect on asinh is
    none in that unit.
    """
    effect = minimum_detectable_effect(error, df, settings.conf_level, settings.power)
    row = fit_key(label) | {"grouping": label.grouping, "effect": effect, "scale": label.scale}
    row |= {"treated_clusters": treated_clusters, "event_time": event_time}
    if baseline is None or label.scale == ASINH_SCALE:
        return row
    in_unit = baseline.mean * np.expm1(effect) if label.scale == LOG_SCALE else effect
    return row | {"effect_in_unit": float(in_unit), "unit": baseline.unit}


def of_leads(label: Label, rows: list[Row], settings: EstimateSection, reference: int) -> list[Row]:
    """Return rows of DETECTABLE of the effects before the reference year among rows of ESTIMATES.

    Each is tested alone, with the error and the degrees of freedom of its row.
    """
    plain = {"term": "event", "sample": ALL, "inference": "analytic", "band": "pointwise"}
    told = [row for row in rows if plain.items() <= row.items() and row["event_time"] < reference]
    return [
        detectable_row(label, row["std_error"], df_of(row), settings, event_time=row["event_time"])
        for row in told
        if np.isfinite(row.get("std_error", np.nan))
    ]


def df_of(row: Row) -> float:
    """Return the degrees of freedom of a row of ESTIMATES, infinite where its tests are normal."""
    df = row.get("df", np.nan)
    return float(df) if np.isfinite(df) else np.inf


def by_treated_clusters(
    label: Label,
    average: Estimated,
    settings: EstimateSection,
    baseline: Baseline | None,
    *,
    normal: bool,
) -> list[Row]:
    """Return the minimum detectable effect had other numbers of clusters been treated.

    `average` is the average effect by cluster. The treated clusters' part of
    the variance is taken to fall with their number, the others' part to stay. Inference is `normal`
    or t with one degree of freedom less than clusters.
    """
    assert average.influence is not None, "kept by cluster"
    influence = average.influence[:, 0]
    treated, used = np.zeros(len(influence), dtype=np.bool_), influence != 0
    treated[average.seen.firm[average.seen.treated]] = True
    own, others = np.square(influence[treated]).sum(), np.square(influence[~treated]).sum()
    n_treated, n_others = int((used & treated).sum()), int((used & ~treated).sum())
    if n_treated < 2 or not np.isfinite(own + others):
        return []
    rows = []
    for number in TREATED_CLUSTERS:
        error = float(np.sqrt(own * n_treated / number + others))
        df = np.inf if normal else n_others + number - 1
        rows.append(detectable_row(label, error, df, settings, baseline, treated_clusters=number))
    return rows


@dataclass(frozen=True)
class Slopes:
    """Hold k effects before entry: the years that a slope has by each, and their covariance.

    `years` (k,) is what a slope of one a year makes of each effect: the distance to the reference
    year, or one for a difference from the year before.
    """

    years: Floats
    covariance: Floats


def slope_rows(label: Label, tested: Slopes, single: Slopes, df_denominator: float) -> list[Row]:
    """Return rows of PRE_TREND_POWER: linear pre-trends that tests of the leads would have found.

    By the joint test of `tested`, which is reported, and where a significant one of `single` is
    taken as a finding.
    """
    level = 1 - label.conf_level
    return [
        fit_key(label)
        | {
            "power": power,
            "slope_jointly": slope_found_jointly(
                tested.years, tested.covariance, df_denominator, level, power
            ),
            "slope_by_any": slope_found_by_any(single.years, single.covariance, level, power),
            "scale": label.scale,
        }
        for power in FOUND_WITH
    ]
