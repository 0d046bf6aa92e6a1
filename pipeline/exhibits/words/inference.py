"""Say in words how the standard errors and intervals of the main table are made."""

import math

from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.tables.panels import Shown, by_panel, name_panels, panel_effects, panel_ran
from pipeline.exhibits.words.language import say
from pipeline.params.analyses import clustering_levels


def inference_words(results: StudyResults, shown: Shown) -> str:
    """Say how errors are clustered and intervals are made; empty where no panel clusters."""
    clusters = {
        letter: next((e.cluster for e in panel_effects(results, shown, letter) if e.cluster), "")
        for letter in shown.panels
        if all(row.code("variance") == "clustered" for row in panel_ran(results, shown, letter))
    }
    if not any(clusters.values()):
        return ""
    level = f"{100 * results.settings.estimate.conf_level:g}"
    by = by_panel({k: _named(results.settings, cluster) for k, cluster in clusters.items()})
    others = [letter for letter in clusters if not _is_normal(results, shown, letter)]
    if not others:
        return say("inference_words.normal", by=by, level=level)
    designs = results.settings.match.designs
    matched = any(panel.design in designs for panel in shown.panels.values())
    return say(
        "inference_words.t",
        by=by,
        level=level,
        where=f" ({name_panels(others)})" if len(others) < len(clusters) else "",
        conditional=say("inference_words.conditional") if matched else "",
    )


def level_words(settings: StudySettings, level: str) -> str:
    """Return what readers call a level that errors are clustered by."""
    unit, assignment = settings.exhibit.firm, settings.exhibit.cluster
    return {
        "assignment": assignment,
        "firm": unit,
        "set_and_assignment": say("shocks.set_and_assignment", assignment=assignment),
        "components": say("shocks.components", assignment=assignment, unit=unit),
    }.get(level, level)


def _named(settings: StudySettings, cluster: str) -> str:
    """Return how errors are clustered, by the code of ESTIMATES; empty without."""
    unit, assignment = settings.exhibit.firm, settings.exhibit.cluster
    levels = clustering_levels(cluster)
    if len(levels) == 2:
        first, second = (level_words(settings, level) for level in levels)
        return say("clustering.two_way", first=first, second=second)
    if not cluster:
        return ""
    return say(f"clustering.{cluster}", assignment=assignment, unit=unit)


def _is_normal(results: StudyResults, shown: Shown, letter: str) -> bool:
    """Say whether a panel's intervals are normal: its rows have no degrees of freedom."""
    effects = [effect for effect in panel_effects(results, shown, letter) if effect.estimated]
    return bool(effects) and all(math.isnan(effect.df) for effect in effects)
