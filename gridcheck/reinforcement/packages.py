"""A plain table of packages: what costs how much, and what it brings; no network stands behind it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gridcheck.csv_tables import numbered_table, unescape_text
from gridcheck.errors import InputError, SchemaError
from gridcheck.reinforcement.menu import HOUSEHOLDS, Benefit, Menu, shared_households
from gridcheck.reinforcement.problem import needs, reached

REQUIRED = ("project_id", "cost_yuan", "households", "risk_hours")
OPTIONAL = ("group", "requires", "county_code", "measure", "unlocks")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
# More money than any plan has, and more decimals than a computer writes.
_LARGEST, _MOST_DECIMALS = 10**15, 40
_MOST_HOUSEHOLDS = 10**9
# No number that can be meant is longer; Python refuses those of some thousand digits.
_LONGEST_NUMBER, _LONGEST_SHOWN = 200, 40
_SEPARATORS = ";；"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One row of the table.

    Attributes
    ----------
    row : int
        Line of the file in which its row begins; blank lines and line breaks inside cells count, as in a text editor.
    project_id : str
        Its id.
    cost_yuan : Fraction
        Cost, exactly as written; at least 0. [yuan]
    households : int
        Households that it unlocks; at least 0.
    risk_hours : Fraction
        Hours of broken limits that it removes; negative where it causes some. [h]
    group : str
        Of the packages of one group at most one is built; empty for none.
    requires : tuple of str
        Ids of packages that it needs.
    county_code, measure : str
        Where it is, and what; empty where not told.
    unlocks : tuple of str
        Ids of those of its households that other packages may unlock too; one that several unlock counts once.
    """

    row: int
    project_id: str
    cost_yuan: Fraction
    households: int
    risk_hours: Fraction
    group: str = ""
    requires: tuple[str, ...] = ()
    county_code: str = ""
    measure: str = ""
    unlocks: tuple[str, ...] = ()


def read_packages(file: Path) -> tuple[Package, ...]:
    """Read a table of packages from a CSV file.

    Parameters
    ----------
    file : Path
        As `packages_of` takes its content.

    Returns
    -------
    tuple of Package
        In the order of the file.

    Raises
    ------
    InputError
        If the file cannot be read as a table.
    SchemaError
        As `packages_of` says.
    """
    return packages_of(content_of_table(file), file=file)


def content_of_table(file: Path) -> bytes:
    """Return what a file holds; an InputError where it cannot be read."""
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{file} cannot be read: {reason or error}. Check the path.") from error


def packages_of(content: bytes, *, file: Path) -> tuple[Package, ...]:
    """Read the content of a table of packages.

    Parameters
    ----------
    content : bytes
        CSV in UTF-8 or GB18030; columns project_id, cost_yuan, households, risk_hours, and where they are needed group,
        requires (ids separated by ``;``), county_code, measure. Others are not looked at.
    file : Path
        Where it was read, for messages.

    Returns
    -------
    tuple of Package
        In the order of the file.

    Raises
    ------
    InputError
        If it cannot be read as a table.
    SchemaError
        Missing columns or no rows; cells that are no numbers, negative costs, ids that are missing, stand twice or are
        not there, requirements that lead in a circle: every finding with its row.
    """
    try:
        table, row_number = numbered_table(content, where=str(file))
    except SchemaError:
        raise
    except ValueError as error:
        raise InputError(f"{file} cannot be read as a table of packages: {error}") from error
    missing = [f"column {name} is missing" for name in REQUIRED if name not in table]
    if missing:
        raise SchemaError(
            f"{file}: columns are missing; a table of packages has {', '.join((*REQUIRED, *OPTIONAL[:2]))}.", missing
        )
    misspelt = [
        f"column {name!r}: write {near!r}" for name in table.columns if (near := _meant(str(name))) not in ("", *table)
    ]
    if misspelt:
        # Not looked at, it would leave alternatives and requirements out without a word.
        raise SchemaError(f"{file}: headings that are nearly those of a table of packages; correct them.", misspelt)
    findings: list[str] = []
    rows = table.reindex(columns=[*REQUIRED, *OPTIONAL], fill_value="").to_dict("records")
    packages = [_package(number, row, findings) for number, row in zip(row_number, rows, strict=True)]
    if not packages:
        findings.append("row 2: there is none; at least one package is needed")
    findings += _faulty_ids(packages)
    if not findings:
        findings += _circles(packages)
    if findings:
        raise SchemaError(f"{file} is not usable; correct the rows named below.", findings)
    return tuple(packages)


