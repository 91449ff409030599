"""Take a file of readings into a store: open, parse, stage, publish, report."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from gridcheck.errors import InputError
from gridcheck.monitoring.commits import Commit
from gridcheck.monitoring.csvfile import open_csv
from gridcheck.monitoring.formats import Layout
from gridcheck.monitoring.parsing import PointTime, RowParser, distinct_times, parse_time_cell
from gridcheck.monitoring.readings import TimeLabel
from gridcheck.monitoring.sources import ReadingsFile, TextChunk
from gridcheck.monitoring.staging import Staging
from gridcheck.monitoring.store import Draft, ReadingsStore
from gridcheck.monitoring.workbook import open_workbook


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What became of a file.

    ``rows_read = rows_accepted + rows_rejected + rows_ignored``; blank lines are not rows.

    Attributes
    ----------
    file_name, sha256 : str
        The file.
    layout : str
        ``long`` or ``wide``.
    encoding : str
        ``utf-8``, ``gb18030`` or ``xlsx``.
    time_label : str
        ``start`` or ``end``: what its times were taken to mark.
    time_label_basis : str
        Why: stated, headers, ``24:00`` found, point numbers, or assumed.
    rows_read, rows_accepted, rows_rejected, rows_ignored : int
        Rows below the header; ignored are rows of quantities that are not used here, e.g. currents.
    values_rejected : int
        Single cells left out of rows that were otherwise looked at.
    values_missing : int
        Cells that were empty or said "not measured".
    duplicates : int
        Rows that repeat an earlier one; they are among the rejected.
    readings : int
        Readings (area, time) stored.
    days : tuple of str
        Local days with readings, ISO.
    areas : int
        Areas with readings.
    rules : tuple of (str, int)
        Broken rules and how often.
    findings : tuple of str
        What a reader should know, the first rejected cells among it.
    synthetic : bool
        Whether the file says that it is synthetic.
    sequence, version : int
        Place in the store's log, and precedence over other files.
    superseded : tuple of int
        Sequences of the earlier commits of the same file that this one replaces.
    already_ingested : bool
        True if nothing was done because the store has this file, read the same way; the numbers are those of then.
    rejected_path : str
        CSV with every rejected cell, empty if there is none.
    """

    file_name: str
    sha256: str
    layout: str
    encoding: str
    time_label: str
    time_label_basis: str
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_ignored: int
    values_rejected: int
    values_missing: int
    duplicates: int
    readings: int
    days: tuple[str, ...]
    areas: int
    rules: tuple[tuple[str, int], ...]
    findings: tuple[str, ...]
    synthetic: bool
    sequence: int = 0
    version: int = 0
    superseded: tuple[int, ...] = ()
    already_ingested: bool = False
    rejected_path: str = ""


def ingest_file(
    path: Path | str,
    store: ReadingsStore,
    *,
    area_ids: Collection[str] | None = None,
    time_label: TimeLabel | str = TimeLabel.AUTO,
    version: int | None = None,
    rejected_path: Path | str | None = None,
    allow_negative_power: bool = False,
) -> IngestReport:
    """Read 96-point readings from a CSV file or a workbook into a store.

    All of a file or nothing of it gets in, whenever the process ends. The same file under the same options does
    nothing the second time (unless `version` differs); under other options it replaces what it gave the first time.

    Parameters
    ----------
    path : Path or str
        ``.csv``, ``.txt`` (UTF-8 or GB18030) or ``.xlsx``; long or wide, see `formats`.
    store : ReadingsStore
        Where to.
    area_ids : collection of str, optional
        Areas that exist; readings of others are rejected. Without it every well-formed id is taken.
    time_label : {"auto", "start", "end"}
        What times in the file mark. With ``auto``, clock headers and times of 24:00 decide; a long file without either
        is taken as labelled by the start, and is refused if its first time is 00:15.
    version : int, optional
        Precedence where files overlap; by default later files win.
    rejected_path : Path or str, optional
        Where to list what was rejected; by default ``<file>.rejected.csv`` beside the store.
    allow_negative_power : bool
        True where areas may feed back.

    Returns
    -------
    IngestReport
        Counts and findings.

    Raises
    ------
    InputError
        If nothing can be read from the file, or what its times mark is not clear.
    LedgerError
        If the store cannot be written.
    """
    file = Path(path)
    if time_label not in tuple(TimeLabel):
        raise InputError(f"time_label is {time_label!r}, allowed are {', '.join(TimeLabel)}.")
    listing = store.path.parent / f"{file.name}.rejected.csv" if rejected_path is None else Path(rejected_path)
    if listing.resolve() == file.resolve():
        raise InputError(f"{listing} is the file itself. Name another place for the list of rejected cells.")
    opened = _open(file)
    chunks = opened.chunks()
    first = next(chunks, None)
    label, basis = _settled_label(TimeLabel(time_label), opened.layout, first, where=file.name)
    options = _fingerprint(label, area_ids, allow_negative_power=allow_negative_power)
    earlier = store.find(opened.sha256, options, version)
    if earlier is not None:
        return _again(earlier)
    parser = RowParser(opened.layout, label=label, known_areas=area_ids, allow_negative_power=allow_negative_power)
    with store.staging() as folder:
        staging = Staging(folder, opened.layout.kind)
        for chunk in itertools.chain([] if first is None else [first], chunks):
            staging.add(parser.parse(chunk))
        parser.take_ragged(opened.ragged)
        origin = {"file_name": file.name, "sha256": opened.sha256}
        parts = staging.write_parts(parser.area_ids, parser.rejections, synthetic=parser.is_synthetic, origin=origin)
        report = replace(
            _report(file.name, opened, parser, staging),
            time_label=label.value,
            time_label_basis=basis,
            readings=sum(part.n_reading for part in parts),
            days=tuple(part.day for part in parts),
            rejected_path=_listed(parser, listing),
        )
        _require_some(report)
        commit, is_new = store.publish(
            Draft(
                sha256=opened.sha256,
                file_name=file.name,
                options=options,
                version=version,
                synthetic=parser.is_synthetic,
                parts=parts,
                report=asdict(report),
            )
        )
    if not is_new:
        return _again(commit)
    return replace(report, sequence=commit.sequence, version=commit.version, superseded=commit.supersedes)


