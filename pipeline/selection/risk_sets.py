"""Risk sets: for each entry year, who entered and who could have been compared with them.

A stack is the risk set of one entry year g: the firms that enter in g, and candidates that
stay untreated through the last outcome year used plus anticipation. All are active in the
base year (g - 1 - anticipation) and in g. Of a study with arms candidates are also untouched by all
other arms through that year. A cluster counts as treated once any firm seen in it
has entered, also one that the sample leaves out. No filter looks at later years: that would select
on survival.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Flags, Floats
from pipeline.datasets.panel import SAMPLING_WEIGHT
from pipeline.datasets.selection import STACKS
from pipeline.datasets.store import conform
from pipeline.errors import Reason, SupportError
from pipeline.panel.panel_index import NO_ROW, PanelIndex, index_panel
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

# The columns of PANEL that tell who is at risk; a study with sampling weights reads them, too.
RISK_SETS_READ = ["firm_id", "year", "cohort", "cluster", "cluster_entry"]


@dataclass(frozen=True)
class RiskSets:
    """Hold the firms of every stack, and the table STACKS, with entrants that no stack can use."""

    firms: pd.DataFrame
    stacks: pd.DataFrame


@dataclass(frozen=True)
class ActiveFirms:
    """Hold the firms active in a stack's base and entry year, whether or not they ever enter.

    `firms` has stack, firm_id, base_year, cluster and, if any, sampling weight; `row` (n,) the
    PANEL positions of the base year. A comparison firm must be untreated through the year
    `horizon`.
    """

    firms: pd.DataFrame
    row: NDArray[np.intp]
    stack: int
    horizon: int


def risk_sets(
    panel: pd.DataFrame, treatment: TreatmentSection, index: PanelIndex | None = None
) -> RiskSets:
    """Build the risk set of every entry year from PANEL, and its index where there is one.

    Returns one row per stack and firm with RISK_SET_COLUMNS and sampling weights, if any. Raises
    SupportError where no entry year has both a treated firm and a candidate, or everybody enters up
    to the last year.
    """
    index = index_panel(panel) if index is None else index
    entry_years = sorted(int(year) for year in panel["cohort"].dropna().unique())
    if not entry_years:
        raise SupportError(
            "no firm of the panel enters the programme; check treatment.entry and the identifiers",
            reason=Reason("arm_of_nobody"),
        )
    cohort, cluster_entry = _years(panel["cohort"]), _years(panel["cluster_entry"])
    contact = _years(panel["contact"]) if "contact" in panel.columns else cohort
    stacks = [active_firms(panel, year, treatment, index) for year in entry_years]
    parts = [
        risk_set(s, cohort[s.row], contact[s.row], cluster_entry[s.row], treatment) for s in stacks
    ]
    firms = pd.concat(parts, ignore_index=True)
    if treatment.comparison == "not_yet_treated" and not np.isnan(contact).any():
        _require_somebody_left(parts[-1], entry_years[-1], treatment)
    if not np.isnan(contact).any():
        _require_clean_pool(panel, contact, treatment)
    _require_candidates(firms, treatment, _years_lacking(panel, entry_years, treatment))
    # every firm's entry year stands in each of its rows
    return RiskSets(firms, _count_stacks(panel["cohort"].iloc[index.row.max(axis=1)], firms))


def _years(column: pd.Series) -> Floats:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def last_outcome_year(panel: pd.DataFrame, stack: int, treatment: TreatmentSection) -> int:
    """Return the last year whose outcomes the stack compares."""
    return min(stack + treatment.window.last_event_time, int(panel["year"].max()))


def last_treatment_year(panel: pd.DataFrame, stack: int, treatment: TreatmentSection) -> int:
    """Return the last year in which no comparison firm of the stack may have entered."""
    return last_outcome_year(panel, stack, treatment) + treatment.anticipation_years


def active_firms(
    panel: pd.DataFrame, stack: int, treatment: TreatmentSection, index: PanelIndex | None = None
) -> ActiveFirms:
    """Return the firms of PANEL that are active in a stack's base and entry year."""
    index = index_panel(panel) if index is None else index
    base_year = stack - 1 - treatment.anticipation_years
    base = index.in_year(base_year)
    row = np.sort(base[(base != NO_ROW) & (index.in_year(stack) != NO_ROW)])
    firms = panel[with_weight(["firm_id", "cluster"], panel)].iloc[row].reset_index(drop=True)
    return ActiveFirms(
        firms=firms.assign(stack=stack, base_year=base_year),
        row=row,
        stack=stack,
        horizon=last_treatment_year(panel, stack, treatment),
    )


def may_compare(
    cohort: Floats, horizon: int | NDArray[np.int64], treatment: TreatmentSection
) -> Flags:
    """Say which firms are untreated through the year `horizon`; `cohort` is missing for never."""
    never = np.isnan(cohort)
    return never if treatment.comparison == "never_treated" else never | (cohort > horizon)


