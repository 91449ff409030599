"""``applications_rejected.csv``: applications that were not studied, each with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from gridcheck.reports.schemas import Column, TableSpec

if TYPE_CHECKING:
    from gridcheck.connection.intake import Intake

APPLICATIONS_REJECTED = TableSpec(
    name="applications_rejected",
    key=("source_row",),
    columns=(
        Column(name="source_row", kind="integer"),
        *(Column(name=name, kind="text", nullable=True) for name in ("application_id", "county_code", "area_id")),
        *(Column(name=name, kind="text") for name in ("reasons", "reason_zh", "reason_en")),
    ),
)
"""One row per application of the file that was rejected; none where the queue is synthetic."""

RETURNED_FILES: Mapping[str, str] = {
    "csv": "applications_returned.csv",
    "xlsx": "applications_returned.xlsx",
}
"""The file in which rejected rows go back to be corrected, by the kind of file they came from."""


def rejected_rows(intake: Intake | None) -> pd.DataFrame:
    """Return the table of rejected applications, in the order of their file; without names, meters and other cells.

    Parameters
    ----------
    intake : Intake or None
        The application file, sorted; None for the synthetic queue.
    """
    if intake is None:
        return pd.DataFrame(columns=list(APPLICATIONS_REJECTED.column_names))
    return pd.DataFrame(
        {
            "source_row": intake.rejected["source_row"].astype("int64"),
            "application_id": [name or None for name in intake.application_id],
            "county_code": [code or None for code in intake.county_code],
            "area_id": [area or None for area in intake.area_id],
            "reasons": [" ".join(dict.fromkeys(fault.code for fault in faults)) for faults in intake.faults],
            "reason_zh": intake.rejected["reason_zh"],
            "reason_en": intake.rejected["reason_en"],
        },
        columns=list(APPLICATIONS_REJECTED.column_names),
    )
