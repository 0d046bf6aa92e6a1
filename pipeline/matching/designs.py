"""Matching designs: from scores to matched sets and weights, stack by stack.

Each stack is matched on its own. Rows are taken in order of `firm_id`, so that ties do not
depend on how a file was sorted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.matches import LOSSES, MATCHED, MATCHES, WEIGHTS
from pipeline.datasets.store import ascends, conform, empty
from pipeline.errors import ParamsError
from pipeline.matching.cells import exact_cells, require_quantiles, weigh_by_cells
from pipeline.matching.covariate_pairs import match_on_covariates
from pipeline.matching.entropy import weigh_by_entropy
from pipeline.matching.external import adopt, rows_of_stack
from pipeline.matching.kernel import weigh_by_kernel
from pipeline.matching.losses import design_counts, design_losses
from pipeline.matching.score_pairs import match_on_score
from pipeline.matching.score_weights import weigh_by_odds, weigh_by_overlap
from pipeline.matching.sets import numbered_members
from pipeline.matching.stack import RiskSet, StackMatch, weighted
from pipeline.params.design_rules import CellDesign
from pipeline.params.match import AnyDesign, MatchSection
from pipeline.progress import track
from pipeline.selection.firm_stacks import rows_of_firms
from pipeline.selection.risk_sets import with_weight

_METHODS: dict[str, Callable[[RiskSet, Any], StackMatch]] = {
    "nearest": match_on_score,
    "radius": match_on_score,
    "kernel": weigh_by_kernel,
    "mahalanobis": match_on_covariates,
    "cells": weigh_by_cells,
    "odds": weigh_by_odds,
    "overlap": weigh_by_overlap,
    "entropy": weigh_by_entropy,
    "external": adopt,
}


@dataclass(frozen=True)
class Matched:
    """Hold the tables MATCHES, WEIGHTS, MATCHED and LOSSES of every design."""

    matches: pd.DataFrame
    weights: pd.DataFrame
    counts: pd.DataFrame
    losses: pd.DataFrame


def match_designs(
    scores: pd.DataFrame,
    covariates: pd.DataFrame,
    section: MatchSection,
    brought: dict[str, pd.DataFrame] | None = None,
) -> Matched:
    """Match every design of a study, stack by stack, and weight the `unmatched` design.

    `scores` is SCORES, `covariates` COVARIATES, `brought` the files of external designs. Only
    firms on support match. `unmatched` uses all firms of its risk sets: treated weight 1,
    comparison weight treated / comparison firms. Where SCORES has sampling weights, treated firms
    weigh theirs instead of 1, and comparison weights are in proportion to theirs.

    Raises ParamsError where a design names an unknown score model or covariate, SupportError
    where a stack of a design has no match at all.
    """
    _check_names(scores, covariates, section)
    matches, counts, losses = [empty(MATCHES)], [], []
    weights = dict[str, pd.DataFrame]()
    names = ["unmatched", *section.designs]
    for name in track(names, "designs", len(names), name=str):
        design = section.designs.get(name)
        given = design_risk_sets(scores, covariates, name, design, (brought or {}).get(name))
        told = track(given, "entry years", scores["stack"].nunique(), name=_told)
        stacks = [match_stack(risk_set, design) for risk_set in told]
        matches += [match_rows(stack, name) for stack in stacks if len(stack.sets.treated)]
        weights[name] = pd.concat([weight_rows(stack, name) for stack in stacks])
        counts += design_counts(name, stacks)
        losses += design_losses(name, stacks)
    return Matched(
        conform(MATCHES, pd.concat(matches)),
        # sorted as they will stand, which `conform` then need not do
        conform(WEIGHTS, pd.concat([weights[name] for name in sorted(weights)])),
        conform(MATCHED, pd.DataFrame(counts, columns=list(MATCHED.columns))),
        conform(LOSSES, pd.DataFrame(losses)),
    )


def _told(risk_set: RiskSet) -> str:
    """Name a risk set for who waits."""
    return f"{risk_set.entry_year}, {len(risk_set.firms):,} firms"


def design_risk_sets(
    scores: pd.DataFrame,
    covariates: pd.DataFrame,
    name: str,
    design: AnyDesign | None,
    brought: pd.DataFrame | None = None,
) -> Iterator[RiskSet]:
    """Yield the risk set of each stack of a design, with its exact cells and brought rows.

    Without a design nothing asks for covariates, and there are none.
    """
    key = ["stack", "firm_id"]
    model = "unmatched" if design is None else design.score
    risk_sets = scores[scores["model"] == model]
    if not ascends(risk_sets, key):
        risk_sets = risk_sets.sort_values(key, kind="stable")
    row = None if design is None else rows_of_firms(risk_sets, covariates)
    exact, bins = (design.exact, design.bins) if isinstance(design, CellDesign) else ([], {})
    years, firsts = np.unique(risk_sets["stack"].to_numpy(np.int64), return_index=True)
    for year, rows in zip(years.tolist(), map(slice, firsts, [*firsts[1:], None]), strict=True):
        firms = risk_sets.iloc[rows].reset_index(drop=True)
        values = firms[key] if row is None else covariates.iloc[row[rows]].reset_index(drop=True)
        where = f"{model}, stack {year}" + (f", design {name}" if design else "")
        require_quantiles(values, bins, where)
        own = rows_of_stack(brought, year, len(years), where)
        yield RiskSet(where, year, firms, values, exact_cells(values, exact, bins), own)


def as_read(risk_set: RiskSet, design: AnyDesign | None) -> RiskSet:
    """Return a risk set with no column but those that its design's method reads, to be reordered.

    Not of a design from a file, which names its firms.
    """
    read = ["treated", "on_support", "linear_score", "propensity_score"]
    firms = risk_set.firms[with_weight(read, risk_set.firms)]
    return replace(risk_set, firms=firms, covariates=risk_set.covariates[read_by(design)])


def read_by(design: AnyDesign | None) -> list[str]:
    """Return the covariates that a design's method reads beside its exact cells."""
    named = {} if design is None else design.named()
    return sorted({n for setting, names in named.items() if setting != "exact" for n in names})


