"""What N-1 asks of a network as normally switched: no loop, ties that can be closed, something that can be lost."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.errors import InputError, NetworkError, TopologyError
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.section_tree import SectionTree, Ties, find_ties, section_tree, some_ties
from gridcheck.network.sections import Sections, has_switches, sections_by_line, sections_of
from gridcheck.network.topology import Tree, spanning_tree

OUT_OF_PHASE_DEGREE = 15.0
"""Vector groups differ by steps of 30 degrees; more than half a step is another group, less may be load flow."""

# A stretch between so many sections with supply could serve as a tie.
_FEWEST_ENDS = 2
# Elements that are written out in one finding, and findings in one message.
_NAMED, _MOST = 8, 20


def require_radial(network: Network, tree: Tree) -> None:
    """Refuse loops and sources that are joined; buses without supply are allowed.

    Parameters
    ----------
    network : Network
        The network.
    tree : Tree
        Its spanning tree as normally switched.

    Raises
    ------
    TopologyError
        Naming the elements of every loop.
    """
    if len(tree.loop_branch):
        findings = [_loop(network, tree, int(k)) for k in tree.loop_branch[:_MOST]]
        raise TopologyError(f"{network.name or 'The network'} is not radial as normally switched.", findings)


def _loop(network: Network, tree: Tree, k: int) -> str:
    """Say what a branch that is not in the tree closes."""
    branches = network.branches
    ways = [_way_up(tree, int(bus)) for bus in (branches.from_bus[k], branches.to_bus[k])]
    (up, root), (other_up, other_root) = ways
    around = [branch for branch in up if branch not in other_up] + [branch for branch in other_up if branch not in up]
    names = [element_name(network, branch) for branch in sorted({k, *around})]
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    if root != other_root:
        ids = sorted(int(network.bus_id[bus]) for bus in (root, other_root))
        return f"the sources at buses {ids[0]} and {ids[1]} are joined by {shown}; open one of these between them"
    return f"{shown} make a loop; open one of these"


def _way_up(tree: Tree, bus: int) -> tuple[list[int], int]:
    """Return the branches from a bus to its source, and that source."""
    way: list[int] = []
    while tree.parent[bus] >= 0:
        way.append(int(tree.parent_branch[bus]))
        bus = int(tree.parent[bus])
    return way, bus


def element_name(network: Network, k: int) -> str:
    """Return a branch as kind and id, with its name where it has one: ``line 6 (tie A-B)``."""
    branches = network.branches
    name = f" ({branches.name[k]})" if branches.name[k] else ""
    return f"{BranchKind(branches.kind[k]).name.lower()} {branches.branch_id[k]}{name}"


def ties_of(network: Network, bus_tree: Tree, sections: Sections, tree: SectionTree) -> tuple[Ties, Ties]:
    """Return the ties that may be closed, and those that join other vector groups and never are.

    Parameters
    ----------
    network : Network
        The network.
    bus_tree, sections, tree
        Its spanning tree, its sections and their tree, as normally switched.

    Raises
    ------
    NetworkError
        Where the network is seen by lines, so that lines out of service are ties: if one of them holds values that no
        line has. Nobody has looked at them yet.
    """
    ties = find_ties(sections, tree)
    if sections.by_line:
        _require_tie_lines(network, np.unique(sections.edge_branch[ties.edge]))
    is_usable = in_phase(network, bus_tree, sections, ties)
    return some_ties(ties, is_usable), some_ties(ties, ~is_usable)


def _require_tie_lines(network: Network, branch: IntArray) -> None:
    lines = branch[network.branches.kind[branch] == BranchKind.LINE]
    findings = [f"{element_name(network, k)}: {fault}" for k in lines.tolist() for fault in _line_faults(network, k)]
    if findings:
        raise NetworkError(
            f"{network.name or 'The network'} has no switch, so its lines out of service count as open ties, "
            "and these cannot be closed. Correct or delete them.",
            findings[:_MOST],
        )


def _line_faults(network: Network, k: int) -> list[str]:
    b, vn_kv = network.branches, network.buses.vn_kv
    z = b.r_pu[k], b.x_pu[k]
    shunt = b.g_from_pu[k], b.b_from_pu[k], b.g_to_pu[k], b.b_to_pu[k]
    at = vn_kv[b.from_bus[k]], vn_kv[b.to_bus[k]]
    found = []
    if at[0] != at[1]:
        found.append(f"from_bus and to_bus have different vn_kv, {at[0]:g} and {at[1]:g}")
    if not (np.isfinite(z).all() and min(z) >= 0.0 and max(z) > 0.0 and b.length_km[k] > 0.0):
        found.append("no impedance above 0 follows from length_km, r_ohm_per_km, x_ohm_per_km and parallel")
    if not (np.isfinite(shunt).all() and min(shunt) >= 0.0):
        found.append("c_nf_per_km or g_us_per_km is not a number of at least 0")
    if not (np.isfinite(b.rating_from_ka[k]) and b.rating_from_ka[k] > 0.0):
        found.append("no rating above 0 follows from max_i_ka, df and parallel")
    return found


def in_phase(network: Network, tree: Tree, sections: Sections, ties: Ties) -> BoolArray:
    r"""Tell which ties join voltages of the same vector group.

    Parameters
    ----------
    network : Network
        The network.
    tree : Tree
        Its spanning tree as normally switched.
    sections, ties
        Its sections and ties.

    Returns
    -------
    ndarray of bool, shape (n_tie,)
        False where the angles of both ends differ by more than `OUT_OF_PHASE_DEGREE`.

    Notes
    -----
    Angles are those without load, from the sources and the shifts on the way; the shift of the tie itself counts where
    it is a transformer:

    .. math:: |\varphi_f - \mathrm{shift} - \varphi_t| \le 15°
    """
    angle = _angles(network, tree)
    k, b = sections.edge_branch[ties.edge], network.branches
    between = angle[b.from_bus[k]] - b.shift_degree[k] - angle[b.to_bus[k]]
    result: BoolArray = np.abs((between + 180.0) % 360.0 - 180.0) <= OUT_OF_PHASE_DEGREE
    return result


def _angles(network: Network, tree: Tree) -> FloatArray:
    """Return the angle of every bus without load, 0 where there is no supply, shape (n_bus,). [degree]"""
    b = network.branches
    result = np.zeros(network.n_bus)
    result[network.slack_bus] = np.nan_to_num(network.slack_va_degree)
    for bus in tree.order.tolist():
        up, k = int(tree.parent[bus]), int(tree.parent_branch[bus])
        if up >= 0:
            result[bus] = result[up] + (-b.shift_degree[k] if b.from_bus[k] == up else b.shift_degree[k])
    return result


def require_load(network: Network, loads: LoadCases | FactoredLoads) -> None:
    """Refuse loads that draw nothing at all: every outage would pass.

    Raises
    ------
    InputError
        If no bus draws or feeds in anything in any case.
    """
    if not loaded_buses(loads).any():
        raise InputError(
            f"{network.name or 'The network'}: no load in service draws anything, so every outage would pass. "
            "Check the table load (p_mw, q_mvar, scaling, in_service)."
        )


def loaded_buses(loads: LoadCases | FactoredLoads) -> BoolArray:
    """Tell which buses draw or feed in anything in any case, shape (n_bus,)."""
    if isinstance(loads, LoadCases):
        return loads.is_loaded
    used = (loads.profile != 0.0).any(axis=0)
    result: BoolArray = ((loads.p_weight_mw != 0.0) | (loads.q_weight_mvar != 0.0))[:, used].any(axis=1)
    return result


def require_outages(network: Network, n_outage: int) -> None:
    """Refuse a network in which nothing can be lost.

    Raises
    ------
    InputError
        If there is no outage to study.
    """
    if n_outage == 0:
        raise InputError(
            f"{network.name or 'The network'}: no line and no transformer in service has supply, so nothing can be "
            "lost. Check the tables line, trafo, switch and ext_grid."
        )


def remarks(network: Network, loads: LoadCases | FactoredLoads | None = None) -> tuple[str, ...]:
    """Say what a study of outages leaves out of a network that it accepts.

    Parameters
    ----------
    network : Network
        The network.
    loads : LoadCases or FactoredLoads, optional
        Its loads.

    Returns
    -------
    tuple of str
        Ties that are never closed because they join other vector groups; lines out of service that are no ties because
        the network has switches; stretches between open switches that are no ties because a bus lies on them; loaded
        buses without supply. Empty where nothing is left out, or where there are loops.
    """
    tree = spanning_tree(network)
    if len(tree.loop_branch):
        return ()
    sections = sections_of(network) if has_switches(network) else sections_by_line(network)
    _, unused = ties_of(network, tree, sections, section_tree(sections))
    shifted = np.unique(sections.edge_branch[unused.edge])
    found = [_phase_remark(network, _angles(network, tree), k) for k in shifted.tolist()]
    if not sections.by_line:
        b = network.branches
        is_idle = (b.kind == BranchKind.LINE) & ~b.in_service & tree.supplied[b.from_bus] & tree.supplied[b.to_bus]
        found += [
            f"{element_name(network, k)} is out of service and is not used as a tie, because the network has switches; "
            "if it is one, put it into service with an open switch at its end"
            for k in np.flatnonzero(is_idle).tolist()
        ]
    dark = np.zeros(0, dtype=np.int64) if loads is None else dark_in_normal_operation(network, loads)
    found += _dead_stretches(network, sections, tree.supplied, dark)
    if len(dark):
        ids = ", ".join(str(i) for i in network.bus_id[dark[:_NAMED]]) + (", ..." if len(dark) > _NAMED else "")
        found.append(f"{len(dark)} buses with load have no supply in normal operation and count nowhere: {ids}")
    return tuple(found)


def _dead_stretches(network: Network, sections: Sections, supplied: BoolArray, loaded: IntArray) -> list[str]:
    """Say which stretches with a bus, but without load, have no supply and could join sections that have it."""
    is_live, has_bus = np.zeros(sections.n_section, dtype=bool), np.zeros(sections.n_section, dtype=bool)
    at = np.flatnonzero(sections.bus_section >= 0)
    has_bus[sections.bus_section[at]] = True
    is_live[sections.bus_section[at[supplied[at]]]] = True
    label = _joined(sections, ~is_live)
    a, b, branch = _open_links(sections, has_bus)
    home, found = sections.bus_section[loaded], []
    for stretch in np.unique(label[sections.bus_section[at[~supplied[at]]]]).tolist():
        inside = label == stretch
        if inside[home[home >= 0]].any():
            continue  # a feeder that is off is said by its load
        ways = np.flatnonzero((inside[a] & is_live[b]) | (inside[b] & is_live[a]))
        if len(np.unique(np.where(inside[a], b, a)[ways])) < _FEWEST_ENDS:
            continue
        buses = network.bus_id[at[inside[sections.bus_section[at]]]]
        named = ", ".join(element_name(network, k) for k in np.unique(branch[ways])[:_NAMED].tolist())
        found.append(
            f"bus {buses[0]} has no supply between {named}, which are open, so that what lies there is not used as a "
            "tie; close all of them but one, so that it hangs on one side"
        )
    return found


def _open_links(sections: Sections, has_bus: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the sections on both sides of what is open, and its branch; of a line open at both ends those beyond."""
    edges = np.flatnonzero(~sections.edge_closed)
    a, b, k = (some[edges] for some in (sections.edge_bus_section, sections.edge_body_section, sections.edge_branch))
    is_far = ~has_bus[b]
    order = np.flatnonzero(is_far)[np.argsort(b[is_far], kind="stable")]
    pairs = np.flatnonzero(np.diff(b[order], prepend=-1, append=-1)[1:] == 0)
    first, second = order[pairs], order[pairs + 1]
    near = ~is_far
    return (
        np.concatenate([a[near], a[first]]), np.concatenate([b[near], a[second]]), np.concatenate([k[near], k[first]])
    )  # fmt: skip


