"""How large a study's data are, from row counts: of what stages wrote, else of delivered files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pyarrow import parquet

from pipeline.errors import DataError
from pipeline.panel.delivered import delivered_files, wide_years
from pipeline.panel.readers import read_table
from pipeline.params.data import FileSource, SimulationSource
from pipeline.params.study import StudySection

_BLOCK_BYTES = 1 << 24
_LINES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Sizes:
    """Hold the firm-years of a study, counted in `source`, and its firms by entry year.

    `firms` counts who may be compared in some entry year, once for each and for each arm, None
    before `clean`; `used` those with a weight, by design, empty before `match`.
    """

    source: str
    firm_years: int
    firms: int | None
    used: dict[str, int]


def study_sizes(root: Path, name: str, study: StudySection) -> Sizes:
    """Count what there is of a study; raise DataError where nothing is there to count."""
    source, firm_years = next(_counted(root, name, study), (None, 0))
    if source is None:
        raise DataError(f"nothing of {name} can be counted yet: {_missing(root, name, study)}")
    folder, arms = root / "data" / name, list(study.treatment.arm_folders.values())
    return Sizes(source, firm_years, _firms(folder, arms), _used(folder, arms))


def _counted(root: Path, name: str, study: StudySection) -> Iterator[tuple[str, int]]:
    """Yield what can be counted and its firm-years, the nearest to what stages work on first."""
    for stage in ("clean", "obtained"):
        panel = root / "data" / name / stage / "panel.parquet"
        if panel.is_file():
            yield panel.relative_to(root).as_posix(), _stored_rows(panel)
    source = study.data.source
    if isinstance(source, SimulationSource):
        settings = source.settings
        years = settings.last_year - settings.first_year + 1
        yield "data.source.settings", settings.firms * years
    elif isinstance(source, FileSource):
        files = delivered_files(root / "data" / "raw" / name, source.panel)
        n_years = 1 if source.wide is None else len(wide_years(source.wide))
        if files:
            rows = sum(_delivered_rows(file, study) for file in files)
            yield f"data/raw/{name}/{source.panel}", rows * n_years


def _missing(root: Path, name: str, study: StudySection) -> str:
    source = study.data.source
    if isinstance(source, FileSource):
        return f"data/raw/{name}/{source.panel} (data.source.panel) is not there"
    return f"its data set comes with a package; `dvc repro 'obtain@{name}'` reads it"


def _stored_rows(path: Path) -> int:
    return int(parquet.read_metadata(path).num_rows)


def _delivered_rows(path: Path, study: StudySection) -> int:
    """Count the rows of a delivered file: lines of text, what Parquet says; others are read."""
    if path.suffix.lower() == ".parquet":
        return _stored_rows(path)
    if path.suffix.lower() in _LINES:
        return max(_lines(path) - 1, 0)
    assert isinstance(study.data.source, FileSource)
    return len(read_table(path, study.data.source.format, study.data.max_rows))


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK_BYTES), b""))


def _firms(folder: Path, arms: list[str]) -> int | None:
    """Count firms by entry year and arm: in SCORES, else entry years times firms of PANEL."""
    if scores := _of_arms(folder / "score", arms, "scores.parquet"):
        return sum(int((_column(path, "model") == "unmatched").sum()) for path in scores)
    panel = folder / "clean" / "panel.parquet"
    if not panel.is_file():
        return None
    entry_years = _column(panel, "cohort").dropna().nunique()
    firms = int(len(_column(panel, "year")) / _column(panel, "year").nunique() * entry_years)
    return len(arms) * firms


def _used(folder: Path, arms: list[str]) -> dict[str, int]:
    weights = _of_arms(folder / "match", arms, "weights.parquet")
    if not weights:
        return {}
    used = pd.concat([_column(path, "design") for path in weights])
    return {str(d): int(n) for d, n in used.value_counts().items()}


def _of_arms(folder: Path, arms: list[str], name: str) -> list[Path]:
    """Return a stage's files of all arms; an arm without support has none."""
    return [path for arm in arms if (path := folder / arm / name).is_file()]


def _column(path: Path, name: str) -> pd.Series:
    column: pd.Series = pd.read_parquet(path, columns=[name])[name]
    return column
