"""Small studies through the analyses beside the specs: margins, survival, groups, size weights."""

import pandas as pd
from stacked_tables import (
    estimation,
    matches_from,
    outcomes,
    panel_from,
    treatment,
    weights_from,
)
from told import estimate_specs

from pipeline.effects.collected import Results
from pipeline.effects.study import prepare_study
from pipeline.matching.redo import Redo
from pipeline.params.estimate import EstimateSection

BASICS = {"designs": ["matched"], "outcomes": ["sales"], "cluster": "firm"}
LEVEL = {"column": "sales", "transform": "level", "unit": "US$", "label": "Sales"}


def pairs(n: int, stack: int = 2002) -> pd.DataFrame:
    """Return MATCHES in which T1 is matched to C1, T2 to C2, and so on."""
    rows = [f"{stack} {i} {g}{i} {int(g == 'T')}" for i in range(1, n + 1) for g in "TC"]
    return matches_from("stack set_id firm_id treated\n" + "\n".join(rows))


def section(missing: str = "renormalise", **analyses: dict) -> EstimateSection:
    asked = {name: BASICS | analysis for name, analysis in analyses.items()}
    base = estimation(missing, average="event").model_dump(exclude_unset=True)
    return EstimateSection.model_validate(base | {"analyses": asked})


def analysed(
    text: str,
    n_pairs: int,
    window: tuple[int, int],
    *,
    columns: dict | None = None,
    outcome: dict | None = None,
    matches: pd.DataFrame | None = None,
    estimate: EstimateSection,
    redo: Redo | None = None,
) -> Results:
    """Estimate a study of pairs; `columns` gives further PANEL columns by firm."""
    found = pairs(n_pairs) if matches is None else matches
    stack = pairs(n_pairs) if matches is None or matches.empty else matches
    treated = stack[stack["treated"]]
    entry = dict(zip(treated["firm_id"], treated["stack"].astype(int), strict=True))
    panel = panel_from(text, entry)
    for name, values in (columns or {}).items():
        panel[name] = panel["firm_id"].map(values)
    weights = weights_from(stack, panel)
    prepared = prepare_study(
        panel,
        found,
        weights,
        outcomes=outcomes(sales=LEVEL | (outcome or {})),
        treatment=treatment(*window),
        matched_times={},
        estimate=estimate,
    )
    return estimate_specs(prepared, redo)


def rows_of(results: Results, estimator: str, outcome: str = "sales") -> pd.DataFrame:
    """Return ESTIMATES of one estimator and outcome by sample and term."""
    table = results.estimates
    chosen = (table["estimator"] == estimator) & (table["outcome"] == outcome)
    return table[chosen].set_index(["sample", "named"]).sort_index()
