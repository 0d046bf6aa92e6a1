"""Print for a reader who may leave before the end, as `| head` does."""

import os
import sys


def put(text: str) -> None:
    """Write to standard output at once; a reader who has left ends it quietly."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _stop_writing()
    except OSError:
        _stop_writing()
        raise


def _stop_writing() -> None:
    """Let Python, which flushes once more at exit, find something that is open."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
