"""A run with weather, heaters and roofs of the planner's own, and its evidence."""

import json
import shutil

import pandas as pd
import pytest

from tests.support.command_line import YUANQU, county_folder, gridcheck
from tests.support.study_files import applications_csv, heaters_csv, station_csv

TEXT = """name = "own"
[weather]
start = 2026-01-15
days = 1
wave = "none"
file = "station.csv"
[demand]
devices = "heaters.csv"
pv_share = 0.2
pv_kwp = 10.0
[queue]
applications = "wishes.csv"
"""
DEVICES = ("Fan 72", "Panel 2", "air_air_heat_pump", "Panel 2")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The folder of the files, with the results in ``out``, and what the run printed."""
    folder = tmp_path_factory.mktemp("own")
    station_csv(folder / "station.csv")
    heaters_csv(folder / "heaters.csv")
    applications_csv(folder / "wishes.csv", YUANQU, DEVICES)
    (folder / "own.toml").write_text(TEXT, encoding="utf-8")
    result = gridcheck("run", folder / "own.toml", "--county", YUANQU, "--out", folder / "out")
    assert result.exit_code in (0, 1), result.output
    return folder, result.stdout


def summary_of(folder) -> dict:
    return json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))


def test_decisions_keep_what_the_applications_say_and_the_flag_of_the_model(own):
    folder, _ = own
    table = pd.read_csv(folder / "out" / "decisions.csv", keep_default_na=False)

    assert tuple(table["device"]) == DEVICES
    assert ["discouraged_device" in cell for cell in table["conditions"]] == [False, True, False, True]


def test_the_summary_repeats_keys_files_and_what_was_read(own):
    folder, printed = own
    summary = summary_of(folder)

    assert summary["scenario"]["weather"]["file"] == (folder / "station.csv").as_posix()
    assert summary["scenario"]["demand"]["devices"] == (folder / "heaters.csv").as_posix()
    assert (summary["scenario"]["demand"]["pv_share"], summary["scenario"]["demand"]["pv_kwp"]) == (0.2, 10.0)
    assert {"station.csv", "heaters.csv", "wishes.csv"} < set(summary["inputs"])
    assert summary["models"] == {"Fan 72": 1, "Panel 2": 2}
    assert summary["weather"]["synthetic"] is False
    assert summary["weather"]["repairs"] == []
    assert summary["synthetic"] is True
    assert {"one_weather_file", "rooftop_pv"} < set(summary["limits_of_model"])
    assert "one_cold_wave" not in summary["limits_of_model"]
    assert "天气 weather" in printed
    assert "read as" in printed


def test_reports_do_not_call_the_weather_synthetic(own):
    folder, _ = own
    report = (folder / "out" / "report.html").read_text(encoding="utf-8")

    assert "the weather is that of an imported file" in report
    assert "grids, applications and weather are generated" not in report


def test_roofs_are_no_heated_homes(own):
    """Homes with electric heating are those of the grid's table and the approved applications, not the roofs."""
    folder, _ = own
    found = pd.read_csv(folder / "out" / "areas.csv").set_index("area_id")["electric_households"]
    approved = pd.read_csv(folder / "out" / "decisions.csv").query("verdict != 'defer'")["area_id"]
    heating = pd.read_csv(county_folder(YUANQU) / "heating.csv").query("layer in ['existing', 'key_area_2025']")
    expected = heating.groupby("area_id")["households"].sum().reindex(found.index, fill_value=0)
    expected = expected.add(approved.value_counts(), fill_value=0).reindex(found.index)

    assert len(approved) > 0
    assert found.tolist() == expected.round().astype(int).tolist()


@pytest.mark.parametrize("identifier", ["W0", "W1"])
def test_the_evidence_is_that_of_the_run(own, tmp_path, identifier):
    folder, _ = own
    row = pd.read_csv(folder / "out" / "decisions.csv").set_index("application_id").loc[identifier]

    result = gridcheck("explain", identifier, "--results", folder / "out", "--out", tmp_path / "evidence", "--json")

    assert result.exit_code == 0, result.output
    statement = json.loads(result.stdout)
    assert statement["device"] == row["device"]
    assert statement["binding_value"] == pytest.approx(row["binding_value"], abs=0.0006)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("station.csv", lambda path: path.write_text(path.read_text() + "\n"), "station.csv has changed since"),
        ("heaters.csv", lambda path: path.unlink(), "the file is gone since"),
        ("wishes.csv", lambda path: path.write_text(path.read_text() + "\n"), "wishes.csv has changed since"),
    ],
)
def test_no_evidence_from_files_that_are_not_those_of_the_run(own, tmp_path, name, change, said):
    folder, _ = own
    kept = shutil.copy(folder / name, tmp_path / name)
    try:
        change(folder / name)
        result = gridcheck("explain", "W0", "--results", folder / "out", "--out", tmp_path / "evidence")
    finally:
        shutil.copy(kept, folder / name)

    assert result.exit_code == 2
    assert said in result.stderr.replace("\n", " ")
    assert not (tmp_path / "evidence").exists()
