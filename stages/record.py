"""Record: what a study's published files were made from, and the hash of each."""

from pathlib import Path
from typing import Any

from pipeline.datasets.complete import write_file
from pipeline.params.study import SECTIONS
from pipeline.publishing.provenance import NAME, provenance, published_hashes, study_inputs
from stages.run import Folders, run_stage

# Where the code that runs was imported from.
CODE = Path(__file__).parent.parent


def main(folders: Folders, **sections: Any) -> None:
    """Hash raw data, parameters, code and published files; write reports/<study>/provenance.json.

    It runs after any change of any stage's code, and changes no exhibit.
    """
    inputs = study_inputs(Path(), folders.study, sections, CODE)
    hashes = published_hashes(Path(), folders.study)
    write_file(folders.reports / NAME, provenance(inputs, hashes))


if __name__ == "__main__":
    run_stage(main, SECTIONS)
