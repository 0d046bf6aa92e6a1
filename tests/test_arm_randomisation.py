"""Randomisation of arms: all entries dealt out together; exposure, arms and effects made again.

16 cells of 4 firms, two cells a town. Of eight towns one cell of each of four takes part, whole, in
2003: two in training, two in credit; the other cell of these towns is exposed.
"""

import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from arm_studies import STACKED, block, run_arms
from matched_sets import nearest_design

from pipeline.analyses.specs import estimate_specs
from pipeline.commands.in_memory import InMemory, match_in_memory
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import read
from pipeline.effects.rows import spec_label
from pipeline.errors import IdentificationError, Reason
from pipeline.inference.arm_assignments import ArmLottery, arm_lottery
from pipeline.inference.arm_randomisation import ArmWorlds
from pipeline.inference.randomisation import randomise
from pipeline.params.settings import parse_section
from pipeline.selection.drawn_arms import DrawnArms
from pipeline.selection.study_arms import arms_made_of
from stages import estimate
from stages.arms import panels_seen

ENTRY = {0: ("training", 2003), 2: ("credit", 2003), 4: ("training", 2003), 6: ("credit", 2003)}
ARMS = {
    "headline": "training",
    "least_firms": 1,
    "named": {
        "training": {"source": "register", "component": ["training"]},
        "credit": {"source": "register", "component": ["credit"]},
        "near": {"source": "exposure", "exposure": "town"},
    },
}
TOWN = {"town": {"kind": "cell", "columns": ["town"]}}
UP_TO_SCORES = ("obtain", "clean", "score")
RANDOMISED = STACKED | {"randomisation": {"draws": 99, "seed": 1}, "terms": ["att"]}


