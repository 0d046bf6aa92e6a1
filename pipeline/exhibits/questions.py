"""Sections of the page, each a question with one sentence, one figure and its caption."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from pipeline.analyses.group_names import BY_GROUP
from pipeline.exhibits.checks.caution import Caution
from pipeline.exhibits.checks.variants import variants
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.flow import FlowStep, flow_steps, stages
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.leads import is_varying
from pipeline.exhibits.numbers import translated_unit
from pipeline.exhibits.page import cell, panel_heading, section, strip
from pipeline.exhibits.panels.choices import choices_panel
from pipeline.exhibits.panels.event_effects import event_panel
from pipeline.exhibits.panels.groups import groups_panel
from pipeline.exhibits.panels.love import love_panel
from pipeline.exhibits.panels.paths import path_unit, paths_panel
from pipeline.exhibits.ran import conf_level, ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.shown_outcomes import card_outcomes
from pipeline.exhibits.tables.table import Table
from pipeline.exhibits.words.caution_words import p_words
from pipeline.exhibits.words.designs import capitalised, out_of_contact, uncapitalised
from pipeline.exhibits.words.findings import headline_effect
from pipeline.exhibits.words.fixed_points import told_points
from pipeline.exhibits.words.language import MINUS, join_words, say
from pipeline.exhibits.words.verdicts import signed_value


@dataclass(frozen=True)
class TableLinks:
    """Number the tables of the appendix, A1, A2 and so on, and link to them."""

    tables: list[Table]

    def number(self, table: Table) -> str:
        """Return `A3`."""
        names = [one.part.file_name for one in self.tables]
        return f"A{names.index(table.part.file_name) + 1}"

    def place(self, table: Table) -> str:
        """Return what a link to the table leads to."""
        return self.number(table).lower()

    def caption(self, table: Table, words: str) -> str:
        """Return `Table A3. Effects by ...`."""
        return say("page.table_caption", number=self.number(table), words=words)

    def to(self, *names: str) -> str:
        """Return links to the first part of each table that the study has, as HTML."""
        first = {table.part.table: table for table in reversed(self.tables)}
        links = [
            f'<a href="#{self.place(first[name])}">'
            f"{escape(say('page.table', number=self.number(first[name])))}</a>"
            for name in names
            if name in first
        ]
        return f" {escape(say('page.numbers'))} {', '.join(links)}." if links else ""


def before_section(results: StudyResults, links: TableLinks, cautions: list[Caution]) -> str:
    """Show means, then effects by time since entry, of both groups."""
    drawn = {n: (paths_panel(results, n), event_panel(results, n)) for n in card_outcomes(results)}
    if not any(any(panels) for panels in drawn.values()):
        return ""
    cells = [_before_cell(results, name, *panels, cautions) for name, panels in drawn.items()]
    headline = results.settings.estimate.headline
    row = ran_on(results, headline.spec, [headline.design], card_outcomes(results))[0]
    base = f" {say('page.varying_base')}" if is_varying(row) else ""
    words = say("page.before_caption", hollow=told_points(results, "report")) + base
    caption = escape(words) + links.to("dynamic_effects", "checks")
    answer = _before_answer(results, cautions)
    return section("before", say("page.before"), answer, strip(cells, caption))


def _before_cell(
    results: StudyResults, name: str, paths: str, events: str, cautions: list[Caution]
) -> str:
    heading = panel_heading(_label(results, name), path_unit(results, name) if paths else "")
    if not paths and not events:
        return cell(heading, f"<p>{escape(say('page.nothing_by_time'))}</p>")
    effect = headline_effect(results, name)
    unit = "" if effect is None else translated_unit(effect)
    found = next((c for c in cautions if c.outcome == name and c.code in _LOOKS), None)
    kind = "" if found is None else found.severity
    words = "" if found is None else _look_words(found)
    gap = panel_heading(say("page.gap"), unit, kind, words, "p") if events else ""
    return cell(heading, paths, gap, events)


# What a look at effects before entry comes to.
_LOOKS = ("gap_before", "look_hidden", "no_look_before", "levels_only")


def _look_words(found: Caution) -> str:
    if found.code != "gap_before":
        return say(f"page.{found.code}")
    word = "page.gap_found" if found.weakens else "page.no_gap_found"
    return say(word, p=p_words(found.fields["p"]))


def _before_answer(results: StudyResults, cautions: list[Caution]) -> str:
    """Say of which outcomes a gap was found, of which none, and of which nothing is known."""
    looks = {c.outcome: c for c in cautions if c.code in _LOOKS}
    groups: dict[str, list[str]] = {}
    for name in card_outcomes(results):
        found = looks.get(name)
        code = "unknown" if found is None or found.code != "gap_before" else found.severity
        groups.setdefault(code, []).append(_label(results, name))
    clauses = [say(f"page.alike_{code}", outcomes=join_words(n)) for code, n in groups.items()]
    return f"{capitalised('; '.join(clauses))}."


def choices_section(results: StudyResults, links: TableLinks, cautions: list[Caution]) -> str:
    """Show the average effect by design and estimator."""
    caption = escape(say("page.choices_caption")) + links.to(
        "variants", "estimators", "main_effects"
    )
    return outcome_section(results, "choices", choices_panel, _choices_answer, caption)


def _choices_answer(results: StudyResults, names: list[str]) -> str:
    """Say from where to where variants go, and how many of their intervals exclude zero."""
    clauses = []
    for name in names:
        effects = [v.effect for v in variants(results, name) if not v.biased]
        ends = [f(effects, key=lambda e: e.estimate) for f in (min, max)]
        low, high = (signed_value(results, e, e.estimate) for e in ends)
        clear = sum(not e.conf_low <= 0 <= e.conf_high for e in effects)
        figures = {"low": low, "high": high, "n": len(effects), "clear": clear}
        unit = translated_unit(effects[0])
        clauses.append(
            say("page.choices_clause", label=_label(results, name), unit=unit, **figures)
        )
    return say("page.choices_answer", clauses="; ".join(clauses))


def groups_section(results: StudyResults, links: TableLinks, cautions: list[Caution]) -> str:
    """Show the effect in groups fixed before entry."""
    caption = escape(say("page.groups_caption", firms=_firms(results)))
    return outcome_section(
        results, "groups", groups_panel, _groups_answer, caption + links.to("heterogeneity")
    )


def _groups_answer(results: StudyResults, names: list[str]) -> str:
    """Say how many splits differ, by p-values that hold over all of them where there are such."""
    tests = results.tests
    design = results.settings.estimate.headline.design
    own = tests[
        (tests["estimator"] == BY_GROUP)
        & (tests["design"] == design)
        & tests["outcome"].isin(names)
        & tests["p_value"].notna()
    ]
    corrected = own[own["test"] == "q_equality"]
    used = own[own["test"] == "equality"] if corrected.empty else corrected
    asked = results.settings.estimate.analyses.groups
    if used.empty or asked is None:
        return say("page.groups_untested")
    differ = used[used["p_value"] < 1 - conf_level(results)]
    counts = {"n": len(used), "differ": len(differ)}
    if differ.empty:
        return say("page.groups_differ", **counts)
    named = [
        say("page.outcome_by_group", outcome=_label(results, outcome), grouping=asked.by[of].label)
        for outcome, of in zip(differ["outcome"], differ["grouping"], strict=True)
    ]
    return say("page.groups_differ_in", **counts, named="; ".join(named))


def flow_section(results: StudyResults, links: TableLinks, cautions: list[Caution]) -> str:
    """Show the firms left on both sides, and how alike these are."""
    effects = [e for n in card_outcomes(results) if (e := headline_effect(results, n)) is not None]
    flow = f"<div>{flow_boxes(results)}</div>"
    balance = love_panel(results)
    found = next((c for c in cautions if c.code == "imbalance"), None)
    words = "" if found is None else _balance_words(found)
    kind = "" if found is None else found.severity
    alike = cell(panel_heading(say("page.alike"), "", kind, words), balance) if balance else ""
    caption = escape(say("page.flow_caption")) + links.to("sample_flow", "balance")
    figure = "\n".join(
        ["<figure>", f'<div class="two">{flow}{alike}</div>', f"<figcaption>{caption}</figcaption>"]
    )
    answer = "" if not effects else _flow_answer(results, effects)
    return section("flow", say("page.flow"), answer, figure + "</figure>")


def _flow_answer(results: StudyResults, effects: list[Effect]) -> str:
    largest = max(effects, key=lambda effect: effect.n_treated)
    if math.isnan(largest.n_treated) or math.isnan(largest.n_control):
        return ""
    treated, control = rounding.whole(largest.n_treated), rounding.whole(largest.n_control)
    counts = {"treated": treated, "control": control, "firms": _firms(results)}
    without = out_of_contact(results)
    if without is None or results.arm is None:
        return say("page.flow_answer", **counts)
    arm = results.settings.arm_label(results.arm)
    return say(f"page.flow_answer_{without}", arm=arm, **counts)


def _balance_words(found: Caution) -> str:
    fields = found.fields
    inside = rounding.whole(fields["n"] - fields["n_above"])
    threshold = rounding.general(fields["threshold"])
    return say("page.within", inside=inside, n=rounding.whole(fields["n"]), threshold=threshold)


def flow_boxes(results: StudyResults) -> str:
    """Return the flow of firms as boxes, the treated on the left, the headline's sample below."""
    rows = [_boxes(steps) for steps in stages(flow_steps(results))]
    label = escape(say("page.flow_described", firms=_firms(results)))
    content = "\n".join([*rows, _sample_box(results)])
    return f'<div class="flow" role="group" aria-label="{label}">\n{content}\n</div>'


