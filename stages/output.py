"""Print for a reader who may leave before the end, as `| head` does."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# What a shell reports of a program that a closed pipe ended: 128 + SIGPIPE.
_CLOSED = 141


@contextmanager
def printing() -> Iterator[None]:
    """End quietly where standard output is closed; everything printed is flushed before."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at exit: there it must find something that is open.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(_CLOSED) from None
