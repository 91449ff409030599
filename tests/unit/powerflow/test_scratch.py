"""Working memory: arrays apart, at cache lines, and used again without sharing."""

import sys
import threading

import numpy as np
import pytest

from gridcheck.powerflow import scratch
from gridcheck.powerflow.scratch import Scratch


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(scratch, "_KEPT", [])


def test_arrays_are_apart_and_begin_at_cache_lines():
    piece = Scratch(8 * 35 + 4 * 7, 3)
    arrays = piece.array((5, 7)), piece.array((7,), np.float32), piece.array((0, 4))

    assert all(a.ctypes.data % 64 == 0 for a in arrays[:2])
    assert not np.shares_memory(arrays[0], arrays[1])
    assert [a.shape for a in arrays] == [(5, 7), (7,), (0, 4)]
    assert all(a.flags.c_contiguous for a in arrays)


def test_more_than_was_ordered_is_no_array():
    piece = Scratch(8, 1)

    with pytest.raises(ValueError, match="reshape"):
        piece.array((1000,))


def test_memory_is_used_again_but_never_twice_at_once():
    first = Scratch(8 * 100, 1)
    of_first = first.array((100,))
    first.give_back()
    second, third = Scratch(8 * 50, 1), Scratch(8 * 50, 1)

    assert np.shares_memory(of_first, second.array((50,)))
    assert not np.shares_memory(of_first, third.array((50,)))


def test_a_piece_that_is_too_small_is_not_taken():
    small = Scratch(8, 1)
    small.give_back()

    assert Scratch(8 * 1000, 1).array((1000,)).size == 1000


def test_large_memory_goes_back_to_the_system():
    Scratch(40 * 2**20, 1).give_back()

    assert scratch._KEPT == []


def test_callers_in_several_threads_never_share_a_piece():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    shared, failed = [], []

    def call(mark):
        try:
            for _ in range(2000):
                piece = Scratch(80, 1)
                mine = piece.array((10,))
                mine[:] = mark
                if not (mine == mark).all():
                    shared.append(mark)
                piece.give_back()
        except BaseException as fault:
            failed.append(fault)

    callers = [threading.Thread(target=call, args=(mark,)) for mark in range(4)]
    try:
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    finally:
        sys.setswitchinterval(before)

    assert shared == []
    assert failed == []
