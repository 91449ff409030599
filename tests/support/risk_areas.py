"""Low-voltage areas drawn by rule or at random, and pools of made-up households, without weather or simulation."""

import numpy as np

from gridcheck.checks.area_loads import AreaLoads, loads_of
from gridcheck.checks.draw_extremes import AreaNet
from gridcheck.demand.draw_pool import DrawPool
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.network.low_voltage import LowVoltageGrid, area_transformer, four_wire_of

CLASSES = ("base", "heat_pump", "rooftop_pv")
BASE, HEAT_PUMP, ROOF = 0, 1, 2
TRUNK, DROP = "JKLYJ-1-70", "JKLYJ-1-25"


def street(
    n_home: int,
    *,
    n_line: int = 1,
    poles: int = 8,
    metres: float = 45.0,
    boxes_every: int = 2,
    phases: tuple[int, ...] = (0, 1, 2),
    trunk: str = TRUNK,
) -> LowVoltageGrid:
    """Equal lines along a street, a meter box beside every second pole, homes dealt out box by box."""
    names, parent, length, kind, boxes = ["lv"], [-1], [0.0], [""], []
    for line in range(n_line):
        last = 0
        for pole in range(1, poles + 1):
            names.append(f"L{line + 1}-{pole:02d}")
            parent.append(last)
            length.append(metres)
            kind.append(trunk)
            last = len(names) - 1
            if pole % boxes_every == 0:
                names.append(f"B{line + 1}-{pole:02d}")
                parent.append(last)
                length.append(12.0)
                kind.append(trunk)
                boxes.append(len(names) - 1)
    home = np.arange(n_home)
    return LowVoltageGrid(
        area_id="area",
        is_synthetic=True,
        node_name=tuple(names),
        parent=np.array(parent),
        length_m=np.array(length),
        type_name=tuple(kind),
        home_id=tuple(f"H{k:03d}" for k in home),
        home_node=np.array(boxes)[home % len(boxes)],
        home_phase=np.array(phases)[(home // len(boxes)) % len(phases)],
    )


def pool(*, seed: int = 1, n_member: int = 200, width: int = 4, n_window: int = 2, roof: float = 0.0) -> DrawPool:
    """Households with kettles and heat pumps that come and go: a few steps in windows, then a light step at noon."""
    rng = np.random.default_rng(seed)
    n_step = n_window * width + 1
    base = 0.25 + 0.2 * rng.random((n_member, n_step)) + 1.8 * (rng.random((n_member, n_step)) < 0.12)
    heat = np.where(rng.random((n_member, 1)) < 0.8, 0.5 + 0.5 * rng.random((n_member, n_step)), 0.1)
    base[:, -1], heat[:, -1] = 0.1, 0.0
    sun = np.zeros((1, n_step))
    sun[0, -1] = -roof
    return DrawPool(
        classes=CLASSES,
        case=np.arange(n_step),
        window=np.append(np.repeat(np.arange(n_window), width), -1),
        width=width,
        tan_phi=np.array([0.2, 0.3, 0.0]),
        share=tuple(part.astype(np.float32) for part in (base, heat, sun)),
    )


def steady_pool(*, width: int = 4) -> DrawPool:
    """Every home alike: base and heat pump draw their rated input in all heavy steps, so that all can be worked out."""
    n_step = width + 1
    share = [np.ones((1, n_step)), np.ones((1, n_step)), np.zeros((1, n_step))]
    for part in share[:2]:
        part[0, -1] = 0.0
    share[2][0, -1] = -1.0
    return DrawPool(
        classes=CLASSES,
        case=np.arange(n_step),
        window=np.append(np.zeros(width, dtype=np.int64), -1),
        width=width,
        tan_phi=np.zeros(3),
        share=tuple(part.astype(np.float32) for part in share),
    )


def area(
    grid: LowVoltageGrid,
    households: DrawPool,
    *,
    type_name: str = "S13-200-Dyn11",
    tap_pos: int = 0,
    vm_pu: float = 1.0,
    limits=DEFAULT_LIMITS,
) -> AreaNet:
    return AreaNet(
        grid=grid,
        network=four_wire_of(grid, area_transformer(type_name, tap_pos=tap_pos)),
        pool=households,
        vm_pu=np.full(households.n_step, vm_pu),
        limits=limits,
    )


def lived_in(n_home: int, kw: float = 1.0) -> AreaLoads:
    return loads_of(np.arange(n_home), np.full(n_home, BASE), np.full(n_home, kw))


def one_box(phases: tuple[int, ...], *, metres: float = 300.0, trunk: str = TRUNK) -> LowVoltageGrid:
    """One line to one meter box, a home on each of the given phases."""
    return LowVoltageGrid(
        area_id="box",
        is_synthetic=True,
        node_name=("lv", "box"),
        parent=np.array([-1, 0]),
        length_m=np.array([0.0, metres]),
        type_name=("", trunk),
        home_id=tuple(f"H{k}" for k in range(len(phases))),
        home_node=np.ones(len(phases), dtype=np.int64),
        home_phase=np.array(phases),
    )


def on_off_pool(shares: dict[int, float], *, n_member: int = 1000) -> DrawPool:
    """A class is on, at its rated input, in a share of its members, all the time; else it draws nothing."""
    parts = []
    for column in range(len(CLASSES)):
        on = np.arange(n_member) < round(shares.get(column, 0.0) * n_member)
        parts.append(np.stack([on, np.zeros(n_member)], axis=1).astype(np.float32))
    return DrawPool(
        classes=CLASSES,
        case=np.arange(2),
        window=np.array([0, -1]),
        width=1,
        tan_phi=np.zeros(len(CLASSES)),
        share=tuple(parts),
    )
