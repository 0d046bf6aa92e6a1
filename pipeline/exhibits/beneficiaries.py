"""How many of the treated firms are behind an effect, and where the others were lost."""

import math
from dataclasses import dataclass

from pipeline.datasets.fits import FITS
from pipeline.datasets.matches import MATCHED
from pipeline.datasets.panel import NOT_IN_PANEL
from pipeline.datasets.selection import STACKS
from pipeline.exhibits.details import Figure, known_or_nan
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.ran import ran, takes_every_year


@dataclass(frozen=True)
class Beneficiaries:
    """Count treated firms: those of the list or data, and those lost on the way to an effect.

    Lost `not_in_panel`, in `cleaning`, as in no risk set (`not_active`) or, among every firm of the
    panel, without a year before entry (`no_year_before`), by the `design`, and for want of the
    `outcome`, or of a covariate where the estimate is `adjusted`; a count that is not
    known is NaN, and hidden where it is not published. `behind` are those whom the effect is on.
    """

    everyone: float
    not_in_panel: Figure
    cleaning: Figure
    not_active: Figure
    no_year_before: Figure
    design: Figure
    outcome: Figure
    behind: float
    adjusted: bool


def is_lost(count: Figure) -> bool:
    """Say whether some are lost; so it is where the count is hidden."""
    return count.hidden or count.value > 0


def beneficiaries(results: StudyResults, outcome: str, design: str, spec: str) -> Beneficiaries:
    """Return who is behind the average effect of a spec, and where others were lost.

    Of an arm those who enter it, whatever became of others of the programme. Of comparisons among
    every firm of the panel nobody is lost by risk sets and designs; flat ones lose entry years that
    nobody is observed before.
    """
    effect = find_effect(results, outcome, design, spec)
    behind = math.nan if effect is None else effect.n_treated
    cleaned, delivered = _treated_after_cleaning(results)
    absent = not_in_panel(results)
    if results.arm is not None:
        # cleaning and the register tell of all arms together
        cleaned = delivered = results.details.total(STACKS, "n_entrants").value
        absent = Figure(0.0)
    at_risk = _at_risk(results)
    kept = _matched(results, design, "n_treated_matched")
    row = ran(results, design, outcome, spec)
    adjusted = row is not None and row.has("covariates")
    early = Figure(0.0)
    if row is not None and row.code("firms") == "panel":
        at_risk = kept = Figure(cleaned)
    if row is not None and takes_every_year(row):
        early = _without_year_before(results, outcome, design, spec)
    # where few are lost in cleaning how many were delivered is not published
    known = cleaned if math.isnan(delivered) else delivered
    return Beneficiaries(
        everyone=known + (absent.value if absent.known else 0),
        not_in_panel=absent,
        cleaning=Figure(delivered - cleaned, hidden=math.isnan(delivered)),
        not_active=_less(Figure(cleaned), at_risk),
        no_year_before=early,
        design=_less(at_risk, kept),
        outcome=_less(_less(kept, early), Figure(behind)),
        behind=behind,
        adjusted=adjusted,
    )


def _without_year_before(results: StudyResults, outcome: str, design: str, spec: str) -> Figure:
    """Return the firms of entry years that nobody is observed before, 0 without an estimate."""
    place = {"design": design, "outcome": outcome, "estimator": spec}
    found = results.details.figure(FITS, "n_without_year_before", **place)
    return found if found.known or found.hidden else Figure(0.0)


def not_in_panel(results: StudyResults) -> Figure:
    """Return the beneficiaries of the register that the panel lacks; 0 without a register."""
    lost = results.issues[results.issues["rule"] == NOT_IN_PANEL]["count"]
    if lost.empty:
        return Figure(0.0)
    count = known_or_nan(lost.iloc[0])
    return Figure(count, hidden=math.isnan(count))


def treated_of_risk_sets(results: StudyResults) -> float:
    """Return the treated firms of all risk sets; NaN where unknown."""
    return _at_risk(results).value


def treated_lost(results: StudyResults, design: str) -> float:
    """Return the treated of all risk sets that a design leaves out; NaN where unknown."""
    return treated_of_risk_sets(results) - _matched(results, design, "n_treated_matched").value


def _treated_after_cleaning(results: StudyResults) -> tuple[float, float]:
    """Return the treated firms that cleaning left, and those delivered."""
    flow = results.sample_flow.sort_values("step", kind="stable")["treated_firms"]
    return known_or_nan(flow.iloc[-1]), known_or_nan(flow.iloc[0])


def _at_risk(results: StudyResults) -> Figure:
    return _matched(results, "unmatched", "n_treated")


def _matched(results: StudyResults, design: str, column: str) -> Figure:
    return results.details.figure(MATCHED, column, design=design, stack="all")


def _less(before: Figure, after: Figure) -> Figure:
    return Figure(before.value - after.value, before.hidden or after.hidden)
