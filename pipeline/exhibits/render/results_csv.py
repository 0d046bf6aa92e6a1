"""Results tables as CSV that reviewers can diff: 8 digits, LF line ends, sorted rows."""

import io

import pandas as pd

from pipeline.datasets.store import Dataset, conform


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
