"""Wrong input: one clear message that names file and place, exit code 2, and nothing written anywhere."""

import errno
import json
import os
import shutil
import socket
import tempfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from gridcheck import commands_networks
from gridcheck.network import read_county
from gridcheck.reports.place import held_place
from gridcheck.synthesis.applications import synthetic_applications
from tests.support.command_line import JIANG, YUANQU, changed_networks, content_of, county_folder, gridcheck
from tests.support.study_files import applications_csv, heaters_csv, station_csv


@pytest.fixture
def older(results_copy):
    """An older results folder, and what is in it."""
    return results_copy, content_of(results_copy)


def refused(older, *arguments: object) -> str:
    """Run into the place of an older results folder, expect exit code 2 and an untouched folder; return the message."""
    out, before = older
    result = gridcheck("run", *map(str, arguments), "--out", out)
    assert result.exit_code == 2, result.output
    assert content_of(out) == before
    assert [path.name for path in out.parent.iterdir() if path.name.startswith(".")] == []
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.count("错误 Error:") == 1
    return result.stderr


def scenario(tmp_path, text: str) -> str:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_an_unknown_county(older):
    message = refused(older, "--county", "140899")

    assert "--county: unknown county 140899" in message
    assert "study.counties" not in message
    assert "140827 垣曲县" in message


def test_a_scenario_that_is_not_there(older):
    assert "absent.toml cannot be read: No such file or directory" in refused(older, "absent.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[reinforcement]\nbudget_yaun = 12000000\n",
         "reinforcement.budget_yaun: unknown key; did you mean budget_yuan? Allowed: budget_yuan, fair_share"),
        ("[wether]\ndays = 3\n",
         "wether: unknown key; did you mean weather? Allowed: name, title_zh, title_en, study, weather"),
        ("[weather]\ndays = 0\n", "weather.days = 0: input should be greater than or equal to 1"),
        ("[weather]\nwave = \"W9\"\n", "weather.wave = 'W9': input should be 'none', 'W1', 'W2', 'W3' or 'W4'"),
        ("[study]\nseed = -1\n", "study.seed = -1: input should be greater than or equal to 0"),
        ("[study]\ncounties = [\"140899\"]\n", "study.counties: unknown county 140899. Allowed: 140802"),
        ("[limits.area_loading]\nvalue = 90\nsource = \"order\"\n", "area_loading: no such limit"),
        ("[limits.area_loading_percent]\nvalue = 90\n", "limits.area_loading_percent.source"),
        ("[limits.area_loading_percent]\nvalue = 90\nsource = \"order\"\nsauce = 1\n",
         "limits.area_loading_percent.sauce: unknown key; did you mean source? Allowed: value, source."),
        ("[weather\n", "is not readable TOML"),
    ],
)  # fmt: skip
def test_a_faulty_scenario(older, tmp_path, text, said):
    path = scenario(tmp_path, text)

    message = refused(older, path)

    assert path in message
    assert said in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[weather]\nfile = \"absent.epw\"\n", ["weather.file = 'absent.epw': no such file, neither"]),
        ("[weather]\nstart = 2026-01-15\nfile = \"gap.csv\"\n", ["gap.csv", "2026-01-08 00:00"]),
        ("[weather]\nstart = 2026-01-15\nfile = \"kelvin.csv\"\n", ["kelvin.csv", "temperature"]),
        ("[weather]\nstart = 2026-01-15\nfile = \"zone.csv\"\n", ["zone.csv", "row 2: '2026-01-05 00:00 CST'"]),
        ("[weather]\nstart = 2026-01-22\nfile = \"good.csv\"\n",
         ["good.csv holds 2026-01-05 to 2026-01-24", "5 days from 2026-01-22"]),
        ("[weather]\nstart = 2026-01-06\nfile = \"good.csv\"\n",
         ["good.csv holds 2026-01-05 to 2026-01-24", "10 days before them", "2025-12-27 to 2026-01-10"]),
        ("[demand]\ndevices = \"absent.csv\"\n", ["demand.devices = 'absent.csv': no such file"]),
        ("[demand]\ndevices = \"warm.csv\"\n", ["warm.csv", "row 2 ('Fan 50')", "no COP at -20 degC or colder"]),
        ("[demand]\ndevices = \"class.csv\"\n", ["class.csv", "model 'storage_heater': that is a class"]),
        ("[demand]\ndevices = \"heaters.csv\"\n[queue]\napplications = \"wishes.csv\"\n",
         ["wishes.csv", "row 2 (W0): device 'Fan 27' must be one of air_air_heat_pump", "Fan 72, Panel 2"]),
        ("[queue]\napplications = \"known.csv\"\n",
         ["row 2 (W0): device 'Fan 72' must be one of", "needs the table of your heaters, demand.devices"]),
        ("[demand]\npv_share = 1.5\n", ["demand.pv_share = 1.5: input should be less than or equal to 1"]),
        ("[demand]\npv_share = -0.1\n", ["demand.pv_share = -0.1: input should be greater than or equal to 0"]),
        ("[demand]\npv_kwp = -20.0\n", ["demand.pv_kwp = -20.0: input should be greater than or equal to 1"]),
        ("[demand]\npv_share = nan\n", ["demand.pv_share = nan"]),
    ],
)  # fmt: skip
def test_faulty_files_and_shares_of_the_users_own(older, tmp_path, text, said):
    files = tmp_path / "files"
    files.mkdir()
    good = station_csv(files / "good.csv").read_text(encoding="utf-8")
    station_csv(files / "gap.csv", without=date(2026, 1, 8))
    (files / "kelvin.csv").write_text(good.replace("temperature (C)", "temperature (furlong)"), encoding="utf-8")
    (files / "zone.csv").write_text(good.replace(":00,", ":00 CST,"), encoding="utf-8")
    heaters_csv(files / "heaters.csv")
    warm = heaters_csv(files / "warm.csv", ("Fan 50,air_air_heat_pump,5,1.4,2,1,,3.6,5,1.9,2.8,by hand",))
    warm.write_text(warm.read_text(encoding="utf-8").replace("_-25", "_-10"), encoding="utf-8")
    heaters_csv(files / "class.csv", ("storage_heater,resistive_heater,2,2,2,1,,,,,,by hand",))
    applications_csv(files / "wishes.csv", YUANQU, ("Fan 27", "Fan 28"))
    applications_csv(files / "known.csv", YUANQU, ("Fan 72",))

    message = " ".join(refused(older, scenario(files, text), "--county", YUANQU).split())

    for part in said:
        assert part in message


