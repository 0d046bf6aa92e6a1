"""Results of all arms as those of one study: designs and scores of an arm are further ones.

What is published of several arms is looked at together, since they share comparison firms, and
may share treated ones: an arm's tables stand below the headline's, its designs under names of
their own (`in_arm`), and are taken apart again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pandas as pd

from pipeline.datasets.aggregates import AGGREGATES
from pipeline.datasets.arms import in_arm
from pipeline.datasets.details import DETAILS
from pipeline.datasets.populations import EVERY
from pipeline.exhibits.details import Details
from pipeline.exhibits.inputs import Dominance, StudyResults

# The arm of a row where no column names a design.
OF_ARM = "of_arm"

# Tables by design that StudyResults holds as fields.
_FIELDS = ("estimates", "tests", "paths", "balance", "coefficients", "support")
_OF_DESIGNS = ("design", "model", "score_model")
_OF_PANEL = frozenset(table.name for table in AGGREGATES["clean"])


class OfArm(NamedTuple):
    """Say of which arm, by subfolder, a design or score model of joined tables is, and its name."""

    arm_folder: str
    name: str


@dataclass(frozen=True)
class JoinedArms:
    """Hold the results of all arms as one.

    `arm_of` says what designs and score models are that are not of the headline's arm, by the names
    that joined tables give them; `all` of an arm too.
    """

    results: StudyResults
    arm_of: Mapping[str, OfArm]


def join_arms(results: StudyResults) -> JoinedArms:
    """Return the results of all arms as those of one study."""
    arms = sorted(results.arms.values(), key=lambda own: own.arm_folder)
    fields: dict[str, Any] = {
        name: _together({own.arm_folder: getattr(own, name) for own in arms})
        for name in _fields(results)
    }
    tables = {
        table.name: results.details.of(table)
        if table.name in _OF_PANEL
        else _together({own.arm_folder: own.details.of(table) for own in arms})
        for table in DETAILS
    }
    whole = replace(results, **fields, details=Details(tables), dominance=_dominance(arms), arms={})
    arm_of = {
        new: OfArm(own.arm_folder, name)
        for own in arms
        if own.arm_folder
        for new, name in _names(own).items()
    }
    return JoinedArms(whole, arm_of)


def part_arms(vetted: StudyResults, results: StudyResults) -> dict[str, StudyResults]:
    """Return what is shown of all arms by arm; `results` are those before they were joined."""
    return {arm: _of_one(vetted, own) for arm, own in results.arms.items()}


def _of_one(vetted: StudyResults, own: StudyResults) -> StudyResults:
    fields: dict[str, Any] = {name: _part(getattr(vetted, name), own) for name in _fields(own)}
    panel = {name: getattr(vetted, name) for name in ("sample_flow", "issues", "profile")}
    tables = {
        table.name: vetted.details.of(table)
        if table.name in _OF_PANEL
        else _part(vetted.details.of(table), own)
        for table in DETAILS
    }
    return replace(own, **fields, **panel, coverage=vetted.coverage, details=Details(tables))


def _fields(own: StudyResults) -> list[str]:
    """Return the fields of tables by design that results have."""
    return [name for name in _FIELDS if getattr(own, name) is not None]


def _names(own: StudyResults) -> dict[str, str]:
    """Return the designs and score models of an arm as joined tables call them, and their names."""
    frames = [*(getattr(own, name) for name in _fields(own)), *own.details.tables.values()]
    columns = [f[c] for f in frames for c in _OF_DESIGNS if c in f]
    names = {EVERY} | {str(name) for column in columns for name in column.dropna().unique()}
    return {in_arm(name, own.arm_folder): name for name in sorted(names)}


def _together(by_arm: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a table of all arms, given by subfolder, the headline's first."""
    parts = [_in_arm(frame, folder) for folder, frame in by_arm.items()]
    filled = [part for part in parts if len(part)] or parts[:1]
    return pd.concat(filled, ignore_index=True)


def _in_arm(frame: pd.DataFrame, folder: str) -> pd.DataFrame:
    columns = [name for name in _OF_DESIGNS if name in frame]
    if not columns:
        return frame.assign(**{OF_ARM: folder})
    renamed = {
        name: frame[name].map(lambda own: in_arm(own, folder), na_action="ignore").astype("str")
        for name in columns
    }
    return frame.assign(**renamed) if folder else frame


def _part(frame: pd.DataFrame, own: StudyResults) -> pd.DataFrame:
    """Return the rows of one arm, designs by their names."""
    columns = [name for name in _OF_DESIGNS if name in frame]
    if not columns:
        return frame[frame[OF_ARM] == own.arm_folder].drop(columns=OF_ARM)
    names = _names(own)
    mine = frame[frame[columns[0]].isin(list(names))]
    return mine.assign(**{name: mine[name].map(names).astype("str") for name in columns})


def _dominance(arms: list[StudyResults]) -> Dominance | None:
    """Return the largest firms' shares of all arms."""
    if any(own.dominance is None for own in arms):
        return None
    found = {own.arm_folder: own.dominance for own in arms if own.dominance is not None}
    return Dominance(
        _together({folder: own.outcomes for folder, own in found.items()}),
        _together({folder: own.covariates for folder, own in found.items()}),
        found[""].panel,
    )
