"""Which outcomes stand first: those of params, else the first that have an effect."""

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.words.findings import headline_effect
from pipeline.params.exhibit import MOST_CARDS


def card_outcomes(results: StudyResults) -> list[str]:
    """Return at most three outcomes, in the order in which every section of the page shows them."""
    exhibit = results.settings.exhibit
    if exhibit.cards:
        return list(exhibit.cards)
    names = list(results.settings.outcomes.intended)
    estimated = [name for name in names if headline_effect(results, name) is not None]
    return (estimated or names)[:MOST_CARDS]


def other_outcomes(results: StudyResults) -> list[str]:
    """Return the outcomes below the cards."""
    shown = card_outcomes(results)
    return [name for name in results.settings.outcomes.intended if name not in shown]
