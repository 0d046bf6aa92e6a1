"""Obtain a study's raw tables, as delivered, from files, a package or the simulator."""

from pipeline.panel.obtained import write_obtained
from pipeline.panel.sources import obtain_tables
from pipeline.params.data import DataSection
from stages.run import Folders, run_stage

SECTIONS = {"data": DataSection}


def main(folders: Folders, data: DataSection) -> None:
    """Write the raw panel and, where there are, the register and the simulated truth."""
    write_obtained(obtain_tables(data, folders.raw), folders.of("obtained"))


if __name__ == "__main__":
    run_stage(main, SECTIONS)
