"""A folder for other people appears whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gridcheck.reports.export_folder as module
from gridcheck.errors import LedgerError
from gridcheck.locks import locked
from gridcheck.reports.export_folder import MANIFEST_FILE, exported_folder


def fill(out: Path, name: str, content: str = "x") -> None:
    with exported_folder(out, "letters", synthetic=True) as folder:
        (folder / name).write_text(content)


def fill_and_fail(out: Path) -> None:
    with exported_folder(out, "letters", synthetic=True) as folder:
        (folder / "b").write_text("y")
        raise RuntimeError


def test_nothing_is_there_before_the_end(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with exported_folder(out, "letters", synthetic=False) as folder:
        (folder / "a").write_text("x")
        assert not out.exists()
    content = json.loads((out / MANIFEST_FILE).read_bytes())
    assert (content["gridcheck_export"], content["synthetic"], list(content["files"])) == ("letters", False, ["a"])


def test_what_fails_leaves_the_former_folder_and_nothing_else(tmp_path: Path) -> None:
    fill(tmp_path / "out", "a")
    with pytest.raises(RuntimeError):
        fill_and_fail(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", MANIFEST_FILE]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with pytest.raises(RuntimeError):
        fill_and_fail(tmp_path / "new" / "out")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_former_folder_is_replaced_as_a_whole(
    tmp_path: Path, *, can_exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_exchange:
        monkeypatch.setattr(module, "exchange", lambda *_: False)
    fill(tmp_path / "out", "a")
    fill(tmp_path / "out", "b")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b", MANIFEST_FILE]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_folders_of_another_kind_are_left_alone(tmp_path: Path) -> None:
    fill(tmp_path / "out", "a")
    with (
        pytest.raises(LedgerError, match="gridcheck capacity"),
        exported_folder(tmp_path / "out", "capacity", synthetic=True),
    ):
        pass
    (tmp_path / "out" / "sub").mkdir()
    with pytest.raises(LedgerError, match="sub"):
        fill(tmp_path / "out", "a")
    (tmp_path / "file").write_text("x")
    with pytest.raises(LedgerError, match="is a file"):
        fill(tmp_path / "file", "a")


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / ".out.lock", timeout_s=0.0, temporary=True), pytest.raises(LedgerError, match="Another run"):
        fill(tmp_path / "out", "a")
    fill(tmp_path / "out", "a")


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out", "a")
    assert (tmp_path / "out" / "a").is_file()
