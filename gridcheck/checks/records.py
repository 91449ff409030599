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
    loading_limit_percent : float
        What that element may carry after an outage; NaN where there is none. [%]
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
    loading_limit_percent: float
    vm_pu: float
    vm_bus_id: int
    vm_bus_name: str
    vm_case: int


class StepKind(StrEnum):
    """What a step of a switching sheet is for, in the order of the sheet; with stages, the closing is repeated."""

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
    JOIN = "join"
    """A switch between dark sections of different stages is closed again."""
    WAIT = "wait"
    """No operation: the load of what was closed last has to fall back before the next stage."""
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
        Name of the switch, of its branch where it has none; empty for the protection at the source, for `WAIT` and
        for `REPAIR`.
    branch, bus : str
        The branch at whose end it sits, as kind and id (``line:6``; ``switch:3`` for a bus-bus switch), and the bus
        there; the bus is empty where a whole line is operated.
    switch_ids : tuple of int
        Its ids in the table of switches; several where one end has several.
    line_ids : tuple of int
        The line, where lines are operated as a whole because the network has no switches.
    closes : bool or None
        True where it is closed, False where it is opened, None for `WAIT` and `REPAIR`.
    stage : int
        Stage in which supply returns by it, from 1; of a `WAIT` the stage whose load falls back; 0 for other steps.
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
    stage: int
    by_remote: bool
    minutes: float
    elapsed_minutes: float
    served_kw: float
    served_households: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialSupply:
    """A section more that could be supplied after an outage if single areas in it are switched off by hand.

    Attributes
    ----------
    bus_id, bus_name : tuple of int, tuple of str
        The loaded buses that stay off.
    households, load_kw : int, float
        What comes back beside the restoration. [kW]
    switch_states, line_states : tuple of (int, bool)
        As in `NMinus1Row`, with the section more.
    worst : WorstValues
        Values in the tree that has it, within limits.
    """

    bus_id: tuple[int, ...]
    bus_name: tuple[str, ...]
    households: int
    load_kw: float
    switch_states: tuple[tuple[int, bool], ...]
    line_states: tuple[tuple[int, bool], ...]
    worst: WorstValues


@dataclass(frozen=True, slots=True, kw_only=True)
class NMinus1Row:
    """One outage, its restoration and what is left.

    Power refers to the feeder at its own peak, so that ``served_kw + unsupplied_kw == demand_kw``. The worst values are
    the extremes over all cases after restoration. Where a part stays dark although it has a tie, `refused_by` and
    `tried` say why: the values with the largest such part on the tie that leaves most margin, or with one section more
    than is restored where the part has no load flow as a whole.

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
        True where no other switching leaves less dark, or as much with fewer operations.
    bound_households, bound_kw : int, float
        Households of healthy sections that no switching can help leaving dark, and the load of those switchings that
        leave no more of them. [kW]
    worst, tried : WorstValues
        Values after restoration; values of the attempt that was refused, those of `worst` where there was none.
    stages : int
        Stages in which supply returns, because all parts together draw too much at first; what stands before the fault
        comes back in the first. 1 for all at once, 0 where nothing is taken over.
    after_buses : tuple of int
        Ids of the loaded buses that draw the load of after an outage while the worst values hold; empty where nothing
        is known of it, or where stages are waited for.
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
    partial : PartialSupply or None
        What could be supplied on top; None where nothing could, or nothing is missing.
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
    stages: int
    after_buses: tuple[int, ...]
    switch_states: tuple[tuple[int, bool], ...]
    tried_switch_states: tuple[tuple[int, bool], ...]
    line_states: tuple[tuple[int, bool], ...]
    tried_line_states: tuple[tuple[int, bool], ...]
    faulted_lines: tuple[int, ...]
    faulted_trafos: tuple[int, ...]
    steps: tuple[SwitchingStep, ...]
    restore_minutes: float
    partial: PartialSupply | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageHours:
    """One outage in every step of the study.

    Attributes
    ----------
    outage_id, outage_kind : str
        As in `NMinus1Row`.
    ways : int
        Ways to supply everything again that were looked at; 0 where there is none.
    has_more_ways : bool
        True where there are or may be more ways than were looked at, so that the failing hours may be too many.
    failing_hours : float
        Hours in which none of the ways keeps the limits. [h]
    failing_share : float
        Share of the steps in which that is so. [1]
    transfer_ratio_min, transfer_ratio_mean : float
        Healthy load that ties can take over within the limits, over healthy load cut off: in the worst step, and the
        mean over the hours. Islands count as a whole unless everything is supplied. 1 where nothing is cut off. [1]
    """

    outage_id: str
    outage_kind: str
    ways: int
    has_more_ways: bool
    failing_hours: float
    failing_share: float
    transfer_ratio_min: float
    transfer_ratio_mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederHours:
    """N-1 of one feeder in every step of the study.

    Attributes
    ----------
    county_code, feeder_id, supply_class : str
        Which feeder.
    is_required : bool
        True where the class asks for N-1 (C and better); classes D and E are reported only.
    hours : float
        Hours studied. [h]
    failing_hours : float
        Hours in which N-1 fails: in which some outage has no way that supplies everything again within the limits.
    failing_share : float
        Share of the steps in which that is so. [1]
    transfer_ratio_min, transfer_ratio_mean : float
        As in `OutageHours`, over all outages of the feeder in a step. [1]
    binding_outage_id : str
        The outage whose best way leaves the smallest margin in most hours, the first of equals.
    binding_hours : float
        Those hours. [h]
    hosting_kw : float
        N-1 hosting capacity: the largest load, spread over the feeder in proportion to households, that can be added
        in all steps so that every outage of the feeder holds in every step. 0 where N-1 fails already, and where the
        feeder has no households. [kW]
    hosting_households : int
        Households that this is, each with the rated input of a heat pump and without diversity.
    hosting_outage_id : str
        The outage that fails first beyond it; empty where none was looked for.
    outages_without_way : int
        Outages that no switching restores whole at any load, so that `hosting_kw` is 0.
    hosting_with_way_kw, hosting_with_way_households, hosting_with_way_outage_id : float, int, str
        The same without those outages: what the feeder can take on before it loses a way that it has. 0 where every
        outage lacks one. [kW]
    by_outage : tuple of OutageHours
        Each outage, in the order of the contingencies.
    """

    county_code: str
    feeder_id: str
    supply_class: str
    is_required: bool
    hours: float
    failing_hours: float
    failing_share: float
    transfer_ratio_min: float
    transfer_ratio_mean: float
    binding_outage_id: str
    binding_hours: float
    hosting_kw: float
    hosting_households: int
    hosting_outage_id: str
    outages_without_way: int
    hosting_with_way_kw: float
    hosting_with_way_households: int
    hosting_with_way_outage_id: str
    by_outage: tuple[OutageHours, ...]
