"""Records that checks with an element lost return."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NMinus1Status(StrEnum):
    """What an outage leads to; from the mildest to the gravest."""

    SECURE = "SECURE"
    """Every healthy section is supplied again, and no limit is broken."""
    VIOLATED = "VIOLATED"
    """A healthy section has a tie, but every way to restore it breaks a limit."""
    UNSUPPLIED = "UNSUPPLIED"
    """A healthy section has no tie to a section that is still supplied, or no switch parts the feeder at all."""
    NOT_CONVERGED = "NOT_CONVERGED"
    """No restoration of some part has a load flow solution in every case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstValues:
    """Extremes of a switch state over all cases; ids and cases are -1 where there is no value.

    Attributes
    ----------
    loading_percent : float
        Highest loading of a medium-voltage line or a main transformer; NaN where there is no load flow solution, or
        where no such element has a rating. [%]
    loading_kind, loading_id, loading_name, loading_case
        Table (``line``, ``trafo``), id and name of that element, and the case.
    vm_pu : float
        Lowest medium-voltage bus voltage; NaN where there is no load flow solution. [pu]
    vm_bus_id, vm_bus_name, vm_case
        Where and in which case.
    """

    loading_percent: float
    loading_kind: str
    loading_id: int
    loading_name: str
    loading_case: int
    vm_pu: float
    vm_bus_id: int
    vm_bus_name: str
    vm_case: int


