"""pyproject.toml against the imports: what is imported is declared, what is declared is used."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import get_args

import pytest

from pipeline.params.data import PackageSource

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PRODUCT = ("pipeline", "stages")

# It runs the stages of dvc.yaml; nothing imports it.
RUNNER = "dvc"
HEAVY = {"linearmodels", "rapidfuzz", "sklearn", "statsmodels"}


def names(requirements):
    return {re.match(r"[\w.-]+", requirement).group().lower() for requirement in requirements}


DECLARED = names(PROJECT["dependencies"])
# Imported where it is used, which says how to install it; python-stdnum by the name of a country.
OPTIONAL = names(PROJECT["optional-dependencies"]["ids"])
BY_NAME = {"python-stdnum"}
EXTRAS = names(r for extra in PROJECT["optional-dependencies"].values() for r in extra)


def modules(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def imported(nodes):
    """Return the first part of every name that these statements import."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def third_party(folders):
    """Return the distributions that the code of these folders imports."""
    own = {*PRODUCT, "benchmarks", *(path.stem for path in (ROOT / "tests").glob("*.py"))}
    found = set().union(
        *(imported(ast.walk(tree)) for folder in folders for _, tree in modules(folder))
    )
    installed = packages_distributions()
    packages = found - own - set(sys.stdlib_module_names)
    return {name: {d.lower() for d in installed.get(name, ())} for name in packages}


def test_what_the_product_imports_is_declared():
    undeclared = [
        name for name, dists in third_party(PRODUCT).items() if not dists & (DECLARED | OPTIONAL)
    ]
    assert undeclared == []


def test_what_tests_import_is_declared_or_in_an_extra():
    undeclared = [
        name for name, dists in third_party(["tests"]).items() if not dists & (DECLARED | EXTRAS)
    ]
    assert undeclared == []


def test_what_is_declared_is_imported_or_carries_data():
    carrying_data = set(get_args(PackageSource.model_fields["package"].annotation))
    used = set().union(*third_party(PRODUCT).values()) | carrying_data | {RUNNER}
    assert (DECLARED | OPTIONAL) - used - BY_NAME == set()
    assert "stdnum" not in used
    assert set() == DECLARED & EXTRAS


@pytest.mark.parametrize("folder", PRODUCT)
def test_heavy_packages_are_imported_where_they_are_used(folder):
    at_import = {path: imported(tree.body) & HEAVY for path, tree in modules(folder)}
    assert {path: found for path, found in at_import.items() if found} == {}