def _joined(sections: Sections, chosen: BoolArray) -> IntArray:
    """Return a number for what hangs together by closed edges among chosen sections, -1 for others, (n_section,)."""
    a, b = sections.edge_bus_section, sections.edge_body_section
    k = np.flatnonzero(sections.edge_closed & chosen[a] & chosen[b])
    shape = (sections.n_section, sections.n_section)
    _, label = csgraph.connected_components(sparse.coo_matrix((np.ones(len(k)), (a[k], b[k])), shape=shape))
    result: IntArray = np.where(chosen, label, -1)
    return result


def dark_in_normal_operation(network: Network, loads: LoadCases | FactoredLoads) -> IntArray:
    """Return the positions of loaded buses that no source reaches as normally switched.

    Whatever is lost, they stay off, so that no study of outages may end as if nothing were wrong.

    Parameters
    ----------
    network : Network
        The network.
    loads : LoadCases or FactoredLoads
        Its loads.

    Returns
    -------
    ndarray of int
        Ascending.
    """
    return np.flatnonzero(loaded_buses(loads) & ~spanning_tree(network).supplied)


def _phase_remark(network: Network, angle: FloatArray, k: int) -> str:
    b = network.branches
    ends = b.from_bus[k], b.to_bus[k]
    ids, degrees = network.bus_id[list(ends)], [round(float(angle[bus]) % 360.0, 1) for bus in ends]
    return (
        f"{element_name(network, k)} is never closed as a tie: without load bus {ids[0]} stands at {degrees[0]:g} "
        f"degree and bus {ids[1]} at {degrees[1]:g}; check shift_degree of the transformers above it and va_degree of "
        "the sources"
    )
