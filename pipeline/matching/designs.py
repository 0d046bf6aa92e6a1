"""Matching designs: from scores to matched sets and weights, stack by stack.

Each stack is matched on its own. Rows are taken in order of `firm_id`, so that ties do not
depend on how a file was sorted.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.results import FACTS
from pipeline.datasets.store import conform, empty
from pipeline.errors import ParamsError, SupportError
from pipeline.matching.caliper import caliper_width
from pipeline.matching.losses import design_facts
from pipeline.matching.nearest import match_nearest
from pipeline.matching.sets import Flags, Floats, MatchedSets, Positions, unit_weights
from pipeline.matching.stack import StackMatch
from pipeline.params.match import MatchSection, NearestDesign


@dataclass(frozen=True)
class Matched:
    """Hold the tables MATCHES, WEIGHTS and FACTS of every design."""

    matches: pd.DataFrame
    weights: pd.DataFrame
    facts: pd.DataFrame


def match_designs(scores: pd.DataFrame, covariates: pd.DataFrame, section: MatchSection) -> Matched:
    """Match every design of a study, stack by stack, and weight the `unmatched` design.

    `scores` is SCORES, `covariates` COVARIATES. Only firms on support match. `unmatched` uses
    all firms of its risk sets: treated weight 1, comparison weight treated / comparison firms.

    Raises ParamsError where a design names an unknown score model or covariate, SupportError
    where a stack of a design has no match at all.
    """
    _check_names(scores, covariates, section)
    matches, weights, facts = [empty(MATCHES)], [], []
    for name in ["unmatched", *section.designs]:
        stacks = _match_stacks(scores, covariates, name, section.designs.get(name))
        matches += [_match_rows(stack, name) for stack in stacks if len(stack.sets.treated)]
        weights += [_weight_rows(stack, name) for stack in stacks]
        facts.append(design_facts(name, stacks))
    return Matched(
        conform(MATCHES, pd.concat(matches)),
        conform(WEIGHTS, pd.concat(weights)),
        conform(FACTS, pd.concat(facts)),
    )


def _check_names(scores: pd.DataFrame, covariates: pd.DataFrame, section: MatchSection) -> None:
    models = [str(model) for model in scores["model"].unique() if model != "unmatched"]
    known = [column for column in covariates.columns if column not in ("stack", "firm_id")]
    for name, design in section.designs.items():
        if design.score not in models:
            raise ParamsError(
                f"match.designs.{name}.score is {design.score}, which is not a score model; "
                f"score.models has {', '.join(models)}"
            )
        unknown = [column for column in design.exact if column not in known]
        if unknown:
            raise ParamsError(
                f"match.designs.{name}.exact names {', '.join(unknown)}, which is not a "
                f"covariate; score.covariates has {', '.join(known)}"
            )


def _match_stacks(
    scores: pd.DataFrame, covariates: pd.DataFrame, name: str, design: NearestDesign | None
) -> list[StackMatch]:
    """Match (or, without a design, weight) each stack of a design's risk sets."""
    model = "unmatched" if design is None else design.score
    risk_sets = scores[scores["model"] == model].sort_values(["stack", "firm_id"], kind="stable")
    stacks = []
    for stack, rows in risk_sets.groupby("stack", sort=True):
        firms = rows.reset_index(drop=True)
        if design is None:
            stacks.append(_weigh_all(firms, f"unmatched, stack {stack}"))
            continue
        cells = _exact_cells(firms, covariates, design.exact)
        where = f"{model}, stack {stack}, design {name}"
        stacks.append(_match_stack(firms, cells, design, where))
    return stacks


def _weigh_all(firms: pd.DataFrame, where: str) -> StackMatch:
    """Use all firms of a stack, comparison firms weighted to the number of treated."""
    treated = firms["treated"].to_numpy()
    n_treated, n_control = int(treated.sum()), int((~treated).sum())
    if not n_treated or not n_control:
        raise SupportError(
            f"{where}: {n_treated} treated and {n_control} comparison firms: a comparison needs "
            "both; change the entry years, the window or the comparison pool"
        )
    nobody = np.zeros(0, np.int64)
    sets = MatchedSets(nobody, nobody, np.zeros(0), np.zeros(0))
    return StackMatch(firms, sets, np.where(treated, 1.0, n_treated / n_control), None, None)


@dataclass(frozen=True)
class _Candidates:
    """Hold what matching needs of one stack: one entry per firm, and the caliper's width."""

    score: Floats
    treated: Flags
    usable: Flags
    cells: Positions | None
    caliper: float | None


