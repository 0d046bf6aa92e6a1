"""Means of a study that its stages made, of sets of firms that differ by few: counted by pairs.

Shares no code with disclosure control but the names of what is published.
"""

import itertools
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.datasets.aggregates import read_aggregates
from pipeline.datasets.populations import POPULATION_SETS, POPULATIONS, SIGNATURES
from pipeline.datasets.store import read
from pipeline.exhibits.inputs import StudySettings
from pipeline.params.settings import load_yaml
from pipeline.publishing.disclosure.blocks import PLACE
from pipeline.publishing.disclosure.figures import balance_places, shown_figures
from pipeline.publishing.disclosure.vet import vet
from pipeline.publishing.publication import gathered
from stages.exhibit import SECTIONS


def study_here(study, minimum):
    """Return what the stages wrote of a study in this folder, with a threshold."""
    section = load_yaml(Path("params.yaml"))[study]
    settings = StudySettings(**{n: s.model_validate(section[n]) for n, s in SECTIONS.items()})
    rule = settings.exhibit.disclosure.model_copy(update={"min_cell_firms": minimum})
    exhibit = settings.exhibit.model_copy(update={"disclosure": rule})
    data = Path("data") / study
    tables = read_aggregates(lambda stage: data / stage)
    return gathered(study, replace(settings, exhibit=exhibit), tables)


def pairs_that_differ_by_few(study, minimum, *, vetted):
    """Count the pairs of shown means of one variable of which one is over few firms more."""
    results = study_here(study, minimum)
    public = vet(results) if vetted else results
    places = {place for place, what in shown_figures(public) if what == "mean"}
    shown = {(place, treated) for place in places for treated in (True, False)}
    moved = public.balance[public.balance["of_matched"]]
    shown -= {(place, True) for place in balance_places(moved)}  # those after matching, in truth
    return sum(few_between(Path("data") / study, shown, minimum))


def sets_of_firms(data):
    """Return POPULATION_SETS with the numbers of units and firms, and units by signature."""
    folder = data / "estimate"
    key = ["block", "signature"]
    signatures = read(SIGNATURES, folder).set_index(key)["n_firms"]
    held = read(POPULATIONS, folder)
    units = held.assign(n=signatures.reindex(pd.MultiIndex.from_frame(held[key])).to_numpy())
    sizes = units.groupby(["block", "population"])["n"].sum()
    sets = read(POPULATION_SETS, folder)
    place = pd.MultiIndex.from_frame(sets[["block", "population"]])
    return sets.assign(n_firms=sizes.reindex(place).to_numpy()), units


def few_between(data, shown, minimum):
    """Yield whether one set of a block lies inside another but for few, pair by pair."""
    sets, units = sets_of_firms(data)
    times = sets["event_time"].astype(object).where(sets["event_time"].notna(), None)
    places = sets.assign(event_time=times)
    named = zip(places[PLACE].itertuples(index=False, name=None), sets["treated"], strict=True)
    own = places[[of in shown for of in named]]
    held = {
        key: dict(zip(rows["signature"], rows["n"], strict=True))
        for key, rows in units.groupby(["block", "population"])
    }
    for block, rows in own.groupby("block"):
        of = [held[block, number] for number in rows["population"].unique()]
        for one, other in itertools.permutations(of, 2):
            if one.keys() <= other.keys():
                yield 0 < sum(n for s, n in other.items() if s not in one) < minimum