def close_tie(table: pd.DataFrame) -> None:
    table.loc[table.index[~table["closed"]][0], "closed"] = True


def cut_line(table: pd.DataFrame) -> None:
    table.loc[5, "in_service"] = False


def forget_rating(table: pd.DataFrame) -> None:
    table.loc[7, "max_i_ka"] = None


def volts_for_kilovolts(table: pd.DataFrame) -> None:
    table["vn_kv"] = table["vn_kv"] * 1000.0


def kva_for_mva(table: pd.DataFrame) -> None:
    table.loc[3:, "sn_mva"] = table.loc[3:, "sn_mva"] * 1000.0


def negative_length(table: pd.DataFrame) -> None:
    table.loc[11, "length_km"] = -0.4


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("switch", close_tie, ["must be radial as switched", "closes a loop between buses"]),
        ("line", cut_line, ["must be radial as switched", "is not connected to any source"]),
        ("line", forget_rating, ["line 7: max_i_ka", "greater than 0"]),
        ("line", negative_length, ["line 11: length_km", "greater than 0"]),
        ("bus", volts_for_kilovolts, ["trafo 0: vn_hv_kv", "does not match", "vn_kv 10000"]),
        ("trafo", kva_for_mva, ["areas.csv", "kva"]),
    ],
    ids=["loop", "island", "missing_rating", "negative_length", "volts_for_kilovolts", "kva_for_mva"],
)
def test_a_faulty_network(older, tmp_path, table, change, said):
    networks = changed_networks(tmp_path, YUANQU, table, change)

    message = refused(older, "--county", YUANQU, "--networks", networks)

    assert f"{networks / county_folder(YUANQU).name}" in message
    for part in said:
        assert part in message


def test_a_county_without_a_folder(older, tmp_path):
    (tmp_path / "networks").mkdir()

    message = refused(older, "--county", YUANQU, "--networks", tmp_path / "networks")

    assert "must hold exactly one folder 140827-<name>" in message


@pytest.fixture(scope="module")
def queue() -> pd.DataFrame:
    grid = read_county(county_folder(YUANQU))
    return synthetic_applications(YUANQU, grid.areas, grid.heating, seed=1)


def applications(tmp_path, table: pd.DataFrame) -> str:
    path = tmp_path / "wishes.csv"
    table.to_csv(path, index=False)
    return scenario(tmp_path, f'[queue]\napplications = "{path.as_posix()}"\n')


def test_applications_without_a_column(older, tmp_path, queue):
    message = refused(older, applications(tmp_path, queue.drop(columns="phase")), "--county", YUANQU)

    assert "wishes.csv: columns are missing." in message
    assert "column phase (相别); expected application_id (申请编号), county_code (县)" in message


def test_applications_of_a_county_that_is_not_studied(older, tmp_path, queue):
    message = refused(older, applications(tmp_path, queue), "--county", JIANG)

    assert "none of 100 applications can be studied" in message
    assert "row 2 (140827-P00001): county_code '140827'; studied: 140826" in message


def test_an_application_file_that_is_not_there(older, tmp_path):
    path = scenario(tmp_path, '[queue]\napplications = "nowhere.csv"\n')

    assert "nowhere.csv cannot be read as a table of applications" in refused(older, path, "--county", YUANQU)


def test_a_new_place_is_not_even_made(tmp_path):
    result = gridcheck("run", "--county", "140899", "--out", tmp_path / "new" / "out")

    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work", encoding="utf-8")

    result = gridcheck("run", "--county", YUANQU, "--out", tmp_path)

    assert result.exit_code == 2
    assert "is no results folder; it is left alone" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_place_where_another_run_writes(older):
    with held_place(older[0]):
        result = gridcheck("run", "--county", YUANQU, "--out", older[0])

    assert result.exit_code == 2
    assert "Another run is writing to" in result.stderr
    assert content_of(older[0]) == older[1]


