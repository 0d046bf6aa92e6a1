"""Write the code dependencies of every stage into dvc.yaml: `python docs/dvc_deps.py`.

DVC follows no import. The list is the import closure that `tests/test_dvc_yaml.py` asks for.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from import_closure import import_closure  # noqa: E402

STAGE = re.compile(r"^  (?P<name>\w+):$")
CODE = re.compile(r"^ +- (pipeline|stages)/")
DEPS = re.compile(r"^(?P<indent> +)deps:$")


def with_code_deps(text: str) -> str:
    """Return dvc.yaml with the code of each stage listed, data dependencies as they were."""
    lines: list[str] = []
    stage, data, indent = "", [], None
    for line in text.splitlines():
        if indent is not None and line.startswith(f"{indent}- "):
            data += [] if CODE.match(line) else [line.strip()[2:]]
            continue
        if indent is not None:
            listed = [*data, *import_closure(f"stages.{stage}")]
            lines += [f"{indent}- {path}" for path in listed]
            indent, data = None, []
        if found := STAGE.match(line):
            stage = found["name"]
        lines.append(line)
        if found := DEPS.match(line):
            indent = found["indent"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    path = ROOT / "dvc.yaml"
    path.write_text(with_code_deps(path.read_text(encoding="utf-8")), encoding="utf-8")
