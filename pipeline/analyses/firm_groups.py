"""Pre-entry groups of firms, and a design's stacks restricted to one of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags
from pipeline.effects.candidates import Candidates, join_candidates
from pipeline.effects.stacks import SetMembers, Stacks
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError, Reason, SupportError
from pipeline.matching.designs import as_read, design_risk_sets, match_stack
from pipeline.matching.redo import Redo
from pipeline.matching.stack import RiskSet
from pipeline.params.analyses import Grouping
from pipeline.params.data import PARTICIPANT_NUMBERS, PARTICIPANT_TEXTS
from pipeline.params.match import AnyDesign, ExternalDesign
from pipeline.params.score import Covariate
from pipeline.selection.covariates import covariates_by_code

# Code of a firm whose group is not known.
NO_GROUP = -1


@dataclass(frozen=True)
class Group:
    """Say which group of a grouping is meant: its code in tables, its edges, the user's name."""

    subgroup: str
    low: float | None = None
    high: float | None = None
    label: str | None = None


@dataclass(frozen=True)
class FirmGroups:
    """Hold a design's units with one group each, (u,), and the groups in order."""

    stacks: Stacks
    group: Codes
    groups: list[Group]

    def __iter__(self) -> Iterator[tuple[str, Stacks]]:
        """Yield each group's code in tables and the stacks restricted to it."""
        for code, named in enumerate(self.groups):
            member = self.group == code
            yield named.subgroup, restricted(self.stacks, member, self.group != NO_GROUP)

    @property
    def n_treated_without(self) -> int:
        """Return the number of treated units whose group is not known."""
        return int((self.stacks.treated & (self.group == NO_GROUP)).sum())


def common_groups(study: Study, stacks: Stacks, grouping: Grouping) -> FirmGroups:
    """Group a design's units as they are matched.

    Raises ParamsError where PANEL lacks the column.
    """
    return FirmGroups(stacks, *group_codes(study, stacks, grouping))


@dataclass(frozen=True)
class Rematching:
    """Hold a design that is matched again inside groups; its firms are joined to PANEL once."""

    study: Study
    redo: Redo
    design: str

    @property
    def rule(self) -> AnyDesign | None:
        """Return the design's rule, None for the unmatched one."""
        return self.redo.match.designs.get(self.design)

    @cached_property
    def risk_sets(self) -> list[RiskSet]:
        """Return the design's risk sets, one an entry year."""
        redo = self.redo
        return list(design_risk_sets(redo.scores, redo.covariates, self.design, self.rule))

    @cached_property
    def candidates(self) -> Candidates:
        """Return their firms, joined to PANEL."""
        study = self.study
        return join_candidates(study.index, self.risk_sets, self.design, study.treatment)

    def groups(self, grouping: Grouping) -> FirmGroups:
        """Match the design again inside each group, on the same score.

        Entry years of a group without a match are left out. Raises IdentificationError for a design
        that no rule in params makes and for groups of participants only, SupportError where no
        group has a match.
        """
        _check_rematching(self.design, self.rule, grouping)
        code, groups = group_codes(self.study, self.candidates.every, grouping)
        found, units = [], []
        refusal = Reason("no_entry_year_with_both_groups")
        for risk_set, start in zip(self.risk_sets, self.candidates.starts, strict=True):
            read = as_read(risk_set, self.rule)
            own = code[start : start + len(read.firms)]
            for group in range(len(groups)):
                members = np.flatnonzero(own == group)
                try:
                    found.append(match_stack(read.reordered(members), self.rule))
                    units.append(start + members)
                except SupportError as error:
                    refusal = error.reason
        if not found:
            raise SupportError(Reason("no_group_matched_again", {"reason": refusal}))
        stacks = self.candidates.matched(found, units)
        return FirmGroups(stacks, *group_codes(self.study, stacks, grouping))


def _check_rematching(design: str, rule: AnyDesign | None, grouping: Grouping) -> None:
    """Raise IdentificationError where nothing in params can match again inside the groups."""
    if grouping.column in {*PARTICIPANT_TEXTS, *PARTICIPANT_NUMBERS}:
        column = {"column": grouping.column}
        raise IdentificationError(Reason("group_of_participants_only", column))
    if isinstance(rule, ExternalDesign):
        raise IdentificationError(Reason("design_from_file", {"design": design}))


def group_codes(study: Study, stacks: Stacks, grouping: Grouping) -> tuple[Codes, list[Group]]:
    """Return each unit's group (u,), -1 where unknown, and the groups in order.

    Text and entry years give the groups of the whole panel, so that codes mean the same in every
    stack.
    """
    if grouping.transform == "entry_year":
        cohorts = np.array(sorted(study.panel["cohort"].dropna().unique()), dtype=np.int64)
        code = np.searchsorted(cohorts, stacks.stack)
        return np.asarray(code, dtype=np.intp), [Group(str(year)) for year in cohorts]
    own = {"group": _covariate(study, grouping)}
    dated = covariates_by_code(study.panel, study.index, stacks.firm, stacks.stack, own)["group"]
    if grouping.transform == "category":
        texts = sorted(study.panel[grouping.column].dropna().astype("str").unique())
        code = pd.Index(texts).get_indexer(pd.Index(dated))
        return np.asarray(code, dtype=np.intp), [Group(text) for text in texts]
    values = dated.to_numpy(np.float64)
    edges = [0.5] if grouping.transform == "any" else grouping.edges
    code = np.searchsorted(np.array(edges, dtype=np.float64), values, side="right")
    return np.where(np.isfinite(values), code, NO_GROUP).astype(np.intp), _cut(grouping)


def _cut(grouping: Grouping) -> list[Group]:
    """Return the groups of a number, from the lowest up; those of `any` have no edges."""
    edges: list[float | None] = [None] if grouping.transform == "any" else [*grouping.edges]
    labels: list[str] | list[None] = grouping.labels or [None] * (len(edges) + 1)
    bounds = pairwise([None, *edges, None])
    return [
        Group(f"g{position}", low, high, label)
        for position, ((low, high), label) in enumerate(zip(bounds, labels, strict=True), 1)
    ]


def restricted(stacks: Stacks, member: Flags, grouped: Flags) -> Stacks:
    """Return a design's stacks with weight on one group only.

    Where there are matched sets, those of the group's treated firms; else the group's own firms,
    and all comparison firms where none has a group, as with a role in the programme.
    """
    if stacks.sets is None:
        if not grouped[~stacks.treated].any():
            member = member | ~stacks.treated
        return replace(stacks, weight=stacks.weight * member)
    own = stacks.sets.unit[stacks.treated[stacks.sets.unit] & member[stacks.sets.unit]]
    owner = stacks.sets.set_code[np.isin(stacks.sets.unit, own) & _is_treated(stacks)]
    kept = np.isin(stacks.sets.set_code, owner)
    sets = SetMembers(stacks.sets.unit[kept], stacks.sets.set_code[kept], stacks.sets.weight[kept])
    weight = np.bincount(sets.unit, sets.weight, len(stacks.weight)).astype(np.float64)
    return replace(stacks, weight=weight, sets=sets)


def _is_treated(stacks: Stacks) -> Flags:
    assert stacks.sets is not None
    return stacks.treated[stacks.sets.unit]


def _covariate(study: Study, grouping: Grouping) -> Covariate:
    at = study.treatment.reference_event_time if grouping.at is None else grouping.at
    return Covariate.model_validate(
        {
            "label": grouping.label,
            "column": grouping.column,
            "transform": grouping.transform,
            "at": at,
        }
    )
