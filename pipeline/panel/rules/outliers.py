"""Implausible jumps and tails."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes
from pipeline.errors import Reason
from pipeline.panel.ledger import Issue, Ruled, issue
from pipeline.panel.panel_index import NO_ROW, index_panel
from pipeline.panel.values import refuse_rows
from pipeline.params.clean import Jumps, Tails


def find_jumps(panel: pd.DataFrame, rule: Jumps) -> Ruled:
    """Report, refuse or set missing values far above or below both neighbouring years."""
    index = index_panel(panel)
    firm, year = index.codes(panel["firm_id"]), panel["year"].to_numpy(np.int64)
    neighbours = index.rows(firm, np.stack([year - 1, year + 1], axis=1))
    changed, issues = {}, list[Issue]()
    for name in rule.columns:
        jump = pd.Series(_is_jump(panel[name], neighbours, rule.factor), index=panel.index)
        if rule.action == "refuse":
            refuse_rows(
                jump,
                f"{name}: a value is more than {rule.factor:g} times off both neighbouring years",
                "correct it, or report; see",
                panel[["firm_id", "year"]],
            )
        action = Reason("kept" if rule.action == "report" else "set_missing")
        issues += issue(Reason("jump", {"factor": rule.factor}), name, jump, panel, action)
        if rule.action == "set_missing":
            changed[name] = panel[name].mask(jump)
    return Ruled(panel.assign(**changed), tuple(issues))


def _is_jump(values: pd.Series, neighbours: Codes, factor: float) -> NDArray[np.bool_]:
    """Compare each value with both neighbours (rows, 2); a missing or zero one settles nothing."""
    level = values.to_numpy(np.float64)
    positive = np.where(level > 0, level, np.nan)
    around = np.where(neighbours != NO_ROW, positive[neighbours], np.nan)
    ratio = positive[:, None] / around
    return np.asarray((ratio > factor).all(axis=1) | (ratio < 1 / factor).all(axis=1))


def limit_tails(panel: pd.DataFrame, rule: Tails) -> Ruled:
    """Winsorise or trim columns at percentiles of pre-entry and comparison values.

    A group without such values has no threshold: its values stay, and are counted.
    """
    untreated = (panel["cohort"].isna() | (panel["year"] < panel["cohort"])).fillna(False)
    changed, issues = {}, list[Issue]()
    for name in rule.columns:
        low, high = (
            _threshold(panel, name, untreated.astype(bool), percentile, rule.by)
            for percentile in (rule.lower_percentile, rule.upper_percentile)
        )
        beyond = (panel[name] < low) | (panel[name] > high)
        without = panel[name].notna() & _unlimited(low, high, rule)
        changed[name] = (
            panel[name].clip(low, high) if rule.method == "winsorise" else panel[name].mask(beyond)
        )
        issues += _tail_issues(panel, name, beyond, without, rule)
    return Ruled(panel.assign(**changed), tuple(issues))


def _threshold(
    panel: pd.DataFrame, name: str, untreated: pd.Series, percentile: float | None, by: list[str]
) -> pd.Series:
    """Return each row's threshold, missing where there is none: it limits nothing."""
    if percentile is None:
        return pd.Series(np.nan, index=panel.index)
    basis = panel.loc[untreated, [name, *by]]
    if not by:
        return pd.Series(basis[name].quantile(percentile / 100), index=panel.index)
    quantiles = basis.groupby(by)[name].quantile(percentile / 100).rename("threshold")
    return (
        panel[by]
        .merge(quantiles.reset_index(), on=by, how="left")["threshold"]
        .set_axis(panel.index)
    )


def _unlimited(low: pd.Series, high: pd.Series, rule: Tails) -> pd.Series:
    """Flag rows whose group has no untreated value to take a threshold from."""
    return (low.isna() & (rule.lower_percentile is not None)) | (
        high.isna() & (rule.upper_percentile is not None)
    )


def _tail_issues(
    panel: pd.DataFrame, name: str, beyond: pd.Series, without: pd.Series, rule: Tails
) -> list[Issue]:
    action = Reason("winsorised" if rule.method == "winsorise" else "set_missing")
    return [
        *issue(_beyond(rule), name, beyond, panel, action),
        *issue(Reason("no_threshold"), name, without, panel, Reason("kept")),
    ]


def _beyond(rule: Tails) -> Reason:
    """Say which tails are limited."""
    lower, upper = rule.lower_percentile, rule.upper_percentile
    if lower is None:
        return Reason("above_percentile", {"upper": upper})
    if upper is None:
        return Reason("below_percentile", {"lower": lower})
    return Reason("beyond_percentiles", {"lower": lower, "upper": upper})
