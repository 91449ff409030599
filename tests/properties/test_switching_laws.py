"""Any switch state of any network: solved among many others it is the same as by itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridcheck.network.section_tree import switched_ends, switched_network
from gridcheck.network.sections import sections_of
from gridcheck.network.topology import spanning_tree
from gridcheck.powerflow import solve
from gridcheck.powerflow.topologies import SwitchStates, TopologyStatus, solve_topologies, switchable
from tests.support.random_feeders import random_grid
from tests.support.random_radial import law, radial_networks
from tests.support.switch_states import everything, with_ends


def assert_as_solved_alone(found, s, network, loads):
    tree = spanning_tree(network)
    assert found.n_supplied[s] == tree.supplied.sum()
    if len(tree.loop_branch):
        assert found.status[s] == TopologyStatus.LOOP
        return
    alone = solve(network, loads, tolerance_pu=1e-11)
    assert (found.status[s] == TopologyStatus.CONVERGED) == (not alone.status.any())
    if alone.status.any():
        return
    np.testing.assert_allclose(found.vm_by_case[s], np.nanmin(alone.vm_pu, axis=1), rtol=0, atol=1e-8)
    if np.isfinite(alone.loading_percent).any():
        loading = np.nanmax(alone.loading_percent, axis=1)
        np.testing.assert_allclose(found.loading_by_case[s], loading, rtol=1e-7, atol=1e-6)


@law
@given(st.integers(0, 2**32 - 1))
def test_switches_and_ties_in_any_position(seed):
    grid = random_grid(seed)
    network = grid.network()
    sections = sections_of(network)
    closed = np.random.default_rng(seed).random((8, sections.n_edge)) < 0.8
    states = SwitchStates(ends=switched_ends(network, sections, closed))

    found = solve_topologies(
        switchable(network), grid.loads, states, judged=everything(network, by_case=True), threads=2
    )

    for s in range(len(closed)):
        assert_as_solved_alone(found, s, switched_network(network, sections, closed[s]), grid.loads)


@law
@given(radial_networks(), st.integers(0, 2**32 - 1))
def test_ends_of_lines_and_transformers_in_any_position(example, seed):
    network, loads = example.network, example.loads
    ends = np.random.default_rng(seed).choice([3, 3, 3, 3, 3, 0, 1, 2], (6, network.n_branch)).astype(np.uint8)

    found = solve_topologies(
        switchable(network), loads, SwitchStates(ends=ends), judged=everything(network, by_case=True)
    )

    for s in range(len(ends)):
        assert_as_solved_alone(found, s, with_ends(network, ends[s]), loads)
