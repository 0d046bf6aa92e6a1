"""Write the section of params.yaml that a new study starts from."""

from pathlib import Path
from string import Template
from typing import Any

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.columns import Columns, transform_of
from pipeline.commands.start.design import FEW_IN_A_YEAR, ProposedDesign
from pipeline.commands.start.left_out import NAMES_SOMEBODY
from pipeline.commands.start.lines import block, flow, lines, quoted
from pipeline.commands.start.questions import all_questions
from pipeline.commands.start.read import Read, read_files
from pipeline.commands.start.register import RegisterGuess
from pipeline.commands.start.roles import OUTCOMES
from pipeline.commands.start.specs import ALL_FIRMS, specs
from pipeline.inference.cautions import FEW_TREATED_CLUSTERS
from pipeline.params.settings import read_value

_TEMPLATE = Path(__file__).with_name("section.yaml")
_NOTHING = ToldColumns()


def start_section(study: str, files: list[Path], asked: ToldColumns = _NOTHING) -> str:
    """Inspect the panel and, where given, the register; return a commented section that runs."""
    return study_text(study, read_files(files, asked))


def study_text(study: str, read: Read) -> str:
    """Return the section of a study, with its questions."""
    standard, design = read.columns.standard | {read.keys.firm_id: "firm_id"}, read.design
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        study=study,
        questions=block(all_questions(read), 4, key="questions", comment=_ASKED),
        source=block(read.source, 6),
        firm_id=quoted(read.keys.firm_id),
        year=quoted(read.keys.year),
        cluster=lines([standard[name] for name in design.cluster], 4),
        register=_register_columns(read.register),
        columns=_columns(read),
        clean=block(_clean(read), 4) + _first_digits(read),
        outcomes=block(_outcomes(read), 4),
        entry=block(read.entered.settings_with(read.columns.standard), 6) + _decisions(read),
        comparison="not_yet_treated" if read.entered.by_all else "never_treated",
        first_event_time=design.first_event_time,
        last_event_time=design.last_event_time,
        leads=_leads(design),
        covariates=block(design.covariates, 6),
        covariate_names=flow(design.scored),
        controls_from=design.controls_from,
        fit=design.fit,
        exact=flow(design.exact),
        specs=specs(design.adjusted, design.adjusted_all, _few_clusters(design)),
        unmatched_spec="stacked" if design.adjusted == design.adjusted_all else ALL_FIRMS,
        period=f"\n    period: {read.keys.period}" * (read.keys.period != "year"),
    )


def default_section() -> dict[str, Any]:
    """Return the section of a study about which nothing is known, as settings are read."""
    blank = dict.fromkeys(
        ("cluster", "columns", "outcomes", "covariates", "firm_id", "year"),
        " {}",
    )
    blank |= dict.fromkeys(("source", "register", "questions", "period", "leads"), "")
    blank |= {"specs": specs([], [], ""), "unmatched_spec": "stacked"}
    blank["clean"] = block({"duplicates": _DUPLICATES}, 4)
    blank |= {"study": "study", "entry": " {}", "first_event_time": "-2", "last_event_time": "3"}
    blank |= {"comparison": "never_treated"}
    blank |= {"controls_from": "all", "fit": "per_stack", "exact": "[]"}
    blank |= {"covariate_names": "[]"}
    text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(blank)
    section: dict[str, Any] = read_value(text)["study"]
    return section


_ASKED = (
    "guesses that bear on estimates: set what is wrong, write the answer here or delete the line"
)


def _register_columns(register: RegisterGuess | None) -> str:
    if register is None:
        return ""
    comment = "one row per firm and programme"
    return block(register.columns, 6, key="register_columns", comment=comment)


def _decisions(read: Read) -> str:
    """Return the values to choose from as a comment on the last setting, `accepted`."""
    codes = [] if read.register is None else read.register.decisions()
    chosen = codes and "accepted" in read.entered.settings
    return f"  # of {flow(codes)}" if chosen else ""


