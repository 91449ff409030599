"""Sectors, trees and sections on small hand-made examples."""

from __future__ import annotations

import numpy as np

from gridcheck.synthesis.routing import _grow_tree, _sectors, _trunk
from gridcheck.synthesis.sectioning import _cut_trunk


def test_four_villages_around_a_substation_make_two_even_sectors() -> None:
    offset = np.array([[5.0, 1.0], [5.0, -1.0], [-5.0, 1.0], [-5.0, -1.0]])

    sector = _sectors(offset, np.ones(4), 2)

    # the villages on one side belong together
    assert sector[0] == sector[1] != sector[2] == sector[3]


def test_poles_in_a_row_become_a_chain_from_the_nearest_one() -> None:
    xy = np.array([[3.0, 0.0], [1.0, 0.0], [2.0, 0.0]])

    order, up = _grow_tree(xy, np.array([0.0, 0.0]))

    assert order.tolist() == [1, 2, 0]
    assert up.tolist() == [2, -1, 1]


def test_the_trunk_goes_to_the_heavy_far_end() -> None:
    # A row 0, 1, 3, 4 with the heavy end 4; pole 2 hangs beside 1 and is light.
    xy = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [2.0, 0.0], [3.0, 0.0]])
    load = np.array([0.1, 0.1, 0.1, 0.1, 1.0])

    on_trunk = _trunk(xy, load, np.arange(5), np.array([-1, 0, 1, 1, 3]))

    assert on_trunk.tolist() == [True, True, False, True, True]


class _Chain:
    """The part of a forest that `_cut_trunk` reads: the lengths."""

    def __init__(self, length_km: np.ndarray) -> None:
        self.length_km = length_km


def test_an_even_trunk_is_cut_into_even_sections() -> None:
    # Nodes 1 to 12 in a chain, 1 km and 1 MW each: 12 km give four sections, cut after a quarter of each.
    forest = _Chain(np.concatenate([[0.0], np.ones(12)]))
    beyond = np.concatenate([[12.0], np.arange(12.0, 0.0, -1.0)])

    cuts = _cut_trunk(np.arange(1, 13), beyond, forest)  # type: ignore[arg-type]

    assert cuts.tolist() == [4, 7, 10]
