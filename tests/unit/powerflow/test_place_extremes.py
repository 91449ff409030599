"""Extremes of places in a tree without idle nodes: the same as the largest values in the tables of the whole tree."""

import numpy as np
import pytest

from gridcheck.errors import UnsupportedElementError
from gridcheck.powerflow.phase_places import phase_places, solve_places
from gridcheck.powerflow.place_extremes import extreme_places, solve_place_extremes
from tests.support.four_wire_nets import lv_feeder
from tests.support.risk_areas import area, pool, street

N_DRAW, TIGHT = 15, 1e-11


@pytest.mark.parametrize("boxes_every", [1, 3])
@pytest.mark.parametrize("n_line", [1, 3])
def test_like_the_tables_of_the_whole_tree(boxes_every, n_line):
    net = area(street(18, n_line=n_line, poles=9, boxes_every=boxes_every), pool(width=3), type_name="S13-100-Dyn11")
    ready = extreme_places(net.places, per_pu=net.per_pu_v, lines=net.rated_line, transformer=net.transformer)
    assert ready.model.n_node < net.places.model.n_node
    rng = np.random.default_rng(4)
    shape = 3 * len(net.node), N_DRAW, net.pool.n_step
    has_meter = rng.random(shape[:2]) < 0.6
    has_meter[:, 2] = False
    p = np.where(has_meter[:, :, None], rng.uniform(-1.0, 4.0, shape), 0.0)
    seen = solve_place_extremes(ready, p, 0.2 * p, has_meter, tolerance_pu=TIGHT)
    flat = p.reshape(len(p), -1)
    whole = solve_places(net.places, flat, 0.2 * flat, tolerance_pu=TIGHT)
    assert not seen.status.any()
    volts = whole.vm_pu.reshape(len(p), -1) * np.repeat(net.per_pu_v, 3)[:, None]
    hangs = np.repeat(has_meter, net.pool.n_step, axis=1)
    low, high = np.where(hangs, volts, np.inf), np.where(hangs, volts, -np.inf)
    line = whole.loading_percent[net.rated_line].reshape(-1, flat.shape[1])
    neutral = 100.0 * whole.neutral_i_ka[net.rated_line] / net.rating_ka[net.rated_line, None]
    for found, values in ((seen.low, low.min(axis=0)), (seen.high, high.max(axis=0)), (seen.line, line.max(axis=0))):
        np.testing.assert_allclose(found, values, rtol=1e-8)
    np.testing.assert_allclose(seen.neutral, neutral.max(axis=0), rtol=1e-8)
    case = np.arange(flat.shape[1])
    somebody = hangs.any(axis=0)
    np.testing.assert_array_equal(seen.low_at[somebody], low.argmin(axis=0)[somebody])
    np.testing.assert_array_equal(seen.high_at[somebody], high.argmax(axis=0)[somebody])
    np.testing.assert_allclose(line[seen.line_at, case], line.max(axis=0), rtol=1e-8)
    np.testing.assert_allclose(neutral[seen.neutral_at, case], neutral.max(axis=0), rtol=1e-8)
    np.testing.assert_allclose(seen.trafo_percent, whole.loading_percent[net.transformer], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(seen.star_ka, whole.neutral_i_ka[net.transformer], rtol=1e-8, atol=1e-12)


def test_without_a_solution_nothing_is_found():
    net = area(street(6, poles=4), pool(width=3), type_name="S13-30-Dyn11")
    shape = 3 * len(net.node), 2, net.pool.n_step
    p = np.full(shape, 0.1)
    p[:, 1, 3] = 1e4
    seen = solve_place_extremes(net.extremes, p, 0.0 * p, np.ones(shape[:2], dtype=bool))
    unsolved = seen.status != 0
    assert np.flatnonzero(unsolved).tolist() == [net.pool.n_step + 3]
    for values in (seen.low, seen.high, seen.line, seen.neutral, seen.star_ka):
        assert np.isnan(values).tolist() == unsolved.tolist()


def test_lines_with_shunts_are_refused():
    network = lv_feeder(20, charging=True).network
    places = phase_places(network, np.arange(3, 20, 2))
    with pytest.raises(UnsupportedElementError, match="solve_places"):
        extreme_places(places, per_pu=np.ones(9), lines=np.arange(1, 3), transformer=network.n_branch - 1)
