"""What every step was set to, as it ran: the options that notes have no room for."""

from pipeline.datasets.designs import UNMATCHED_DESIGN
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import (
    covariate_ran,
    covariates_ran,
    data_rules_ran,
    matching_designs,
    outcomes_ran,
)
from pipeline.exhibits.tables.table import Panel, Prose, Row, Table, TableColumn
from pipeline.exhibits.words.covariates import dated_label
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.estimator_names import estimator_name
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.rules import (
    covariate_words,
    design_words,
    outcome_words,
    rule_title,
    rule_words,
)
from pipeline.exhibits.words.spec_settings import spec_words

_COLUMNS = "data_columns"
# Sections of params by the heading under which their rules stand.
_PANELS = {"cleaning": ("data", "clean"), "entry": ("treatment",)}


def settings_table(results: StudyResults) -> Table:
    """Return one row a rule of data, cleaning and entry, a covariate, and a design."""
    panels = [
        *(Panel(say(f"settings.{name}"), _rules(results, of)) for name, of in _PANELS.items()),
        Panel(say("settings.outcomes"), _outcomes(results)),
        Panel(say("settings.covariates"), _covariates(results)),
        *_designs(results),
        *_effects(results),
    ]
    return Table(
        columns=(TableColumn(say("settings.rule")),),
        panels=tuple(panel for panel in panels if panel.rows),
        notes=(say("settings.what_is_shown"),),
        source=results.settings.exhibit.source,
    )


def _rules(results: StudyResults, sections: tuple[str, ...]) -> tuple[Row, ...]:
    """Return a row a rule that says something; columns of which the same is said share one."""
    rows: list[tuple[str, str]] = []
    columns: dict[str, list[str]] = {}
    for rule in data_rules_ran(results):
        words = rule_words(results, rule.code, rule.options) if rule.section in sections else ""
        if words and rule.code == _COLUMNS:
            columns.setdefault(words, []).append(str(rule.options["label"]))
        elif words:
            rows.append((rule_title(rule.code), words))
    rows += [(", ".join(labels), words) for words, labels in columns.items()]
    return tuple(_row(label, words) for label, words in rows)


def _outcomes(results: StudyResults) -> tuple[Row, ...]:
    label = {name: outcome.label for name, outcome in results.settings.outcomes.root.items()}
    told = {row.code("outcome"): outcome_words(results, row) for row in outcomes_ran(results)}
    return tuple(_row(label[name], words) for name, words in told.items() if words)


def _covariates(results: StudyResults) -> tuple[Row, ...]:
    rows = [covariate_ran(results, name) for name in covariates_ran(results)]
    return tuple(_row(dated_label(row), covariate_words(results, row)) for row in rows)


def _designs(results: StudyResults) -> list[Panel]:
    """Return a panel a design, so that they may stand on several pages."""
    panels = {
        say("settings.design", label=results.settings.design_label(name)): design_words(
            results, name
        )
        for name in (UNMATCHED_DESIGN, *matching_designs(results))
    }
    return [Panel(k, tuple(_row(*row) for row in rows.items())) for k, rows in panels.items()]


def _effects(results: StudyResults) -> list[Panel]:
    """Return a panel a spec of an estimator of effects or bounds."""
    names = [spec.name for spec in results.settings.estimate.specs]
    panels = {
        say("settings.effects", label=estimator_name(results, name)): spec_words(results, name)
        for name in names
    }
    return [Panel(k, tuple(_row(*row) for row in rows.items())) for k, rows in panels.items()]


def _row(label: str, words: str) -> Row:
    return Row(label, (Prose(capitalised(words)),))
