"""Work for worker processes: functions that a fresh process can import quickly."""

from __future__ import annotations

import os
import signal
import time

from gridcheck.parallel import tell


def square(number: int) -> int:
    """Return the square."""
    return number * number


def slow_square(number: int) -> int:
    """Take the longer the smaller the number is, so that results arrive in another order than they are asked for."""
    time.sleep(0.05 * (5 - number))
    return number * number


def fail_at_three(number: int) -> int:
    """Raise a fault of the input at 3."""
    if number == 3:
        from gridcheck.errors import SchemaError

        raise SchemaError("wishes.csv: 1 fault.", ["row 3: three is not allowed"])
    return number


def die(number: int) -> int:
    """End the process at once at 2, as the system does for lack of memory."""
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def chatter(number: int) -> int:
    """Tell much more than fits into a pipe."""
    for step in range(4_000):
        tell("140827", "a stage with quite a long name", step + 1, 4_000)
    return number


def sleep_long(number: int) -> int:
    """Work for a minute."""
    time.sleep(60.0)
    return number


def matrix_threads(_: int) -> str:
    """Return how many threads the libraries of linear algebra may take."""
    return os.environ["OPENBLAS_NUM_THREADS"]
