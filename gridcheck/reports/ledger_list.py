"""The applications of a ledger as a table: where each stands, what was answered and granted, what was done last."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gridcheck.ledger import ListedApplication
from gridcheck.reports.labels import village_name
from gridcheck.reports.schemas import Column, TableSpec

LISTED = TableSpec(
    name="applications",
    key=("application_id",),
    columns=(
        *(Column(name=name, kind="text") for name in ("application_id", "county_code", "village_code")),
        Column(name="village", kind="text", nullable=True),
        *(Column(name=name, kind="text") for name in ("area_id", "feeder_id", "main_transformer_id", "device")),
        Column(name="rated_kw", kind="real", unit="kW"),
        *(Column(name=name, kind="text") for name in ("phase", "household_group", "applied_on", "state")),
        *(Column(name=name, kind="text", nullable=True) for name in ("verdict", "conditions")),
        Column(name="granted_kw", kind="real", unit="kW", nullable=True),
        Column(name="granted_phase", kind="text", nullable=True),
        Column(name="held_until", kind="time", nullable=True),
        Column(name="changed_at", kind="time"),
        *(Column(name=name, kind="text") for name in ("action", "who")),
    ),
)
"""Columns of the list; cells without a value are empty where nothing was answered, granted or reserved."""


def applications_table(lines: Sequence[ListedApplication]) -> pd.DataFrame:
    """Return the list as a table with the columns of `LISTED`.

    Parameters
    ----------
    lines : sequence of ListedApplication
        As `Ledger.listed` returns them.
    """
    rows = [
        {
            "application_id": one.kept.asked.application_id,
            "county_code": one.kept.asked.county_code,
            "village_code": one.kept.asked.village_code,
            "village": village_name(one.kept.asked.village_code) or None,
            "area_id": one.kept.asked.area_id,
            "feeder_id": one.kept.asked.feeder_id,
            "main_transformer_id": one.kept.asked.main_transformer_id,
            "device": one.kept.asked.device,
            "rated_kw": one.kept.asked.rated_kw,
            "phase": one.kept.asked.phase,
            "household_group": one.kept.asked.household_group,
            "applied_on": one.kept.asked.applied_on.isoformat(),
            "state": one.kept.state,
            "verdict": one.verdict,
            "conditions": ";".join(one.conditions) or None,
            "granted_kw": None if one.approved is None else one.approved.rated_kw,
            "granted_phase": None if one.approved is None else one.approved.phase,
            "held_until": one.held_until,
            "changed_at": one.changed_at,
            "action": one.action,
            "who": one.who,
        }
        for one in lines
    ]
    return pd.DataFrame(rows, columns=list(LISTED.column_names))
