"""What each exhibit is called, wherever it has a caption: pages, LaTeX floats, Word."""

import re

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render.escape import escape
from pipeline.exhibits.words.language import say

_CAPTIONS = {
    "main_effects": "Effects by outcome, design and estimator",
    "estimators": "Average effects by estimator, on the same {firms}",
    "dynamic_effects": "Effects by year since entry",
    "inference": "The average effect under other methods of inference",
    "detectable_effects": "Minimum detectable effects",
    "placebos": "Placebos, and what tests of pre-trends could have found",
    "twoway_weights": "What the flat two-way figure averages",
    "balance": "Treated and comparison {firms} before and after matching",
    "balance_summary": "Balance of every design",
    "matching_choices": "Effects by comparison pool and order of matching",
    "score": "Who enters: coefficients of the propensity score",
    "cohorts": "Entrants by entry year",
    "sample_flow": "What each rule of cleaning and selection cost",
    "summary_statistics": "Summary statistics by treatment and period",
    "missingness": "Rows without a value, by treatment and period",
    "support": "Treated {firms} kept and lost",
    "group_time": "Effects by entry year and year",
    "export_margins": "Effects on levels with zeros, by margin",
    "survival": "Survival, and effects with exit counted",
    "heterogeneity": "Effects by group before entry",
    "size_weighted": "Effects by firm and by size, and the total",
    "recovery": "True and estimated effects",
    "outcome_paths": "Mean outcomes by year since entry",
    "event_study": "Effects by year since entry",
    "love_plot": "Standardised differences before and after matching",
    "overlap": "Propensity scores of treated and comparison {firms}",
}

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
    """Return the caption of an exhibit by its file name; `balance_2` is the second part."""
    match = _named(name)
    words = say(_CAPTIONS[match["stem"]], firms=results.settings.exhibit.firms)
    part = say(", part {number}", number=match["part"]) if match["part"] else ""
    panels = say(", panels part {number}", number=match["panels"]) if match["panels"] else ""
    return words + part + panels


def table_floats(results: StudyResults, names: list[str]) -> str:
    r"""Return a file to \input that shows every table as a float with caption and label."""
    floats = [
        _float("table", "tab", results, name, rf"\input{{{_place(results, 'tables', name)}}}")
        for name in names
    ]
    return _FOLDER + "".join(floats)


def figure_floats(results: StudyResults, names: list[str]) -> str:
    r"""Return a file to \input that shows every figure as a float with caption and label."""
    floats = [
        _float(
            "figure",
            "fig",
            results,
            name,
            rf"\includegraphics[width=\linewidth]{{{_place(results, 'figures', name)}.pdf}}",
        )
        for name in names
    ]
    return _FOLDER + "".join(floats)


# A report that lies elsewhere says where: \newcommand{\reportsfolder}{../reports}.
_FOLDER = "\\providecommand{\\reportsfolder}{reports}\n"


def _place(results: StudyResults, kind: str, name: str) -> str:
    return rf"\reportsfolder/{results.study}/{kind}/{name}"


def _float(kind: str, short: str, results: StudyResults, name: str, content: str) -> str:
    words = escape(f"{results.settings.exhibit.title}: {_lower(caption(results, name))}")
    return (
        f"\\begin{{{kind}}}[tbp]\\centering\n\\caption{{{words}}}"
        f"\\label{{{short}:{results.study}:{name}}}\n{content}\n\\end{{{kind}}}\n\\clearpage\n"
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
