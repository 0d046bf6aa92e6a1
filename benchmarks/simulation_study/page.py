"""The page of the study: its text is written by hand, its tables are not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.simulation_study.draws import world
from benchmarks.simulation_study.estimators import ESTIMATORS
from benchmarks.simulation_study.scenarios import SCENARIOS, Scenario
from benchmarks.simulation_study.storage import read_draws
from benchmarks.simulation_study.summary import CELL, LEVEL, SIZE, summarise

PAGE = Path(__file__).parents[2] / "docs" / "simulation_study.md"
START, END = "<!-- tables: made by the command above -->", "<!-- end of tables -->"
# A cell is marked where chance alone would put it once in 370 cells.
MARKED_BEYOND = 3.0
WORDS = {estimator.name: estimator.words for estimator in ESTIMATORS}
TESTS_ONLY = {estimator.name for estimator in ESTIMATORS if estimator.tests_only}
NOT_ASKED = "–"
ORDER = {name: place for place, name in enumerate(WORDS)}
OUTCOMES = {
    "sales_log": "log sales",
    "exports_any": "exports at all",
    "exports_value": "export value, in ratios",
}


def write_page(page: Path, folder: Path, scenarios: list[Scenario]) -> None:
    """Write the summary of the draws on file as CSV, and as tables into the page.

    The page keeps its text; without one there is the tables alone. A CSV beside the page has the
    cells of every scenario at full precision.
    """
    cells = []
    for scenario in scenarios:
        draws = read_draws(folder, scenario.name)
        if len(draws):
            summary = summarise(draws).assign(scenario=scenario.name)
            cells.append(summary.sort_values(CELL, key=_place, kind="stable"))
    if not cells:
        raise SystemExit(f"{folder} holds no draws yet")
    table = pd.concat(cells, ignore_index=True)
    table = table[["scenario", *table.columns.drop("scenario")]]
    table.to_csv(page.with_suffix(".csv"), index=False, float_format="%.8g", lineterminator="\n")
    page.write_text(with_tables(page, tables(table)), encoding="utf-8")


def _place(names: pd.Series) -> pd.Series:
    """Order estimators as listed; outcomes keep their alphabetical order."""
    return names.map(ORDER) if names.name == "estimator" else names


def with_tables(page: Path, text: str) -> str:
    """Return the page's text with what stands between its markers replaced."""
    block = f"{START}\n\n{text}\n{END}\n"
    if not page.exists():
        return block
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    return before + block + rest.partition(END)[2].removeprefix("\n")


def tables(cells: pd.DataFrame) -> str:
    """Return an overview, and a section for each scenario in `cells`, in the study's order."""
    present = [scenario for scenario in SCENARIOS if (cells["scenario"] == scenario.name).any()]
    sections = [_section(one, cells[cells["scenario"] == one.name]) for one in present]
    return "\n".join([_coverage(cells, present), _rejection(cells, present), *sections])


def _coverage(cells: pd.DataFrame, scenarios: list[Scenario]) -> str:
    """Return coverage by estimator and scenario, of those that have intervals."""
    own = cells[~cells["estimator"].isin(TESTS_ONLY)]
    share = _Share("coverage", LEVEL, "intervals")
    return _overview("Coverage of the 95 percent interval, percent", own, scenarios, share)


def _rejection(cells: pd.DataFrame, scenarios: list[Scenario]) -> str:
    """Return how often tests of no effect reject where it is true and few clusters are treated."""
    few = [scenario for scenario in scenarios if scenario.few_clusters]
    if not few:
        return ""
    share = _Share("rejection", SIZE, "tests")
    title = "Tests at 5 percent that reject where there is no effect, percent"
    return _overview(title, cells, few, share)


@dataclass(frozen=True)
class _Share:
    """Name a share, the value that it should have, and the count behind it."""

    column: str
    nominal: float
    count: str

    def percent(self, row: pd.Series) -> str:
        """Return the share in percent, marked where chance does not explain it."""
        if not row[self.count]:
            return "none"
        mark = "**" if _off(row[self.column], self.nominal, row[self.count]) else ""
        return f"{mark}{100 * row[self.column]:.0f}{mark}"


