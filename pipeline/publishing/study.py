"""All exhibits of one study, made in memory."""

from collections.abc import Callable
from dataclasses import replace

from matplotlib.figure import Figure

from pipeline.exhibits.figures.cohorts import cohort_plot
from pipeline.exhibits.figures.drawing import render_figure
from pipeline.exhibits.figures.event_study import event_study as draw_event_study
from pipeline.exhibits.figures.love_plot import love_plot
from pipeline.exhibits.figures.outcome_paths import outcome_paths
from pipeline.exhibits.figures.overlap import overlap
from pipeline.exhibits.figures.sample_flow import flow_figure
from pipeline.exhibits.group_numbers import group_numbers
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import headline_metrics, numbers_json, numbers_tex, study_numbers
from pipeline.exhibits.render.latex import render_latex
from pipeline.exhibits.render.markdown import render_markdown
from pipeline.exhibits.render.plots_csv import plots_csv
from pipeline.exhibits.render.table_csv import render_csv
from pipeline.exhibits.render.word import render_word
from pipeline.exhibits.report import report_page
from pipeline.exhibits.summary import summary
from pipeline.exhibits.tables.balance import balance_table
from pipeline.exhibits.tables.balance_summary import balance_summary
from pipeline.exhibits.tables.cohorts import cohorts_table
from pipeline.exhibits.tables.detectable_effects import detectable_effects
from pipeline.exhibits.tables.dynamic_effects import dynamic_effects
from pipeline.exhibits.tables.estimators import estimators_tables
from pipeline.exhibits.tables.export_margins import export_margins_tables
from pipeline.exhibits.tables.group_time import group_time_tables
from pipeline.exhibits.tables.heterogeneity import heterogeneity_tables
from pipeline.exhibits.tables.inference import inference_tables
from pipeline.exhibits.tables.main_effects import main_effects
from pipeline.exhibits.tables.matching_choices import matching_choices
from pipeline.exhibits.tables.missingness import missingness_table
from pipeline.exhibits.tables.parts import pages
from pipeline.exhibits.tables.placebos import placebos_tables
from pipeline.exhibits.tables.recovery import recovery_tables
from pipeline.exhibits.tables.sample_flow import sample_flow
from pipeline.exhibits.tables.score import score_table
from pipeline.exhibits.tables.size_weighted import size_weighted_tables
from pipeline.exhibits.tables.summary_statistics import summary_statistics_table
from pipeline.exhibits.tables.support import support_tables
from pipeline.exhibits.tables.survival import survival_tables
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.tables.twoway_weights import twoway_weights_tables
from pipeline.exhibits.words.captions import caption, figure_floats, table_floats
from pipeline.exhibits.words.cautions import hidden_note, survival_caution
from pipeline.exhibits.words.language import speaking
from pipeline.publishing.manifest import manifest
from pipeline.publishing.publication import published, published_csvs
from pipeline.publishing.swap import MANIFEST

# What reads the name of a table in params.yaml; `main_effects` names its parts itself.
_TABLES: dict[str, Callable[[StudyResults], Table | list[Table]]] = {
    "estimators": estimators_tables,
    "dynamic_effects": dynamic_effects,
    "inference": inference_tables,
    "detectable_effects": detectable_effects,
    "placebos": placebos_tables,
    "twoway_weights": twoway_weights_tables,
    "balance": balance_table,
    "balance_summary": balance_summary,
    "matching_choices": matching_choices,
    "score": score_table,
    "cohorts": cohorts_table,
    "sample_flow": sample_flow,
    "summary_statistics": summary_statistics_table,
    "missingness": missingness_table,
    "support": support_tables,
    "group_time": group_time_tables,
    "export_margins": export_margins_tables,
    "survival": survival_tables,
    "heterogeneity": heterogeneity_tables,
    "size_weighted": size_weighted_tables,
    "recovery": recovery_tables,
}

_FIGURES: dict[str, Callable[[StudyResults], Figure]] = {
    "outcome_paths": outcome_paths,
    "event_study": draw_event_study,
    "love_plot": love_plot,
    "overlap": overlap,
    "sample_flow": flow_figure,
    "cohorts": cohort_plot,
}

