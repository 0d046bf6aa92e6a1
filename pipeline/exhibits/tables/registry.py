"""Every table that params can name: a new one is a module and a row here.

A row says what pages and the export manifest must know of a table; what a row leaves out, and a
section that there is not, are errors, never a silent default.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.arm_contrasts import arm_contrasts_tables
from pipeline.exhibits.tables.arms import arms_tables
from pipeline.exhibits.tables.balance import balance_table
from pipeline.exhibits.tables.balance_summary import balance_summary
from pipeline.exhibits.tables.checks import checks_tables
from pipeline.exhibits.tables.cohorts import cohorts_table
from pipeline.exhibits.tables.detectable_effects import detectable_effects
from pipeline.exhibits.tables.dynamic_effects import dynamic_effects
from pipeline.exhibits.tables.estimators import estimators_tables
from pipeline.exhibits.tables.export_margins import export_margins_tables
from pipeline.exhibits.tables.exposed import arm_flow_tables, exposed_tables
from pipeline.exhibits.tables.group_time import group_time_tables
from pipeline.exhibits.tables.heterogeneity import heterogeneity_tables
from pipeline.exhibits.tables.inference import inference_tables
from pipeline.exhibits.tables.issues import issues_table
from pipeline.exhibits.tables.main_effects import main_effects
from pipeline.exhibits.tables.matching_choices import matching_choices
from pipeline.exhibits.tables.missingness import missingness_table
from pipeline.exhibits.tables.of_what import with_estimand
from pipeline.exhibits.tables.parts import by_file_name, noted_once, pages
from pipeline.exhibits.tables.placebos import placebos_tables
from pipeline.exhibits.tables.pools import pools_tables
from pipeline.exhibits.tables.recovery import recovery_tables
from pipeline.exhibits.tables.sample_flow import sample_flow
from pipeline.exhibits.tables.score import score_table
from pipeline.exhibits.tables.settings import settings_table
from pipeline.exhibits.tables.size_weighted import size_weighted_tables
from pipeline.exhibits.tables.summary_statistics import summary_statistics_table
from pipeline.exhibits.tables.support import support_tables
from pipeline.exhibits.tables.survival import survival_tables
from pipeline.exhibits.tables.table import Table, TablePart
from pipeline.exhibits.tables.twoway_weights import twoway_weights_tables
from pipeline.exhibits.tables.variants import variants_tables
from pipeline.exhibits.tables.without_empty import without_empty

# Sections of the page's appendix, in order; the headings are `report.<section>`.
Section = Literal["data", "selection", "effects", "robustness"]
SECTIONS: tuple[Section, ...] = get_args(Section)


@dataclass(frozen=True)
class RegisteredTable:
    """Hold what the pipeline must know of one table.

    `make` returns the table; several where it needs several, numbered from 2; none where a study
    has nothing to show in it. `caption` is the code of its
    caption, `section` where the page shows it, after those of the section that stand above it.
    `magnitudes` says whether it shows means of magnitudes, to which the dominance rule applies.
    `sampled` says whether its figures are weighted where the study has sampling weights; None of a
    table of words.
    """

    make: Callable[[StudyResults], Table | list[Table]]
    caption: str
    section: Section
    magnitudes: bool
    sampled: bool | None

    def __post_init__(self) -> None:
        """Refuse a section that the page does not have."""
        if self.section not in SECTIONS:
            raise ValueError(f"{self.section} is not a section: {', '.join(SECTIONS)}")


def named_tables(results: StudyResults, name: str) -> dict[str, Table]:
    """Return a table by file name; where it is longer than a page, `name`, `name_2` and so on.

    What has nothing in it is left out; no table at all where nothing has.
    """
    registered = TABLES[name]
    made = registered.make(results)
    tables = made if isinstance(made, list) else [made]
    shown = [full for table in tables if (full := without_empty(table)) is not None]
    told = [with_estimand(results, name, registered.section, table) for table in shown]
    parts = noted_once([page for table in told for page in pages(table)])
    return by_file_name({TablePart(name, i): part for i, part in enumerate(parts, 1)})


TABLES: dict[str, RegisteredTable] = {
    "main_effects": RegisteredTable(
        make=main_effects,
        caption="captions.main_effects",
        section="effects",
        magnitudes=True,
        sampled=True,
    ),
    "arms": RegisteredTable(
        make=arms_tables,
        caption="captions.arms",
        section="effects",
        magnitudes=False,
        sampled=True,
    ),
    "arm_contrasts": RegisteredTable(
        make=arm_contrasts_tables,
        caption="captions.arm_contrasts",
        section="effects",
        magnitudes=False,
        sampled=True,
    ),
    "exposed": RegisteredTable(
        make=exposed_tables,
        caption="captions.exposed",
        section="selection",
        magnitudes=False,
        sampled=False,
    ),
    "arm_flow": RegisteredTable(
        make=arm_flow_tables,
        caption="captions.arm_flow",
        section="selection",
        magnitudes=False,
        sampled=False,
    ),
    "variants": RegisteredTable(
        make=variants_tables,
        caption="captions.variants",
        section="robustness",
        magnitudes=False,
        sampled=True,
    ),
    "pools": RegisteredTable(
        make=pools_tables,
        caption="captions.pools",
        section="robustness",
        magnitudes=False,
        sampled=True,
    ),
    "checks": RegisteredTable(
        make=checks_tables,
        caption="captions.checks",
        section="robustness",
        magnitudes=False,
        sampled=True,
    ),
    "inference": RegisteredTable(
        make=inference_tables,
        caption="captions.inference",
        section="robustness",
        magnitudes=False,
        sampled=True,
    ),
    "twoway_weights": RegisteredTable(
        make=twoway_weights_tables,
        caption="captions.twoway_weights",
        section="robustness",
        magnitudes=False,
        sampled=True,
    ),
    "placebos": RegisteredTable(
        make=placebos_tables,
        caption="captions.placebos",
        section="robustness",
        magnitudes=False,
        sampled=True,
    ),
    "export_margins": RegisteredTable(
        make=export_margins_tables,
        caption="captions.export_margins",
        section="effects",
        magnitudes=False,
        sampled=True,
    ),
    "survival": RegisteredTable(
        make=survival_tables,
        caption="captions.survival",
        section="effects",
        magnitudes=False,
        sampled=True,
    ),
    "heterogeneity": RegisteredTable(
        make=heterogeneity_tables,
        caption="captions.heterogeneity",
        section="effects",
        magnitudes=False,
        sampled=True,
    ),
    "size_weighted": RegisteredTable(
        make=size_weighted_tables,
        caption="captions.size_weighted",
        section="effects",
        magnitudes=False,
        sampled=True,
    ),
    "balance": RegisteredTable(
        make=balance_table,
        caption="captions.balance",
        section="selection",
        magnitudes=True,
        sampled=True,
    ),
    "balance_summary": RegisteredTable(
        make=balance_summary,
        caption="captions.balance_summary",
        section="selection",
        magnitudes=False,
        sampled=True,
    ),
    "matching_choices": RegisteredTable(
        make=matching_choices,
        caption="captions.matching_choices",
        section="robustness",
        magnitudes=False,
        sampled=True,
    ),
    "sample_flow": RegisteredTable(
        make=sample_flow,
        caption="captions.sample_flow",
        section="data",
        magnitudes=False,
        sampled=False,
    ),
    "cohorts": RegisteredTable(
        make=cohorts_table,
        caption="captions.cohorts",
        section="data",
        magnitudes=False,
        sampled=False,
    ),
    "summary_statistics": RegisteredTable(
        make=summary_statistics_table,
        caption="captions.summary_statistics",
        section="data",
        magnitudes=False,
        sampled=False,
    ),
    "missingness": RegisteredTable(
        make=missingness_table,
        caption="captions.missingness",
        section="data",
        magnitudes=False,
        sampled=False,
    ),
    "issues": RegisteredTable(
        make=issues_table,
        caption="captions.issues",
        section="data",
        magnitudes=False,
        sampled=False,
    ),
    "recovery": RegisteredTable(
        make=recovery_tables,
        caption="captions.recovery",
        section="robustness",
        magnitudes=False,
        sampled=True,
    ),
    "estimators": RegisteredTable(
        make=estimators_tables,
        caption="captions.estimators",
        section="robustness",
        magnitudes=False,
        sampled=True,
    ),
    "dynamic_effects": RegisteredTable(
        make=dynamic_effects,
        caption="captions.dynamic_effects",
        section="effects",
        magnitudes=False,
        sampled=True,
    ),
    "detectable_effects": RegisteredTable(
        make=detectable_effects,
        caption="captions.detectable_effects",
        section="robustness",
        magnitudes=False,
        sampled=True,
    ),
    "score": RegisteredTable(
        make=score_table,
        caption="captions.score",
        section="selection",
        magnitudes=False,
        sampled=True,
    ),
    "support": RegisteredTable(
        make=support_tables,
        caption="captions.support",
        section="selection",
        magnitudes=True,
        sampled=True,
    ),
    "settings": RegisteredTable(
        make=settings_table,
        caption="captions.settings",
        section="data",
        magnitudes=False,
        sampled=None,
    ),
    "group_time": RegisteredTable(
        make=group_time_tables,
        caption="captions.group_time",
        section="effects",
        magnitudes=False,
        sampled=True,
    ),
}
