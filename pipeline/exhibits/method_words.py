"""Say in words by which method a design picks or weights its comparison firms."""

from collections.abc import Callable
from typing import Any

from pipeline.params.match import (
    AnyDesign,
    CaliperDesign,
    CellDesign,
    CellOnlyDesign,
    EntropyDesign,
    ExternalDesign,
    KernelDesign,
    MahalanobisDesign,
    NearestDesign,
    OddsDesign,
    OverlapDesign,
    RadiusDesign,
    TurnsDesign,
)

_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_SCALES = {"linear": "linear propensity score", "probability": "propensity score"}

_MOMENTS = {1: "means", 2: "means and second moments", 3: "first three moments"}


def in_words(count: int) -> str:
    """Return a small count in words, a larger one in digits."""
    return _NUMBER_WORDS[count] if count < len(_NUMBER_WORDS) else str(count)


def method_words(rule: AnyDesign, firms: str, labels: dict[str, str]) -> list[str]:
    """Return the parts of a design's rule; `labels` names covariates with their dates."""
    parts = _WORDS[type(rule)](rule, firms)
    if isinstance(rule, CellDesign) and rule.exact:
        named = [_binned(labels[name], name in rule.bins) for name in rule.exact]
        parts.append(f"exact within {' and '.join(named)}")
    return parts


def _binned(label: str, cut: bool) -> str:
    return f"bins of {label}" if cut else label


def _nearest(rule: NearestDesign, firms: str) -> list[str]:
    nearest = f"{_nearest_firms(rule, firms)} on the {_SCALES[rule.distance]}"
    return [f"{nearest}, {_replacement(rule)}", _caliper(rule)]


def _nearest_firms(rule: TurnsDesign, firms: str) -> str:
    """Return `the nearest comparison firm`, `the three nearest comparison firms`, ..."""
    if isinstance(rule, NearestDesign) and rule.ratio_range is not None:
        least, most = map(in_words, rule.ratio_range)
        return (
            f"the {least} to {most} (on average {in_words(rule.ratio)}) nearest comparison {firms}"
        )
    if rule.ratio == 1:
        return f"the nearest comparison {firms.removesuffix('s')}"
    return f"the {in_words(rule.ratio)} nearest comparison {firms}"


def _mahalanobis(rule: MahalanobisDesign, firms: str) -> list[str]:
    nearest = f"{_nearest_firms(rule, firms)} by Mahalanobis distance"
    bound = (
        f"{_caliper(rule)} on the {_SCALES[rule.distance]}" if rule.has_caliper else "no caliper"
    )
    return [f"{nearest}, {_replacement(rule)}", bound]


def _replacement(rule: TurnsDesign) -> str:
    return "with replacement" if rule.replacement else "without replacement"


def _radius(rule: RadiusDesign, firms: str) -> list[str]:
    return [f"all comparison {firms} within a {_caliper(rule)} on the {_SCALES[rule.distance]}"]


def _kernel(rule: KernelDesign, firms: str) -> list[str]:
    return [
        f"comparison {firms} weighted by the Epanechnikov kernel of their distance on the "
        f"{_SCALES[rule.distance]}, bandwidth {rule.bandwidth:g}"
    ]


def _cells(rule: CellOnlyDesign, firms: str) -> list[str]:
    return [f"comparison {firms} weighted to the number of treated of their cell"]


def _caliper(rule: CaliperDesign) -> str:
    if rule.caliper is not None:
        return f"caliper of {rule.caliper:g}"
    if rule.caliper_sd is None:
        return "no caliper"
    over = {"all": "all units", "pooled": "the two groups pooled", "treated": "the treated"}
    return f"caliper {rule.caliper_sd:g} standard deviations of {over[rule.caliper_sd_of]}"


def _odds(rule: OddsDesign, firms: str) -> list[str]:
    return [f"comparison {firms} weighted by their odds of treatment, normalised per entry year"]


def _overlap(rule: OverlapDesign, firms: str) -> list[str]:
    return [
        f"{firms} weighted by their probability of being in the other group (overlap weights: the "
        "effect is that on the overlap population, not on the treated)"
    ]


def _entropy(rule: EntropyDesign, firms: str) -> list[str]:
    start = "equal weights" if rule.base == "equal" else "odds of treatment"
    return [
        f"comparison {firms} weighted by entropy balancing to the treated's "
        f"{_MOMENTS[rule.moments]}, starting from {start}"
    ]


def _external(rule: ExternalDesign, firms: str) -> list[str]:
    return [f"{rule.content} of comparison {firms} made elsewhere and adopted"]


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
