"""docs/reading_order.md leads to every module of the rooms of effects, and to none that is gone."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reading_order.md").read_text(encoding="utf-8")


def test_every_module_of_effects_stands_on_the_map_once():
    _, effects = PAGE.split("## Effects")
    named = re.findall(r"`([a-z_]+)`", effects)
    rooms = ("effects", "estimators", "inference", "analyses")
    modules = [p for room in rooms for p in (ROOT / "pipeline" / room).rglob("*.py")]
    assert sorted(named) == sorted(p.stem for p in modules if p.stem != "__init__")


def test_every_path_on_the_map_exists():
    paths = re.findall(r"`(pipeline/[a-z_/.]+)`", PAGE)
    assert [path for path in paths if not (ROOT / path).exists()] == []
