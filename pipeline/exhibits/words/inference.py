"""Say in words how the standard errors and intervals of the main table are made."""

import math

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.panels import Shown, by_panel, name_panels, panel_effects
from pipeline.exhibits.words.language import say
from pipeline.params.analyses import clustering_code


def inference_words(results: StudyResults, shown: Shown) -> str:
    """Say how errors are clustered and intervals are made; empty where no panel clusters."""
    clusters = {
        letter: next((e.cluster for e in panel_effects(results, shown, letter) if e.cluster), "")
        for letter, panel in shown.panels.items()
        if results.settings.spec(panel.spec).estimator != "matched_difference"
    }
    if not any(clusters.values()):
        return ""
    level = f"{100 * results.settings.estimate.conf_level:g}"
    named = _named(results)
    by = by_panel({k: named.get(cluster, cluster) for k, cluster in clusters.items()})
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


def _named(results: StudyResults) -> dict[str, str]:
    """Return what the choices of cluster are called."""
    unit = results.settings.exhibit.firm
    assignment = results.settings.exhibit.cluster
    pairs = [s.cluster for s in results.settings.estimate.specs if not isinstance(s.cluster, str)]
    level = {"assignment": assignment, "firm": unit}
    two_way = {
        clustering_code((first, second)): say(
            "clustering.two_way",
            first=level.get(first, first),
            second=level.get(second, second),
        )
        for first, second in pairs
    }
    return two_way | {
        "assignment": say("clustering.assignment", assignment=assignment),
        "firm": say("clustering.firm", unit=unit),
        "set_and_assignment": say("clustering.set_and_assignment", assignment=assignment),
        "components": say("clustering.components", assignment=assignment, unit=unit),
    }


def _is_normal(results: StudyResults, shown: Shown, letter: str) -> bool:
    """Say whether a panel's intervals are normal: its rows have no degrees of freedom."""
    effects = [effect for effect in panel_effects(results, shown, letter) if effect.estimated]
    return bool(effects) and all(math.isnan(effect.df) for effect in effects)
