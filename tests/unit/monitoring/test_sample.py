from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from gridcheck.errors import InputError
from gridcheck.monitoring import MeterModel, ReadingsStore, TrueCurves, ingest_file, write_sample_week
from tests.support.readings import DAY, MIDNIGHT_UTC

N_AREA = 40
WEEK = MIDNIGHT_UTC + np.arange(672) * np.timedelta64(15, "m")
LAST_DAY = DAY + pd.Timedelta(days=6).to_pytimedelta()


def true_curves(n_time: int = 672) -> TrueCurves:
    hour = np.arange(n_time)[:, None] % 96 / 4
    kva = np.where(np.arange(N_AREA) % 2, 200.0, 400.0)
    p_kw = kva * (0.5 + 0.3 * np.sin(hour / 24 * 2 * np.pi + np.arange(N_AREA)))
    return TrueCurves(
        area_ids=tuple(f"140881-A{n:04d}" for n in range(N_AREA)),
        kva=kva,
        time_utc=WEEK[:n_time],
        p_kw=p_kw,
        voltage_v=228 - 15 * p_kw / kva,
    )


@pytest.mark.parametrize("layout", ["long", "wide"])
def test_what_is_written_is_what_is_read(tmp_path: Path, layout: Literal["long", "wide"]) -> None:
    curves = true_curves()
    sample = write_sample_week(tmp_path / "week.csv", curves, seed=7, layout=layout)
    store = ReadingsStore(tmp_path / "store")

    report = ingest_file(tmp_path / "week.csv", store, area_ids=curves.area_ids)
    readings = store.read(DAY, LAST_DAY)

    assert (report.rows_rejected, report.synthetic, report.rows_read) == (0, True, sample.n_row)
    assert report.readings == (~sample.lost).sum()
    area = pd.Index(curves.area_ids).get_indexer(readings["area_id"])
    time = np.searchsorted(WEEK, readings["time_utc"].to_numpy())
    found = np.zeros(sample.lost.shape, dtype=bool)
    found[time, area] = True
    np.testing.assert_array_equal(found, ~sample.lost)
    true = ~sample.stuck[time, area]
    error = readings["p_kw"].to_numpy() / curves.p_kw[time, area] - 1
    assert np.abs(error[true]).max() < 0.05
    assert np.abs(error[true]).mean() > 0.001
    phases = readings[["voltage_a_v", "voltage_b_v", "voltage_c_v"]].to_numpy()
    assert np.abs(phases.mean(axis=1) - curves.voltage_v[time, area])[true].max() < 1.5
    assert np.ptp(phases, axis=1).mean() > 1
    assert readings["synthetic"].all()


def test_both_layouts_hold_the_same_readings(tmp_path: Path) -> None:
    stores = []
    for layout in ("long", "wide"):
        write_sample_week(tmp_path / f"{layout}.csv", true_curves(), seed=3, layout=layout)  # type: ignore[arg-type]
        stores.append(ReadingsStore(tmp_path / layout))
        ingest_file(tmp_path / f"{layout}.csv", stores[-1])

    pd.testing.assert_frame_equal(stores[0].read(DAY, LAST_DAY), stores[1].read(DAY, LAST_DAY))


def test_the_seed_decides_every_byte(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sample_week(tmp_path / name, true_curves(96), seed=seed)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_every_row_says_synthetic(tmp_path: Path) -> None:
    write_sample_week(tmp_path / "f.csv", true_curves(96), seed=1)

    header, *rows = (tmp_path / "f.csv").read_text(encoding="utf-8").splitlines()
    assert header.endswith(",synthetic")
    assert all(row.endswith(",synthetic") for row in rows)


def test_faults_come_as_often_as_asked(tmp_path: Path) -> None:
    never = MeterModel(lost_point_percent=0, lost_stretch_percent=0, lost_day_percent=0, stuck_percent=0)
    often = MeterModel(lost_point_percent=0, lost_stretch_percent=0, lost_day_percent=100, stuck_percent=0)
    stuck = MeterModel(lost_point_percent=0, lost_stretch_percent=0, lost_day_percent=0, stuck_percent=100)

    written = [
        write_sample_week(tmp_path / "f.csv", true_curves(), seed=1, meters=model) for model in (never, often, stuck)
    ]

    assert not written[0].lost.any()
    assert not written[0].stuck.any()
    assert (written[1].n_row, written[1].lost.all()) == (0, True)
    # Every area is stuck once a day, for 3 to 11 repeats, fewer where the day ends.
    assert 3 < written[2].stuck.sum() / (N_AREA * 7) < 11


def test_stuck_readings_repeat_the_one_before(tmp_path: Path) -> None:
    model = MeterModel(lost_point_percent=0, lost_stretch_percent=0, lost_day_percent=0, stuck_percent=100)
    sample = write_sample_week(tmp_path / "f.csv", true_curves(96), seed=1, meters=model)
    power = pd.read_csv(tmp_path / "f.csv").pivot_table(index="time", columns="area_id", values="p_kw").to_numpy()

    same = power[1:] == power[:-1]
    assert same[sample.stuck[1:]].all()
    assert same[~sample.stuck[1:]].mean() < 0.01


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(WEEK[:4] + np.timedelta64(1, "m"), id="off the grid"),
        pytest.param(WEEK[[0, 1, 3, 4]], id="a gap"),
        pytest.param(WEEK[[1, 0, 2, 3]], id="out of order"),
    ],
)
def test_times_must_be_quarter_hours_without_gaps(times: np.ndarray) -> None:
    with pytest.raises(InputError, match="quarter hours"):
        TrueCurves(area_ids=("A",), kva=np.ones(1), time_utc=times, p_kw=np.ones((4, 1)), voltage_v=np.ones((4, 1)))


def test_curves_must_be_finite() -> None:
    with pytest.raises(InputError, match="p_kw must be finite"):
        TrueCurves(
            area_ids=("A",), kva=np.ones(1), time_utc=WEEK[:1], p_kw=np.array([[np.nan]]), voltage_v=np.ones((1, 1))
        )
