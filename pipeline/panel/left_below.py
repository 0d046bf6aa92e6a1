"""Rows that reading leaves out below delivered tables: counted by file, as every loss is."""

from pathlib import Path

import pandas as pd

from pipeline.errors import Reason
from pipeline.panel.delivered import delivered_files
from pipeline.panel.footers import n_footer_rows
from pipeline.panel.ledger import Issue
from pipeline.panel.readers import read_table
from pipeline.params.data import DataSection, FileSource
from pipeline.params.written import FileFormat

LEFT_COLUMNS = ["column", "file", "count"]


def count_left_below(source: FileSource, data: DataSection, folder: Path) -> pd.DataFrame:
    """Count rows below tables by file, where params leave them out; `column` is the firm's.

    Files are read a second time, which costs what reading them once does.
    """
    rows = []
    if source.format.footer == "leave_out":
        for path in delivered_files(folder, source.panel):
            rows.append(("firm_id", path.name, _n_rows(path, source.format, data.max_rows)))
    if source.register_file is not None and source.register_format.footer == "leave_out":
        path = folder / source.register_file
        n_rows = _n_rows(path, source.register_format, data.max_rows)
        rows.append(("firm_id", path.name, n_rows))
    links = data.links
    if links is not None and links.file is not None and links.format.footer == "leave_out":
        for path in delivered_files(folder, links.file):
            n_rows = _n_rows(path, links.format, data.max_rows)
            rows.append((links.source, path.name, n_rows))
    return pd.DataFrame([row for row in rows if row[2]], columns=LEFT_COLUMNS)


def left_below_issues(counted: pd.DataFrame | None) -> list[Issue]:
    """Return a finding for each file."""
    rows = () if counted is None else counted.itertuples(index=False)
    left_out = Reason("left_out")
    return [
        Issue(Reason("row_below_table", {"file": str(file)}), str(column), left_out, int(n))
        for column, file, n in rows
    ]


def _n_rows(path: Path, written: FileFormat, max_rows: int) -> int:
    return n_footer_rows(read_table(path, written.model_copy(update={"footer": "keep"}), max_rows))
