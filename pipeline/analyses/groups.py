"""Average effects by pre-entry group, and tests that they are equal.

Each group is estimated on its own stacks with its own year effects. All effects are functions of
the same clusters, so that their covariance is the sum over clusters of products of influences, and
equality is one Wald test (`pipeline.inference.equality`).
"""

from dataclasses import dataclass

import numpy as np

from pipeline.analyses.firm_groups import FirmGroups, common_groups, rematched_groups
from pipeline.analyses.group_names import GROUPS, WITHOUT_GROUP
from pipeline.effects.average_effect import (
    AverageEffect,
    average_effect,
    average_ratio,
    ratio_sample,
)
from pipeline.effects.clusters import cluster_codes
from pipeline.effects.labels import analysis_label
from pipeline.effects.ledger import Ledger
from pipeline.effects.rows import Label, Row, missing_row, test_row
from pipeline.effects.sample import StackedSample, check_comparable, stacked_sample
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError, ParamsError, SupportError
from pipeline.inference.bootstrap import Redo
from pipeline.inference.covariance import benjamini_hochberg, n_groups
from pipeline.inference.equality import detectable_difference, equality_row, equality_test
from pipeline.panel.scale import on_scale
from pipeline.params.analyses import Groups
from pipeline.params.outcomes import Outcome


@dataclass(frozen=True)
class _Grouped:
    """Hold one grouping's rows of ESTIMATES, the estimated effects by subgroup, the test."""

    rows: list[Row]
    effects: dict[str, AverageEffect]
    test: Row


def add_groups(ledger: Ledger, study: Study, asked: Groups, redo: Redo | None) -> None:
    """Add effects by group, equality tests, and q-values over all groups and over all tests.

    Raises ParamsError where PANEL lacks a column, or where nothing is at hand to match again.
    """
    _check(study, asked, redo)
    for design in asked.designs:
        groupings = {name: _grouped_firms(study, asked, redo, design, name) for name in asked.by}
        for name, firms in groupings.items():
            if isinstance(firms, FirmGroups):
                fact = (f"{WITHOUT_GROUP}[{name}]", firms.n_treated_without, "firms")
                ledger.add_facts(design, "all", [fact])
        for outcome in asked.outcomes:
            label = analysis_label(study, GROUPS, asked, design, outcome)
            found = {
                name: _estimate(study, asked, label, name, firms)
                for name, firms in groupings.items()
            }
            for name, grouped in found.items():
                ledger.estimates += grouped.rows
                ledger.tests.append(grouped.test)
                apart = detectable_difference(label, name, grouped.effects, study.estimate)
                ledger.add_facts(design, outcome, apart)
            ledger.tests += _group_q_values(label, found)
            ledger.tests += _test_q_values(label, found)


def subgroup(grouping: str, group: str) -> str:
    """Return what the column `subgroup` holds: `size=10 or more`."""
    return f"{grouping}={group}"


def _check(study: Study, asked: Groups, redo: Redo | None) -> None:
    for name, grouping in asked.by.items():
        if grouping.column is not None and grouping.column not in study.panel.columns:
            raise ParamsError(
                f"estimate.analyses.groups.by.{name}.column is {grouping.column}, which the panel "
                "lacks"
            )
        latest = study.treatment.reference_event_time
        if grouping.at is not None and grouping.at > latest:
            raise ParamsError(
                f"estimate.analyses.groups.by.{name}.at is {grouping.at}: groups are dated "
                f"{latest} or earlier, in years from entry"
            )
    if asked.match == "within" and redo is None:
        raise ParamsError(
            "estimate.analyses.groups.match: within needs scores and matching rules; "
            "use match: common"
        )


def _grouped_firms(
    study: Study, asked: Groups, redo: Redo | None, design: str, name: str
) -> FirmGroups | str:
    """Return the grouping's firms, or the reason why they cannot be matched."""
    grouping = asked.by[name]
    if asked.match == "common" or redo is None:
        return common_groups(study, study.stacks[design], grouping)
    try:
        return rematched_groups(study, redo, design, grouping)
    except (IdentificationError, SupportError) as reason:
        return str(reason)


def _estimate(
    study: Study, asked: Groups, label: Label, name: str, firms: FirmGroups | str
) -> _Grouped:
    outcome = study.outcomes[label.outcome]
    reason = firms if isinstance(firms, str) else ""
    if not outcome.observed:
        reason = f"not observed: {outcome.reason}"
    if isinstance(firms, str) or reason:
        row = missing_row(label, "att", reason) | {"subgroup": name}
        return _Grouped([row], {}, test_row(label, equality_test(name), note=reason))
    rows: list[Row] = []
    effects: dict[str, AverageEffect] = {}
    values = on_scale(study.panel[outcome.column], outcome)
    for group, stacks in firms:
        sample = stacked_sample(stacks, values, study.estimate.missing)
        try:
            _require_firms(sample, asked.least_firms)
            effects[group] = _effect(study, asked, outcome, sample)
            row = effects[group].row(label, "att")
        except (IdentificationError, SupportError) as fault:
            row = missing_row(label, "att", str(fault)) | _firms(sample)
        rows.append(row | {"subgroup": subgroup(name, group)})
    return _Grouped(rows, effects, equality_row(label, name, effects))


def _effect(study: Study, asked: Groups, outcome: Outcome, sample: StackedSample) -> AverageEffect:
    check_comparable(sample)
    clusters = cluster_codes(sample.stacks, asked.cluster)[0]
    if outcome.transform == "proportional":
        return average_ratio(ratio_sample(study, sample, clusters), sample.y)
    return average_effect(study, sample, clusters)


def _firms(sample: StackedSample) -> dict[str, int]:
    """Count the treated and comparison firms with the outcome."""
    firm = sample.stacks.firm[sample.unit]
    return {
        "n_treated": n_groups(firm[sample.treated]),
        "n_control": n_groups(firm[~sample.treated]),
    }


def _require_firms(sample: StackedSample, least: int) -> None:
    if min(_firms(sample).values()) < least:
        raise IdentificationError(
            f"suppressed: fewer than {least} treated or comparison firms with the outcome"
        )


def _group_q_values(label: Label, found: dict[str, _Grouped]) -> list[Row]:
    """Return Benjamini-Hochberg q-values over every group of every grouping."""
    p_values = {
        str(row["subgroup"]): float(row["p_value"])
        for grouped in found.values()
        for row in grouped.rows
        if np.isfinite(row.get("p_value", np.nan))
    }
    return _q_rows(label, "q_value", p_values, "effects by group")


def _test_q_values(label: Label, found: dict[str, _Grouped]) -> list[Row]:
    """Return Benjamini-Hochberg q-values over the equality tests."""
    p_values = {
        name: float(grouped.test["p_value"])
        for name, grouped in found.items()
        if np.isfinite(grouped.test["p_value"])
    }
    return _q_rows(label, "q_equality", p_values, "equality tests")


def _q_rows(label: Label, test: str, p_values: dict[str, float], of_what: str) -> list[Row]:
    if len(p_values) < 2:
        return []
    q_values = benjamini_hochberg(np.array(list(p_values.values())))
    note = f"Benjamini-Hochberg over {len(p_values)} {of_what}"
    return [
        test_row(label, f"{test}[{name}]", p_value=float(q_value), note=note)
        for name, q_value in zip(p_values, q_values, strict=True)
    ]
