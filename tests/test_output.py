"""Commands whose output a reader may cut off: no traceback."""

import os
import subprocess
import sys

import pytest
from import_closure import ROOT

COMMANDS = ["verify", "diff", "show michigan"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.slow
def test_a_reader_who_leaves_at_once_causes_no_traceback(command, unbuffered):
    with subprocess.Popen(
        [sys.executable, "-m", *f"stages.{command}".split()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    ) as running:
        running.stdout.close()
        error = running.stderr.read().decode()
        assert running.wait() == 141
    assert error == ""


def test_what_is_printed_arrives_and_the_exit_code_stays():
    code = (
        "import sys; from stages.output import printing\n"
        "with printing():\n    print('seen'); sys.exit(1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "seen\n", "")