def menu_of_packages(packages: Sequence[Package]) -> Menu:
    """Return the menu of a table of packages; money and hours count in the last decimal that stands in it.

    Parameters
    ----------
    packages : sequence of Package
        As `read_packages` returns them.

    Returns
    -------
    Menu
    """
    ordered = sorted(packages, key=lambda package: package.project_id)
    where = {package.project_id: i for i, package in enumerate(ordered)}
    groups: dict[str, list[int]] = {}
    for i, package in enumerate(ordered):
        if package.group:
            groups.setdefault(package.group, []).append(i)
    shared = shared_households(
        [package.group or f"alone {i}" for i, package in enumerate(ordered)], [package.unlocks for package in ordered]
    )
    own = [package.households - len(shared.keys() & set(package.unlocks)) for package in ordered]
    none = (0,) * len(shared)
    yuan_parts = _parts([package.cost_yuan for package in ordered])
    hour_parts = _parts([package.risk_hours for package in ordered])
    return Menu(
        ids=tuple(where),
        county_code=tuple(package.county_code for package in ordered),
        measure=tuple(package.measure for package in ordered),
        cost=tuple(int(package.cost_yuan * yuan_parts) for package in ordered),
        parts_per_yuan=yuan_parts,
        benefits=(
            Benefit(name=HOUSEHOLDS, values=(*own, *((1,) * len(shared)))),
            Benefit(
                name="risk_hours",
                values=(*(int(package.risk_hours * hour_parts) for package in ordered), *none),
                parts=hour_parts,
            ),
        ),
        groups=tuple(tuple(members) for members in groups.values() if len(members) > 1),
        requires=tuple(
            (i, where[needed]) for i, package in enumerate(ordered) for needed in dict.fromkeys(package.requires)
        ),
        shared=tuple(shared.values()),
    )


def never_buildable(packages: Sequence[Package]) -> tuple[str, ...]:
    """Return a sentence for each package that needs two alternatives of one group, so that it can never be built."""
    where = {package.project_id: i for i, package in enumerate(packages)}
    needed = needs((i, where[other]) for i, package in enumerate(packages) for other in package.requires)
    return tuple(
        f"row {package.row} ({package.project_id}): never built: with what it requires it needs {', '.join(both)}, of "
        "which one group allows only one"
        for i, package in enumerate(packages)
        if i in needed and (both := _alternatives(packages, reached((i,), needed)))
    )


def _alternatives(packages: Sequence[Package], needed: Sequence[int]) -> list[str]:
    by_group: dict[str, list[str]] = {}
    for i in needed:
        if packages[i].group:
            by_group.setdefault(packages[i].group, []).append(packages[i].project_id)
    return next((sorted(ids) for ids in by_group.values() if len(ids) > 1), [])


def _meant(heading: str) -> str:
    """Return the column that a heading is nearly, empty where it is one of them or none."""
    known = (*REQUIRED, *OPTIONAL)
    plain = heading.strip().strip("\ufeff").lower().replace(" ", "_")
    near = difflib.get_close_matches(plain, known, n=1, cutoff=0.85)
    return near[0] if near and heading not in known else ""


