"""Coverage and bias of what `start` writes, on many small programmes that it knows nothing of.

    python -m benchmarks.blind_programmes [--programmes 60] [--seed 1] [--seconds N] [--rows FILE]

Each programme is drawn and delivered as two CSV files, headers in Spanish or Portuguese; `start`
reads them, nobody corrects a guess, and the study runs in memory. The generator shares nothing with
`pipeline.simulation`: firms grow by age, sector and a bent of their own, luck persists, clusters
have shocks of their own, entry into opened clusters depends on growth, age, sector and size,
neighbours of participants may gain, and small firms exit. Compared are levels of sales and jobs
alone with analytic errors, which `start` wrote before, and what it writes; both designs of each,
against the mean effect.
"""

import copy
import tempfile
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from pipeline.analyses.specs import estimate_specs
from pipeline.commands.arms_in_memory import match_arms
from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.read import read_files
from pipeline.commands.start.section import study_text
from pipeline.errors import EvaluationError
from pipeline.panel.clean import clean_panel
from pipeline.panel.sources import obtain_tables
from pipeline.params.settings import read_value
from pipeline.params.study import read_study

YEARS = np.arange(2003, 2016)
OUTCOMES = ("sales_log", "employment_log")
_HEADERS = (
    {"id": "nit", "year": "Año", "sales": "Ventas netas", "jobs": "Empleados",
     "founded": "Año fundación", "sector": "CIIU", "broad": "Sección", "place": "Municipio",
     "entry": "Fecha de aprobación"},
    {"id": "cnpj", "year": "exercicio", "sales": "receita_bruta", "jobs": "pessoal_ocupado",
     "founded": "ano_fundacao", "sector": "cnae", "broad": "macro_setor", "place": "municipio",
     "entry": "data_adesao"},
)  # fmt: skip


@dataclass(frozen=True)
class Programme:
    """Hold a drawn programme: panel, register, effect by event time on each outcome's logarithm."""

    panel: pd.DataFrame
    register: pd.DataFrame
    effects: dict[str, np.ndarray]


def draw(rng: np.random.Generator) -> Programme:
    """Draw one programme of several hundred firms, with entry in three years."""
    n, n_places, n_sectors = int(rng.integers(700, 1600)), int(rng.integers(12, 30)), 6
    place, sector = rng.integers(0, n_places, n), rng.integers(0, n_sectors, n)
    founded = YEARS[0] - rng.integers(1, 30, n)
    age = YEARS[None, :] - founded[:, None]
    drift = 0.18 * np.exp(-age / 8) + rng.normal(0, 0.03, n_sectors)[sector][:, None]
    drift = drift + rng.normal(0, 0.03, n)[:, None]
    luck = _persistent(rng, n, 0.75, 0.12)
    local = _persistent(rng, n_places * n_sectors, 0.6, rng.uniform(0.03, 0.07))
    cluster = place * n_sectors + sector
    size = rng.normal(2.6, 0.9, n) + rng.normal(0, 0.3, n_sectors)[sector]
    base = size[:, None] + np.cumsum(drift, axis=1) + luck + local[cluster]
    jobs = 0.75 * base + rng.normal(0, 0.4, n)[:, None] + rng.normal(0, 0.06, base.shape)
    sales = 3 + base + rng.normal(0, 0.10, base.shape)
    entry = _entries(rng, cluster, base, age, sector)
    profile = {
        "sales_log": np.array([0.04, 0.09, 0.12, 0.12]) * rng.uniform(0, 2),
        "employment_log": np.array([0.01, 0.03, 0.05, 0.06]) * rng.uniform(0, 2),
    }
    since = np.where(entry[:, None] > 0, YEARS[None, :] - entry[:, None], -1)
    sales += np.where(since >= 0, profile["sales_log"][np.clip(since, 0, 3)], 0)
    jobs += np.where(since >= 0, profile["employment_log"][np.clip(since, 0, 3)], 0)
    sales += rng.choice([0, 0.03]) * _neighbours(cluster, entry, since)
    alive = _alive(rng, size, entry)
    drawn = {"place": place, "sector": sector, "founded": founded, "entry": entry,
             "sales": sales, "jobs": jobs, "alive": alive}  # fmt: skip
    return _delivered(rng, drawn, profile)


