"""Everything that a Stata user needs to repeat a study's estimates: panels and a .do file.

Firm data: the files are private and belong under data/<study>/.
"""

import io
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Literal, cast

import pandas as pd

from pipeline.commands.stata.group_time_commands import group_time_commands
from pipeline.commands.stata.matched_panel import (
    SET_LABELS,
    MatchedPanel,
    matched_panel,
    set_members,
)
from pipeline.commands.stata.stacked_commands import stacked_commands
from pipeline.effects.rows import Row
from pipeline.effects.study import Study
from pipeline.estimators.registry import ESTIMATORS

# What repeats an estimator, for those that the registry says are repeated.
COMMANDS: dict[str, Callable[[Study, MatchedPanel, Any, dict[str, Row]], Iterator[str]]] = {
    "stacked": stacked_commands,
    "group_time": group_time_commands,
}

_PROLOGUE = """\
* {study}: the estimates of cluster-impact again, in Stata.
* PRIVATE: the .dta files hold firm data; firms are running numbers.
* Needs: ssc install ftools, reghdfe, drdid, csdid. Run it in the folder of the .dta files.
* Each assert stops the file where Stata's figure is not ours to 1e-6.
version 16
clear all
set more off"""

# Stata 14 and later; names and labels may hold any letter.
_VERSION: Literal[118] = 118
_DATE = datetime(1980, 1, 1)


def stata_files(study_name: str, study: Study, estimates: pd.DataFrame) -> dict[str, bytes]:
    """Return every file by name: a .dta for each design, its sets, and `estimates.do`.

    `estimates` is ESTIMATES of the same study.
    """
    files: dict[str, bytes] = {}
    lines = [_PROLOGUE.format(study=study_name)]
    for design in study.stacks:
        panel = matched_panel(study, design)
        title = f"{study_name}, design {design}"
        files[f"{design}.dta"] = dta_bytes(panel.rows, title, panel.labels, panel.values)
        members = set_members(study, design)
        if members is not None:
            files[f"{design}_sets.dta"] = dta_bytes(members, f"{title}: sets", SET_LABELS)
        lines += _commands(study, panel, estimates)
    lines += ["", 'display "every figure is ours to 1e-6"', ""]
    return {**files, "estimates.do": "\n".join(lines).encode("utf-8")}


def _commands(study: Study, panel: MatchedPanel, estimates: pd.DataFrame) -> Iterator[str]:
    usual = {"sample": "all", "subgroup": "all", "inference": "analytic", "band": "pointwise"}
    chosen = (estimates[list(usual)] == pd.Series(usual)).all(axis=1)
    chosen &= (estimates["term"] == "att") & (estimates["design"] == panel.design)
    for spec in study.estimate.specs:
        if panel.design not in spec.designs:
            continue
        found = estimates[chosen & (estimates["estimator"] == spec.name)].to_dict("records")
        rows: dict[str, Row] = {str(row["outcome"]): cast(Row, row) for row in found}
        if ESTIMATORS[spec.estimator].in_stata:
            yield from COMMANDS[spec.estimator](study, panel, spec, rows)
        else:
            yield f"\n* spec {spec.name} ({spec.estimator}) is not repeated: see docs/stata.md"


def dta_bytes(
    rows: pd.DataFrame,
    title: str,
    labels: dict[str, str],
    values: dict[str, dict[float, str]] | None = None,
) -> bytes:
    """Return the file's bytes; a missing number is Stata's `.`, whole numbers stay whole."""
    buffer = io.BytesIO()
    used = {name: text for name, text in labels.items() if name in rows}
    coded = {name: codes for name, codes in (values or {}).items() if name in rows}
    rows.to_stata(
        buffer,
        write_index=False,
        version=_VERSION,
        time_stamp=_DATE,
        data_label=title[:80],
        variable_labels=used,
        value_labels=coded,
    )
    return buffer.getvalue()
