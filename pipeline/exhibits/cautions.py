"""Warnings that a reader of an estimate must see; each states the number behind it."""

import math

from pipeline.datasets.panel import SURVIVAL_RULE
from pipeline.exhibits import rounding
from pipeline.exhibits.inputs import Effect, StudyResults, find_effect
from pipeline.exhibits.panels import name_list, panel_letter
from pipeline.params.exhibit import Panel

# Below ten treated clusters analytic intervals are too short (MacKinnon & Webb 2017,
# doi:10.1002/jae.2508).
FEW_TREATED_CLUSTERS = 10


def panel_warnings(results: StudyResults, outcomes: list[str]) -> list[str]:
    """Return one sentence per warning, with the number behind it in every panel concerned."""
    firms = results.settings.exhibit.firms
    sentences = (
        (
            f"Fewer than {FEW_TREATED_CLUSTERS} treated clusters, so that intervals are too "
            "short: {}.",
            [_few_clusters(results, panel, outcomes) for panel in _panels(results)],
        ),
        (
            f"Effect on the matched treated; treated {firms} left out for want of covariates, "
            "support or match: {}.",
            [_support_losses(results, panel, outcomes) for panel in _panels(results)],
        ),
        (
            f"Comparison {firms} in clusters with participants, which may be affected: {{}}.",
            [
                _fact(results, panel, "n_comparison_in_treated_clusters")
                for panel in _panels(results)
            ],
        ),
        (
            f"Comparison {firms} that serve several treated or entry years, which intervals "
            "reflect only through clustering: {}.",
            [_fact(results, panel, "n_comparison_reused") for panel in _panels(results)],
        ),
    )
    return [text.format(_by_panel(values)) for text, values in sentences if any(values)]


def _panels(results: StudyResults) -> list[Panel]:
    return results.settings.exhibit.panels


def _by_panel(values: list[str]) -> str:
    """Return `91 in Panels A and D, 12 in Panel B`; panels with empty text are left out."""
    panels_of: dict[str, list[str]] = {}
    for index, value in enumerate(values):
        if value:
            panels_of.setdefault(value, []).append(panel_letter(index))
    return ", ".join(
        f"{value} in {name_list('Panel', letters)}" for value, letters in panels_of.items()
    )


def _few_clusters(results: StudyResults, panel: Panel, outcomes: list[str]) -> str:
    """Return the fewest treated clusters over the columns, where they are few."""
    counts = [effect.n_treated_clusters for effect in _effects(results, panel, outcomes)]
    fewest = min((count for count in counts if not math.isnan(count)), default=math.inf)
    return rounding.count(fewest) if fewest < FEW_TREATED_CLUSTERS else ""


def _support_losses(results: StudyResults, panel: Panel, outcomes: list[str]) -> str:
    effects = _effects(results, panel, outcomes)
    if all(effect.estimand != "att_matched" for effect in effects):
        return ""
    lost = treated_lost(results, panel.design)
    return "some" if math.isnan(lost) else rounding.count(lost)


def _effects(results: StudyResults, panel: Panel, outcomes: list[str]) -> list[Effect]:
    found = [find_effect(results, name, panel.design, panel.spec) for name in outcomes]
    return [effect for effect in found if effect is not None and effect.estimated]


def _fact(results: StudyResults, panel: Panel, name: str) -> str:
    value = results.fact(panel.design, "all", name)
    return rounding.count(value) if value > 0 else ""


def treated_lost(results: StudyResults, design: str) -> float:
    """Return the treated of all risk sets that a design leaves out; NaN where unknown."""
    everyone = results.fact("unmatched", "all", "n_treated")
    return everyone - results.fact(design, "all", "n_treated_matched")


def survival_caution(results: StudyResults) -> tuple[str, ...]:
    """Return the note that every table carries where the panel was cut by years after entry."""
    found = results.issues[results.issues["rule"] == SURVIVAL_RULE]
    return tuple(
        f"Caution: the sample selects on survival ({str(row['column']).lower()}: {row['count']:,} "
        f"yearly rows left out); effects hold for {results.settings.exhibit.firms} that lasted."
        for _, row in found.iterrows()
    )
