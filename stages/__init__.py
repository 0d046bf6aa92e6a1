"""Stages: one command each; what happens, in the order of the method section.

The first thing a stage does is to see that it runs under the interpreter in which the project
was installed, since DVC starts whichever `python` the shell finds first.
"""

import os
import sys
from importlib.util import find_spec

# One thread for linear algebra: with several, the last digits depend on how work was shared out,
# and threads of two stages contend for the same cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_NEEDED = ("numpy", "pandas", "pyarrow", "openpyxl", "pydantic", "ruamel")
_absent = [name for name in _NEEDED if find_spec(name) is None]

if sys.version_info < (3, 11) or _absent:
    _version = ".".join(map(str, sys.version_info[:3]))
    print(
        f"The interpreter that ran this stage ({sys.executable}, Python {_version}) is not the one "
        "in which cluster-impact is installed.\nActivate that environment first, for instance "
        "`. .venv/bin/activate` (Windows: `.venv\\Scripts\\activate`), then run the command again.",
        file=sys.stderr,
    )
    raise SystemExit(2)
