"""Inference that params alone show a design not to allow: refused before anything runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import IdentificationError
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.match import ExternalDesign, MahalanobisDesign, MatchSection, NearestDesign
from pipeline.params.score import ScoreSection
from pipeline.params.valid_inference import refusal, rule_of

# Methods whose weights change smoothly with the data, and those that make matched sets.
SMOOTH = ("odds", "overlap", "entropy", "kernel", "cells")
_IN_SETS = ("nearest", "radius", "mahalanobis")


@dataclass(frozen=True)
class Remade:
    """Say how a design's matches are made, as far as params tell: see `inference.validity`."""

    smooth: bool = False
    shared_neighbours: bool = False
    own_scores: bool = True
    sets: bool = False


# Of these only: whether scores of several entry years are one, the entries that are delivered say.
_DECIDED = ("smooth", "shared_neighbours", "sets")


def remade(design: str, match: MatchSection, score: ScoreSection) -> Remade:
    """Say how a design is made: with smooth weights, shared neighbours, its own scores, in sets."""
    if design == "unmatched":
        return Remade(smooth=True)
    rule = match.designs[design]
    pooled = rule.method == "nearest" and score.models[rule.score].fit == "pooled"
    pairs = isinstance(rule, ExternalDesign) and rule.content == "pairs"
    return Remade(
        smooth=rule.method in SMOOTH,
        shared_neighbours=isinstance(rule, NearestDesign | MahalanobisDesign) and rule.replacement,
        own_scores=not pooled,
        sets=rule.method in _IN_SETS or pairs,
    )


def kind_of_cluster(spec: Spec) -> str:
    """Return what a spec clusters errors by, `two_way` where it names two levels."""
    return spec.cluster if isinstance(spec.cluster, str) else "two_way"


def inference_faults(
    estimate: EstimateSection,
    match: MatchSection,
    score: ScoreSection,
    *,
    by_firm: bool = True,
) -> Iterator[str]:
    """Yield one line for each spec and design whose inference the design cannot allow.

    `by_firm` says whether support was assigned firm by firm, as data.cluster has it.
    """
    for spec in estimate.specs:
        inference, cluster = spec.option("inference"), kind_of_cluster(spec)
        try:
            needs = rule_of(spec.name, inference, cluster).needs
        except IdentificationError as error:
            yield str(error)
            continue
        for design in spec.designs:
            if design != "unmatched" and not _known(design, match, score):
                continue
            made = remade(design, match, score)
            lacking = [need for need in needs if need in _DECIDED and not getattr(made, need)]
            lacking += ["by_firm"] if "by_firm" in needs and not by_firm else []
            if lacking:
                yield refusal(spec.name, inference, cluster, design, lacking)


def _known(design: str, match: MatchSection, score: ScoreSection) -> bool:
    """Say whether a design and its score are declared: another line says where they are not."""
    return design in match.designs and match.designs[design].score in score.models
