"""Sort the rows of an application file: those that can be studied, and those that come back with every reason."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from gridcheck.arrays import IntArray, frozen
from gridcheck.catalogue import DeviceCatalogue
from gridcheck.connection.applications import COLUMNS, Application
from gridcheck.connection.intake.file import ApplicationFile
from gridcheck.connection.intake.places import KnownPlaces
from gridcheck.connection.intake.repeats import find_repeats, queue_key
from gridcheck.connection.intake.values import Draft, draft_of
from gridcheck.connection.intake.words import REASON_COLUMNS, Fault, Language
from gridcheck.errors import InputError

_TOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intake:
    """An application file, sorted.

    Attributes
    ----------
    file : ApplicationFile
        As read.
    accepted : tuple of Application
        By county and place in the queue.
    rejected : DataFrame
        One row per row that comes back, in the order of the file: the user's own columns as text, then
        ``source_row``, ``reason_zh`` and ``reason_en``.
    row : ndarray of int, shape (n_rejected,)
        Position of each in `file.rows`.
    faults : tuple of tuple of Fault, length n_rejected
        Everything that is wrong with each.
    county_code, area_id : tuple of str, length n_rejected
        Where each belongs, "" where the row does not say it clearly.
    order : {"queue_position", "applied_on"}
        What the queue follows: the column of that name, or day and id where it is missing or empty.
    """

    file: ApplicationFile
    accepted: tuple[Application, ...]
    rejected: pd.DataFrame
    row: IntArray
    faults: tuple[tuple[Fault, ...], ...]
    county_code: tuple[str, ...]
    area_id: tuple[str, ...]
    order: Literal["queue_position", "applied_on"]

    @property
    def application_id(self) -> tuple[str, ...]:
        """Id of each row that comes back, as written."""
        cells = self.file.texts("application_id") or [""] * len(self.file.rows)
        return tuple(cells[row] for row in self.row)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows break each rule, the most frequent first."""
        codes = [code for faults in self.faults for code in dict.fromkeys(fault.code for fault in faults)]
        return {code: codes.count(code) for code in sorted(set(codes), key=lambda code: (-codes.count(code), code))}

    def table(self) -> pd.DataFrame:
        """Return the accepted applications with the columns of `gridcheck.connection.applications.COLUMNS` as text."""
        rows = [[str(getattr(application, name)) for name in COLUMNS] for application in self.accepted]
        return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)

    def require_some(self) -> None:
        """Refuse a file in which no row can be studied.

        Raises
        ------
        InputError
            With the reasons of the first rows.
        """
        if self.accepted:
            return
        if not self.file.rows:
            raise InputError(f"{self.file.path} holds no application below its heading. 文件中没有申请。")
        told = [
            f"row {number} ({name}): {said}"
            for number, name, said in zip(
                self.rejected["source_row"], self.application_id, self.rejected["reason_en"], strict=True
            )
        ]
        raise InputError(
            f"{self.file.path}: none of {len(told)} applications can be studied. 没有一行可以受理。",
            [*told[:_TOLD], *([f"and {len(told) - _TOLD} more"] if len(told) > _TOLD else [])],
        )


def sort_rows(
    file: ApplicationFile,
    known: KnownPlaces,
    *,
    today: date,
    done: Collection[str] = (),
    district_heated: Collection[str] = (),
    devices: DeviceCatalogue | None = None,
) -> Intake:
    """Sort the rows of an application file.

    Parameters
    ----------
    file : ApplicationFile
        From `read_application_file`.
    known : KnownPlaces
        Counties, villages and areas that are studied.
    today : date
        Day from which dates are in the future.
    done : collection of str
        Ids of applications, homes or meters that are approved or connected already.
    district_heated : collection of str
        Codes of villages on district heating.
    devices : DeviceCatalogue, optional
        Models of the planner's own that may stand in the column of devices.

    Returns
    -------
    Intake
        Every row once: accepted, or rejected with all its faults. Where the file gives no place in the queue, the
        accepted ones of each county are queued by day and id.
    """
    draft = draft_of(file, known, today=today, done=done, district_heated=district_heated, devices=devices)
    find_repeats(draft)
    bad = [row for row, faults in enumerate(draft.faults) if faults]
    rejected = file.table().iloc[bad]
    reasons = {
        "source_row": file.row_number[bad],
        "reason_zh": [_reasons(draft.faults[row], "zh") for row in bad],
        "reason_en": [_reasons(draft.faults[row], "en") for row in bad],
    }
    return Intake(
        file=file,
        accepted=_accepted(draft),
        rejected=pd.concat(
            [rejected, pd.DataFrame(reasons, index=rejected.index, columns=list(REASON_COLUMNS))], axis="columns"
        ).reset_index(drop=True),
        row=frozen(np.array(bad, dtype=np.int64), np.int64),
        faults=tuple(tuple(draft.faults[row]) for row in bad),
        county_code=tuple(draft.place[row].county_code for row in bad),
        area_id=tuple(draft.place[row].area_id for row in bad),
        order="queue_position" if draft.gives_positions else "applied_on",
    )


def _reasons(faults: list[Fault], language: Language) -> str:
    return ("；" if language == "zh" else "; ").join(fault.text(language) for fault in faults)


def _accepted(draft: Draft) -> tuple[Application, ...]:
    good = sorted(
        (row for row, faults in enumerate(draft.faults) if not faults),
        key=lambda row: (draft.place[row].county_code, queue_key(draft, row)),
    )
    result: list[Application] = []
    n_before: dict[str, int] = {}
    for row in good:
        place, applied_on, rated_kw = draft.place[row], draft.applied_on[row], draft.rated_kw[row]
        if applied_on is None or rated_kw is None:
            raise AssertionError("a row without a day or a power has a fault")
        n_before[place.county_code] = n_before.get(place.county_code, 0) + 1
        position = draft.position[row]
        result.append(
            Application(
                application_id=draft.texts["application_id"][row],
                county_code=place.county_code,
                village_code=place.village_code,
                area_id=place.area_id,
                applied_on=applied_on,
                device=draft.device[row],
                rated_kw=rated_kw,
                phase=draft.phase[row],
                household_group=draft.household_group[row],
                queue_position=position if position is not None else n_before[place.county_code],
            )
        )
    return tuple(result)
