"""Random 10 kV networks with switches and ties, and a plain flood fill as second opinion on sections and supply."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.cases import LoadCases
from gridcheck.network import Network, network_from_tables

Node = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomGrid:
    """Tables of a random network: sources first, every source with its own tree, switches and open ties."""

    n_source: int
    from_bus: tuple[int, ...]
    to_bus: tuple[int, ...]
    length_km: FloatArray
    max_i_ka: FloatArray
    switch_bus: tuple[int, ...]
    switch_line: tuple[int, ...]
    switch_closed: tuple[bool, ...]
    loads: LoadCases

    @property
    def n_bus(self) -> int:
        return self.loads.n_bus

    def with_switches(self, states: dict[int, bool]) -> RandomGrid:
        """Return the grid with some switches set."""
        closed = tuple(states.get(i, state) for i, state in enumerate(self.switch_closed))
        return replace(self, switch_closed=closed)

    def network(self) -> Network:
        """Build the network anew from its tables."""
        n_line, n_switch = len(self.from_bus), len(self.switch_bus)
        line = pd.DataFrame(
            {
                "from_bus": self.from_bus, "to_bus": self.to_bus, "length_km": self.length_km, "r_ohm_per_km": 0.3,
                "x_ohm_per_km": 0.35, "c_nf_per_km": 10.0, "max_i_ka": self.max_i_ka, "in_service": [True] * n_line,
            }
        )  # fmt: skip
        switch = pd.DataFrame(
            {
                "bus": self.switch_bus, "element": self.switch_line, "et": ["l"] * n_switch,
                "closed": list(self.switch_closed), "type": ["CB" if i % 3 == 0 else "LBS" for i in range(n_switch)],
                "name": [f"q{i}" for i in range(n_switch)],
            }
        )  # fmt: skip
        tables = {
            "bus": pd.DataFrame({"vn_kv": [10.0] * self.n_bus}),
            "line": line,
            "switch": switch,
            "ext_grid": pd.DataFrame({"bus": range(self.n_source), "vm_pu": [1.03] * self.n_source}),
        }
        return network_from_tables(tables, name="random")

    def switch_at(self, line: int, bus: int) -> int | None:
        """Return the switch at an end of a line, if there is one."""
        return next(
            (i for i, end in enumerate(zip(self.switch_line, self.switch_bus, strict=True)) if end == (line, bus)), None
        )

    def neighbours(self, *, through_closed: bool) -> dict[Node, list[Node]]:
        """Return what touches what: across unswitched ends only, or across closed switches as well."""
        nodes: list[Node] = [("bus", i) for i in range(self.n_bus)]
        nodes += [("line", k) for k in range(len(self.from_bus))]
        result: dict[Node, list[Node]] = {node: [] for node in nodes}
        for k, ends in enumerate(zip(self.from_bus, self.to_bus, strict=True)):
            for bus in ends:
                switch = self.switch_at(k, bus)
                if switch is None or (through_closed and self.switch_closed[switch]):
                    result["bus", bus].append(("line", k))
                    result["line", k].append(("bus", bus))
        return result

    def flood(self, start: list[Node], *, through_closed: bool, closed_to: frozenset[Node] = frozenset()) -> set[Node]:
        """Return all that is connected to some nodes, never entering `closed_to`."""
        neighbours = self.neighbours(through_closed=through_closed)
        seen = {node for node in start if node not in closed_to}
        todo = list(seen)
        while todo:
            for other in neighbours[todo.pop()]:
                if other not in seen and other not in closed_to:
                    seen.add(other)
                    todo.append(other)
        return seen

    @property
    def can_be_studied(self) -> bool:
        """Whether anything draws and some line leads to a bus with supply: what has neither is refused."""
        reached = (i for kind, i in self.supplied() if kind == "bus")
        return bool(self.loads.is_loaded.any()) and any(i >= self.n_source for i in reached)

    def supplied(self, *, dead: frozenset[Node] = frozenset()) -> set[Node]:
        """Return what the sources reach through closed switches, without the dead nodes."""
        return self.flood([("bus", i) for i in range(self.n_source)], through_closed=True, closed_to=dead)


def random_grid(seed: int, *, lines_at_source: int | None = None) -> RandomGrid:
    """Draw a grid of one to three sources with up to seven buses each, switches at random ends, and random ties.

    With `lines_at_source` no source has more lines than that, and no tie ends at one.
    """
    rng = np.random.default_rng(seed)
    n_source = int(rng.integers(1, 4))
    n_own = [int(rng.integers(1, 8)) for _ in range(n_source)]
    from_bus: list[int] = []
    to_bus: list[int] = []
    switches: list[tuple[int, int, bool]] = []
    bus = n_source
    for source in range(n_source):
        own = [source]
        for _ in range(n_own[source]):
            is_full = (
                lines_at_source is not None
                and sum(source in e for e in zip(from_bus, to_bus, strict=True)) >= lines_at_source
            )
            choice = own[1:] if is_full else own
            parent, line = choice[int(rng.integers(0, len(choice)))], len(from_bus)
            ends = (parent, bus) if rng.random() < 0.7 else (bus, parent)  # some lines are drawn towards the source
            from_bus.append(ends[0])
            to_bus.append(ends[1])
            if rng.random() < (0.95 if parent == source else 0.6):
                switches.append((parent, line, True))
            if rng.random() < 0.15:
                switches.append((bus, line, True))
            own.append(bus)
            bus += 1
    for _ in range(int(rng.integers(0, 5))):
        a, b = (int(i) for i in rng.choice(bus, 2, replace=False))
        if lines_at_source is not None and min(a, b) < n_source:
            continue
        line = len(from_bus)
        from_bus.append(a)
        to_bus.append(b)
        kind = rng.random()
        switches.append((b, line, False))
        if kind < 0.4:
            switches.append((a, line, kind < 0.2))
    order = rng.permutation(len(switches))
    n_case = int(rng.integers(1, 5))
    p_mw = rng.uniform(0.0, 0.9, (1, bus)) * rng.uniform(0.3, 1.0, (n_case, bus)) * (rng.random(bus) < 0.8)
    return RandomGrid(
        n_source=n_source,
        from_bus=tuple(from_bus),
        to_bus=tuple(to_bus),
        length_km=rng.uniform(0.3, 5.0, len(from_bus)),
        max_i_ka=rng.uniform(0.05, 0.4, len(from_bus)),
        switch_bus=tuple(switches[i][0] for i in order),
        switch_line=tuple(switches[i][1] for i in order),
        switch_closed=tuple(switches[i][2] for i in order),
        loads=LoadCases(p_mw=p_mw, q_mvar=p_mw * rng.uniform(0.1, 0.4, (1, bus))),
    )
