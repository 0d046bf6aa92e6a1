"""Average effects by pre-entry group, and tests that they are equal.

Each group is estimated on its own stacks with its own year effects. All effects are functions of
the same clusters, so that their covariance is the sum over clusters of products of influences, and
equality is one Wald test (`inference.equality`).
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.analyses.averages import (
    average_effect,
    average_log_ratio,
    average_row,
    ratios_of,
)
from pipeline.analyses.firm_groups import FirmGroups, Rematching, common_groups
from pipeline.analyses.group_names import BY_GROUP
from pipeline.datasets.fits import DETECTABLE
from pipeline.datasets.samples import GROUPING_LOSSES, GROUPS
from pipeline.effects.collected import Collected
from pipeline.effects.estimated import Estimated
from pipeline.effects.populations import labelled
from pipeline.effects.rows import Label, Row, analysis_label, missing_row, test_row
from pipeline.effects.sample import StackedSample, check_comparable, stacked_sample
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT
from pipeline.errors import IdentificationError, ParamsError, Reason, SupportError
from pipeline.inference.covariance import benjamini_hochberg
from pipeline.inference.equality import TEST, detectable_difference, equality_row
from pipeline.matching.losses import effective_size
from pipeline.matching.redo import Redo
from pipeline.panel.panel_index import n_groups
from pipeline.panel.scale import on_scale
from pipeline.params.analyses import Grouping, GroupsSection
from pipeline.params.outcomes import Outcome
from pipeline.progress import track


@dataclass(frozen=True)
class _Grouped:
    """Hold one grouping's rows of ESTIMATES, effects by cluster by subgroup, the test."""

    rows: list[Row]
    effects: dict[str, Estimated]
    test: Row


def add_groups(collected: Collected, study: Study, asked: GroupsSection, redo: Redo | None) -> None:
    """Add effects by group, equality tests, and q-values over all groups and over all tests.

    Raises ParamsError where PANEL lacks a column, or where nothing is at hand to match again.
    """
    _check(study, asked, redo)
    for design in asked.designs:
        again = Rematching(study, redo, design) if asked.match == "within" and redo else None
        named = track(asked.by, f"groupings of {design}", len(asked.by), name=str)
        groupings = {name: _grouped_firms(study, design, asked.by[name], again) for name in named}
        for name, firms in groupings.items():
            if isinstance(firms, FirmGroups):
                _add_firms(collected, design, name, asked.by[name], firms)
        for outcome in track(
            asked.outcomes, f"outcomes by group of {design}", len(asked.outcomes), name=str
        ):
            label = analysis_label(study, BY_GROUP, asked, design, outcome)
            found = {
                name: _estimate(collected, asked, replace(label, grouping=name), firms)
                for name, firms in groupings.items()
            }
            for name, grouped in found.items():
                collected.estimates += grouped.rows
                collected.tests.append(grouped.test)
                apart = detectable_difference(label, name, grouped.effects, study.estimate)
                if apart is not None:
                    collected.add(DETECTABLE, **apart)
            collected.tests += _group_q_values(label, found)
            collected.tests += _test_q_values(label, found)


def _add_firms(
    collected: Collected, design: str, name: str, grouping: Grouping, firms: FirmGroups
) -> None:
    """Add what a grouping's groups are, and how many treated firms are in none."""
    place = {"design": design, "grouping": name}
    for position, group in enumerate(firms.groups, 1):
        told = {"position": position, "transform": grouping.transform, **vars(group)}
        collected.add(GROUPS, **place, **told)
    without = {"estimator": BY_GROUP, "treated": True, "n_firms": firms.n_treated_without}
    collected.add(GROUPING_LOSSES, **place, **without)


def _check(study: Study, asked: GroupsSection, redo: Redo | None) -> None:
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
    study: Study, design: str, grouping: Grouping, again: Rematching | None
) -> FirmGroups | Reason:
    """Return the grouping's firms, or the reason why they cannot be matched."""
    if again is None:
        return common_groups(study, study.stacks[design], grouping)
    try:
        return again.groups(grouping)
    except (IdentificationError, SupportError) as error:
        return error.reason