def risk_set(
    active: ActiveFirms,
    cohort: Floats,
    contact: Floats,
    cluster_entry: Floats,
    treatment: TreatmentSection,
) -> pd.DataFrame:
    """Return the rows of one stack, given who entered when, with the columns of a risk set.

    `cohort`, `contact` and `cluster_entry` (n,) are the years in which each active firm entered,
    entered any arm, and the first participant of its cluster entered, missing where none did.
    """
    treated = cohort == active.stack
    candidate = may_compare(contact, active.horizon, treatment)
    in_treated_cluster = cluster_entry <= active.horizon
    firms = active.firms.assign(treated=treated, in_treated_cluster=in_treated_cluster)
    rows: pd.DataFrame = firms.loc[treated | candidate, with_weight(RISK_SET_COLUMNS, firms)]
    return rows


def with_weight(columns: Iterable[str], firms: pd.DataFrame) -> list[str]:
    """Return names of columns and, where firms have sampling weights, that of these."""
    return [*columns, *([SAMPLING_WEIGHT] if SAMPLING_WEIGHT in firms else [])]


def sampling_weights(firms: pd.DataFrame) -> Floats | None:
    """Return the sampling weights (n,) of rows of risk sets; None where the study has none."""
    return firms[SAMPLING_WEIGHT].to_numpy(np.float64) if SAMPLING_WEIGHT in firms else None


def pooled_risk_sets(firms: pd.DataFrame, score: ScoreSection) -> pd.DataFrame:
    """Repeat the risk sets for every score model, each with its own comparison pool.

    The model `unmatched` is the risk set of the design without a score.
    """
    pools = {"unmatched": score.unmatched.controls_from} | {
        name: model.controls_from for name, model in score.models.items()
    }
    parts = [score_pool(firms, name, source) for name, source in pools.items()]
    return pd.concat(parts, ignore_index=True)


def score_pool(firms: pd.DataFrame, model: str, controls_from: ControlsFrom) -> pd.DataFrame:
    """Return the risk sets of one score model, with the comparison pool that it asks for."""
    if controls_from != "all":
        firms = firms[firms["treated"] | ~firms["in_treated_cluster"]]
    return firms.assign(model=model)[with_weight(["model", *RISK_SET_COLUMNS], firms)]


def _years_lacking(panel: pd.DataFrame, entry_years: list[int], treatment: TreatmentSection) -> str:
    """Say which base and entry years the panel has no row of; empty where it has all."""
    base = {year - 1 - treatment.anticipation_years for year in entry_years}
    lacking = sorted((base | set(entry_years)) - set(panel["year"].unique()))
    return f"; the panel has no rows of {', '.join(map(str, lacking))}" if lacking else ""


def _require_candidates(firms: pd.DataFrame, treatment: TreatmentSection, lacking: str) -> None:
    counts = firms.groupby("stack")["treated"].agg(treated="sum", firms="size")
    usable = (counts["treated"] > 0) & (counts["firms"] > counts["treated"])
    if not usable.any():
        raise SupportError(
            "no entry year has both treated and comparison firms that are active in the base year "
            f"and at entry (comparison: {treatment.comparison}, anticipation_years: "
            f"{treatment.anticipation_years}){lacking}; check treatment.entry and "
            "treatment.comparison",
            reason=Reason("no_entry_year_with_both_groups"),
        )


def _require_clean_pool(panel: pd.DataFrame, contact: Floats, treatment: TreatmentSection) -> None:
    """Raise SupportError where everybody never treated is exposed, and only those can be compared.

    `contact` (rows of PANEL,) has nothing missing: no firm stays out of reach.
    """
    exposed = panel["cohort"].isna().to_numpy() & (contact > 0)
    if treatment.comparison == "not_yet_treated" or treatment.arms is None or not exposed.any():
        return
    n = panel.loc[exposed, "firm_id"].nunique()
    raise SupportError(
        f"no clean pool is left: each of {n} firms outside the arm takes part in another, or is "
        "exposed in some way of treatment.exposure; narrow what exposes (edges_km, columns, "
        "links), deliver firms out of reach, or compare with firms reached later (not_yet_treated)",
        reason=Reason("no_clean_pool", {"n": n}),
    )


def _require_somebody_left(
    last: pd.DataFrame, entry_year: int, treatment: TreatmentSection
) -> None:
    """Raise SupportError where everybody enters, and the last entry year has nobody to wait for."""
    if len(last) and last["treated"].all():
        earlier = entry_year - 1 - treatment.anticipation_years
        raise SupportError(
            f"every firm enters the programme, and none is left untreated beside the entrants of "
            f"{entry_year}: with clean.window.last_year: {earlier} these are comparison firms of "
            "earlier entrants",
            reason=Reason("nobody_left_untreated"),
        )


def _count_stacks(cohort: pd.Series, firms: pd.DataFrame) -> pd.DataFrame:
    """Count entrants by year, those not active in base and entry year, and candidates.

    `cohort` has one entry for each firm.
    """
    entrants = cohort.groupby(cohort).size()
    active, candidates = (
        firms[firms["treated"] == group].groupby("stack").size().reindex(entrants.index).fillna(0)
        for group in (True, False)
    )
    counts = pd.DataFrame(
        {
            "n_entrants": entrants,
            "n_entrants_not_active": entrants - active,
            "n_candidates": candidates,
        }
    )
    return conform(STACKS, counts.rename_axis("stack").reset_index())
