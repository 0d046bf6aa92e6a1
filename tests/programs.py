"""Programs that slow tests need beside Python: a test skipped for want of one hides a gap."""

import shutil

import pytest


def required(program: str, package: str) -> str:
    """Return a program's path; fail the test, and say what to install, where there is none."""
    path = shutil.which(program)
    if path is None:
        pytest.fail(f"{program} is not installed: {package}, as .ci/run does", pytrace=False)
    return path
