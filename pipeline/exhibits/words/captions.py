"""What each exhibit is called, wherever it has a caption: pages, LaTeX floats, Word."""

import re

from pipeline.exhibits.figures.registry import FIGURES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render.escape import escape
from pipeline.exhibits.tables.registry import TABLES
from pipeline.exhibits.words.language import say

# `main_effects_2_panels_3`: further outcomes, and further panels of them.
_NAME = re.compile(r"(?P<stem>.*?)(?:_(?P<part>\d+))?(?:_panels_(?P<panels>\d+))?$")


def stem(name: str) -> str:
    """Return the name of an exhibit without the numbers of its parts."""
    return _named(name)["stem"]


def _named(name: str) -> re.Match[str]:
    match = _NAME.match(name)
    assert match is not None
    return match


def caption(results: StudyResults, name: str) -> str:
    """Return the caption of a table by its file name; `balance_2` is the second part."""
    match = _named(name)
    words = say(TABLES[match["stem"]].caption, firms=results.settings.exhibit.firms)
    part = say("captions.part", number=match["part"]) if match["part"] else ""
    panels = say("captions.panels_part", number=match["panels"]) if match["panels"] else ""
    return words + part + panels


def _figure_caption(results: StudyResults, name: str) -> str:
    return say(FIGURES[name].caption, firms=results.settings.exhibit.firms)


def table_floats(results: StudyResults, names: list[str]) -> str:
    r"""Return a file to \input that shows every table as a float with caption and label."""
    floats = [
        _float(
            "table",
            results,
            name,
            caption(results, name),
            rf"\input{{{_place(results, 'tables', name)}}}",
        )
        for name in names
    ]
    return _FOLDER + "".join(floats)


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
    return rf"\reportsfolder/{results.study}/{kind}/{name}"


def _float(kind: str, results: StudyResults, name: str, called: str, content: str) -> str:
    words = escape(f"{results.settings.exhibit.title}: {_lower(called)}")
    return (
        f"\\begin{{{kind}}}[tbp]\\centering\n\\caption{{{words}}}"
        f"\\label{{{kind[:3]}:{results.study}:{name}}}\n{content}\n\\end{{{kind}}}\n\\clearpage\n"
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
