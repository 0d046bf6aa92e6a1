"""Say in words by which method a design picks or weights its comparison firms."""

from collections.abc import Callable
from typing import Any

from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import join_words, say
from pipeline.params.design_rules import CaliperDesign, CellDesign, TurnsDesign
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

_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_SCALES = {"linear": "linear propensity score", "probability": "propensity score"}

_MOMENTS = {1: "means", 2: "means and second moments", 3: "first three moments"}


def in_words(count: int) -> str:
    """Return a small count in words, a larger one in digits."""
    return say(_NUMBER_WORDS[count]) if count < len(_NUMBER_WORDS) else str(count)


def method_words(rule: AnyDesign, firms: str, labels: dict[str, str]) -> list[str]:
    """Return the parts of a design's rule; `labels` names covariates with their dates."""
    parts = _WORDS[type(rule)](rule, firms)
    if isinstance(rule, CellDesign) and rule.exact:
        named = [_binned(labels[name], name in rule.bins) for name in rule.exact]
        parts.append(say("exact within {named}", named=join_words(named)))
    return parts


def _binned(label: str, cut: bool) -> str:
    return say("bins of {label}", label=label) if cut else label


def _nearest(rule: NearestDesign, firms: str) -> list[str]:
    nearest = say(
        "{nearest_firms} on the {scales}",
        nearest_firms=_nearest_firms(rule, firms),
        scales=say(_SCALES[rule.distance]),
    )
    return [f"{nearest}, {_replacement(rule)}", _caliper(rule)]


def _nearest_firms(rule: TurnsDesign, firms: str) -> str:
    """Return `the nearest comparison firm`, `the three nearest comparison firms`, ..."""
    if isinstance(rule, NearestDesign) and rule.ratio_range is not None:
        least, most = map(in_words, rule.ratio_range)
        return say(
            "the {least} to {most} (on average {ratio}) nearest comparison {firms}",
            least=least,
            most=most,
            ratio=in_words(rule.ratio),
            firms=firms,
        )
    if rule.ratio == 1:
        return say("the nearest comparison {unit}", unit=firms.removesuffix("s"))
    return say("the {ratio} nearest comparison {firms}", ratio=in_words(rule.ratio), firms=firms)


def _mahalanobis(rule: MahalanobisDesign, firms: str) -> list[str]:
    nearest = say(
        "{nearest_firms} by Mahalanobis distance", nearest_firms=_nearest_firms(rule, firms)
    )
    bound = (
        say("{caliper} on the {scales}", caliper=_caliper(rule), scales=say(_SCALES[rule.distance]))
        if rule.has_caliper
        else say("no caliper")
    )
    return [f"{nearest}, {_replacement(rule)}", bound]


def _replacement(rule: TurnsDesign) -> str:
    return say("with replacement") if rule.replacement else say("without replacement")


def _radius(rule: RadiusDesign, firms: str) -> list[str]:
    return [
        say(
            "all comparison {firms} within a {caliper} on the {scales}",
            firms=firms,
            caliper=_caliper(rule),
            scales=say(_SCALES[rule.distance]),
        )
    ]


def _kernel(rule: KernelDesign, firms: str) -> list[str]:
    return [
        say(
            "comparison {firms} weighted by the Epanechnikov kernel of their distance on "
            "the {scales}, bandwidth {bandwidth}",
            firms=firms,
            scales=say(_SCALES[rule.distance]),
            bandwidth=rounding.general(rule.bandwidth),
        )
    ]


def _cells(rule: CellOnlyDesign, firms: str) -> list[str]:
    return [say("comparison {firms} weighted to the number of treated of their cell", firms=firms)]


def _caliper(rule: CaliperDesign) -> str:
    if rule.caliper is not None:
        return say("caliper of {caliper}", caliper=rounding.general(rule.caliper))
    if rule.caliper_sd is None:
        return say("no caliper")
    over = {
        "all": say("all units"),
        "pooled": say("the two groups pooled"),
        "treated": say("the treated"),
        "on_support": say("all units on support"),
    }
    return say(
        "caliper {caliper_sd} standard deviations of {over}",
        caliper_sd=rounding.general(rule.caliper_sd),
        over=over[rule.caliper_sd_of],
    )


def _odds(rule: OddsDesign, firms: str) -> list[str]:
    return [
        say(
            "comparison {firms} weighted by their odds of treatment, normalised per entry year",
            firms=firms,
        )
    ]


def _overlap(rule: OverlapDesign, firms: str) -> list[str]:
    return [
        say(
            "{firms} weighted by their probability of being in the other group (overlap "
            "weights: the effect is that on the overlap population, not on the treated)",
            firms=firms,
        )
    ]


def _entropy(rule: EntropyDesign, firms: str) -> list[str]:
    starts = {
        "equal": say("equal weights"),
        "odds": say("odds of treatment"),
        "covariate": say("the weights {name}", name=rule.base_covariate or ""),
    }
    start = starts[rule.base]
    return [
        say(
            "comparison {firms} weighted by entropy balancing to the treated's {moments}, "
            "starting from {start}",
            firms=firms,
            moments=say(_MOMENTS[rule.moments]),
            start=start,
        )
    ]


def _external(rule: ExternalDesign, firms: str) -> list[str]:
    return [
        say(
            "{content} of comparison {firms} made elsewhere and adopted",
            content=say(rule.content),
            firms=firms,
        )
    ]


_WORDS: dict[type, Callable[[Any, str], list[str]]] = {
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
