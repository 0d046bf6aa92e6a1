"""Losses of firms: why the treated of a design were lost, and what each cleaning step cost."""

from itertools import product

import numpy as np
import pandas as pd

from pipeline.datasets.small_counts import protected, small, step_runs

# Fates of SUPPORT for which treated firms are lost.
NO_COVARIATE, OFF_SUPPORT, NO_MATCH = "no_covariate", "off_support", "no_match"
REASONS = (NO_COVARIATE, OFF_SUPPORT, NO_MATCH)
_NO_REASON = {"kept", "lost"}

# What cleaning counts as lost, and what it says is left after the same step.
_LOST = {
    "firms_lost": "firms",
    "firm_years_lost": "firm_years",
    "treated_firms_lost": "treated_firms",
    "comparison_firms_lost": "comparison_firms",
    "treated_firm_years_lost": None,
    "comparison_firm_years_lost": None,
}
_SHARES = ["sales_lost_share", "employment_lost_share"]

Hidden = set[tuple[str, str, str]]


def hide_support(support: pd.DataFrame, minimum: int) -> tuple[pd.DataFrame, Hidden]:
    """Hide small counts of SUPPORT, what would tell them, and means of those concerned.

    Returns it and (design, stack, reason) of hidden reasons.
    """
    hidden: Hidden = set()
    for design, rows in support.groupby("design"):
        table = _by_reason(rows)
        flags = protected(table.to_numpy(float), minimum)
        hidden |= {
            (str(design), str(table.index[i]), str(table.columns[j]))
            for i, j in zip(*np.nonzero(flags), strict=True)
        }
    complete = _with_hidden_zeros(support, hidden)
    keys = list(zip(complete["design"], complete["stack"], complete["fate"], strict=True))
    few = small(complete["n_treated"].to_numpy(float), minimum)
    masked = few | np.array([key in hidden for key in keys], dtype=np.bool_)
    shown = complete.assign(
        n_treated=complete["n_treated"].astype("Int64").mask(masked),
        mean=complete["mean"].mask(masked),
    )
    return shown, hidden


def _by_reason(rows: pd.DataFrame) -> pd.DataFrame:
    """Return counts by stack, `all` last, and reason; what has no row is zero.

    Raises ValueError where a fate is no known reason: it would be published unprotected.
    """
    unknown = sorted(set(rows["fate"]) - {*REASONS, *_NO_REASON})
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is no fate whose counts are protected")
    counts = rows.drop_duplicates(["stack", "fate"]).pivot(
        index="stack", columns="fate", values="n_treated"
    )
    stacks = [*sorted(set(counts.index) - {"all"}), "all"]
    return counts.reindex(index=stacks, columns=list(REASONS)).fillna(0)


def _with_hidden_zeros(support: pd.DataFrame, hidden: Hidden) -> pd.DataFrame:
    """Give every hidden reason a row, so that a row's absence does not tell that it is zero."""
    covariates = sorted(support["covariate"].unique())
    known = set(zip(support["design"], support["stack"], support["fate"], strict=True))
    absent = [
        {"design": key[0], "stack": key[1], "fate": key[2], "covariate": name, "n_treated": 0}
        for key, name in product(sorted(hidden - known), covariates)
    ]
    if not absent:
        return support.reset_index(drop=True)
    return pd.concat([support, pd.DataFrame(absent)], ignore_index=True)


def hide_steps(flow: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Hide steps of SAMPLE_FLOW that lost few firms, together with those that would tell them.

    Steps in a row are hidden until their joint loss is no small count; the first and the last
    count of firms stay.
    """
    ordered = flow.sort_values("step", kind="stable").reset_index(drop=True)
    losses = ordered.loc[1:, list(_LOST)].to_numpy(float)
    left = [name for name in _LOST.values() if name is not None]
    counts = [*_LOST, *left]
    shown = ordered.astype(dict.fromkeys(counts, "Int64"))
    for run in step_runs(losses, minimum):
        if len(run) == 1 and not small(losses[run.start], minimum).any():
            continue
        steps = [position + 1 for position in run]
        shown.loc[steps, [*_LOST]] = pd.NA
        shown.loc[steps, _SHARES] = np.nan
        shown.loc[steps[:-1], left] = pd.NA
    return shown
