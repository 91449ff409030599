"""Curves go into one file county by county and come out one area at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gridcheck.errors import InputError, LedgerError
from gridcheck.reports.area_figures import curve_days, curve_table, loading_curve
from gridcheck.reports.curves import CurveTime, CurveWriter, read_curve, read_curve_time
from gridcheck.reports.totals import Thresholds

TIME = CurveTime(start_utc=pd.Timestamp("2026-01-14T16:00:00Z"), n_step=192)
LIMITS = Thresholds(heavy_percent=80.0, overload_percent=100.0, low_voltage_v=198.0)


def _write(path: Path) -> None:
    ramp = np.arange(192, dtype=float)
    with CurveWriter(path, TIME) as writer:
        writer.write("140881", ["140881-A0002", "140881-A0001"], np.stack([ramp, 2 * ramp]), np.stack([ramp / 2, ramp]))
        writer.write("140802", ["140802-A0001"], np.full((1, 192), np.nan), np.full((1, 192), np.nan))


def test_one_area_is_found_among_several_counties(tmp_path: Path) -> None:
    _write(tmp_path / "curves.parquet")

    curve = read_curve(tmp_path / "curves.parquet", "140881-A0001")

    assert curve is not None
    assert curve.county_code == "140881"
    np.testing.assert_array_equal(curve.p_kw, 2 * np.arange(192))
    np.testing.assert_array_equal(curve.loading_percent, np.arange(192))
    assert not curve.p_kw.flags.writeable


def test_unsolved_times_stay_nan(tmp_path: Path) -> None:
    _write(tmp_path / "curves.parquet")

    curve = read_curve(tmp_path / "curves.parquet", "140802-A0001")

    assert curve is not None
    assert np.isnan(curve.p_kw).all()


def test_unknown_area_has_no_curve(tmp_path: Path) -> None:
    _write(tmp_path / "curves.parquet")

    assert read_curve(tmp_path / "curves.parquet", "140881-A9999") is None


def test_file_says_when_it_starts_and_that_it_is_synthetic(tmp_path: Path) -> None:
    _write(tmp_path / "curves.parquet")

    assert read_curve_time(tmp_path / "curves.parquet") == TIME
    assert TIME.synthetic
    assert pq.read_schema(tmp_path / "curves.parquet").names == ["area_id", "county_code", "p_kw", "loading_percent"]


def test_wrong_shape_is_refused(tmp_path: Path) -> None:
    with (
        CurveWriter(tmp_path / "curves.parquet", TIME) as writer,
        pytest.raises(InputError, match=r"loading_percent of county 140881 must have shape \(1, 192\)"),
    ):
        writer.write("140881", ["140881-A0001"], np.zeros((1, 192)), np.zeros((1, 96)))


def test_foreign_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")

    with pytest.raises(LedgerError, match="start_utc"):
        read_curve_time(tmp_path / "x.parquet")


def test_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"not parquet at all")

    with pytest.raises(LedgerError, match="not a curve file"):
        read_curve_time(tmp_path / "x.parquet")


def test_points_are_labelled_by_their_start_in_local_time(tmp_path: Path) -> None:
    _write(tmp_path / "curves.parquet")
    curve = read_curve(tmp_path / "curves.parquet", "140881-A0001")
    assert curve is not None

    days, second_day = curve_days(curve), curve_table(curve, "2026-01-16")

    assert days == ("2026-01-15", "2026-01-16")
    assert len(second_day) == 96
    assert second_day["time"].iloc[0] == pd.Timestamp("2026-01-16 00:00")
    assert second_day["p_kw"].iloc[0] == 192.0


def test_chart_has_rating_heavy_line_and_gaps_instead_of_zeros(tmp_path: Path) -> None:
    _write(tmp_path / "curves.parquet")
    curve = read_curve(tmp_path / "curves.parquet", "140881-A0001")
    assert curve is not None
    table = curve_table(curve)
    table.loc[10:20, "loading_percent"] = np.nan

    figure = loading_curve(table, LIMITS, "zh")

    by_colour = {trace.line.color: trace for trace in figure.data if trace.line.color}
    assert sorted({float(trace.y[0]) for trace in figure.data if len(set(trace.y)) == 1}) == [80.0, 100.0]
    drawn = np.asarray(by_colour["#24587e"].y, dtype=float)
    assert np.isnan(drawn[10:21]).all()
    assert not by_colour["#24587e"].connectgaps
    assert figure.layout.yaxis.range[1] > 191.0
