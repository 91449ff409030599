"""Worker processes: results in order, faults passed on, nobody waited for who is gone."""

import multiprocessing
import time

import pytest

from gridcheck.errors import SchemaError, SolveError
from gridcheck.parallel import WorkerPool, tell
from tests.support import work


def test_results_come_in_the_order_of_the_items():
    with WorkerPool(2, n_task=5) as pool:
        results = pool.map(work.slow_square, [1, 2, 3, 4], weight=float)
        again = pool.map(work.square, [3, 1], weight=float)

    assert results == [1, 4, 9, 16]
    assert again == [9, 1]


def test_results_that_come_one_by_one_keep_the_order_too():
    with WorkerPool(2, n_task=3) as pool:
        assert list(pool.run(work.slow_square, [3, 1, 2])) == [9, 1, 4]


def test_workers_multiply_matrices_in_one_thread():
    with WorkerPool(2, n_task=1) as pool:
        assert pool.map(work.matrix_threads, [1], weight=float) == ["1"]


def test_no_process_is_left_over():
    before = set(multiprocessing.active_children())

    with WorkerPool(2, n_task=2) as pool:
        pool.map(work.square, [1, 2], weight=float)

    assert set(multiprocessing.active_children()) <= before


def test_no_more_processes_than_items():
    before = set(multiprocessing.active_children())

    with WorkerPool(4, n_task=1) as pool:
        started = set(multiprocessing.active_children()) - before
        pool.map(work.square, [1], weight=float)

    assert len(started) == 1


def test_a_fault_of_the_input_comes_back_whole():
    with WorkerPool(1, n_task=4) as pool, pytest.raises(SchemaError) as caught:
        pool.map(work.fail_at_three, [1, 2, 3, 4], weight=float)

    assert caught.value.message == "wishes.csv: 1 fault."
    assert caught.value.findings == ("row 3: three is not allowed",)


@pytest.mark.skipif(not hasattr(__import__("signal"), "SIGKILL"), reason="this system cannot end a process like that")
def test_a_worker_that_is_gone_ends_results_one_by_one():
    with WorkerPool(1, n_task=2) as pool, pytest.raises(SolveError, match=r"memory.*--workers 1"):
        list(pool.run(work.die, [1, 2]))


@pytest.mark.skipif(not hasattr(__import__("signal"), "SIGKILL"), reason="this system cannot end a process like that")
def test_a_worker_that_is_gone_is_not_waited_for():
    started = time.monotonic()

    with WorkerPool(1, n_task=3) as pool, pytest.raises(SolveError, match=r"memory.*--workers 1"):
        pool.map(work.die, [1, 2, 3], weight=float)

    assert time.monotonic() - started < 30.0


def test_leaving_ends_work_that_is_under_way():
    started = time.monotonic()

    with WorkerPool(1, n_task=1) as pool:
        pool._pool.apply_async(work.sleep_long, (1,))

    assert time.monotonic() - started < 30.0


def test_what_workers_tell_is_heard():
    told: list[tuple[str, str, int, int]] = []

    with WorkerPool(1, n_task=1, progress=lambda *message: told.append(message)) as pool:
        assert pool.map(work.chatter, [7], weight=float) == [7]

    assert len(told) == 4_000
    assert told[-1] == ("140827", "a stage with quite a long name", 4_000, 4_000)


def test_a_listener_that_fails_does_not_stop_the_work():
    def broken_screen(*message: object) -> None:
        raise BrokenPipeError(f"nobody reads {message}")

    with WorkerPool(1, n_task=1, progress=broken_screen) as pool:
        assert pool.map(work.chatter, [7], weight=float) == [7]


def test_telling_outside_of_a_worker_does_nothing():
    tell("140827", "queue", 1, 2)
