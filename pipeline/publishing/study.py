"""All exhibits of one study, made in memory."""

from collections.abc import Callable
from dataclasses import replace

from pipeline.exhibits.figures.drawing import render_figure
from pipeline.exhibits.figures.registry import FIGURES, drawn_figures
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import headline_metrics, numbers_json, numbers_tex
from pipeline.exhibits.quoted_numbers import all_numbers, quoted_numbers
from pipeline.exhibits.render.latex import render_latex
from pipeline.exhibits.render.markdown import render_markdown
from pipeline.exhibits.render.results_csv import plots_csv
from pipeline.exhibits.render.table_csv import render_csv
from pipeline.exhibits.render.word import render_word
from pipeline.exhibits.report import report_page
from pipeline.exhibits.summary import summary
from pipeline.exhibits.tables.registry import TABLES, named_tables
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.words.arm_note import noted_arm
from pipeline.exhibits.words.captions import caption, figure_floats, table_floats
from pipeline.exhibits.words.cautions import hidden_note, survival_caution
from pipeline.exhibits.words.methods_paragraph import methods_tex
from pipeline.exhibits.words.sampling import noted_weights
from pipeline.progress import track
from pipeline.publishing.arm_files import of_arm
from pipeline.publishing.dictionary import PACKAGE, data_package
from pipeline.publishing.manifest import ShownTables, manifest
from pipeline.publishing.publication import Publication, other_arms
from pipeline.publishing.swap import MANIFEST

# Figures take longer than all else: these are drawn for every arm.
_FIGURES_OF_ARMS = ("event_study",)


def _place(make: Callable[[StudyResults], object]) -> str:
    return f"{make.__module__}.{make.__name__}"


# Where each exhibit is made, for those who look for the code behind a table or figure.
EXHIBIT_FUNCTIONS = {
    "tables": {name: _place(row.make) for name, row in TABLES.items()},
    "figures": {name: _place(row.draw) for name, row in FIGURES.items()},
}


def build_published(publication: Publication) -> dict[str, bytes]:
    """Return every file of reports/<study>/ by its path there; nothing is written.

    Exhibits are made from the results tables as published, eight digits long, so that anyone can
    make them again from reports/<study>/results/.
    """
    shown = _shown(publication.results)
    csvs = {f"results/{name}.csv": text for name, text in publication.csvs.items()}
    files = {**_exhibits(shown), **csvs, **_data_packages(publication)}
    return {**files, MANIFEST: manifest(files, shown)}


def _data_packages(publication: Publication) -> dict[str, bytes]:
    """Return the description of the results tables of every arm."""
    study = publication.results.study
    folders = ["", *(own.arm_folder for own in other_arms(publication.results))]
    return {
        of_arm(PACKAGE, folder): data_package(study, publication.tables(folder))
        for folder in folders
    }


def exhibits_of(results: StudyResults) -> dict[str, bytes]:
    """Return tables, numbers, figures and the page: all that published results suffice for."""
    return _exhibits(_shown(results))


def _shown(results: StudyResults) -> list[ShownTables]:
    """Return the tables of the study, then those of the arms other than the headline's."""
    return [ShownTables(own, study_tables(own)) for own in (results, *other_arms(results))]


def _exhibits(shown: list[ShownTables]) -> dict[str, bytes]:
    figures = [_figures(one.results) for one in shown]
    return {**_texts(shown), **{path: c for own in figures for path, c in own.items()}}


def build_texts(results: StudyResults) -> dict[str, bytes]:
    """Return what `exhibits_of` does without figures, which take longer than all else."""
    return _texts(_shown(results))


def _texts(shown: list[ShownTables]) -> dict[str, bytes]:
    results, tables = shown[0].results, shown[0].tables
    renderings = [_renderings(one) for one in shown]
    with results.speaking():
        floats = [table_floats(one.results, one.tables.values()) for one in shown]
        captioned = {caption(o.results, t.part): t for o in shown for t in o.tables.values()}
        return {
            **{path: text for own in renderings for path, text in own.items()},
            **_numbers(results),
            **plots_csv(results),
            "methods.tex": methods_tex(results),
            "tables.tex": "".join(floats).encode("utf-8"),
            "figures.tex": figure_floats(results, list(drawn_figures(results))).encode(),
            "tables.docx": render_word(captioned),
            "report.html": report_page(results, tables),
        }


def study_tables(results: StudyResults) -> dict[str, Table]:
    """Return the declared tables by file name, in order; further parts are numbered from 2.

    Of an arm other than the headline's without those of the data, which all arms share.
    """
    with results.speaking():
        return _study_tables(results)


def _study_tables(results: StudyResults) -> dict[str, Table]:
    named: dict[str, Table] = {}
    asked = results.settings.tables
    names = [n for n in asked if not (results.arm_folder and TABLES[n].section == "data")]
    for name in track(names, "tables", len(names), name=str):
        named |= named_tables(results, name)
    caution = survival_caution(results)
    named = {name: noted_weights(results, table) for name, table in named.items()}
    named = {name: noted_arm(results, table) for name, table in named.items()}
    return {
        name: replace(table, notes=(*table.notes, *hidden_note(results, table), *caution))
        for name, table in named.items()
    }


def _renderings(shown: ShownTables) -> dict[str, bytes]:
    """Return each table as a LaTeX fragment, as Markdown and as CSV."""
    renderers = {"tex": render_latex, "md": render_markdown, "csv": render_csv}
    with shown.results.speaking():
        return {
            of_arm(f"tables/{name}.{kind}", shown.results.arm_folder): render(table).encode("utf-8")
            for name, table in shown.tables.items()
            for kind, render in renderers.items()
        }


def _figures(results: StudyResults) -> dict[str, bytes]:
    """Return the figures; of an arm other than the headline's its effects by event time alone."""
    with results.speaking():
        rows = drawn_figures(results)
        names = [n for n in rows if not results.arm_folder or n in _FIGURES_OF_ARMS]
        return {
            of_arm(f"figures/{name}.{kind}", results.arm_folder): content
            for name in track(names, "figures", len(names), name=str)
            for kind, content in render_figure(rows[name].draw, results).items()
        }


def _numbers(results: StudyResults) -> dict[str, bytes]:
    every = all_numbers(results)
    figures = quoted_numbers(results, every)
    return {
        "metrics.json": headline_metrics(results),
        "numbers.json": numbers_json(figures),
        "numbers_all.json": numbers_json(every),
        "numbers.tex": numbers_tex(figures, f"reports/{results.study}/numbers.tex"),
        "summary.md": summary(results).encode("utf-8"),
    }
