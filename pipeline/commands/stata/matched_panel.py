"""The matched panel of one design as Stata needs it: one row a firm, entry year and year.

A firm that serves two entry years is two units, as in the estimator. Firms, clusters and sets are
running numbers: no delivered identifier is in the file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes
from pipeline.effects.stacks import Stacks, unit_covariates
from pipeline.effects.study import Study, asked, outcome_sample
from pipeline.inference.counts import unit_clusters
from pipeline.inference.validity import used_once
from pipeline.panel.panel_index import NO_ROW
from pipeline.panel.scale import on_scale

_CLUSTERS: dict[str, tuple[str, ...]] = {
    "assignment": ("cluster",),
    "firm": ("firm",),
    "set_and_assignment": ("cluster", "set"),
    "components": ("component",),
}
_GROUPS: dict[float, str] = {0: "comparison", 1: "treated"}
_TIMES: dict[float, str] = {0: "before entry", 1: "from entry on"}

_LABELS = {
    "firm": "Firm, running number",
    "unit": "Firm x entry year that it serves",
    "stack": "Entry year of the risk set",
    "year": "Year",
    "event_time": "Years since the stack's entry year",
    "treated": "Enters in the stack's entry year",
    "post": "Event time 0 or later",
    "treated_post": "treated x post",
    "cohort": "Firm's own entry year, missing if it never enters",
    "cluster": "Assignment cluster, running number",
    "match_weight": "Weight of matching, before missing outcomes",
    "set": "Matched set, running number",
    "component": "Sets and clusters that hang together",
    "period": "Year, moved to be positive (csdid)",
    "gvar": "First treated period in this stack, 0 for comparisons (csdid)",
}
SET_LABELS = {
    "set": "Matched set, running number",
    "unit": "Firm x entry year, as in the panel",
    "set_weight": "Weight within the set: 1, or sampling weight, for the treated firm",
}
# What Stata accepts: 32 characters for a variable, 80 for its label.
_NAME = 32
_LABEL = 80
_OTHER = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True)
class MatchedPanel:
    """Hold the rows of one design, and what Stata shows beside them.

    `levels` names the variables of further clusters, `outcomes` and `weights` those of each
    outcome, `covariates` those of dated covariates; `years_by` those whose product with the stack
    and year the year effects are.
    """

    design: str
    rows: pd.DataFrame
    levels: dict[str, str]
    outcomes: dict[str, str]
    weights: dict[str, str]
    covariates: dict[str, str]
    years_by: dict[str | None, str]
    labels: dict[str, str]
    values: dict[str, dict[float, str]] = field(default_factory=dict)

    @property
    def clusters(self) -> dict[str, tuple[str, ...]]:
        """Return the variables that errors are clustered by, by what specs call that."""
        return _CLUSTERS | {name: (variable,) for name, variable in self.levels.items()}


def matched_panel(study: Study, design: str) -> MatchedPanel:
    """Return the firm-years of a design's firms, with weights and outcomes as estimated.

    An outcome's weight is missing in the rows that its estimates leave out.
    """
    stacks = study.stacks[design]
    unit, column = np.nonzero((stacks.panel_row != NO_ROW) & (stacks.weight > 0)[:, None])
    row = stacks.panel_row[unit, column]
    names = [name for found, name, _ in asked(study) if found == design]
    observed = [name for name in names if study.outcomes[name].observed]
    panel = MatchedPanel(
        design=design,
        rows=_frame(study, stacks, unit, column),
        levels=variable_names("level", stacks.levels),
        outcomes=variable_names("y", observed),
        weights=variable_names("w", observed),
        covariates=variable_names("x", _adjusted_for(study, design)),
        years_by=_years_by(study, design),
        labels=dict(_LABELS),
        values={"treated": _GROUPS, "post": _TIMES},
    )
    for name in observed:
        _add_outcome(panel, study, name, unit, row)
    for name, variable in panel.levels.items():
        panel.rows[variable] = _numbers(stacks.levels[name][stacks.firm[unit]])
        panel.labels[variable] = label(f"{name} in the base year, running number")
    _add_covariates(panel, study, stacks, unit)
    _add_year_cells(panel, study, stacks, unit)
    return panel


def _frame(study: Study, stacks: Stacks, unit: Codes, column: Codes) -> pd.DataFrame:
    event_time = stacks.event_times[column]
    stack, treated = stacks.stack[unit], stacks.treated[unit]
    year = stack + event_time
    shift = max(0, 1 - int(year.min()))
    cohort = study.panel["cohort"].to_numpy(dtype=np.float64, na_value=np.nan)
    frame = pd.DataFrame(
        {
            "firm": stacks.firm[unit] + 1,
            "unit": unit + 1,
            "stack": stack,
            "year": year,
            "event_time": event_time,
            "treated": treated,
            "post": event_time >= 0,
            "treated_post": treated & (event_time >= 0),
            "cohort": cohort[stacks.firm_row[unit]],
            "cluster": stacks.cluster[unit] + 1,
            "match_weight": stacks.weight[unit],
            "period": year + shift,
            "gvar": np.where(treated, stack + shift, 0),
        }
    )
    integers = [name for name in frame if frame[name].dtype.kind in "ib"]
    return frame.astype(dict.fromkeys(integers, np.int32)).assign(**_set_columns(stacks, unit))


def _set_columns(stacks: Stacks, unit: Codes) -> dict[str, NDArray[np.int32]]:
    """Return sets and what hangs together, where no firm is in two sets or stacks."""
    if not used_once(stacks):
        return {}
    return {
        "set": _numbers(unit_clusters(stacks, "set_and_assignment")[1][unit]),
        "component": _numbers(unit_clusters(stacks, "components")[0][unit]),
    }


def _numbers(codes: Codes) -> NDArray[np.int32]:
    return np.asarray(codes + 1, dtype=np.int32)


def _adjusted_for(study: Study, design: str) -> list[str]:
    """Return the covariates of the specs on a design, once."""
    specs = [spec for spec in study.estimate.specs if design in spec.designs]
    return list(dict.fromkeys(name for spec in specs for name in spec.option("covariates")))


def _years_by(study: Study, design: str) -> dict[str | None, str]:
    """Name the year effects of the specs on a design: stack x year, or finer."""
    by = [s.option("year_effects_by") for s in study.estimate.specs if design in s.designs]
    finer = dict.fromkeys(column for column in by if column is not None)
    named: dict[str | None, str] = {None: "stack_year"}
    return named | dict(variable_names("stack_year", finer))


def _add_outcome(panel: MatchedPanel, study: Study, name: str, unit: Codes, row: Codes) -> None:
    """Add an outcome on its scale and its weights, by unit and PANEL row."""
    outcome, sample = study.outcomes[name], outcome_sample(study, panel.design, name)
    used = pd.Series(
        sample.weight, index=pd.MultiIndex.from_arrays([sample.unit, sample.panel_row])
    )
    weight = used.reindex(pd.MultiIndex.from_arrays([unit, row])).to_numpy()
    panel.rows[panel.outcomes[name]] = on_scale(study.panel[outcome.column], outcome)[row]
    panel.rows[panel.weights[name]] = weight
    panel.labels[panel.outcomes[name]] = label(f"{outcome.label}, {outcome.scale}")
    panel.labels[panel.weights[name]] = label(f"Weight in the estimates of {outcome.label}")


def _add_covariates(panel: MatchedPanel, study: Study, stacks: Stacks, unit: Codes) -> None:
    """Add dated covariates, the same in all years of a unit; categories get value labels."""
    if study.covariates is None:
        return
    for name, variable in panel.covariates.items():
        panel.labels[variable] = label(f"{name}, dated before entry")
        if study.covariates[name].dtype.kind == "f":
            panel.rows[variable] = unit_covariates(stacks, study.panel, study.covariates, [name])[
                unit, 0
            ]
            continue
        category = study.covariates[name].astype("category")
        coded = study.covariates.assign(**{name: category.cat.codes + 1})
        codes = unit_covariates(stacks, study.panel, coded, [name])[unit, 0]
        panel.rows[variable] = np.where(codes > 0, codes, np.nan)
        panel.values[variable] = dict(enumerate(map(str, category.cat.categories), start=1))


def _add_year_cells(panel: MatchedPanel, study: Study, stacks: Stacks, unit: Codes) -> None:
    for by, variable in panel.years_by.items():
        keys = [panel.rows["stack"], panel.rows["year"]]
        if by is not None:
            keys.append(study.panel[by].iloc[stacks.base_row[unit]].reset_index(drop=True))
        panel.rows[variable] = panel.rows.groupby(keys, sort=True).ngroup().astype(np.int32) + 1
        panel.labels[variable] = label(f"Year effects: stack x year{f' x {by}' if by else ''}")


def set_members(study: Study, design: str) -> pd.DataFrame | None:
    """Return the members of matched sets, of which a firm may be in several; None without sets."""
    sets = study.stacks[design].sets
    if sets is None:
        return None
    members = {"set": _numbers(sets.set_code), "unit": _numbers(sets.unit)}
    table = pd.DataFrame({**members, "set_weight": sets.weight})
    return table.sort_values(["set", "unit"], ignore_index=True)


def variable_names(stem: str, names: Iterable[str]) -> dict[str, str]:
    """Return a valid and different variable name `<stem>_<name>` for each name.

    A name too long is cut, and numbered where two then agree.
    """
    found: dict[str, str] = {}
    for name in names:
        whole = _OTHER.sub("_", f"{stem}_{name}")
        chosen, number = whole[:_NAME], 2
        while chosen in found.values():
            tail = f"_{number}"
            chosen, number = whole[: _NAME - len(tail)] + tail, number + 1
        found[name] = chosen
    return found


def label(text: str) -> str:
    """Return a label of at most 80 characters; a longer one ends in three dots."""
    line = " ".join(text.split())
    return line if len(line) <= _LABEL else f"{line[: _LABEL - 3]}..."
