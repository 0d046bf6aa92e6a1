"""Centroids: where places are, for firms without coordinates, from files of data/rules/<study>/."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.datasets.exposure import CENTROIDS
from pipeline.datasets.store import conform, empty
from pipeline.errors import DataError
from pipeline.panel.values import text

_WANTED = ("place", "latitude", "longitude")


def centroid_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return CENTROIDS of the files of centroids, by name; places are written as PANEL's texts.

    Raises DataError where a column is absent, a place stands twice or has no latitude and longitude
    in degrees, or a radius is negative or no number.
    """
    parts = [_of_file(file, table) for file, table in tables.items()]
    return conform(CENTROIDS, pd.concat(parts)) if parts else empty(CENTROIDS)


def _of_file(file: str, table: pd.DataFrame) -> pd.DataFrame:
    absent = [name for name in _WANTED if name not in table]
    if absent:
        raise DataError(
            f"{file} needs the columns {', '.join(_WANTED)}; absent: {', '.join(absent)}"
        )
    place = text(table["place"])
    if lacking := int(place.isna().sum()):
        raise DataError(f"{file} has {lacking} rows without a place: fill or delete them")
    if repeated := int(place.duplicated().sum()):
        raise DataError(f"{file} has {repeated} places more than once: keep one row of each")
    numbers = {name: pd.to_numeric(table[name], errors="coerce") for name in _WANTED[1:]}
    at = pd.DataFrame(numbers)
    if lacking := int(at.isna().any(axis=1).sum()):
        raise DataError(f"{file} has {lacking} places without a latitude or longitude: fill them")
    require_on_earth(at.to_numpy(np.float64), file, "places")
    return at.assign(file=file, place=place, radius_km=_radius(file, table))


def _radius(file: str, table: pd.DataFrame) -> pd.Series:
    """Return by how much each place may be off, in km; missing where the file does not say."""
    if "radius_km" not in table:
        return pd.Series(np.nan, index=table.index)
    radius = pd.to_numeric(table["radius_km"], errors="coerce")
    faulty = int(((radius < 0) | (radius.isna() & table["radius_km"].notna())).sum())
    if faulty:
        raise DataError(f"{file}: {faulty} places have a radius_km below 0, or none: correct it")
    return radius


def require_on_earth(coordinates: Floats, where: str, counted: str) -> None:
    """Raise DataError where latitude and longitude (n, 2) are beyond 90 and 180 degrees."""
    beyond = int((np.abs(coordinates) > [90.0, 180.0]).any(axis=1).sum())
    if beyond:
        raise DataError(
            f"{where}: {beyond} {counted} have a latitude beyond 90 or a longitude beyond 180 "
            "degrees; write decimal degrees, south and west negative, and do not swap the two"
        )
