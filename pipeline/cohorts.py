"""Risk sets: for each entry year, who entered and who could have been compared with them.

A stack is the risk set of one entry year g: the firms that enter in g, and candidates that
stay untreated through the last outcome year used plus anticipation. All are active in the
base year (g - 1 - anticipation) and in g. A cluster counts as treated once any firm seen in it
has entered, also one that the sample leaves out. No filter looks at later years: that would select
on survival.
"""

from dataclasses import dataclass

import pandas as pd

from pipeline.errors import SupportError
from pipeline.params.score import ControlsFrom, ScoreSection
from pipeline.params.treatment import TreatmentSection

RISK_SET_COLUMNS = [
    "stack",
    "firm_id",
    "treated",
    "base_year",
    "cluster",
    "in_treated_cluster",
]


@dataclass(frozen=True)
class RiskSets:
    """Hold the firms of every stack, and facts on entrants that no stack can use."""

    firms: pd.DataFrame
    facts: pd.DataFrame


def risk_sets(panel: pd.DataFrame, treatment: TreatmentSection) -> RiskSets:
    """Build the risk set of every entry year from PANEL.

    Returns one row per stack and firm with RISK_SET_COLUMNS. Raises SupportError where no
    entry year has both a treated firm and a candidate.
    """
    cohorts = sorted(panel["cohort"].dropna().unique())
    if not cohorts:
        raise SupportError(
            "no firm of the panel enters the programme; check treatment.entry and the identifiers"
        )
    status = panel[["firm_id", "year", "cohort", "cluster", "cluster_entry"]]
    parts = [_stack(status, int(g), treatment) for g in cohorts]
    firms = pd.concat(parts, ignore_index=True)
    _require_candidates(firms, treatment, _years_lacking(panel, cohorts, treatment))
    return RiskSets(firms, _entrant_facts(panel, firms))


def last_outcome_year(panel: pd.DataFrame, stack: int, treatment: TreatmentSection) -> int:
    """Return the last year whose outcomes the stack compares."""
    return min(stack + treatment.window.last_event_time, int(panel["year"].max()))


def _stack(panel: pd.DataFrame, stack: int, treatment: TreatmentSection) -> pd.DataFrame:
    base_year = stack - 1 - treatment.anticipation_years
    horizon = last_outcome_year(panel, stack, treatment) + treatment.anticipation_years
    in_entry_year = panel.loc[panel["year"] == stack, "firm_id"]
    active = panel[(panel["year"] == base_year) & panel["firm_id"].isin(in_entry_year)]
    treated = (active["cohort"] == stack).fillna(False).astype(bool)
    candidate = _untreated_through(active["cohort"], horizon, treatment)
    firms = active[treated | candidate]
    return pd.DataFrame(
        {
            "stack": stack,
            "firm_id": firms["firm_id"],
            "treated": treated[firms.index],
            "base_year": base_year,
            "cluster": firms["cluster"],
            "in_treated_cluster": (firms["cluster_entry"] <= horizon).fillna(False).astype(bool),
        }
    )


def _untreated_through(cohort: pd.Series, horizon: int, treatment: TreatmentSection) -> pd.Series:
    if treatment.comparison == "never_treated":
        return cohort.isna()
    return cohort.isna() | (cohort > horizon).fillna(False).astype(bool)


def pooled_risk_sets(firms: pd.DataFrame, score: ScoreSection) -> pd.DataFrame:
    """Repeat the risk sets for every score model, each with its own comparison pool.

    The model `unmatched` is the risk set of the design without a score.
    """
    pools = {"unmatched": score.unmatched.controls_from} | {
        name: model.controls_from for name, model in score.models.items()
    }
    parts = [_pool(firms, source).assign(model=name) for name, source in pools.items()]
    return pd.concat(parts, ignore_index=True)[["model", *RISK_SET_COLUMNS]]


def _pool(firms: pd.DataFrame, controls_from: ControlsFrom) -> pd.DataFrame:
    if controls_from == "all":
        return firms
    return firms[firms["treated"] | ~firms["in_treated_cluster"]]


def _years_lacking(panel: pd.DataFrame, cohorts: list[int], treatment: TreatmentSection) -> str:
    """Say which base and entry years the panel has no row of; empty where it has all."""
    base = {int(g) - 1 - treatment.anticipation_years for g in cohorts}
    lacking = sorted((base | {int(g) for g in cohorts}) - set(panel["year"].unique()))
    return f"; the panel has no rows of {', '.join(map(str, lacking))}" if lacking else ""


def _require_candidates(firms: pd.DataFrame, treatment: TreatmentSection, lacking: str) -> None:
    counts = firms.groupby("stack")["treated"].agg(treated="sum", firms="size")
    usable = (counts["treated"] > 0) & (counts["firms"] > counts["treated"])
    if not usable.any():
        raise SupportError(
            "no entry year has both treated and comparison firms that are active in the base year "
            f"and at entry (comparison: {treatment.comparison}, anticipation_years: "
            f"{treatment.anticipation_years}){lacking}; check treatment.entry and "
            "treatment.comparison"
        )


def _entrant_facts(panel: pd.DataFrame, firms: pd.DataFrame) -> pd.DataFrame:
    """Count entrants by year, and those that are not active in base and entry year."""
    entrants = panel.drop_duplicates("firm_id").groupby("cohort").size()
    used = firms[firms["treated"]].groupby("stack").size().reindex(entrants.index, fill_value=0)
    candidates = firms[~firms["treated"]].groupby("stack").size()
    counts = {
        "n_entrants": entrants,
        "n_entrants_not_active": entrants - used,
        "n_candidates": candidates,
    }
    values = {f"{name}[{g}]": n for name, by_year in counts.items() for g, n in by_year.items()}
    return pd.DataFrame(
        {
            "design": "all",
            "outcome": "all",
            "name": list(values),
            "value": [float(n) for n in values.values()],
            "unit": "firms",
        }
    )
