"""Copy generated tables into README.md, so that none is typed: `python docs/readme.py`."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"<!-- (?P<file>\S+\.md) -->\n.*?<!-- end -->", re.DOTALL)


def with_generated_blocks(text: str) -> str:
    """Return the README with the content of each named file between its markers."""
    return BLOCK.sub(_block, text)


def _block(match: re.Match[str]) -> str:
    name = match["file"]
    if not (ROOT / name).is_file():  # somebody took the study out
        return match[0]
    content = (ROOT / name).read_text(encoding="utf-8").strip()
    return f"<!-- {name} -->\n{content}\n<!-- end -->"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(with_generated_blocks(readme.read_text(encoding="utf-8")), encoding="utf-8")
