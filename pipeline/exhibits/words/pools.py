"""What comparison pools are called."""

from typing import Any

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.pools import EffectOfPool
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.designs import uncapitalised
from pipeline.exhibits.words.language import join_words, say
from pipeline.exhibits.words.rules import column_labels


def pool_name(results: StudyResults, shown: EffectOfPool) -> str:
    """Return what readers call a pool: `Farther than 25 km from participants`."""
    if shown.is_clean:
        return say("pools.name_clean" if results.arms else "pools.name_headline")
    fields = {name: _field(results, name, value) for name, value in shown.rule.fields.items()}
    return say(f"pools.name_{shown.rule.code}", **fields)


def _field(results: StudyResults, name: str, value: Any) -> str:
    """Return a field of a pool's rule in words: columns and exposures by their labels."""
    if isinstance(value, list):
        words = [_field(results, name, item) for item in value]
        return (
            " \u00d7 ".join(map(uncapitalised, words)) if name == "columns" else join_words(words)
        )
    if name in ("columns", "column"):
        return str(column_labels(results).get(value, value))
    if name in ("to", "ring"):
        return results.settings.arm_label(value)
    return rounding.general(value) if isinstance(value, float) else str(value)
