"""Compute headlines under combinations of settings: stored where they were made, else in memory."""

import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import pandas as pd

from pipeline.commands.arms_in_memory import cleaned_by
from pipeline.commands.attribute.attribution import Attribution, Computed, NamedOutcomes
from pipeline.commands.attribute.headline_effects import (
    HeadlineEffect,
    entering,
    estimated_headlines,
    headline_effects,
    headline_key,
)
from pipeline.commands.attribute.run_cache import RunCache
from pipeline.commands.attribute.shapley import Chosen, asked_combinations
from pipeline.commands.attribute.states import Settled, State, settled, study_state, valid_section
from pipeline.commands.audit.revisions import Revision
from pipeline.commands.explore import headline_only
from pipeline.commands.plan.cost import expected, read_cost, yardstick
from pipeline.commands.plan.sizes import Sizes, study_sizes
from pipeline.commands.plan.work import study_work
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import Dataset, as_stored
from pipeline.errors import DataError, EvaluationError, ParamsError
from pipeline.exhibits.words.language import tell
from pipeline.exhibits.words.scales import scale_words
from pipeline.matching.external import read_brought
from pipeline.panel.clean import clean_panel
from pipeline.panel.exposure_inputs import DeliveredLinks, with_exposure_inputs
from pipeline.panel.obtained import RawTables
from pipeline.panel.sources import obtain_tables, read_rules_tables
from pipeline.params.exposure import centroid_files
from pipeline.params.outcomes import Outcome
from pipeline.params.study import StudySection
from pipeline.progress import track

# The stages whose work is repeated for each combination.
_AT_LEAST = 0.5  # seconds a combination, however small the study
_REPEATED = ("clean", "score", "match", "estimate")

# What the files of one stage are told apart by: an arm, or a table.
_Key = TypeVar("_Key")


@dataclass
class _Combination:
    """Hold one combination: its settings, where what stages wrote for it lies, its headlines.

    `estimates` is by arm, `cleaned` by table; each is complete, or empty.
    """

    section: StudySection | None
    refused: str
    estimates: dict[str, Path] = field(default_factory=dict)
    cleaned: dict[Dataset, Path] = field(default_factory=dict)
    known: dict[str, HeadlineEffect] | None = None

    @property
    def to_run(self) -> bool:
        """Say whether it must be computed here."""
        return self.known is None and not self.estimates and self.section is not None


@dataclass
class Question:
    """Hold one study's question: states, settings that changed, combinations to compute.

    `panels` are what was cleaned so far, by the settings that cleaning reads.
    """

    root: Path
    study: str
    before: State
    after: State
    settled: Settled
    combinations: dict[Chosen, _Combination]
    panels: dict[str, dict[Dataset, pd.DataFrame]] = field(default_factory=dict)

    @property
    def n_runs(self) -> int:
        """Return how many combinations must be computed: those that differ, and are not stored."""
        stored = {_key(c) for c in self.combinations.values() if not c.to_run}
        return len({_key(c) for c in self.combinations.values() if c.to_run} - stored)

    @property
    def nothing_moved(self) -> bool:
        """Say whether no setting changed, and what was published is the same."""
        one, two = self.before.published, self.after.published
        return not self.settled.change.settings and (one is None or two is None or one == two)

    def seconds(self) -> float:
        """Return the seconds expected for all that must be computed."""
        section, cost = headline_only(self.after.section), read_cost()
        try:
            sizes = study_sizes(self.root, self.study, section)
        except DataError:  # no stage ran, and no file tells
            rows = len(_obtained(self, self.after.section).panel)
            sizes = Sizes("delivered rows", rows, None, {})
        speed = yardstick() / cost.yardstick
        stages = expected(cost, study_work(section, sizes, cost.shares), speed=speed)
        took = sum(stage.seconds for stage in stages if stage.stage in _REPEATED)
        # what was measured begins with larger data than many studies have
        least = min(point.sizes.firm_years for point in cost.points)
        return self.n_runs * (_AT_LEAST * speed + took * min(1.0, sizes.firm_years / least))


def question(root: Path, old: Revision, new: Revision, study: str) -> Question:
    """Return what must be computed for a study; raise ParamsError where no state can run here."""
    before, after = study_state(old, study), study_state(new, study)
    blocks = [side.yaml("params.yaml")[study] for side in (old, new)]
    found = settled(study, *blocks)
    cache = RunCache(root)
    combinations = {
        chosen: _combination(cache, study, found, chosen)
        for chosen in asked_combinations(len(found.entering))
    }
    asked = Question(root, study, before, after, found, combinations)
    _take_published(asked)
    return asked


def _combination(cache: RunCache, study: str, found: Settled, chosen: Chosen) -> _Combination:
    """Return a combination and what stages wrote for it, whatever readers were told beside."""
    settings = [found.entering[number] for number in sorted(chosen)]
    block = found.change.section(settings)
    try:
        section = valid_section(study, block)
    except ParamsError as error:
        return _Combination(None, str(error))
    blocks = [block, found.change.section([*settings, *found.silent])]
    contents = [{"studies": [study], study: block} for block in blocks]
    estimates = {
        arm: (PurePosixPath(folder) / "estimates.parquet").as_posix()
        for arm, folder in section.treatment.arm_folders.items()
    }
    handed_on = cleaned_by(section.data, section.treatment)
    cleaned = {table: f"{table.name.lower()}.parquet" for table in handed_on}
    return _Combination(
        section,
        "",
        estimates=_stored(cache, study, contents, "estimate", estimates),
        cleaned=_stored(cache, study, contents, "clean", cleaned),
    )


