"""Which firm-years stay: filters, the window, and minimum years."""

import pandas as pd

from pipeline.datasets.panel import SURVIVAL_RULE, YEARS_NOT_OBSERVED
from pipeline.errors import DataError, Reason
from pipeline.panel.ledger import Issue, Ruled, issue
from pipeline.params.clean import Filter, PanelWindow


def filter_rows(panel: pd.DataFrame, rule: Filter, called: str = "") -> Ruled:
    """Keep the firm-years whose text column is, or is not, among the listed values.

    `called` is the label of the column, for a step without one of its own. Raises DataError where
    a listed value never occurs: it may be misspelt.
    """
    values = panel[rule.column]
    listed = rule.keep if rule.keep is not None else rule.drop or []
    absent = sorted(set(listed) - set(values.dropna().unique()))
    if absent:
        raise DataError(
            f"clean.filters: {rule.column} never is {', '.join(absent)}; check the spelling"
        )
    kept = values.isin(listed) == (rule.keep is not None)
    return Ruled(panel, step=_filtered(rule, called or rule.column, listed), kept=kept)


def _filtered(rule: Filter, column: str, values: list[str]) -> Reason:
    """Return the step in the user's words, or as the rule has it."""
    if rule.label is not None:
        return Reason("filtered", {"label": rule.label})
    listed = {"column": column, "values": values}
    return Reason("only_values" if rule.keep is not None else "without_values", listed)


def bound_years(panel: pd.DataFrame, window: PanelWindow) -> Ruled:
    """Keep the years of the window."""
    first = window.first_year if window.first_year is not None else panel["year"].min()
    last = window.last_year if window.last_year is not None else panel["year"].max()
    kept = panel["year"].between(first, last)
    return Ruled(panel, step=Reason("years", {"first": int(first), "last": int(last)}), kept=kept)


def leave_out_years(panel: pd.DataFrame, years: list[int]) -> Ruled:
    """Leave out years that params leave out; raise DataError where one has no row."""
    absent = sorted(set(years) - set(panel["year"].unique()))
    if absent:
        raise DataError(
            f"clean.coverage.leave_out_years: no firm has a row of {', '.join(map(str, absent))}"
        )
    step = Reason("years_left_out", {"years": sorted(years)})
    return Ruled(panel, step=step, kept=~panel["year"].isin(years))


def exclude_always_treated(panel: pd.DataFrame) -> Ruled:
    """Leave out firms that entered by the panel's first year: nothing is seen of them before."""
    first_year = panel["year"].min()
    always = (panel["cohort"] <= first_year).fillna(False).astype(bool)
    step = Reason("not_already_treated", {"year": int(first_year)})
    return Ruled(panel, step=step, kept=~always)


def exclude_cohorts(panel: pd.DataFrame, entry_years: list[int]) -> Ruled:
    """Leave out firms that entered in a year that params leave out.

    Raises DataError where a year has no entrant: it may be misspelt.
    """
    absent = sorted(set(entry_years) - set(panel["cohort"].dropna()))
    if absent:
        raise DataError(
            f"treatment.leave_out_entry_years: no firm enters in {', '.join(map(str, absent))}"
        )
    kept = ~panel["cohort"].isin(entry_years)
    step = Reason("entry_years_left_out", {"years": sorted(entry_years)})
    return Ruled(panel, kept=kept, step=step)


def exclude_firms(panel: pd.DataFrame, firms: pd.Index, step: Reason) -> Ruled:
    """Leave out firms."""
    return Ruled(panel, step=step, kept=~panel["firm_id"].isin(firms))


def require_years(panel: pd.DataFrame, window: PanelWindow) -> Ruled:
    """Leave out firms with too few observed years before or from entry on.

    Comparison firms, which never enter, need the two minima together.
    """
    treated = panel["cohort"].notna()
    before = (panel["year"] < panel["cohort"]).fillna(False).astype(bool)
    firm = panel["firm_id"]
    n_all = firm.groupby(firm).transform("size")
    n_before = before.groupby(firm).transform("sum")
    pre, post = window.minimum_pre_years, window.minimum_post_years
    enough = (n_before >= pre) & (n_all - n_before >= post)
    kept = enough.where(treated, n_all >= pre + post)
    return _with_caution(panel, kept, window, Reason("least_years", {"before": pre, "after": post}))


def balance_window(panel: pd.DataFrame, window: PanelWindow) -> Ruled:
    """Leave out firms that are not observed in every year of the panel."""
    firm = panel["firm_id"]
    kept = firm.groupby(firm).transform("size") == panel["year"].nunique()
    return _with_caution(panel, kept, window, Reason("every_year"))


def count_gaps(panel: pd.DataFrame) -> Ruled:
    """Count firm-years not observed between those of a firm, and such firms; none is filled."""
    years = panel.groupby("firm_id", sort=False)["year"].agg(["min", "max", "size"])
    absent = years["max"] - years["min"] + 1 - years["size"]
    again = absent > 0
    if not again.any():
        return Ruled(panel)
    found = Issue(
        Reason(YEARS_NOT_OBSERVED),
        "year",
        Reason("not_filled"),
        count=int(absent.sum()),
        firms=int(again.sum()),
        first_year=int(years.loc[again, "min"].min()),
        last_year=int(years.loc[again, "max"].max()),
    )
    return Ruled(panel, (found,))


def _with_caution(panel: pd.DataFrame, kept: pd.Series, window: PanelWindow, step: Reason) -> Ruled:
    issues: list[Issue] = []
    if window.selects_on_survival:
        rule = Reason(SURVIVAL_RULE, {"step": step})
        issues = issue(rule, "year", ~kept, panel, Reason("left_out"))
    return Ruled(panel, tuple(issues), step, kept)
