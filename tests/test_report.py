"""report.html: what it says is what the tables say, and a page that any reader can open."""

import dataclasses
import hashlib
import itertools
import json
import math
import re
from html.parser import HTMLParser

import pytest
from published import build_exhibits
from results import OUTCOMES, many_outcomes, study_results
from results import settings as made_up_settings

from pipeline.exhibits.cards import first_screen
from pipeline.exhibits.flow import flow_steps
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.inputs import find_effect
from pipeline.exhibits.own_unit import own_unit_effect
from pipeline.exhibits.render import svg
from pipeline.exhibits.render.html import render_html
from pipeline.exhibits.report import report_page
from pipeline.exhibits.tables.table import Number, Panel, Row, Table, TableColumn
from pipeline.publishing.publication import publish, published
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
    beside = ["further outcomes", "steps as set", "parameters", "provenance"]
    expected = len(study_tables(published(results))) + len(beside)
    assert len(page.all("table")) == len(page.all("caption")) == expected
    assert all("scope" in attributes for attributes in page.all("th"))
    drawings = page.all("svg")
    assert all(drawing["role"] == "img" for drawing in drawings)
    assert drawings[0]["aria-label"].startswith("Annual sales: +")
    assert all(len(drawing["aria-label"].split()) <= 30 for drawing in drawings)
    assert all("aria-label" in box for box in page.all("div") if box.get("role") == "region")
    levels = [int(tag[1]) for tag, _ in page.tags if tag in {"h1", "h2", "h3"}]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_every_link_has_its_target(page):
    names = {a["id"] for _, a in page.tags if "id" in a}
    links = [value for _, a in page.tags for n, value in a.items() if n.endswith("href")]
    used = {value[1:] for value in links if value != "provenance.json"}
    assert used <= names
    assert {"before", "choices", "flow", "a1"} <= used


def test_every_printed_cell_is_on_the_page(page, results):
    """Standard errors apart, which stand in the files: the page has intervals."""
    shown = set(page.text)
    for table in study_tables(published(results)).values():
        for row in table.rows():
            cells = [cell for cell in row.cells if cell is not None]
            if any(getattr(cell, "style", "") != "parenthesis" for cell in cells):
                assert {cell.plain() for cell in cells} <= shown


def test_sentences_translate_the_headline_effects(results):
    sentences = json.loads(headlines(results))["findings"]
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
    content = json.loads(headlines(study_results(unseen)))
    assert content["findings"] == ["No effect could be estimated."]


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


def test_provenance_is_a_link_and_the_fingerprint_that_of_the_published_estimates(page, results):
    import pandas

    estimates = publish(results).csvs["estimates"]
    digest = hashlib.sha256(estimates).hexdigest()[:16]
    assert "provenance.json" in [a.get("href") for a in page.all("a")]
    assert digest in "".join(page.text).replace(" ", "")
    assert pandas.__version__ not in page.text


def test_percents_are_said_of_the_column_and_not_of_its_logarithm(results):
    """The column of log sales is called `Annual sales`; that of log employment has no label."""
    assert results.plain_name("sales_log") == "Annual sales"
    assert results.plain_name("employment_log") == "Log employment"
    assert results.plain_name("exports_any") == "Any exports"
    assert json.loads(headlines(results))["findings"][0].startswith(
        "Annual sales: the average effect"
    )


def test_the_page_can_be_made_again_from_what_is_published(results, html):
    assert build_texts(published(results))["report.html"] == html.encode()


