"""Warnings that a reader of an estimate must see; each states the number behind it."""

import math

from pipeline.exhibits import rounding
from pipeline.exhibits.inputs import Effect, StudyResults, find_effect
from pipeline.exhibits.panels import name_list, panel_letter
from pipeline.params.exhibit import Panel

# Below ten treated clusters analytic intervals are too short (MacKinnon & Webb 2017,
# doi:10.1002/jae.2508).
FEW_TREATED_CLUSTERS = 10


def panel_warnings(results: StudyResults, outcomes: list[str]) -> list[str]:
    """Return the warnings of all panels; one that holds for several panels names them all."""
    panels_of: dict[str, list[str]] = {}
    for index, panel in enumerate(results.settings.exhibit.panels):
        for sentence in _warnings(results, panel, outcomes):
            panels_of.setdefault(sentence, []).append(panel_letter(index))
    return [
        f"{name_list('Panel', letters)}: {sentence}." for sentence, letters in panels_of.items()
    ]


def _warnings(results: StudyResults, panel: Panel, outcomes: list[str]) -> list[str]:
    effects = [find_effect(results, name, panel.design, panel.spec) for name in outcomes]
    present = [effect for effect in effects if effect is not None and effect.estimated]
    found = (
        _few_clusters(present),
        _support_losses(results, panel, present),
        _treated_clusters_in_pool(results, panel),
        _reuse(results, panel),
    )
    return [sentence for sentence in found if sentence]


def _few_clusters(effects: list[Effect]) -> str:
    counts = [effect.n_treated_clusters for effect in effects]
    fewest = min((count for count in counts if not math.isnan(count)), default=math.inf)
    if fewest >= FEW_TREATED_CLUSTERS:
        return ""
    return (
        f"only {fewest:.0f} treated clusters in at least one column; with fewer than "
        f"{FEW_TREATED_CLUSTERS} intervals are too short"
    )


def _support_losses(results: StudyResults, panel: Panel, effects: list[Effect]) -> str:
    if all(effect.estimand != "att_matched" for effect in effects):
        return ""
    lost = treated_lost(results, panel.design)
    who = f"{rounding.count(lost)} treated" if lost > 0 else "treated"
    return (
        f"effect on the matched treated; {who} {results.settings.exhibit.firms} without "
        "covariates, support or match are left out"
    )


def treated_lost(results: StudyResults, design: str) -> float:
    """Return the treated of all risk sets that a design leaves out; NaN where unknown."""
    everyone = results.fact("unmatched", "all", "n_treated")
    return everyone - results.fact(design, "all", "n_treated_matched")


def _treated_clusters_in_pool(results: StudyResults, panel: Panel) -> str:
    inside = results.fact(panel.design, "all", "n_comparison_in_treated_clusters")
    if not inside > 0:
        return ""
    return (
        f"{rounding.count(inside)} comparison {results.settings.exhibit.firms} lie in clusters "
        "with participants and may be affected"
    )


def _reuse(results: StudyResults, panel: Panel) -> str:
    reused = results.fact(panel.design, "all", "n_comparison_reused")
    if not reused > 0:
        return ""
    return (
        f"{rounding.count(reused)} comparison {results.settings.exhibit.firms} serve several "
        "treated or entry years, which intervals reflect only through clustering"
    )
