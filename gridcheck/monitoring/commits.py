"""The log of a readings store: which files were taken in, in which order, and which day files they became.

A commit is one small JSON file, written last and in one step. A day file counts only when a commit names it, so a
process that is killed anywhere leaves the store as it was before or as it is after, never in between.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gridcheck.atomic import written_in_one_step
from gridcheck.errors import LedgerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A day file of the store.

    Attributes
    ----------
    day : str
        Local day, ISO.
    file : str
        Path below the store, with forward slashes.
    n_reading : int
        Rows in it.
    """

    day: str
    file: str
    n_reading: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One file that was taken in.

    Attributes
    ----------
    sequence : int
        Place in the log, from 1: when the store learnt it.
    version : int
        Precedence of its values per area, time and quantity; the greater one wins.
    sha256, file_name : str
        The file.
    options : str
        Hash of the options under which it was read, except the version.
    supersedes : tuple of int
        Sequences of earlier commits of the same file under other options, which this one replaces whole.
    synthetic : bool
        Whether the file says that it is synthetic.
    received_utc : str
        When, ISO 8601.
    parts : tuple of Part
        Day files in the order of days.
    report : mapping
        The report that was given then.
    """

    sequence: int
    version: int
    sha256: str
    file_name: str
    options: str
    supersedes: tuple[int, ...]
    synthetic: bool
    received_utc: str
    parts: tuple[Part, ...]
    report: Mapping[str, Any] = field(default_factory=dict)


def commit_file(folder: Path, sequence: int) -> Path:
    """Return where the commit with this number stands."""
    return folder / f"{sequence:08d}.json"


def write_commit(folder: Path, commit: Commit) -> None:
    """Write a commit; from this moment its day files count."""
    with written_in_one_step(commit_file(folder, commit.sequence)) as file:
        file.write(json.dumps(asdict(commit), ensure_ascii=False, indent=1).encode())


def read_commits(folder: Path) -> tuple[Commit, ...]:
    """Return all commits in the order of the log.

    Raises
    ------
    LedgerError
        If one cannot be read; nothing is left out in silence.
    """
    commits = []
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            cells = json.loads(path.read_bytes())
            parts = tuple(Part(**part) for part in cells.pop("parts"))
            commits.append(Commit(**{**cells, "parts": parts, "supersedes": tuple(cells["supersedes"])}))
        except (ValueError, TypeError, KeyError, OSError) as error:
            raise LedgerError(
                f"The commit {path.name} of the readings store cannot be read ({error}). Restore it."
            ) from error
    return tuple(commits)


def active(commits: Sequence[Commit], as_of: int | None = None) -> tuple[Commit, ...]:
    """Return the commits that count, as the store stood after commit `as_of`, or now."""
    known = [commit for commit in commits if as_of is None or commit.sequence <= as_of]
    replaced = {sequence for commit in known for sequence in commit.supersedes}
    return tuple(commit for commit in known if commit.sequence not in replaced)
