"""The place of results is checked before anything is computed, held by one run, and never empty in between."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dashboards.settings import Settings
from dashboards.store import ResultsStore
from gridcheck.errors import GridcheckError, LedgerError
from gridcheck.reports import place as place_module
from gridcheck.reports.folder import publish, read_results
from gridcheck.reports.place import evidence_folder, exchange, former_folder, held_place
from tests.support.command_line import ROOT, content_of
from tests.support.results import Sample, write_sample_results

no_exchange = pytest.mark.parametrize("can_exchange", [True, False], ids=["exchange", "two_renames"])


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return write_sample_results(tmp_path / "work", Sample(seed=7))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_sample_results(tmp_path / "out")


def seed_of(folder: Path) -> int:
    return int(read_results(folder).summary["scenario"]["seed"])


def without_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place_module, "exchange", lambda _first, _second: False)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is a call of Linux")
def test_two_folders_change_places_in_one_step(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()

    assert exchange(tmp_path / "a", tmp_path / "b")
    assert (names(tmp_path / "a"), names(tmp_path / "b")) == (["b"], ["a"])
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "nowhere")


@no_exchange
def test_new_results_take_the_place_of_the_former(out, new, tmp_path, monkeypatch, can_exchange) -> None:
    if not can_exchange:
        without_exchange(monkeypatch)

    publish(new, out)

    assert seed_of(out) == 7
    assert names(tmp_path) == ["out"]


_KILLED = """
import os, signal, sys
from pathlib import Path
from gridcheck.reports import place
from gridcheck.reports.folder import publish
place.exchange = lambda first, second: False
rename = Path.rename
def killing(self, target):
    if self.name == "work":
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
Path.rename = killing
publish(Path("work"), Path("out"))
"""


def kill_between_the_renames(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED], check=False, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == -signal.SIGKILL
    assert not (folder / "out").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_a_killed_run_and_a_failed_one_lose_nothing(out, new, tmp_path) -> None:
    store = ResultsStore(Settings(results=out))
    seed, version = seed_of(out), store.version()
    kill_between_the_renames(tmp_path)

    # Readers find the former results.
    assert seed_of(out) == seed
    assert store.results().curves_path.is_file()
    assert store.version() != version

    with pytest.raises(ZeroDivisionError), held_place(out):
        raise ZeroDivisionError
    assert out.is_dir()
    assert seed_of(out) == seed
    assert names(tmp_path) == ["out", "work"]
    assert store.results().curves_path == out / "curves.parquet"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_stops_between_two_renames_brings_the_former_back(out, new, monkeypatch, error) -> None:
    without_exchange(monkeypatch)
    before, rename = content_of(out), Path.rename

    def stopping(self: Path, target: Path) -> Path:
        if self == new:
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stopping)

    with pytest.raises(error):
        publish(new, out)
    assert content_of(out) == before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_ctrl_c_while_the_former_goes_comes_too_late(out, new, tmp_path, monkeypatch) -> None:
    remove = shutil.rmtree

    def interrupted(path: Path, **options: bool) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        remove(path, **options)

    monkeypatch.setattr(place_module.shutil, "rmtree", interrupted)

    publish(new, out)

    assert seed_of(out) == 7
    assert names(tmp_path) == ["out"]


def test_what_explain_wrote_moves_along(out, new) -> None:
    (out / "evidence" / "P1").mkdir(parents=True)
    (out / "evidence" / "P1" / "evidence.json").write_text("{}", encoding="utf-8")

    publish(new, out)

    assert seed_of(out) == 7
    assert (out / "evidence" / "P1" / "evidence.json").read_text(encoding="utf-8") == "{}"


@pytest.mark.parametrize(
    "content", ["{}", "[]", '{"files": {}}', '{"gridcheck_version": "1", "files": 3}', "no", "[" * 99999]
)
def test_another_program_s_summary_protects_its_folder(tmp_path, content) -> None:
    (tmp_path / "summary.json").write_text(content, encoding="utf-8")
    (tmp_path / "thesis.docx").write_text("years of work", encoding="utf-8")

    with pytest.raises(LedgerError, match="is no results folder; it is left alone"), held_place(tmp_path):
        pass
    assert names(tmp_path) == ["summary.json", "thesis.docx"]


def make_file(path: Path) -> None:
    path.write_text("mine", encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("thesis.docx", make_file),
        ("notes", Path.mkdir),
        ("figures.csv", make_file),
        ("plan.txt", lambda path: path.symlink_to("plan.csv")),
        ("evidence", make_file),
    ],
)
def test_what_a_run_did_not_write_is_named_and_stays(out, new, name, make) -> None:
    make(out / name)
    before = content_of(out)

    with pytest.raises(LedgerError, match=f"holds what gridcheck did not write: {name}; it is left alone"):
        publish(new, out)
    assert content_of(out) == before


def test_what_the_desktop_leaves_is_no_reason_to_refuse(out, new) -> None:
    (out / ".DS_Store").touch()

    publish(new, out)

    assert seed_of(out) == 7


def test_a_second_run_is_told_at_its_start(out, tmp_path) -> None:
    with held_place(out), pytest.raises(LedgerError, match="Another run is writing to"), held_place(out):
        pass
    with held_place(out), held_place(tmp_path / "other"):
        pass
    assert names(tmp_path) == ["out"]


def test_the_lock_of_a_killed_run_holds_nobody_up(out, tmp_path) -> None:
    (tmp_path / ".out.lock").touch()
    (tmp_path / ".out.unfinished-1234").mkdir()
    (tmp_path / ".out.unfinished").mkdir()

    with held_place(out):
        pass

    assert names(tmp_path) == ["out"]


def test_a_link_is_followed(out, new, tmp_path) -> None:
    link = tmp_path / "latest"
    link.symlink_to("out")

    for seed in (7, 8):
        publish(new if new.exists() else write_sample_results(new, Sample(seed=seed)), link)
        assert link.is_symlink()
        assert (seed_of(out), seed_of(link)) == (seed, seed)


def test_places_that_cannot_be_are_refused_at_once(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo")
    monkeypatch.chdir(tmp_path)
    before = names(tmp_path)

    said = {
        "file": "is no results folder; it is left alone",
        "file/sub": "file is a file, not a folder",
        "file/sub/deep": "file is a file, not a folder",
        "dangling": "it is a link to .*nowhere, which is not there",
        "circle": "cannot be the results folder",
        "fifo": "is no results folder; it is left alone",
        ".": "it is the working directory",
        "..": "it is the working directory or holds it",
        "/": "a file system is mounted there",
        "x" * 300: "File name too long",
        "x" * 240: "File name too long",
        "new/deep/" + "x" * 240: "File name too long",
    }
    for name, reason in said.items():
        with pytest.raises(LedgerError, match=reason), held_place(Path(name)):
            pytest.fail(f"{name} was taken")
    assert names(tmp_path) == before


@pytest.mark.parametrize(("call", "code"), [("mkdir", errno.EROFS), ("open", errno.EACCES), ("mkdir", errno.ENOSPC)])
def test_a_place_that_may_not_be_written_is_found_out_at_the_start(tmp_path, monkeypatch, call, code) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, call, refuse)

    with pytest.raises(LedgerError, match=os.strerror(code)), held_place(tmp_path / "out"):
        pytest.fail("taken")


def test_a_folder_whose_files_may_not_be_removed_is_refused(out, monkeypatch) -> None:
    monkeypatch.setattr(place_module.os, "access", lambda *_: False)

    with pytest.raises(LedgerError, match="it may not be written"), held_place(out):
        pytest.fail("taken")


def test_a_disk_that_fills_up_leaves_nothing_behind(out, tmp_path) -> None:
    before = content_of(out)

    def fill(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(GridcheckError, match="No space left"), held_place(out) as place, place.unfinished() as folder:
        fill(folder)
    assert content_of(out) == before
    assert names(tmp_path) == ["out"]


def test_a_former_folder_beside_finished_results_goes_with_the_next_run(out, new, tmp_path) -> None:
    write_sample_results(former_folder(out), Sample(seed=3))

    publish(new, out)

    assert seed_of(out) == 7
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["gridcheck_version"]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize(
    "identifier", ["../../../etc/passwd", "..", "/etc", "a/b", "a\0b", "x" * 40_000, "报" * 300, "."]
)
def test_evidence_stays_inside_the_results(identifier, tmp_path) -> None:
    folder = evidence_folder(tmp_path, identifier)

    assert folder.parent == tmp_path / "evidence"
    assert folder.resolve().parent == (tmp_path / "evidence").resolve()
    folder.mkdir(parents=True)
