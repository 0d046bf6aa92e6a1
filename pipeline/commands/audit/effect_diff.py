"""The effect diff: what changed between two revisions, and which effects moved with it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from pipeline.commands.audit.earlier_results import typed_estimates, with_codes
from pipeline.commands.audit.moved_rows import (
    BETWEEN_ARMS,
    UNDER_POOLS,
    Compared,
    HeadlineRows,
    Moved,
    count_estimates,
    moved_rows,
)
from pipeline.commands.audit.revisions import Revision
from pipeline.commands.audit.sample_diff import (
    DesignTables,
    MovedCount,
    SampleTables,
    moved_counts,
)
from pipeline.commands.audit.settings_diff import (
    Changed,
    changed_code,
    changed_data,
    changed_packages,
    changed_parameters,
    not_run_words,
)


@dataclass(frozen=True)
class StudyDiff:
    """Hold what moved in one study, and how many estimates with a standard error its states have.

    `estimates` are of all arms, `contrasts` between them, `pools` effects under other pools; `gone`
    says that only the state before has the study, `new` that only the one after has.
    """

    study: str
    estimates: list[Moved]
    n_estimates: int
    counts: list[MovedCount]
    contrasts: list[Moved]
    pools: list[Moved]
    gone: bool = False
    new: bool = False

    @property
    def anything_moved(self) -> bool:
        """Say whether any estimate, sum of estimates or count is another."""
        return bool(self.estimates or self.contrasts or self.pools or self.counts)


@dataclass(frozen=True)
class EffectDiff:
    """Hold everything that differs between two revisions.

    `not_run` says of which studies the results after are not those of the settings after.
    """

    before: str
    after: str
    parameters: list[Changed]
    not_run: list[str]
    data: list[Changed]
    code: list[Changed]
    packages: list[Changed]
    studies: list[StudyDiff]

    @property
    def nothing_moved(self) -> bool:
        """Say whether every estimate and every count is the same."""
        return not any(study.anything_moved for study in self.studies)


def compare_revisions(old: Revision, new: Revision) -> EffectDiff:
    """Return the effect diff of two revisions, from git and committed results alone."""
    studies = dict.fromkeys([*new.studies(), *old.studies()])
    return EffectDiff(
        before=old.label,
        after=new.label,
        parameters=changed_parameters(old, new),
        not_run=[line for study in new.studies() for line in not_run_words(new, study)],
        data=changed_data(old, new),
        code=changed_code(old, new),
        packages=changed_packages(old, new),
        studies=[_study_diff(old, new, study) for study in studies],
    )


def _study_diff(old: Revision, new: Revision, study: str) -> StudyDiff:
    before, after = _estimates(old, new, study), _estimates(new, old, study)
    quoted = _quoted(old, new, study)
    return StudyDiff(
        study=study,
        estimates=moved_rows(before, after, quoted),
        n_estimates=count_estimates(before, after),
        counts=moved_counts(_sample(old, study), _sample(new, study)),
        contrasts=_moved_of(old, new, study, quoted, compared=BETWEEN_ARMS),
        pools=_moved_of(old, new, study, quoted, compared=UNDER_POOLS),
        gone=study not in new.studies(),
        new=study not in old.studies(),
    )


def _moved_of(
    old: Revision, new: Revision, study: str, quoted: HeadlineRows, *, compared: Compared
) -> list[Moved]:
    before, after = (side.results(study, compared.table.name.lower()) for side in (old, new))
    return moved_rows(before, after, quoted, compared)


def _estimates(side: Revision, other: Revision, study: str) -> pd.DataFrame:
    """Return one side's estimates in every arm; groups without codes get the other side's."""
    table = pd.concat(list(_by_arm(side, study)))
    groups = other.results(study, "groups")
    if table.empty or groups.empty or side.read(f"reports/{study}/results/groups.csv"):
        return table
    return with_codes(table, groups)


def _by_arm(side: Revision, study: str) -> Iterator[pd.DataFrame]:
    for folder in side.arm_folders(study).values():
        yield typed_estimates(side.results(study, "estimates", folder))


def _sample(revision: Revision, study: str) -> SampleTables:
    designs = {
        arm: DesignTables(*(revision.results(study, t, folder) for t in ("matched", "losses")))
        for arm, folder in revision.arm_folders(study).items()
    }
    flow, of_arms, exposed = (
        revision.results(study, table) for table in ("sample_flow", "arm_flow", "exposed")
    )
    return SampleTables(flow, designs, of_arms, exposed)


def _quoted(old: Revision, new: Revision, study: str) -> HeadlineRows:
    """Return what a study's headline is, after or else before."""
    estimate = new.yaml("params.yaml").get(study, {}).get("estimate", {})
    return HeadlineRows(
        _headline(new, study) or _headline(old, study),
        _placebos(new, study),
        float(estimate.get("conf_level", math.nan)),
    )


def _headline(revision: Revision, study: str) -> dict[str, str]:
    """Return design, estimator and term of a study's headline; empty where it has none."""
    chosen = revision.yaml("params.yaml").get(study, {}).get("estimate", {}).get("headline", {})
    names = {"design": "design", "spec": "estimator", "term": "term"}
    return {names[key]: str(value) for key, value in chosen.items() if key in names}


def _placebos(revision: Revision, study: str) -> list[str]:
    """Return the outcomes that a study declares as negative controls."""
    outcomes = revision.yaml("params.yaml").get(study, {}).get("outcomes", {})
    return [name for name, outcome in outcomes.items() if outcome.get("negative_control")]