# Where each exhibit is made, for those who look for the code behind a table or figure.
EXHIBIT_FUNCTIONS = {
    kind: {name: f"{make.__module__}.{make.__name__}" for name, make in made.items()}
    for kind, made in (("tables", {"main_effects": main_effects, **_TABLES}), ("figures", _FIGURES))
}


def build_exhibits(results: StudyResults) -> dict[str, bytes]:
    """Return every file of reports/<study>/ by its path there; nothing is written.

    Exhibits are made from the results tables as published, eight digits long, so that anyone can
    make them again from reports/<study>/results/.
    """
    public = published(results)
    with speaking(results.settings.exhibit):
        figures = _figures(public)
    drawing = figures.get("figures/event_study.svg", b"<svg></svg>").decode("utf-8")
    texts = build_texts(public, drawing)
    files = {**texts, **figures, **_csv_files(results)}
    return {**files, MANIFEST: manifest(files, study_tables(public), public)}


def build_texts(results: StudyResults, event_study: str = "<svg></svg>") -> dict[str, bytes]:
    """Return tables, numbers and the page: all that published results and parameters suffice for.

    The page's drawing is given, because drawing takes longer than everything else together.
    """
    tables = study_tables(results)
    with speaking(results.settings.exhibit):
        return {
            **_renderings(tables),
            **_numbers(results),
            **plots_csv(results),
            "tables.tex": table_floats(results, list(tables)).encode("utf-8"),
            "figures.tex": figure_floats(results, list(results.settings.exhibit.figures)).encode(),
            "tables.docx": render_word({caption(results, name): t for name, t in tables.items()}),
            "report.html": report_page(results, tables, event_study),
        }


def study_tables(results: StudyResults) -> dict[str, Table]:
    """Return the declared tables by file name, in order; further parts are numbered from 2."""
    with speaking(results.settings.exhibit):
        return _study_tables(results)


def _study_tables(results: StudyResults) -> dict[str, Table]:
    named: dict[str, Table] = {}
    for name in results.settings.exhibit.tables:
        named |= main_effects(results) if name == "main_effects" else _parts(results, name)
    caution = survival_caution(results)
    return {
        name: replace(table, notes=(*table.notes, *hidden_note(results, table), *caution))
        for name, table in named.items()
    }


def _parts(results: StudyResults, name: str) -> dict[str, Table]:
    """Return a table by name; where it is longer than a page, its parts by `name`, `name_2`."""
    made = _TABLES[name](results)
    tables = made if isinstance(made, list) else [made]
    parts = [page for table in tables for page in pages(table)]
    return {f"{name}_{i}" if i > 1 else name: part for i, part in enumerate(parts, 1)}


def _renderings(tables: dict[str, Table]) -> dict[str, bytes]:
    """Return each table as a LaTeX fragment, as Markdown and as CSV."""
    renderers = {"tex": render_latex, "md": render_markdown, "csv": render_csv}
    return {
        f"tables/{name}.{kind}": render(table).encode("utf-8")
        for name, table in tables.items()
        for kind, render in renderers.items()
    }


def _figures(results: StudyResults) -> dict[str, bytes]:
    return {
        f"figures/{name}.{kind}": content
        for name in results.settings.exhibit.figures
        for kind, content in render_figure(_FIGURES[name], results).items()
    }


def _csv_files(results: StudyResults) -> dict[str, bytes]:
    """Return the results tables as CSV; tables of firms are not among them."""
    return {f"results/{name}.csv": text for name, text in published_csvs(results).items()}


def _numbers(results: StudyResults) -> dict[str, bytes]:
    figures = dict(sorted((study_numbers(results) | group_numbers(results)).items()))
    return {
        "metrics.json": headline_metrics(results),
        "numbers.json": numbers_json(figures),
        "numbers.tex": numbers_tex(figures, f"reports/{results.study}/numbers.tex"),
        "summary.md": summary(results).encode("utf-8"),
    }