def _estimate(
    collected: Collected,
    asked: GroupsSection,
    label: Label,
    firms: FirmGroups | Reason,
) -> _Grouped:
    study = collected.study
    outcome = study.outcomes[label.outcome]
    if not outcome.observed:
        firms = Reason("not_observed", {"reason": outcome.reason})
    if isinstance(firms, Reason):
        row = missing_row(label, ATT, firms)
        return _Grouped([row], {}, test_row(label, TEST, reason=firms))
    rows: list[Row] = []
    effects: dict[str, Estimated] = {}
    values = on_scale(study.panel[outcome.column], outcome)
    for group, stacks in firms:
        own = replace(label, subgroup=group)
        sample = stacked_sample(stacks, values, study.estimate.missing)
        collected.members.add_sample(labelled(own), sample)
        try:
            _require_firms(sample, asked.least_firms, sampled=study.sampling is not None)
            row = average_row(collected, own, _effect(study, outcome, sample))
            if (kept := collected.kept_of(own, ATT)) is not None:
                effects[group] = kept.by_cluster
        except (IdentificationError, SupportError) as error:
            row = missing_row(own, ATT, error.reason, **_firms(sample))
        rows.append(row)
    return _Grouped(rows, effects, equality_row(label, label.grouping, effects))


def _effect(study: Study, outcome: Outcome, sample: StackedSample) -> Estimated:
    check_comparable(sample)
    if outcome.in_ratios:
        return average_log_ratio(ratios_of(study, sample), sample.y)
    return average_effect(study, sample)


def _firms(sample: StackedSample) -> dict[str, int]:
    """Count the treated and comparison firms with the outcome."""
    return {
        "n_treated": n_groups(sample.firm[sample.treated]),
        "n_control": n_groups(sample.firm[~sample.treated]),
    }


def _require_firms(sample: StackedSample, least: int, *, sampled: bool) -> None:
    """Raise IdentificationError where a side has too few firms; too few by sampling weights, too.

    By these a group may rest on one firm of many.
    """
    if min(_firms(sample).values()) < least:
        raise IdentificationError(Reason("group_too_small", {"least": least}))
    if sampled and min(_effective(sample, side) for side in (True, False)) < least:
        raise IdentificationError(Reason("group_on_few_weights", {"least": least}))


def _effective(sample: StackedSample, treated: bool) -> float:
    """Return the effective number of firms of a side, each with its weights added up."""
    own = sample.treated == treated
    return effective_size(np.bincount(sample.firm[own], sample.weight[own]).astype(np.float64))


def _group_q_values(label: Label, found: dict[str, _Grouped]) -> list[Row]:
    """Return Benjamini-Hochberg q-values over every group of every grouping."""
    tested = [
        (replace(label, grouping=row["grouping"], subgroup=row["subgroup"]), row["p_value"])
        for grouped in found.values()
        for row in grouped.rows
        if np.isfinite(row.get("p_value", np.nan))
    ]
    return _q_rows("q_value", tested, "benjamini_hochberg_groups")


def _test_q_values(label: Label, found: dict[str, _Grouped]) -> list[Row]:
    """Return Benjamini-Hochberg q-values over the equality tests."""
    tested = [
        (replace(label, grouping=name), grouped.test["p_value"])
        for name, grouped in found.items()
        if np.isfinite(grouped.test["p_value"])
    ]
    return _q_rows("q_equality", tested, "benjamini_hochberg_equality")


def _q_rows(test: str, tested: list[tuple[Label, float]], code: str) -> list[Row]:
    if len(tested) < 2:
        return []
    q_values = benjamini_hochberg(np.array([p_value for _, p_value in tested]))
    said = [Reason(code, {"n": len(tested)})]
    return [
        test_row(label, test, p_value=float(q_value), remarks=said)
        for (label, _), q_value in zip(tested, q_values, strict=True)
    ]
