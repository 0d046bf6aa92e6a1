"""How effects were estimated, as SPECS says it ran: words about it come from here, not params."""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from pipeline.datasets.balance import BALANCE_SUMMARY
from pipeline.datasets.designs import (
    DATED_COVARIATES,
    DESIGNS,
    SCORE_MODELS,
    UNMATCHED_DESIGN,
)
from pipeline.datasets.reasons import unpacked_list
from pipeline.datasets.rules import DATA_RULES
from pipeline.datasets.specs import ANALYSES, NO_LIST, NONE, OUTCOMES, SPECS
from pipeline.datasets.store import Dataset
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.words.language import join_words

# How designs pick comparison firms: by matching, or by weights for all of them.
Picking = Literal["matched", "weighted", "unmatched"]
_PICKINGS: tuple[Picking, ...] = ("matched", "weighted", "unmatched")
_WEIGHTING = ("odds", "overlap", "entropy")


@dataclass(frozen=True)
class Ran:
    """Hold a row of SPECS or ANALYSES, or one of a design, score model or covariate as it ran."""

    row: Mapping[Hashable, Any]

    def code(self, column: str) -> str:
        """Return an option's code, `none` where it does not apply."""
        return str(self.row[column])

    def listed(self, column: str) -> list[Any]:
        """Return the values of a column that holds a list, none where it is empty."""
        return unpacked_list(self.row[column])

    def mapping(self, column: str) -> dict[str, Any]:
        """Return what a column that holds a mapping has by name."""
        return dict(json.loads(str(self.row[column])))

    def told(self, column: str, words: Callable[[str], str]) -> str:
        """Return what is said of the codes that a column holds: `a`, or `a and b`."""
        return join_words([words(code) for code in self.listed(column)])

    def number(self, column: str) -> int:
        """Return an option that is a number and always known."""
        return int(self.row[column])

    def value(self, column: str) -> float:
        """Return a number that need not be whole."""
        return float(self.row[column])

    def known(self, column: str) -> bool:
        """Say whether an option has a value, which may be zero."""
        return not pd.isna(self.row[column])

    def has(self, column: str) -> bool:
        """Say whether an option was in use: it is no `none`, no empty list, not zero, not false."""
        return self.known(column) and self.row[column] not in (NONE, NO_LIST, 0, False)


@dataclass(frozen=True)
class RuleRan:
    """Hold a row of DATA_RULES: one rule of sections data, clean and treatment."""

    code: str
    place: str
    options: Mapping[str, Any]

    @property
    def section(self) -> str:
        """Return the section of params that it is of."""
        return self.code.partition("_")[0]


def ran(results: StudyResults, design: str, outcome: str, spec: str) -> Ran | None:
    """Return how a spec or analysis ran on one outcome and design, None where it was not asked."""
    found = _rows(results, design=design, outcome=outcome, estimator=spec)
    return found[0] if found else None


def ran_on(
    results: StudyResults, spec: str, designs: Iterable[str], outcomes: Iterable[str]
) -> list[Ran]:
    """Return how a spec ran on some designs and outcomes; on its others where on none of them."""
    named, shown = set(designs), set(outcomes)
    found = _rows(results, estimator=spec)
    here = [r for r in found if r.code("design") in named and r.code("outcome") in shown]
    return here or [r for r in found if r.code("design") in named] or found


def ran_on_design(results: StudyResults, design: str) -> list[Ran]:
    """Return how every spec and analysis ran on a design; none where no spec is of it."""
    return _rows(results, design=design)


def reference_event_time(results: StudyResults) -> int:
    """Return the event time of the reference year, which all specs share."""
    return int(_shared(results, "base_event_time"))


def conf_level(results: StudyResults) -> float:
    """Return the level of intervals, which all specs share."""
    return _shared(results, "conf_level")


def power(results: StudyResults) -> float:
    """Return the power at which effects are detectable, which all specs share."""
    return _shared(results, "power")


def data_rules_ran(results: StudyResults) -> list[RuleRan]:
    """Return the rules of data, cleaning and entry as they ran, in the order of params."""
    rows = results.details.records(DATA_RULES)
    return [
        RuleRan(str(row["rule"]), str(row["place"]), json.loads(str(row["options"])))
        for row in _by_position(rows)
    ]


def sampling_weight(results: StudyResults) -> str | None:
    """Return the column of the sampling weights that a study has; None where it has none."""
    found = [rule for rule in data_rules_ran(results) if rule.code == "data"]
    weight = found[0].options.get("weight") if found else None
    return None if weight is None else str(weight)