def _stored(
    cache: RunCache,
    study: str,
    contents: list[dict[str, Any]],
    stage: str,
    names: dict[_Key, str],
) -> dict[_Key, Path]:
    """Return where the files of a stage lie, by key; empty where one of them is nowhere."""
    for content in contents:
        found = {key: cache.found(study, content, stage, name) for key, name in names.items()}
        there = {key: path for key, path in found.items() if path is not None}
        if len(there) == len(names):
            return there
    return {}


def _take_published(asked: Question) -> None:
    """Take headlines that the code and data here published; hidden ones are computed.

    Where no setting enters, all that was published is taken: nothing has to be told apart.
    """
    everything = frozenset(range(len(asked.settled.entering)))
    if not everything:
        asked.combinations[everything].known = asked.before.published or asked.after.published
        return
    for state, chosen in ((asked.before, frozenset[int]()), (asked.after, everything)):
        if state.is_whole:
            asked.combinations[chosen].known = state.published


def attribution(asked: Question) -> Attribution:
    """Compute what is not known, and return which setting moved which headline."""
    kept: dict[str, Computed] = {}
    combinations = sorted(asked.combinations.values(), key=lambda c: c.to_run)
    for combination in track(combinations, "combinations", len(combinations)):
        if _key(combination) not in kept:
            kept[_key(combination)] = _computed(asked, combination)
    return Attribution(
        study=asked.study,
        settings=asked.settled.entering,
        silent=asked.settled.silent,
        outcomes=_outcomes(asked.before.section, asked.after.section),
        computed={chosen: kept[_key(c)] for chosen, c in asked.combinations.items()},
        before=asked.before.published,
        after=asked.after.published,
    )


def _key(combination: _Combination) -> str:
    """Return what tells a combination from others: all that its headlines depend on."""
    return combination.refused if combination.section is None else entering(combination.section)


def _computed(asked: Question, combination: _Combination) -> Computed:
    section = combination.section
    if section is None:
        return Computed(refused=combination.refused)
    if combination.known is not None:
        return Computed(combination.known)
    if combination.estimates:
        stored = {arm: pd.read_parquet(path) for arm, path in combination.estimates.items()}
        return Computed(headline_effects(stored, section))
    try:
        cleaned = _cleaned(asked, combination, section)
        raw, firms = asked.root / "data" / "raw" / asked.study, cleaned[PANEL]["firm_id"]
        brought = read_brought(raw, section.match, section.clean.identifier, firms)
        return Computed(estimated_headlines(cleaned, section, brought))
    except EvaluationError as error:
        return Computed(refused=str(error) if error.has_words else tell(error.reason))


def _cleaned(
    asked: Question, combination: _Combination, section: StudySection
) -> dict[Dataset, pd.DataFrame]:
    """Return what is cleaned under these settings: stored, or cleaned here, once for each."""
    read = section.model_dump(mode="json", include={"data", "clean", "treatment"}, warnings=False)
    key = json.dumps(read, sort_keys=True)
    if key not in asked.panels:
        stored = {table: pd.read_parquet(path) for table, path in combination.cleaned.items()}
        found = stored or _cleaned_here(asked, section)
        handed_on = cleaned_by(section.data, section.treatment)
        asked.panels[key] = {table: as_stored(table, found[table]) for table in handed_on}
    return asked.panels[key]


def _cleaned_here(asked: Question, section: StudySection) -> dict[Dataset, pd.DataFrame]:
    delivered, exposures = _obtained(asked, section), section.treatment.exposure
    rules = read_rules_tables(
        section.clean,
        asked.root / "data" / "rules" / asked.study,
        centroid_files(exposures).values(),
    )
    ledger = clean_panel(
        delivered.panel,
        delivered.register,
        rules,
        data=section.data,
        clean=section.clean,
        treatment=section.treatment,
        origins=delivered.origins,
    )
    links = DeliveredLinks(delivered.links, delivered.origins.get("links", ()))
    return dict(
        with_exposure_inputs(
            ledger, links, rules, data=section.data, clean=section.clean, exposures=exposures
        ).tables()
    )


def _obtained(asked: Question, section: StudySection) -> RawTables:
    return obtain_tables(section.data, asked.root / "data" / "raw" / asked.study)


def _outcomes(before: StudySection, after: StudySection) -> NamedOutcomes:
    sides = [_by_key(section) for section in (before, after)]
    both = sides[0].keys() & sides[1].keys()
    other = {key for key in both if _units(sides[0][key][1]) != _units(sides[1][key][1])}
    named = sides[0] | sides[1]
    return NamedOutcomes(
        {key: label for key, (label, _) in named.items()},
        {key: scale_words(outcome.scale) for key, (_, outcome) in named.items()},
        frozenset(other),
    )


def _by_key(section: StudySection) -> dict[str, tuple[str, Outcome]]:
    """Return each headline's label, which names an arm other than the headline's, and outcome."""
    headline, labels = section.treatment.headline_arm, section.exhibit.arm_labels
    return {
        headline_key(arm, name, section): (
            outcome.label if arm == headline else f"{outcome.label}, {labels.get(arm, arm)}",
            outcome,
        )
        for arm in section.treatment.arm_folders
        for name, outcome in section.outcomes.intended.items()
    }


def _units(outcome: Outcome) -> tuple[str | None, str]:
    return outcome.transform, outcome.scale