def _columns(read: Read) -> str:
    written = {}
    for name, column in read.columns.used.items():
        setting: dict[str, Any] = {
            "kind": column.kind, "column": column.name, "label": column.label,
        }  # fmt: skip
        if column.kind == "number":
            setting["unit"] = column.unit
        if column.minimum is not None:
            setting["minimum"] = column.minimum
        written[name] = setting | read.earlier.columns.get(name, {})
    told = {name: f"{column.missing:.1%} missing" for name, column in read.columns.used.items()}
    return "".join(f"\n      {name}: {flow(v)}  # {told[name]}" for name, v in written.items())


def _clean(read: Read) -> dict[str, Any]:
    register, rules = read.register, dict[str, Any]()
    codes = {name: column.codes for name, column in read.columns.used.items() if column.codes}
    if codes:
        rules["missing_codes"] = codes
    if register is not None and register.several and len(register.columns) > 2:
        rules["register_values"] = {"texts": "join", "numbers": "sum"}
    return {"duplicates": _DUPLICATES, **rules, **read.earlier.rules, **_identifier(read)}


def _identifier(read: Read) -> dict[str, Any]:
    """Return how identifiers are written, where it is not what the earlier study says anyway."""
    told = read.earlier.rules.get("identifier", {})
    same = read.identifier == {key: told[key] for key in told if key != "name_column"}
    return {} if same or not read.identifier else {"identifier": read.identifier}


_DUPLICATES = {"identical": "collapse", "conflicting": "refuse"}


def _first_digits(read: Read) -> str:
    """Return the rules that make broader classes of codes, below the reason for them."""
    rules = [
        {"column": name, "digits": column.digits}
        | ({} if column.code_digits is None else {"code_digits": column.code_digits})
        for name, column in read.design.broader.items()
    ]
    finest = ", ".join(" ".join(column.name.split()) for column in read.design.broader.values())
    reason = f"classes of {finest} hold too few comparison firms to match in: its first digits"
    return f"\n    # {reason}\n    first_digits: {flow(rules)}" if rules else ""


def _outcomes(read: Read) -> dict[str, Any]:
    columns, found = read.columns, dict[str, Any](read.earlier.outcomes)
    told = {outcome.get("column") for outcome in found.values()}
    for name in [n for n in columns.outcomes if n not in told]:
        column = columns.used[name]
        transform = transform_of(name, column)
        unit = "share" if transform == "any" else column.unit
        found[f"{name}_{transform}"] = {
            "label": name.capitalize() if name in OUTCOMES else column.label,
            "column": name, "transform": transform, "unit": unit,
        }  # fmt: skip
    if not read.earlier.outcomes:
        found |= _not_found(columns)
    return found


def _not_found(columns: Columns) -> dict[str, Any]:
    """Return the usual outcomes that no name tells, each with a question."""
    others = [c.name for c in columns.used.values() if c.kind == "number"]
    others += [name for name, why in columns.left_out.items() if why != NAMES_SOMEBODY]
    return {
        f"{name}_{transform}": {
            "label": name.capitalize(), "unit": "share", "observed": False,
            "reason": f"QUESTION: which column holds {name}? Or why was it not measured? "
                      f"Columns: {', '.join(others)}",
        }
        for name, transform in OUTCOMES.items()
        if name not in columns.used
    }  # fmt: skip


def _leads(design: ProposedDesign) -> str:
    """Say of which columns no trend before entry is left to be seen, and how to see one."""
    if not (columns := design.without_free_lead):
        return ""
    alone = [name for names in columns.values() for name in names]
    return (
        f"\n    # covariates read {', '.join(columns)} in every year of the window before entry: "
        "no\n    # trend before entry can be seen in them; to see one, leave out "
        f"{' or '.join(alone) or 'a year of theirs'}"
    )


def _few_clusters(design: ProposedDesign) -> str:
    if not design.few_treated_clusters:
        return ""
    beside = "".join(f"\n        #   {line}" for line in _BESIDE)
    return (
        f"\n        # fewer than {FEW_TREATED_CLUSTERS} treated clusters, or {FEW_IN_A_YEAR} of an "
        f"entry year: errors by CR2\n        bias_reduced: true\n        # below ten, add{beside}"
    )


_BESIDE = ("wild_bootstrap: {draws: 9999, seed: 1}", "randomisation: {draws: 999, seed: 1}")
