"""What goes to the terminal: one clear message and the right exit code, and JSON that any reader takes."""

import errno
import json
import os
import tempfile

import numpy as np
import pytest
import typer

from gridcheck import commands, terminal
from gridcheck.errors import ConfigError, LedgerError, NotConvergedError, SchemaError


def exit_code_of(error: BaseException) -> int:
    with pytest.raises(typer.Exit) as caught, terminal.friendly_errors():
        raise error
    return caught.value.exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SchemaError("wishes.csv: 1 fault.", ["row 3: [b]phase[/b] 'D'"]), 2),
        (ConfigError("base.toml is not valid."), 2),
        (LedgerError("out is no results folder."), 2),
        (NotConvergedError("3 cases have no solution."), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(error, code):
    assert exit_code_of(error) == code


def test_the_message_names_file_and_rows_and_nothing_else(capsys):
    exit_code_of(SchemaError("wishes.csv: 1 fault.", ["row 3: [b]phase[/b] 'D' must be one of A, B, C, ABC"]))

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == ("错误 Error: wishes.csv: 1 fault.\n  - row 3: [b]phase[/b] 'D' must be one of A, B, C, ABC\n")


def test_long_messages_are_not_broken_in_the_middle_of_a_path(capsys):
    path = "/".join(["folder"] * 30)
    exit_code_of(ConfigError(f"{path}/base.toml cannot be read."))

    assert f"{path}/base.toml cannot be read." in capsys.readouterr().err


def test_many_findings_are_cut(capsys):
    exit_code_of(SchemaError("wishes.csv: 45 faults.", [f"row {i}: x" for i in range(45)]))

    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].strip() == "... 15 more"
    assert len(lines) == 32


def test_tables_show_truth_in_words_and_cut_nothing(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    identity = "140881-F030-section-with-a-name-that-is-longer-than-the-screen-is-wide"

    headings = ["项目 item", "数值 [kW]"]
    terminal.print_table("net", headings, [["valid", True], ["id", identity], ["v", 30.985561073017113]])

    shown = capsys.readouterr().out
    assert "是 yes" in shown
    assert "30.98556" in shown
    assert "073017113" not in shown
    assert "数值 [kW]" in shown
    assert "…" not in shown
    assert "screen-is-wide" in shown


def test_a_fault_of_our_own_is_one_message_and_a_code_that_no_result_has(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    assert exit_code_of(ZeroDivisionError("division by zero")) == 70

    (details,) = tmp_path.iterdir()
    said = capsys.readouterr().err
    assert said.startswith("错误 Error: A fault of gridcheck, not of your input: ZeroDivisionError.")
    assert str(details) in said
    assert "Traceback" not in said
    assert "Traceback" in details.read_text(encoding="utf-8")
    assert "test_terminal.py" in details.read_text(encoding="utf-8")


def test_a_fault_is_told_even_where_nothing_can_be_written(capsys, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")

    assert exit_code_of(RuntimeError("lost")) == 70
    assert "It said: lost." in capsys.readouterr().err


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENAMETOOLONG, errno.EISDIR])
def test_what_the_file_system_refuses_is_one_message(capsys, code):
    assert exit_code_of(OSError(code, os.strerror(code), "place/report.html")) == 2

    assert f"place/report.html: {os.strerror(code)}." in capsys.readouterr().err


def test_lack_of_memory_is_no_result(capsys):
    assert exit_code_of(MemoryError()) == 3
    assert "--workers 1" in capsys.readouterr().err


def test_an_exit_on_purpose_goes_through():
    assert exit_code_of(typer.Exit(1)) == 1


def test_a_reader_that_has_gone_is_no_result(capsys):
    assert exit_code_of(BrokenPipeError(errno.EPIPE, "Broken pipe")) == 141
    assert capsys.readouterr().err == ""


def refuse(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")


def test_json_holds_no_numbers_that_are_none(capsys):
    content = {"a": float("nan"), "b": [1.5, float("-inf"), np.float64("nan")], "c": ("x", {"d": None}), "e": True}

    terminal.print_json(content)

    assert json.loads(capsys.readouterr().out, parse_constant=refuse) == {
        "a": None, "b": [1.5, None, None], "c": ["x", {"d": None}], "e": True,
    }  # fmt: skip


def test_json_keeps_chinese_and_paths(capsys, tmp_path):
    terminal.print_json({"county": "垣曲县", "out": tmp_path})

    shown = capsys.readouterr().out
    assert "垣曲县" in shown
    assert json.loads(shown)["out"] == str(tmp_path)


def test_progress_without_a_terminal_is_one_line_when_a_stage_is_done(capsys):
    with terminal.study_progress({"140827": "垣曲县 Yuanqu"}) as tell:
        tell("140827", "queue", 25, 100)
        tell("140827", "queue", 100, 100)
        tell("", "proof", 1, 1)

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("垣曲县 Yuanqu")
    assert lines[0].endswith("100/100")


def test_tables_are_for_people_and_go_to_standard_output(capsys):
    terminal.print_table("title", ["county", "households"], [["Yuanqu", 1234], ["total", 1234]], last_is_total=True)

    shown = capsys.readouterr()
    assert "1,234" in shown.out
    assert shown.err == ""


WARMER = {
    "counties": ["140827", "140881"], "worst_county": "140827", "lowest_file_c": -18.0, "lowest_c": -14.0,
    "mean_file_c": -13.0, "mean_c": -7.25,
}  # fmt: skip


def test_a_wave_that_warms_the_file_is_told_in_both_languages(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    weather = {"file": "own.csv", "read_as": [], "repairs": []}

    commands._show_weather(weather)
    assert "Note" not in capsys.readouterr().err
    commands._show_weather(weather | {"warmer_with_wave": WARMER})

    shown = capsys.readouterr().err
    for words in ("2 个县", "垣曲县 Yuanqu", "最低 -18.0 → -14.0 °C", "in 2 counties", 'weather.wave = "none"'):
        assert words in shown


def test_heaters_that_nobody_asks_for_are_told(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")

    commands._show_idle_models({})
    commands._show_idle_models({"Fan 72": 0, "Panel 2": 1})
    assert capsys.readouterr().err == ""
    commands._show_idle_models({"Fan 72": 0})

    assert "no application names a model of demand.devices" in capsys.readouterr().err
