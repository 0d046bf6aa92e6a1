"""How sure one may be of an effect: one of five words, by rule, from the record.

The rule is that of the table in docs/outputs.md; the words are said by `exhibits.words.verdicts`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pipeline.exhibits.checks.caution import Caution
from pipeline.exhibits.checks.outcome_checks import adjusted_p_value
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.units import shown_value
from pipeline.exhibits.words.findings import headline_effect

Word = Literal["evidence", "some_evidence", "do_not_rely", "no_sizeable_change", "cannot_tell"]
Direction = Literal["rise", "fall"]


@dataclass(frozen=True)
class Verdict:
    """Hold how sure one may be of an effect, which way it goes, and what stands against it.

    `against` are the cautions that weakened it, worst first; none where the interval alone decided.
    """

    outcome: str
    word: Word
    direction: Direction
    effect: Effect
    against: tuple[Caution, ...] = ()


def verdict(results: StudyResults, outcome: str, cautions: Iterable[Caution]) -> Verdict | None:
    """Return the verdict on the headline effect on an outcome; None where it has no interval.

    `cautions` are those of the study; those on other outcomes do not count.
    """
    effect = headline_effect(results, outcome)
    if effect is None or math.isnan(effect.conf_low):
        return None
    own = [caution for caution in cautions if caution.outcome in (None, outcome)]
    serious = tuple(caution for caution in own if caution.severity == "serious")
    matters = tuple(caution for caution in own if caution.severity == "matters")
    direction: Direction = "rise" if effect.estimate > 0 else "fall"
    word = _word(results, outcome, effect, bool(serious), bool(matters))
    against = serious or (matters if word == "some_evidence" else ())
    return Verdict(outcome, word, direction, effect, against)


def _word(
    results: StudyResults, outcome: str, effect: Effect, serious: bool, matters: bool
) -> Word:
    """Return the word of the first rule that applies."""
    if effect.conf_low <= 0 <= effect.conf_high:
        relevant = results.settings.outcome(outcome).relevant
        small = relevant is not None and not serious and within(effect, relevant)
        return "no_sizeable_change" if small else "cannot_tell"
    if serious:
        return "do_not_rely"
    if matters:
        return "some_evidence"
    sure = adjusted_p_value(results, outcome, effect) < 1 - effect.conf_level
    return "evidence" if sure else "cannot_tell"


def within(effect: Effect, relevant: float) -> bool:
    """Say whether the whole interval is smaller than an effect that would matter."""
    ends = (effect.conf_low, effect.conf_high)
    return max(abs(readers_value(effect, end)) for end in ends) < relevant


def readers_value(effect: Effect, value: float) -> float:
    """Return a value on an effect's scale in the unit in which readers are told it."""
    return shown_value(value, effect.scale)
