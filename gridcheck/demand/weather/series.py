"""What a weather file holds before it is put on even steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from gridcheck.arrays import FloatArray, IntArray, TimeArray, frozen
from gridcheck.errors import SchemaError

# Field of `Weather`: its name and unit in sentences, and what can be measured.
_QUANTITIES = {
    "temperature_c": ("temperature", "degC", (-60.0, 60.0)),
    "solar_w_per_m2": ("irradiance", "W/m2", (-20.0, 1600.0)),
    "humidity_percent": ("humidity", "%", (0.0, 105.0)),
}
_CHINA = np.timedelta64(8, "h")
QUANTITIES = tuple(_QUANTITIES)
SHOWN_ROWS = 5
"""How many rows a message names before it counts the rest."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawSeries:
    """Values of a file in the units of `Weather`, row by row.

    Attributes
    ----------
    where : str
        Name of the file.
    time_utc : ndarray of datetime64[ns], shape (n,)
        Start of each interval, as written.
    row : ndarray of int, shape (n,)
        Row of the file, counted from 1.
    values : mapping of str to ndarray of shape (n,)
        Fields of `Weather` that the file has, ``temperature_c`` always among them; NaN where missing.
    notes : tuple of str
        What was taken as what.
    repairs : tuple of str
        What was changed, with counts.
    height_m : float, optional
        Height of the place, where the file says it. [m]
    """

    where: str
    time_utc: TimeArray
    row: IntArray
    values: Mapping[str, FloatArray]
    notes: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    height_m: float | None = None

    def __post_init__(self) -> None:
        shape = (len(self.time_utc),)
        object.__setattr__(self, "time_utc", frozen(self.time_utc, "datetime64[ns]", shape, name="time_utc"))
        object.__setattr__(self, "row", frozen(self.row, np.int64, shape, name="row"))
        checked = {name: frozen(value, np.float64, shape, name=name) for name, value in self.values.items()}
        object.__setattr__(self, "values", MappingProxyType(checked))


def name_of(quantity: str) -> str:
    """Return the name of a quantity for sentences."""
    return _QUANTITIES[quantity][0]


def require_possible(
    values: FloatArray,
    row: IntArray,
    quantity: str,
    *,
    where: str,
    column: str,
    mend: str = "Correct them, write their unit into the heading, or leave the cells empty.",
) -> None:
    """Refuse values that nobody can have measured; missing ones pass.

    Parameters
    ----------
    values : ndarray, shape (n,)
        In the unit of `Weather`.
    row : ndarray of int, shape (n,)
        Row of the file.
    quantity : str
        Field of `Weather`.
    where, column : str
        File and column for messages.
    mend : str
        What to do.

    Raises
    ------
    SchemaError
        Naming file, column and rows.
    """
    _, unit, (low, high) = _QUANTITIES[quantity]
    wrong = np.flatnonzero((values < low) | (values > high))
    if len(wrong):
        raise SchemaError(
            f"{where}: column {column!r} holds values outside [{low:g}, {high:g}] {unit}. {mend}",
            first_rows([f"row {row[at]}: {values[at]:g} {unit}" for at in wrong]),
        )


def local_text(time_utc: np.datetime64) -> str:
    """Return a time as sentences show it, by the one clock of China."""
    return f"{np.datetime_as_string(time_utc + _CHINA, unit='m').replace('T', ' ')} (Asia/Shanghai)"


def first_rows(findings: Sequence[str]) -> list[str]:
    """Return the first findings and how many more there are."""
    more = [f"and {len(findings) - SHOWN_ROWS} more"] if len(findings) > SHOWN_ROWS else []
    return [*findings[:SHOWN_ROWS], *more]
