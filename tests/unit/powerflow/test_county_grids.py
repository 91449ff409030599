"""The county grids that come with the package, in their own load of a winter evening: equal to Newton-Raphson."""

from pathlib import Path

import numpy as np
import pandapower as pp
import pytest

from gridcheck.network import from_pandapower, loads_from_pandapower, read_county, to_pandapower
from gridcheck.powerflow import solve, solve_extremes
from tests.support.newton import assert_equals_solved

FOLDERS = sorted((Path(__file__).parents[3] / "networks").glob("14*"))
SMALL = "140827-yuanqu"


def test_there_is_one_folder_per_county_of_the_plan():
    assert len(FOLDERS) == 12


@pytest.mark.parametrize(
    "folder",
    [folder if folder.name == SMALL else pytest.param(folder, marks=pytest.mark.slow) for folder in FOLDERS],
    ids=lambda folder: folder.name,
)
def test_solve_equals_newton(folder):
    grid = read_county(folder)
    net = pp.from_json(str(folder / "network.json"))
    network = grid.network
    loads = loads_from_pandapower(net, network)

    result = solve(network, loads, tolerance_pu=1e-10)

    result.raise_for_status()
    assert result.supplied.all()
    pp.runpp(net, tolerance_mva=1e-9, calculate_voltage_angles=True, numba=False, max_iteration=40)
    assert_equals_solved(network, result, net)
    extremes = solve_extremes(network, loads, tolerance_pu=1e-10)
    np.testing.assert_array_equal(extremes.vm_min_pu, result.vm_pu[0])


def test_both_ways_of_reading_give_the_same_network():
    folder = next(folder for folder in FOLDERS if folder.name == SMALL)
    read = read_county(folder).network

    loaded = from_pandapower(pp.from_json(str(folder / "network.json")))

    for field in ("r_pu", "x_pu", "tap_ratio", "rating_from_ka", "from_closed", "to_closed"):
        np.testing.assert_array_equal(getattr(read.branches, field), getattr(loaded.branches, field), err_msg=field)
    np.testing.assert_array_equal(read.buses.b_pu, loaded.buses.b_pu)


def test_a_county_survives_the_way_to_pandapower_and_back():
    folder = next(folder for folder in FOLDERS if folder.name == SMALL)
    network = read_county(folder).network
    loads = loads_from_pandapower(pp.from_json(str(folder / "network.json")), network)

    again = from_pandapower(to_pandapower(network))

    first, second = solve(network, loads), solve(again, loads)
    np.testing.assert_allclose(second.vm_pu, first.vm_pu, rtol=0, atol=1e-10)
    np.testing.assert_allclose(second.loading_percent, first.loading_percent, rtol=1e-8, atol=1e-9)
