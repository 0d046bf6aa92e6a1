"""What must hold for an effect to be the programme's, from what ran."""

from pipeline.exhibits.ran import Ran
from pipeline.exhibits.words.language import say


def anticipation_words(row: Ran) -> str:
    """Return since when nothing may have changed because of the programme."""
    years = row.number("anticipation_years")
    if years == 0:
        return say("assumptions.no_change_before_entry")
    return say("assumptions.no_change_before_anticipation", years=years)
