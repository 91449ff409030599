"""The load flow by phase against numbers worked out by hand, its states, and what it refuses."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from gridcheck.cases import PhaseLoadCases
from gridcheck.errors import InputError, NotConvergedError, TopologyError, UnsupportedElementError
from gridcheck.network import ConductorImpedances, with_conductors, with_neutral_earthing
from gridcheck.network.four_wire_tables import four_wire_from_tables
from gridcheck.powerflow import CONVERGED, NOT_CONVERGED, solve_unbalanced, solve_unbalanced_extremes
from tests.support.four_wire_nets import lv_feeder

VOLT = 400.0 / 3**0.5


def two_buses(**line):
    """A source of 0.4 kV, ideal in all sequences, and a line of 100 m with 0.4 ohm/km per conductor."""
    row = {
        "from_bus": 0, "to_bus": 1, "length_km": 0.1, "r_ohm_per_km": 0.4, "x_ohm_per_km": 0.0, "c_nf_per_km": 0.0,
        "r0_ohm_per_km": 1.6, "x0_ohm_per_km": 0.0, "c0_nf_per_km": 0.0, "max_i_ka": 0.1, **line,
    }  # fmt: skip
    return {
        "bus": pd.DataFrame({"vn_kv": [0.4, 0.4]}),
        "line": pd.DataFrame([row]),
        "ext_grid": pd.DataFrame(
            {"bus": [0], "vm_pu": [1.0], "s_sc_max_mva": [1e15], "rx_max": [0.1], "x0x_max": [1.0], "r0x0_max": [0.1]}
        ),
    }


def network_of(tables):
    return four_wire_from_tables(tables, name="two")


def loads_at_1(*watts, n_case=1):
    p_mw = np.zeros((n_case, 2, 3))
    p_mw[:, 1] = np.array(watts) / 1e6
    return PhaseLoadCases(p_mw=p_mw, q_mvar=np.zeros_like(p_mw))


def test_one_load_between_phase_and_neutral():
    # U = E - 2 R I with R = 0.04 ohm for the phase and as much for the neutral, and U I = P:
    # U = E/2 + sqrt(E^2/4 - 2 R P).
    p_w, r = 5000.0, 0.04
    u = VOLT / 2 + (VOLT**2 / 4 - 2 * r * p_w) ** 0.5
    i = p_w / u

    result = solve_unbalanced(network_of(two_buses()), loads_at_1(p_w, 0, 0), tolerance_pu=1e-14)

    # At the load the neutral stands R I above the star point, which the other phases see: U_b = E_b - R I.
    b, c = (VOLT * np.exp(-2j * np.pi / 3) - r * i, VOLT * np.exp(2j * np.pi / 3) - r * i)
    np.testing.assert_allclose(result.vm_pu[0, 1] * VOLT, [u, abs(b), abs(c)], rtol=1e-13)
    np.testing.assert_allclose(result.va_degree[0, 1], np.rad2deg(np.angle([u, b, c])), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(result.i_ka[0, 0] * 1000, [i, 0, 0], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(result.loading_percent[0, 0], [i, 0, 0], rtol=1e-12, atol=1e-12)  # 100 A is 100 %
    np.testing.assert_allclose(result.neutral_i_ka[0, 0] * 1000, i, rtol=1e-12)
    np.testing.assert_allclose(result.neutral_shift_v[0], [0, r * i], rtol=1e-12)
    np.testing.assert_allclose(result.loss_mw[0] * 1e6, 2 * r * i**2, rtol=1e-12)
    sequence = np.abs([(u + b * np.exp(2j * np.pi / 3) ** k + c * np.exp(-2j * np.pi / 3) ** k) / 3 for k in (1, -1)])
    np.testing.assert_allclose(result.unbalance_percent[0, 1], 100 * sequence[1] / sequence[0], rtol=1e-10)


def test_a_perfect_earth_at_the_load_stands_in_for_the_neutral():
    # With an earthing of nearly 0 ohm at the end and at the source, the neutral is bypassed by an earth of 0 ohm: its
    # own current, driven by the voltage between two points at earth potential, is zero where nothing couples.
    p_w, r = 5000.0, 0.04
    u = VOLT / 2 + (VOLT**2 / 4 - r * p_w) ** 0.5
    network = with_neutral_earthing(network_of(two_buses()), [0, 1], 1e-9)

    result = solve_unbalanced(network, loads_at_1(p_w, 0, 0), tolerance_pu=1e-13)

    np.testing.assert_allclose(result.vm_pu[0, 1, 0] * VOLT, u, rtol=1e-9)
    np.testing.assert_allclose(result.neutral_i_ka[0, 0], 0.0, atol=1e-8)
    np.testing.assert_allclose(result.neutral_shift_v[0], 0.0, atol=1e-6)
    np.testing.assert_allclose(result.loss_mw[0] * 1e6, r * (p_w / u) ** 2, rtol=1e-6)


def test_earth_and_neutral_share_the_current_like_two_resistances():
    # 2 ohm at the source and 3 ohm at the load in parallel with the neutral of 0.04 ohm.
    network = with_neutral_earthing(network_of(two_buses()), [0, 1], [2.0, 3.0])

    result = solve_unbalanced(network, loads_at_1(5000, 0, 0), tolerance_pu=1e-14)

    i = result.i_ka[0, 0, 0] * 1000
    in_earth = i * 0.04 / (0.04 + 5.0)
    np.testing.assert_allclose(result.neutral_i_ka[0, 0] * 1000, i - in_earth, rtol=1e-12)
    np.testing.assert_allclose(result.neutral_shift_v[0], [2.0 * in_earth, 3.0 * in_earth], rtol=1e-12)
    rest = (i - in_earth) ** 2 * 0.04 + in_earth**2 * 5.0
    np.testing.assert_allclose(result.loss_mw[0] * 1e6, i**2 * 0.04 + rest, rtol=1e-12)


def test_equal_loads_leave_the_neutral_empty():
    result = solve_unbalanced(network_of(two_buses()), loads_at_1(3000, 3000, 3000), tolerance_pu=1e-14)

    u = VOLT / 2 + (VOLT**2 / 4 - 0.04 * 3000) ** 0.5
    np.testing.assert_allclose(result.vm_pu[0, 1] * VOLT, u, rtol=1e-13)
    np.testing.assert_allclose(result.neutral_i_ka, 0.0, atol=1e-15)
    np.testing.assert_allclose(result.unbalance_percent, 0.0, atol=1e-11)


def test_conductor_data_with_the_same_loop_give_the_same_voltages():
    network = network_of(two_buses(r0_ohm_per_km=1.9, x_ohm_per_km=0.1, x0_ohm_per_km=0.7))
    # s - m = z1 and m - 2 pn + n = (z0 - z1) / 3
    m, pn = 0.05 + 0.4j, 0.05 + 0.3j
    own = ConductorImpedances(
        line_id=[0], phase_self=[m + 0.4 + 0.1j], phase_mutual=[m], phase_neutral=[pn],
        neutral_self=[0.5 + 0.2j - m + 2 * pn],
    )  # fmt: skip

    first = solve_unbalanced(network, loads_at_1(5000, 1000, 0), tolerance_pu=1e-13)
    second = solve_unbalanced(with_conductors(network, own), loads_at_1(5000, 1000, 0), tolerance_pu=1e-13)

    np.testing.assert_allclose(second.vm_pu, first.vm_pu, rtol=0, atol=1e-12)
    np.testing.assert_allclose(second.neutral_i_ka, first.neutral_i_ka, rtol=1e-10)
    assert abs(second.neutral_shift_v[0, 1] - first.neutral_shift_v[0, 1]) > 0.01


def test_an_overload_has_a_status_and_no_values_and_does_not_touch_its_neighbours():
    network = network_of(two_buses())
    alone = solve_unbalanced(network, loads_at_1(5000, 0, 0))
    loads = loads_at_1(5000, 0, 0, n_case=40)
    p_mw = loads.p_mw.copy()
    p_mw[3, 1, 1] = 0.3  # E^2 / (8 R) is 167 kW

    result = solve_unbalanced(network, PhaseLoadCases(p_mw=p_mw, q_mvar=loads.q_mvar))

    assert result.status[3] == NOT_CONVERGED
    assert (np.delete(result.status, 3) == CONVERGED).all()
    for field in ("vm_pu", "va_degree", "i_ka", "loading_percent", "neutral_i_ka", "neutral_shift_v",
                  "unbalance_percent", "loss_mw"):  # fmt: skip
        values = getattr(result, field)
        assert np.isnan(values[3]).all(), field
        for case in (0, 2, 4, 39):
            np.testing.assert_array_equal(values[case], getattr(alone, field)[0], err_msg=field)
    with pytest.raises(NotConvergedError, match="1 of 40"):
        result.raise_for_status()


def test_extremes_pass_over_cases_that_were_not_solved():
    loads = loads_at_1(5000, 0, 0, n_case=3)
    p_mw = loads.p_mw.copy()
    p_mw[0, 1, 0] = 0.3

    extremes = solve_unbalanced_extremes(network_of(two_buses()), PhaseLoadCases(p_mw=p_mw, q_mvar=loads.q_mvar))

    assert extremes.status.tolist() == [NOT_CONVERGED, CONVERGED, CONVERGED]
    assert extremes.vm_min_case[1, 0] == 1


def test_buses_without_source_are_not_supplied():
    feeder = lv_feeder(20)
    feeder.tables["line"].loc[10, "in_service"] = False

    result = solve_unbalanced(feeder.network, feeder.loads)

    dark = ~result.supplied
    assert dark.any()
    assert np.isnan(result.vm_pu[:, dark]).all()
    assert np.isfinite(result.vm_pu[:, ~dark]).all()
    assert np.isnan(result.i_ka[:, 10]).all()


def test_three_wire_buses_have_no_neutral():
    feeder = lv_feeder(10)

    result = solve_unbalanced(feeder.network, feeder.loads)

    np.testing.assert_array_equal(result.has_neutral, [False, False] + [True] * 8)
    assert np.isnan(result.neutral_shift_v[:, :2]).all()
    assert np.isnan(result.neutral_i_ka[:, 0]).all()
    assert np.isfinite(result.neutral_i_ka[:, 1:]).all()


def test_results_refuse_writing():
    result = solve_unbalanced(network_of(two_buses()), loads_at_1(1, 0, 0))
    for field in dataclasses.fields(result):
        assert not getattr(result, field.name).flags.writeable


def test_loops_are_refused():
    feeder = lv_feeder(10)
    ring = pd.DataFrame([{**feeder.tables["line"].iloc[4], "from_bus": 2, "to_bus": 9}])
    feeder.tables["line"] = pd.concat([feeder.tables["line"], ring], ignore_index=True)
    with pytest.raises(TopologyError, match="not radial"):
        solve_unbalanced(feeder.network, feeder.loads)


def test_transformers_fed_from_below_are_refused():
    feeder = lv_feeder(10)
    feeder.tables["ext_grid"]["bus"] = 5
    with pytest.raises(UnsupportedElementError, match=r"low-voltage side[\s\S]*trafo"):
        solve_unbalanced(feeder.network, feeder.loads)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tolerance_pu": 0.0}, "tolerance_pu"),
        ({"tolerance_pu": float("nan")}, "tolerance_pu"),
        ({"max_iterations": 0}, "max_iterations"),
        ({"threads": 0}, "threads"),
    ],
)
def test_impossible_settings_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        solve_unbalanced(network_of(two_buses()), loads_at_1(1, 0, 0), **arguments)


def test_loads_of_another_network_are_refused():
    with pytest.raises(InputError, match="10 buses, the network has 2"):
        solve_unbalanced(
            network_of(two_buses()), PhaseLoadCases(p_mw=np.zeros((1, 10, 3)), q_mvar=np.zeros((1, 10, 3)))
        )


@pytest.mark.parametrize("shape", [(1, 2), (1, 2, 2), (2, 3, 1, 3)])
def test_loads_of_a_wrong_shape_are_refused(shape):
    with pytest.raises(InputError, match="p_mw must have shape"):
        PhaseLoadCases(p_mw=np.zeros(shape), q_mvar=np.zeros(shape))


def test_loads_that_are_not_numbers_are_refused():
    p_mw = np.zeros((2, 3, 3))
    p_mw[1, 2, 0] = np.nan
    with pytest.raises(InputError, match=r"p_mw at \(case, column\) \(1, 2, 0\) is nan"):
        PhaseLoadCases(p_mw=p_mw, q_mvar=np.zeros_like(p_mw))
