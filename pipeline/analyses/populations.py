"""How many firms are in the same published sets: signatures, counted without names."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags
from pipeline.datasets.populations import POPULATION_SETS, POPULATIONS
from pipeline.effects.populations import Members, Population
from pipeline.effects.study import Study
from pipeline.matching.redo import Redo
from pipeline.progress import at, track

_BYTE = 8
_UNIT = ["stack", "firm_id"]
_SCORE = "propensity_score"


@dataclass(frozen=True)
class Counted:
    """Hold POPULATION_SETS and POPULATIONS."""

    sets: pd.DataFrame
    populations: pd.DataFrame


def count_populations(
    study: Study, estimated: Members, redo: Redo, weights: pd.DataFrame
) -> Counted:
    """Count the firms of every set behind estimates, paths and balance tables, and in the same.

    `estimated` are the sets of the estimates' samples; those of balance tables follow from SCORES,
    COVARIATES and WEIGHTS.
    """
    members, index = Members(dict(estimated.sets)), study.index
    scores, covariates, used = (
        table.assign(firm_id=index.codes(table["firm_id"]))
        for table in (redo.scores, redo.covariates, weights)
    )
    models = {"unmatched": "unmatched"} | {name: d.score for name, d in redo.match.designs.items()}
    for place, names, rows in _of_balance(scores, covariates, used, models):
        firm, treated = rows["firm_id"].to_numpy(), rows["treated"].to_numpy(bool)
        members.add([replace(place, variable=name) for name in names], firm, treated)
    with at("firms counted by what is published of them"):
        return _counted(members, len(index.firms))


def _counted(members: Members, n_firms: int) -> Counted:
    """Number the different sets, and count firms that are in the same ones."""
    places = sorted((place for place, firms in members.sets.items() if len(firms)), key=_order)
    distinct: dict[bytes, Codes] = {}
    for place in places:
        distinct.setdefault(members.sets[place].tobytes(), members.sets[place])
    numbers = {content: number for number, content in enumerate(distinct, 1)}
    sets = pd.DataFrame([vars(place) for place in places], columns=list(POPULATION_SETS.key))
    return Counted(
        sets.assign(
            population=[numbers[members.sets[place].tobytes()] for place in places],
            n_firms=[len(members.sets[place]) for place in places],
        ),
        _signatures(list(distinct.values()), n_firms),
    )


def _of_balance(
    scores: pd.DataFrame, covariates: pd.DataFrame, weights: pd.DataFrame, models: dict[str, str]
) -> Iterator[tuple[Population, list[str], pd.DataFrame]]:
    """Yield the samples of BALANCE: a place, covariates, and the firms that have these."""
    names = [name for name in covariates.columns if name not in _UNIT]
    known = covariates[names].notna().join(covariates[_UNIT])
    for design, model in track(
        models.items(), "firms counted, designs", len(models), name=lambda item: item[0]
    ):
        risk_set = scores[scores["model"] == model]
        used = weights.loc[weights["design"] == design, [*_UNIT, "treated"]]
        scored = used.merge(risk_set[[*_UNIT, _SCORE]], on=_UNIT, how="left")
        samples = {
            "before": risk_set,
            "on_support": risk_set[risk_set["on_support"]],
            "after": scored,
        }
        for sample, firms in samples.items():
            rows = firms[[*_UNIT, "treated", _SCORE]].merge(known, on=_UNIT, how="left")
            rows[_SCORE] = rows[_SCORE].notna()
            for alike, having in _having(rows, [*names, _SCORE]):
                place = Population(design, alike[0], sample=sample)
                yield place, alike, having
                for stack, own in having.groupby("stack"):
                    yield replace(place, stack=str(stack)), alike, own


def _having(rows: pd.DataFrame, names: list[str]) -> Iterator[tuple[list[str], pd.DataFrame]]:
    """Yield covariates that the same rows have, together, with these rows."""
    alike: dict[bytes, list[str]] = {}
    for name in names:
        alike.setdefault(_known(rows[name]).tobytes(), []).append(name)
    for found in alike.values():
        yield found, rows[_known(rows[found[0]])]


def _known(flags: "pd.Series[bool]") -> Flags:
    return flags.eq(True).to_numpy(np.bool_)


def _order(place: Population) -> tuple[str | int, ...]:
    time = (place.event_time is None, place.event_time or 0)
    text = (place.design, place.stack, place.sample, place.variable)
    return (*text, *time, place.grouping, place.subgroup, place.treated)


def _signatures(sets: list[Codes], n_firms: int) -> pd.DataFrame:
    """Return POPULATIONS: one bit a set and firm, and firms with the same bits counted."""
    bits = np.zeros((n_firms, max(-(-len(sets) // _BYTE), 1)), dtype=np.uint8)
    for number, codes in enumerate(sets):
        bits[codes, number // _BYTE] |= np.uint8(1 << (_BYTE - 1 - number % _BYTE))
    named = np.ascontiguousarray(bits[bits.any(axis=1)])
    # One value a firm: comparing whole rows takes as long as reading them.
    rows = named.view(np.dtype((np.void, named.shape[1])))[:, 0]
    _, first, counts = np.unique(rows, return_index=True, return_counts=True)
    signature, place = np.nonzero(np.unpackbits(named[first], axis=1))
    return pd.DataFrame(
        {"signature": signature + 1, "population": place + 1, "n_firms": counts[signature]},
        columns=list(POPULATIONS.columns),
    )