def words_outside_tables(html):
    """Return the words of a page that stand in no table, no note of one and no drawing."""
    for part in ("style", "table", "svg"):
        html = re.sub(rf"<{part}.*?</{part}>", "", html, flags=re.DOTALL)
    html = re.sub(r"<p class=notes>.*?</p>", "", html, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", html).split()


def page_of(results):
    """Return the page without tables, which take longer than the rest of it."""
    with results.speaking():
        return report_page(results, {}).decode()


def sections(html):
    return re.findall(r'<section id="(\w+)">', html)


def test_sections_stand_in_the_order_in_which_readers_ask(html):
    assert sections(html) == [
        "answer",
        "cautions",
        "before",
        "choices",
        "flow",
        "methods",
        "appendix",
    ]
    assert re.findall(r'<li><a href="#(\w+)">', html) == sections(html)


def test_a_section_without_inputs_is_left_out_with_its_link(results):
    estimates = results.estimates
    average = estimates["event_time"].isna()
    alone = average & (estimates["design"] == "covariates_lags")
    bare = dataclasses.replace(
        results, estimates=estimates[alone], paths=results.paths.iloc[:0], profile=None
    )
    text = page_of(bare)
    assert {"before", "choices", "groups"} & {*sections(text)} == set()
    assert 'href="#before"' not in text and 'href="#choices"' not in text
    assert Page(text).faults == []


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_nine_outcomes_with_long_labels_are_all_named_in_few_words(language):
    results = study_results(many_outcomes(9), language=language)
    text = page_of(results)
    found = Page(text)
    assert found.faults == []
    assert found.all("html") == [{"lang": language}]
    assert text.count('<article class="card') == 3
    (further,) = re.findall(r'<table class="others">.*?</table>', text, re.DOTALL)
    assert further.count("<tr>") == 1 + 6
    assert len(words_outside_tables(text)) <= 1300


def test_cards_follow_params_and_every_section_their_order(results):
    exhibit = results.settings.exhibit.model_copy(update={"cards": ["exports_any", "sales_log"]})
    settings = dataclasses.replace(results.settings, exhibit=exhibit)
    text = page_of(dataclasses.replace(results, settings=settings))
    cards = re.findall(r'<article class="card \w+"><h3>(.*?)</h3>', text)
    assert cards == ["Any exports", "Annual sales"]
    named = re.findall(r'<h3 class="ph"><b>(.*?)</b>', text)
    assert named[:4] == ["Any exports", "Annual sales"] * 2


def test_an_interval_over_zero_is_hollow_and_names_both_ends(results):
    estimates = results.estimates.copy()
    headline = (estimates["design"] == "covariates_lags") & estimates["event_time"].isna()
    sales = headline & (estimates["outcome"] == "sales_log")
    for low, kind in ((0.01, "yes"), (-0.01, "no")):
        estimates.loc[sales, ["estimate", "conf_low", "conf_high"]] = [0.05, low, 0.1]
        shown = dataclasses.replace(results, estimates=estimates)
        text = page_of(shown)
        assert f'<article class="card {kind}"><h3>Annual sales' in text
    assert "a fall of 1.0 and a rise of 10.5 percent both fit" in text


def test_own_units_come_from_levels_and_ratios_never_from_logs():
    log = {**OUTCOMES["sales_log"]}
    level = {**log, "transform": "level", "label": "Sales, US$"}
    both = study_results({"sales_log": log, "sales": level})
    alone = study_results({"sales_log": log})
    assert own_unit_effect(alone, "sales_log") is None
    found = own_unit_effect(both, "sales_log")
    effect = find_effect(both, "sales", "covariates_lags", "stacked")
    assert (found.value, found.low, found.high, found.unit) == (
        effect.estimate,
        effect.conf_low,
        effect.conf_high,
        "US$ million",
    )
    assert own_unit_effect(both, "sales") is None


def test_a_share_is_told_in_firms_too(results):
    effect = find_effect(results, "exports_any", "covariates_lags", "stacked")
    found = own_unit_effect(results, "exports_any")
    assert found.value == pytest.approx(398 * effect.estimate)
    assert found.of_firms == 398


def test_a_ratio_is_told_as_what_it_adds_to_the_mean_of_the_treated():
    """exp(b) = 1.25 of a mean of 5 after entry: 4 without the programme, 1 more."""
    ratio = {**OUTCOMES["sales_log"], "transform": "proportional", "label": "Sales"}
    results = study_results({"sales_log": OUTCOMES["sales_log"], "sales": OUTCOMES["sales_log"]})
    results = dataclasses.replace(
        results, settings=made_up_settings({"sales_log": OUTCOMES["sales_log"], "sales": ratio})
    )
    estimates, paths = results.estimates.copy(), results.paths.copy()
    estimates.loc[estimates["outcome"] == "sales", "estimate"] = math.log(1.25)
    paths.loc[(paths["outcome"] == "sales") & (paths["event_time"] >= 0), "mean"] = 5.0
    changed = dataclasses.replace(results, estimates=estimates, paths=paths)
    assert own_unit_effect(changed, "sales_log").value == pytest.approx(1)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([-13.2, 36.0], ["\u221210", "0", "+10", "+20", "+30"]),
        ([0.0, 1.0], ["0.0", "+0.2", "+0.4", "+0.6", "+0.8", "+1.0"]),
        ([0.0, 9000.0], ["0", "+2,000", "+4,000", "+6,000", "+8,000"]),
    ],
)
def test_axes_have_round_ticks_with_signs_and_thousands(values, labels):
    axis = svg.scale(values, 0, 300)
    assert [axis.label(tick, sign=True) for tick in axis.ticks()] == labels


def test_flow_names_losses_of_both_sides_and_of_nobody_none(results):
    steps = flow_steps(results)
    assert steps[0].treated == "8,421" or steps[0].kind == "together"
    lost = [step for step in steps if step.kind.startswith("lost")]
    assert lost
    assert all(step.treated not in ("0",) and step.comparison != "0" for step in lost)
    assert [s.kind for s in steps][-1] == "left"


def test_a_card_tells_effects_that_change_with_time_by_their_first_and_last(results):
    outcome, headline = "sales_log", results.settings.estimate.headline
    table = results.estimates
    own = (
        (table["outcome"] == outcome)
        & (table["design"] == headline.design)
        & (table["estimator"] == headline.spec)
        & (table["event_time"] >= 0).fillna(False)
    )
    for gap, told in ((0.0, False), (2.0, True)):
        moved = table.copy()
        last = own & (table["event_time"] == table.loc[own, "event_time"].max())
        for column in ("estimate", "conf_low", "conf_high"):
            moved.loc[last, column] += gap
        cards = "\n".join(first_screen(dataclasses.replace(results, estimates=moved), []))
        assert ("changes with time" in cards) == told
