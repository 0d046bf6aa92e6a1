"""Say beside effects who of those that the programme supported is behind them, and who was lost."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from pipeline.datasets.panel import AMOUNT_NOT_IN_PANEL, LEAVES_PROGRAMME, SWITCHED_OFF
from pipeline.exhibits.beneficiaries import Beneficiaries, beneficiaries, is_lost
from pipeline.exhibits.details import Figure, known_or_nan
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import treatment_ran
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.panels import Shown, by_panel
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.language import join_words, say
from pipeline.exhibits.words.steps import issue_rule


def told_count(results: StudyResults, count: float) -> str:
    """Return a count as readers may see it: `few` where it is small, `some` where unknown."""
    if 0 < count < results.settings.exhibit.disclosure.min_cell_firms:
        return say("mark.few")
    return say("mark.some") if pd.isna(count) else rounding.whole(count)


def headline_lost(results: StudyResults, outcomes: list[str]) -> list[str]:
    """Say how many treated firms are behind headline effects, and where others were lost.

    Nothing where none was lost, or no effect is estimated.
    """
    headline = results.settings.estimate.headline
    found = {
        name: beneficiaries(results, name, headline.design, headline.spec) for name in outcomes
    }
    if not found:
        return []
    main = next(iter(found.values()))
    without = {name: one.outcome.value for name, one in found.items() if is_lost(one.outcome)}
    parts = [
        *_before_risk_sets(results, main),
        *_part(results, "not_active", main.not_active),
        *_part(results, "no_year_before", main.no_year_before),
        *_part(results, "design", main.design),
        *_without(found.values(), "outcome", n=_by_outcome(results, without)),
    ]
    if not parts:
        return []
    behind = _by_outcome(results, {name: one.behind for name, one in found.items()})
    return [
        _told(
            results, "beneficiaries.behind", "beneficiaries.behind_only", main, parts, behind=behind
        )
    ]


def shown_lost(results: StudyResults, shown: Shown) -> list[str]:
    """Say whom effects of a table do not speak of, but for those whom designs leave out."""
    found = {
        letter: [
            beneficiaries(results, name, panel.design, panel.spec)
            for name in shown.columns.values()
            if results.settings.outcome(name).observed
        ]
        for letter, panel in shown.panels.items()
    }
    every = [one for several in found.values() for one in several]
    if not every:
        return []
    main = every[0]
    idle = _by_panel(results, {k: [one.not_active for one in of] for k, of in found.items()})
    early = _by_panel(results, {k: [one.no_year_before for one in of] for k, of in found.items()})
    without = _by_panel(results, {k: [one.outcome for one in of] for k, of in found.items()})
    parts = [
        *_before_risk_sets(results, main),
        *([say("beneficiaries.not_active", n=idle)] if idle else []),
        *([say("beneficiaries.no_year_before", n=early)] if early else []),
        *_without(every, "outcome_at_most", panels=without),
    ]
    return (
        [_told(results, "beneficiaries.lost", "beneficiaries.lost_only", main, parts)]
        if parts
        else []
    )


def switched_off(results: StudyResults) -> list[str]:
    """Say for how many firms the treatment ends, although they count as treated from entry on."""
    said = []
    for code in (SWITCHED_OFF, LEAVES_PROGRAMME):
        for _, row in results.issues[results.issues["rule"] == code].iterrows():
            rows, n = (_known(row[name]) for name in ("count", "firms"))
            words = {"n": n, "firms": results.settings.exhibit.firms}
            words |= {"rows": rows} if code == SWITCHED_OFF else {}
            said.append(capitalised(say(f"beneficiaries.{code}", **words)))
    return said


def _known(count: Any) -> str:
    return say("mark.few") if pd.isna(count) else rounding.whole(known_or_nan(count))


def _told(
    results: StudyResults,
    code: str,
    only: str,
    main: Beneficiaries,
    parts: list[str],
    **fields: str,
) -> str:
    words = {"firms": results.settings.exhibit.firms, "parts": "; ".join(parts), **fields}
    known = not math.isnan(main.everyone)
    told = (
        say(code, everyone=rounding.whole(main.everyone), **words) if known else say(only, **words)
    )
    return capitalised(told)


def _before_risk_sets(results: StudyResults, main: Beneficiaries) -> list[str]:
    """Return the losses that are the same for every outcome, design and estimator."""
    return [*_absent(results, main.not_in_panel), *_part(results, "cleaning", main.cleaning)]


def _absent(results: StudyResults, lost: Figure) -> list[str]:
    """Say how many beneficiaries the panel lacks, with what share of the support, and why."""
    if not is_lost(lost):
        return []
    n = told_count(results, lost.value)
    least, said = results.settings.exhibit.disclosure.min_cell_firms, why_not_in_panel(results)
    if lost.hidden and said:
        return [say("beneficiaries.few_not_in_panel_because", least=least, said=said)]
    if lost.hidden:
        return [say("beneficiaries.few_not_in_panel", least=least)]
    if said:
        return [say("beneficiaries.not_in_panel_because", n=n, said=said)]
    return [say("beneficiaries.not_in_panel", n=n)]


def why_not_in_panel(results: StudyResults) -> str:
    """Return which support beneficiaries not in the panel had, and why they are not in it.

    Empty where neither is known.
    """
    amounts = results.issues[results.issues["rule"] == AMOUNT_NOT_IN_PANEL]
    said = [
        say(
            "beneficiaries.support",
            amount=rounding.whole(float(fields["amount"])),
            percent=fields["percent"],
        )
        for fields in (issue_rule(row).fields for _, row in amounts.iterrows())
    ]
    why = treatment_ran(results).options.get("unfound")
    return "; ".join([*said, *([str(why)] if why else [])])


def _part(results: StudyResults, stage: str, lost: Figure) -> list[str]:
    if not is_lost(lost):
        return []
    return [say(f"beneficiaries.{stage}", n=told_count(results, lost.value))]


def _without(every: Iterable[Beneficiaries], code: str, **counts: str) -> list[str]:
    """Say who lacks the outcome, or a covariate where some estimate adjusts for them."""
    if not any(counts.values()):
        return []
    adjusted = say("beneficiaries.or_covariate") if any(one.adjusted for one in every) else ""
    return [say(f"beneficiaries.{code}", covariates=adjusted, **counts)]


def _by_panel(results: StudyResults, lost: dict[str, list[Figure]]) -> str:
    """Return the most that are lost in each panel; empty where none is."""
    most = {k: max((c.value for c in of if c.known), default=0.0) for k, of in lost.items()}
    return by_panel({k: told_count(results, n) if n > 0 else "" for k, n in most.items()})


def _by_outcome(results: StudyResults, counts: dict[str, float]) -> str:
    """Return a count that holds for all of several outcomes, or `44 (Sales) and 56 (Jobs)`."""
    told = {name: told_count(results, count) for name, count in counts.items()}
    if len(told) > 1 and len(set(told.values())) == 1:
        return next(iter(told.values()))
    return join_words(
        [
            say("beneficiaries.of_outcome", n=n, label=results.plain_name(name))
            for name, n in told.items()
        ]
    )
