"""Write the code dependencies of every stage into dvc.yaml: `python docs/dvc_deps.py`.

DVC follows no import. The list is what `tests/test_dvc_yaml.py` asks for: the rooms that hold a
stage's import closure, and single files of params/ and datasets/. `record` depends on the code of
all stages of a study, and `exhibit` on the tables that name no firm, one by one.
"""

import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from import_closure import aggregate_files, code_dependencies  # noqa: E402

STAGE = re.compile(r"^  (?P<name>\w+):$", re.MULTILINE)
DEPS = re.compile(r"^(?P<indent> +)deps: \[(?P<listed>[^\]]*)\]\n", re.MULTILINE)


def with_code_deps(text: str) -> str:
    """Return dvc.yaml with the code of each stage listed, data dependencies as they were."""
    head, *blocks = re.split(r"(?m)^(?=  \w+:$)", text)
    names = [STAGE.match(block)["name"] for block in blocks]
    of_study = [name for name, block in zip(names, blocks, strict=True) if "    foreach:" in block]
    code = {name: of_study if name == "record" else [name] for name in names}
    return head + "".join(
        DEPS.sub(lambda found, name=name: _deps(found, code[name]), block, count=1)
        for name, block in zip(names, blocks, strict=True)
    )


def _deps(found: re.Match[str], stages: list[str]) -> str:
    given = re.sub(r"\s+", " ", found["listed"]).strip().rstrip(",").split(", ")
    data = [path for path in given if path.strip('"').split("/")[0] not in {"pipeline", "stages"}]
    if stages == ["exhibit"]:
        data = [f'"{path}"' for path in aggregate_files()]
    indent = found["indent"] + "  "
    listed = ", ".join([*data, *code_dependencies(*stages)]) + ","
    lines = textwrap.wrap(listed, 118 - len(indent), break_long_words=False, break_on_hyphens=False)
    inside = "".join(f"{indent}{line}\n" for line in lines)
    return f"{found['indent']}deps: [\n{inside}{found['indent']}]\n"


if __name__ == "__main__":
    path = ROOT / "dvc.yaml"
    path.write_text(with_code_deps(path.read_text(encoding="utf-8")), encoding="utf-8")
