"""The words for unit and period are the study's, in every sentence that a reader sees."""

import re
from string import Formatter

import pytest
from published import build_exhibits
from results import OUTCOMES, study_results
from workspace import section

from pipeline.errors import ParamsError, Reason
from pipeline.exhibits.words import language
from pipeline.params.exhibit import ARTICLES, ExhibitSection, PeriodWord
from pipeline.params.settings import parse_section
from pipeline.publishing.study import build_texts

YEARS = {
    "en": re.compile(r"\b(years?|yearly|annual)\b", re.IGNORECASE),
    "es": re.compile(r"\b(años?|anual(es)?)\b", re.IGNORECASE),
    "pt": re.compile(r"\b(anos?|anua(l|is))\b", re.IGNORECASE),
}
OWN = {
    "en": PeriodWord(one="epoch", many="epochs", article="an"),
    "es": PeriodWord(one="campaña", many="campañas", article="una"),
    "pt": PeriodWord(one="campanha", many="campanhas", article="uma"),
}
READ = re.compile(r"tables/.*|summary.md|report.html|tables.tex|figures.tex|figures/.*svg")


def speaking(code, period):
    return language.speaking(study_results(language=code, period=period).settings.exhibit)


# What the made-up study calls things itself: labels of columns and filters; of the last one a
# figure draws the last word on a line of its own.
LABELS = re.compile(
    r"Annual sales|Founding year( \(year\))?|[Aa]ssignment cluster known in every year"
    r"|<!-- year -->"
)


def read_by_people(files):
    """Return what a reader sees, without the study's own labels."""
    return {
        name: LABELS.sub("", content.decode())
        for name, content in files.items()
        if READ.fullmatch(name)
    }


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
def test_no_exhibit_of_a_study_of_waves_speaks_of_years(code, build):
    files = read_by_people(build(study_results(OUTCOMES, language=code, period="wave")))
    years = read_by_people(build(study_results(OUTCOMES, language=code)))
    for name, text in files.items():
        assert YEARS[code].findall(text) == [], name
    named = {name for name, text in years.items() if YEARS[code].search(text)}
    assert {"summary.md", "report.html", "tables/main_effects.md", "tables/cohorts.csv"} <= named


# The label of a design, and the names of settings.
# a label of the study, and settings that are called so
CALLED_FIRMS = re.compile(r"[Aa]ll firms|madeup\.(exhibit\.firms?|estimate\.specs\.\w+\.firms)\b")


def test_no_exhibit_of_a_study_of_plants_speaks_of_firms():
    files = read_by_people(build_texts(study_results(OUTCOMES, firms="plants", notes="full")))
    for name, text in files.items():
        assert re.findall(r"\b[Ff]irms?\b", CALLED_FIRMS.sub("", text)) == [], name


@pytest.mark.parametrize("code", YEARS)
def test_every_sentence_follows_the_word(code):
    fixed = [
        name
        for name, sentence in language.sentences(code).items()
        if YEARS[code].search(re.sub(r"{.*?}", "", sentence)) and not name.startswith("period_")
    ]
    assert fixed == []


@pytest.mark.parametrize("code", YEARS)
def test_both_forms_of_every_word_that_agrees_are_given(code):
    for name, sentence in language.sentences(code).items():
        for _, field, forms, _ in Formatter().parse(sentence):
            if field == "agree":
                assert len(set(forms.split("|"))) == 2, name


@pytest.mark.parametrize(
    ("code", "period", "expected"),
    [
        ("en", "year", "counts in a year only if"),
        ("en", "wave", "counts in a wave only if"),
        ("en", OWN["en"], "counts in an epoch only if"),
        ("es", "quarter", "cuenta en un trimestre solo si se observan ese trimestre"),
        ("es", "wave", "cuenta en una ola solo si se observan esa ola"),
        ("es", OWN["es"], "cuenta en una campaña solo si se observan esa campaña"),
        ("pt", "month", "conta em um mês somente se todas as suas f são observadas nesse mês"),
        ("pt", "round", "conta em uma rodada somente se todas as suas f são observadas nessa"),
    ],
)
def test_articles_agree_with_the_word(code, period, expected):
    with speaking(code, period):
        assert expected in language.say("gap_rule.drop_set", firms="f")


@pytest.mark.parametrize(
    ("code", "period", "rows"),
    [
        ("en", "wave", "per-wave data of f"),
        ("en", "half_year", "half-yearly data of f"),
        ("en", OWN["en"], "per-epoch data of f"),
        ("es", "half_year", "datos semestrales de f"),
        ("es", OWN["es"], "datos por campaña de f"),
        ("pt", "quarter", "dados trimestrais de f"),
    ],
)
def test_what_comes_every_period_is_called_by_it(code, period, rows):
    with speaking(code, period):
        assert language.say("main_notes.data", firms="f") == rows


def test_reasons_follow_the_word_and_are_of_years_outside_a_study():
    reason = Reason("event_time_outside_panel")
    with speaking("es", "wave"):
        assert language.tell(reason) == (
            "ninguna ola de entrada tiene esta ola desde la entrada dentro de las olas del panel"
        )
        assert language.say("event_time.years_since_entry") == "Olas desde la entrada"
    assert language.tell(reason) == (
        "no entry year has this event time inside the years of the panel"
    )


def fault(**changes):
    exhibit = section("michigan")["exhibit"] | changes
    with pytest.raises(ParamsError) as refused:
        parse_section({"exhibit": exhibit}, "s", "exhibit", ExhibitSection)
    return str(refused.value)


def test_a_word_without_known_forms_is_refused_and_its_forms_are_asked_for():
    assert fault(period="epoch") == (
        "s.exhibit.period is 'epoch': its forms are not known, as those of year, half_year, "
        "quarter, month, week, wave, round, season are; give them, "
        "period: {one: epoch, many: ..., article: ...}"
    )
    assert fault(period={"one": "epoch", "many": "epochs"}) == (
        "s.exhibit.period.article is missing"
    )


@pytest.mark.parametrize("code", ARTICLES)
def test_an_article_of_another_language_is_refused(code):
    own = {"one": "x", "many": "xs", "article": "der"}
    allowed = " or ".join(ARTICLES[code])
    assert fault(language=code, period=own) == (
        f"s.exhibit: period.article is der: with language {code} it is {allowed}"
    )
    for article in ARTICLES[code]:
        changes = {"language": code, "period": own | {"article": article}}
        exhibit = section("michigan")["exhibit"] | changes
        parse_section({"exhibit": exhibit}, "s", "exhibit", ExhibitSection)
