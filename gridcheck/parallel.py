"""Worker processes for counties: started once, told to stop at once, heard while they work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Listener = Callable[[str, str, int, int], None]

# The channel of a worker process to its parent; set once when the process starts.
_channel: Any = None


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
        self._progress = progress
        self._queue = context.SimpleQueue()
        self._pool = context.Pool(max(1, min(wanted, n_task)), _start_worker, (self._queue,))
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.terminate()
        self._pool.join()
        self._queue.put(None)
        self._listener.join(timeout=5.0)

    def map(self, work: Callable[[Item], Result], items: Sequence[Item], *, weight: Callable[[Item], float]) -> list[Result]:
        """Apply `work` to all items, the heaviest first, and return the results in the order of the items."""
        order = sorted(range(len(items)), key=lambda i: (-weight(items[i]), i))
        results: list[Any] = [None] * len(items)
        shuffled: Iterable[Result] = self._pool.imap(work, [items[i] for i in order], chunksize=1)
        for place, result in zip(order, shuffled, strict=True):
            results[place] = result
        return results

    def _listen(self) -> None:
        while (message := self._queue.get()) is not None:
            if self._progress is not None:
                self._progress(*message)
