"""One line with a load at its end has a closed form."""

import numpy as np
import pandas as pd
import pytest

from gridcheck.cases import LoadCases
from gridcheck.network import network_from_tables
from gridcheck.powerflow import CONVERGED, NOT_CONVERGED, solve

SN_MVA, VN_KV, V1 = 1.0, 10.0, 1.02
Z_BASE_OHM = VN_KV**2 / SN_MVA


def network(r_ohm, x_ohm):
    line = {
        "from_bus": 0, "to_bus": 1, "length_km": 1.0, "r_ohm_per_km": r_ohm, "x_ohm_per_km": x_ohm, "c_nf_per_km": 0.0,
        "max_i_ka": 0.4,
    }  # fmt: skip
    return network_from_tables(
        {
            "bus": pd.DataFrame({"vn_kv": [VN_KV, VN_KV]}),
            "line": pd.DataFrame([line]),
            "ext_grid": pd.DataFrame({"bus": [0], "vm_pu": [V1], "va_degree": [0.0]}),
        },
        name="two buses",
    )


def closed_form(r, x, p, q):
    """Voltage and angle at the end of a line: V^4 + (2(RP + XQ) - V1^2) V^2 + (R^2 + X^2)(P^2 + Q^2) = 0, all in pu."""
    b = 2 * (r * p + x * q) - V1**2
    v2 = np.sqrt((-b + np.sqrt(b**2 - 4 * (r**2 + x**2) * (p**2 + q**2))) / 2)
    return v2, np.rad2deg(np.arcsin(-(x * p - r * q) / (V1 * v2)))


IMPEDANCES = [(2.0, 1.0), (0.5, 3.0), (0.0, 2.0), (2.0, 0.0)]
POWERS = [(0.0, 0.0), (1.0, 0.3), (3.0, 0.0), (0.0, 2.0), (-2.0, 0.1), (4.0, -1.0)]


@pytest.mark.parametrize(("r_ohm", "x_ohm"), IMPEDANCES)
def test_voltage_current_loading_and_losses(r_ohm, x_ohm):
    p, q = np.array(POWERS).T
    loads = LoadCases(p_mw=np.column_stack([0 * p, p]), q_mvar=np.column_stack([0 * q, q]))

    result = solve(network(r_ohm, x_ohm), loads, tolerance_pu=1e-13)

    r, x = r_ohm / Z_BASE_OHM, x_ohm / Z_BASE_OHM
    v2, angle = closed_form(r, x, p, q)
    current = np.hypot(p, q) / v2
    i_ka = current * SN_MVA / (np.sqrt(3) * VN_KV)
    result.raise_for_status()
    np.testing.assert_array_equal(result.vm_pu[:, 0], V1)
    np.testing.assert_allclose(result.vm_pu[:, 1], v2, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.va_degree[:, 1], angle, rtol=0, atol=1e-10)
    np.testing.assert_allclose(result.i_ka[:, 0], i_ka, rtol=1e-11)
    np.testing.assert_allclose(result.loading_percent[:, 0], 100 * i_ka / 0.4, rtol=1e-11)
    np.testing.assert_allclose(result.loss_mw, r * current**2 * SN_MVA, rtol=1e-10, atol=1e-15)


def test_by_hand():
    # 2 + j1 ohm, 1 MW + 0.5 Mvar at 10 kV from 1.02 pu: the drop is about (2*1 + 1*0.5)/100/1.02 = 0.0245 pu.
    result = solve(network(2.0, 1.0), LoadCases(p_mw=[[0.0, 1.0]], q_mvar=[[0.0, 0.5]]))

    assert result.vm_pu[0, 1] == pytest.approx(1.02 - 0.0245, abs=7e-4)


def most_power(r, x, cos_phi):
    """Largest load with a solution, in pu: the discriminant of the closed form vanishes."""
    sin_phi = np.sqrt(1 - cos_phi**2)
    z = np.hypot(r, x)
    return V1**2 / (2 * (z + r * cos_phi + x * sin_phi))


@pytest.mark.parametrize(("r_ohm", "x_ohm"), [(2.0, 1.0), (0.5, 3.0)])
def test_up_to_the_last_load_that_has_a_solution(r_ohm, x_ohm):
    r, x = r_ohm / Z_BASE_OHM, x_ohm / Z_BASE_OHM
    most = most_power(r, x, 0.95)
    share = np.array([0.5, 0.9, 0.98, 1.001, 1.1, 3.0])
    p, q = share * most * 0.95, share * most * np.sqrt(1 - 0.95**2)
    loads = LoadCases(p_mw=np.column_stack([0 * p, p]), q_mvar=np.column_stack([0 * q, q]))

    result = solve(network(r_ohm, x_ohm), loads, max_iterations=1000)

    assert result.status.tolist() == [CONVERGED] * 3 + [NOT_CONVERGED] * 3
    v2, _ = closed_form(r, x, p[:3], q[:3])
    np.testing.assert_allclose(result.vm_pu[:3, 1], v2, rtol=0, atol=1e-8)
    assert np.isnan(result.vm_pu[3:]).all()


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8, 1e-10])
def test_the_tolerance_bounds_the_error(tolerance):
    r, x = 0.02, 0.01
    share = np.linspace(0.05, 0.95, 64)
    p, q = share * most_power(r, x, 0.95) * 0.95, share * most_power(r, x, 0.95) * np.sqrt(1 - 0.95**2)
    loads = LoadCases(p_mw=np.column_stack([0 * p, p]), q_mvar=np.column_stack([0 * q, q]))

    result = solve(network(2.0, 1.0), loads, tolerance_pu=tolerance, max_iterations=500)

    result.raise_for_status()
    error = np.abs(result.vm_pu[:, 1] - closed_form(r, x, p, q)[0])
    assert error.max() < tolerance
