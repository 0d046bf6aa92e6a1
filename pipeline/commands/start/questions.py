"""What must be known before a guess counts, by the path of the setting that it is about."""

from pipeline.commands.start.numbers import numbers
from pipeline.commands.start.read import Read


def all_questions(read: Read) -> dict[str, str]:
    """Return every question by the path of the setting that it is about."""
    found = {**read.keys.questions, **read.questions, **read.entered.questions}
    found |= read.earlier.questions
    codes = {name: column.codes for name, column in read.columns.used.items() if column.codes}
    if codes:
        found["clean.missing_codes"] = (
            "do the words listed there mean that nothing is known? Else correct the cells"
        )
    found |= _asked_of_cluster(read) | _asked_of_exports(read)
    if len(read.files) > 2:
        found["data.source"] = f"not used: {', '.join(read.files[2:])}. One panel, one register"
    return {path: f"QUESTION: {text}" for path, text in found.items()}


def _asked_of_cluster(read: Read) -> dict[str, str]:
    design, keys = read.design, read.keys
    texts = [name for name, column in read.columns.used.items() if column.kind == "text"]
    found = (
        {}
        if read.asked.cluster
        else {
            "data.cluster": "at which level was support given out? Errors are clustered there, and "
            "firms of clusters with participants are no comparison; one or more of "
            f"{', '.join([*texts, 'firm_id'])}"
        }
    )
    if design.cluster != [keys.firm_id] and design.controls_from == "all":
        found["score.models.covariates.controls_from"] = (
            "too few comparison firms are outside clusters with participants: `all` assumes that "
            "the programme does not affect its neighbours; all or outside_treated_clusters"
        )
    return found


def _asked_of_exports(read: Read) -> dict[str, str]:
    """Ask what missing exports are where no firm has none."""
    column = read.columns.used.get("exports")
    if column is None or column.missing == 0:
        return {}
    values = numbers(read.table[column.name])
    if (values == 0).any():
        return {}
    return {
        "outcomes.exports_any.column": f"{column.name} is never zero and {column.missing:.0%} "
        "missing: does missing mean no exports? Then deliver zeros, or use clean.customs with "
        "unmatched: zero; if it means not known, set observed: false with the reason"
    }
