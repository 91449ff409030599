"""What goes into the repository names no registry host and no path of one machine."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Written in pieces, so that this file does not hold what it looks for.
HOSTS = [r"pypi\." + "org", "python" + r"hosted\.org", r"registry\." + "npmjs", r"deb\.debian\." + "org"]
PATHS = [f"/{folder}/" for folder in ("work", "farm", "root", "home", "Users")] + ["/tmp" + "/bash"]
MAX_TRACKED_MB = 60


def tracked() -> list[Path]:
    """Files that are or would be in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git clone")
    names = sorted(set(listed.stdout.decode("utf-8").split("\0")) - {""})
    return [path for name in names if (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_file_names_a_registry_host_or_a_machine():
    pattern = re.compile("|".join(HOSTS) + "|" + "|".join(rf"(?<![\w.:/\]\)*-]){path}" for path in PATHS))
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}" for path in tracked() for match in pattern.finditer(text_of(path))
    ]
    assert found == []


def test_the_repository_stays_small():
    assert sum(path.stat().st_size for path in tracked()) < MAX_TRACKED_MB * 1024**2


def test_constraints_are_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []
    names = [line.split("==")[0].lower() for line in lines]
    assert len(set(names)) == len(names)
    assert names == sorted(names)
