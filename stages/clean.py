"""Clean raw tables into a panel of firms and years, with a ledger of what each rule cost."""

from pipeline.datasets.dominance import PANEL_DOMINANCE
from pipeline.datasets.panel import COVERAGE, PROFILE
from pipeline.datasets.rules import DATA_RULES
from pipeline.datasets.store import write
from pipeline.panel.clean import clean_panel
from pipeline.panel.coverage import measure_coverage
from pipeline.panel.exposure_inputs import DeliveredLinks, with_exposure_inputs
from pipeline.panel.notices import notices
from pipeline.panel.obtained import read_obtained, read_origins
from pipeline.panel.profile import panel_dominance, profile_panel
from pipeline.panel.rules.weights import without_repeated
from pipeline.panel.sources import read_rules_tables
from pipeline.panel.used_columns import used_columns
from pipeline.panel.what_cleaned import data_rules
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.exposure import centroid_files
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from stages.run import Folders, notify, run_stage

SECTIONS = {
    "data": DataSection,
    "clean": CleanSection,
    "outcomes": OutcomesSection,
    "treatment": TreatmentSection,
    "score": ScoreSection,
}


def main(
    folders: Folders,
    *,
    data: DataSection,
    clean: CleanSection,
    outcomes: OutcomesSection,
    treatment: TreatmentSection,
    score: ScoreSection,
) -> None:
    """Read the raw panel, register and rules files; write PANEL, ledger, PROFILE and COVERAGE.

    LINKS and CENTROIDS are what exposures need beside; outcomes and covariates are asked only which
    columns they read. COVERAGE_BY_SOURCE and
    FIRM_FLOWS stay private.

    DATA_RULES says by which settings. For whoever may see identifiers NOT_FOUND lists the
    beneficiaries that the panel lacks, and CORRECTIONS the corrected values with the reasons that
    the evaluation gave.
    """
    obtained, folder = folders.of("obtained"), folders.of("clean")
    exposures, origins = treatment.exposure, read_origins(obtained)
    tables = read_rules_tables(clean, folders.rules, centroid_files(exposures).values())
    cleaned = clean_panel(
        read_obtained(obtained, "panel"),
        read_obtained(obtained, "register"),
        tables,
        data=data,
        clean=clean,
        treatment=treatment,
        origins=origins,
        used=used_columns(outcomes, score, treatment),
        missing_kinds=read_obtained(obtained, "missing_kinds"),
        left_below=read_obtained(obtained, "left_below"),
    )
    links = DeliveredLinks(read_obtained(obtained, "links"), origins.get("links", ()))
    cleaned = with_exposure_inputs(
        cleaned, links, tables, data=data, clean=clean, exposures=exposures
    )
    for table, rows in cleaned.tables():
        write(table, rows, folder)
    for notice in notices(cleaned):
        notify(f"clean {folders.study}: {notice}")
    write(DATA_RULES, data_rules(data, clean, treatment), folder)
    described = without_repeated(cleaned.panel, data.weight)
    write(COVERAGE, measure_coverage(described), folder)
    write(PANEL_DOMINANCE, panel_dominance(described), folder)
    write(PROFILE, profile_panel(described, clean.minimum_count, data.columns), folder)


if __name__ == "__main__":
    run_stage(main, SECTIONS)
