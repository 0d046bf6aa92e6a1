"""Say how sure one may be: the words of a card, and the one sentence that answers the study."""

from collections.abc import Callable, Iterable, Mapping

from pipeline.exhibits.checks.caution import Caution
from pipeline.exhibits.checks.verdicts import Verdict
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_unit, translated_value
from pipeline.exhibits.ran import ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.caution_words import short_clauses
from pipeline.exhibits.words.designs import out_of_contact, uncapitalised
from pipeline.exhibits.words.end_bins import last_averaged
from pipeline.exhibits.words.language import MINUS, join_words, say

# Words that go one way or the other.
_DIRECTED = ("evidence", "some_evidence")

# Cautions that a card and the sentence name; the list below them has all.
_NAMED = 2


def sure_words(verdict: Verdict) -> str:
    """Return the fixed words of a verdict: `Some evidence of a rise`."""
    return say(f"sure.{_code(verdict)}")


def sure_because(results: StudyResults, verdict: Verdict, cautions: Iterable[Caution] = ()) -> str:
    """Return why: the interval, both ends where it holds zero, and the worst cautions.

    `cautions` are those on the outcome, which stand beside a verdict that they do not weaken.
    """
    why = short_clauses(results, [*(verdict.against or cautions)][:_NAMED])
    if verdict.word == "do_not_rely":
        return why
    if verdict.word in _DIRECTED:
        above = verdict.effect.estimate > 0
        first = say("sure.all_above") if above else say("sure.all_below")
        return say("sure.but", first=first, why=why) if why else first
    if verdict.word == "no_sizeable_change":
        return _besides(_smaller(results, verdict), why)
    return _besides(both_ends(results, verdict.effect), why)


def sure_sentence(results: StudyResults, verdict: Verdict, cautions: Iterable[Caution] = ()) -> str:
    """Return words and reason as one sentence."""
    why = sure_because(results, verdict, cautions)
    return say("sure.told", word=sure_words(verdict), why=why)


def answer(
    results: StudyResults,
    verdicts: Mapping[str, Verdict | None],
    mark: Callable[[str], str] = str,
) -> str:
    """Return the one sentence that answers the study; `mark` sets off what it names."""
    headline = results.settings.estimate.headline
    row = ran_on(results, headline.spec, [headline.design], verdicts)[0]
    last, without = last_averaged(row), out_of_contact(results)
    sentence = say(
        "answer.sentence" if last is not None else "answer.sentence_of_panel",
        compared=say("answer.compared" if without is None else f"answer.compared_{without}"),
        first=0,
        last=last,
        clauses=clauses(results, verdicts, mark),
    )
    if results.arm is None:
        return sentence
    arm = results.settings.arm_label(results.arm)
    return say("answer.of_arm", arm=mark(arm), sentence=uncapitalised(sentence))


def clauses(
    results: StudyResults,
    verdicts: Mapping[str, Verdict | None],
    mark: Callable[[str], str] = str,
    *,
    with_ends: bool = False,
) -> str:
    """Return a clause for each of the fixed words, with the outcomes that it is said of.

    `with_ends` tells both ends of the interval where the words go neither way.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for name, verdict in verdicts.items():
        named = _named(results, name, verdict, with_ends=with_ends)
        groups.setdefault(_group(results, verdict), []).append(mark(named))
    return "; ".join(_clause(code, why, names) for (code, why), names in groups.items())


def signed_value(results: StudyResults, effect: Effect, value: float) -> str:
    """Return a value on an effect's scale in the reader's unit, with its sign: +7.9."""
    text = translated_value(effect, value)
    return f"+{text}" if float(rounding.canonical(text)) > 0 else text


def effect_words(results: StudyResults, effect: Effect) -> str:
    """Return `+7.9 percent`."""
    return f"{signed_value(results, effect, effect.estimate)} {translated_unit(effect)}"


def both_ends(results: StudyResults, effect: Effect) -> str:
    """Return `a fall of 2.0 and a rise of 5.0 percentage points both fit`."""
    low, high = (_end(results, effect, value) for value in (effect.conf_low, effect.conf_high))
    return say("sure.both_fit", low=low, high=f"{high} {translated_unit(effect)}")


def _end(results: StudyResults, effect: Effect, value: float) -> str:
    size = translated_value(effect, value)
    bare = size.removeprefix(MINUS)
    return say("sure.a_fall", size=bare) if value < 0 else say("sure.a_rise", size=bare)


def _smaller(results: StudyResults, verdict: Verdict) -> str:
    relevant = results.settings.outcome(verdict.outcome).relevant
    assert relevant is not None
    unit = translated_unit(verdict.effect)
    return say("sure.smaller", relevant=rounding.general(relevant), unit=unit)


def _besides(first: str, why: str) -> str:
    return say("sure.and_besides", first=first, why=why) if why else first


def _code(verdict: Verdict) -> str:
    return f"{verdict.word}_{verdict.direction}" if verdict.word in _DIRECTED else verdict.word


def _group(results: StudyResults, verdict: Verdict | None) -> tuple[str, str]:
    """Return what outcomes share that one clause speaks of: the words, and the reason it gives."""
    if verdict is None:
        return "not_estimated", ""
    serious = [c for c in verdict.against if c.severity == "serious"]
    return _code(verdict), short_clauses(results, serious[:_NAMED])


def _clause(code: str, why: str, names: list[str]) -> str:
    clause = say(f"answer.{code}", outcomes=join_words(names))
    if not why:
        return clause
    besides = code == "cannot_tell"
    joined = "answer.and_besides" if besides else "answer.because"
    return say(joined, clause=clause, why=why)


def _named(results: StudyResults, name: str, verdict: Verdict | None, *, with_ends: bool) -> str:
    label = results.plain_name(name)
    if verdict is None or (verdict.word not in _DIRECTED and not with_ends):
        return label
    if verdict.word not in _DIRECTED:
        ends = (verdict.effect.conf_low, verdict.effect.conf_high)
        low, high = (signed_value(results, verdict.effect, end) for end in ends)
        unit = translated_unit(verdict.effect)
        return say("answer.with_ends", label=label, low=low, high=high, unit=unit)
    effect = effect_words(results, verdict.effect)
    return say("answer.with_effect", label=label, effect=effect)
