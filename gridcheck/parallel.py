"""Worker processes for counties: started once, told to stop at once, heard while they work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.pool import IMapIterator
from types import TracebackType
from typing import Any, Self, TypeVar

from gridcheck.errors import SolveError
from gridcheck.interrupts import interrupts_held_back

Item = TypeVar("Item")
Result = TypeVar("Result")
Listener = Callable[[str, str, int, int], None]

# How long to wait for a result, and for a message, before looking whether everybody is still there. [s]
_LOOK_AFTER_S = 1.0
_LISTEN_AGAIN_S = 0.05

# The channel of a worker process to its parent; set once when the process starts.
_channel: Any = None


# Names under which libraries of linear algebra look for their number of threads.
_MATRIX_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS")


def one_thread_for_matrices() -> None:
    """Let this process and its children multiply matrices in one thread, unless the user has said otherwise.

    The matrices of a study are small. Several threads for them wait for each other longer than they calculate, fifty
    times as long where other processes want the processors too. Takes effect where numpy is not imported yet.
    """
    for name in _MATRIX_THREADS:
        os.environ.setdefault(name, "1")


def _start_worker(channel: Any) -> None:
    global _channel  # noqa: PLW0603 - a process has one channel for its whole life
    _channel = channel
    # Ctrl-C belongs to the parent, which ends the workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def tell(county_code: str, stage: str, done: int, total: int) -> None:
    """Tell the parent process how far a stage is; does nothing outside a worker."""
    if _channel is not None:
        _channel.put((county_code, stage, done, total))


class WorkerPool:
    """A few processes that share out items; use as a context manager.

    Parameters
    ----------
    workers : int or None
        Number of processes; one per processor where not given, never more than there are items.
    n_task : int
        Items at hand.
    progress : callable or None
        Called in the parent with what workers `tell`.
    """

    def __init__(self, workers: int | None, *, n_task: int, progress: Listener | None = None) -> None:
        wanted = workers if workers is not None else os.cpu_count() or 1
        context = multiprocessing.get_context("spawn")
        one_thread_for_matrices()
        self._progress = progress
        self._queue = context.SimpleQueue()
        others = set(multiprocessing.active_children())
        pool = None
        try:
            with interrupts_held_back():
                pool = context.Pool(max(1, min(wanted, n_task)), _start_worker, (self._queue,))
        except BaseException:
            if pool is not None:
                pool.terminate()
                pool.join()
            raise
        self._pool = pool
        self._processes = set(multiprocessing.active_children()) - others
        self._ended = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.terminate()
        self._pool.join()
        # Not through the queue: a worker that was ended in the middle of a message never frees it.
        self._ended.set()
        self._listener.join(timeout=_LOOK_AFTER_S)

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], *, weight: Callable[[Item], float]
    ) -> list[Result]:
        """Apply `work` to all items, the heaviest first, and return the results in the order of the items.

        Raises
        ------
        SolveError
            If a worker process is gone, for example ended by the system for lack of memory.
        """
        order = sorted(range(len(items)), key=lambda i: (-weight(items[i]), i))
        results: list[Any] = [None] * len(items)
        for place, result in zip(order, self.run(work, [items[i] for i in order]), strict=True):
            results[place] = result
        return results

    def _next(self, arriving: IMapIterator[Result]) -> Result:
        while True:
            try:
                return arriving.next(timeout=_LOOK_AFTER_S)
            except multiprocessing.TimeoutError:
                # A pool replaces a lost worker and waits for its result for ever.
                if not self._processes <= set(multiprocessing.active_children()):
                    raise SolveError(
                        "A worker process ended before its work was done, most likely for lack of memory. "
                        "Try again with --workers 1."
                    ) from None

    def run(self, work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Apply `work` to all items and yield the results in their order, as soon as those before are there too.

        Raises
        ------
        SolveError
            As `map`.
        """
        arriving = self._pool.imap(work, items, chunksize=1)
        for _ in items:
            yield self._next(arriving)

    def _listen(self) -> None:
        while True:
            last_look = self._ended.is_set()
            while not self._queue.empty():
                self._pass_on(self._queue.get())
            if last_look:
                return
            self._ended.wait(_LISTEN_AGAIN_S)

    def _pass_on(self, message: tuple[str, str, int, int]) -> None:
        if self._progress is None:
            return
        try:
            self._progress(*message)
        except Exception:
            # A screen that fails must not stop the work: workers wait for this channel to be emptied.
            self._progress = None