def _boxes(steps: list[FlowStep]) -> str:
    """Return one step that leaves firms, or all losses between two of them."""
    kind = steps[0].kind
    if kind == "together":
        return f'<p class="bx w">{escape(steps[0].label)}<b>{escape(steps[0].treated)}</b></p>'
    if kind == "lost_together":
        return f'<ul class="out w">{_losses([(s.treated, s.label) for s in steps])}</ul>'
    if kind == "lost":
        sides = [[(s.treated, s.label) for s in steps], [(s.comparison, s.label) for s in steps]]
        return "".join(f'<ul class="out">{_losses(side)}</ul>' for side in sides)
    (step,) = steps
    sides_left = ((step.treated, "j"), (step.comparison, "c"))
    return "".join(_side(step.label, count, side) for count, side in sides_left)


def _side(label: str, count: str, side: str) -> str:
    return f'<p class="bx {side}">{escape(label)}<b>{escape(count)}</b></p>' if count else "<p></p>"


def _losses(losses: list[tuple[str, str]]) -> str:
    return "".join(
        f"<li>{escape(say('page.lost', n=f'{MINUS} {n}', why=uncapitalised(why)))}</li>"
        for n, why in losses
        if n
    )


def _sample_box(results: StudyResults) -> str:
    """Return the firms, rows and clusters behind the headline effect on the first outcome."""
    effects = (headline_effect(results, name) for name in card_outcomes(results))
    effect = next((e for e in effects if e is not None), None)
    counts = () if effect is None else (effect.n_treated, effect.n_control, effect.n_obs)
    if effect is None or any(map(math.isnan, counts)):
        return ""
    treated, control, n_rows = map(rounding.whole, counts)
    n_clusters = effect.n_clusters
    clusters = say("mark.some") if math.isnan(n_clusters) else rounding.whole(n_clusters)
    sample = say("page.headline_sample", treated=treated, control=control, firms=_firms(results))
    rest = say("page.headline_rows", n=n_rows, clusters=clusters)
    head = escape(say("page.headline_estimate"))
    return f'<p class="bx w hl">{head}<b>{escape(sample)}</b>{escape(rest)}</p>'


def outcome_section(
    results: StudyResults,
    name: str,
    draw: Callable[[StudyResults, str], str],
    answer: Callable[[StudyResults, list[str]], str],
    caption: str,
) -> str:
    """Return a section of one panel an outcome; nothing where no outcome has one."""
    drawn = {outcome: draw(results, outcome) for outcome in card_outcomes(results)}
    shown = [outcome for outcome, panel in drawn.items() if panel]
    if not shown:
        return ""
    cells = [
        cell(panel_heading(_label(results, outcome)), panel or _nothing())
        for outcome, panel in drawn.items()
    ]
    return section(name, say(f"page.{name}"), answer(results, shown), strip(cells, caption))


def _nothing() -> str:
    return f"<p>{escape(say('page.nothing_to_show'))}</p>"


def _label(results: StudyResults, outcome: str) -> str:
    return results.plain_name(outcome)


def _firms(results: StudyResults) -> str:
    return results.settings.exhibit.firms
