"""Join the sections of a study and check what no section can know alone.

Of the stages only `check` and `record` import this module, which read every section anyway.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import ParamsError
from pipeline.params.analysis_faults import Sections, analysis_faults, cluster_faults
from pipeline.params.arm_faults import arm_faults_of_study
from pipeline.params.clean import CleanSection
from pipeline.params.clean_faults import clean_faults, rules_file_faults
from pipeline.params.cross_section_faults import cross_section_faults
from pipeline.params.data import DataSection
from pipeline.params.design_rules import CellDesign
from pipeline.params.estimate import EstimateSection
from pipeline.params.estimate_faults import estimate_faults, undecomposed
from pipeline.params.exhibit import ExhibitSection
from pipeline.params.exposure import centroid_files
from pipeline.params.exposure_faults import exposure_faults
from pipeline.params.inference_faults import inference_faults
from pipeline.params.match import MatchSection, NearestDesign
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.pool_faults import pool_faults
from pipeline.params.questions import QUESTIONS, open_questions
from pipeline.params.raw_files import raw_file_faults
from pipeline.params.score import TEXT, ScoreSection
from pipeline.params.settings import (
    Settings,
    load_yaml,
    nearest_known,
    parse_section,
    study_block,
    study_names,
)
from pipeline.params.spec_options import OfPanel, OfScore
from pipeline.params.treatment import TreatmentSection
from pipeline.params.treatment_faults import column_fault, treatment_faults
from pipeline.params.weight_faults import weight_faults
from pipeline.params.window_faults import window_faults

SECTIONS: dict[str, Any] = {
    "data": DataSection,
    "clean": CleanSection,
    "outcomes": OutcomesSection,
    "treatment": TreatmentSection,
    "score": ScoreSection,
    "match": MatchSection,
    "estimate": EstimateSection,
    "exhibit": ExhibitSection,
}
STUDY_NAME = re.compile("[a-z][a-z0-9_]*")
# folders of data/ and reports/ that are not a study's
RESERVED_NAMES = {"raw", "rules", "checked", "headlines"}


class StudySection(Settings):
    """Hold every section of one study."""

    data: DataSection
    clean: CleanSection
    outcomes: OutcomesSection
    treatment: TreatmentSection
    score: ScoreSection
    match: MatchSection
    estimate: EstimateSection
    exhibit: ExhibitSection


# What stands for a category where a number is needed.
_INDICATORS = "define a covariate with transform: indicator for each category but one"


def check_studies(params: Path, root: Path) -> list[str]:
    """Check every study of params.yaml and the files it names; return the studies' names.

    Raises ParamsError with one line per fault, over all studies.
    """
    content = load_yaml(params)
    names = study_names(content)
    faults = list(_name_faults(content, names))
    for name in names:
        if name in content:
            faults += study_faults(content, name, root)
    if faults:
        raise ParamsError("\n".join(faults))
    return names


def raised_tolerances(content: dict[str, Any]) -> list[str]:
    """Return one line for each tie tolerance of a valid study that is raised to the least one."""
    return [
        f"{name}.match.designs.{label}.tie_tolerance is {given:g}: scores are matched at 8 "
        f"decimals, so {design.tie_tolerance:g} is used; write that"
        for name in study_names(content)
        for label, design in read_study(content, name).match.designs.items()
        if isinstance(design, NearestDesign)
        for given in [content[name]["match"]["designs"][label].get("tie_tolerance")]
        if given is not None and given != design.tie_tolerance
    ]


def not_decomposed(content: dict[str, Any]) -> list[str]:
    """Return one line for each flat two-way figure of valid studies that is not decomposed."""
    return [
        f"{name}.{line}"
        for name in study_names(content)
        for line in undecomposed(_sections(read_study(content, name)))
    ]


def study_faults(content: dict[str, Any], name: str, root: Path) -> list[str]:
    """Return one line for each fault of a study's section and of the files that it names."""
    try:
        study = read_study(content, name)
    except ParamsError as error:
        return [*str(error).splitlines(), *_open(content.get(name), name)]
    faults = [*open_questions(content[name]), *cross_faults(study)]
    further = centroid_files(study.treatment.exposure)
    faults += rules_file_faults(study.clean, name, root, further)
    faults += raw_file_faults(study.data, study.match, name, root)
    return [f"{name}.{fault}" for fault in faults]


