"""The load curve of every area: one Parquet file, written county by county, read one area at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gridcheck.arrays import FloatArray, frozen
from gridcheck.errors import InputError, LedgerError
from gridcheck.reports.schemas import STEP_MINUTES

CURVES_FILE = "curves.parquet"
METADATA_KEY = b"gridcheck"

# Curves are for looking at: a tenth of a kW and of a percent, as meters deliver, takes a quarter of the space.
_DECIMALS = 1

# Small row groups let a reader fetch one area without reading a county: statistics of area_id skip the others.
_ROWS_PER_GROUP = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveTime:
    """When the steps of all curves are.

    Attributes
    ----------
    start_utc : Timestamp
        Start of the first step, UTC.
    n_step : int
        Number of steps.
    step_minutes : int
        Length of a step. [min]
    synthetic : bool
        Whether the curves come from synthetic grids or weather.
    """

    start_utc: pd.Timestamp
    n_step: int
    step_minutes: int = STEP_MINUTES
    synthetic: bool = True

    def index_utc(self) -> pd.DatetimeIndex:
        """Start of each step, UTC."""
        return pd.date_range(self.start_utc, periods=self.n_step, freq=f"{self.step_minutes}min")

    def to_json(self) -> bytes:
        """Content of the Parquet metadata under `METADATA_KEY`."""
        start = self.start_utc.tz_convert("UTC").isoformat().replace("+00:00", "Z")
        content = {
            "n_step": self.n_step,
            "start_utc": start,
            "step_minutes": self.step_minutes,
            "synthetic": self.synthetic,
        }
        return json.dumps(content, sort_keys=True).encode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaCurve:
    """The curve of one area.

    Attributes
    ----------
    area_id, county_code : str
        Which area.
    time : CurveTime
        When the steps are.
    p_kw, loading_percent : ndarray, shape (n_step,)
        Load and transformer loading; NaN where the case was not solved or not supplied. [kW], [%]
    """

    area_id: str
    county_code: str
    time: CurveTime
    p_kw: FloatArray
    loading_percent: FloatArray

    def __post_init__(self) -> None:
        for name in ("p_kw", "loading_percent"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, (self.time.n_step,), name=name))


class CurveWriter:
    """Writes the curves of one county after another, so that no more than one county is held in memory.

    Use as a context manager. Areas of one call are stored sorted by id.
    """

    def __init__(self, path: Path, time: CurveTime) -> None:
        self._time = time
        self._schema = pa.schema(
            [
                ("area_id", pa.string()),
                ("county_code", pa.string()),
                ("p_kw", pa.list_(pa.float32())),
                ("loading_percent", pa.list_(pa.float32())),
            ],
            metadata={METADATA_KEY: time.to_json()},
        )
        # Measured on a whole city: a third smaller than with dictionaries, and faster to write.
        self._file = pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            use_dictionary=["county_code"],
            use_byte_stream_split=["p_kw.list.element", "loading_percent.list.element"],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, county_code: str, area_id: list[str], p_kw: FloatArray, loading_percent: FloatArray) -> None:
        """Add the areas of one county.

        Parameters
        ----------
        county_code : str
            The county of all these areas.
        area_id : list of str
            The ids, one per row of the arrays.
        p_kw, loading_percent : ndarray, shape (n_area, n_step)
            Load and transformer loading. [kW], [%]

        Raises
        ------
        InputError
            If the shapes are not (n_area, n_step).
        """
        shape = (len(area_id), self._time.n_step)
        for name, values in (("p_kw", p_kw), ("loading_percent", loading_percent)):
            if values.shape != shape:
                raise InputError(f"{name} of county {county_code} must have shape {shape}. Got {values.shape}.")
        order = np.argsort(np.array(area_id, dtype=object), kind="stable")
        table = pa.table(
            [
                pa.array([area_id[i] for i in order], pa.string()),
                pa.array([county_code] * len(area_id), pa.string()),
                _list_array(p_kw[order]),
                _list_array(loading_percent[order]),
            ],
            schema=self._schema,
        )
        self._file.write_table(table, row_group_size=_ROWS_PER_GROUP)


def _list_array(values: FloatArray) -> pa.ListArray:
    n_row, n_step = values.shape
    offsets = pa.array(np.arange(n_row + 1, dtype=np.int32) * n_step, pa.int32())
    return pa.ListArray.from_arrays(
        offsets, pa.array(np.round(values.ravel(), _DECIMALS).astype(np.float32), pa.float32())
    )


def read_curve_time(path: Path) -> CurveTime:
    """Read when the curves of a file are.

    Raises
    ------
    LedgerError
        If the file is missing, is no Parquet file, or does not say when its curves start.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
        content = json.loads(metadata[METADATA_KEY])
        return CurveTime(
            start_utc=pd.Timestamp(content["start_utc"]).tz_convert("UTC"),
            n_step=int(content["n_step"]),
            step_minutes=int(content["step_minutes"]),
            synthetic=bool(content["synthetic"]),
        )
    except FileNotFoundError as error:
        raise LedgerError(f"{path} is missing. Run `gridcheck run` again; it writes the folder whole.") from error
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError) as error:
        raise LedgerError(
            f"{path} is not a curve file of gridcheck: {error!r}. It needs the metadata "
            "'gridcheck' with start_utc, step_minutes, n_step and synthetic."
        ) from error


def read_curve(path: Path, area_id: str) -> AreaCurve | None:
    """Read the curve of one area; None where the file holds no such area.

    Raises
    ------
    LedgerError
        If the file cannot be read.
    """
    time = read_curve_time(path)
    try:
        table = pq.read_table(path, filters=[("area_id", "=", area_id)])
        if table.num_rows == 0:
            return None
        row = table.slice(0, 1)
        return AreaCurve(
            area_id=area_id,
            county_code=row["county_code"][0].as_py(),
            time=time,
            p_kw=_first_list(row, "p_kw"),
            loading_percent=_first_list(row, "loading_percent"),
        )
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise LedgerError(f"{path} cannot be read as a curve file: {error}. Run `gridcheck run` again.") from error


def _first_list(row: pa.Table, name: str) -> FloatArray:
    flat: FloatArray = row[name].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return flat
