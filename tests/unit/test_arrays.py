import numpy as np
import pytest

from gridcheck.arrays import frozen
from gridcheck.errors import InputError


def test_a_writable_array_is_copied_and_a_read_only_one_is_not():
    writable = np.arange(3.0)
    first = frozen(writable, np.float64)
    writable[0] = 9.0

    assert first.tolist() == [0.0, 1.0, 2.0]
    assert not first.flags.writeable
    assert frozen(first, np.float64) is first


def test_a_read_only_view_is_copied_because_its_base_may_change():
    base = np.arange(3.0)
    view = base[:]
    view.flags.writeable = False

    result = frozen(view, np.float64)
    base[0] = 9.0

    assert result[0] == 0.0


def test_other_types_and_orders_become_what_is_asked_for():
    result = frozen(np.asfortranarray([[1, 2], [3, 4]]), np.float64)

    assert result.dtype == np.float64
    assert result.flags.c_contiguous


@pytest.mark.parametrize(("shape", "fits"), [((2, 3), True), ((None, 3), True), ((3, 2), False), ((6,), False)])
def test_the_shape_is_checked_by_name(shape, fits):
    if fits:
        frozen(np.zeros((2, 3)), np.float64, shape, name="p_mw")
    else:
        with pytest.raises(InputError, match=r"p_mw must have shape .* Got \(2, 3\)"):
            frozen(np.zeros((2, 3)), np.float64, shape, name="p_mw")