def _overview(title: str, cells: pd.DataFrame, scenarios: list[Scenario], share: _Share) -> str:
    """Return a share by estimator and scenario, of each scenario's first outcome."""
    columns = []
    for scenario in scenarios:
        rows = cells[(cells["scenario"] == scenario.name)]
        rows = rows[rows["outcome"] == scenario.outcomes[0]].set_index("estimator")
        columns.append({name: share.percent(row) for name, row in rows.iterrows()})
    lines = [
        f"### {title}\n",
        "| Estimator | " + " | ".join(scenario.short for scenario in scenarios) + " |",
        "|---|" + "--:|" * len(scenarios),
    ]
    for name, words in WORDS.items():
        if any(name in column for column in columns):
            lines.append(
                "| ".join([f"| {words} ", *(f"{c.get(name, '')} " for c in columns)]) + "|"
            )
    return "\n".join(lines) + "\n"


def _section(scenario: Scenario, cells: pd.DataFrame) -> str:
    parts = [f"### {scenario.title}\n", f"{scenario.question}\n", f"{_settings(scenario)}\n"]
    for outcome, rows in cells.groupby("outcome", sort=False):
        parts += [_heading(str(outcome), rows), _table(rows)]
    return "\n".join(parts)


def _settings(scenario: Scenario) -> str:
    made = world(scenario).simulation.model_dump()
    shown = ["firms", "municipalities", "sectors", "treated_clusters", "cohort_years", "last_year"]
    shown += [key for key in scenario.changes if key not in shown]
    return "Settings: " + "; ".join(f"`{key}: {_value(made[key])}`" for key in shown) + "."


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_value(of)}" for key, of in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _heading(outcome: str, rows: pd.DataFrame) -> str:
    low, high = rows["truth"].min(), rows["truth"].max()
    truth = f"{low:.3f}" if high - low < 0.0005 else f"{low:.3f} to {high:.3f}"
    return f"Outcome: {OUTCOMES[outcome]}. True effect {truth}.\n"


def _table(rows: pd.DataFrame) -> str:
    lines = [
        "| Estimator | Estimates of seeds | Bias | RMSE | Coverage | Rejects no effect |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows.itertuples(index=False):
        cells = [WORDS.get(row.estimator, row.estimator), _count(row), *_with_effect(row)]
        cells.append(
            _cell(row.rejection, row.rejection_mc_error, _off(row.rejection, SIZE, row.tests))
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _count(row: Any) -> str:
    if row.estimator in TESTS_ONLY:
        return f"tests {row.tests} of {row.seeds}"
    intervals = "" if row.intervals == row.estimates else f", {row.intervals} with interval"
    return f"{row.estimates} of {row.seeds}{intervals}"


def _with_effect(row: Any) -> list[str]:
    """Return bias, RMSE and coverage; who only tests was not asked."""
    if row.estimator in TESTS_ONLY:
        return [NOT_ASKED] * 3
    return [
        _cell(row.bias, row.bias_mc_error, _biased(row)),
        _cell(row.rmse, row.rmse_mc_error, False),
        _cell(row.coverage, row.coverage_mc_error, _off(row.coverage, LEVEL, row.intervals)),
    ]


def _cell(value: float, error: float, marked: bool) -> str:
    if np.isnan(value):
        return "none"
    mark = "**" if marked else ""
    return f"{mark}{value:.3f}{mark} ({'none' if np.isnan(error) else f'{error:.3f}'})"


def _biased(row: Any) -> bool:
    return bool(abs(row.bias) > MARKED_BEYOND * row.bias_mc_error)


def _off(share: float, nominal: float, n: int) -> bool:
    """Say whether a share differs from its nominal value by more than chance would do."""
    return bool(n and abs(share - nominal) > MARKED_BEYOND * np.sqrt(nominal * (1 - nominal) / n))
