"""The effect diff: what changed between two revisions, and which effects moved with it."""

from dataclasses import dataclass

import pandas as pd

from pipeline.commands.audit.effects_diff import Moved, moved_estimates
from pipeline.commands.audit.revisions import Revision
from pipeline.commands.audit.sample_diff import MovedCount, SampleTables, moved_counts
from pipeline.commands.audit.settings_diff import (
    Changed,
    changed_code,
    changed_data,
    changed_packages,
    changed_parameters,
)
from pipeline.datasets.results import TERM

_COORDINATES = TERM[1:]
# Families whose brackets held the size that firms are weighted by.
_SIZED = ("att_by", "total")


@dataclass(frozen=True)
class StudyDiff:
    """Hold what moved in one study, and how many estimates with a standard error it has."""

    study: str
    estimates: list[Moved]
    n_estimates: int
    counts: list[MovedCount]


@dataclass(frozen=True)
class EffectDiff:
    """Hold everything that differs between two revisions."""

    before: str
    after: str
    parameters: list[Changed]
    data: list[Changed]
    code: list[Changed]
    packages: list[Changed]
    studies: list[StudyDiff]

    @property
    def nothing_moved(self) -> bool:
        """Say whether every estimate and every count is the same."""
        return not any(study.estimates or study.counts for study in self.studies)


def compare_revisions(old: Revision, new: Revision) -> EffectDiff:
    """Return the effect diff of two revisions, from git and committed results alone."""
    studies = dict.fromkeys([*new.studies(), *old.studies()])
    return EffectDiff(
        before=old.label,
        after=new.label,
        parameters=changed_parameters(old, new),
        data=changed_data(old, new),
        code=changed_code(old, new),
        packages=changed_packages(old, new),
        studies=[_study_diff(old, new, study) for study in studies],
    )


def _study_diff(old: Revision, new: Revision, study: str) -> StudyDiff:
    before, after = (typed_estimates(side.results(study, "estimates")) for side in (old, new))
    headline = _headline(new, study) or _headline(old, study)
    return StudyDiff(
        study=study,
        estimates=moved_estimates(before, after, headline, _placebos(new, study)),
        n_estimates=int(after["std_error"].notna().sum()) if len(after) else 0,
        counts=moved_counts(_sample(old, study), _sample(new, study)),
    )


def _sample(revision: Revision, study: str) -> SampleTables:
    return SampleTables(*(revision.results(study, t) for t in ("sample_flow", "matched", "losses")))


def _headline(revision: Revision, study: str) -> dict[str, str]:
    """Return design, estimator and term of a study's headline; empty where it has none."""
    chosen = revision.yaml("params.yaml").get(study, {}).get("estimate", {}).get("headline", {})
    names = {"design": "design", "spec": "estimator", "term": "term"}
    return {names[key]: str(value) for key, value in chosen.items() if key in names}


def _placebos(revision: Revision, study: str) -> list[str]:
    """Return the outcomes that a study declares as negative controls."""
    outcomes = revision.yaml("params.yaml").get(study, {}).get("outcomes", {})
    return [name for name, outcome in outcomes.items() if outcome.get("negative_control")]


def typed_estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Return committed ESTIMATES with the key of today and coordinates as integers.

    Earlier revisions wrote `event_bin[1,3]` and `total[jobs]` as terms, `size=10 or more` as a
    subgroup, and the reference period in a note. Their other notes are not read.
    """
    if table.empty:
        return table
    typed = table if "grouping" in table.columns else _from_names(table)
    return typed.astype(dict.fromkeys(_COORDINATES, "Int64"))


def _from_names(table: pd.DataFrame) -> pd.DataFrame:
    term = table["term"].str.partition("[")
    family, inside = term[0], term[2].str.removesuffix("]")
    ends = inside.where(family == "event_bin", "").str.partition(",")
    group = table["subgroup"].str.partition("=")
    return table.assign(
        arm="all",
        grouping=inside.where(family.isin(_SIZED), group[0]),
        subgroup=group[2].where(group[1] == "=", "all"),
        term=family,
        event_time=table["event_time"].fillna(pd.to_numeric(ends[0])),
        last_event_time=pd.to_numeric(ends[2]),
        reason=table["note"].map({"reference period": "reference_period"}),
    )