def treatment_ran(results: StudyResults) -> RuleRan:
    """Return who was compared with entrants, and what of the entry is said beside its source."""
    (rule,) = (rule for rule in data_rules_ran(results) if rule.code == "treatment")
    return rule


def arms_ran(results: StudyResults) -> dict[str, RuleRan]:
    """Return how the firms of each arm were found, by its name; none without arms."""
    rules = data_rules_ran(results)
    return {rule.place: rule for rule in rules if rule.code == "treatment_arms_named"}


def arms_rule_ran(results: StudyResults) -> Mapping[str, Any]:
    """Return the headline's arm and the contrasts of arms as they ran; empty without arms."""
    rules = [rule for rule in data_rules_ran(results) if rule.code == "treatment_arms"]
    return rules[0].options if rules else {}


def matching_designs(results: StudyResults) -> list[str]:
    """Return the designs that match or weight, in the order in which exhibits show them."""
    names = _in_order(results, DESIGNS)
    return [name for name in names if name != UNMATCHED_DESIGN]


def picking(results: StudyResults, designs: Iterable[str]) -> Picking:
    """Return whether any of the designs matches, or else any weights, or none does either."""
    found = {_picked_by(results, design) for design in designs}
    return next((kind for kind in _PICKINGS if kind in found), "unmatched")


def _picked_by(results: StudyResults, design: str) -> Picking:
    if design not in matching_designs(results):
        return "unmatched"
    row = design_ran(results, design)
    by_weights = row.code("method") in _WEIGHTING or row.code("content") == "weights"
    return "weighted" if by_weights else "matched"


def outcomes_ran(results: StudyResults) -> list[Ran]:
    """Return of what the outcomes that exhibits show were made, in their order."""
    shown = results.settings.outcomes.root
    rows = results.details.records(OUTCOMES)
    return [Ran(row) for row in _by_position(rows) if row["outcome"] in shown]


def covariates_ran(results: StudyResults) -> list[str]:
    """Return the covariates in the order in which exhibits show them."""
    return _in_order(results, DATED_COVARIATES)


def design_ran(results: StudyResults, design: str) -> Ran:
    """Return how a design ran."""
    return _only(results, DESIGNS, design=design)


def score_ran(results: StudyResults, design: str) -> Ran:
    """Return how the score model of a design ran, or its risk sets where it has no score."""
    model = design_ran(results, design).code("score_model")
    return _only(results, SCORE_MODELS, model=model)


def covariate_ran(results: StudyResults, covariate: str) -> Ran:
    """Return how a covariate was dated."""
    return _only(results, DATED_COVARIATES, covariate=covariate)


def balance_rule(results: StudyResults) -> Ran:
    """Return how balance was measured and judged, which all designs share."""
    return Ran(results.details.records(BALANCE_SUMMARY)[0])


def estimator_of(results: StudyResults, spec: str) -> str:
    """Return the estimator that a spec is of."""
    return _rows(results, estimator=spec)[0].code("kind")


def rested_on(results: StudyResults, analysis: str, **key: str) -> list[Ran]:
    """Return what an analysis rested on: the rows of ANALYSES that agree with a part of its key."""
    rows = results.details.records(ANALYSES, estimator=analysis, **key)
    return [Ran(row) for row in rows]


def measures_change(row: Ran) -> bool:
    """Say whether an effect is of a change: it has a base, one reference year or all before."""
    return row.code("kind") != "cross_section" or row.code("base") == "reference_year"


def takes_every_year(row: Ran) -> bool:
    """Say whether a flat estimator ran on every firm-year of the panel, whatever its event time."""
    return row.code("firms") == "panel" and row.code("firm_years") == "once"


def each(rows: Iterable[Ran], words: Callable[[Ran], str]) -> str:
    """Return what is said of rows, each once: `a`, or `a and b` where they differ."""
    said = dict.fromkeys(map(words, rows))
    return join_words([text for text in said if text])


def _shared(results: StudyResults, column: str) -> float:
    rows = _rows(results, estimator=results.settings.estimate.headline.spec)
    (value,) = {row.value(column) for row in rows}
    return value


def _in_order(results: StudyResults, table: Dataset) -> list[str]:
    (name,) = table.key
    return [str(row[name]) for row in _by_position(results.details.records(table))]


def _by_position(rows: list[dict[Hashable, Any]]) -> list[dict[Hashable, Any]]:
    return sorted(rows, key=lambda row: int(row["position"]))


def _only(results: StudyResults, table: Dataset, **key: str) -> Ran:
    (row,) = results.details.records(table, **key)
    return Ran(row)


def _rows(results: StudyResults, **key: str) -> list[Ran]:
    return [Ran(row) for row in results.details.records(SPECS, **key)]
