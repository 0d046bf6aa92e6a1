"""One design of an evaluation in memory: its firms, balance and effects, and how they are shown."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

import pandas as pd
from matplotlib.figure import Figure

from pipeline.commands.arms_in_memory import ArmsInMemory
from pipeline.commands.in_memory import (
    InMemory,
    balance_in_memory,
    results_in_memory,
)
from pipeline.commands.notebook_params import section_text
from pipeline.errors import ParamsError
from pipeline.exhibits.figures.drawing import render_figure
from pipeline.exhibits.figures.event_study import event_study
from pipeline.exhibits.figures.love_plot import love_plot
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.render.html import render_html
from pipeline.exhibits.tables.registry import named_tables
from pipeline.exhibits.words.arm_note import noted_arm
from pipeline.exhibits.words.captions import caption
from pipeline.exhibits.words.sampling import noted_weights
from pipeline.panel.ledger import Ledger
from pipeline.panel.what_cleaned import data_rules
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.settings import nearest_known
from pipeline.params.study import StudySection

NOT_VETTED = "Not vetted for disclosure: small counts and dominant firms are shown."


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
            noted = [noted_arm(results, noted_weights(results, table)) for table in tables]
            parts = [render_html(table, caption(results, table.part)) for table in noted]
        return ShownHtml("\n".join(parts))

    @cached_property
    def _alone(self) -> StudyResults:
        """Return the results with this outcome only."""
        settings = self.results.settings
        only = OutcomesSection({self.outcome: settings.outcome(self.outcome)})
        return replace(self.results, settings=replace(settings, outcomes=only))


@dataclass(frozen=True, repr=False)
class Match:
    """Hold one design: who was matched with whom, how alike they are, what the effects are.

    All that it shows is of `arm`, at first the headline's; `arms` has the others.
    """

    name: str
    study: StudySection
    cleaned: Ledger
    matched: ArmsInMemory
    arm: str

    def __repr__(self) -> str:
        used = self.weights["treated"].value_counts()
        counts = f"{used.get(True, 0)} treated and {used.get(False, 0)} comparison firms"
        return f"<{self.name}: {counts}; .balance(), .plot(), .effects(outcome)>"

    @property
    def found(self) -> InMemory:
        """Return what stages find of this arm."""
        return self.matched.arm(self.arm)

    @property
    def arms(self) -> dict[str, "Match"]:
        """Return this design in each arm with support, by name; without arms in `all`."""
        return {arm: replace(self, arm=arm) for arm in self.matched.by_arm}

    @property
    def arm_flow(self) -> pd.DataFrame:
        """Return ARM_FLOW: what became of the firms of each arm, and why one has no support."""
        return self.matched.flow

    def contrasts(self, outcome: str) -> pd.DataFrame:
        """Return the rows of ARM_CONTRASTS: weighted sums of the arms' effects on an outcome.

        Raises ParamsError where the study names no arms.
        """
        if self.study.treatment.arms is None:
            raise ParamsError("contrasts are between arms, of which this study names none")
        rows = self._mine(self.matched.between.contrasts)
        mine = rows["outcome"] == self._outcome(outcome)
        return rows[mine].drop(columns="outcome").reset_index(drop=True)

    def pools(self, outcome: str) -> pd.DataFrame:
        """Return the rows of POOLS: the effect on an outcome under each comparison pool.

        Of the headline's arm, spec and design. Raises ParamsError where the study names no pools.
        """
        if not self.study.treatment.pools:
            raise ParamsError("this study names no pools: give evaluate(..., pools=...)")
        rows = self.matched.pools
        mine = rows[rows["outcome"] == self._outcome(outcome)].drop(columns="outcome")
        return mine.sort_values("position").reset_index(drop=True)

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
        return Effects(self._results, self.name, self._outcome(outcome))

    def _outcome(self, outcome: str) -> str:
        """Return the name in params of an outcome that is called by its column or by that."""
        labels = {o.label: name for name, o in self.study.outcomes.root.items()}
        known = labels | {name: name for name in labels.values()}
        if outcome not in known:
            raise ParamsError(f"{outcome} is not an outcome{nearest_known(outcome, list(labels))}")
        return known[outcome]

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
