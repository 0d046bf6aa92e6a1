"""Nothing reads a sentence: reworded, it changes where it stands, and nothing else."""

import csv
import dataclasses
import io
import re
from pathlib import Path

import pytest
from published import build_exhibits
from results import OUTCOMES, remarked, study_results

from pipeline.commands.audit.rebuild import published_results
from pipeline.datasets.reasons import with_reason
from pipeline.errors import Reason
from pipeline.exhibits.words import language
from pipeline.params.settings import load_yaml, study_names
from pipeline.publishing.publication import published
from pipeline.publishing.study import build_texts

# Stands for e in every sentence: another text that is as wide, so that no page breaks elsewhere.
MARKS = str.maketrans("eE", "\u00eb\u00cb")
PLAIN = str.maketrans("\u00eb\u00cb", "eE")
ROOT = Path(__file__).parent.parent
LANGUAGES = ["en", "es", "pt"]


def with_reasons(code):
    """Return a study with what is hidden, missing, without an error, and seen in part."""
    results = study_results(OUTCOMES, language=code, notes="short")
    estimates, tests = results.estimates.copy(), results.tests.copy()
    figures = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]

    def rows(outcome, design):
        return (estimates["outcome"] == outcome) & (estimates["design"] == design)

    few = rows("sales_log", "covariates")
    estimates.loc[few, "n_treated"] = 3
    lost = rows("employment_log", "covariates") & (estimates["event_time"] != -1).fillna(True)
    estimates.loc[lost, figures] = float("nan")
    estimates = with_reason(estimates, lost, Reason("no_outcome_variation"))
    bare = rows("exports_any", "unmatched") & (estimates["event_time"] != -1).fillna(True)
    estimates.loc[bare, figures[1:]] = float("nan")
    estimates = with_reason(estimates, bare, Reason("one_cluster"))
    partial = rows("sales_log", "covariates_lags") & (estimates["event_time"] == -2).fillna(False)
    estimates = remarked(estimates, partial, Reason("entry_years_only", {"years": [2010]}))
    return dataclasses.replace(results, estimates=estimates, tests=tests)


def words_of(files):
    """Return the files that are text; the manifest holds hashes of the others."""
    kinds = (".md", ".csv", ".html", ".json", ".tex")
    return {k: v.decode() for k, v in files.items() if k.endswith(kinds) and k != "manifest.csv"}


@pytest.mark.parametrize(
    ("code", "build"),
    [
        ("en", build_texts),
        ("es", build_texts),
        ("pt", build_texts),
        # drawn in one language, since drawing takes most of the time
        pytest.param("en", build_exhibits, marks=pytest.mark.slow),
    ],
)
def test_every_sentence_reworded_changes_its_words_only(code, build, monkeypatch):
    results = published(with_reasons(code))
    plain = words_of(build(results))
    reword(code, monkeypatch)
    found = words_of(build(results))
    assert {"summary.md", "report.html", "tables/main_effects.md"} <= reworded(found, plain)


def in_language(results, code):
    """Return results, those of every arm with them, as a study in another language has them."""
    exhibit = results.settings.exhibit.model_copy(update={"language": code})
    settings = dataclasses.replace(results.settings, exhibit=exhibit)
    arms = {name: in_language(own, code) for name, own in results.arms.items()}
    return dataclasses.replace(results, settings=settings, arms=arms)


@pytest.mark.slow
@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("study", study_names(load_yaml(ROOT / "params.yaml")))
def test_published_results_are_told_in_every_language_and_never_read(study, code, monkeypatch):
    results = in_language(published_results(ROOT, study), code)
    plain = words_of(build_texts(results))
    reword(code, monkeypatch)
    found = words_of(build_texts(results))
    assert {"summary.md", "report.html", "tables/main_effects.md"} <= reworded(found, plain)


def reword(code, monkeypatch):
    """Say every sentence of a language in other letters."""
    other = {name: another(sentence) for name, sentence in language.sentences(code).items()}
    monkeypatch.setattr(language, "sentences", lambda _: other)


def reworded(found, plain):
    """Return which files say something, once it is shown that only words of theirs changed."""
    assert found.keys() == plain.keys()
    for name, text in found.items():
        assert _without_drawing(text.translate(PLAIN)) == _without_drawing(plain[name]), name
    marked = {name for name, text in found.items() if text.translate(PLAIN) != text}
    assert not any(name.startswith(("results/", "numbers.json", "metrics")) for name in marked)
    return marked


def another(sentence):
    """Return a sentence of other letters, its fields as they were."""
    parts = re.split(r"({.*?})", sentence)
    return "".join(part if part.startswith("{") else part.translate(MARKS) for part in parts)


def _without_drawing(text):
    """Return the page without the figure in it."""
    before, _, rest = text.partition("<svg")
    return before + rest.partition("</svg>")[2]


@pytest.fixture(scope="module")
def in_english():
    """Return published results, and their texts as the sentences are."""
    results = published(with_reasons("en"))
    return results, words_of(build_texts(results))


@pytest.mark.parametrize(
    "name",
    [
        "reason.few_firms_in_group",
        "reason.no_outcome_variation",
        "reason.one_cluster",
        "reason.entry_years_only",
        "reason.no_pre_year",
        "step.delivered",
        "row.average_effect",
        "unit.percent",
    ],
)
def test_one_sentence_reworded_changes_that_sentence_only(name, in_english, monkeypatch):
    results, plain = in_english
    sentences = language.sentences("en")
    fields = [part for part in re.findall(r"{.*?}", sentences[name])]
    other = " ".join(["quagga", *fields])
    monkeypatch.setattr(language, "sentences", lambda _: {**sentences, name: other})
    found = words_of(build_texts(results))
    assert found.keys() == plain.keys()
    changed = {path for path, text in found.items() if text != plain[path]}
    assert changed and not any(p.endswith(".json") or p.startswith("results/") for p in changed)
    # a narrower heading may stand on the LaTeX page in another way
    for path in (path for path in changed if not path.endswith(".tex")):
        pairs = zip(pieces(path, found[path]), pieces(path, plain[path]), strict=True)
        assert all("uagga" in new for new, old in pairs if new != old), path


def pieces(path, text):
    """Return the cells of a CSV, the lines of other files."""
    if path.endswith(".csv"):
        return [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    return _without_drawing(text).splitlines()