def _open(block: Any, name: str) -> Iterator[str]:
    """Yield open questions of a section that has other faults too."""
    if isinstance(block, dict):
        yield from (f"{name}.{line}" for line in open_questions(block))


def read_study(content: dict[str, Any], name: str) -> StudySection:
    """Read all sections of one study; raise ParamsError with every fault of every section."""
    block = study_block(content, name)
    faults = [
        f"{name}.{key} is not a section{nearest_known(str(key), [*SECTIONS, QUESTIONS])}"
        for key in block
        if key not in (*SECTIONS, QUESTIONS)
    ]
    sections = {}
    for section, model in SECTIONS.items():
        try:
            sections[section] = parse_section(block, name, section, model)
        except ParamsError as error:
            faults += str(error).splitlines()
    if faults:
        raise ParamsError("\n".join(faults))
    return StudySection(**sections)


def _name_faults(content: dict[str, Any], names: list[str]) -> Iterator[str]:
    known = [name for name in content if name != "studies"]
    for name in names:
        if not STUDY_NAME.fullmatch(name):
            yield f"studies: {name!r} is not a study name; use a-z, 0-9 and _, a letter first"
        elif name in RESERVED_NAMES:
            yield f"studies: {name} is a folder of data/; give the study another name"
        elif name not in content:
            yield f"studies: {name} has no section in params.yaml{nearest_known(name, known)}"
        if names.count(name) > 1:
            yield f"studies: {name} is listed twice"


def cross_faults(study: StudySection) -> Iterator[str]:
    """Yield one line for each fault that no section can know alone."""
    yield from clean_faults(study.clean, study.data)
    yield from treatment_faults(study.data, study.treatment)
    yield from exposure_faults(study.data, study.treatment)
    yield from _outcome_faults(study)
    yield from _covariate_faults(study)
    yield from _design_faults(study)
    yield from _estimate_faults(study)
    sections = _sections(study)
    yield from cluster_faults(sections)
    yield from cross_section_faults(sections)
    yield from window_faults(sections)
    by_firm = study.data.cluster == ["firm_id"]
    yield from inference_faults(study.estimate, study.match, study.score, by_firm=by_firm)
    yield from estimate_faults(sections, study.match, study.score)
    yield from analysis_faults(sections)
    yield from arm_faults_of_study(study.treatment, study.score, study.match, study.estimate)
    yield from pool_faults(study.data, study.treatment, study.match, study.estimate)
    yield from weight_faults(study.data, study.treatment, study.score, study.match, study.estimate)
    yield from _exhibit_faults(study)
    yield from _language_faults(study)


def _sections(study: StudySection) -> Sections:
    return Sections(study.data, study.clean, study.outcomes, study.treatment, study.estimate)


def _language_faults(study: StudySection) -> Iterator[str]:
    """Yield texts of the user's that are given by language, and not in that of the exhibits."""
    language = study.exhibit.language
    for position, rule in enumerate(study.clean.filters, start=1):
        if isinstance(rule.label, dict) and language not in rule.label:
            yield (
                f"clean.filters[{position}].label has no text in {language}, the language of the "
                "exhibits"
            )


def _outcome_faults(study: StudySection) -> Iterator[str]:
    for name, outcome in study.outcomes.root.items():
        if outcome.column is not None and outcome.observed:
            yield from column_fault(
                study.data, study.treatment, f"outcomes.{name}.column", outcome.column, "number"
            )


def _covariate_faults(study: StudySection) -> Iterator[str]:
    latest = study.treatment.reference_event_time
    for name, covariate in study.score.covariates.items():
        if covariate.column is None:
            continue
        path = f"score.covariates.{name}"
        kind = "text" if covariate.transform in TEXT else "number"
        yield from column_fault(
            study.data, study.treatment, f"{path}.column", covariate.column, kind
        )
        if covariate.last_event_time > latest and not covariate.constant:
            yield (
                f"{path} is dated {covariate.last_event_time} years from entry: covariates must be "
                f"dated {latest} or earlier (entry - 1 - anticipation_years), or the programme may "
                "already have changed them"
            )