def _match_stack(
    firms: pd.DataFrame, cells: Positions | None, design: NearestDesign, where: str
) -> StackMatch:
    """Match one stack: caliper over the whole risk set, then support and cells."""
    column = "linear_score" if design.distance == "linear" else "propensity_score"
    score, treated = firms[column].to_numpy(), firms["treated"].to_numpy()
    caliper = caliper_width(score, treated, design.caliper_sd, design.caliper_sd_of)
    on_support = firms["on_support"].to_numpy()
    usable = on_support if cells is None else on_support & (cells >= 0)
    candidates = _Candidates(score, treated, usable, cells, caliper)
    sets = _match_candidates(candidates, design)
    if not len(sets.treated):
        _refuse_no_match(candidates, design, where)
    return StackMatch(firms, sets, unit_weights(sets, len(firms)), cells, caliper)


def _match_candidates(firms: _Candidates, design: NearestDesign) -> MatchedSets:
    """Match the usable firms; return positions among all firms of the stack."""
    rows = np.flatnonzero(firms.usable)
    sets = match_nearest(
        firms.score[rows],
        firms.treated[rows],
        ratio=design.ratio,
        replacement=design.replacement,
        caliper=firms.caliper,
        cells=None if firms.cells is None else firms.cells[rows],
        order=design.order,
        tie_tolerance=design.tie_tolerance,
    )
    return MatchedSets(rows[sets.treated], rows[sets.control], sets.weight, sets.distance)


def _refuse_no_match(firms: _Candidates, design: NearestDesign, where: str) -> None:
    """Say why nobody matched: counts, the caliper in score units, the nearest firm found."""
    counts = (
        f"{where}: no treated firm has a match ({(firms.treated & firms.usable).sum()} treated "
        f"and {(~firms.treated & firms.usable).sum()} comparison firms on support"
        f"{' and in exact cells of ' + ', '.join(design.exact) if design.exact else ''})"
    )
    anyone = design.model_copy(update={"replacement": True, "ratio": 1})
    found = _match_candidates(replace(firms, caliper=None), anyone)
    if not len(found.treated):
        raise SupportError(
            f"{counts}; none shares a cell with a comparison firm: use fewer exact covariates, "
            "a wider comparison pool or another support rule"
        )
    raise SupportError(
        f"{counts}; the nearest comparison firm is {found.distance.min():.4g} away; the caliper "
        f"is {firms.caliper:.4g} ({design.caliper_sd:g} SD, {design.caliper_sd_of}, of the "
        f"{design.distance} score): widen caliper_sd or change the covariates"
    )


def _exact_cells(
    firms: pd.DataFrame, covariates: pd.DataFrame, exact: list[str]
) -> Positions | None:
    """Number the cells of the exact covariates; -1 where one of them is missing."""
    if not exact:
        return None
    joined = firms[["stack", "firm_id"]].merge(
        covariates[["stack", "firm_id", *exact]],
        on=["stack", "firm_id"],
        how="left",
        validate="one_to_one",
    )
    cells = joined.groupby(exact, sort=True, dropna=True).ngroup()
    return np.asarray(cells.fillna(-1), dtype=np.int64)


def _match_rows(stack: StackMatch, name: str) -> pd.DataFrame:
    """Return MATCHES rows of one stack: each set's treated firm, then its comparison firms."""
    sets, firms = stack.sets, stack.firms
    matched = np.unique(sets.treated)
    number = np.concatenate([np.arange(len(matched)), np.searchsorted(matched, sets.treated)]) + 1
    year = str(firms["stack"].iloc[0])
    return pd.DataFrame(
        {
            "design": name,
            "stack": firms["stack"].iloc[0],
            "set_id": pd.Series(number).map(lambda n: f"{year}-{n:06d}"),
            "firm_id": firms["firm_id"].to_numpy()[np.concatenate([matched, sets.control])],
            "treated": np.arange(len(number)) < len(matched),
            "set_weight": np.concatenate([np.ones(len(matched)), sets.weight]),
            "distance": np.concatenate([np.zeros(len(matched)), sets.distance]),
        }
    )


def _weight_rows(stack: StackMatch, name: str) -> pd.DataFrame:
    """Return WEIGHTS rows of one stack: the firms it uses."""
    weighted = stack.firms.assign(design=name, weight=stack.weight)
    return weighted.loc[stack.weight > 0, list(WEIGHTS.columns)]
