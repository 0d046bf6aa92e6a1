"""Say how far long work has come; silent unless whoever runs it asks to be told.

A stage asks when a person watches a terminal. Nothing that is computed depends on it.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_SECONDS_BETWEEN = 1.0

_TELL: ContextVar[Callable[[str], None] | None] = ContextVar("tell", default=None)


@contextmanager
def telling(tell: Callable[[str], None]) -> Iterator[None]:
    """Send every message of the block to `tell`."""
    token = _TELL.set(tell)
    try:
        yield
    finally:
        _TELL.reset(token)


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield the items, telling once a second `what`, how many of `total`, and the seconds."""
    tell = _TELL.get()
    started = told = time.perf_counter()
    for done, item in enumerate(items):
        now = time.perf_counter()
        if tell is not None and now - told >= _SECONDS_BETWEEN:
            tell(f"{what}: {done:,} of {total:,}, {now - started:.0f} s")
            told = now
        yield item
