"""The first screen: one sentence, a card for each of up to three outcomes, the others below."""

import math
from collections.abc import Mapping
from html import escape

from pipeline.datasets.samples import BASELINES
from pipeline.exhibits.checks.caution import Caution
from pipeline.exhibits.checks.cautions import cautions_on
from pipeline.exhibits.checks.verdicts import Verdict, readers_value, verdict
from pipeline.exhibits.effect import Effect, missing_reason
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.numbers import translated, translated_unit
from pipeline.exhibits.own_unit import own_unit_effect
from pipeline.exhibits.page import folded, prose, strong
from pipeline.exhibits.panels.card_bar import card_bar
from pipeline.exhibits.panels.event_effects import shown_effects
from pipeline.exhibits.ran import conf_level
from pipeline.exhibits.render import rounding
from pipeline.exhibits.shown_outcomes import card_outcomes, other_outcomes
from pipeline.exhibits.words.beneficiaries import headline_lost, switched_off
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.magnitudes import short_number
from pipeline.exhibits.words.verdicts import answer, signed_value, sure_because, sure_words

Verdicts = Mapping[str, Verdict | None]


def first_screen(results: StudyResults, cautions: list[Caution]) -> list[str]:
    """Return the answer, the cards, what the bars mean, and the outcomes that have no card."""
    found = {
        name: verdict(results, name, cautions)
        for name in (*card_outcomes(results), *other_outcomes(results))
    }
    on_cards = {name: found[name] for name in card_outcomes(results)}
    cards = "\n".join(_card(results, name, on_cards, cautions) for name in on_cards)
    level = rounding.general(100 * conf_level(results))
    return [
        f'<p class="answer">{prose(answer(results, on_cards, strong))}</p>',
        f'<div class="cards">\n{cards}\n</div>',
        f'<p class="key">{escape(say("page.card_key", level=level))}</p>',
        *_behind(results, [name for name, one in on_cards.items() if one is not None]),
        _others(results, found),
    ]


def _behind(results: StudyResults, names: list[str]) -> list[str]:
    """Return who of those that the programme supported is behind the effects, and who is not."""
    told = [*headline_lost(results, names), *switched_off(results)]
    return [f'<p class="key">{escape(sentence)}</p>' for sentence in told]


def _card(results: StudyResults, name: str, shown: Verdicts, cautions: list[Caution]) -> str:
    found, label = shown[name], results.plain_name(name)
    head = f"<h3>{escape(label)}</h3>"
    if found is None:
        why = f"<p>{escape(_not_estimated(results, name))}</p>"
        return f'<article class="card no">{head}{why}</article>'
    effect = found.effect
    look = "no" if effect.conf_low <= 0 <= effect.conf_high else "yes"
    look = "bad" if found.word == "do_not_rely" else look
    value = signed_value(results, effect, effect.estimate)
    bar = card_bar(results, label, effect, _shared_ends(shown, effect))
    parts = [
        f'<article class="card {look}">{head}',
        f'<p class="big">{value} <span>{escape(translated_unit(effect))}</span></p>',
        _own(results, name),
        _over_time(results, name),
        bar,
        f'<p class="sure">{_mark(found)} {prose(_sure(results, name, found, cautions))}</p>',
        _baseline(results, name),
        "</article>",
    ]
    return "\n".join(part for part in parts if part)


def _shared_ends(shown: Verdicts, effect: Effect) -> list[float]:
    """Return the ends of all intervals in one unit, so that their bars share a scale.

    Where one is four times as long as this one, this one would be a dot: it has its own.
    """
    ends = {
        v.outcome: [readers_value(v.effect, e) for e in (v.effect.conf_low, v.effect.conf_high)]
        for v in shown.values()
        if v is not None and v.effect.scale == effect.scale
    }
    own = [readers_value(effect, e) for e in (effect.conf_low, effect.conf_high)]
    close = [pair for pair in ends.values() if pair[1] - pair[0] <= 4 * (own[1] - own[0])]
    return [*own, *(end for pair in close for end in pair)]


def _mark(found: Verdict) -> str:
    signs = {"evidence": "●", "some_evidence": "◑", "do_not_rely": "▲"}
    return f'<span class="mark" aria-hidden="true">{signs.get(found.word, "○")}</span>'


