"""Published counts by the firms that they count, in the order in which they are needed.

What always stays comes first: sizes of samples behind estimates. Then matched firms, balance after
and before, paths, entry years, support, score, sample flow, and what became of firms.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from pipeline.datasets.arms import ARM_FLOW, in_arm
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.exposure import EXPOSED
from pipeline.datasets.fits import DECOMPOSED_COHORTS
from pipeline.datasets.matches import LOSSES, MATCHED
from pipeline.datasets.panel import COVERAGE, ENTRY_YEAR, PROFILE
from pipeline.datasets.populations import BOTH, COMPARISON, EVERY, NOUGHTS, ONES, TREATED
from pipeline.datasets.results import ESTIMATES, OUTCOME_PATHS
from pipeline.datasets.samples import ATTRITION, ZEROS
from pipeline.datasets.selection import POOLED, SCORE_COEFFICIENTS, SCORE_LOSSES, STACKS
from pipeline.datasets.store import Dataset
from pipeline.publishing.disclosure.counted_alike import COORDINATES
from pipeline.publishing.disclosure.joined_arms import OF_ARM

# Groups that columns speak of, where no column says it.
_GROUP_OF = {"n_treated": TREATED, "n_control": COMPARISON}
# Terms of ESTIMATES whose sizes are those of one entry year in one year.
CELL = "att_gt"
_CELL_RANK = 7
# Means that may be of zeros and ones, and the numbers of firms behind them, less a second.
ONES_OF = {
    BALANCE.name: ("mean_treated", "n_treated"),
    OUTCOME_PATHS.name: ("mean", "n_firms"),
    SUPPORT.name: ("mean", "n_treated"),
    PROFILE.name: ("mean", "n_rows", "n_missing"),
}
FIGURES_OF_ONES = {
    BALANCE.name: ("mean_treated", "mean_control"),
    OUTCOME_PATHS.name: ("mean",),
    SUPPORT.name: ("mean",),
    PROFILE.name: ("mean", "std_dev"),
}
_ONES_RANK = 18


@dataclass(frozen=True)
class Counting:
    """Say of a table which columns count firms, and where its rows stand in COUNTED_SETS.

    `coordinates` gives the table's column by coordinate. `rank` is of the rows on all entry years,
    `by_stack` of those on one; with a counted column its `followers` are hidden, which tell it.
    """

    table: Dataset
    rank: int
    columns: tuple[str, ...]
    coordinates: dict[str, str]
    by_stack: int | None = None
    followers: dict[str, tuple[str, ...]] = field(default_factory=dict)


_DESIGN = {"design": "design"}
_STACK = {"stack": "stack"}
_OUTCOME = {"design": "design", "variable": "outcome"}

COUNTINGS = (
    Counting(
        MATCHED, 1,
        ("n_treated_matched", "n_treated", "n_comparison", "n_comparison_used",
          "n_comparison_distinct", "n_comparison_reused"),
        _DESIGN | _STACK, 6,
        followers={"n_comparison_used": ("ess",), "n_comparison_distinct": ("ess",)},
    ),
    Counting(
        BALANCE, 2, ("n_treated", "n_control"),
        _DESIGN | _STACK | {"part": "sample", "variable": "covariate"}, 8,
        followers={"n_control": ("ess_control",)},
    ),
    Counting(OUTCOME_PATHS, 4, ("n_firms",), _OUTCOME | {"time": "event_time"}),
    Counting(STACKS, 5, ("n_entrants", "n_entrants_not_active", "n_candidates"), _STACK, 5),
    Counting(SUPPORT, 9, ("n_treated",), _DESIGN | _STACK | {"part": "fate"}, 9),
    Counting(SCORE_COEFFICIENTS, 10, ("n_obs", "n_treated"), {"design": "model", "stack": "fit"}),
    Counting(LOSSES, 12, ("n_firms",), _DESIGN | _STACK | {"part": "reason"}, 12),
    Counting(
        SCORE_LOSSES, 12,
        ("n_without_covariates", "n_in_untreated_categories", "n_off_support"),
        {"design": "model"} | _STACK, 12,
    ),
    Counting(
        ZEROS, 13, ("n_firms", "n_above_zero_at_base", "n_never_above_zero"), _OUTCOME
    ),
    Counting(
        ATTRITION, 14, ("n_observed", "n_gap", "n_gone", "n_not_known"),
        _DESIGN | {"time": "event_time"},
        followers={name: ("share_alive",) for name in ("n_observed", "n_gone", "n_gap")},
    ),
    Counting(ARM_FLOW, 5, ("n_entrants",), {"part": "arm"}),
    Counting(ARM_FLOW, 11, ("n_listed", "n_joint", "n_after_another", "n_until"), {"part": "arm"}),
    Counting(
        EXPOSED, 11, ("n_firms", "n_entered", "n_stronger", "n_also", "n_participants"),
        {"part": "exposure", "time": "class"},
        followers={"n_firms": ("share", "mean")},
    ),
    Counting(DECOMPOSED_COHORTS, 15, ("n_firms",), _OUTCOME | {"stack": "cohort"}, 15),
    Counting(
        COVERAGE, 16, ("n_firms", "n_observed"), {"variable": "column", "time": "year"},
        followers={"n_observed": ("observed_share",), "n_firms": ("observed_share",)},
    ),
    Counting(
        PROFILE, 17, ("n_rows", "n_missing"),
        {"part": "scope", "variable": "column", "time": "first_year"},
        followers={"n_rows": ("missing_share",), "n_missing": ("missing_share",)},
    ),
)  # fmt: skip


def placed(counting: Counting, rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the coordinates of one column's counts, `rank` and `row`, a line for each row."""
    found = pd.DataFrame(EVERY, index=rows.index, columns=COORDINATES).astype(object)
    found["table"], found["column"], found["time"] = counting.table.name, column, pd.NA
    for coordinate, name in counting.coordinates.items():
        values = rows[name]
        found[coordinate] = values if coordinate == "time" else values.astype("str")
    found["treated"] = _group(counting, rows, column)
    if counting.table is BALANCE and column == "n_treated":
        found["part"] = found["part"].mask(rows["of_matched"], "after")
    if counting.table is STACKS and OF_ARM in rows:
        found["design"] = [in_arm(EVERY, folder) for folder in rows[OF_ARM]]
    if counting.table is SCORE_COEFFICIENTS:
        found["stack"] = found["stack"].replace(POOLED, EVERY)
    if counting.table is DECOMPOSED_COHORTS:
        never = rows["cohort"].isna()
        found["stack"] = found["stack"].mask(never, EVERY)
        found["treated"] = never.map({True: COMPARISON, False: TREATED})
    if counting.table is PROFILE:
        found["variable"] = found["variable"].mask(found["part"] == ENTRY_YEAR, EVERY)
    return found.assign(rank=_ranks(counting, found))


