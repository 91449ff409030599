"""Several blocks of cases at the same time: how many threads, and how they are run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

from gridcheck.errors import InputError
from gridcheck.powerflow import _kernels

# Below this many node-cases a second thread costs more than it brings.
_NODE_CASES_PER_THREAD = 20_000


def run_together(workers: Sequence[Callable[[], None]]) -> None:
    """Run all workers at the same time, the first in this thread.

    They should have been made in this thread, with the memory that they need: another thread would get fresh pages
    from the system in every call.
    """
    _kernels.announce_compilation()
    if len(workers) <= 1:
        for run in workers:
            run()
        return
    others = [_pool().submit(run) for run in workers[1:]]
    try:
        workers[0]()
    finally:
        # None may still be writing when the caller's arrays go.
        wait(others)
    for other in others:
        other.result()


@cache
def _pool() -> ThreadPoolExecutor:
    """Return threads that stay: to start one costs as much as a small problem. They never wait for each other."""
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), thread_name_prefix="gridcheck")


if hasattr(os, "register_at_fork"):
    # A forked process inherits the pool, but not its threads.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def thread_count(threads: int | None, node_cases: int) -> int:
    """Return how many threads to use: as asked for, or by the size of the problem."""
    if threads is not None:
        if threads < 1:
            raise InputError(f"threads must be at least 1. Got {threads}.")
        return threads
    return max(1, min(os.cpu_count() or 1, node_cases // _NODE_CASES_PER_THREAD))
