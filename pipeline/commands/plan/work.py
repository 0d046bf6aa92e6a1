"""How much work each stage of a study has, in units that its seconds and its memory grow with."""

from dataclasses import dataclass

from pipeline.commands.plan.sizes import Sizes
from pipeline.params.design_rules import CaliperDesign
from pipeline.params.estimate import Spec
from pipeline.params.match import NearestDesign
from pipeline.params.study import StudySection


@dataclass(frozen=True)
class Work:
    """Hold units of work by stage, those that memory grows with, and units of draws by kind."""

    seconds: dict[str, float]
    memory: dict[str, float]
    draws: dict[str, float]


@dataclass(frozen=True)
class StandIns:
    """Say what stands in for counts that no stage has made yet.

    `firms` by entry year per firm-year, and the share of them that a design of pairs uses.
    """

    firms: float
    used: float


def study_work(study: StudySection, sizes: Sizes, shares: StandIns) -> Work:
    """Return the work of every stage of a study of that size."""
    cells = float(sizes.firm_years * (2 + len(study.data.delivered)))
    n_arms = len(study.treatment.arm_folders)
    unknown = n_arms * sizes.firm_years * shares.firms
    firms = unknown if sizes.firms is None else float(sizes.firms)
    scored = firms * (1 + len(study.score.models))
    weighed = firms * (1 + len(study.match.designs))
    used = _used(study, sizes, firms, shares)
    shown = float(n_arms * (len(study.exhibit.tables) + len(study.exhibit.figures)))
    memory = {"obtain": cells, "clean": cells, "score": scored, "match": weighed}
    pairs = [(spec, design) for spec in study.estimate.specs for design in spec.designs]
    estimated = sum(used[design] * _n_outcomes(study, spec) for spec, design in pairs)
    joined = sum(used[design] for design in {design for _, design in pairs})
    return Work(
        seconds=memory
        | {"balance": weighed * len(study.score.covariates)}
        | {"estimate": estimated, "exhibit": shown},
        memory=memory | {"balance": weighed, "estimate": joined, "exhibit": shown},
        draws=_draws(study, firms),
    )


def _used(study: StudySection, sizes: Sizes, firms: float, shares: StandIns) -> dict[str, float]:
    """Return the firms by entry year that each design weighs; pairs leave most firms out."""
    expected = {"unmatched": firms} | {
        name: firms * (shares.used if isinstance(design, CaliperDesign) else 1.0)
        for name, design in study.match.designs.items()
    }
    return {name: float(sizes.used.get(name, number)) for name, number in expected.items()}


def _n_outcomes(study: StudySection, spec: Spec) -> int:
    names = study.outcomes.root if spec.outcomes == "all" else spec.outcomes
    return sum(study.outcomes.root[name].observed for name in names)


def _draws(study: StudySection, firms: float) -> dict[str, float]:
    """Return what is drawn: firms by entry year, in all draws; of wild draws, effects in all."""
    drawn = dict.fromkeys(("match_orders", "bootstrap", "randomisation", "wild_bootstrap"), 0.0)
    for spec in study.estimate.specs:
        if spec.name == study.estimate.headline.spec:
            greedy = [d for d in spec.designs if _is_greedy(study, d)]
            drawn["match_orders"] += study.estimate.match_orders * len(greedy) * firms
        if spec.option("inference") == "cluster_bootstrap":
            drawn["bootstrap"] += spec.option("draws") * len(spec.designs) * firms
        if spec.option("randomisation") is not None:
            n_draws = spec.option("randomisation").draws
            drawn["randomisation"] += n_draws * len(spec.designs) * firms
        if spec.option("wild_bootstrap") is not None:
            n_draws = spec.option("wild_bootstrap").draws
            drawn["wild_bootstrap"] += n_draws * len(spec.designs) * _n_outcomes(study, spec)
    return drawn


def _is_greedy(study: StudySection, name: str) -> bool:
    design = study.match.designs.get(name)
    return isinstance(design, NearestDesign) and not design.replacement
