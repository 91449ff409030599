"""``switching_sheets.csv``: the operations of every outage in their order, as a dispatcher reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from gridcheck.reports.schemas import Column, TableSpec
from gridcheck.reports.texts import Language, text

if TYPE_CHECKING:
    from gridcheck.checks.records import NMinus1Row, SwitchingStep

# More elements of a faulted section than this are not written out.
_NAMED = 6

SWITCHING_SHEETS = TableSpec(
    name="switching_sheets",
    key=("outage_id", "step"),
    columns=(
        Column(name="county_code", kind="text"),
        Column(name="feeder_id", kind="text", nullable=True),
        Column(name="outage_id", kind="text"),
        Column(name="step", kind="integer"),
        Column(name="stage", kind="text"),
        Column(name="closing_stage", kind="integer", nullable=True),
        *(Column(name=name, kind="text", nullable=True) for name in ("action", "switch", "element", "branch", "bus")),
        Column(name="by_remote", kind="boolean"),
        Column(name="minutes", kind="real", unit="min", decimals=0),
        Column(name="elapsed_minutes", kind="real", unit="min", decimals=0),
        Column(name="served_kw", kind="real", unit="kW", decimals=2),
        Column(name="off_kw", kind="real", unit="kW", decimals=2),
        Column(name="served_households", kind="integer"),
        Column(name="off_households", kind="integer"),
        Column(name="instruction_zh", kind="text"),
        Column(name="instruction_en", kind="text"),
    ),
)
"""One row per step; outages that nobody is supplied through have none."""


def switching_sheet_rows(rows: Sequence[NMinus1Row]) -> pd.DataFrame:
    """Return the table of all steps of some outages, in the order of the outages.

    Parameters
    ----------
    rows : sequence of NMinus1Row
        Outages, of one county or of one file.

    Returns
    -------
    DataFrame
        The columns of `SWITCHING_SHEETS`. Load and households are those of the feeder at its own peak: what has
        supply after the step and what has not. ``closing_stage`` is empty where no supply returns. ``element`` names
        what is operated in the ids of the network, as
        ``switch:3``; ``line:6`` where a whole line is; empty for the protection at the source.
    """
    found = [_step(row, number, step) for row in rows for number, step in enumerate(row.steps, start=1)]
    return pd.DataFrame(found, columns=list(SWITCHING_SHEETS.column_names))


def instruction(row: NMinus1Row, step: SwitchingStep, language: Language) -> str:
    """Return one step as a sentence.

    Parameters
    ----------
    row : NMinus1Row
        The outage.
    step : SwitchingStep
        One of its steps.
    language : {"zh", "en"}
        Language of the sentence.
    """
    if step.kind == "repair":
        return _what_waits(row, step, language)
    if step.kind == "wait":
        return text("switching.wait", language, stage=step.stage, minutes=f"{step.minutes:.0f}", next=step.stage + 1)
    how = text("switching.by_remote" if step.by_remote else "switching.by_hand", language)
    words = text(f"switching.{step.kind}", language, switch=_switch(step, language), how=how)
    is_staged = row.stages > 1 and step.stage > 0
    return text("switching.of_stage", language, stage=step.stage, words=words) if is_staged else words


def _switch(step: SwitchingStep, language: Language) -> str:
    if not step.branch:
        return text("switching.protection", language)
    if step.bus:
        return text("switching.switch", language, name=step.switch, branch=step.branch, bus=step.bus)
    if step.switch == step.branch:
        return text("switching.line", language, branch=step.branch)
    return text("switching.named_line", language, name=step.switch, branch=step.branch)


def _what_waits(row: NMinus1Row, step: SwitchingStep, language: Language) -> str:
    names = [f"trafo:{i}" for i in row.faulted_trafos] or [f"line:{i}" for i in row.faulted_lines] or [row.outage_id]
    shown = text("switching.comma", language).join(names[:_NAMED])
    if len(names) > _NAMED:
        shown = text("switching.and_more", language, shown=shown, count=len(names))
    values: dict[str, Any] = {"fault": shown, "kw": f"{row.unsupplied_kw:.1f}"}
    if row.unsupplied_kw == row.unsupplied_households == 0:
        return text("switching.repair_none_off", language, **values)
    if step.served_households + row.unsupplied_households == 0:
        healthy = f"{row.lost_kw - row.restored_kw:.1f}"
        return text("switching.repair_load", language, healthy_kw=healthy, **values)
    values |= {"households": row.unsupplied_households, "healthy": row.untransferred_households}
    return text("switching.repair", language, **values)


def _step(row: NMinus1Row, number: int, step: SwitchingStep) -> dict[str, Any]:
    homes = row.steps[-1].served_households + row.unsupplied_households
    elements = [f"switch:{i}" for i in step.switch_ids] or [f"line:{i}" for i in step.line_ids]
    return {
        "county_code": row.county_code,
        "feeder_id": row.feeder_id or None,
        "outage_id": row.outage_id,
        "step": number,
        "stage": str(step.kind),
        "closing_stage": step.stage or None,
        "action": None if step.closes is None else "close" if step.closes else "open",
        "switch": step.switch or None,
        "element": ";".join(elements) or step.branch or None,
        "branch": step.branch or None,
        "bus": step.bus or None,
        "by_remote": step.by_remote,
        "minutes": step.minutes,
        "elapsed_minutes": step.elapsed_minutes,
        "served_kw": step.served_kw,
        # Rounding of sums leaves less than nothing off.
        "off_kw": max(row.demand_kw - step.served_kw, 0.0),
        "served_households": step.served_households,
        "off_households": homes - step.served_households,
        "instruction_zh": instruction(row, step, "zh"),
        "instruction_en": instruction(row, step, "en"),
    }
