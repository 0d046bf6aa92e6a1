"""The section of params.yaml that a notebook's calls amount to, with the defaults of `start`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, get_args

import pandas as pd
from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML

from pipeline.commands.notebook_panel import holds_numbers, is_indicator, require_delivered
from pipeline.commands.start.columns import slug
from pipeline.commands.start.section import default_section
from pipeline.errors import ParamsError
from pipeline.params.exposure import Exposures, panel_columns_read
from pipeline.params.gaps import Gap
from pipeline.params.match import AnyDesign
from pipeline.params.pools import Pools, pool_columns_read
from pipeline.params.score import TEXT
from pipeline.params.study import StudySection, cross_faults, read_study

# What a study is called whose section is not written down.
NAME = "notebook"
PANEL_FILE, REGISTER_FILE, LINKS_FILE = "panel.parquet", "register.parquet", "links.parquet"

# Columns of a register, and of links, that mean what they are called.
_REGISTER = ("programme", "component", "role", "amount")
_LINKS, _LINKS_IF_ANY = ("source", "target", "year"), ("kind", "weight")

# What a design is called to which no name was given.
MATCHED = "matched"

# What the columns that every evaluation knows are compared in, where nothing else is asked for.
_TRANSFORMS = {"sales": "log", "employment": "log", "exports": "any"}

Transforms = Sequence[str] | Mapping[str, str]


@dataclass(frozen=True)
class AskedOfFrame:
    """Hold what `evaluate` was asked for, by the names of the DataFrame's columns.

    `outcomes` gives each its transform, `weight` is that of sampling weights, if any; `names` the
    standard name of every column used. `entry` is a column of the register, where there is one.
    """

    table: pd.DataFrame
    firm: str
    year: str
    entry: str
    cluster: list[str]
    outcomes: dict[str, str]
    never: list[float]
    controls_from: str
    accept: list[Gap]
    weight: str | None
    treatment: dict[str, Any]
    register: pd.DataFrame | None = None
    links: pd.DataFrame | None = None
    link_rules: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, str]:
        """Return the standard name of every column but firm and year."""
        found: dict[str, str] = {}
        for column in self.table.columns:
            if column not in (self.firm, self.year):
                found[column] = slug(column, set(found.values()))
        return found

    @property
    def reference(self) -> int:
        """Return the event time of the base year, at which covariates are dated."""
        return -1 - int(self.treatment["anticipation_years"])


@dataclass(frozen=True)
class AskedDesign:
    """Hold what `match` was asked for: covariates with their transforms, and the design's rules."""

    covariates: dict[str, str]
    exact: list[str]
    method: str
    rules: dict[str, Any]


def treatment_asked(
    window: tuple[int, int], anticipation_years: int, comparison: str
) -> dict[str, Any]:
    """Return what `evaluate` was asked for of section `treatment`."""
    return {
        "anticipation_years": anticipation_years,
        "comparison": comparison,
        "window": dict(zip(("first_event_time", "last_event_time"), window, strict=True)),
    }


def transforms(table: pd.DataFrame, asked: Transforms, *, numbers: bool = False) -> dict[str, str]:
    """Return columns with their transforms; those given alone take what suits them.

    Text is a category, unless all must be `numbers`, which cleaning then sees to; sales and
    employment are in logs; exports are any or none; other numbers stay as they are.

    Raises DataError where a column is absent.
    """
    require_delivered(table, list(asked))
    if isinstance(asked, Mapping):
        return dict(asked)
    return {
        name: _TRANSFORMS.get(slug(name, set()), "level")
        if numbers or holds_numbers(table, name)
        else "category"
        for name in asked
    }


def study_of(asked: AskedOfFrame, designs: Mapping[str, AskedDesign]) -> StudySection:
    """Return every section as settings, checked as `check` does; raises ParamsError with faults."""
    study = read_study({NAME: _block(asked, designs)}, NAME)
    faults = [f"{NAME}.{fault}" for fault in cross_faults(study)]
    if faults:
        raise ParamsError("\n".join(faults))
    return study


def section_text(study: StudySection, name: str) -> str:
    """Return the section of params.yaml, every default written out."""
    text = StringIO()
    block = study.model_dump(mode="json")
    block["estimate"]["specs"] = {spec.pop("name"): spec for spec in block["estimate"]["specs"]}
    YAML().dump({name: block}, text)
    return text.getvalue()


def _block(asked: AskedOfFrame, designs: Mapping[str, AskedDesign]) -> dict[str, Any]:
    """Return the section, `start`'s defaults wherever nothing was asked for."""
    block, names = default_section(), asked.names
    outcomes = {
        names[c]: {"label": c, "unit": "units", "column": names[c], "transform": transform}
        for c, transform in asked.outcomes.items()
    }
    block["data"] |= {
        "source": {"kind": "files", "panel": PANEL_FILE},
        "firm_id": asked.firm,
        "year": asked.year,
        "cluster": [names[column] for column in asked.cluster] or ["firm_id"],
        "columns": _columns(asked, designs),
    }
    if asked.register is not None:
        block["data"]["source"]["register_file"] = REGISTER_FILE
        block["data"]["register_columns"] = _register_columns(asked, asked.register)
    if asked.links is not None:
        block["data"]["links"] = _links(asked.links) | asked.link_rules
    if asked.weight is not None:
        block["data"]["weight"] = names[asked.weight]
    if asked.accept:
        block["clean"]["coverage"] = {"accept": asked.accept}
    block["outcomes"] = outcomes
    block["treatment"] |= {"entry": _entry(asked), **asked.treatment}
    _add_designs(block, asked, designs)
    return block


