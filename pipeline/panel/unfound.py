"""Beneficiaries that the panel lacks: nearly found, which stops or is declined, or not at all."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.datasets.panel import AMOUNT_NOT_IN_PANEL, NEAR_MISS, NOT_IN_PANEL
from pipeline.errors import DataError, Reason
from pipeline.panel.id_remedies import NAME, Sides, remedy
from pipeline.panel.identifiers import FORMS
from pipeline.panel.ledger import Issue
from pipeline.panel.near_misses import KINDS, near_misses
from pipeline.panel.panel_index import NO_ROW, places_in
from pipeline.panel.similar_names import similar_names
from pipeline.params.clean import CleanSection
from pipeline.params.identifier import Identifier

# Of beneficiaries that the panel lacks, above which params must say why.
_MANY = 0.2
# Fewer that differ in a way that is settled, and in another, are other firms: one is by chance.
_LEAST_BESIDE = 2
# Draws tell by which chance identifiers nearly agree: the same in every run.
_SEED = 2026


@dataclass(frozen=True)
class Listed:
    """Hold whom a register lists: first entries by firm, and what is known of the firms.

    `evaluated` are beneficiaries, `others` firms of other programmes that matter for the sample;
    `amounts` and `names` are by firm, where params name their columns.
    """

    evaluated: pd.Series
    others: pd.Index
    amounts: pd.Series | None = None
    names: pd.Series | None = None


@dataclass(frozen=True)
class Unfound:
    """Hold beneficiaries that the panel lacks, and panel firms that are nearly of the register."""

    beneficiaries: pd.Series
    nearly: pd.Index = field(default_factory=lambda: pd.Index([], dtype="str"))
    issues: list[Issue] = field(default_factory=list)


def settle_unfound(
    listed: Listed, firms: pd.DataFrame, clean: CleanSection, why: str | None
) -> Unfound:
    """Count the beneficiaries that the panel lacks, and say which of its firms they nearly are.

    `firms` has firm_id and, where params compare names, name. Raises DataError at near misses that
    are neither settled by a rule nor declined, and where many are not found and `why` is not said.
    """
    known = pd.Index(firms["firm_id"].unique())
    everyone = listed.evaluated.index.union(listed.others)
    wanted = everyone[places_in(known, everyone.to_series()) == NO_ROW]
    unknown = listed.evaluated[listed.evaluated.index.isin(wanted)]
    if wanted.empty:
        return Unfound(unknown)
    pairs = _near(wanted, known, firms, listed.names, clean.identifier)
    _refuse_near_misses(pairs, everyone, known, clean.identifier)
    _refuse_many(unknown, listed.evaluated, why)
    issues = [
        *_counted(unknown),
        *_amounts(unknown, listed.amounts, clean.minimum_count),
        *_declined(pairs[pairs["wanted"].isin(unknown.index)], len(unknown), clean.minimum_count),
    ]
    nearly = pd.Index(pairs["firm_id"].unique()).difference(listed.evaluated.index)
    return Unfound(unknown, nearly, issues)


def _near(
    wanted: pd.Index,
    known: pd.Index,
    firms: pd.DataFrame,
    names: pd.Series | None,
    written: Identifier,
) -> pd.DataFrame:
    """Return pairs of near misses with flags of KINDS and NAME, of rules not set where any is."""
    rng = np.random.default_rng(_SEED)
    pairs = near_misses(wanted, known, rng, written.n_parts).assign(**{NAME: False})
    in_force = [way for way in FORMS if getattr(written, way) is not None]
    others = [kind for kind in KINDS if kind not in in_force]
    beside = pairs[in_force].any(axis=1) & pairs[others].any(axis=1)
    if pairs.loc[beside, "wanted"].nunique() < _LEAST_BESIDE:
        pairs, beside = pairs[~beside], beside[~beside]
    pairs.loc[beside, in_force] = False
    if names is None or "name" not in firms:
        return pairs
    left = names.reindex(wanted.difference(pd.Index(pairs["wanted"])))
    alike = similar_names(left, firms, written.least_name_score, rng)
    flags = dict.fromkeys(KINDS, False) | {NAME: True}
    return pd.concat([pairs, alike.assign(**flags)], ignore_index=True)


def _refuse_near_misses(
    pairs: pd.DataFrame, everyone: pd.Index, known: pd.Index, written: Identifier
) -> None:
    """Raise DataError where near misses are of a kind that is not declined."""
    kinds = [kind for kind in (*KINDS, NAME) if kind not in written.declined]
    open_pairs = pairs[pairs[kinds].any(axis=1)]
    if open_pairs.empty:
        return
    told = [kind for kind in kinds if open_pairs[kind].any()]
    sides = Sides(everyone, known, written.n_parts, written.drop_check_digit)
    by_kind = "; ".join(
        f"{kind} {open_pairs.loc[open_pairs[kind], 'wanted'].nunique()} "
        f"({remedy(kind, open_pairs, sides)})"
        for kind in told
    )
    of_one = open_pairs["wanted"].value_counts()
    several = int((of_one > 1).sum())
    ambiguous = f"; {several} of them nearly match more than one firm" if several else ""
    in_several = open_pairs[told].sum(axis=1).max() > 1
    at_once = "; who differs in several ways at once is counted in each" if in_several else ""
    raise DataError(
        f"{len(of_one)} of {len(everyone)} beneficiaries of the register are not in the panel, but "
        f"nearly, by {by_kind}{at_once}{ambiguous}. They would serve as comparison firms: set the "
        f"rule for each kind, or decline it (clean.identifier.near_misses: [{', '.join(told)}], or "
        "decline for all), and the panel's firms that they nearly match leave the sample",
        open_pairs[["wanted", "firm_id", *told]].rename(columns={"wanted": "register_id"}),
    )


def _refuse_many(unknown: pd.Series, evaluated: pd.Series, why: str | None) -> None:
    """Raise DataError where many are not found and params do not say why."""
    share = len(unknown) / len(evaluated)
    if share <= _MANY or why is not None:
        return
    raise DataError(
        f"{len(unknown)} of {len(evaluated)} beneficiaries of the register ({100 * share:.0f} "
        f"percent) are not in the panel: above {100 * _MANY:.0f} percent treatment.unfound must "
        'say why (treatment.unfound: "the register holds closed firms"), which is said beside the '
        "effect; or deliver these firms, or write identifiers alike (clean.identifier)",
        unknown.rename_axis("register_id").reset_index(),
    )


def _counted(unknown: pd.Series) -> list[Issue]:
    # No share: beside the treated firms it would tell a count that is too small to be published.
    if unknown.empty:
        return []
    rule, action, n = Reason(NOT_IN_PANEL), Reason("not_evaluated"), len(unknown)
    return [Issue(rule, "firm_id", action, n, n, int(unknown.min()), int(unknown.max()))]


def _amounts(unknown: pd.Series, amounts: pd.Series | None, least_firms: int) -> list[Issue]:
    """Say what beneficiaries that the panel lacks had, to two digits, and which share of all.

    Only where neither few firms nor one that has most of it are on either side.
    """
    if amounts is None or unknown.empty:
        return []
    present = amounts.dropna()
    lost = present.index.isin(unknown.index)
    if not all(_is_of_many(side, least_firms) for side in (present[lost], present[~lost])):
        return []
    amount = float(present[lost].sum())
    percent = round(100 * amount / float(present.sum()))
    fields = {"amount": float(f"{amount:.2g}"), "percent": percent}
    rule = Reason(AMOUNT_NOT_IN_PANEL, fields)
    n = int(lost.sum())
    return [Issue(rule, "amount", Reason("not_evaluated"), n, n)]


def _is_of_many(amounts: pd.Series, least_firms: int) -> bool:
    """Say whether a sum tells of no firm: enough have a part of it, none more than half."""
    return bool((amounts > 0).sum() >= least_firms and amounts.max() <= amounts.sum() / 2)


def _declined(pairs: pd.DataFrame, n_unknown: int, least_firms: int) -> list[Issue]:
    """Count, by kind, the beneficiaries whose near misses are declined.

    Nothing where, beside the count of all who are not found, that would tell of few others.
    """
    counts = {kind: pairs.loc[pairs[kind], "wanted"].nunique() for kind in (*KINDS, NAME)}
    others = {n_unknown - n for n in (*counts.values(), pairs["wanted"].nunique())}
    if any(0 < n < least_firms for n in others):
        return []
    action = Reason("kept_from_comparison")
    return [
        Issue(Reason(f"{NEAR_MISS}_{kind}"), "firm_id", action, n, n)
        for kind, n in counts.items()
        if n
    ]
