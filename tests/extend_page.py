"""The examples of docs/extend.md, which tests run."""

import re
from pathlib import Path

PAGE = (Path(__file__).parent.parent / "docs" / "extend.md").read_text(encoding="utf-8")


def documented_blocks(heading: str, language: str) -> list[str]:
    """Return the blocks of code in one section of the page, in order."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
