"""Say in words by which method a design picked or weighted its comparison firms, as it ran."""

from collections.abc import Callable

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Ran, covariate_ran
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.covariates import dated_label
from pipeline.exhibits.words.language import say

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def in_words(count: int) -> str:
    """Return a small count in words, a larger one in digits."""
    return say(f"number.{_NUMBERS[count]}") if count < len(_NUMBERS) else str(count)


def method_words(results: StudyResults, rule: Ran) -> list[str]:
    """Return the parts of a design's rule, without its cells."""
    return _WORDS[rule.code("method")](results, rule)


def _firms(results: StudyResults) -> str:
    return results.settings.exhibit.firms


def _scale(rule: Ran) -> str:
    return say(f"score_scale.{rule.code('distance')}")


def _nearest(results: StudyResults, rule: Ran) -> list[str]:
    nearest = say(
        "methods.neighbours_on_score",
        nearest_firms=_nearest_firms(results, rule),
        scales=_scale(rule),
    )
    return [f"{nearest}, {_replacement(rule)}", _caliper(rule)]


def _nearest_firms(results: StudyResults, rule: Ran) -> str:
    """Return `the nearest comparison firm`, `the three nearest comparison firms`, ..."""
    ratio = in_words(rule.number("ratio"))
    if rule.has("most_ratio"):
        least, most = (in_words(rule.number(f"{end}_ratio")) for end in ("least", "most"))
        firms = _firms(results)
        return say("methods.nearest_range", least=least, most=most, ratio=ratio, firms=firms)
    if rule.number("ratio") == 1:
        return say("methods.nearest_one", unit=results.settings.exhibit.firm)
    return say("methods.nearest_several", ratio=ratio, firms=_firms(results))


def _mahalanobis(results: StudyResults, rule: Ran) -> list[str]:
    nearest = say("methods.mahalanobis", nearest_firms=_nearest_firms(results, rule))
    bound = _caliper(rule)
    if rule.known("caliper") or rule.known("caliper_sd"):
        bound = say("methods.caliper_on_score", caliper=bound, scales=_scale(rule))
    return [f"{nearest}, {_replacement(rule)}", bound]


def _replacement(rule: Ran) -> str:
    if rule.has("replacement"):
        return say("methods.with_replacement")
    return say("methods.without_replacement")


def _radius(results: StudyResults, rule: Ran) -> list[str]:
    within = {"caliper": _caliper(rule), "scales": _scale(rule)}
    return [say("methods.radius", firms=_firms(results), **within)]


def _kernel(results: StudyResults, rule: Ran) -> list[str]:
    bandwidth = rounding.general(rule.value("bandwidth"))
    scales = _scale(rule)
    return [say("methods.kernel", firms=_firms(results), scales=scales, bandwidth=bandwidth)]


def _cells(results: StudyResults, rule: Ran) -> list[str]:
    return [say("methods.cells", firms=_firms(results))]


def _caliper(rule: Ran) -> str:
    if rule.known("caliper"):
        return say("methods.caliper", caliper=rounding.general(rule.value("caliper")))
    if not rule.known("caliper_sd"):
        return say("methods.no_caliper")
    return say(
        "methods.caliper_in_sd",
        caliper_sd=rounding.general(rule.value("caliper_sd")),
        over=say(f"caliper_of.{rule.code('caliper_sd_of')}"),
    )


def _odds(results: StudyResults, rule: Ran) -> list[str]:
    return [say("methods.odds", firms=_firms(results))]


def _overlap(results: StudyResults, rule: Ran) -> list[str]:
    return [say("methods.overlap", firms=_firms(results))]


def _entropy(results: StudyResults, rule: Ran) -> list[str]:
    moments = say(f"moments.{_NUMBERS[rule.number('moments')]}")
    held_by = rule.code("base_covariate")
    name = dated_label(covariate_ran(results, held_by)) if rule.has("base_covariate") else ""
    start = say(f"balancing_base.{rule.code('base')}", name=name)
    return [say("methods.entropy", firms=_firms(results), moments=moments, start=start)]


def _external(results: StudyResults, rule: Ran) -> list[str]:
    content = say(f"external.{rule.code('content')}")
    return [say("methods.external", content=content, firms=_firms(results))]


_WORDS: dict[str, Callable[[StudyResults, Ran], list[str]]] = {
    "nearest": _nearest,
    "radius": _radius,
    "kernel": _kernel,
    "mahalanobis": _mahalanobis,
    "cells": _cells,
    "odds": _odds,
    "overlap": _overlap,
    "entropy": _entropy,
    "external": _external,
}
