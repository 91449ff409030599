"""Ctrl-C at a moment that must not be cut in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_held_back(*, too_late: bool = False) -> Iterator[None]:
    """Hold Ctrl-C back until the end; processes that are started meanwhile never see it, not even while they start.

    A process inherits the mask of the thread that starts it. The mask alone is not enough here, because threads of
    numerical libraries take the signal as well; so it is only noted down until the end of the block.

    Parameters
    ----------
    too_late : bool
        Whether a Ctrl-C of this time is forgotten, because what it would stop is done when the block ends.

    Raises
    ------
    KeyboardInterrupt
        At the end of the block, where Ctrl-C was pressed meanwhile and it is not too late.
    """
    held: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    is_ours = threading.current_thread() is threading.main_thread() and callable(before)
    if is_ours:
        signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    has_mask = hasattr(signal, "pthread_sigmask")  # not on Windows
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if has_mask else set()
    try:
        yield
    finally:
        if has_mask:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if is_ours:
            signal.signal(signal.SIGINT, before)
    if held and not too_late:
        raise KeyboardInterrupt
