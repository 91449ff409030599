"""What each row says by itself: ids, days, devices, powers, phases; every fault of a row is found, not the first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from gridcheck.catalogue import DEVICE_CLASSES, DeviceCatalogue
from gridcheck.connection.applications import (
    APPLICATION_ID,
    MAX_QUEUE_POSITION,
    MAX_RATED_KW,
    PHASES,
    names_of,
    plain_number,
    sheet_conflicts,
)
from gridcheck.connection.intake.file import ApplicationFile
from gridcheck.connection.intake.places import KnownPlaces, Place, cut
from gridcheck.connection.intake.words import (
    REQUIRED,
    Fault,
    bounds,
    column_zh,
    device_words_zh,
    fold,
    meaning,
    read_day,
)

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")
# Cells that may stay empty: the village is that of the area.
_MAY_BE_EMPTY = ("county_code", "village_code", "area_id")
_AMBIGUOUS_DEVICES = ("空气源热泵", "空气源", "热泵", "空气能", "heat pump", "air-source heat pump")
_UNITS = ("kw", "千瓦")


@dataclass(slots=True, kw_only=True, eq=False)
class Draft:
    """Rows on their way through the rules.

    Attributes
    ----------
    file : ApplicationFile
        The rows as written.
    texts : dict of str to list of str
        Cells of the columns that are read, "" where there is no such column.
    faults : list of list of Fault, length n_row
        What was found so far.
    place : list of Place
        Where each row belongs.
    applied_on : list of date or None
        Day, where readable.
    device, phase, household_group : list of str
        Codes, "" where not known.
    rated_kw : list of float or None
        Power, where readable. [kW]
    position : list of int or None
        Place in the queue, where readable; all None where the file gives none.
    """

    file: ApplicationFile
    texts: dict[str, list[str]]
    faults: list[list[Fault]]
    place: list[Place]
    applied_on: list[date | None]
    device: list[str]
    rated_kw: list[float | None]
    phase: list[str]
    household_group: list[str]
    position: list[int | None]

    @property
    def gives_positions(self) -> bool:
        """Whether the file says in which order applications are decided."""
        return any(self.texts["queue_position"])


def draft_of(
    file: ApplicationFile,
    known: KnownPlaces,
    *,
    today: date,
    done: Collection[str],
    district_heated: Collection[str],
    devices: DeviceCatalogue | None,
) -> Draft:
    """Read every row by itself; see `gridcheck.connection.intake.sort.sort_rows` for the arguments."""
    optional = ("queue_position", "home_id", "meter_id", "applicant", "heating_source")
    texts = {role: file.texts(role) or [""] * len(file.rows) for role in (*REQUIRED, *optional)}
    models = frozenset(device.model for device in devices or ())

    def device_code(text: str) -> str:
        return text if text in models else meaning("device", text)

    draft = Draft(
        file=file,
        texts=texts,
        faults=[[] for _ in file.rows],
        place=_each(
            list(zip(texts["county_code"], texts["village_code"], texts["area_id"], strict=True)),
            lambda cells: known.place(*cells),
        ),
        applied_on=_each(texts["applied_on"], lambda text: read_day(text, serial=file.has_serial_days)),
        device=_each(texts["device"], device_code),
        rated_kw=_each(texts["rated_kw"], _power),
        phase=_each(texts["phase"], lambda text: meaning("phase", text)),
        household_group=_each(texts["household_group"], lambda text: meaning("household_group", text)),
        position=_each(texts["queue_position"], _position),
    )
    _shape_faults(draft)
    for row, place in enumerate(draft.place):
        draft.faults[row] += place.faults
    _id_faults(draft, frozenset(done))
    _day_faults(draft, today)
    _device_faults(draft, devices)
    _power_faults(draft, devices)
    _word_faults(draft)
    _heating_faults(draft, frozenset(district_heated))
    return draft


def _each(cells: Sequence[_Key], read: Callable[[_Key], _Value]) -> list[_Value]:
    """Read every cell, each distinct one once."""
    known = {cell: read(cell) for cell in dict.fromkeys(cells)}
    return [known[cell] for cell in cells]


def _power(text: str) -> float | None:
    folded = fold(text)
    for unit in _UNITS:
        folded = folded.removesuffix(unit)
    return plain_number(folded)


def _position(text: str) -> int | None:
    number = plain_number(text)
    return int(number) if number is not None and 1 <= number <= MAX_QUEUE_POSITION and number == int(number) else None


def _shape_faults(draft: Draft) -> None:
    """Find cells beyond the heading, rows that end too soon, formulas and empty cells."""
    file = draft.file
    width = len(file.headings)
    bare = [place for place, heading in enumerate(file.headings) if not heading]
    for row, cells in enumerate(file.rows):
        if any(cells[width:]) or any(place < len(cells) and cells[place] != "" for place in bare):
            draft.faults[row].append(Fault(code="ragged_row", values={"allowed": str(width - len(bare))}))
        elif len(cells) < width:
            values = {"found": str(len(cells)), "allowed": str(width)}
            draft.faults[row].append(Fault(code="short_row", values=values))
    for row, column in sorted(file.formulas):
        role = file.roles[column] if column < width else ""
        if role in draft.texts:
            draft.faults[row].append(Fault(code="formula", values={"column": role, "column_zh": column_zh(role)}))
    for role in REQUIRED:
        if role not in _MAY_BE_EMPTY:
            fault = Fault(code="empty", values={"column": role, "column_zh": column_zh(role)})
            for row, text in enumerate(draft.texts[role]):
                if not text:
                    draft.faults[row].append(fault)


def _id_faults(draft: Draft, done: frozenset[str]) -> None:
    for row, text in enumerate(draft.texts["application_id"]):
        if text and not APPLICATION_ID.fullmatch(text):
            draft.faults[row].append(Fault(code="bad_id", values={"found": cut(text)}))
        for role in ("application_id", "home_id", "meter_id"):
            found = draft.texts[role][row]
            if found and found in done:
                draft.faults[row].append(Fault(code="already_done", values={"found": cut(found)}))
                break


def _day_faults(draft: Draft, today: date) -> None:
    first_year, last = int(bounds()["applied_year"][0]), today + timedelta(days=bounds()["future_days"][1])
    for row, (text, day) in enumerate(zip(draft.texts["applied_on"], draft.applied_on, strict=True)):
        if not text:
            continue
        if day is None:
            draft.faults[row].append(Fault(code="bad_date", values={"found": cut(text)}))
        elif day.year < first_year:
            values = {"found": cut(text), "allowed": str(first_year)}
            draft.faults[row].append(Fault(code="date_too_early", values=values))
        elif day > last:
            draft.faults[row].append(Fault(code="date_in_future", values={"found": cut(text), "allowed": str(last)}))


def _device_faults(draft: Draft, devices: DeviceCatalogue | None) -> None:
    models = [device.model for device in devices or ()]
    ambiguous = {fold(word) for word in _AMBIGUOUS_DEVICES}
    values = {
        "allowed": names_of((*DEVICE_CLASSES, *models)),
        "allowed_zh": "、".join((*device_words_zh(), *models[:5])) + ("等" if len(models) > 5 else ""),
    }
    for row, (text, code) in enumerate(zip(draft.texts["device"], draft.device, strict=True)):
        if not text or code:
            continue
        unknown = "unknown_model" if models else "unknown_device"
        kind = "ambiguous_device" if fold(text) in ambiguous else unknown
        draft.faults[row].append(Fault(code=kind, values={"found": cut(text), **values}))


def _power_faults(draft: Draft, devices: DeviceCatalogue | None) -> None:
    sheets = {device.model: device for device in devices or ()}
    one_phase_kw = bounds()["single_phase"][1]
    for row, (text, found_kw) in enumerate(zip(draft.texts["rated_kw"], draft.rated_kw, strict=True)):
        if not text:
            continue
        power = found_kw if found_kw is not None and 0.0 < found_kw <= MAX_RATED_KW else None
        if power is None:
            values = {"found": cut(text), "allowed": f"{MAX_RATED_KW:g}"}
            draft.faults[row].append(Fault(code="bad_power", values=values))
        device, phase = draft.device[row], draft.phase[row]
        values = {"found": f"{power:g}" if power is not None else "", "phase": phase, "device": device}
        if device in sheets:
            for code, more in sheet_conflicts(sheets[device], power, phase):
                draft.faults[row].append(Fault(code=code, values=values | more))
            continue
        if power is None:
            continue
        if phase in PHASES[:3] and power > one_phase_kw:
            draft.faults[row].append(Fault(code="one_phase_power", values=values | {"allowed": f"{one_phase_kw:g}"}))
        low, high = bounds().get(device, (0.0, MAX_RATED_KW))
        if not low <= power <= high:
            draft.faults[row].append(Fault(code="power_of_class", values=values | {"allowed": f"{low:g}-{high:g}"}))


def _word_faults(draft: Draft) -> None:
    for role, codes, kind in (
        ("phase", draft.phase, "unknown_phase"),
        ("household_group", draft.household_group, "unknown_group"),
    ):
        for row, (text, code) in enumerate(zip(draft.texts[role], codes, strict=True)):
            if text and not code:
                draft.faults[row].append(Fault(code=kind, values={"found": cut(text)}))
    if draft.gives_positions:
        for row, (text, position) in enumerate(zip(draft.texts["queue_position"], draft.position, strict=True)):
            if position is None:
                values = {"found": cut(text), "allowed": str(MAX_QUEUE_POSITION)}
                draft.faults[row].append(Fault(code="bad_position", values=values))


def _heating_faults(draft: Draft, district_heated: frozenset[str]) -> None:
    for row, (text, place) in enumerate(zip(draft.texts["heating_source"], draft.place, strict=True)):
        found = text if meaning("heating_source", text) else ""
        if not found and place.village_code in district_heated:
            found = place.village_code
        if found:
            draft.faults[row].append(Fault(code="district_heating", values={"found": cut(found)}))
