"""The effect diff: what changed between two revisions, and which effects moved with it."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.commands.audit.comparison import same_number
from pipeline.commands.audit.earlier_results import typed_estimates, with_codes
from pipeline.commands.audit.revisions import Revision
from pipeline.commands.audit.sample_diff import MovedCount, SampleTables, moved_counts
from pipeline.commands.audit.settings_diff import (
    Changed,
    changed_code,
    changed_data,
    changed_packages,
    changed_parameters,
    not_run_words,
)
from pipeline.datasets.results import ESTIMATES, TERM
from pipeline.effects.terms import Term
from pipeline.exhibits.numbers import term_key
from pipeline.params.inference_methods import primary_methods

# Coordinates are part of a term's name: `event[-2]`.
_COORDINATES = TERM[1:]
_FIGURES = [
    name
    for name, column in ESTIMATES.columns.items()
    if column.kind in ("number", "integer") and name not in _COORDINATES
]
# Values of the key of ESTIMATES: text, but integers or None where the term stands in time.
_Key = tuple[Any, ...]
# The part of the key that is printed only where it is not what most rows have.
_USUAL = {
    "arm": "all",
    "sample": "all",
    "grouping": "all",
    "subgroup": "all",
    "inference": "analytic",
    "band": "pointwise",
}


@dataclass(frozen=True)
class Estimate:
    """Hold what one revision says of one effect; NaN where it says nothing."""

    estimate: float = math.nan
    std_error: float = math.nan
    p_value: float = math.nan
    conf_level: float = math.nan

    @property
    def significant(self) -> bool:
        """Say whether zero lies outside the interval."""
        return self.p_value < 1 - self.conf_level


@dataclass(frozen=True)
class Moved:
    """Hold one effect before and after; `place` is its key in ESTIMATES, `name` its words."""

    place: dict[str, Any]
    name: str
    before: Estimate
    after: Estimate
    headline: bool = False

    @property
    def change(self) -> float:
        """Return after less before, in the units of the effect."""
        return self.after.estimate - self.before.estimate

    @property
    def change_in_errors(self) -> float:
        """Return the change in standard errors of the estimate before."""
        return self.change / self.before.std_error if self.before.std_error > 0 else math.nan

    @property
    def _same_interval(self) -> bool:
        one, two = self.before, self.after
        pairs = ((one.std_error, two.std_error), (one.p_value, two.p_value))
        return all(same_number(a, b) or (math.isnan(a) and math.isnan(b)) for a, b in pairs)

    @property
    def marks(self) -> list[str]:
        """Return what a reader must not overlook: another sign, a threshold, the interval alone."""
        if math.isnan(self.before.estimate) or math.isnan(self.after.estimate):
            return ["no longer estimated" if math.isnan(self.after.estimate) else "new"]
        if same_number(self.before.estimate, self.after.estimate):
            return [] if self._same_interval else ["interval only"]
        marks = ["sign flips"] if self.before.estimate * self.after.estimate < 0 else []
        if self.before.significant != self.after.significant:
            level = f"{100 * (1 - self.after.conf_level):.3g} percent"
            verb = "becomes" if self.after.significant else "is no longer"
            marks.append(f"{verb} significant at {level}")
        return marks


@dataclass(frozen=True)
class StudyDiff:
    """Hold what moved in one study, and how many estimates with a standard error it has.

    `gone` says that only the state before has the study, `new` that only the one after has.
    """

    study: str
    estimates: list[Moved]
    n_estimates: int
    counts: list[MovedCount]
    gone: bool = False
    new: bool = False


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
        return not any(study.estimates or study.counts for study in self.studies)


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
    headline = _headline(new, study) or _headline(old, study)
    return StudyDiff(
        study=study,
        estimates=moved_estimates(before, after, headline, _placebos(new, study)),
        n_estimates=int(after["std_error"].notna().sum()) if len(after) else 0,
        counts=moved_counts(_sample(old, study), _sample(new, study)),
        gone=study not in new.studies(),
        new=study not in old.studies(),
    )


def _estimates(side: Revision, other: Revision, study: str) -> pd.DataFrame:
    """Return one side's estimates; groups without codes get those of the other side."""
    table = typed_estimates(side.results(study, "estimates"))
    groups = other.results(study, "groups")
    if table.empty or groups.empty or side.read(f"reports/{study}/results/groups.csv"):
        return table
    return with_codes(table, groups)


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


def moved_estimates(
    before: pd.DataFrame,
    after: pd.DataFrame,
    headline: dict[str, str],
    placebos: Collection[str] = (),
) -> list[Moved]:
    """Return the estimates with any figure that moved, headline effects first.

    `headline` holds design, estimator and term; the outcomes `placebos` are no headlines. Rows are
    joined by the key of ESTIMATES, in the order of the table after; rows that only one side has
    are among the moved.
    """
    old, new = _by_key(before), _by_key(after)
    outcome = ESTIMATES.key.index("outcome")
    moved = []
    for key in [*new, *(key for key in old if key not in new)]:
        one, two = old.get(key, {}), new.get(key, {})
        if not _same(one, two):
            asked = {} if key[outcome] in placebos else headline
            moved.append(_moved(key, one, two, asked))
    return sorted(moved, key=lambda row: not row.headline)


def _by_key(table: pd.DataFrame) -> dict[_Key, dict[str, float]]:
    """Return the figures of each row by its key; the reference period has none and is left out.

    A table that an earlier version wrote with another key has no rows to compare.
    """
    if not {*ESTIMATES.key, "reason"} <= set(table.columns):
        return {}
    kept = table[table["reason"].ne("reference_period").fillna(True)]
    figures = kept.reindex(columns=_FIGURES).to_dict("records")
    keys = kept[list(ESTIMATES.key)].to_dict("records")
    return {
        tuple(_part(str(name), value) for name, value in key.items()): {
            str(k): float(v) for k, v in row.items()
        }
        for key, row in zip(keys, figures, strict=True)
    }


def _part(name: str, value: Any) -> str | int | None:
    if name not in _COORDINATES:
        return str(value)
    return None if pd.isna(value) else int(value)


def _same(one: dict[str, float], two: dict[str, float]) -> bool:
    """Say whether all figures agree; what neither side could estimate has not moved."""
    if math.isnan(one.get("estimate", math.nan)) and math.isnan(two.get("estimate", math.nan)):
        return True
    if not one or not two:
        return False
    return all(
        same_number(one[name], two[name]) or (math.isnan(one[name]) and math.isnan(two[name]))
        for name in _FIGURES
    )


def _moved(
    key: _Key, one: dict[str, float], two: dict[str, float], headline: dict[str, str]
) -> Moved:
    place = dict(zip(ESTIMATES.key, key, strict=True))
    usual = place["inference"] in primary_methods() and all(
        place[name] == value for name, value in _USUAL.items() if name != "inference"
    )
    shown = [_named(place, name) for name in place if name not in _COORDINATES]
    return Moved(
        place=place,
        name=" ".join(word for word in shown if word),
        before=_estimate(one),
        after=_estimate(two),
        headline=usual and bool(headline) and headline.items() <= place.items(),
    )


def _named(place: dict[str, Any], name: str) -> str:
    """Return what a part of the key is called; empty where it is what most rows have."""
    if name == "term":
        return term_key(Term(place["term"], *(place[n] for n in _COORDINATES)))
    return "" if _USUAL.get(name) == place[name] else str(place[name])


def _estimate(row: dict[str, float]) -> Estimate:
    return Estimate(**{name: row[name] for name in Estimate.__annotations__ if name in row})
