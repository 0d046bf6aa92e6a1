"""Show a fault of ours without its message, which may quote a firm's identifier or value."""

import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from pipeline.datasets.complete import write_file

# Private like everything under data/.
FAULT = Path("data/fault.txt")


def hide_messages() -> None:
    """Let an uncaught exception show where it arose, and keep what it says in a private file."""
    sys.excepthook = _show


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, Exception):
        sys.__excepthook__(kind, error, trace)
        return
    traceback.print_tb(trace)
    print(f"{kind.__name__}, a fault of this code, not of yours: please report it", file=sys.stderr)
    with suppress(OSError):
        whole = "".join(traceback.format_exception(kind, error, trace))
        write_file(FAULT, whole.encode("utf-8"))
        print(f"What it says may quote data: {FAULT.as_posix()} (private)", file=sys.stderr)