def _sure(results: StudyResults, name: str, found: Verdict, cautions: list[Caution]) -> str:
    own = [c for c in cautions_on(cautions, name) if c.outcome == name]
    because = sure_because(results, found, own)
    return say("sure.told", word=strong(sure_words(found)), why=because)


def _own(results: StudyResults, name: str) -> str:
    """Return the effect in the outcome's own unit; nothing where no estimate says it."""
    found = own_unit_effect(results, name)
    if found is None:
        return ""
    exhibit = results.settings.exhibit
    ends = (found.value, found.low, found.high)
    if math.isnan(found.of_firms):
        value, low, high = (_with_sign(short_number(v, 2), v) for v in ends)
        figures = {"value": value, "low": low, "high": high, "unit": found.unit}
        return _small(say("page.own_unit", **figures, firm=exhibit.firm))
    value, low, high = (_with_sign(rounding.whole(v), round(v)) for v in ends)
    n_firms = rounding.whole(found.of_firms)
    return _small(
        say("page.own_firms", value=value, low=low, high=high, n=n_firms, firms=exhibit.firms)
    )


def _over_time(results: StudyResults, name: str) -> str:
    """Return the effects in the first and the last period, where their intervals do not meet."""
    effects = {time: e for time, e in shown_effects(results, name).items() if time >= 0}
    known = {time: e for time, e in effects.items() if not math.isnan(e.conf_low)}
    if len(known) < 2:
        return ""
    times = (min(known), max(known))
    first, last = (known[time] for time in times)
    if first.conf_low <= last.conf_high and last.conf_low <= first.conf_high:
        return ""
    values = (signed_value(results, e, e.estimate) for e in (first, last))
    named = {"first": next(values), "last": next(values), "at_first": times[0], "at_last": times[1]}
    return _small(say("page.over_time", **named))


def _small(words: str) -> str:
    return f'<p class="own">{escape(words)}</p>'


def _with_sign(text: str, value: float) -> str:
    return f"+{text}" if value > 0 else text


def _baseline(results: StudyResults, name: str) -> str:
    """Return the comparison firms' mean in the reference year."""
    outcome, design = results.settings.outcome(name), results.settings.estimate.headline.design
    key = {"design": design, "outcome": name, "treated": False}
    mean = results.details.figure(BASELINES, "mean", **key).value
    if math.isnan(mean):
        return ""
    share = outcome.transform == "any"
    shown = short_number(100 * mean if share else mean)
    unit = say("unit.percent") if share else outcome.unit
    words = say("page.baseline", firms=results.settings.exhibit.firms, mean=shown, unit=unit)
    return f'<p class="base">{escape(capitalised(words))}</p>'


def _not_estimated(results: StudyResults, name: str) -> str:
    """Return why an outcome has no effect with an interval."""
    outcome, headline = results.settings.outcome(name), results.settings.estimate.headline
    if outcome.reason:
        return f"{capitalised(say('note.not_observed', reason=outcome.reason))}."
    effect = find_effect(results, name, headline.design, headline.spec)
    reason = "" if effect is None else missing_reason(effect)
    return f"{capitalised(say('note.not_estimated', reasons=reason or say('mark.unknown')))}"


def _others(results: StudyResults, found: Verdicts) -> str:
    """Return the outcomes without a card as one folded table that names them; none is left out."""
    names = other_outcomes(results)
    if not names:
        return ""
    heads = "".join(
        f"<th scope=col>{escape(say(f'page.{head}'))}</th>"
        for head in ("outcome", "effect", "sure")
    )
    rows = "\n".join(_other(results, name, found[name]) for name in names)
    title = say("page.other_outcomes", n=len(names))
    labels = ", ".join(results.plain_name(name) for name in names)
    region = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(title)}">'
    table = (
        f'{region}<table class="others"><caption class="vh">{escape(title)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )
    return folded(title, labels, table)


def _other(results: StudyResults, name: str, found: Verdict | None) -> str:
    label = f"<th scope=row>{escape(results.plain_name(name))}</th>"
    if found is None:
        return f"<tr>{label}<td></td><td>{escape(_not_estimated(results, name))}</td></tr>"
    effect = found.effect
    _, low, high = translated(effect)
    value = signed_value(results, effect, effect.estimate)
    unit = translated_unit(effect)
    shown = say("page.effect_with_interval", value=value, unit=unit, low=low, high=high)
    return f"<tr>{label}<td>{escape(shown)}</td><td>{escape(sure_words(found))}</td></tr>"
