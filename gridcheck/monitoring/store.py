"""The readings store: a folder of Parquet files by local day, a log of commits, and one way to read them.

::

    store.json                                            what this folder is
    commits/00000001.json ...                             the log, see `commits`
    readings/month=2025-12/day=2025-12-03/part-*.parquet  sorted by area and time, zstd; never changed once written
    staging/                                              work of running writers; leftovers go with the next one

Where several files hold the same area, time and quantity, the one with the greatest version counts (by default the
later file); one that did not measure a quantity does not erase it. Other programs may read the Parquet files, but only
`ReadingsStore.read` joins them by that rule.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from gridcheck.atomic import written_in_one_step
from gridcheck.errors import InputError, LedgerError
from gridcheck.locks import locked
from gridcheck.monitoring.commits import Commit, Part, active, read_commits, write_commit
from gridcheck.monitoring.readings import QUANTITIES
from gridcheck.monitoring.staging import READING_SCHEMA, StagedPart

STORE_FORMAT = 1
LOCK_TIMEOUT_S = 60.0
MEMORY_LIMIT = "1GB"

_LAST_TEXT = "\U0010ffff"  # Sorts behind every area id.

# The only statement that reads readings. File names, ranks and areas enter as parameters, never as text.
_QUERY = f"""
with part as (select unnest($files::varchar[]) as filename, unnest($ranks::integer[]) as rank)
select area_id, time_utc,
       {", ".join(f"arg_max({name}, rank) as {name}" for name in QUANTITIES)},
       bit_or(measured) as measured, bool_or(synthetic) as synthetic
from read_parquet($files, filename = true, hive_partitioning = false) join part using (filename)
where area_id between $first_area and $last_area
  and ($every_area or area_id in (select unnest($areas::varchar[])))
group by area_id, time_utc order by area_id, time_utc
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draft:
    """A file that is parsed and written to staging, and waits to be published.

    Attributes
    ----------
    sha256, file_name, options : str
        The file and the hash of the options under which it was read, except the version.
    version : int or None
        Precedence; None means later than all so far.
    synthetic : bool
        Whether the file says that it is synthetic.
    parts : tuple of StagedPart
        Day files.
    report : mapping
        Kept with the commit.
    """

    sha256: str
    file_name: str
    options: str
    version: int | None
    synthetic: bool
    parts: Sequence[StagedPart]
    report: Mapping[str, Any]