def _check_names(scores: pd.DataFrame, covariates: pd.DataFrame, section: MatchSection) -> None:
    models = [str(model) for model in scores["model"].unique() if model != "unmatched"]
    known = [column for column in covariates.columns if column not in ("stack", "firm_id")]
    for name, design in section.designs.items():
        if design.score not in models:
            raise ParamsError(
                f"match.designs.{name}.score is {design.score}, which is not a score model; "
                f"score.models has {', '.join(models)}"
            )
        for key, named in design.named().items():
            unknown = [column for column in named if column not in known]
            if unknown:
                raise ParamsError(
                    f"match.designs.{name}.{key} names {', '.join(unknown)}, which is not a "
                    f"covariate; score.covariates has {', '.join(known)}"
                )


def match_rows(stack: StackMatch, name: str) -> pd.DataFrame:
    """Return MATCHES rows of one stack: each set's treated firm, then its comparison firms."""
    sets, firms = stack.sets, stack.firms
    number, row, weight = numbered_members(sets)
    n_treated = len(row) - len(sets.control)
    year = str(firms["stack"].iloc[0])
    return pd.DataFrame(
        {
            "design": name,
            "stack": firms["stack"].iloc[0],
            "set_id": pd.Series(number + 1).map(lambda n: f"{year}-{n:06d}"),
            "firm_id": firms["firm_id"].to_numpy()[row],
            "treated": np.arange(len(number)) < n_treated,
            "set_weight": weight,
            "distance": np.concatenate([np.zeros(n_treated), sets.distance]),
        }
    )


def weight_rows(stack: StackMatch, name: str) -> pd.DataFrame:
    """Return WEIGHTS rows of one stack: the firms it uses."""
    weighted = stack.firms.assign(design=name, weight=stack.weight, estimand=stack.estimand)
    return weighted.loc[stack.weight > 0, list(WEIGHTS.columns)]


def match_stack(risk_set: RiskSet, design: AnyDesign | None) -> StackMatch:
    """Match or weight one stack by its design's method; without a design, use everyone.

    Raises SupportError where nothing can be compared.
    """
    if design is None:
        risk_set.require_both()
        return weighted(risk_set, np.ones(len(risk_set.firms)))
    return _METHODS[design.method](risk_set, design)