class StepKind(StrEnum):
    """What a step of a switching sheet is for, in the order of the sheet."""

    TRIP = "trip"
    """A breaker, or the protection at the source where there is none, opens by itself."""
    ISOLATE = "isolate"
    """A switch beside the faulted section is opened."""
    RECLOSE = "reclose"
    """What tripped is closed again: healthy sections before the fault get their supply back."""
    PART = "part"
    """A switch among dark sections is opened, so that they are shared out or left dark."""
    TIE = "tie"
    """A switch of a tie is closed."""
    REPAIR = "repair"
    """No operation: what is still off waits for the repair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchingStep:
    """One step of a switching sheet; power and households are those of the feeder at its own peak.

    Attributes
    ----------
    kind : StepKind
        What it is for.
    switch : str
        Name of the switch, of its branch where it has none; empty for the protection at the source and for `REPAIR`.
    branch, bus : str
        The branch at whose end it sits, as kind and id (``line:6``; ``switch:3`` for a bus-bus switch), and the bus
        there; the bus is empty where a whole line is operated.
    switch_ids : tuple of int
        Its ids in the table of switches; several where one end has several.
    line_ids : tuple of int
        The line, where lines are operated as a whole because the network has no switches.
    closes : bool or None
        True where it is closed, False where it is opened, None for `REPAIR`.
    by_remote : bool
        True where it is operated from the control room, or by itself.
    minutes, elapsed_minutes : float
        Time that the step takes, and time since the fault when it is done. [min]
    served_kw, served_households : float, int
        What is supplied after it. [kW]
    """

    kind: StepKind
    switch: str
    branch: str
    bus: str
    switch_ids: tuple[int, ...]
    line_ids: tuple[int, ...]
    closes: bool | None
    by_remote: bool
    minutes: float
    elapsed_minutes: float
    served_kw: float
    served_households: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NMinus1Row:
    """One outage, its restoration and what is left.

    Power refers to the feeder at its own peak, so that ``served_kw + unsupplied_kw == demand_kw``. The worst values are
    the extremes over all cases after restoration. Where a part stays dark although it has a tie, `refused_by` and
    `tried` say why: the values with the largest such part on the tie that leaves most margin.

    Attributes
    ----------
    outage_id, outage_kind : str
        Id of the section, or of the feeder followed by ``-outlet``; ``section`` or ``outlet``.
    county_code, feeder_id, supply_class : str
        Where it is; empty where the network does not say.
    status : NMinus1Status
        Outcome.
    tripped_by : str
        Nearest circuit breaker towards the source, empty where there is none.
    restored_by, refused_by : tuple of str
        Ties that are closed; ties with most margin of the parts that stay dark.
    opened : tuple of str
        Switches that are opened to share out or to leave dark, isolation not among them.
    closed_branches, opened_branches, refused_branches : tuple of str
        The branches whose switches these are, as kind and id: ``line:6``; ``switch:3`` for a bus-bus switch.
    by_remote : bool
        True where every switch that is operated is operated from the control room.
    peak_case : int
        Case of the feeder's peak.
    demand_kw, served_kw, unsupplied_kw : float
        Load of the feeder, the part supplied after restoration, and the rest with the faulted section, which waits
        for repair. [kW]
    interrupted_kw : float
        Load behind the breaker that trips: off until the switching is done. [kW]
    lost_kw, restored_kw : float
        Healthy load that is cut off from its source; the part of it that ties take over. [kW]
    unsupplied_households, interrupted_households : int
        Registered households likewise.
    untransferred_households : int
        Those of the unsupplied households whose section is healthy and that no tie takes over; the others stand in the
        faulted section.
    transfer_ratio : float
        ``restored_kw / lost_kw``, 1 where nothing healthy is cut off. [1]
    method : str
        How the restoration was found: ``enumeration`` or ``programme``.
    is_proved : bool
        True where no other switching leaves less dark.
    bound_households, bound_kw : int, float
        Households and load of healthy sections that no switching can help leaving dark. [kW]
    worst, tried : WorstValues
        Values after restoration; values with the refused tie closed, those of `worst` where none was refused.
    switch_states, tried_switch_states : tuple of (int, bool)
        Switches that stand differently from normal (id, closed) after restoration, and while the values of `tried`
        hold.
    line_states, tried_line_states : tuple of (int, bool)
        The same for lines (id, in service) where the network has no switches.
    faulted_lines : tuple of int
        Ids of the lines of the faulted section.
    faulted_trafos : tuple of int
        Ids of the transformers in it, where the outage is that of a transformer.
    steps : tuple of SwitchingStep
        The switching sheet: one operation after the other, and what waits for the repair.
    restore_minutes : float
        Time from the fault until the last load that can be restored is back; 0 where none is. [min]
    """

    outage_id: str
    outage_kind: str
    county_code: str
    feeder_id: str
    supply_class: str
    status: NMinus1Status
    tripped_by: str
    restored_by: tuple[str, ...]
    refused_by: tuple[str, ...]
    opened: tuple[str, ...]
    closed_branches: tuple[str, ...]
    opened_branches: tuple[str, ...]
    refused_branches: tuple[str, ...]
    by_remote: bool
    peak_case: int
    demand_kw: float
    served_kw: float
    unsupplied_kw: float
    interrupted_kw: float
    lost_kw: float
    restored_kw: float
    unsupplied_households: int
    interrupted_households: int
    untransferred_households: int
    transfer_ratio: float
    method: str
    is_proved: bool
    bound_households: int
    bound_kw: float
    worst: WorstValues
    tried: WorstValues
    switch_states: tuple[tuple[int, bool], ...]
    tried_switch_states: tuple[tuple[int, bool], ...]
    line_states: tuple[tuple[int, bool], ...]
    tried_line_states: tuple[tuple[int, bool], ...]
    faulted_lines: tuple[int, ...]
    faulted_trafos: tuple[int, ...]
    steps: tuple[SwitchingStep, ...]
    restore_minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederNMinus1:
    """All outages of one feeder taken together.

    Attributes
    ----------
    county_code, feeder_id, supply_class : str
        Which feeder.
    status : NMinus1Status
        The gravest status among its outages.
    is_required : bool
        True where the class asks for N-1 (C and better); classes D and E are reported only.
    transfer_ratio : float
        Healthy load taken over by ties in all its outages over healthy load cut off; 1 where none is. [1]
    outages, insecure_outages : int
        Outages studied, and those that are not SECURE.
    worst_outage_id : str
        The outage that leaves most load off, the first of equals.
    worst_unsupplied_kw : float
        Load it leaves off, at the feeder's peak. [kW]
    """

    county_code: str
    feeder_id: str
    supply_class: str
    status: NMinus1Status
    is_required: bool
    transfer_ratio: float
    outages: int
    insecure_outages: int
    worst_outage_id: str
    worst_unsupplied_kw: float