def _design_faults(study: StudySection) -> Iterator[str]:
    models, covariates = list(study.score.models), list(study.score.covariates)
    for name, design in study.match.designs.items():
        if design.score not in models:
            yield (
                f"match.designs.{name}.score: {design.score} is not a score model"
                f"{nearest_known(design.score, models)}"
            )
        for key, named in design.named().items():
            for covariate in named:
                if covariate not in covariates:
                    yield (
                        f"match.designs.{name}.{key}: {covariate} is not defined in "
                        f"score.covariates{nearest_known(covariate, covariates)}"
                    )
        for covariate in design.bins if isinstance(design, CellDesign) else []:
            if covariate in covariates:
                yield from _category_fault(
                    study, f"match.designs.{name}.bins", covariate, "name it in `exact` alone"
                )


def _category_fault(study: StudySection, path: str, covariate: str, remedy: str) -> Iterator[str]:
    """Yield a fault where a setting that takes numbers names a category."""
    if study.score.is_category(covariate):
        yield f"{path}: {covariate} is a category, and this needs a number; {remedy}"


def _estimate_faults(study: StudySection) -> Iterator[str]:
    designs = ["unmatched", *study.match.designs]
    outcomes = list(study.outcomes.root)
    for spec in study.estimate.specs:
        path = f"estimate.specs.{spec.name}"
        for design in spec.designs:
            if design not in designs:
                yield f"{path}.designs: {design} is not a design{nearest_known(design, designs)}"
        for outcome in spec.outcomes if isinstance(spec.outcomes, list) else []:
            if outcome not in outcomes:
                near = nearest_known(outcome, outcomes)
                yield f"{path}.outcomes: {outcome} is not declared{near}"
            elif spec.in_logs_only and not study.outcomes.root[outcome].in_logs:
                yield f"{path}.outcomes: {outcome} is neither log nor proportional"
        for option, covariate, mark in spec.marked(OfScore):
            if covariate not in study.score.covariates:
                near = nearest_known(covariate, list(study.score.covariates))
                yield f"{path}.{option}: {covariate} is not in score.covariates{near}"
            elif mark.numeric:
                yield from _category_fault(study, f"{path}.{option}", covariate, _INDICATORS)
        for option, column, _ in spec.marked(OfPanel):
            yield from _column_fault(study, f"{path}.{option}", column, "text")


def _exhibit_faults(study: StudySection) -> Iterator[str]:
    counted, shown = study.clean.minimum_count, study.exhibit.disclosure.min_cell_firms
    # a count that is not given may be stricter than what is published, which tells nothing
    given = "minimum_count" in study.clean.model_fields_set
    if counted < shown or (given and counted != shown):
        yield (
            f"clean.minimum_count is {counted} and exhibit.disclosure.min_cell_firms is {shown}: "
            "one threshold holds for all that is published; give both the same number (5 where "
            "absent)"
        )
    specs = {spec.name: spec for spec in study.estimate.specs}
    for position, panel in enumerate(study.exhibit.panels):
        path = f"exhibit.panels.{position}"
        if panel.spec not in specs:
            yield f"{path}.spec: {panel.spec} is not a spec{nearest_known(panel.spec, list(specs))}"
        elif panel.design not in specs[panel.spec].designs:
            yield f"{path}.design: spec {panel.spec} is not estimated on {panel.design}"
        elif specs[panel.spec].gives == "bounds":
            yield f"{path}.spec: {panel.spec} gives bounds, which no panel of effects shows"
    outcomes = list(study.outcomes.intended)
    for name in study.exhibit.cards:
        if name not in outcomes:
            near = nearest_known(name, outcomes)
            yield f"exhibit.cards: {name} is not an outcome that the programme may move{near}"


def _column_fault(study: StudySection, path: str, column: str, kind: str) -> Iterator[str]:
    yield from column_fault(study.data, study.treatment, path, column, kind)
