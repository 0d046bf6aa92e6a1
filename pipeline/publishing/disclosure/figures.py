"""Where published means stand: the place of each row's figures, and what is hidden of them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.panel import PROFILE, YEAR
from pipeline.datasets.results import OUTCOME_PATHS
from pipeline.datasets.samples import BASELINES
from pipeline.exhibits.inputs import StudyResults
from pipeline.publishing.disclosure.blocks import Place, place
from pipeline.publishing.disclosure.details import without

MEAN, DIFFERENCE = "mean", "difference"

# What is shown of a place.
Figure = tuple[Place, str]

SAMPLES = ("before", "on_support", "after")
MEANS = ["mean_treated", "mean_control"]
DIFFERENCES = ["std_diff", "percent_bias"]
OF_PROFILE = ["mean", "std_dev"]


def path_places(rows: pd.DataFrame) -> list[Place]:
    """Return the place of each row of OUTCOME_PATHS."""
    of = zip(rows["design"], rows["outcome"], rows["event_time"], strict=True)
    return [place(OUTCOME_PATHS.name, d, o, event_time=int(time)) for d, o, time in of]


def baseline_places(rows: pd.DataFrame) -> list[Place]:
    """Return the place of each row of BASELINES."""
    of = zip(rows["design"], rows["outcome"], strict=True)
    return [place(BASELINES.name, design, outcome) for design, outcome in of]


def balance_places(rows: pd.DataFrame) -> list[Place]:
    """Return the place of each row of BALANCE; categories of a covariate share it."""
    of = zip(rows["design"], rows["covariate"], rows["stack"], rows["sample"], strict=True)
    return [place(BALANCE.name, d, c, stack=stack, sample=sample) for d, c, stack, sample in of]


def support_places(rows: pd.DataFrame) -> list[Place]:
    """Return the place of each row of SUPPORT."""
    of = zip(rows["design"], rows["covariate"], rows["stack"], rows["fate"], strict=True)
    return [place(SUPPORT.name, d, c, stack=stack, sample=fate) for d, c, stack, fate in of]


def profile_places(rows: pd.DataFrame) -> list[Place]:
    """Return the place of each row of PROFILE; one of several years has the scope for its year."""
    year = rows["first_year"].astype("str").where(rows["scope"] == YEAR, rows["scope"])
    of = zip(rows["column"], year, strict=True)
    return [place(PROFILE.name, "all", column, stack=when) for column, when in of]


def shown_figures(results: StudyResults) -> Iterator[Figure]:
    """Yield what results show of each place."""
    baselines, balance = results.details.of(BASELINES), results.balance
    shown = [
        (path_places(results.paths), results.paths["mean"].notna(), MEAN),
        (baseline_places(baselines), baselines["mean"].notna(), MEAN),
        (balance_places(balance), balance[MEANS].notna().any(axis=1), MEAN),
        (balance_places(balance), balance[DIFFERENCES].notna().any(axis=1), DIFFERENCE),
    ]
    if results.support is not None:
        support = results.support
        shown.append((support_places(support), support["mean"].notna(), MEAN))
    if results.profile is not None:
        profile = results.profile
        shown.append((profile_places(profile), profile["mean"].notna(), MEAN))
    for places, known, what in shown:
        yield from (
            (found, what) for found, is_known in zip(places, known, strict=True) if is_known
        )


def hide_figures(results: StudyResults, hidden: set[Figure]) -> StudyResults:
    """Return results without the hidden figures."""

    def gone(places: list[Place], what: str = MEAN) -> Flags:
        return np.array([(found, what) in hidden for found in places], dtype=np.bool_)

    balance, paths = results.balance, results.paths
    support, profile = results.support, results.profile
    of_balance = balance_places(balance)
    masks = [(MEANS, gone(of_balance)), (DIFFERENCES, gone(of_balance, DIFFERENCE))]
    baselines = results.details.of(BASELINES)
    return replace(
        results,
        paths=paths.assign(mean=paths["mean"].mask(gone(path_places(paths)))),
        balance=balance.assign(
            **{name: balance[name].mask(marks) for names, marks in masks for name in names}
        ),
        support=None
        if support is None
        else support.assign(mean=support["mean"].mask(gone(support_places(support)))),
        profile=None
        if profile is None
        else profile.assign(
            **{name: profile[name].mask(gone(profile_places(profile))) for name in OF_PROFILE}
        ),
        details=without(results.details, BASELINES, ["mean"], gone(baseline_places(baselines))),
    )


def with_matched(balance: pd.DataFrame, of_matched: set[Place]) -> pd.DataFrame:
    """Return BALANCE with means and differences before matching of the treated that are matched.

    Of the places given; the comparison firms stay, and so does what differences are divided by.
    """
    own = np.array([found in of_matched for found in balance_places(balance)], dtype=np.bool_)
    before = balance.loc[own]
    mean = _after(balance, own, "mean_treated")
    gap = before["mean_treated"] - before["mean_control"]
    ratio = (mean - before["mean_control"]) / gap.where(gap != 0)
    shown = balance.copy()
    shown.loc[own, DIFFERENCES] = before[DIFFERENCES].mul(ratio, axis=0)
    shown.loc[own, "mean_treated"], shown.loc[own, "of_matched"] = mean, True
    return with_matched_counts(shown)


def with_matched_counts(balance: pd.DataFrame) -> pd.DataFrame:
    """Return BALANCE whose numbers of matched treated before matching are those after it."""
    own = balance["of_matched"].to_numpy(np.bool_)
    shown = balance.astype({"n_treated": "Int64"})
    shown.loc[own, "n_treated"] = _after(shown, own, "n_treated")
    return shown


def _after(balance: pd.DataFrame, own: Flags, name: str) -> pd.Series:
    """Return a column of the sample after matching for the marked rows."""
    key = ["design", "stack", "covariate", "category"]
    after = balance[balance["sample"] == "after"].set_index(key)[name]
    before = balance.loc[own]
    return after.reindex(pd.MultiIndex.from_frame(before[key])).set_axis(before.index)
