"""The ledger of cleaning: what each rule found, and what it cost.

A rule is a function from a panel to a panel and its entries. `apply_rules` runs rules in order
and writes SAMPLE_FLOW and ISSUES, so that no rule counts its own losses.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from pipeline.datasets.arms import ARM_ENTRIES
from pipeline.datasets.exposure import CENTROIDS, EXPOSURE_FRAME, LINKS
from pipeline.datasets.panel import (
    CORRECTIONS,
    COVERAGE_BY_SOURCE,
    FIRM_FLOWS,
    ISSUES,
    NOT_FOUND,
    PANEL,
    SAMPLE_FLOW,
)
from pipeline.datasets.reasons import packed_fields
from pipeline.datasets.store import Dataset, conform, empty
from pipeline.errors import Reason

# Standard names of the columns whose lost share SAMPLE_FLOW states.
_SIZES = ("sales", "employment")


@dataclass(frozen=True)
class Issue:
    """Say what a rule found in one column, and what was done: one row of ISSUES.

    Firms are counted and years given where the rows concerned have them.
    """

    rule: Reason
    column: str
    action: Reason
    count: int
    firms: int | None = None
    first_year: int | None = None
    last_year: int | None = None


@dataclass(frozen=True)
class Ruled:
    """Hold what a rule did: values of `every` row, its issues, and which rows are `kept`.

    `step` says by code and fields what a rule that may remove rows requires. `kept` None keeps all:
    rows are removed by `apply_rules`, column by column, so that no panel is in memory twice.
    `frame` is EXPOSURE_FRAME, of the rule that keeps it.
    """

    every: pd.DataFrame
    issues: tuple[Issue, ...] = ()
    step: Reason | None = None
    kept: pd.Series | None = None
    frame: pd.DataFrame | None = None

    @property
    def panel(self) -> pd.DataFrame:
        """Return the rows that are left."""
        return self.every if self.kept is None else self.every[self.kept]


Rule = Callable[[pd.DataFrame], Ruled]


@dataclass(frozen=True)
class Ledger:
    """Hold a panel after all rules, with SAMPLE_FLOW and ISSUES.

    `not_found` are the beneficiaries not in it, `corrections` the values that the evaluation
    corrected; `by_source` is COVERAGE_BY_SOURCE, `flows` FIRM_FLOWS, `arm_entries`
    ARM_ENTRIES, `frame` EXPOSURE_FRAME, `links` LINKS, `centroids` CENTROIDS.
    """

    panel: pd.DataFrame
    sample_flow: pd.DataFrame
    issues: pd.DataFrame
    not_found: pd.DataFrame | None = None
    corrections: pd.DataFrame | None = None
    by_source: pd.DataFrame | None = None
    flows: pd.DataFrame | None = None
    arm_entries: pd.DataFrame | None = None
    frame: pd.DataFrame | None = None
    links: pd.DataFrame | None = None
    centroids: pd.DataFrame | None = None

    def tables(self) -> Iterator[tuple[Dataset, pd.DataFrame]]:
        """Yield each table that there is, by its declaration."""
        found = {
            PANEL: self.panel,
            SAMPLE_FLOW: self.sample_flow,
            ISSUES: self.issues,
            COVERAGE_BY_SOURCE: self.by_source,
            FIRM_FLOWS: self.flows,
            CORRECTIONS: self.corrections,
            NOT_FOUND: self.not_found,
            ARM_ENTRIES: self.arm_entries,
            EXPOSURE_FRAME: self.frame,
            LINKS: self.links,
            CENTROIDS: self.centroids,
        }
        yield from ((table, rows) for table, rows in found.items() if rows is not None)

    def with_issues(self, issues: Sequence[Issue]) -> "Ledger":
        """Return the ledger with further findings after those that it has."""
        if not issues:
            return self
        later = rows_of_issues(issues, after=len(self.issues))
        return replace(self, issues=pd.concat([self.issues, later], ignore_index=True))


def apply_rules(
    handed_over: list[pd.DataFrame], rules: Iterable[Rule], earlier: Iterable[Issue] = ()
) -> Ledger:
    """Run rules in order on a panel with firm_id, year and cohort, after `earlier` findings.

    The panel is taken out of a list of one, so that no caller keeps it in memory.
    """
    panel = handed_over.pop()
    before = _group_counts(panel)
    flow = [_flow_row(Reason("delivered"), before, before)]
    issues = [*earlier]
    frame = None
    for rule in rules:
        ruled = rule(panel)
        frame = ruled.frame if frame is None else frame
        issues += ruled.issues
        step, kept, panel = ruled.step, ruled.kept, ruled.every
        del ruled
        if kept is not None and not kept.all():
            # Prices and units may have changed totals since the last step that lost rows.
            before = _group_counts(panel)
            handed_over.append(panel)
            del panel
            panel = _kept_rows(handed_over, kept)
        if step is not None:
            after = before if kept is None or kept.all() else _group_counts(panel)
            flow.append(_flow_row(step, before, after))
            before = after
    steps = pd.DataFrame(flow)
    steps.insert(0, "step", range(1, len(flow) + 1))
    return Ledger(panel, steps, rows_of_issues(issues), frame=frame)


def _kept_rows(handed_over: list[pd.DataFrame], kept: pd.Series) -> pd.DataFrame:
    """Return the kept rows of a panel, freeing each column of it once it is copied."""
    panel = handed_over.pop().copy(deep=False)
    left, index = kept.to_numpy(bool), panel.index[kept.to_numpy(bool)]
    columns = {}
    for name in list(panel.columns):
        columns[name] = panel.pop(name).array[left]
    return pd.DataFrame(columns, index=index, copy=False)


def rows_of_issues(issues: Sequence[Issue], after: int = 0) -> pd.DataFrame:
    """Return issues as rows of ISSUES, numbered after those that there are."""
    rows = [
        {
            "issue": place,
            **vars(issue),
            "rule": issue.rule.code,
            "rule_fields": packed_fields(issue.rule),
            "action": issue.action.code,
            "action_fields": packed_fields(issue.action),
        }
        for place, issue in enumerate(issues, after + 1)
    ]
    return conform(ISSUES, pd.DataFrame(rows)) if rows else empty(ISSUES)


def issue(
    rule: Reason, column: str, rows: pd.Series, table: pd.DataFrame, action: Reason
) -> list[Issue]:
    """Return an issue that counts the flagged rows of a table, or nothing where none is flagged.

    Firms and years are taken from the columns `firm_id` and `year`, where the table has them.
    """
    if not rows.any():
        return []
    firms = int(table.loc[rows, "firm_id"].nunique()) if "firm_id" in table else None
    first, last = _span(table.loc[rows, "year"]) if "year" in table else (None, None)
    return [Issue(rule, column, action, int(rows.sum()), firms, first, last)]


def _span(years: pd.Series) -> tuple[int, int]:
    return int(years.min()), int(years.max())


@dataclass(frozen=True)
class _Counts:
    firms: int
    firm_years: int
    treated_firms: int
    treated_firm_years: int
    totals: dict[str, float]


def _group_counts(panel: pd.DataFrame) -> _Counts:
    treated = panel["cohort"].notna()
    return _Counts(
        firms=panel["firm_id"].nunique(),
        firm_years=len(panel),
        treated_firms=panel.loc[treated, "firm_id"].nunique(),
        treated_firm_years=int(treated.sum()),
        totals={name: float(panel[name].sum()) for name in _SIZES if _is_number(panel, name)},
    )


def _is_number(panel: pd.DataFrame, name: str) -> bool:
    """Say whether a column can be summed: sizes may be delivered as classes, which are text."""
    return name in panel.columns and pd.api.types.is_numeric_dtype(panel[name].dtype)


def _flow_row(rule: Reason, before: _Counts, after: _Counts) -> dict[str, object]:
    """Return one row of SAMPLE_FLOW, without its step number."""
    firms_lost = before.firms - after.firms
    rows_lost = before.firm_years - after.firm_years
    treated_lost = before.treated_firms - after.treated_firms
    treated_rows_lost = before.treated_firm_years - after.treated_firm_years
    return {
        "rule": rule.code,
        "rule_fields": packed_fields(rule),
        "firms_lost": firms_lost,
        "firm_years_lost": rows_lost,
        "treated_firms_lost": treated_lost,
        "comparison_firms_lost": firms_lost - treated_lost,
        "treated_firm_years_lost": treated_rows_lost,
        "comparison_firm_years_lost": rows_lost - treated_rows_lost,
        **{f"{name}_lost_share": _share_lost(before, after, name) for name in _SIZES},
        "firms": after.firms,
        "firm_years": after.firm_years,
        "treated_firms": after.treated_firms,
        "comparison_firms": after.firms - after.treated_firms,
    }


def _share_lost(before: _Counts, after: _Counts, name: str) -> float:
    """Return the share of a column's sum that a step removed; missing where there is no sum."""
    total = before.totals.get(name, 0.0)
    return 1 - after.totals[name] / total if total > 0 else float("nan")
