"""An evaluation of a DataFrame, step by step, as in a notebook.

    study = evaluate(df, firm="firm", year="year", entry="entry", outcomes=["sales"])
    match = study.match(["employment", "sales"], caliper_sd=0.2)
    match.effects("sales").table()

The code and the numbers are those of the stages: `params` prints the section with which `dvc repro`
gives the same. Nothing here is vetted for disclosure: what leaves the room goes through the stages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from pipeline.commands.arms_in_memory import match_arms
from pipeline.commands.notebook_match import NOT_VETTED, Match
from pipeline.commands.notebook_panel import delivered_table, require_delivered
from pipeline.commands.notebook_params import (
    LINKS_FILE,
    MATCHED,
    PANEL_FILE,
    REGISTER_FILE,
    AskedDesign,
    AskedOfFrame,
    Transforms,
    section_text,
    study_of,
    transforms,
    treatment_asked,
)
from pipeline.errors import ParamsError
from pipeline.panel.clean import clean_panel
from pipeline.panel.exposure_inputs import DeliveredLinks, with_exposure_inputs
from pipeline.panel.ledger import Ledger
from pipeline.panel.used_columns import used_columns
from pipeline.params.exposure import centroid_files
from pipeline.params.gaps import Gap
from pipeline.params.study import StudySection

Comparison = Literal["never_treated", "not_yet_treated"]


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
        matched = match_arms(dict(cleaned.tables()), study)
        self.designs[name] = design
        return Match(name, study, cleaned, matched, study.treatment.headline_arm)

    def params(self, name: str = "study") -> str:
        """Return the section of params.yaml with every design so far, every default written out."""
        return section_text(study_of(self.asked, self.designs), name)

    def save(self, folder: Path | str) -> Path:
        """Write panel, register and links, as the section names them; `folder` is of raw data.

        It is `data/raw/<study>/`. Returns where the panel is.
        """
        path = Path(folder) / PANEL_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        self.asked.table.to_parquet(path, index=False)
        beside = {REGISTER_FILE: self.asked.register, LINKS_FILE: self.asked.links}
        for name, table in beside.items():
            if table is not None:
                table.to_parquet(path.with_name(name), index=False)
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
    register: pd.DataFrame | None = None,
    arms: Mapping[str, Any] | None = None,
    exposure: Mapping[str, Any] | None = None,
    pools: Mapping[str, Any] | None = None,
    unfound: str | None = None,
    links: pd.DataFrame | None = None,
    link_rules: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Clean a DataFrame of firms and years; what it returns matches, estimates and shows.

    `entry` is a column of entry years (missing, or one of `never`, where a firm never enters) or of
    0 and 1; of the `register` where that is given, a row a firm and entry, which has the column
    `firm` too, and by these names its programme, component, role and amount, if any. `arms`,
    `exposure` and `pools` are what section treatment holds by these names, with columns as
    `params` names them, `unfound` is treatment.unfound. `links` has a row a link between firms, by
    the names source, target, year and, if any, kind and weight; `link_rules` are further settings
    of data.links. `cluster` are the columns at whose level
    support was given out, None for the firm itself. `outcomes` are columns, or columns with their
    transforms: log, level, any, proportional. `weight` is the column of a survey's sampling
    weights, which weight every step. `accept` names gaps at which cleaning goes on, as
    `clean.coverage.accept` of params.yaml.

    Raises ParamsError or DataError as the stages do, with their messages; rows that a message is
    about are in its `problems`. What is shown is not vetted for disclosure.
    """
    clusters = [cluster] if isinstance(cluster, str) else list(cluster or [])
    table = delivered_table(df, {year, entry})
    listed = None if register is None else delivered_table(register, {entry})
    dated = table if listed is None else listed
    require_delivered(dated, [firm, entry], has_header=False)
    named = [firm, year, *clusters, *([weight] if weight else [])]
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
        treatment=treatment_asked(window, anticipation_years, comparison)
        | {"arms": arms, "exposure": exposure or {}, "pools": pools or {}, "unfound": unfound},
        register=listed,
        links=None if links is None else delivered_table(links, {"year"}),
        link_rules=dict(link_rules or {}),
    )
    return Evaluation(asked, _clean(asked, study_of(asked, {})))


def _clean(asked: AskedOfFrame, study: StudySection) -> Ledger:
    exposures = study.treatment.exposure
    if files := centroid_files(exposures):
        raise ParamsError(
            f"{', '.join(files)} is a file of data/rules: in a notebook give places as columns "
            "`latitude` and `longitude` of the DataFrame"
        )
    ledger = clean_panel(
        asked.table,
        asked.register,
        {},
        data=study.data,
        clean=study.clean,
        treatment=study.treatment,
        used=used_columns(study.outcomes, study.score, study.treatment),
    )
    links = DeliveredLinks(asked.links, ())
    return with_exposure_inputs(
        ledger, links, {}, data=study.data, clean=study.clean, exposures=exposures
    )
