"""What must be known before a guess counts, by the path of the setting that it is about."""

from pipeline.commands.start.columns import transform_of
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
    found |= _asked_of_cluster(read) | _asked_of_outcomes(read) | _asked_of_digits(read)
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


def _asked_of_digits(read: Read) -> dict[str, str]:
    """Ask of codes that seem to have lost a zero in front."""
    lost = [column for column in read.design.broader.values() if column.code_digits is not None]
    told = ", ".join(f"{c.name}, of {c.code_digits} digits" for c in lost)
    return {
        "clean.first_digits": f"did codes with one digit less lose a zero in front ({told})? Else "
        "take code_digits out"
    } if lost else {}  # fmt: skip


def _asked_of_outcomes(read: Read) -> dict[str, str]:
    """Ask which of several columns is a standard outcome, and what missing exports are."""
    texts = {name: [_several_fit(read, name)] for name in read.columns.fitting}
    texts.setdefault("exports", []).append(_missing_exports(read))
    return {
        f"outcomes.{name}_{transform_of(name, read.columns.used[name])}.column": "; ".join(told)
        for name, asked in texts.items()
        if (told := [text for text in asked if text])
    }


def _several_fit(read: Read, name: str) -> str:
    """Ask which column is meant, unless the command line or an earlier study says so."""
    fitting, told = read.columns.fitting[name], read.asked.outcomes
    if len(fitting) < 2 or told or name not in read.columns.outcomes:
        return ""
    return f"is {fitting[0]} all {name} of the firm? As well may be {', '.join(fitting[1:])}"


def _missing_exports(read: Read) -> str:
    """Ask what missing exports are where many are missing, or no firm has none."""
    if not read.columns.exports_in_doubt:
        return ""
    column = read.columns.used["exports"]
    zeros = (numbers(read.table[column.name]) == 0).any()
    return (
        f"{column.name} is {'sometimes' if zeros else 'never'} zero and {column.missing:.0%} "
        "missing: does missing mean no exports? Then clean.missing_as_zero: [exports]; if it means "
        "not known, set observed: false with the reason. Until then exports are no covariate"
    )