def _persistent(rng: np.random.Generator, n: int, rho: float, sd: float) -> np.ndarray:
    """Return paths that forget slowly: AR(1), stationary."""
    path = np.empty((n, len(YEARS)))
    path[:, 0] = rng.normal(0, sd / np.sqrt(1 - rho**2), n)
    for t in range(1, len(YEARS)):
        path[:, t] = rho * path[:, t - 1] + rng.normal(0, sd, n)
    return path


def _entries(
    rng: np.random.Generator,
    cluster: np.ndarray,
    base: np.ndarray,
    age: np.ndarray,
    sector: np.ndarray,
) -> np.ndarray:
    """Open clusters of some sectors in three years; who grows, is young and is large enters."""
    n_open = int(rng.integers(9, 32))
    likely = np.isin(np.unique(cluster) % 6, rng.choice(6, 3, replace=False)) * 2 + 1.0
    known = np.unique(cluster)
    opened = rng.choice(known, min(n_open, len(known) // 2), replace=False, p=likely / likely.sum())
    first = dict(zip(opened, rng.choice([2008, 2009, 2010], len(opened)), strict=True))
    when = np.array([first.get(c, 0) for c in cluster])
    at = np.where(when > 0, when - 1 - YEARS[0], 5)
    row = np.arange(len(cluster))
    growth = base[row, at] - base[row, at - 3]
    index = -1.2 + 3.5 * growth - 0.05 * age[row, at] + 0.25 * (base[row, at] - base[:, 5].mean())
    index += rng.normal(0, 0.4, 6)[sector]
    enters = (when > 0) & (rng.uniform(size=len(when)) < 1 / (1 + np.exp(-index)))
    return np.where(enters, when, 0)


def _neighbours(cluster: np.ndarray, entry: np.ndarray, since: np.ndarray) -> np.ndarray:
    """Flag years in which another firm of the cluster takes part."""
    first = pd.Series(np.where(entry > 0, entry, np.inf)).groupby(cluster).transform("min")
    return (YEARS[None, :] >= first.to_numpy()[:, None]) & (since < 0)


def _alive(rng: np.random.Generator, size: np.ndarray, entry: np.ndarray) -> np.ndarray:
    """Let firms exit, the small more often; participants stay through their first year."""
    hazard = np.clip(0.04 - 0.012 * (size - size.mean()), 0.005, 0.12)
    gone = np.cumsum(rng.uniform(size=(len(size), len(YEARS))) < hazard[:, None], axis=1) > 0
    return ~gone | ((entry[:, None] > 0) & (YEARS[None, :] <= entry[:, None]))


def _delivered(
    rng: np.random.Generator, drawn: dict[str, np.ndarray], effects: dict[str, np.ndarray]
) -> Programme:
    """Write the programme as ministries do: headers in their language, codes, dates."""
    called = _HEADERS[int(rng.integers(0, 2))]
    n, years = len(drawn["entry"]), len(YEARS)
    ids = np.array([f"9{number:07d}" for number in rng.permutation(n)])
    columns = {
        "id": np.repeat(ids, years), "year": np.tile(YEARS, n),
        "founded": np.repeat(drawn["founded"], years),
        "sales": np.exp(drawn["sales"]).round(2).ravel(),
        "jobs": np.maximum(1, np.exp(drawn["jobs"]).round()).ravel(),
        "sector": np.repeat([f"C{10 + s}" for s in drawn["sector"]], years),
        "broad": np.repeat([f"B{s // 2}" for s in drawn["sector"]], years),
        "place": np.repeat([f"M{p:02d}" for p in drawn["place"]], years),
    }  # fmt: skip
    panel = pd.DataFrame({called[name]: values for name, values in columns.items()})
    inside = drawn["entry"] > 0
    dates = [f"{year}-{rng.integers(1, 13):02d}-15" for year in drawn["entry"][inside]]
    register = pd.DataFrame({called["id"]: ids[inside], called["entry"]: dates})
    return Programme(panel[drawn["alive"].ravel()].reset_index(drop=True), register, effects)


def before(block: dict[str, Any]) -> dict[str, Any]:
    """Return the section with what `start` wrote before: levels alone, all firms, no adjustment."""
    old = copy.deepcopy(block)
    levels = [
        name for name in ("sales_log", "employment_log") if name in old["score"]["covariates"]
    ]
    model = old["score"]["models"]["covariates"]
    model |= {"covariates": levels, "controls_from": "all", "fit": "per_stack"}
    old["score"]["unmatched"]["controls_from"] = "all"
    old["match"]["designs"]["covariates"]["exact"] = []
    old["treatment"]["window"]["first_event_time"] = -2
    for spec in old["estimate"]["specs"].values():
        spec["covariates"] = []
        spec.pop("bias_reduced", None)
    return old


def measure(programme: Programme, number: int) -> list[dict[str, Any]]:
    """Return one row a default, design and outcome: estimate, interval, truth, treated clusters."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder)
        programme.panel.to_csv(raw / "panel.csv", index=False)
        programme.register.to_csv(raw / "register.csv", index=False)
        read = read_files([raw / "panel.csv", raw / "register.csv"], ToldColumns())
        block = read_value(study_text("blind", read))["blind"]
        rows = []
        for defaults, section in (("before", before(block)), ("now", block)):
            try:
                rows += _rows(section, raw, programme.effects)
            except EvaluationError as error:
                rows.append({"stopped": str(error)[:200]})
            rows = [{"defaults": defaults, **row} for row in rows]
    return [{"programme": number, **row} for row in rows]


def _rows(
    block: dict[str, Any], raw: Path, effects: dict[str, np.ndarray]
) -> list[dict[str, Any]]:  # fmt: skip
    study = read_study({"blind": block}, "blind")
    tables = obtain_tables(study.data, raw)
    cleaned = clean_panel(
        tables.panel, tables.register, {}, data=study.data, clean=study.clean,
        treatment=study.treatment,
    )  # fmt: skip
    found = match_arms(dict(cleaned.tables()), study).by_arm[study.treatment.headline_arm]
    estimates = estimate_specs(found.study).estimates
    att = estimates[(estimates["term"] == "att") & estimates["outcome"].isin(OUTCOMES)]
    # CR2 rows speak where they were asked for
    att = att.sort_values("inference", key=lambda kind: kind == "bias_reduced", kind="stable")
    rows = []
    for (design, outcome), group in att.groupby(["design", "outcome"]):
        shown = group.iloc[-1]
        truth = effects[str(outcome)][: study.treatment.window.last_event_time + 1].mean()
        kept = ["estimate", "std_error", "conf_low", "conf_high", "n_treated_clusters", "inference"]
        rows.append({"design": design, "outcome": outcome, "truth": truth, **shown[kept].to_dict()})
    return rows


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return coverage of 95 percent intervals, bias and error by defaults, design and outcome."""
    known = rows[rows["estimate"].notna()].copy()
    known["error"] = known["estimate"] - known["truth"]
    known["covered"] = known["truth"].between(known["conf_low"], known["conf_high"])
    by = known.groupby(["outcome", "design", "defaults"])
    return by.agg(
        programmes=("error", "size"), coverage=("covered", "mean"), bias=("error", "mean"),
        rmse=("error", lambda error: float(np.sqrt((error**2).mean()))),
        std_error=("std_error", "mean"),
    ).round(3)  # fmt: skip


def main() -> None:
    """Draw programmes, run both defaults, print the table."""
    parser = ArgumentParser(
        prog="python -m benchmarks.blind_programmes", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--programmes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin none after")
    parser.add_argument("--rows", type=Path, help="write every estimate there")
    chosen = parser.parse_args()
    rows, start = list[dict[str, Any]](), perf_counter()
    for number in range(chosen.programmes):
        if perf_counter() - start > chosen.seconds:
            break
        rows += measure(draw(np.random.default_rng([chosen.seed, number])), number)
        if chosen.rows:
            pd.DataFrame(rows).to_csv(chosen.rows, index=False)
    table = pd.DataFrame(rows)
    print(summary(table).to_string())
    if "stopped" in table:
        print(table.groupby("defaults")["stopped"].value_counts().to_string())
    print(f"{table['programme'].nunique()} programmes, {perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
