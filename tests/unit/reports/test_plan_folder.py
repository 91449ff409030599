"""The folder of a plan appears as one; where it cannot, it says that it is not finished until it is."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gridcheck.errors import GridcheckError, LedgerError
from gridcheck.reports.plan_folder import PLAN_FILES, STATUS, require_plan_place, write_plan_folder
from tests.support.command_line import ROOT

OLD = {"plan.csv": b"old", "rules.csv": b"old", "county_split.csv": b"old"}
NEW = {"plan.csv": b"new", "pareto.csv": b"new"}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def status_of(folder):
    return json.loads((folder / STATUS).read_text("utf-8"))


def test_the_folder_is_replaced_as_a_whole(tmp_path):
    out = tmp_path / "deep" / "out"
    write_plan_folder(out, OLD, {"status": "optimal"})

    written = write_plan_folder(out, NEW, {"status": "feasible"})

    assert names(out) == ["pareto.csv", "plan.csv", "status.json"]
    assert names(out.parent) == ["out"]
    assert status_of(out) == written
    assert written["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in NEW.items()}


def test_what_others_put_there_stays(tmp_path):
    write_plan_folder(tmp_path / "out", OLD, {"status": "optimal"})
    (tmp_path / "out/notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "out/.gridcheck-plan-left").mkdir()

    write_plan_folder(tmp_path / "out", NEW, {"status": "optimal"})

    assert names(tmp_path / "out") == ["notes.txt", "pareto.csv", "plan.csv", "status.json"]
    assert (tmp_path / "out/notes.txt").read_text("utf-8") == "mine"
    assert (tmp_path / "out/plan.csv").read_bytes() == b"new"
    assert names(tmp_path) == ["out"]


def test_the_working_directory_is_written_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    write_plan_folder(Path(), NEW, {"status": "optimal"})

    assert names(Path()) == ["pareto.csv", "plan.csv", "status.json"]


def test_where_nothing_may_stand_beside_it(tmp_path, monkeypatch):
    out = tmp_path / "out"
    write_plan_folder(out, OLD, {"status": "optimal"})
    monkeypatch.setattr("gridcheck.reports.plan_folder.os.access", lambda path, _: path != tmp_path)

    write_plan_folder(out, NEW, {"status": "optimal"})

    assert names(out) == ["pareto.csv", "plan.csv", "status.json"]
    assert status_of(out)["status"] == "optimal"


_KILLED = """
import os, signal, sys
from pathlib import Path
from gridcheck.reports import place
from gridcheck.reports.plan_folder import write_plan_folder
can_exchange = sys.argv[1] == "True"
left = 0
def counted(step):
    def wrapped(self, *args, **kwargs):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return step(self, *args, **kwargs)
    return wrapped
for name in ("replace", "rename", "unlink", "mkdir"):
    setattr(Path, name, counted(getattr(Path, name)))
exchange = counted(place.exchange)
place.exchange = exchange if can_exchange else lambda *_: False
for folder in sorted(Path.cwd().iterdir()):
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        left = int(folder.name)
        write_plan_folder(Path("out"), {"plan.csv": b"new", "pareto.csv": b"new"}, {"status": "optimal"})
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that begin as copies")
@pytest.mark.parametrize(("has_foreign", "can_exchange"), [(False, True), (False, False), (True, True)])
def test_a_kill_at_any_step_leaves_one_plan_or_says_so(tmp_path, has_foreign, can_exchange):
    """Every step that changes names in the file system is the last one in turn."""
    folders = [tmp_path / f"{step:02d}" for step in range(40)]
    for folder in folders:
        write_plan_folder(folder / "out", OLD, {"status": "optimal"})
        if has_foreign:
            (folder / "out/notes.txt").touch()

    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _KILLED, str(can_exchange)], check=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
    ).stdout  # fmt: skip

    codes = [int(line) for line in printed.split()]
    assert 5 < codes.count(-signal.SIGKILL) < len(folders)
    assert codes == sorted(codes)
    assert set(codes) == {-signal.SIGKILL, 0}
    for folder in folders:
        out = folder / "out"
        # Where folders cannot change places there is a moment in which the former one waits beside.
        assert out.exists() or not can_exchange
        if out.exists():
            assert is_whole(out) or status_of(out)["status"] == "unfinished"
            assert is_whole(out) or has_foreign
        # The next one puts everything right.
        write_plan_folder(out, NEW, {"status": "optimal"})
        assert [name for name in names(out) if name != "notes.txt"] == ["pareto.csv", "plan.csv", "status.json"]
        assert names(folder) == ["out"]


def is_whole(out):
    """Whether the files are those that the status names, and as it names them."""
    files = status_of(out).get("files")
    found = {name: (out / name).read_bytes() for name in names(out) if name in PLAN_FILES and name != STATUS}
    return files == {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}


def test_a_full_disk_changes_nothing(tmp_path, monkeypatch):
    out = tmp_path / "out"
    write_plan_folder(out, OLD, {"status": "optimal"})
    (out / "notes.txt").touch()
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gridcheck.reports.tables.os.fsync", full)

    with pytest.raises(OSError, match="No space"):
        write_plan_folder(out, NEW, {"status": "optimal"})
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    (out / "notes.txt").unlink()
    with pytest.raises(GridcheckError, match="No space"):
        write_plan_folder(out, NEW, {"status": "optimal"})
    assert {path.name for path in out.iterdir()} == before.keys() - {"notes.txt"}


def test_places_that_are_refused_before_anything_is_computed(tmp_path):
    table = tmp_path / "t.csv"
    table.touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/plan.csv").symlink_to(table)

    for out, said in ((table, "is a file"), (table / "deeper", "is a file"), (tmp_path / "circle", "cannot be")):
        with pytest.raises(LedgerError, match=said):
            require_plan_place(out, table)
    with pytest.raises(LedgerError, match="would be replaced"):
        require_plan_place(tmp_path / "out", tmp_path / "out/plan.csv")
    require_plan_place(tmp_path / "out", table)
    require_plan_place(tmp_path / "new" / "out", table)
