"""The two states that are compared: settings, published headlines, and with what they were made."""

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pipeline.commands.attribute.changed_settings import Change, Setting
from pipeline.commands.attribute.headline_effects import (
    HeadlineEffect,
    entering,
    headline_effects,
    headline_key,
)
from pipeline.commands.audit.earlier_results import typed_estimates
from pipeline.commands.audit.revisions import Revision
from pipeline.commands.audit.settings_diff import sections_not_run
from pipeline.errors import ParamsError
from pipeline.params.study import SECTIONS, StudySection, cross_faults, read_study
from pipeline.publishing.provenance import NAME, study_inputs


@dataclass(frozen=True)
class State:
    """Hold a study at one revision; `published` is None where its results are of other settings.

    `here` says whether they were made with the code and the data that are here.
    """

    section: StudySection
    published: dict[str, HeadlineEffect] | None
    here: bool

    @property
    def is_whole(self) -> bool:
        """Say whether what the code and data here gave was published, every headline of it.

        An arm without results has no support.
        """
        known = self.published or {}
        outcomes = self.section.outcomes.intended.items()
        keys = [
            headline_key(arm, name, self.section)
            for arm in self.section.treatment.arm_folders
            for name, outcome in outcomes
            if outcome.observed
        ]
        shown = [known[key].estimate for key in keys if key in known]
        return self.here and bool(shown) and not any(map(math.isnan, shown))


@dataclass(frozen=True)
class Settled:
    """Hold the settings that changed: those that enter the headline, and those that do not."""

    change: Change
    entering: list[Setting]
    silent: list[Setting]


def study_state(revision: Revision, study: str) -> State:
    """Read a study at a revision; raise ParamsError where its settings are not valid today."""
    section = valid_section(study, revision.yaml("params.yaml").get(study, {}))
    tables = {
        arm: typed_estimates(revision.results(study, "estimates", folder))
        for arm, folder in section.treatment.arm_folders.items()
    }
    tables = {arm: table for arm, table in tables.items() if "band" in table.columns}
    if sections_not_run(revision, study) or section.treatment.headline_arm not in tables:
        return State(section, None, here=False)
    recorded = json.loads(revision.read(f"reports/{study}/{NAME}") or "{}")
    sections = {name: getattr(section, name) for name in SECTIONS}
    inputs = study_inputs(revision.root, study, sections, code_root=revision.root)
    return State(
        section, headline_effects(tables, section), here=recorded.get("inputs") == inputs.hash
    )


def valid_section(study: str, block: dict[str, Any]) -> StudySection:
    """Return a study's settings; raise ParamsError where they do not stand together."""
    section = read_study({study: block}, study)
    if faults := [*cross_faults(section)]:
        raise ParamsError("\n".join(f"{study}.{fault}" for fault in faults))
    return section


def settled(study: str, before: dict[str, Any], after: dict[str, Any]) -> Settled:
    """Return what changed between two valid sections; what stands only together is joined."""
    change = Change(before, after)
    dependent = [s for s in change.settings if not _stands(study, change, s)]
    if len(dependent) > 1:
        change.join(dependent)
    moving = [s for s in change.settings if _enters(study, change, s)]
    if _key(study, change, moving) != _key(study, change, change.settings):
        moving = change.settings  # some matter only where others are changed too
    return Settled(change, moving, [s for s in change.settings if s not in moving])


def _stands(study: str, change: Change, setting: Setting) -> bool:
    """Say whether a setting may be changed alone, and alone be left as it was."""
    others = [other for other in change.settings if other != setting]
    try:
        valid_section(study, change.section([setting]))
        valid_section(study, change.section(others))
    except ParamsError:
        return False
    return True


def _enters(study: str, change: Change, setting: Setting) -> bool:
    others = [other for other in change.settings if other != setting]
    first = _key(study, change, [setting]) != _key(study, change, [])
    return first or _key(study, change, others) != _key(study, change, change.settings)


def _key(study: str, change: Change, chosen: Collection[Setting]) -> str | None:
    """Return what the headline depends on; None where the settings do not stand together."""
    try:
        return entering(valid_section(study, change.section(chosen)))
    except ParamsError:
        return None