def test_wrong_options_are_refused(tmp_path):
    assert gridcheck("run", "--workers", "0").exit_code == 2
    assert gridcheck("run", "--contry", YUANQU).exit_code == 2
    assert gridcheck("alarms", "--day", "23.01.2026").exit_code == 2


@pytest.mark.parametrize(
    ("command", "table", "change", "said"),
    [
        ("n-1", "switch", close_tie, "radial"),
        ("n-1", "line", forget_rating, "line 7: max_i_ka"),
        ("powerflow", "line", forget_rating, "line 7: max_i_ka"),
    ],
    ids=["n-1_loop", "n-1_missing_rating", "powerflow_missing_rating"],
)
def test_a_faulty_network_file(tmp_path, command, table, change, said):
    networks = changed_networks(tmp_path, YUANQU, table, change)

    result = gridcheck(command, networks / county_folder(YUANQU).name / "network.json")

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_loop_is_no_fault_for_the_load_flow(tmp_path):
    networks = changed_networks(tmp_path, YUANQU, "switch", close_tie)

    result = gridcheck("powerflow", networks / county_folder(YUANQU).name / "network.json", "--json")

    assert result.exit_code in (0, 1)
    assert json.loads(result.stdout)["converged"]


def test_validate_names_what_is_wrong_with_a_folder(tmp_path):
    networks = changed_networks(tmp_path, YUANQU, "switch", close_tie)

    bad = gridcheck("networks", "validate", networks / county_folder(YUANQU).name)
    good = gridcheck("networks", "validate", county_folder(YUANQU), "--json")

    assert (bad.exit_code, good.exit_code) == (2, 0)
    assert "closes a loop" in bad.stderr
    assert '"areas": 440' in good.stdout


def test_a_folder_that_lost_a_file(tmp_path):
    folder = shutil.copytree(county_folder(YUANQU), tmp_path / "county")
    (folder / "feeders.csv").unlink()

    result = gridcheck("networks", "validate", folder)

    assert result.exit_code == 2
    assert "feeders.csv is missing" in result.stderr


def refuse_to_make(monkeypatch, part: str) -> None:
    """Let every folder or file below a folder of this name be refused, as on a disk that is full."""
    make, opened = Path.mkdir, Path.open

    def no_mkdir(self, *arguments, **options):
        if part in self.parts[:-1]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        return make(self, *arguments, **options)

    def no_open(self, mode="r", *arguments, **options):
        if part in self.parts[:-1] and not mode.startswith("r"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        return opened(self, mode, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", no_mkdir)
    monkeypatch.setattr(Path, "open", no_open)


def one_message(result) -> str:
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stderr.count("错误 Error:") == 1
    return result.stderr


def test_a_full_disk_is_one_message_and_leaves_no_empty_folder(tmp_path, monkeypatch, yuanqu):
    refuse_to_make(monkeypatch, "full")
    network = county_folder(YUANQU) / "network.json"
    readings = tmp_path / "day.csv"
    readings.write_text("area_id,time,p_kw\n140827-A0001,2026-01-23 00:15,1.0\n", encoding="utf-8")
    target = tmp_path / "full"

    for command in (
        ("n-1", network, "--out", target),
        ("networks", "build", "--county", YUANQU, "--out", target),
        ("explain", f"{YUANQU}-P00003", "--results", yuanqu, "--out", target),
        ("ingest", readings, "--store", target / "store", "--time-label", "end"),
        ("sample-readings", target / "week.csv"),
    ):
        assert "No space left on device" in one_message(gridcheck(*command)), command
        assert not target.exists(), command


def test_a_file_in_the_way_is_one_message(tmp_path):
    (tmp_path / "file").touch()

    said = one_message(gridcheck("n-1", county_folder(YUANQU) / "network.json", "--out", tmp_path / "file" / "sub"))

    assert "file" in said
    assert "is a folder. Name a file" in one_message(gridcheck("sample-readings", tmp_path))


def test_a_time_label_that_is_none(tmp_path):
    (tmp_path / "day.csv").write_text("area_id,time,p_kw\n", encoding="utf-8")

    result = gridcheck("ingest", tmp_path / "day.csv", "--store", tmp_path / "store", "--time-label", "foo")

    assert "time_label is 'foo', allowed are auto, start, end." in one_message(result)


@pytest.mark.parametrize("host", ["127.0.0.1", "999.1.1.1"])
def test_an_address_that_cannot_be_served(host):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        said = one_message(gridcheck("serve", "--host", host, "--port", str(port)))

    assert f"Nothing can be served on {host}:{port}: " in said
    assert "http://" not in said


def test_a_fault_of_the_program_is_not_taken_for_a_result(monkeypatch, tmp_path):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(commands_networks, "validate_network", fail)

    result = gridcheck("networks", "validate", county_folder(YUANQU))

    assert result.exit_code == 70
    assert "A fault of gridcheck, not of your input: ZeroDivisionError" in result.stderr
