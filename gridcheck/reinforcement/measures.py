"""What can be done to a grid, as plain records: changes to its parts, and candidates made of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseBalancing:
    """Households of an area are spread over the phases anew.

    Attributes
    ----------
    area_id : str
        The area.
    unbalance_factor : float
        Voltage drop of the heaviest phase over that of a balanced line, afterwards. [1]
    """

    area_id: str
    unbalance_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSwitching:
    """Some homes of an area get switches that put them on another phase whenever the load has shifted.

    Attributes
    ----------
    area_id : str
        The area.
    unbalance_factor : float
        Voltage drop of the heaviest phase over that of a balanced line, afterwards. [1]
    homes : int
        Homes with a switch.
    """

    area_id: str
    unbalance_factor: float
    homes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TapChange:
    """The off-load tap of an area's transformer is set anew.

    Attributes
    ----------
    area_id : str
        The area.
    tap_ratio : float
        Ratio of the transformer over its nominal one, afterwards; below 1 raises the low voltage. [1]
    """

    area_id: str
    tap_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerSwap:
    """An area's transformer is replaced; its tap position stays.

    Attributes
    ----------
    area_id : str
        The area.
    type_name : str
        New type, of the catalogue.
    """

    area_id: str
    type_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnLoadTransformer:
    """An area's transformer is replaced by one with on-load taps, which hold the voltage of its busbar.

    Attributes
    ----------
    area_id : str
        The area.
    type_name : str
        New type without its tap changer, of the catalogue.
    tap_ratio : float
        Ratio over the nominal one under the heaviest load. [1]
    setpoint_pu, band_pu, step, range : float
        Voltage that is held, and how far off it may be; step of the ratio, and how far it goes either way. [pu], [1]
    """

    area_id: str
    type_name: str
    tap_ratio: float
    setpoint_pu: float
    band_pu: float
    step: float
    range: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LowVoltageReconductoring:
    """All low-voltage lines of an area get another conductor.

    Attributes
    ----------
    area_id : str
        The area.
    type_name : str
        New conductor, of the catalogue.
    """

    area_id: str
    type_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRegulators:
    """Voltage regulators in low-voltage lines of an area.

    Attributes
    ----------
    area_id : str
        The area.
    nodes : tuple of str
        Names of the nodes below the lines that get one; empty where the lines are not drawn and each circuit has one.
    boost : float
        By how much they raise the voltage under heavy load. [1]
    rated_kva : float
        Rated throughput of each. [kVA]
    """

    area_id: str
    nodes: tuple[str, ...]
    boost: float
    rated_kva: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArea:
    """A second transformer on a 10 kV spur takes half of an area over, and the applications that wait there.

    Attributes
    ----------
    area_id, new_area_id : str
        The area that is split, and the id of the new one.
    type_name : str
        Type of the new transformer.
    spur_type_name : str
        Conductor of the spur.
    spur_km : float
        Its length. [km]
    radius_factor : float
        Low-voltage radius of either half over the radius before. [1]
    split_line_km : float
        New low-voltage line that joins the transformer to the lines it takes over. [km]
    takes : tuple of str
        Ids of the applications that belong to the new area.
    """

    area_id: str
    new_area_id: str
    type_name: str
    spur_type_name: str
    spur_km: float
    radius_factor: float
    split_line_km: float
    takes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederReconductoring:
    """10 kV lines of a feeder get another conductor.

    Attributes
    ----------
    feeder_id : str
        The feeder.
    line_types : tuple of (int, str)
        Id and new conductor of each line.
    """

    feeder_id: str
    line_types: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederRegulator:
    """A voltage regulator in a 10 kV line raises the voltage of everything behind it.

    Attributes
    ----------
    feeder_id : str
        The feeder.
    line_id : int
        Id of the line.
    boost : float
        By how much it raises the voltage while the load is heavy, over the voltage before it. [1]
    rated_mva : float
        Rated throughput. [MVA]
    """

    feeder_id: str
    line_id: int
    boost: float
    rated_mva: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TieLine:
    """A normally open link between two feeders.

    Attributes
    ----------
    tie_id : str
        Its id.
    feeder_id, other_feeder_id : str
        Feeder that it helps, and its neighbour.
    from_bus_id, to_bus_id : int
        Ids of the buses it joins; the open switch stands at the second one.
    type_name : str
        Conductor.
    length_km : float
        Length. [km]
    """

    tie_id: str
    feeder_id: str
    other_feeder_id: str
    from_bus_id: int
    to_bus_id: int
    type_name: str
    length_km: float


Change = (
    PhaseBalancing
    | PhaseSwitching
    | TapChange
    | TransformerSwap
    | OnLoadTransformer
    | LowVoltageReconductoring
    | LineRegulators
    | NewArea
    | FeederReconductoring
    | FeederRegulator
    | TieLine
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing on a bill of quantities.

    Attributes
    ----------
    measure : str
        Code of the catalogue of measures.
    amount : float
        How much of it, in the catalogue's unit; lengths in whole tenths of a metre. [km], [1]
    unit_yuan : float
        Price of one unit. [yuan]
    type_name : str
        Type of the catalogue that is bought; empty where nothing is.
    elements : tuple of str
        Elements of the network that it changes or joins, as ``line:6`` or ``bus:4``; empty for measures in an area.
    """

    measure: str
    amount: float
    unit_yuan: float
    type_name: str = ""
    elements: tuple[str, ...] = ()

    @property
    def cost_yuan(self) -> float:
        """Its cost in whole yuan, so that a bill adds up to the cost of its project exactly. [yuan]"""
        return float(round(self.amount * self.unit_yuan))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One thing that money could be spent on.

    Attributes
    ----------
    project_id : str
        Its id.
    county_code, feeder_id, area_id : str
        Where; the area is empty for measures on a feeder.
    group : str
        Alternatives at one place share a group: at most one of them is built.
    measures : tuple of str
        Codes of the catalogue of measures, the dearest first; more than one for a package.
    description : str
        What is replaced by what.
    cost_yuan : float
        Cost of all of it. [yuan]
    changes : tuple of Change
        What is built; empty for candidates read from a plain table, and for what two others only bring together.
    requires : tuple of str
        Ids of projects without which it is not built.
    excludes : tuple of str
        Ids of projects beside which it is not built.
    items : tuple of Item
        What the cost is the sum of; empty for candidates read from a plain table.
    """

    project_id: str
    county_code: str
    feeder_id: str
    area_id: str
    group: str
    measures: tuple[str, ...]
    description: str
    cost_yuan: float
    changes: tuple[Change, ...] = ()
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()

    @property
    def measure(self) -> str:
        """Code of the dearest measure, by which a report files the candidate."""
        return self.measures[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A candidate with what it brings, as the choice sees it.

    Attributes
    ----------
    candidate : Candidate
        What is built.
    households_unlocked : int
        Applications that can be connected with it and were deferred without it.
    application_ids : tuple of str
        Their ids; empty where only the number is known.
    overload_hours_removed, undervoltage_hours_removed : float
        Hours beyond the limits that go away at its place; negative where the new households cause more. [h]
    unsupplied_mwh_removed : float
        Energy that is not left off any more after single outages. [MWh]
    """

    candidate: Candidate
    households_unlocked: int
    application_ids: tuple[str, ...] = ()
    overload_hours_removed: float = 0.0
    undervoltage_hours_removed: float = 0.0
    unsupplied_mwh_removed: float = 0.0

    @property
    def project_id(self) -> str:
        """Id of the candidate."""
        return self.candidate.project_id

    @property
    def cost_yuan(self) -> float:
        """Cost of the candidate. [yuan]"""
        return self.candidate.cost_yuan

    @property
    def hours_removed(self) -> float:
        """Hours of overload and of low voltage that go away. [h]"""
        return self.overload_hours_removed + self.undervoltage_hours_removed

    @property
    def reason(self) -> str:
        """Code of the problem that it solves first: new_load, stronger_grid, low_voltage or overload."""
        if self.households_unlocked > 0:
            return "new_load"
        if self.unsupplied_mwh_removed > 0.0:
            return "stronger_grid"
        return "low_voltage" if self.undervoltage_hours_removed >= self.overload_hours_removed else "overload"
