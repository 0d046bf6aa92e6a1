"""Results as CSV that reviewers can diff and `dvc plots diff` draws: 8 digits, LF line ends."""

import io

import pandas as pd

from pipeline.datasets.store import Dataset, conform
from pipeline.exhibits.effect import by_event_time, shown_effect
from pipeline.exhibits.inputs import StudyResults, find_effects


def results_csv(frame: pd.DataFrame, dataset: Dataset | None = None) -> bytes:
    """Return a results table as CSV bytes: UTF-8, LF, floats in 8 significant digits.

    With `dataset` the table is first checked against its declaration and sorted by its key;
    without one, rows keep their order. Missing values are empty fields.
    """
    ordered = frame if dataset is None else conform(dataset, frame)
    text = ordered.to_csv(index=False, lineterminator="\n", float_format="%.8g")
    return text.encode("utf-8")


def read_results_csv(content: bytes, dataset: Dataset) -> pd.DataFrame:
    """Return the results table that `results_csv` wrote, in its declared types."""
    words = {name: "str" for name, column in dataset.columns.items() if column.kind == "string"}
    # Only an empty field is missing: a category may be called NA.
    table = pd.read_csv(io.BytesIO(content), dtype=words, keep_default_na=False, na_values=[""])
    return conform(dataset, table)


def plots_csv(results: StudyResults) -> dict[str, bytes]:
    """Return one CSV an outcome, `effect_<outcome>.csv`: event time, estimate and interval.

    The headline's design and estimator; outcomes without effects by event time have no file. Where
    none has any, the first outcome's has no rows: DVC fails a stage that leaves the folder out.
    """
    headline = results.settings.estimate.headline
    files: dict[str, bytes] = {}
    for name in results.settings.outcomes.intended:
        effects = by_event_time(find_effects(results, name, headline.design, headline.spec))
        rows = [
            (time, told.estimate, told.conf_low, told.conf_high)
            for time, effect in sorted(effects.items())
            if effect.estimated and (told := shown_effect(effect))
        ]
        if rows:
            files[_file(name)] = _csv(rows)
    return files or {_file(next(iter(results.settings.outcomes.intended))): _csv([])}


def _file(outcome: str) -> str:
    return f"plots/effect_{outcome}.csv"


def _csv(rows: list[tuple[int, float, float, float]]) -> bytes:
    table = pd.DataFrame(rows, columns=["event_time", "estimate", "conf_low", "conf_high"])
    text: str = table.to_csv(index=False, lineterminator="\n", float_format="%.8g")
    return text.encode("utf-8")
