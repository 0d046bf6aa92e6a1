"""Do independent pieces of work several at a time; results come in the order of the pieces.

One at a time, and joblib not imported, unless a stage was told otherwise. Pieces share the memory
of the process: they run in threads, and must change nothing that another piece reads.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_JOBS: ContextVar[int] = ContextVar("jobs", default=1)


@contextmanager
def working(jobs: int) -> Iterator[None]:
    """Let the block do up to `jobs` pieces at a time."""
    token = _JOBS.set(jobs)
    try:
        yield
    finally:
        _JOBS.reset(token)


def results_in_order(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield the result of each item in order, as `map` does, whatever is done first.

    A piece of work that is itself cut into pieces does these one at a time.
    """
    jobs = _JOBS.get()
    if jobs == 1:
        yield from map(work, items)
        return
    from joblib import Parallel, delayed

    threads = Parallel(n_jobs=jobs, backend="threading", return_as="generator", pre_dispatch=jobs)
    yield from threads(delayed(work)(item) for item in items)
