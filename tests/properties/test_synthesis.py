"""Laws of the generator that hold for any input."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gridcheck.synthesis.build import build_county
from gridcheck.synthesis.grid import path_from_root, sum_downstream
from gridcheck.synthesis.households import whole_shares
from gridcheck.synthesis.plane import inside
from gridcheck.synthesis.routing import _grow_tree, _trunk

weights = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(0.01, 100.0))
points = hnp.arrays(np.float64, st.tuples(st.integers(1, 25), st.just(2)), elements=st.floats(-20.0, 20.0))


@st.composite
def forests(draw: st.DrawFn) -> np.ndarray:
    n_node = draw(st.integers(1, 30))
    return np.array([draw(st.integers(-1, node - 1)) for node in range(n_node)])


@given(weights, st.integers(0, 5000))
def test_whole_shares_sum_exactly_and_stay_within_one(weight: np.ndarray, total: int) -> None:
    parts = whole_shares(weight, total)

    assert parts.sum() == total
    assert (np.abs(parts - weight / weight.sum() * total) < 1.0 + 1e-6).all()


@given(forests(), st.data())
def test_sums_along_the_forest_agree_with_walking_it(parent: np.ndarray, data: st.DataObject) -> None:
    value = data.draw(hnp.arrays(np.float64, len(parent), elements=st.floats(0.0, 10.0)))
    downstream, way = np.zeros(len(parent)), np.zeros(len(parent))
    for node in range(len(parent)):
        up = node
        while up >= 0:
            downstream[up] += value[node]
            way[node] += value[up]
            up = int(parent[up])

    np.testing.assert_allclose(sum_downstream(parent, value), downstream)
    np.testing.assert_allclose(path_from_root(parent, value), way)


@given(hnp.arrays(np.float64, (8, 2), elements=st.floats(-5.0, 5.0)), st.integers(1, 5))
def test_inside_does_not_depend_on_the_corner_an_outline_starts_with(point: np.ndarray, turn: int) -> None:
    corner = np.array([[0.1, 0.2], [3.0, -1.0], [4.0, 2.5], [1.0, 1.5], [-2.0, 3.0], [-1.5, -2.5]])
    turned = np.roll(corner, turn, axis=0)

    one, other = (inside(point, np.vstack([shape, shape[:1]])) for shape in (corner, turned))

    assert (one == other).all()


@given(points, st.data())
def test_a_feeder_tree_reaches_every_pole_once_and_its_trunk_is_one_path(xy: np.ndarray, data: st.DataObject) -> None:
    load = data.draw(hnp.arrays(np.float64, len(xy), elements=st.floats(0.0, 1.0)))

    order, up = _grow_tree(xy, np.array([0.0, 0.0]))
    on_trunk = _trunk(xy, load, order, up)

    graph = nx.Graph([(pole, int(up[pole])) for pole in range(len(xy)) if up[pole] >= 0])
    graph.add_nodes_from(range(len(xy)))
    assert nx.is_tree(graph)
    assert sorted(order.tolist()) == list(range(len(xy)))
    assert (up < 0).sum() == 1
    trunk = graph.subgraph(np.flatnonzero(on_trunk).tolist())
    assert nx.is_connected(trunk)
    assert max(dict(trunk.degree).values()) <= 2
    assert on_trunk[order[0]]


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**31))
def test_any_seed_gives_a_radial_county_with_switched_sections(seed: int) -> None:
    county = build_county("140827", seed=seed)

    line, trafo, switch = (county.tables[name] for name in ("line", "trafo", "switch"))
    opened = set(switch.loc[~switch["closed"], "element"])
    closed = line.loc[[k for k in line.index if k not in opened]]
    graph = nx.MultiGraph([*zip(closed["from_bus"], closed["to_bus"], strict=True)])
    graph.add_edges_from(zip(trafo["hv_bus"], trafo["lv_bus"], strict=True))
    assert graph.number_of_nodes() == len(county.tables["bus"])
    assert graph.number_of_edges() == graph.number_of_nodes() - len(county.tables["ext_grid"])
    assert nx.number_connected_components(graph) == len(county.tables["ext_grid"])
    assert county.profile["trunk_sections"].between(1, 5).all()
    assert county.profile["ties"].max() <= 3
    assert (county.profile["lowest_vm_pu"] > 0.93).all()
    assert county.areas["village_code"].nunique() == 71
