"""Units of measurement: declared factors, and a search for years or columns in another unit."""

import numpy as np
import pandas as pd

from pipeline.errors import DataError, Reason
from pipeline.panel.ledger import Issue, Ruled, issue
from pipeline.params.clean import ScaleCheck, UnitFactor

_REPORTED = Reason("reported")

# How a refusal says what was found; tables say it in words of the report.
_REFUSALS = {
    "median_rises": "median moves x {factor:g} from the year before",
    "median_falls": "median moves / {factor:g} from the year before",
    "median_above": "median is {other} x {factor:g}",
    "median_below": "median is {other} / {factor:g}",
}


def apply_factor(panel: pd.DataFrame, rule: UnitFactor) -> Ruled:
    """Multiply a column by the declared factor in the declared years."""
    here = panel["year"].isin(rule.years) & panel[rule.column].notna()
    if not here.any():
        raise DataError(
            f"clean.unit_factors: {rule.column} has no value in {', '.join(map(str, rule.years))}"
        )
    values = panel[rule.column].mask(here, panel[rule.column] * rule.factor)
    found = issue(
        Reason("unit_factor", {"factor": rule.factor}),
        rule.column,
        here,
        panel,
        Reason("converted"),
    )
    return Ruled(panel.assign(**{rule.column: values}), tuple(found))


def check_scales(panel: pd.DataFrame, rule: ScaleCheck) -> Ruled:
    """Report, or refuse, medians that move by a factor between years or columns."""
    found = [entry for name in rule.columns for entry in _between_years(panel, name, rule)]
    found += [entry for pair in rule.pairs for entry in _between_columns(panel, pair, rule)]
    if found and rule.action == "refuse":
        listed = "; ".join(map(_refusal, found))
        raise DataError(
            f"{listed}. Declare clean.unit_factors for what was delivered in another unit, or "
            "clean.scale_checks.action: report if it is true"
        )
    return Ruled(panel, tuple(found))


def _refusal(found: Issue) -> str:
    first, last = found.first_year, found.last_year
    years = f"{first}" if first == last else f"{first}-{last}"
    said = _REFUSALS[found.rule.code].format(**found.rule.fields)
    return f"{found.column} {years}: {said}"


def _between_years(panel: pd.DataFrame, name: str, rule: ScaleCheck) -> list[Issue]:
    """Compare the median of positive values with that of the year before."""
    medians = _median_log10(panel[name], panel["year"])
    moves = medians.diff().dropna()
    years = pd.DataFrame({"year": medians.index}, index=medians.index)
    found = []
    for factor in rule.factors:
        for sign, code in ((1, "median_rises"), (-1, "median_falls")):
            moved = (sign * moves - np.log10(factor)).abs() < np.log10(rule.tolerance_factor)
            here = moved.reindex(medians.index, fill_value=False)
            found += issue(Reason(code, {"factor": factor}), name, here, years, _REPORTED)
    return found


def _between_columns(panel: pd.DataFrame, pair: tuple[str, str], rule: ScaleCheck) -> list[Issue]:
    """Compare two columns in the same unit by the median of their ratio in each year."""
    one, other = pair
    positive = (panel[one] > 0) & (panel[other] > 0)
    medians = _median_log10((panel[one] / panel[other]).where(positive), panel["year"])
    years = pd.DataFrame({"year": medians.index}, index=medians.index)
    found = []
    for factor in rule.factors:
        for sign, code in ((1, "median_above"), (-1, "median_below")):
            near = (sign * medians - np.log10(factor)).abs() < np.log10(rule.tolerance_factor)
            fields = {"factor": factor, "other": other}
            found += issue(Reason(code, fields), one, near, years, _REPORTED)
    return found


def _median_log10(values: pd.Series, years: pd.Series) -> pd.Series:
    """Return log10 of the median positive value by year; years without one are left out."""
    positive = values.where(values > 0)
    return pd.Series(np.log10(positive.groupby(years).median().dropna()))
