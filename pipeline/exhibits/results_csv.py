"""Write results tables as CSV that reviewers can diff: 8 digits, LF line ends, sorted rows."""

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
