"""An evaluation of a DataFrame, step by step, as in a notebook.

    study = evaluate(df, firm="firm", year="year", entry="entry", outcomes=["sales"])
    match = study.match(["employment", "sales"], caliper_sd=0.2)
    match.effects("sales").table()

The code and the numbers are those of the stages: `params` prints the section with which `dvc repro`
gives the same. Nothing here is vetted for disclosure: what leaves the room goes through the stages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from matplotlib.figure import Figure

from pipeline.commands.in_memory import (
    InMemory,
    balance_in_memory,
    match_study,
    results_in_memory,
)
from pipeline.commands.notebook_panel import delivered_table, require_delivered
from pipeline.commands.notebook_params import (
    MATCHED,
    PANEL_FILE,
    AskedDesign,
    AskedOfFrame,
    Transforms,
    section_text,
    study_of,
    transforms,
    treatment_asked,
)
from pipeline.errors import ParamsError
from pipeline.exhibits.figures.drawing import render_figure
from pipeline.exhibits.figures.event_study import event_study
from pipeline.exhibits.figures.love_plot import love_plot
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.render.html import render_html
from pipeline.exhibits.tables.registry import named_tables
from pipeline.exhibits.words.captions import caption
from pipeline.exhibits.words.sampling import noted_weights
from pipeline.panel.clean import clean_panel
from pipeline.panel.ledger import Ledger
from pipeline.panel.used_columns import used_columns
from pipeline.panel.what_cleaned import data_rules
from pipeline.params.gaps import Gap
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.settings import nearest_known
from pipeline.params.study import StudySection

NOT_VETTED = "Not vetted for disclosure: small counts and dominant firms are shown."

Comparison = Literal["never_treated", "not_yet_treated"]


@dataclass(frozen=True)
class ShownHtml:
    """Hold an exhibit as HTML, which a notebook shows; `content` is without the caution."""

    content: str

    def _repr_html_(self) -> str:
        return f"{self.content}\n<p><em>{escape(NOT_VETTED)}</em></p>"


@dataclass(frozen=True, repr=False)
class Effects:
    """Hold the effects on one outcome, under one design."""

    results: StudyResults
    design: str
    outcome: str

    def __repr__(self) -> str:
        return f"<effects on {self.outcome}, {self.design}: .tidy(), .event_study(), .table()>"

    def tidy(self) -> pd.DataFrame:
        """Return the rows of ESTIMATES: term, estimate, std_error, conf_low, conf_high ..."""
        rows = self.results.estimates
        mine = (rows["outcome"] == self.outcome) & (rows["design"] == self.design)
        return rows[mine].reset_index(drop=True)

    def event_study(self) -> ShownHtml:
        """Return the figure of effects by year since entry."""
        return _drawn(event_study, self._alone)

    def table(self) -> ShownHtml:
        """Return the table of effects, every design beside the unmatched one, with its notes."""
        results = self._alone
        with results.speaking():
            tables = named_tables(results, "main_effects").values()
            parts = [
                render_html(noted_weights(results, table), caption(results, table.part))
                for table in tables
            ]
        return ShownHtml("\n".join(parts))

    @cached_property
    def _alone(self) -> StudyResults:
        """Return the results with this outcome only."""
        settings = self.results.settings
        only = OutcomesSection({self.outcome: settings.outcome(self.outcome)})
        return replace(self.results, settings=replace(settings, outcomes=only))


@dataclass(frozen=True, repr=False)
class Match:
    """Hold one design: who was matched with whom, how alike they are, what the effects are."""

    name: str
    study: StudySection
    cleaned: Ledger
    found: InMemory

    def __repr__(self) -> str:
        used = self.weights["treated"].value_counts()
        counts = f"{used.get(True, 0)} treated and {used.get(False, 0)} comparison firms"
        return f"<{self.name}: {counts}; .balance(), .plot(), .effects(outcome)>"

    @property
    def weights(self) -> pd.DataFrame:
        """Return the rows of WEIGHTS: stack, firm_id, treated, weight."""
        return self._mine(self.found.matched.weights)

    @property
    def pairs(self) -> pd.DataFrame:
        """Return the rows of MATCHES: matched sets, where the method makes some."""
        return self._mine(self.found.matched.matches)

    def balance(self) -> pd.DataFrame:
        """Return the rows of BALANCE: standardised differences before and after matching."""
        return self._mine(balance_in_memory(self.found))

    def plot(self) -> ShownHtml:
        """Return the Love plot of standardised differences."""
        return _drawn(love_plot, self._results)

    def effects(self, outcome: str) -> Effects:
        """Return the effects on an outcome, by its column's name."""
        labels = {o.label: name for name, o in self.study.outcomes.root.items()}
        known = labels | {name: name for name in labels.values()}
        if outcome not in known:
            raise ParamsError(f"{outcome} is not an outcome{nearest_known(outcome, list(labels))}")
        return Effects(self._results, self.name, known[outcome])

    def params(self, name: str = "study") -> str:
        """Return the section of params.yaml with which `dvc repro` gives these numbers."""
        return section_text(self.study, name)

    @cached_property
    def _results(self) -> StudyResults:
        study = self.study
        rules = data_rules(study.data, study.clean, study.treatment)
        return results_in_memory(self.found, self.cleaned, rules, _settings(study))

    def _mine(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[table["design"] == self.name].drop(columns="design").reset_index(drop=True)


@dataclass(repr=False)
class Evaluation:
    """Hold a cleaned panel, and the designs that were asked for so far."""

    asked: AskedOfFrame
    cleaned: Ledger
    designs: dict[str, AskedDesign] = field(default_factory=dict)

    @property
    def sample_flow(self) -> pd.DataFrame:
        """Return what each rule of cleaning cost."""
        return self.cleaned.sample_flow

    def match(
        self,
        covariates: Transforms,
        *,
        method: str = "nearest",
        exact: Sequence[str] = (),
        name: str = MATCHED,
        **rules: Any,
    ) -> Match:
        """Match treated firms to comparison firms on covariates of the year before entry.

        `covariates` are columns, or columns with their transforms; `rules` are settings of the
        design as params.yaml has them (caliper_sd, ratio, replacement, distance ...).

        Raises ParamsError, DataError or SupportError as the stages do, with their messages.
        """
        if method == "external":
            raise ParamsError("method: external adopts the pairs of a file; give it in params.yaml")
        chosen = transforms(self.asked.table, covariates)
        chosen |= transforms(self.asked.table, [c for c in exact if c not in chosen])
        design = AskedDesign(chosen, list(exact), method, rules)
        study = study_of(self.asked, {name: design})
        cleaned = _clean(self.asked, study)
        found = match_study(cleaned.panel, study)
        self.designs[name] = design
        return Match(name, study, cleaned, found)

    def params(self, name: str = "study") -> str:
        """Return the section of params.yaml with every design so far, every default written out."""
        return section_text(study_of(self.asked, self.designs), name)

    def save(self, folder: Path | str) -> Path:
        """Write the panel as the section names it: `data/raw/<study>/` is its folder."""
        path = Path(folder) / PANEL_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        self.asked.table.to_parquet(path, index=False)
        return path

    def __repr__(self) -> str:
        rows = f"{len(self.cleaned.panel)} rows of {self.cleaned.panel['firm_id'].nunique()} firms"
        return f"<panel of {rows}; .match(covariates), .sample_flow>"

    def _repr_html_(self) -> str:
        return f"{self.sample_flow.to_html(index=False)}\n<p><em>{escape(NOT_VETTED)}</em></p>"


def evaluate(
    df: pd.DataFrame,
    *,
    firm: str,
    year: str,
    entry: str,
    outcomes: Transforms,
    cluster: str | Sequence[str] | None = None,
    weight: str | None = None,
    never: Sequence[float] = (),
    window: tuple[int, int] = (-2, 3),
    anticipation_years: int = 0,
    comparison: Comparison = "never_treated",
    controls_from: Literal["all", "outside_treated_clusters"] = "all",
    accept: Sequence[Gap] = (),
) -> Evaluation:
    """Clean a DataFrame of firms and years; what it returns matches, estimates and shows.

    `entry` is a column of entry years (missing, or one of `never`, where a firm never enters) or of
    0 and 1; `cluster` the columns at whose level support was given out, None for the firm itself.
    `outcomes` are columns, or columns with their transforms: log, level, any, proportional.
    `weight` is the column of a survey's sampling weights, which weight every step. `accept` names
    gaps at which cleaning goes on, as `clean.coverage.accept` of params.yaml.

    Raises ParamsError or DataError as the stages do, with their messages; rows that a message is
    about are in its `problems`. What is shown is not vetted for disclosure.
    """
    clusters = [cluster] if isinstance(cluster, str) else list(cluster or [])
    table = delivered_table(df, {year, entry})
    named = [firm, year, entry, *clusters, *([weight] if weight else [])]
    require_delivered(table, named, has_header=False)
    asked = AskedOfFrame(
        table=table,
        firm=firm,
        year=year,
        entry=entry,
        cluster=[column for column in clusters if column != firm],
        outcomes=transforms(
            table, [outcomes] if isinstance(outcomes, str) else outcomes, numbers=True
        ),
        never=[float(code) for code in never],
        controls_from=controls_from,
        accept=list(accept),
        weight=weight,
        treatment=treatment_asked(window, anticipation_years, comparison),
    )
    return Evaluation(asked, _clean(asked, study_of(asked, {})))


def _clean(asked: AskedOfFrame, study: StudySection) -> Ledger:
    return clean_panel(
        asked.table,
        None,
        {},
        data=study.data,
        clean=study.clean,
        treatment=study.treatment,
        used=used_columns(study.outcomes, study.score, study.treatment),
    )


def _settings(study: StudySection) -> StudySettings:
    return StudySettings(
        outcomes=study.outcomes,
        treatment=study.treatment,
        score=study.score,
        match=study.match,
        estimate=study.estimate,
        exhibit=study.exhibit,
    )


def _drawn(draw: Callable[[StudyResults], Figure], results: StudyResults) -> ShownHtml:
    with results.speaking():
        return ShownHtml(render_figure(draw, results)["svg"].decode("utf-8"))
