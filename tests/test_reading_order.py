"""docs/reading_order.md leads to every module of pipeline/effects, and to none that is gone."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reading_order.md").read_text(encoding="utf-8")


def test_every_module_of_effects_stands_on_the_map_once():
    _, effects = PAGE.split("## pipeline/effects")
    table, _ = effects.split("Formulas that need no panel")
    named = re.findall(r"`([a-z_]+)`", table)
    modules = (ROOT / "pipeline" / "effects").glob("*.py")
    assert sorted(named) == sorted(p.stem for p in modules if p.stem != "__init__")


def test_every_path_on_the_map_exists():
    paths = re.findall(r"`(pipeline/[a-z_/.]+)`", PAGE)
    assert [path for path in paths if not (ROOT / path).exists()] == []
