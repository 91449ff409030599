"""Load cases: shapes, finite numbers, and that they cannot be edited afterwards."""

import numpy as np
import pytest

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.errors import InputError

TABLE = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def test_written_loads_by_hand():
    loads = LoadCases(p_mw=TABLE, q_mvar=0.3 * TABLE)

    assert (loads.n_case, loads.n_bus) == (2, 3)
    assert loads.duration_h.tolist() == [1.0, 1.0]


def test_factored_loads_written_out_by_hand():
    # Two buses, two classes, three cases.
    loads = FactoredLoads(
        p_weight_mw=[[1.0, 0.0], [2.0, 0.5]],
        q_weight_mvar=[[0.1, 0.0], [0.0, 0.2]],
        profile=[[1.0, 2.0], [0.0, 4.0], [3.0, 0.0]],
        duration_h=[0.25, 0.5, 1.0],
    )

    assert (loads.n_case, loads.n_bus) == (3, 2)
    assert loads.cases().p_mw.tolist() == [[1.0, 3.0], [0.0, 2.0], [3.0, 6.0]]
    np.testing.assert_allclose(loads.cases().q_mvar, [[0.1, 0.4], [0.0, 0.8], [0.3, 0.0]])
    assert loads.cases(1, 3).p_mw.tolist() == [[0.0, 2.0], [3.0, 6.0]]
    assert loads.cases(1, 3).duration_h.tolist() == [0.5, 1.0]


def test_the_arrays_are_copies_and_read_only():
    table = TABLE.copy()
    loads = LoadCases(p_mw=table, q_mvar=table)
    table[0, 0] = 99.0

    assert loads.p_mw[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        loads.p_mw[0, 0] = 0.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("field", ["p_mw", "q_mvar"])
def test_loads_must_be_finite_and_the_place_is_named(field, value):
    tables = {"p_mw": TABLE.copy(), "q_mvar": TABLE.copy()}
    tables[field][1, 2] = value

    with pytest.raises(InputError, match=rf"{field} must be finite: 1 values are not.\n.*\(1, 2\)"):
        LoadCases(**tables)


@pytest.mark.parametrize("field", ["p_weight_mw", "q_weight_mvar", "profile"])
def test_weights_and_profiles_must_be_finite(field):
    parts = {"p_weight_mw": np.ones((3, 2)), "q_weight_mvar": np.ones((3, 2)), "profile": np.ones((4, 2))}
    parts[field][1, 1] = np.nan

    with pytest.raises(InputError, match=f"{field} must be finite"):
        FactoredLoads(**parts)


@pytest.mark.parametrize(
    "shapes", [((2, 3), (3, 2)), ((2, 3), (2,)), ((6,), (6,)), ((2, 3, 1), (2, 3, 1)), ((), ())], ids=str
)
def test_shapes_must_fit(shapes):
    with pytest.raises(InputError, match="must have shape"):
        LoadCases(p_mw=np.zeros(shapes[0]), q_mvar=np.zeros(shapes[1]))


def test_a_profile_needs_one_column_per_class():
    with pytest.raises(InputError, match="profile must have shape"):
        FactoredLoads(p_weight_mw=np.ones((3, 2)), q_weight_mvar=np.ones((3, 2)), profile=np.ones((4, 3)))


@pytest.mark.parametrize("hours", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, np.nan], [1.0, np.inf]], ids=str)
def test_durations_must_be_positive_one_per_case(hours):
    with pytest.raises(InputError, match="duration_h"):
        LoadCases(p_mw=TABLE, q_mvar=TABLE, duration_h=np.array(hours))