def _package(number: int, row: Mapping[object, str], findings: list[str]) -> Package:
    texts = {str(name): plain_text(str(cell)) for name, cell in row.items()}
    where = f"row {number} ({shown(texts['project_id']) or 'without an id'})"
    if not texts["project_id"]:
        findings.append(f"row {number}: project_id is empty; every package needs one")
    if set(_SEPARATORS) & set(texts["project_id"]):
        findings.append(f"{where}: project_id holds a semicolon, which separates ids in requires; take another sign")
    cost = exact_number(texts["cost_yuan"])
    if cost is None or cost < 0:
        findings.append(f"{where}: cost_yuan {shown(texts['cost_yuan'])!r} must be a number of at least 0")
    households = exact_number(texts["households"])
    if households is None or households < 0 or households.denominator > 1 or households > _MOST_HOUSEHOLDS:
        findings.append(f"{where}: households {shown(texts['households'])!r} must be a whole number of at least 0")
    unlocks = tuple(dict.fromkeys(_ids(row["unlocks"])))
    if households is not None and len(unlocks) > households:
        findings.append(f"{where}: unlocks names {len(unlocks)} households, but households is {households}")
    hours = exact_number(texts["risk_hours"])
    if hours is None:
        findings.append(
            f"{where}: risk_hours {shown(texts['risk_hours'])!r} must be a number; negative where it adds risk"
        )
    return Package(
        row=number,
        project_id=texts["project_id"],
        cost_yuan=cost or Fraction(0),
        households=int(households or 0),
        risk_hours=hours or Fraction(0),
        group=texts["group"],
        requires=_ids(row["requires"]),
        county_code=texts["county_code"],
        measure=texts["measure"],
        unlocks=unlocks,
    )


def _ids(cell: object) -> tuple[str, ...]:
    return tuple(one for part in re.split(f"[{_SEPARATORS}]", str(cell)) if (one := plain_text(part)))


def plain_text(cell: str) -> str:
    """Return a cell without blanks around it and without the apostrophe that keeps a spreadsheet from running it.

    Ids in requires are read one by one in the same way, so an id is written there as it is in its own column.

    Examples
    --------
    >>> plain_text(" P1 "), plain_text("'=1+1"), plain_text("''=1+1")
    ('P1', '=1+1', "'=1+1")
    """
    return unescape_text(cell.strip()).strip()


def shown(text: str) -> str:
    """Return a text that is not too long for a message."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}… ({len(text)} characters)"


def exact_number(text: str) -> Fraction | None:
    """Return a decimal number exactly as it is written; None where it is none, or beyond what can be meant.

    Examples
    --------
    >>> exact_number("0.29"), exact_number("1e3"), exact_number("1,000"), exact_number("nan")
    (Fraction(29, 100), Fraction(1000, 1), None, None)
    """
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    number = Fraction(text)
    return number if abs(number) <= _LARGEST and 10**_MOST_DECIMALS % number.denominator == 0 else None


def _parts(numbers: Sequence[Fraction]) -> int:
    """Return the least power of ten in whose parts all numbers are whole."""
    largest = max((number.denominator for number in numbers), default=1)
    parts = 1
    while parts < largest or any(parts % number.denominator for number in numbers):
        parts *= 10
    return parts


def _faulty_ids(packages: Sequence[Package]) -> Iterator[str]:
    first: dict[str, int] = {}
    for package in packages:
        where = f"row {package.row} ({package.project_id})"
        if package.project_id and package.project_id in first:
            yield f"{where}: project_id stands in row {first[package.project_id]} already"
        first.setdefault(package.project_id, package.row)
    for package in packages:
        where = f"row {package.row} ({package.project_id})"
        for needed in package.requires:
            if needed == package.project_id:
                yield f"{where}: it requires itself; take that out of requires"
            elif needed not in first:
                yield f"{where}: it requires {needed!r}, which is no project_id of the table"


def _circles(packages: Sequence[Package]) -> Iterator[str]:
    """Find requirements that lead back to where they began; each circle once."""
    by_id = {package.project_id: package for package in packages}
    state: dict[str, int] = {}
    for package in packages:
        path: list[str] = []
        waiting = [(package.project_id, iter(package.requires))] if package.project_id not in state else []
        if waiting:
            state[package.project_id] = 1
            path.append(package.project_id)
        while waiting:
            here, others = waiting[-1]
            needed = next(others, None)
            if needed is None:
                state[here] = 2
                waiting.pop()
                path.pop()
            elif state.get(needed) == 1:
                circle = [by_id[one] for one in path[path.index(needed) :]]
                steps = " > ".join(f"{one.project_id} (row {one.row})" for one in [*circle, circle[0]])
                yield f"row {circle[0].row} ({circle[0].project_id}): requires leads in a circle: {steps}; take one out"
            elif needed not in state:
                state[needed] = 1
                path.append(needed)
                waiting.append((needed, iter(by_id[needed].requires)))
