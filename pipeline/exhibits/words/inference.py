"""Say in words how the standard errors and intervals of the main table are made."""

import math
from collections.abc import Iterable

from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Ran, conf_level, picking
from pipeline.exhibits.tables.panels import Shown, by_panel, name_panels, panel_effects, panel_ran
from pipeline.exhibits.words.language import say


def inference_words(results: StudyResults, shown: Shown) -> str:
    """Say how errors are clustered and intervals are made; empty where no panel clusters."""
    clusters = _clusters(results, shown)
    if not any(clusters.values()):
        return ""
    level = f"{100 * conf_level(results):g}"
    by = by_panel(clusters)
    others = [letter for letter in clusters if not is_normal(results, shown, letter)]
    if not others:
        return say("inference_words.normal", by=by, level=level)
    designs = [panel.design for panel in shown.panels.values()]
    given = conditional_words(results, "inference_words", designs)
    if all(is_by_distance(results, shown, letter) for letter in clusters):
        return say("inference_words.t_by_distance", by=by, level=level, conditional=given)
    return say(
        "inference_words.t",
        by=by,
        level=level,
        where=f" ({name_panels(others)})" if len(others) < len(clusters) else "",
        conditional=given,
    )


def conditional_words(results: StudyResults, section: str, designs: Iterable[str]) -> str:
    """Say that intervals take matches, or weights, as given; empty where there are neither."""
    kind = picking(results, designs)
    return "" if kind == "unmatched" else say(f"{section}.conditional_{kind}")


def clustered_by(results: StudyResults, shown: Shown) -> str:
    """Return how the panels' errors are clustered; empty where no panel clusters."""
    clusters = _clusters(results, shown)
    return by_panel(clusters) if any(clusters.values()) else ""


def _clusters(results: StudyResults, shown: Shown) -> dict[str, str]:
    by_letter = {letter: panel_ran(results, shown, letter) for letter in shown.panels}
    return {
        letter: _named(results, panel_effects(results, shown, letter), rows)
        for letter, rows in by_letter.items()
        if all(row.code("variance") == "clustered" for row in rows)
    }


def level_words(results: StudyResults, level: str, row: Ran) -> str:
    """Return what readers call what shares shocks: a level, or a choice that has a sentence."""
    if level in results.levels:
        return results.levels[level]
    return say(f"shocks.{level}", **_fields(results, [row]))


def is_by_distance(results: StudyResults, shown: Shown, letter: str) -> bool:
    """Say whether a panel's errors are over distances, which have no factor for small samples."""
    return all(row.has("kernel") for row in panel_ran(results, shown, letter))


def _fields(results: StudyResults, rows: list[Ran]) -> dict[str, object]:
    """Return what sentences on clusters name; of distances the reach and weights of pairs."""
    exhibit = results.settings.exhibit
    fields: dict[str, object] = {"assignment": exhibit.cluster, "unit": exhibit.firm}
    fields["firms"] = exhibit.firms
    for row in rows:
        if row.has("kernel"):
            kernel = say(f"spatial_kernel.{row.code('kernel')}")
            fields |= {"km": f"{row.value('cutoff_km'):g}", "kernel": kernel}
    return fields


def _named(results: StudyResults, effects: list[Effect], rows: list[Ran]) -> str:
    """Return how errors are clustered, by the codes of ESTIMATES; empty without."""
    clustered = next((effect for effect in effects if effect.cluster), None)
    if clustered is None:
        return ""
    if clustered.other_cluster:
        first, second = results.levels[clustered.cluster], results.levels[clustered.other_cluster]
        return say("clustering.two_way", first=first, second=second)
    return say(f"clustering.{clustered.cluster}", **_fields(results, rows))


def is_normal(results: StudyResults, shown: Shown, letter: str) -> bool:
    """Say whether a panel's intervals are normal: its rows have no degrees of freedom."""
    effects = [effect for effect in panel_effects(results, shown, letter) if effect.estimated]
    return bool(effects) and all(math.isnan(effect.df) for effect in effects)
