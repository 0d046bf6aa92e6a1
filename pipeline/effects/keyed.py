"""Single numbers of specs, by name, as rows of keyed tables."""

import re
from typing import Any

import pandas as pd

from pipeline.datasets.details import OF_ESTIMATE
from pipeline.datasets.fits import (
    DECOMPOSED_COHORTS,
    DECOMPOSITION,
    DETECTABLE,
    FITS,
    PRE_TREND_POWER,
    UNIT_DEPENDENCE,
)
from pipeline.datasets.samples import (
    ATTRITION,
    BASELINES,
    CONCENTRATION,
    GROUPING_LOSSES,
    SAMPLES,
    SHARED_CLUSTERS,
    ZEROS,
)
from pipeline.datasets.store import Dataset, TableError, conform, empty

_TREATED = {"treated": True, "comparison": False}
_UNITS = {"x100", "per_million"}


def keyed_tables(facts: list[dict[str, Any]], headline_spec: str) -> dict[str, pd.DataFrame]:
    """Return every table of `OF_ESTIMATE` by name."""
    rows: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {t.name: {} for t in OF_ESTIMATE}
    for fact in facts:
        table, row = _place(fact, headline_spec)
        row = {"design": fact["design"], "outcome": fact["outcome"]} | row
        key = tuple(row[name] for name in table.key)
        rows[table.name].setdefault(key, {}).update(row)
    return {table.name: _table(table, list(rows[table.name].values())) for table in OF_ESTIMATE}


def _table(table: Dataset, rows: list[dict[str, Any]]) -> pd.DataFrame:
    if not rows:
        return empty(table)
    return conform(table, pd.DataFrame(rows).reindex(columns=list(table.columns)))


def _place(  # noqa: PLR0911, PLR0912
    fact: dict[str, Any], headline_spec: str
) -> tuple[Dataset, dict[str, Any]]:
    family, _, inside = str(fact["name"]).partition("[")
    of = inside.removesuffix("]").split(",") if inside else []
    value, unit = fact["value"], fact["unit"]
    if of and family in FITS.columns:
        return FITS, {"estimator": of[0], family: value}
    if not of and family in SAMPLES.columns:
        return SAMPLES, {family: value}
    row: dict[str, Any]
    if family in ("mde", "mde_level"):
        number = int(of[1].partition("=")[2]) if len(of) > 1 else None
        row = {"estimator": of[0], "grouping": "all", "treated_clusters": number}
        own: dict[str, Any] = {"effect": value, "scale": unit}
        return DETECTABLE, row | (
            own if family == "mde" else {"effect_in_unit": value, "unit": unit}
        )
    if family == "detectable_difference":
        row = {"estimator": "groups", "grouping": of[0], "treated_clusters": None}
        return DETECTABLE, row | {"effect": value, "scale": unit}
    if family.startswith("pre_trend_slope"):
        column = "slope_by_any" if family.endswith("_any") else "slope_jointly"
        row = {"estimator": of[0], "power": float(of[1]) / 100, column: value}
        return PRE_TREND_POWER, row | {"scale": unit.removesuffix(" a year")}
    if family.startswith("bacon_"):
        return _decomposed(family.removeprefix("bacon_"), of, value)
    if family in ("baseline_mean", "baseline_mean_treated"):
        treated = family.endswith("treated")
        return BASELINES, {"treated": treated, "mean": value, "unit": unit}
    if family == "n_treated_sharing_cluster":
        return SHARED_CLUSTERS, {family: value}
    if family == "n_treated_without_group":
        row = {"estimator": "groups", "grouping": of[0], "treated": True}
        return GROUPING_LOSSES, row | {"n_firms": value}
    if family.startswith("att_"):
        return FITS, {"estimator": headline_spec, family: value}
    if (scale := family.partition("_"))[2] in _UNITS:
        return UNIT_DEPENDENCE, {"estimator": "margins", "term": scale[0], scale[2]: value}
    if match := re.fullmatch(r"(.+)_(treated|comparison)", family):
        return _by_group(match[1], _TREATED[match[2]], of, value)
    if match := re.fullmatch(r"n_(treated|comparison)_without_size", family):
        row = {"estimator": "size_weighted", "grouping": of[0], "treated": _TREATED[match[1]]}
        return GROUPING_LOSSES, row | {"n_firms": value}
    raise TableError(f"no table has {fact['name']}")


def _by_group(
    family: str, treated: bool, of: list[str], value: float
) -> tuple[Dataset, dict[str, Any]]:
    row: dict[str, Any] = {"treated": treated}
    if family == "largest_size_share":
        return CONCENTRATION, row | {"grouping": of[0], "largest_firm_share": value}
    if family in ("largest_firm_share", "largest_five_share"):
        return CONCENTRATION, row | {"grouping": "all", family: value}
    if family.startswith("n_firms"):
        return ZEROS, row | {family.replace("n_firms_", "n_"): value}
    return ATTRITION, row | {"event_time": int(of[0]), family: value}


def _decomposed(what: str, of: list[str], value: float) -> tuple[Dataset, dict[str, Any]]:
    row: dict[str, Any] = {"estimator": of[0]}
    if what == "already_treated":
        return FITS, row | {"share_already_treated": value}
    if what in ("first_year", "last_year"):
        return FITS, row | {f"decomposed_{what}": value}
    if what == "firms":
        cohort = None if of[1] == "never" else int(of[1])
        return DECOMPOSED_COHORTS, row | {"cohort": cohort, "n_firms": value}
    cohort, control = int(of[1]), None if of[2] == "never" else int(of[2])
    kind = "never" if control is None else "not_yet" if control > cohort else "already"
    return DECOMPOSITION, row | {"cohort": cohort, "control": control, "kind": kind, what: value}
