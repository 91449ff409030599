"""Small random feeders with ties, and their best restoration by trying every switch state, one load flow for each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import LoadCases
from gridcheck.network import Network, network_from_tables
from gridcheck.powerflow import CaseStatus, solve

Rank = tuple[int, float, int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TiedGrid:
    """A grid in which line k has one switch, at its first bus, or which is seen by lines.

    Attributes
    ----------
    n_source : int
        The first buses are sources.
    ends : tuple of (int, int)
        Buses of every line; of those in the trees the first is nearer to the source.
    n_tree : int
        Lines in the trees; ties follow.
    closed, remote : tuple of bool
        State of each line's switch (or of the line), and whether it is operated from afar.
    by_line : bool
        True without switches.
    length_km, max_i_ka : ndarray
        Data of the lines.
    loads : LoadCases
        Loads.
    households : ndarray of int
        By bus.
    """

    n_source: int
    ends: tuple[tuple[int, int], ...]
    n_tree: int
    closed: tuple[bool, ...]
    remote: tuple[bool, ...]
    by_line: bool
    length_km: FloatArray
    max_i_ka: FloatArray
    loads: LoadCases
    households: IntArray

    def network(self) -> Network:
        """Build it as switched."""
        n = len(self.ends)
        line = {
            "from_bus": [a for a, _ in self.ends], "to_bus": [b for _, b in self.ends], "length_km": self.length_km,
            "r_ohm_per_km": 0.5, "x_ohm_per_km": 0.4, "c_nf_per_km": 10.0, "max_i_ka": self.max_i_ka,
            "in_service": list(self.closed) if self.by_line else [True] * n,
        }  # fmt: skip
        tables = {
            "bus": pd.DataFrame({"vn_kv": [10.0] * self.loads.n_bus}),
            "line": pd.DataFrame(line),
            "ext_grid": pd.DataFrame({"bus": range(self.n_source), "vm_pu": [1.02] * self.n_source}),
        }
        if not self.by_line:
            tables["switch"] = pd.DataFrame(
                {
                    "bus": [a for a, _ in self.ends], "element": range(n), "et": ["l"] * n,
                    "closed": list(self.closed), "type": ["LBS"] * n, "name": [f"q{i}" for i in range(n)],
                    "remote": list(self.remote),
                }
            )  # fmt: skip
        return network_from_tables(tables, name="tied")

    def margins(self) -> tuple[float, float]:
        """Return the highest loading in percent and the lowest voltage over all cases; infinite without solution."""
        result = solve(self.network(), self.loads)
        if (result.status != CaseStatus.CONVERGED).any():
            return np.inf, -np.inf
        return float(np.nanmax(result.loading_percent)), float(np.nanmin(result.vm_pu))


def tied_grid(seed: int, *, n_load: int, by_line: bool) -> TiedGrid:
    """Draw one to three sources with trees of `n_load` buses in all, and up to four ties."""
    rng = np.random.default_rng(seed)
    n_source = int(rng.integers(1, 4))
    n_bus = n_source + n_load
    of = [*range(n_source), *(-1,) * n_load]
    ends: list[tuple[int, int]] = []
    for bus in range(n_source, n_bus):
        # Few lines leave a source, so that outages are large.
        free = [b for b in range(bus) if b >= n_source or sum(a == b for a, _ in ends) < 1]
        parent = int(free[int(rng.integers(max(0, len(free) - 5), len(free)))])
        ends.append((parent, bus))
        of[bus] = of[parent]
    n_tree = len(ends)
    for _ in range(int(rng.integers(1, 5))):
        a, b = (int(i) for i in rng.choice(np.arange(n_source, n_bus), 2, replace=False))
        if (a, b) not in ends and (b, a) not in ends:
            ends.append((a, b))
    n = len(ends)
    p_mw = np.zeros((2, n_bus))
    p_mw[:, n_source:] = (
        rng.integers(1, 9, n_load) * 0.1 * np.array([[1.0], [1.0]]) * rng.uniform(0.5, 1.0, (2, n_load))
    )
    return TiedGrid(
        n_source=n_source,
        ends=tuple(ends),
        n_tree=n_tree,
        closed=tuple(i < n_tree for i in range(n)),
        remote=tuple(bool(x) for x in rng.random(n) < 0.4),
        by_line=by_line,
        length_km=rng.uniform(0.5, 4.0, n),
        max_i_ka=rng.uniform(0.1, 0.4, n),
        loads=LoadCases(p_mw=p_mw, q_mvar=0.3 * p_mw),
        households=np.where(np.arange(n_bus) < n_source, 0, rng.integers(0, 4, n_bus) * 10),
    )


def best_by_trial(
    grid: TiedGrid, line: int, load_kw: FloatArray, limits: tuple[float, float], *, counts_homes: bool = True
) -> Rank:
    """Lose one line (with the bus behind its switch, unless seen by lines) and try all switch states.

    Parameters
    ----------
    grid : TiedGrid
        Within the limits as normally switched, so that every element counts after the switching.
    line : int
        Lost.
    load_kw : ndarray, shape (n_bus,)
        What supply of each bus is worth.
    limits : tuple of float
        Highest loading in percent and lowest voltage in pu.

    Returns
    -------
    tuple
        Households and load left dark, operations, those by hand, of the best state.
    """
    lost_bus = -1 if grid.by_line else grid.ends[line][1]
    isolated = [closed and k != line and lost_bus not in grid.ends[k] for k, closed in enumerate(grid.closed)]
    # What touches the fault stays open; so does the lost line.
    usable = [k for k in range(len(grid.ends)) if k != line and lost_bus not in grid.ends[k]]
    lit = _lit(grid, isolated)
    assert lit is not None
    dark = [b for b in range(grid.loads.n_bus) if b not in lit and b != lost_bus]
    free = [k for k in usable if any(end in dark for end in grid.ends[k])]
    states = []
    for choice in itertools.product((False, True), repeat=len(free)):
        closed = list(isolated)
        for k, is_closed in zip(free, choice, strict=True):
            closed[k] = is_closed
        reached = _lit(grid, closed)
        if reached is None:
            continue
        moved = [k for k in free if closed[k] != isolated[k]]
        homes = sum(int(grid.households[b]) for b in dark if b not in reached) if counts_homes else 0
        load = sum(float(load_kw[b]) for b in dark if b not in reached)
        by_hand = len(moved) if grid.by_line else sum(not grid.remote[k] for k in moved)
        states.append(((homes, round(load, 6), len(moved), by_hand), closed))
    for rank, closed in sorted(states, key=lambda state: state[0]):
        loading, vm = replace(grid, closed=tuple(closed)).margins()
        if loading <= limits[0] and vm >= limits[1]:
            return rank
    raise AssertionError("nothing at all keeps the limits")


def _lit(grid: TiedGrid, closed: list[bool]) -> set[int] | None:
    """Return the buses with supply; None where it meets itself."""
    lit = set(range(grid.n_source))
    waiting = [(source, -1) for source in range(grid.n_source)]
    while waiting:
        bus, came_by = waiting.pop()
        for k, ends in enumerate(grid.ends):
            if not closed[k] or k == came_by or bus not in ends:
                continue
            far = ends[1] if ends[0] == bus else ends[0]
            if far in lit:
                return None
            lit.add(far)
            waiting.append((far, k))
    return lit
