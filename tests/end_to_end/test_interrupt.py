"""Ctrl-C at any moment: one line, no unfinished folder, no process left over, an older folder as it was."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.support.command_line import ROOT, YUANQU, content_of

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")

PATIENCE_S = 120.0


@contextlib.contextmanager
def run_in_its_own_group(out) -> Iterator[subprocess.Popen[str]]:
    """Start a run as a terminal does: in a process group that gets Ctrl-C as a whole."""
    command = [sys.executable, "-u", "-m", "gridcheck.cli", "run", "--county", YUANQU, "--out", str(out)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


def group_is_empty(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def unfinished(out) -> list[str]:
    return [path.name for path in out.parent.iterdir() if path.name.startswith(".")]


def workers_of(process) -> bool:
    """Tell whether the run has started processes of its own (Linux; elsewhere after a while)."""
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    try:
        with open(children, encoding="ascii") as file:  # noqa: PTH123 - not a file of a file system
            return len(file.read().split()) >= 2  # the worker, and the tracker of what they share
    except OSError:
        time.sleep(2.0)
        return True


def expect_a_clean_end(process, out) -> str:
    rest, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, errors
    assert rest == ""
    assert "Traceback" not in errors
    assert "已中断，未写入任何结果。 Interrupted; nothing was written." in errors
    wait_for(lambda: group_is_empty(process.pid), "the end of all processes")
    assert unfinished(out) == []
    return errors


@pytest.mark.parametrize("whole_group", [True, False], ids=["from_the_terminal", "to_the_main_process"])
def test_interrupted_while_workers_start(tmp_path, whole_group):
    out = tmp_path / "out"
    with run_in_its_own_group(out) as process:
        wait_for(lambda: workers_of(process), "the start of a worker")
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)

        expect_a_clean_end(process, out)

    assert not out.exists()


def test_interrupted_while_workers_work(results_copy):
    before = content_of(results_copy)
    with run_in_its_own_group(results_copy) as process:
        line = process.stderr.readline()
        assert "100/100" in line  # the queue is decided; states, outages and the plan are still to come
        os.killpg(process.pid, signal.SIGINT)

        expect_a_clean_end(process, results_copy)

    assert content_of(results_copy) == before


def test_interrupted_while_results_are_written(results_copy):
    before = content_of(results_copy)
    with run_in_its_own_group(results_copy) as process:
        # Made and removed once at the start, to see whether the place can be written.
        process.stderr.readline()
        mark = f".{results_copy.name}.unfinished"
        wait_for(
            lambda: any(name.startswith(mark) for name in unfinished(results_copy)) or process.poll() is not None,
            "the writing of results",
        )
        assert process.poll() is None
        # Nobody who looks meanwhile sees anything but the older results.
        assert content_of(results_copy) == before
        os.killpg(process.pid, signal.SIGINT)

        expect_a_clean_end(process, results_copy)

    assert content_of(results_copy) == before