def _group(counting: Counting, rows: pd.DataFrame, column: str) -> "pd.Series[str] | str":
    if "treated" in counting.table.key:
        return rows["treated"].map({True: TREATED, False: COMPARISON})
    of_columns = counting.table in (BALANCE, SUPPORT)
    return _GROUP_OF.get(column, TREATED) if of_columns else BOTH


def _ranks(counting: Counting, found: pd.DataFrame) -> "pd.Series[int]":
    together = found["stack"].eq(EVERY)
    by_stack = counting.rank if counting.by_stack is None else counting.by_stack
    ranks = together.map({True: counting.rank, False: by_stack})
    return ranks + (together & found["part"].isin(["before", "on_support"])).astype(int)


def placed_ones(
    counting: Counting, shown: pd.DataFrame, rows: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """Yield what means of zeros and ones of the treated count: coordinates, rank and `n`.

    `rows` are those before disclosure control, whose numbers of firms may be known elsewhere.
    """
    mean, *counts = ONES_OF[counting.table.name]
    there = shown[mean].notna().reindex(rows.index, fill_value=False)
    if counting.table is BALANCE:
        there = there & rows["category"].isna()
        # what stands before matching may be of the matched: their count is that after it
        moved = shown["of_matched"]
        own_figures = {name: rows[name].mask(moved, shown[name]) for name in (mean, *counts)}
        rows = rows.assign(**own_figures, sample=rows["sample"].mask(moved, "after"))
    if counting.table is OUTCOME_PATHS:
        there = there & rows["treated"]
    own = rows[there]
    n_firms = own[counts[0]] - (own[counts[1]] if counts[1:] else 0)
    ones = (own[mean] * n_firms).astype("float64")
    # to three digits it may be no whole number
    ones = ones.round() if counting.table is PROFILE else ones.round(6)
    for column, n in ((ONES, ones), (NOUGHTS, n_firms.astype("float64") - ones)):
        found = placed(counting, own, column)
        if counting.table is SUPPORT:
            found["variable"] = own["covariate"].astype("str")
        of = TREATED if "treated" not in counting.table.key else found["treated"]
        yield found.assign(treated=of, rank=_ONES_RANK, n=n)


def placed_estimates(estimates: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the same of sizes in ESTIMATES of samples, of their groups and of single cells."""
    rows = estimates[estimates["sample"].eq(EVERY)]
    cell = rows["term"].eq(CELL)
    found = pd.DataFrame(EVERY, index=rows.index, columns=COORDINATES).astype(object)
    found["table"], found["column"] = ESTIMATES.name, column
    found["design"], found["variable"] = rows["design"], rows["outcome"]
    found["time"] = rows["event_time"].mask(cell, rows["year"] - rows["cohort"])
    found["part"] = rows["grouping"].mask(cell, CELL)
    found["stack"] = rows["subgroup"].mask(cell, rows["cohort"].astype("str"))
    found["treated"] = _GROUP_OF[column]
    return found.assign(rank=cell.map({True: _CELL_RANK, False: 0}))
