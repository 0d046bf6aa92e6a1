"""report.html: what it says is what the tables say, and a page that any reader can open."""

import dataclasses
import math
from html.parser import HTMLParser

import pytest
from published import build_exhibits
from results import OUTCOMES, study_results, with_figures

from pipeline.commands.audit.comparison import differences
from pipeline.datasets.fits import DETECTABLE
from pipeline.datasets.samples import SAMPLES
from pipeline.exhibits.inputs import find_effect
from pipeline.exhibits.render.html import render_html
from pipeline.exhibits.tables.table import Number, Panel, Row, Table, TableColumn
from pipeline.exhibits.words.assumptions import assumptions
from pipeline.exhibits.words.findings import findings
from pipeline.exhibits.words.limitations import limitations
from pipeline.publishing.publication import published
from pipeline.publishing.study import build_texts, study_tables

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Collect tags, text and faults of nesting; void elements need no end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.text, self.open, self.faults = [], [], [], []
        self.feed(text)
        self.faults += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"{tag} closes another element")

    def handle_data(self, data):
        self.text.append(data)

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="module")
def results():
    return study_results()


@pytest.fixture(scope="module")
def html(results):
    return build_exhibits(results)["report.html"].decode()


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_elements_are_nested_and_names_are_unique(page):
    assert page.faults == []
    names = [a["id"] for _, a in page.tags if "id" in a]
    assert len(names) == len(set(names))
    assert names


def test_nothing_is_fetched_and_nothing_runs(page):
    assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), tag
            if name in {"src", "href", "xlink:href", "action"}:
                beside = (tag, value) == ("a", "provenance.json")
                assert beside or value.startswith("#"), (tag, value)
    assert "url(http" not in "".join(page.text)


def test_a_screen_reader_finds_language_title_headings_and_table_heads(page, results):
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert len(page.all("table")) == len(page.all("caption")) == len(study_tables(results)) + 1
    assert all("scope" in attributes for attributes in page.all("th"))
    drawing = page.all("svg")[0]
    assert drawing["role"] == "img"
    assert "Annual sales, percent: " in drawing["aria-label"]
    assert all("aria-label" in box for box in page.all("div") if box.get("role") == "region")


def test_every_reference_inside_the_drawing_has_its_target(page, html):
    names = {a["id"] for _, a in page.tags if "id" in a}
    links = [value for _, a in page.tags for n, value in a.items() if n.endswith("href")]
    used = {value[1:] for value in links if value != "provenance.json"}
    assert used <= names
    assert "url(#event-study-" in html


def test_every_printed_cell_is_on_the_page(page, results):
    shown = set(page.text)
    for table in study_tables(published(results)).values():
        for row in table.rows():
            assert {cell.plain() for cell in row.cells if cell is not None} <= shown


def test_sentences_translate_the_headline_effects(results):
    sentences = findings(results)
    assert len(sentences) == 4
    effect = find_effect(results, "sales_log", "covariates_lags", "stacked")
    value, low, high = (
        f"{100 * math.expm1(x):.1f}".replace("-", "\u2212")
        for x in (effect.estimate, effect.conf_low, effect.conf_high)
    )
    assert (
        f"is {value} percent, with a 95 percent confidence interval from {low} to {high}"
        in (sentences[0])
    )
    assert "percentage points" in sentences[2]
    assert "398 are behind the effects" in sentences[3]


def test_a_study_without_effects_says_so():
    unseen = {"a": {**OUTCOMES["exports_value"], "family": "main"}}
    assert findings(study_results(unseen)) == ["No effect could be estimated."]


def test_assumptions_follow_the_parameters(results):
    words = dict(assumptions(results))
    assert (
        "never-treated firms outside clusters with participants"
        in (words["Who is compared with whom?"])
    )
    assert "caliper 0.2 standard deviations" in words["How are they picked?"]
    assert words["When?"].startswith("Years \u22123 to +3")
    assert "municipality x sector" in words["How sure are we?"]


