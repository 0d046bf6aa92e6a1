"""One study under several processors and numbers of threads: the same published bytes."""

import os
import platform
import shutil
import subprocess
import sys

import pytest
from import_closure import ROOT
from workspace import contents, project, section

STAGES = ("obtain", "clean", "score", "match", "balance", "estimate", "exhibit")

# Runs the stages in turn in one process, and says first what the processor makes of a product.
RUN = """
import hashlib, runpy, sys
import numpy as np
draws = np.random.default_rng(0).normal(size=(200, 200))
product = np.linalg.inv(draws @ draws.T) @ np.exp(draws)
print(hashlib.sha256(product.tobytes()).hexdigest())
for stage in sys.argv[1].split(","):
    sys.argv = [stage, "michigan"]
    runpy.run_module(f"stages.{stage}", run_name="__main__")
"""


def faster_instructions():
    """Return what numpy would use on this machine beyond its baseline."""
    from numpy._core import _multiarray_umath as core

    return [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]


def settings():
    """Return environments by name: an old processor, a newer one with one thread and with two."""
    wide = [name for name in faster_instructions() if "AVX512" in name or name == "X86_V4"]
    old = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": faster_instructions()}
    newer = {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": wide}
    return {
        "old": old | {"OPENBLAS_NUM_THREADS": "1"},
        "newer": newer | {"OPENBLAS_NUM_THREADS": "1"},
        "two threads": newer | {"OPENBLAS_NUM_THREADS": "2"},
    }


def small_section():
    """Return the Michigan study with designs by a solver, by a score and by covariates."""
    block = section("michigan")
    block["outcomes"] = {name: block["outcomes"][name] for name in ("sales_log", "employment_log")}
    return block


def run(folder, environment):
    """Run the study under an environment; return its fingerprint and the published files."""
    project(folder, {"michigan": small_section()})
    for kind in ("raw", "rules"):
        shutil.copytree(
            ROOT / "data" / kind / "michigan",
            folder / "data" / kind / "michigan",
            dirs_exist_ok=True,
        )
    own = {
        name: value if isinstance(value, str) else " ".join(value)
        for name, value in environment.items()
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN, ",".join(STAGES)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"} | own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[0], contents(folder / "reports")


@pytest.mark.slow
@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"),
    reason="processor settings of OpenBLAS and numpy are those of x86",
)
def test_every_processor_and_number_of_threads_gives_the_same_reports(tmp_path):
    found = {name: run(tmp_path / name, own) for name, own in settings().items()}
    old, newer = found["old"], found["newer"]
    if old[0] == newer[0]:
        pytest.skip("the settings do not change what this machine computes")
    for name, (_, published) in found.items():
        assert published.keys() == newer[1].keys(), name
        differing = [path for path, content in published.items() if content != newer[1][path]]
        assert not differing, f"{name}: {differing}"
    assert any(path.endswith(".svg") for path in newer[1])