def _columns(asked: AskedOfFrame, designs: Mapping[str, AskedDesign]) -> dict[str, Any]:
    texts = {c for d in designs.values() for c, how in d.covariates.items() if how in TEXT}
    texts |= set(asked.cluster)
    used = {asked.entry, asked.weight, *asked.cluster, *asked.outcomes}
    used |= {column for design in designs.values() for column in design.covariates}
    exposing = _exposing(asked)
    used |= {column for column, name in asked.names.items() if name in exposing}
    texts |= {column for column, name in asked.names.items() if exposing.get(name) == "text"}
    columns: dict[str, Any] = {}
    for column, name in asked.names.items():
        if column in texts & used:
            columns[name] = {"kind": "text", "column": column, "label": column}
        elif column in used:
            columns[name] = {"kind": "number", "column": column, "label": column, "unit": "units"}
    return columns


def _register_columns(asked: AskedOfFrame, register: pd.DataFrame) -> dict[str, str]:
    named = {name: name for name in _REGISTER if name in register.columns}
    return {"firm_id": asked.firm, "entry_year": asked.entry, **named}


def _links(links: pd.DataFrame) -> dict[str, str]:
    named = [*_LINKS, *(name for name in _LINKS_IF_ANY if name in links.columns)]
    require_delivered(links, named)
    return {"file": LINKS_FILE} | {name: name for name in named}


def _exposing(asked: AskedOfFrame) -> dict[str, str]:
    """Return the standard names of columns that exposures and pools read, with their kinds.

    None of those that are faulty: what is wrong with them the section's model says.
    """
    try:
        rules = TypeAdapter(Exposures).validate_python(asked.treatment["exposure"])
        pools = TypeAdapter(Pools).validate_python(asked.treatment["pools"])
    except ValidationError:
        return {}
    read = [panel_columns_read(rule) for rule in rules.values()]
    read += [pool_columns_read(pool) for pool in pools.values()]
    return {column: kind for columns in read for _, column, kind in columns}


def _entry(asked: AskedOfFrame) -> dict[str, Any]:
    if asked.register is not None:
        entry = {"source": "register", "programme": None, "other_programmes": "keep"}
        return entry | {"never": asked.never}
    column = asked.names[asked.entry]
    if is_indicator(asked.table, asked.entry):
        return {"source": "indicator", "column": column, "switches_off": "refuse"}
    return {"source": "entry_year", "column": column, "never": asked.never}


def _add_designs(
    block: dict[str, Any], asked: AskedOfFrame, designs: Mapping[str, AskedDesign]
) -> None:
    """Put covariates, one score model a design, designs, the spec and panels into the section."""
    model = block["score"]["models"].pop("covariates") | {"controls_from": asked.controls_from}
    model |= {"errors": "robust"} if asked.weight is not None else {}
    rule = block["match"]["designs"].pop("covariates")
    block["score"]["unmatched"] = {"controls_from": asked.controls_from}
    for name, design in designs.items():
        keys = {column: _covariate_key(asked, column, how) for column, how in
                design.covariates.items()}  # fmt: skip
        for column, how in design.covariates.items():
            block["score"]["covariates"][keys[column]] = {
                "label": column,
                "column": asked.names[column],
                "transform": how,
                "at": asked.reference,
            }
        block["score"]["models"][name] = model | {"covariates": list(keys.values())}
        block["match"]["designs"][name] = _rule(rule, design, name, keys)
    _add_spec(block, list(designs))


def _covariate_key(asked: AskedOfFrame, column: str, how: str) -> str:
    """Return what a covariate is called: the column, or its transform too where it is another."""
    usual = transforms(asked.table, [column])[column]
    return asked.names[column] if how == usual else f"{asked.names[column]}_{how}"


def _rule(
    default: dict[str, Any], design: AskedDesign, name: str, keys: dict[str, str]
) -> dict[str, Any]:
    """Return the settings of one design: `start`'s where the method has them, then those given."""
    known = _methods().get(design.method, set())
    own: dict[str, Any] = {
        "score": name,
        "method": design.method,
        "exact": [keys[column] for column in design.exact],
        "covariates": list(keys.values()),
        "covariance_of": "pooled",
        "moments": 1,
        "base": "equal",
    }
    settings = {key: value for key, value in {**default, **own}.items() if key in known}
    return {**settings, "score": name, "method": design.method, **design.rules}


def _methods() -> dict[str, set[str]]:
    """Return the settings of every method of matching, by its name."""
    designs = get_args(get_args(AnyDesign)[0])
    return {
        method: set(design.model_fields)
        for design in designs
        for method in get_args(design.model_fields["method"].annotation)
    }


def _add_spec(block: dict[str, Any], designs: list[str]) -> None:
    """Estimate every design; the last is the main one."""
    every = ["unmatched", *designs]
    ((spec, settings),) = block["estimate"]["specs"].items()
    settings["designs"] = every
    block["estimate"]["headline"]["design"] = every[-1]
    exhibit = block["exhibit"]
    labels = {"unmatched": exhibit["design_labels"]["unmatched"]}
    labels |= {name: "matched firms" if name == MATCHED else name for name in designs}
    exhibit |= {"title": "Evaluation", "source": "own data", "design_labels": labels}
    exhibit["panels"] = [
        {"design": design, "spec": spec, "label": labels[design].capitalize()} for design in every
    ]
