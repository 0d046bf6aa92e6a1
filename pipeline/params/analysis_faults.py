"""Faults of clusters and analyses that the section `estimate` cannot know alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.params.analyses import (
    EXPOSURE_COMPONENT,
    OWN_LEVELS,
    Analyses,
    Clustering,
    Grouping,
    Size,
    Survival,
    clustering_levels,
)
from pipeline.params.clean import CleanSection
from pipeline.params.data import REGISTER_FLAGS, DataSection
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.exposure import RingExposure
from pipeline.params.inference import SpatialErrors
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.settings import nearest_known
from pipeline.params.treatment import TreatmentSection

PATH = "estimate.analyses"


@dataclass(frozen=True)
class Sections:
    """Hold the sections that analyses refer to."""

    data: DataSection
    clean: CleanSection
    outcomes: OutcomesSection
    treatment: TreatmentSection
    estimate: EstimateSection


def analysis_faults(study: Sections) -> Iterator[str]:
    """Yield one line per fault, with its path below the study."""
    analyses, known = study.estimate.analyses, study.outcomes.root
    for name, analysis in analyses.asked().items():
        for outcome in analysis.outcomes:
            path = f"{PATH}.{name}.outcomes"
            if outcome not in known:
                yield f"{path}: {outcome} is not declared{nearest_known(outcome, list(known))}"
            elif known[outcome].negative_control is not None:
                yield (
                    f"{path}: {outcome} is a negative control; these run through specs only, and "
                    "what analyses take apart is an effect: leave it out here"
                )
            elif known[outcome].post_only:
                yield (
                    f"{path}: {outcome} is observed after entry only, and analyses take changes "
                    "apart: leave it out here"
                )
            elif name in ("survival", "size_weighted") and known[outcome].in_percent_of_mean:
                yield (
                    f"{path}: {outcome} is in percent of a mean, and {name} is told in the unit of "
                    "the column: name an outcome of the same column with transform: level"
                )
            elif name == "margins" and known[outcome].transform not in (None, "proportional"):
                yield f"{path}: {outcome} is not proportional; margins are those of a level"
            elif name == "survival" and outcome == "survival":
                yield f"{path}: no outcome may be called survival beside this analysis"
    yield from _columns(study, analyses)


def cluster_faults(study: Sections) -> Iterator[str]:
    """Yield pairs of clusters that are not levels of firms; each is a line, or two.

    So are clusters that exposure makes, and distances, which the study does not allow.
    """
    analyses = study.estimate.analyses.asked().items()
    asked: dict[str, Clustering] = {f"{PATH}.{name}": own.cluster for name, own in analyses}
    asked |= {f"estimate.specs.{spec.name}": spec.cluster for spec in study.estimate.specs}
    for path, cluster in asked.items():
        joins = study.treatment.exposure and study.treatment.arms is not None
        if EXPOSURE_COMPONENT in clustering_levels(cluster) and not joins:
            yield (
                f"{path}.cluster: exposure_component joins clusters by who exposes whom, and the "
                "study has no treatment.exposure with treatment.arms: use cluster: assignment"
            )
    for spec in study.estimate.specs:
        yield from _distance_faults(study, spec)
        path = f"estimate.specs.{spec.name}.cluster"
        for level in () if isinstance(spec.cluster, str) else spec.cluster:
            if level in OWN_LEVELS:
                continue
            if level in ("year", study.data.year):
                yield (
                    f"{path}: {level} is no level of firms: influences are those of a firm over "
                    "all its years, and shocks that a year brings to everyone are taken out by "
                    "year effects; give assignment, firm or text columns of data.columns"
                )
            else:
                yield from _column(study, path, level, "text")


def _distance_faults(study: Sections, spec: Spec) -> Iterator[str]:
    """Yield places that PANEL lacks, and a reach that is shorter than that of exposure."""
    asked: SpatialErrors | None = spec.option("conley")
    if asked is None:
        return
    path = f"estimate.specs.{spec.name}.conley"
    for key, column in zip(("latitude", "longitude"), asked.columns, strict=True):
        yield from _column(study, f"{path}.{key}", column, "number")
    rings = [r for r in study.treatment.exposure.values() if isinstance(r, RingExposure)]
    outer = max((ring.edges_km[-1] for ring in rings), default=0.0)
    if asked.cutoff_km < outer:
        yield (
            f"{path}.cutoff_km: {asked.cutoff_km:g} is below {outer:g}, the outer ring of "
            "treatment.exposure: firms share what reaches them that far; write at least that"
        )


def _columns(study: Sections, analyses: Analyses) -> Iterator[str]:
    """Yield faults of the columns that groups, sizes and exit are read from."""
    if analyses.groups is not None:
        for name, grouping in analyses.groups.by.items():
            yield from _dated(study, f"{PATH}.groups.by.{name}", grouping)
    if analyses.size_weighted is not None:
        for name, size in analyses.size_weighted.by.items():
            yield from _dated(study, f"{PATH}.size_weighted.by.{name}", size)
    if analyses.survival is not None:
        yield from _exit(study, analyses.survival)
        yield from _limits(study, analyses.survival)


def _dated(study: Sections, path: str, named: Grouping | Size) -> Iterator[str]:
    text = isinstance(named, Grouping) and named.transform == "category"
    if named.column is not None:
        yield from _column(study, f"{path}.column", named.column, "text" if text else "number")
    latest = study.treatment.reference_event_time
    if named.at is not None and named.at > latest:
        yield (
            f"{path}.at is {named.at}: firms are grouped and weighted by what they were {latest} "
            "years from entry or earlier, or the programme may already have changed them"
        )


def _exit(study: Sections, survival: Survival) -> Iterator[str]:
    if survival.exit.known_by == "column":
        yield from _column(study, f"{PATH}.survival.exit.column", survival.exit.column, "number")
    if survival.exit.known_by == "flag" and study.clean.exit is None:
        yield (
            f"{PATH}.survival.exit.known_by: flag needs clean.exit, with the column that says who "
            "is gone and its values; or use known_by: last_year"
        )


def _limits(study: Sections, survival: Survival) -> Iterator[str]:
    """Yield limits of worst-case bounds that have no value on the outcome's scale."""
    for name, limits in survival.limits.items():
        outcome = study.outcomes.root.get(name)
        path = f"{PATH}.survival.limits.{name}.lowest is {limits.lowest:g}"
        if outcome is None:
            continue
        if outcome.transform == "log" and limits.lowest <= 0:
            yield (
                f"{path}, which has no logarithm; declare a number above zero, no higher than any "
                "value observed, as 1 for employment: the least that a firm could have had"
            )
        elif outcome.transform == "any" and limits.lowest < 0:
            yield f"{path}; transform: any takes no negative value: declare 0"


def _column(study: Sections, path: str, column: str, kind: str) -> Iterator[str]:
    columns, register = study.data.columns, study.data.register_columns
    if register is not None and column in register.fields("text" if kind == "text" else "number"):
        return
    if register is not None and kind == "number" and column in REGISTER_FLAGS:
        return
    if column not in columns:
        yield f"{path}: {column} is not in data.columns{nearest_known(column, list(columns))}"
    elif (columns[column].kind == "text") != (kind == "text"):
        yield f"{path}: {column} is a {columns[column].kind} column; this needs a {kind} column"