def world(seed: int, entry=ENTRY, n_cells: int = 16, effect: float = 0.0):
    """Return panel and register of cells that enter whole; the null is true without an effect."""
    rng = np.random.default_rng(seed)
    firms = pd.DataFrame([(c, i) for c in range(n_cells) for i in range(4)], columns=["c", "i"])
    firms["firm"] = "F" + firms["c"].astype(str).str.zfill(2) + firms["i"].astype(str)
    firms["cell"] = "c" + firms["c"].astype(str).str.zfill(2)
    firms["town"] = "t" + (firms["c"] // 2).astype(str)
    shocks = rng.normal(size=(n_cells, 4))
    parts = []
    for year in range(2002, 2006):
        y = rng.normal(size=len(firms)) + shocks[firms["c"], year - 2002]
        treated = firms["c"].map(lambda c, now=year: c in entry and entry[c][1] <= now)
        parts.append(firms.assign(year=year, y=y + effect * treated))
    register = firms[firms["c"].isin(entry)].copy()
    register["part"] = register["c"].map(lambda c: entry[c][0])
    register["entry"] = register["c"].map(lambda c: entry[c][1])
    return pd.concat(parts).drop(columns=["c", "i"]), register[["firm", "entry", "part"]]


SIZE = {"label": "Y before", "column": "y", "transform": "level", "at": -1}
LOGIT = {"controls_from": "all", "covariates": ["size"], "fit": "per_stack", "link": "logit"}
LOGIT |= {"missing": "drop_firm", "support": "none"}
MATCHED = {"headline": {"spec": "stacked", "design": "matched", "term": "att"}}
MATCHED |= {"specs": {"stacked": RANDOMISED | {"designs": ["matched"]}}}


def sections_of():
    return block({"town": "text"}, ARMS, TOWN, estimate={"specs": {"stacked": RANDOMISED}})


def matched_sections():
    """Return the sections with neighbours on a score in place of all firms."""
    sections = sections_of()
    sections["score"] |= {"covariates": {"size": SIZE}, "models": {"logit": LOGIT}}
    sections["match"] |= {"designs": {"matched": nearest_design("logit")}}
    sections["estimate"] |= MATCHED
    return sections


@dataclass(frozen=True)
class Drawn:
    """Hold an arm in memory, what deals out entries, and the statistics of an assignment."""

    found: InMemory
    dealt: ArmLottery
    worlds: ArmWorlds


def drawn(study, sections, arm: str) -> Drawn:
    plain = json.loads(json.dumps(sections))
    given = {
        name: parse_section(plain, "firms", name, kind) for name, kind in estimate.SECTIONS.items()
    }
    treatment, cleaned = given["treatment"], study.folders.of("clean")
    tables = {table: read(table, cleaned) for table in arms_made_of(treatment)}
    arms = DrawnArms(read(PANEL, cleaned), tables, treatment)
    seen = dict(panels_seen(study.folders, treatment))[arm]
    found = match_in_memory(seen, **given, arm=arm, arms=arms)
    (spec,) = given["estimate"].specs
    labels = [spec_label(found.study, spec, spec.designs[0], "y")]
    dealt = arm_lottery(arms)
    return Drawn(found, dealt, ArmWorlds(found.study, found.redo, spec, labels, dealt))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run_arms(tmp_path_factory.mktemp("arms"), *world(1), sections_of(), UP_TO_SCORES)


def entries(own: Drawn, dealt=None):
    lottery = own.dealt.lottery
    chosen = lottery.dealt if dealt is None else dealt
    return lottery.entries(chosen, np.random.default_rng(1))


@pytest.mark.parametrize("arm", ["training", "near"])
def test_the_actual_assignment_gives_the_statistic_of_the_study(study, arm):
    own = drawn(study, sections_of(), arm)
    assert own.worlds.statistics(entries(own)) == [pytest.approx(statistic_of(own), rel=1e-9)]


def test_the_actual_assignment_is_matched_as_in_the_study(study):
    own = drawn(study, matched_sections(), "near")
    assert own.worlds.statistics(entries(own)) == [pytest.approx(statistic_of(own), rel=1e-9)]


def statistic_of(own: Drawn) -> float:
    """Return the t statistic that the study shows."""
    study = own.found.study
    effects = estimate_specs(study).estimates.set_index("term")
    return float(effects.loc["att", "statistic"])


def test_entries_of_all_arms_are_dealt_out_together(study):
    own = drawn(study, sections_of(), "near")
    lottery = own.dealt.lottery
    assert len(lottery.clusters) == 16
    # two events, of training and of credit, each that of two cells
    assert sorted(np.bincount(lottery.dealt)) == [2, 2, 12]
    assert lottery.n_assignments == 120 * 91


def test_exposure_follows_who_takes_part(study):
    own = drawn(study, sections_of(), "near")
    dealt = np.roll(own.dealt.lottery.dealt, 5)
    cohort, listed = own.dealt.under(entries(own, dealt))
    assert listed.groupby("arm").size().to_dict() == {"credit": 8, "training": 8}
    seen = own.dealt.made_of.seen_by("near", cohort, listed)
    exposed = seen.dropna(subset=["cohort"]).groupby("cluster")["cohort"].first()
    # cells 5, 7, 9 and 11 take part, and their towns' other cells are exposed in the same year
    assert exposed.to_dict() == dict.fromkeys(["c04", "c06", "c08", "c10"], 2003)
    contact = seen.groupby("cluster")["contact"].first()
    assert sorted(contact.dropna().index) == [f"c{c:02d}" for c in range(4, 12)]


@pytest.mark.slow
def test_an_arm_has_a_row_of_its_test(tmp_path):
    found = run_arms(tmp_path, *world(2, effect=4.0), sections_of(), UP_TO_SCORES)
    rows = drawn(found, sections_of(), "credit").found.estimated.estimates
    tested = rows[rows["inference"] == "randomisation"].iloc[0]
    assert tested["p_value"] < 0.1
    assert "randomisation_of_all_arms" in tested["remarks"]


def test_arms_without_what_they_are_made_of_are_not_tested(study):
    own = drawn(study, sections_of(), "credit")
    without = replace(own.found.redo, arms=None)
    with pytest.raises(IdentificationError) as refused:
        randomise(own.found.study, without, own.worlds.spec, own.worlds.labels)
    assert refused.value.reason == Reason("randomisation_of_arms")


def cells_dealt(seed: int) -> list[int]:
    """Return four cells that take part, such that another cell of some town is exposed."""
    rng = np.random.default_rng(seed)
    while True:
        cells = rng.permutation(16)[:4].tolist()
        if len({cell // 2 for cell in cells}) > 2:
            return cells


@pytest.mark.slow
def test_under_the_null_ranks_among_assignments_are_uniform(tmp_path):
    ranks = []
    for seed in range(12):
        entry = {c: (("training", "credit")[i % 2], 2003) for i, c in enumerate(cells_dealt(seed))}
        delivered = world(100 + seed, entry=entry)
        found = run_arms(tmp_path / str(seed), *delivered, sections_of(), UP_TO_SCORES)
        own, rng = drawn(found, sections_of(), "training"), np.random.default_rng(seed)
        lottery = own.dealt.lottery
        dealt = [lottery.dealt, *(rng.permutation(lottery.dealt) for _ in range(19))]
        sizes = [abs(own.worlds.statistics(lottery.entries(one, rng))[0]) for one in dealt]
        ranks.append(np.mean([size >= sizes[0] for size in sizes]))
    # of 1/20 to 1: a mean of .525 within three Monte-Carlo errors of .288 / sqrt(12)
    assert np.mean(ranks) == pytest.approx(0.525, abs=3 * 0.288 / 12**0.5)
