"""Say in words by which method a design picks or weights its comparison firms."""

from collections.abc import Callable
from typing import Any

from pipeline.params.match import (
    AnyDesign,
    CellDesign,
    EntropyDesign,
    NearestDesign,
    OddsDesign,
    OverlapDesign,
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
        parts.append(f"exact within {' and '.join(labels[name] for name in rule.exact)}")
    return parts


def _nearest(rule: NearestDesign, firms: str) -> list[str]:
    replacement = "with" if rule.replacement else "without"
    nearest = f"{in_words(rule.ratio)} nearest comparison {firms} on the {_SCALES[rule.distance]}"
    return [f"{nearest}, {replacement} replacement", _caliper(rule)]


def _caliper(rule: NearestDesign) -> str:
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


_WORDS: dict[type, Callable[[Any, str], list[str]]] = {
    NearestDesign: _nearest,
    OddsDesign: _odds,
    OverlapDesign: _overlap,
    EntropyDesign: _entropy,
}
