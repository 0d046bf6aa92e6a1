"""Say how far long work has come and how many seconds are left; silent unless asked to tell.

A stage asks when a person watches a terminal. Nothing that is computed depends on it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

_SECONDS_BETWEEN = 1.0

# Earlier than that a rate says little.
_SECONDS_BEFORE_ESTIMATE = 1.0


@dataclass(eq=False)
class _Loop:
    """Hold one loop: how much of it is done, by the sizes of its items, and what it is at."""

    what: str
    total: int
    sizes: Sequence[float]
    started: float
    item: str = ""
    number: int = 0
    since: float = 0.0

    def move(self, number: int, item: str) -> None:
        """Come to the next item."""
        self.number, self.item, self.since = number, item, time.perf_counter()

    def share(self, inside: float) -> float:
        """Return the share done, where `inside` is the share done of the item that it is at."""
        at = max(self.number - 1, 0)
        own = self.sizes[at] if at < len(self.sizes) else 0.0
        return (sum(self.sizes[:at]) + own * inside) / (sum(self.sizes) or 1.0)

    def __str__(self) -> str:
        where = f" ({self.item})" if self.item else ""
        count = f" {self.number:,} of {self.total:,}" if self.total > 1 else ""
        return f"{self.what}{count}{where}"


class Progress:
    """Hold the loops that are under way, the outermost first, since the work began."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.loops: list[_Loop] = []

    def told(self) -> str:
        """Return the seconds so far, the loops, and the seconds left of the outermost."""
        now, loops = time.perf_counter(), [*self.loops]
        parts = [f"{now - self.started:.0f} s", *map(str, loops)]
        left = _seconds_left(loops, now)
        if left is not None:
            parts.insert(1, f"about {left:,.0f} s left")
        return ", ".join(parts)


def _seconds_left(loops: list[_Loop], now: float) -> float | None:
    """Return what the outermost loop still needs at its pace so far, None where that is unknown.

    The pace is that of what is done. An item that takes longer than its size lets expect leaves
    what comes after it.
    """
    share = 0.0
    for loop in reversed(loops):
        share = loop.share(share)
    if not share or now - loops[0].started < _SECONDS_BEFORE_ESTIMATE:
        return None
    started, last = loops[0].started, max(loop.since for loop in loops)
    after = loops[0].share(1.0)
    expected = (last - started) / share - (now - started)
    return max(expected, (now - started) * (1 - after) / after, 1.0)


_WORK: ContextVar[Progress | None] = ContextVar("work", default=None)


@contextmanager
def watching() -> Iterator[Progress]:
    """Yield the work of the block, which tells at any time how far it has come."""
    work = Progress()
    token = _WORK.set(work)
    try:
        yield work
    finally:
        _WORK.reset(token)


@contextmanager
def telling(tell: Callable[[str], None]) -> Iterator[None]:
    """Send once a second to `tell` how far the work of the block has come."""
    stop = Event()
    with watching() as work:

        def tick() -> None:
            while not stop.wait(_SECONDS_BETWEEN):
                tell(work.told())

        ticking = Thread(target=tick, daemon=True)
        ticking.start()
        try:
            yield
        finally:
            stop.set()
            ticking.join()


def track(
    items: Iterable[T],
    what: str,
    total: int,
    *,
    name: Callable[[T], str] = lambda item: "",
    sizes: Sequence[float] | None = None,
) -> Iterator[T]:
    """Yield the items; who watches is told `what`, the number of each, its name, the seconds left.

    `sizes` are what the items cost in proportion to each other, where that is known.
    """
    work = _WORK.get()
    if work is None:
        yield from items
        return
    loop = _Loop(what, total, sizes or [1.0] * total, time.perf_counter())
    work.loops.append(loop)
    try:
        for number, item in enumerate(items, 1):
            loop.move(number, name(item))
            yield item
    finally:
        work.loops.remove(loop)


@contextmanager
def at(what: str) -> Iterator[None]:
    """Tell who watches that the block, which has no parts to count, is under way."""
    for _ in track([what], what, 1):
        yield
