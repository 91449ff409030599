"""Measured load comes with its gaps, referred to the rating of the transformer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dashboards.readings import measured_load, store_facts
from gridcheck.errors import LedgerError
from gridcheck.monitoring.ingest import ingest_file
from gridcheck.monitoring.store import ReadingsStore

AREA = "140881-A0001"


def _store(folder: Path) -> Path:
    lines = ["area_id,time,p_kw,q_kvar"]
    lines += [
        f"{AREA},2026-01-15 {hour:02d}:{minute:02d},{30 + hour},{40 if hour == 0 else ''}"
        for hour in range(24)
        for minute in (0, 15, 30, 45)
    ]
    del lines[1 + 4 * 5 : 1 + 4 * 6]  # nothing was measured from 05:00 to 06:00
    (folder / "day.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ingest_file(folder / "day.csv", ReadingsStore(folder / "readings"))
    return folder / "readings"


def test_loading_is_apparent_power_over_rating(tmp_path: Path) -> None:
    found = measured_load(_store(tmp_path), AREA, kva=100.0)

    assert found is not None
    assert found.table["time"].iloc[0].isoformat() == "2026-01-15T00:00:00"
    assert found.table["loading_percent"].iloc[0] == pytest.approx(50.0)  # 30 kW and 40 kvar are 50 kVA
    assert found.table["loading_percent"].iloc[-1] == pytest.approx(53.0)  # no reactive power measured: 53 kW alone


def test_hour_without_readings_is_a_gap_not_zero(tmp_path: Path) -> None:
    found = measured_load(_store(tmp_path), AREA, kva=100.0)

    assert found is not None
    assert len(found.table) == 96
    gap = found.table[found.table["time"].dt.hour == 5]
    assert np.isnan(gap["p_kw"]).all()
    assert found.table["p_kw"].isna().sum() == 4


def test_area_without_readings_has_none(tmp_path: Path) -> None:
    assert measured_load(_store(tmp_path), "140881-A0002", kva=100.0) is None


def test_mistyped_store_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="gridcheck ingest"):
        measured_load(tmp_path / "reedings", AREA, kva=100.0)
    assert not (tmp_path / "reedings").exists()


def test_facts_of_the_store(tmp_path: Path) -> None:
    assert store_facts(_store(tmp_path)) == {"days": "1", "newest": "2026-01-15"}
