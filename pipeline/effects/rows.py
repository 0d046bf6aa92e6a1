"""Rows of ESTIMATES and TESTS: where an estimate belongs, and what stands in its columns."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.datasets.results import PLACE
from pipeline.effects.families import family_traits
from pipeline.effects.study import Study
from pipeline.effects.terms import Term
from pipeline.errors import Reason
from pipeline.params.analyses import Analysis, Clustering
from pipeline.params.arms import ONLY_ARM
from pipeline.params.estimate import Spec

Row = dict[str, Any]

ALL = "all"

# Value of `sample` in rows of an entry dated too early.
PLACEBO_ENTRY = "placebo_entry"


@dataclass(frozen=True)
class Label:
    """Say which estimate a row belongs to, and on which scale it is.

    `estimator` is the name of the spec or analysis. `sample`, `grouping` and `subgroup` restrict
    the firms; `grouping` is also the size that firms are weighted by.
    """

    outcome: str
    design: str
    estimator: str
    estimand: str
    scale: str
    cluster: Clustering
    conf_level: float
    arm: str = ONLY_ARM
    sample: str = ALL
    grouping: str = ALL
    subgroup: str = ALL


def fit_key(label: Label) -> Row:
    """Return the key of one estimator of one outcome under one design."""
    return {"design": label.design, "outcome": label.outcome, "estimator": label.estimator}


def spec_label(study: Study, spec: Spec, design: str, outcome: str) -> Label:
    """Return the label of a spec's estimates, on the outcome's own scale."""
    return _label(study, spec.name, spec.clustering, design, outcome)


def analysis_label(study: Study, name: str, analysis: Analysis, design: str, outcome: str) -> Label:
    """Return the label of an analysis' estimates, on the outcome's own scale."""
    return _label(study, name, analysis.cluster, design, outcome)


def _label(study: Study, estimator: str, cluster: Clustering, design: str, outcome: str) -> Label:
    return Label(
        outcome=outcome,
        design=design,
        estimator=estimator,
        estimand=study.estimand[design],
        scale=study.outcomes[outcome].scale,
        cluster=cluster,
        conf_level=study.estimate.conf_level,
        arm=study.arm,
    )


def effect_row(
    label: Label,
    term: Term,
    *,
    reason: Reason | None = None,
    remarks: Iterable[Reason] = (),
    **values: Any,
) -> Row:
    """Return a row of ESTIMATES, analytic and pointwise unless `values` differ.

    Raises ValueError where the family of the term is not declared.
    """
    family_traits(term.family)
    rest = {"inference": "analytic", "band": "pointwise"}
    said = {"reason": reason, "remarks": tuple(remarks)}
    return vars(label) | rest | term.columns | said | values


def missing_row(label: Label, term: Term, reason: Reason, **values: Any) -> Row:
    """Return a row without an estimate, and why."""
    return effect_row(label, term, reason=reason, **values)


def without_figures(row: Row, inference: str, reason: Reason, *missing: str) -> Row:
    """Return a row beside another's estimate whose `missing` columns are not to be had, and why."""
    empty = dict.fromkeys(missing, np.nan)
    return row | empty | {"inference": inference, "reason": reason, "remarks": ()}


def test_row(
    label: Label,
    test: str,
    *,
    reason: Reason | None = None,
    remarks: Iterable[Reason] = (),
    **values: Any,
) -> Row:
    """Return a row of TESTS; what is not given is missing."""
    empty = dict.fromkeys(("statistic", "df", "df_denominator", "p_value"), np.nan)
    return (
        place_of(label)
        | {"test": test, "reason": reason, "remarks": tuple(remarks)}
        | empty
        | values
    )


def place_of(label: Label) -> dict[str, str]:
    """Return the columns that say where an estimate or test belongs."""
    return {name: getattr(label, name) for name in PLACE}


def label_of(row: Row) -> Label:
    """Return the label that a row of ESTIMATES has."""
    return Label(**{name: row[name] for name in Label.__match_args__})


def term_of(row: Row) -> Term:
    """Return the term that a row is of."""
    names = ("cohort", "year", "event_time", "last_event_time")
    return Term(row["term"], *(row[name] for name in names))