def _open(file: Path) -> ReadingsFile:
    if not file.is_file():
        raise InputError(f"{file} is not a file. Give a .csv, .txt or .xlsx of readings.")
    suffix = file.suffix.lower()
    if suffix == ".xlsx":
        return open_workbook(file)
    if suffix in (".csv", ".txt"):
        return open_csv(file)
    raise InputError(
        f"{file.name} ends in {suffix or 'nothing'}, allowed are .csv, .txt and .xlsx. Save it as one of them."
    )


def _settled_label(stated: TimeLabel, layout: Layout, first: TextChunk | None, *, where: str) -> tuple[TimeLabel, str]:
    """Decide what times mark, and say why; ask where the file does not tell."""
    if layout.kind == "wide":
        if layout.label is None:
            return TimeLabel.START, "point numbers"  # Point 1 is the first quarter hour under either label.
        if stated not in (TimeLabel.AUTO, layout.label):
            raise InputError(
                f"{where}: its columns are headed by the {layout.label} of each interval, but time_label is {stated}. "
                "Leave the label to the file, or give the file in long form."
            )
        return layout.label, "headers"
    if stated is not TimeLabel.AUTO:
        return stated, "stated"
    points = [] if first is None else [parse_time_cell(cell, TimeLabel.START) for cell in distinct_times(layout, first)]
    if "time_24_00" in points:
        return TimeLabel.END, "24:00 found"
    earliest = min((point for point in points if isinstance(point, PointTime)), default=None)
    if earliest is not None and earliest.slot == 1:
        raise InputError(
            f"{where}: its first time is 00:15. Say time_label='end' if a time marks the end of its interval (then "
            "00:15 is point 1), or 'start' if the first point of the day is missing."
        )
    return TimeLabel.START, "assumed"


def _fingerprint(label: TimeLabel, area_ids: Collection[str] | None, *, allow_negative_power: bool) -> str:
    """Hash the options that change what a file gives."""
    areas = None if area_ids is None else sorted(set(area_ids))
    return hashlib.sha256(json.dumps([label, areas, allow_negative_power]).encode()).hexdigest()


def _report(name: str, opened: ReadingsFile, parser: RowParser, staging: Staging) -> IngestReport:
    counts = parser.counts
    rejected = counts.rejected + staging.n_duplicate
    unused = opened.layout.unused
    notes = [*opened.notes, *([f"columns not used: {', '.join(unused[:20])}"] if unused else [])]
    return IngestReport(
        file_name=name,
        sha256=opened.sha256,
        layout=opened.layout.kind,
        encoding=opened.encoding,
        time_label="",
        time_label_basis="",
        rows_read=counts.read,
        rows_accepted=counts.read - rejected - counts.ignored,
        rows_rejected=rejected,
        rows_ignored=counts.ignored,
        values_rejected=counts.values_rejected,
        values_missing=counts.values_missing,
        duplicates=staging.n_duplicate,
        readings=0,
        days=(),
        areas=staging.n_area,
        rules=parser.rejections.counts,
        findings=(*notes, *parser.rejections.findings()),
        synthetic=parser.is_synthetic,
    )


def _listed(parser: RowParser, listing: Path) -> str:
    """Write the list of rejected cells; a list that an earlier try left is emptied if there is nothing to list now."""
    if not parser.rejections.counts and not listing.exists():
        return ""
    parser.rejections.write(listing)
    return str(listing) if parser.rejections.counts else ""


def _require_some(report: IngestReport) -> None:
    if not report.rows_read:
        raise InputError(f"{report.file_name} has a header but no rows. Export it again.")
    if not report.rows_accepted:
        listed = f" All are listed in {report.rejected_path}." if report.rejected_path else ""
        raise InputError(
            f"{report.file_name}: none of its {report.rows_read} rows can be used.{listed}", report.findings
        )


def _again(commit: Commit) -> IngestReport:
    """Return the report of a file that the store has already."""
    cells: Mapping[str, Any] = commit.report
    known = {field.name: cells[field.name] for field in fields(IngestReport) if field.name in cells}
    known |= {name: tuple(known[name]) for name in ("days", "findings", "superseded")}
    known["rules"] = tuple((rule, count) for rule, count in known["rules"])
    report = IngestReport(**known)
    return replace(
        report,
        sequence=commit.sequence,
        version=commit.version,
        superseded=commit.supersedes,
        already_ingested=True,
    )
