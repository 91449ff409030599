"""Low-voltage areas for tests: one drawn by hand, others made up from rows like those of areas.csv."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridcheck.network.low_voltage import LowVoltageGrid
from gridcheck.synthesis.low_voltage import AreaLayout

Array = npt.NDArray[np.float64]


def one_line(*, length_m: float = 200.0, type_name: str = "JKLYJ-1-70", phase: int = 0) -> LowVoltageGrid:
    """A busbar, one line and one meter at its end."""
    return LowVoltageGrid(
        area_id="140827-A9999",
        is_synthetic=True,
        node_name=("lv", "B001"),
        parent=[-1, 0],
        length_m=[0.0, length_m],
        type_name=("", type_name),
        home_id=("140827-A9999-H001",),
        home_node=[1],
        home_phase=[phase],
    )


def layout(number: int = 1, **changes: object) -> AreaLayout:
    """An area of 70 households on three trunks."""
    given: dict[str, object] = {
        "area_id": f"140827-A{number:04d}", "households": 70, "circuits": 3, "radius_m": 350.0,
        "type_name": "JKLYJ-1-70", "built_year": 2014.0, "unbalance_factor": 1.3,
    }  # fmt: skip
    return AreaLayout(**{**given, **changes})  # type: ignore[arg-type]


def known(grid: LowVoltageGrid, seed: int = 0) -> npt.NDArray[np.int64]:
    """Phases of all meters, drawn where nobody knows them."""
    drawn = np.random.default_rng(seed).integers(0, 3, grid.n_home)
    return np.where(grid.home_phase < 0, drawn, grid.home_phase)


def uneven_loads(grid: LowVoltageGrid, seed: int = 0, *, most_kw: float = 3.0) -> tuple[Array, Array]:
    """Loads of one case, (1, n_home). [kW], [kvar]"""
    rng = np.random.default_rng(seed)
    p_kw = rng.uniform(0.0, most_kw, (1, grid.n_home))
    return p_kw, p_kw * rng.uniform(0.0, 0.4, grid.n_home)
