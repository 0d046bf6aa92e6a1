"""Delivered files of links between firms, read into one table."""

from pathlib import Path

import pandas as pd

from pipeline.errors import DataError
from pipeline.panel.delivered import delivered_files, point_decimals, point_years, stacked_tables
from pipeline.panel.exact_codes import refuse_inexact
from pipeline.panel.origin import Segment, file_origin, located, stacked
from pipeline.panel.readers import file_kind, first_row, read_table
from pipeline.params.links_file import LinksFile


def read_links(declared: LinksFile, folder: Path, most: int) -> tuple[pd.DataFrame, list[Segment]]:
    """Read the file of links, or all files of a pattern, with where their rows come from.

    Raises DataError where there is no such file, there are more than `most` rows, or identifiers or
    numbers cannot be what is declared.
    """
    paths = [] if declared.file is None else delivered_files(folder, declared.file)
    if not paths:
        raise DataError(f"no file in {folder.as_posix()} fits data.links.file {declared.file}")
    tables, origins = list[pd.DataFrame](), list[list[Segment]]()
    for path in paths:
        table = read_table(path, declared.format, most - sum(map(len, tables)))
        origins.append(file_origin(path.name, table.index, first_row(path, declared.format)))
        with located(origins[-1]):
            refuse_inexact(table, declared.codes, file_kind(path))
        tables.append(table)
    links = stacked_tables(tables) if len(tables) > 1 else tables[0].reset_index(drop=True)
    amounts = set() if declared.weight is None else {declared.weight}
    origin = stacked(origins)
    with located(origin):
        pointed = point_decimals(links, amounts, declared.format)
        return point_years(pointed, {declared.year}, declared.format), origin
