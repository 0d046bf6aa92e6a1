"""Say in words by which method a design picks or weights its comparison firms."""

from collections.abc import Callable
from typing import Any

from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import join_words, say
from pipeline.params.design_rules import CaliperDesign, CellDesign, TurnsDesign
from pipeline.params.exhibit import ExhibitSection
from pipeline.params.match import (
    AnyDesign,
    CellOnlyDesign,
    EntropyDesign,
    ExternalDesign,
    KernelDesign,
    MahalanobisDesign,
    NearestDesign,
    OddsDesign,
    OverlapDesign,
    RadiusDesign,
)

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def in_words(count: int) -> str:
    """Return a small count in words, a larger one in digits."""
    return say(f"number.{_NUMBERS[count]}") if count < len(_NUMBERS) else str(count)


def method_words(rule: AnyDesign, exhibit: ExhibitSection, labels: dict[str, str]) -> list[str]:
    """Return the parts of a design's rule; `labels` names covariates with their dates."""
    parts = _WORDS[type(rule)](rule, exhibit)
    if isinstance(rule, CellDesign) and rule.exact:
        named = [_binned(labels[name], name in rule.bins) for name in rule.exact]
        parts.append(say("methods.exact", named=join_words(named)))
    return parts


def _binned(label: str, cut: bool) -> str:
    return say("methods.bins", label=label) if cut else label


def _nearest(rule: NearestDesign, exhibit: ExhibitSection) -> list[str]:
    nearest = say(
        "methods.neighbours_on_score",
        nearest_firms=_nearest_firms(rule, exhibit),
        scales=say(f"score_scale.{rule.distance}"),
    )
    return [f"{nearest}, {_replacement(rule)}", _caliper(rule)]


def _nearest_firms(rule: TurnsDesign, exhibit: ExhibitSection) -> str:
    """Return `the nearest comparison firm`, `the three nearest comparison firms`, ..."""
    if isinstance(rule, NearestDesign) and rule.ratio_range is not None:
        least, most = map(in_words, rule.ratio_range)
        return say(
            "methods.nearest_range",
            least=least,
            most=most,
            ratio=in_words(rule.ratio),
            firms=exhibit.firms,
        )
    if rule.ratio == 1:
        return say("methods.nearest_one", unit=exhibit.firm)
    return say("methods.nearest_several", ratio=in_words(rule.ratio), firms=exhibit.firms)


def _mahalanobis(rule: MahalanobisDesign, exhibit: ExhibitSection) -> list[str]:
    nearest = say("methods.mahalanobis", nearest_firms=_nearest_firms(rule, exhibit))
    bound = (
        say(
            "methods.caliper_on_score",
            caliper=_caliper(rule),
            scales=say(f"score_scale.{rule.distance}"),
        )
        if rule.has_caliper
        else say("methods.no_caliper")
    )
    return [f"{nearest}, {_replacement(rule)}", bound]


def _replacement(rule: TurnsDesign) -> str:
    return (
        say("methods.with_replacement") if rule.replacement else say("methods.without_replacement")
    )


def _radius(rule: RadiusDesign, exhibit: ExhibitSection) -> list[str]:
    return [
        say(
            "methods.radius",
            firms=exhibit.firms,
            caliper=_caliper(rule),
            scales=say(f"score_scale.{rule.distance}"),
        )
    ]


def _kernel(rule: KernelDesign, exhibit: ExhibitSection) -> list[str]:
    return [
        say(
            "methods.kernel",
            firms=exhibit.firms,
            scales=say(f"score_scale.{rule.distance}"),
            bandwidth=rounding.general(rule.bandwidth),
        )
    ]


def _cells(rule: CellOnlyDesign, exhibit: ExhibitSection) -> list[str]:
    return [say("methods.cells", firms=exhibit.firms)]


def _caliper(rule: CaliperDesign) -> str:
    if rule.caliper is not None:
        return say("methods.caliper", caliper=rounding.general(rule.caliper))
    if rule.caliper_sd is None:
        return say("methods.no_caliper")
    return say(
        "methods.caliper_in_sd",
        caliper_sd=rounding.general(rule.caliper_sd),
        over=say(f"caliper_of.{rule.caliper_sd_of}"),
    )


def _odds(rule: OddsDesign, exhibit: ExhibitSection) -> list[str]:
    return [say("methods.odds", firms=exhibit.firms)]


def _overlap(rule: OverlapDesign, exhibit: ExhibitSection) -> list[str]:
    return [say("methods.overlap", firms=exhibit.firms)]


def _entropy(rule: EntropyDesign, exhibit: ExhibitSection) -> list[str]:
    return [
        say(
            "methods.entropy",
            firms=exhibit.firms,
            moments=say(f"moments.{_NUMBERS[rule.moments]}"),
            start=say(f"balancing_base.{rule.base}", name=rule.base_covariate or ""),
        )
    ]


def _external(rule: ExternalDesign, exhibit: ExhibitSection) -> list[str]:
    return [say("methods.external", content=say(f"external.{rule.content}"), firms=exhibit.firms)]


_WORDS: dict[type, Callable[[Any, ExhibitSection], list[str]]] = {
    NearestDesign: _nearest,
    RadiusDesign: _radius,
    KernelDesign: _kernel,
    MahalanobisDesign: _mahalanobis,
    CellOnlyDesign: _cells,
    OddsDesign: _odds,
    OverlapDesign: _overlap,
    EntropyDesign: _entropy,
    ExternalDesign: _external,
}
