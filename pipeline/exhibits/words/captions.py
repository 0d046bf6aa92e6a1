"""What each exhibit is called, wherever it has a caption: pages, LaTeX floats, Word."""

from collections.abc import Iterable

from pipeline.exhibits.figures.registry import FIGURES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render.latex_cells import escape
from pipeline.exhibits.tables.registry import TABLES
from pipeline.exhibits.tables.table import Table, TablePart
from pipeline.exhibits.words.designs import uncapitalised
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.sampling import sampling_words


def caption(results: StudyResults, of: TablePart) -> str:
    """Return the caption of a table, or of a further part of it."""
    words = say(TABLES[of.table].caption, firms=results.settings.exhibit.firms)
    part = say("captions.part", number=of.part) if of.part > 1 else ""
    return words + part + _of_other_arm(results)


def _of_other_arm(results: StudyResults) -> str:
    """Name the arm of an exhibit that is not of the headline's."""
    arm = results.arm
    return f" ({results.settings.arm_label(arm)})" if arm and results.arm_folder else ""


def _figure_caption(results: StudyResults, name: str) -> str:
    words = say(FIGURES[name].caption, firms=results.settings.exhibit.firms)
    return words + ("" if FIGURES[name].sampled else sampling_words(results, "caption"))


def tables_left_out(results: StudyResults, tables: Iterable[Table]) -> str:
    """Name the tables asked for that are not made, in one line; empty where all are."""
    made = {table.part.table for table in tables}
    absent = [name for name in results.settings.tables if name not in made]
    if not absent:
        return ""
    called = [uncapitalised(caption(results, TablePart(name))) for name in absent]
    return say("outcome_tables.tables_left_out", names="; ".join(called))


def table_floats(results: StudyResults, tables: Iterable[Table]) -> str:
    r"""Return a file to \input that shows every table as a float with caption and label."""
    tables = list(tables)
    left_out = "" if results.arm_folder else tables_left_out(results, tables)
    floats = [
        _float(
            "table",
            results,
            table.part.file_name,
            caption(results, table.part),
            rf"\input{{{_place(results, 'tables', table.part.file_name)}}}",
        )
        for table in tables
    ]
    return _FOLDER + (f"% {left_out}\n" if left_out else "") + "".join(floats)


def figure_floats(results: StudyResults, names: list[str]) -> str:
    r"""Return a file to \input that shows every figure as a float with caption and label."""
    floats = [
        _float(
            "figure",
            results,
            name,
            _figure_caption(results, name),
            rf"\includegraphics[width=\linewidth]{{{_place(results, 'figures', name)}.pdf}}",
        )
        for name in names
    ]
    return _FOLDER + "".join(floats)


# A report that lies elsewhere says where: \newcommand{\reportsfolder}{../reports}.
_FOLDER = "\\providecommand{\\reportsfolder}{reports}\n"


def _place(results: StudyResults, kind: str, name: str) -> str:
    return "/".join([r"\reportsfolder", results.study, kind, *_arm_parts(results), name])


def _arm_parts(results: StudyResults) -> list[str]:
    return [results.arm_folder] if results.arm_folder else []


def _float(kind: str, results: StudyResults, name: str, called: str, content: str) -> str:
    words = escape(f"{results.settings.exhibit.title}: {uncapitalised(called)}")
    label = ":".join([kind[:3], results.study, *_arm_parts(results), name])
    return (
        f"\\begin{{{kind}}}[tbp]\\centering\n\\caption{{{words}}}"
        f"\\label{{{label}}}\n{content}\n\\end{{{kind}}}\n\\clearpage\n"
    )
