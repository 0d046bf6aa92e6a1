"""The page of the simulation study: one table per scenario, every cell with its error."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.simulation_scenarios import Scenario

LABELS = {
    ("stacked", "analytic"): "Stacked, matched",
    ("stacked", "bias_reduced"): "— CR2 errors, Satterthwaite df",
    ("stacked", "wild_bootstrap"): "— restricted wild cluster bootstrap",
    ("firm_clusters", "analytic"): "— errors clustered by firm",
    ("stacked_all_firms", "analytic"): "Stacked, matched to all firms",
    ("stacked_unmatched", "analytic"): "Stacked, unmatched",
    ("stacked_unmatched", "bias_reduced"): "— CR2 errors, Satterthwaite df",
    ("stacked_unmatched", "wild_bootstrap"): "— restricted wild cluster bootstrap",
    ("stacked_unmatched", "randomisation"): "— randomisation of clusters, 99 draws",
    ("group_time", "analytic"): "Group-time, doubly robust",
    ("sun_abraham", "analytic"): "Sun & Abraham",
    ("imputation", "analytic"): "Imputation",
    ("twoway", "analytic"): "Flat two-way",
}
HEADER = (
    "| estimator | seeds | truth | bias | RMSE | mean SE / SD | coverage, % "
    "| rejects no effect, % |\n"
    "| :-- | --: | --: | --: | --: | --: | --: | --: |\n"
)
INTRODUCTION = """# Simulation study

What each estimator does on firms whose true effects are known, scenario by scenario. Written by
`python -m benchmarks.simulation_study`; nothing is tuned, and where an estimator fails the table
shows it.

Panels are small: up to 1,500 firms and eight years, 100 clusters (municipality x sector), event
times −3 to 2. Outcome: log sales, unless the scenario says otherwise. *Bias* and *RMSE* are of the
average effect against the truth of the same estimator, the average true effect of the treated
firm-years that it uses. *Coverage* is that of 95 percent intervals. *Rejects no effect* is the
share of 5 percent tests that reject when the same firms, matches and shocks have no effect on
participants (nominal: 5). In parentheses Monte-Carlo standard errors. Errors are clustered by
municipality x sector unless the row says otherwise. Seeds that cannot be estimated (a covariate
separates entrants from others, say) are left out of a cell, so that seeds differ between cells.
"""


def document(store: Path, scenarios: Mapping[str, Scenario]) -> str:
    """Return the page in Markdown from what the store holds."""
    parts = [INTRODUCTION]
    for name, scenario in scenarios.items():
        if not (store / f"{name}.csv").exists():
            continue
        draws = pd.read_csv(store / f"{name}.csv")
        n_seeds, failed = draws["seed"].nunique(), draws[draws["estimator"] == "failed"]
        parts.append(f"\n## {scenario.title}\n\n{n_seeds} seeds")
        parts.append(f", {len(failed)} of which have no match at all.\n" if len(failed) else ".\n")
        for outcome in scenario.outcomes:
            title = f"\nOutcome `{outcome}`:\n" if len(scenario.outcomes) > 1 else ""
            parts.append(f"{title}\n{HEADER}{_rows(draws, outcome)}")
    return "".join(parts)


def _rows(draws: pd.DataFrame, outcome: str) -> str:
    lines = []
    for (estimator, inference), label in LABELS.items():
        own = draws[(draws["estimator"] == estimator) & (draws["inference"] == inference)]
        with_effect = own[own["outcome"] == outcome].dropna(subset=["estimate"])
        without = own[own["outcome"] == f"{outcome}_none"].dropna(subset=["p_value"])
        if len(with_effect):
            lines.append(_row(label, with_effect, without))
    return "".join(lines)


def _row(label: str, draws: pd.DataFrame, without: pd.DataFrame) -> str:
    error = (draws["estimate"] - draws["truth"]).to_numpy()
    n, spread = len(error), error.std(ddof=1)
    rmse = np.sqrt(np.mean(error**2))
    rmse_error = np.std(error**2, ddof=1) / (2 * rmse * np.sqrt(n))
    ratio = draws["std_error"].mean() / draws["estimate"].std(ddof=1)
    cells = [
        label,
        f"{n}",
        f"{draws['truth'].mean():.3f}",
        f"{error.mean():.4f} ({spread / np.sqrt(n):.4f})",
        f"{rmse:.4f} ({rmse_error:.4f})",
        "" if np.isnan(ratio) else f"{ratio:.2f}",
        _share(_covered(draws)),
        _share(without["p_value"] <= 0.05),
    ]
    return f"| {' | '.join(cells)} |\n"


def _covered(draws: pd.DataFrame) -> pd.Series:
    known = draws.dropna(subset=["conf_low", "conf_high"])
    return (known["conf_low"] <= known["truth"]) & (known["truth"] <= known["conf_high"])


def _share(flags: pd.Series) -> str:
    """Return a percentage with its Monte-Carlo error; nothing without draws."""
    if flags.empty:
        return ""
    share = float(flags.mean())
    return f"{100 * share:.1f} ({100 * np.sqrt(share * (1 - share) / len(flags)):.1f})"
