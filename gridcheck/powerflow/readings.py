"""Read blocks of solved cases: voltages, currents at the ends of branches, losses, in the units of people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.network.records import BranchKind, Network
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.prepare import Prepared
from gridcheck.powerflow.radial import RadialModel
from gridcheck.powerflow.sweep import Block, SweepState
from gridcheck.powerflow.taps import B_FAR, B_NEAR, G_FAR, G_NEAR, RATIO, R
from gridcheck.units import SQRT3

ComplexArray = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scales:
    """Factors that turn currents of 1 pu at either end into kA or percent; NaN without a rating.

    Attributes
    ----------
    near, far : ndarray, shape (n_node,)
        At the parent's and at the node's end of the branch above each node.
    cut_from, cut_to : ndarray, shape (n_loop,)
        At the ends of the branches that are cut.
    """

    near: FloatArray
    far: FloatArray
    cut_from: FloatArray
    cut_to: FloatArray


def percent_scales(network: Network, prepared: Prepared) -> Scales:
    """100 % is the rating at either end."""
    b, cut = network.branches, prepared.loops.branch
    near, far = tree_percent_scales(prepared.model)
    return Scales(
        near=near,
        far=far,
        cut_from=_percent(_base_ka(network, b.from_bus[cut]), b.rating_from_ka[cut]),
        cut_to=_percent(_base_ka(network, b.to_bus[cut]), b.rating_to_ka[cut]),
    )


def tree_percent_scales(model: RadialModel) -> tuple[FloatArray, FloatArray]:
    """Return the scales of the branches of a tree at the near and at the far end."""
    return _percent(model.near_base_ka, model.near_rating_ka), _percent(model.far_base_ka, model.far_rating_ka)


def _percent(base_ka: FloatArray, rating_ka: FloatArray) -> FloatArray:
    scale: FloatArray = np.where(rating_ka > 0, 100.0 * base_ka / np.where(rating_ka > 0, rating_ka, 1.0), np.nan)
    return scale


def _base_ka(network: Network, bus: IntArray) -> FloatArray:
    base: FloatArray = network.sn_mva / (SQRT3 * network.buses.vn_kv[bus])
    return base


def ampere_scales(network: Network, prepared: Prepared) -> Scales:
    """Lines: the larger end counts. Transformers: the high-voltage (from) side, as planners quote it."""
    model, branches, cut = prepared.model, network.branches, prepared.loops.branch
    near, far = model.near_base_ka.copy(), model.far_base_ka.copy()
    node = np.flatnonzero(model.branch >= 0)
    node = node[branches.kind[model.branch[node]] == BranchKind.TRAFO]
    near_is_from = branches.from_bus[model.branch[node]] == model.bus[model.parent[node]]
    near[node[~near_is_from]] = 0.0
    far[node[near_is_from]] = 0.0
    is_line = branches.kind[cut] != BranchKind.TRAFO
    return Scales(
        near=near,
        far=far,
        cut_from=_base_ka(network, branches.from_bus[cut]),
        cut_to=np.where(is_line, _base_ka(network, branches.to_bus[cut]), 0.0),
    )


def write_currents(
    prepared: Prepared, scales: Scales, block: Block, rows: tuple[IntArray, IntArray], first: int, out: FloatArray
) -> None:
    """Write the larger scaled current of both ends of every branch.

    Parameters
    ----------
    prepared : Prepared
        What was solved.
    scales : Scales
        Into which unit.
    block : Block
        The solution.
    rows : tuple of ndarray of int, shapes (n_node,) and (n_loop,)
        Row of `out` for the branch above each node and for each cut branch, -1 for none.
    first : int
        Column of `out` for the first lane.
    out : ndarray, shape (n, n_case)
        Written.
    """
    of_node, of_cut = rows
    model = prepared.model
    _kernels.branch_currents(
        model.parent, model.ratio, model.near_g_pu, model.near_b_pu, model.far_g_pu, model.far_b_pu,
        scales.near, scales.far, block.state, of_node, first, out,
    )  # fmt: skip
    lanes = min(block.width, out.shape[1] - first)
    columns = slice(first, first + lanes)
    node = prepared.taps.node
    if len(node):
        near, far = _tap_end_currents(prepared, block)
        larger = np.fmax(np.abs(near) * scales.near[node][:, None], np.abs(far) * scales.far[node][:, None])
        wanted = of_node[node] >= 0
        out[of_node[node][wanted], columns] = larger[wanted, :lanes]
    if len(of_cut):
        near, far = cut_end_currents(prepared, block)
        larger = np.fmax(np.abs(near) * scales.cut_from[:, None], np.abs(far) * scales.cut_to[:, None])
        wanted = of_cut >= 0
        out[of_cut[wanted], columns] = larger[wanted, :lanes]


def _complex(values: FloatArray) -> ComplexArray:
    lanes = values.shape[-1] // 2
    result: ComplexArray = values[..., :lanes] + 1j * values[..., lanes:]
    return result


def _voltage(block: Block) -> ComplexArray:
    """Return the voltages of all nodes, shape (n_node, width). [pu]"""
    return _complex(block.state[0, :-1, : 2 * block.width])


def _current(block: Block) -> ComplexArray:
    """Return the currents towards all nodes, shape (n_node, width). [pu]"""
    return _complex(block.state[0, :-1, 2 * block.width :])


def _positions(prepared: Prepared, block: Block, *columns: int) -> list[FloatArray]:
    """Return columns of the tables of positions as they stand in each lane, shape (n_tap, BLOCK) each."""
    table, at = prepared.taps.table, np.arange(len(prepared.taps.node))[:, None]
    return [table[at, block.tap, column] for column in columns]


def _tap_end_currents(prepared: Prepared, block: Block) -> tuple[ComplexArray, ComplexArray]:
    """Return the currents at the near and far ends of branches with tap changers, shape (n_tap, BLOCK). [pu]"""
    node, parent = prepared.taps.node, prepared.model.parent[prepared.taps.node]
    v, j = _voltage(block), _current(block)[node]
    a, g_near, b_near, g_far, b_far = _positions(prepared, block, RATIO, G_NEAR, B_NEAR, G_FAR, B_FAR)
    return a * j + (g_near + 1j * b_near) * v[parent], j - (g_far + 1j * b_far) * v[node]


def cut_end_currents(prepared: Prepared, block: Block) -> tuple[ComplexArray, ComplexArray]:
    """Return the currents into the from end and out of the to end of cut branches, shape (n_loop, BLOCK). [pu]"""
    loops = prepared.loops
    voltage, current = _voltage(block), _complex(block.loop_i)
    # A case that was not solved has no currents either.
    current = np.where(np.isnan(voltage[loops.node[:, 0]]), np.nan, current)
    into = loops.c.conj()[:, None] * current + loops.y_from[:, None] * voltage[loops.node[:, 0]]
    return into, current - loops.y_to[:, None] * voltage[loops.node[:, 1]]


def write_losses(prepared: Prepared, block: Block, first: int, out: FloatArray) -> None:
    """Write what all branches and shunts lose in each case of a block to `out`, shape (n_case,). [pu]"""
    model, taps, loops = prepared.model, prepared.taps, prepared.loops
    series_r = np.where((model.parent < 0) | (taps.row >= 0), 0.0, model.r_pu)
    _kernels.losses(series_r, model.g_pu, block.state, first, out)
    lanes = min(block.width, len(out) - first)
    if len(taps.node):
        r, g_near, g_far = _positions(prepared, block, R, G_NEAR, G_FAR)
        v, j = np.abs(_voltage(block)), np.abs(_current(block)[taps.node])
        lost = r * j**2 + g_near * v[model.parent[taps.node]] ** 2 + g_far * v[taps.node] ** 2
        out[first : first + lanes] += lost.sum(axis=0)[:lanes]
    if len(loops.branch):
        lost = loops.z.real[:, None] * np.abs(_complex(block.loop_i)) ** 2
        out[first : first + lanes] += lost.sum(axis=0)[:lanes]


def node_voltages(state: SweepState) -> FloatArray:
    """Return voltage magnitudes, shape (n_node, n_case). [pu]"""
    n_node = state.state.shape[1] - 1
    vm = np.empty((n_node, state.n_case))
    _kernels.magnitudes(state.state, np.arange(n_node), 0, vm)
    return vm


def node_loading_percent(model: RadialModel, state: SweepState) -> FloatArray:
    """Return the loading of the branch above each node, shape (n_node, n_case); NaN without a rating. [%]"""
    out = np.empty((model.n_node, state.n_case))
    near, far = tree_percent_scales(model)
    _kernels.branch_currents(
        model.parent, model.ratio, model.near_g_pu, model.near_b_pu, model.far_g_pu, model.far_b_pu,
        near, far, state.state, np.arange(model.n_node), 0, out,
    )  # fmt: skip
    return out