def with_column(results, outcome, column, value, time=None):
    estimates = results.estimates.copy()
    chosen = (estimates["outcome"] == outcome) & (estimates["design"] == "covariates_lags")
    if time is not None:
        chosen &= estimates["event_time"] == time
    estimates.loc[chosen, column] = value
    return dataclasses.replace(results, estimates=estimates)


def test_limitations_appear_with_their_cause_and_not_without(results):
    words = " ".join(limitations(results))
    assert "14 without covariates, support or comparison" in words
    assert "Export value: not observed, no customs data in this register." in words
    for absent in ("too few", "trends before entry differ", "left out because"):
        assert absent not in words
    few = with_column(results, "sales_log", "n_treated_clusters", 7)
    assert "Annual sales: 7 treated clusters are too few" in " ".join(limitations(few))


def test_a_pre_trend_that_differs_is_a_limitation(results):
    tests = results.tests.copy()
    tests.loc[tests["outcome"] == "sales_log", "p_value"] = 0.004
    found = " ".join(limitations(dataclasses.replace(results, tests=tests)))
    assert "Annual sales: trends before entry differ (joint p = 0.004)." in found


def test_low_power_is_raised_where_a_lead_could_hide_the_effect(results):
    """With leads 2.8 standard errors wide, a lead of 0.087 would go unseen; the effect is 0.047."""
    words = " ".join(limitations(results))
    size = f"{100 * math.expm1(0.031 * 2.8):.1f}"
    assert f"Annual sales: the look at pre-trends has little power: a difference of {size}" in words
    place = {"outcome": "sales_log", "design": "covariates_lags"}
    sure = with_figures(results, DETECTABLE, place, effect=1e-4)
    assert "Annual sales: the look at pre-trends" not in " ".join(limitations(sure))


def test_an_outcome_without_leads_shows_no_pre_trend(results):
    estimates = results.estimates
    kept = estimates[~estimates["event_time"].isin([-3, -2]).fillna(False)]
    untested = results.tests.assign(p_value=float("nan"))
    found = " ".join(limitations(dataclasses.replace(results, estimates=kept, tests=untested)))
    assert "Annual sales: no year before the reference year" in found


def test_rows_left_out_for_missing_outcomes_are_a_limitation(results):
    place = {"design": "covariates_lags", "outcome": "sales_log"}
    missing = with_figures(results, SAMPLES, place, firm_years_missing=11752)
    found = " ".join(limitations(missing))
    assert "Annual sales: 50 percent of the rows of matched firms are left out" in found


def test_text_from_users_is_escaped():
    nasty = "<b>R&D</b> \"x\" 'y'"
    table = Table(
        columns=(TableColumn(nasty, nasty, 1, nasty),),
        panels=(Panel(nasty, (Row(nasty, (Number(1.0, 1, suffix="<i>"),)),)),),
        notes=(nasty,),
        source=nasty,
    )
    found = Page(render_html(table, nasty))
    assert found.faults == []
    assert not {"b", "i"} & {tag for tag, _ in found.tags}
    assert found.text.count(nasty) >= 5


def test_provenance_is_a_link_in_constant_words(page, html):
    import pandas

    assert 'href="provenance.json"' in html
    assert pandas.__version__ not in page.text


def test_the_page_can_be_made_again_without_the_drawing(results, html):
    again = build_texts(published(results))["report.html"]
    assert differences({"report.html": html.encode()}, {"report.html": again}) == []


def test_percents_are_said_of_the_column_and_not_of_its_logarithm(results):
    """The column of log sales is called `Annual sales`; that of log employment has no label."""
    assert results.plain_name("sales_log") == "Annual sales"
    assert results.plain_name("employment_log") == "Log employment"
    assert results.plain_name("exports_any") == "Any exports"
    assert findings(results)[0].startswith("Annual sales: the average effect")
