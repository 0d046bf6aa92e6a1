"""Say what the published files of a study were made from, and list the hash of each.

`reports/<study>/provenance.json` holds a hash over raw data, the study's parameters and the code
that its stages run, the versions of the packages that compute, and the hash of every published
file. It stands in no exhibit, so that a table's file changes only when the table does; and it
names no revision, since a commit cannot contain its own hash.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.params.settings import Settings, load_yaml
from pipeline.publishing.tree import Tree

NAME = "provenance.json"

# The packages whose versions may move a figure.
_PACKAGES = (
    "linearmodels",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "statsmodels",
)

# What draws figures: matplotlib, what it arranges panels, packs fonts and writes pictures with.
DRAWING_PACKAGES = ("matplotlib", "fonttools", "kiwisolver", "pillow")

_RAW = ("data/raw", "data/rules")
_CODE = ("pipeline", "stages")


@dataclass(frozen=True)
class Inputs:
    """Hold one hash for raw data and rules files, one for parameters, one for code."""

    raw_data: str
    parameters: str
    code: str

    @property
    def hash(self) -> str:
        """Return the hash over all three."""
        return _sha256([self.raw_data, self.parameters, self.code])


def study_inputs(
    root: Path, study: str, sections: Mapping[str, Settings], code_root: Path
) -> Inputs:
    """Hash what a study is made from, as it lies in the project now; parameters with defaults.

    `code_root` holds pipeline/ and stages/: a stage may run on a folder without code of its own.
    """
    tree, code = Tree(root), Tree(code_root)
    return Inputs(
        raw_data=_sha256({kind: tree.hash(f"{kind}/{study}") for kind in _RAW}),
        parameters=_sha256({name: s.model_dump(mode="json") for name, s in sections.items()}),
        code=_sha256({path: code.hash(path) for path in code_run(root)}),
    )


def code_run(root: Path) -> list[str]:
    """Return the code that all stages of a study run: what dvc.yaml declares for `record`."""
    deps: list[str] = load_yaml(root / "dvc.yaml")["stages"]["record"]["do"]["deps"]
    return sorted(dep for dep in deps if dep.split("/")[0] in _CODE)


def provenance(inputs: Inputs, hashes: dict[str, str]) -> bytes:
    """Return the file: what was put in, the packages, and the hash of each published file."""
    content = {
        "inputs": inputs.hash,
        "raw_data": inputs.raw_data,
        "parameters": inputs.parameters,
        "code": inputs.code,
        "packages": {name: version(name) for name in sorted({*_PACKAGES, *DRAWING_PACKAGES})},
        "files": hashes,
    }
    return (json.dumps(content, indent=2) + "\n").encode("utf-8")


def published_hashes(root: Path, study: str) -> dict[str, str]:
    """Return the SHA-256 of every file of reports/<study>/ by its path there, sorted.

    The file that lists them is left out.
    """
    files = Tree(root).contents(f"reports/{study}").items()
    return {name: hashlib.sha256(content).hexdigest() for name, content in files if name != NAME}


def _sha256(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