class ReadingsStore:
    """Readings of areas in a folder.

    Any number of processes may read while others write. Opening does not write; the folder is made by the first
    ingestion.

    Parameters
    ----------
    path : Path or str
        Folder of the store; it must be empty, missing, or a store.
    lock_timeout_s : float
        How long a writer waits for another one at the moment of publishing. [s]

    Raises
    ------
    LedgerError
        If the folder holds something else or was written by a newer version of gridcheck.
    """

    def __init__(self, path: Path | str, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self.path = Path(path).resolve()
        self._lock_timeout_s = lock_timeout_s
        self._check_folder()

    def commits(self, *, as_of: int | None = None) -> tuple[Commit, ...]:
        """Return the commits that count now, or counted after commit `as_of`, in the order of the log."""
        return active(read_commits(self.path / "commits"), as_of)

    def find(self, sha256: str, options: str, version: int | None) -> Commit | None:
        """Return the commit of a file read under these options, with this version or with any, or None."""
        return _same(self.commits(), sha256, options, version)

    def days(self) -> tuple[dt.date, ...]:
        """Return the local days that have readings."""
        found = {part.day for commit in self.commits() for part in commit.parts}
        return tuple(dt.date.fromisoformat(day) for day in sorted(found))

    def history(self) -> pd.DataFrame:
        """Return what was taken in and when: one row per commit that counts, in order."""
        rows = [
            {
                "sequence": commit.sequence,
                "version": commit.version,
                "file_name": commit.file_name,
                "sha256": commit.sha256,
                "received_utc": pd.Timestamp(commit.received_utc),
                "synthetic": commit.synthetic,
                "n_day": len(commit.parts),
                "n_reading": sum(part.n_reading for part in commit.parts),
            }
            for commit in self.commits()
        ]
        columns = ["sequence", "version", "file_name", "sha256", "received_utc", "synthetic", "n_day", "n_reading"]
        return pd.DataFrame(rows, columns=columns)

    def read(
        self,
        first_day: dt.date,
        last_day: dt.date | None = None,
        *,
        area_ids: Collection[str] | None = None,
        as_of: int | None = None,
    ) -> pd.DataFrame:
        """Return the readings of local days.

        Parameters
        ----------
        first_day, last_day : date
            First and last local day (Asia/Shanghai), both included; one day if only the first is given.
        area_ids : collection of str, optional
            Only these areas.
        as_of : int, optional
            Read the store as it stood after the commit with this sequence.

        Returns
        -------
        DataFrame
            area_id, time_utc (start of the interval, UTC), the columns of `QUANTITIES` (NaN where not measured),
            measured (bits of `Measured`), synthetic; sorted by area and time. An area or point that is absent was not
            measured.

        Raises
        ------
        InputError
            If the last day lies before the first.
        LedgerError
            If a file of the store is missing or cannot be read.
        """
        last = first_day if last_day is None else last_day
        if last < first_day:
            raise InputError(f"The last day {last} lies before the first day {first_day}.")
        ranked = sorted(self.commits(as_of=as_of), key=lambda commit: (commit.version, commit.sha256, commit.sequence))
        wanted = [
            (str(self.path / part.file), rank)
            for rank, commit in enumerate(ranked)
            for part in commit.parts
            if first_day.isoformat() <= part.day <= last.isoformat()
        ]
        if not wanted:
            return _frame(READING_SCHEMA.empty_table())
        chosen = sorted(set(area_ids or ()))
        parameters = {
            "files": [file for file, _ in wanted],
            "ranks": [rank for _, rank in wanted],
            "every_area": area_ids is None,
            "areas": chosen,
            # Files are sorted by area, so a range lets the reader pass over most of them.
            "first_area": chosen[0] if chosen else "",
            "last_area": chosen[-1] if chosen else _LAST_TEXT,
        }
        with self._connected() as connection:
            try:
                return _frame(connection.sql(_QUERY, params=parameters).to_arrow_table())
            except duckdb.Error as error:
                raise LedgerError(f"The readings store {self.path.name} cannot be read: {error}") from error

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give a writer a folder of its own inside the store; it is removed afterwards.

        The folder is held by a lock while it is in use, so the next writer can tell a leftover of a killed process.
        """
        self._prepare()
        folder = self.path / "staging" / uuid.uuid4().hex
        # Another writer may hold it for a moment to see whether it is a leftover.
        with locked(folder.with_suffix(".lock"), timeout_s=self._lock_timeout_s):
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                with suppress(OSError):
                    folder.with_suffix(".lock").unlink(missing_ok=True)

    def publish(self, draft: Draft) -> tuple[Commit, bool]:
        """Make a draft part of the store, in one step.

        Parameters
        ----------
        draft : Draft
            Its day files must lie in a folder of `staging`; they are moved.

        Returns
        -------
        Commit
            The new commit, or the earlier one of the same file read under the same options.
        bool
            True if the commit is new.
        """
        with locked(self.path / "lock", timeout_s=self._lock_timeout_s):
            log = read_commits(self.path / "commits")
            earlier = _same(active(log), draft.sha256, draft.options, draft.version)
            if earlier is not None:
                return earlier, False
            replaced = [
                commit for commit in active(log) if commit.sha256 == draft.sha256 and commit.options != draft.options
            ]
            sequence = max((commit.sequence for commit in log), default=0) + 1
            self._remove_leftovers(sequence)
            commit = Commit(
                sequence=sequence,
                version=_version_of(draft, replaced, log),
                sha256=draft.sha256,
                file_name=draft.file_name,
                options=draft.options,
                supersedes=tuple(commit.sequence for commit in replaced),
                synthetic=draft.synthetic,
                received_utc=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                parts=tuple(self._moved(part, sequence, draft.sha256) for part in draft.parts),
                report=draft.report,
            )
            write_commit(self.path / "commits", commit)
            return commit, True

    def _moved(self, part: StagedPart, sequence: int, sha256: str) -> Part:
        relative = f"readings/month={part.day[:7]}/day={part.day}/part-{sequence:08d}-{sha256[:12]}.parquet"
        target = self.path / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        part.path.replace(target)
        return Part(day=part.day, file=relative, n_reading=part.n_reading)

    def _remove_leftovers(self, sequence: int) -> None:
        """Remove what killed writers left: day files of a commit that was never written, abandoned staging folders."""
        for orphan in self.path.glob(f"readings/month=*/day=*/part-{sequence:08d}-*.parquet"):
            orphan.unlink()
        for lock in sorted((self.path / "staging").glob("*.lock")):
            try:
                with locked(lock, timeout_s=0.0):
                    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            except LedgerError:
                continue  # Its writer is at work.
            with suppress(OSError):
                lock.unlink(missing_ok=True)

    @contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open DuckDB in memory so that it can read this store and nothing else, and load no extension."""
        with duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": MEMORY_LIMIT,
            }
        ) as connection:
            # The order matters: once external access is off, the list of folders is fixed.
            connection.execute("set allowed_directories = $folders", {"folders": [str(self.path)]})
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            yield connection

    def _prepare(self) -> None:
        if not (self.path / "store.json").exists():
            self.path.mkdir(parents=True, exist_ok=True)
            with written_in_one_step(self.path / "store.json") as file:
                file.write(json.dumps({"what": "gridcheck readings", "format": STORE_FORMAT}).encode())

    def _check_folder(self) -> None:
        marker = self.path / "store.json"
        if not marker.exists():
            # Another process may be about to make the store: it writes the marker first of all.
            others = self.path.is_dir() and any(not p.name.startswith(".store.json.") for p in self.path.iterdir())
            if self.path.is_file() or (others and not marker.exists()):
                raise LedgerError(f"{self.path} is not a readings store and not empty. Name another folder.")
            return
        try:
            found = json.loads(marker.read_bytes())["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(f"{marker} cannot be read ({error}). Restore it or name another folder.") from error
        if found != STORE_FORMAT:
            raise LedgerError(f"{self.path} has format {found}, this version knows {STORE_FORMAT}. Update gridcheck.")


def _same(commits: Sequence[Commit], sha256: str, options: str, version: int | None) -> Commit | None:
    for commit in commits:
        if (commit.sha256, commit.options) == (sha256, options) and version in (None, commit.version):
            return commit
    return None


def _version_of(draft: Draft, replaced: Sequence[Commit], log: Sequence[Commit]) -> int:
    """Return the precedence of a new commit; a file read anew keeps its own, so it does not undo later corrections."""
    if draft.version is not None:
        return draft.version
    if replaced:
        return max(commit.version for commit in replaced)
    return max((commit.version for commit in log), default=0) + 1


def _frame(table: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    frame["synthetic"] = frame["synthetic"].astype("bool")
    return frame.astype({"measured": "uint8", "time_utc": "datetime64[ns]"})
