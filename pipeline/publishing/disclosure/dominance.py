"""The dominance rule: a mean or total in which one firm weighs too much is not shown.

The (1, k) rule: hidden where the largest firm's contribution exceeds k percent of the total.
Hundepool et al. (2012), doi:10.1002/9781118348239, section 4.2. It concerns magnitudes: shares and
logs have no contributions that anyone could look up.
"""

import numpy as np
import pandas as pd

from pipeline.effects.study import Study, asked, outcome_sample
from pipeline.exhibits.inputs import Dominance
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection

_BASE = ["outcome", "design", "treated", "event_time"]
_PLACE = ["design", "stack", "covariate", "sample", "treated"]
_PROFILE = ["column", "year", "treated"]


def measure_dominance(
    study: Study,
    scores: pd.DataFrame,
    weights: pd.DataFrame,
    score: ScoreSection,
    match: MatchSection,
) -> Dominance:
    """Measure every published mean of a magnitude: outcomes, covariates, the panel's profile."""
    models = {"unmatched": "unmatched"} | {name: d.score for name, d in match.designs.items()}
    levels = [name for name, c in score.covariates.items() if c.transform == "level"]
    return Dominance(
        _outcomes(study),
        _covariates(study.covariates, scores, weights, models, levels),
        _panel(study.panel),
    )


def largest_share(contributions: "pd.Series[float]", by: list[pd.Series]) -> "pd.Series[float]":
    """Return, in percent, the largest absolute contribution over their sum, by group."""
    groups = contributions.abs().groupby(by)
    total = groups.sum()
    return 100 * groups.max() / total.where(total > 0)


def _outcomes(study: Study) -> pd.DataFrame:
    """Measure means of levels in the estimates' samples, each design, group and event time."""
    parts = [pd.DataFrame(columns=[*_BASE, "share"])]
    for design, name, _ in asked(study):
        outcome = study.outcomes[name]
        if not outcome.observed or outcome.transform == "any":
            continue
        sample = outcome_sample(study, design, name)
        level = study.panel[outcome.column].to_numpy(float, na_value=np.nan)[sample.panel_row]
        by = [
            pd.Series(sample.treated, name="treated"),
            pd.Series(sample.event_time, name=_BASE[3]),
        ]
        firm = pd.Series(sample.stacks.firm[sample.unit], name="firm")
        by_firm = pd.Series(level * sample.weight).groupby([*by, firm]).sum().reset_index(name="x")
        share = largest_share(by_firm["x"], [by_firm["treated"], by_firm["event_time"]])
        parts.append(share.rename("share").reset_index().assign(outcome=name, design=design))
    return pd.concat(parts)[[*_BASE, "share"]]


def _covariates(
    covariates: pd.DataFrame | None,
    scores: pd.DataFrame,
    weights: pd.DataFrame,
    models: dict[str, str],
    names: list[str],
) -> pd.DataFrame:
    """Measure covariates in levels: before matching each firm counts once, after by weight."""
    parts = [pd.DataFrame(columns=[*_PLACE, "share"])]
    for design, model in models.items():
        if covariates is None or not names:
            break
        risk_set = scores[scores["model"] == model].assign(weight=1.0)
        samples = {
            "before": risk_set,
            "on support": risk_set[risk_set["on_support"]],
            "after": weights[weights["design"] == design],
        }
        for sample, rows in samples.items():
            share = _covariate_shares(rows, covariates, names)
            parts.append(share.assign(design=design, sample=sample))
    return pd.concat(parts)[[*_PLACE, "share"]]


def _covariate_shares(
    firms: pd.DataFrame, covariates: pd.DataFrame, names: list[str]
) -> pd.DataFrame:
    """Return the largest shares by stack and all together, covariate and group."""
    keys = ["stack", "firm_id"]
    rows = firms[[*keys, "treated", "weight"]].merge(covariates[[*keys, *names]], on=keys)
    long = rows.melt([*keys, "treated", "weight"], names, "covariate")
    stacked = pd.concat([long.astype({"stack": "str"}), long.assign(stack="all")])
    share = largest_share(
        stacked["value"].fillna(0.0) * stacked["weight"],
        [stacked[name] for name in ("stack", "covariate", "treated")],
    )
    return share.rename("share").reset_index()


def _panel(panel: pd.DataFrame) -> pd.DataFrame:
    treated = panel["cohort"].notna().rename("treated")
    parts = [
        largest_share(panel[name].fillna(0.0), [panel["year"], treated])
        .rename("share")
        .reset_index()
        .assign(column=name)
        for name in panel.columns
        if panel[name].dtype.kind == "f"
    ]
    return pd.concat([pd.DataFrame(columns=[*_PROFILE, "share"]), *parts])


def dominated(
    rows: pd.DataFrame, shares: pd.DataFrame, keys: list[str], percent: float
) -> np.ndarray:
    """Mark the rows of a published table whose largest firm exceeds `percent` of the total."""
    found = rows[keys].merge(shares, on=keys, how="left")["share"]
    return np.asarray(found > percent)
