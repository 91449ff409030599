"""What can be done in an area whose transformer or low-voltage lines stand in the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.catalogue import conductors, distribution_transformers
from gridcheck.checks.area_loads import expected_kw, spread_over_homes
from gridcheck.checks.supply_tree import AREA_KINDS, DRAWN_KINDS, CheckKind
from gridcheck.connection.area_desk import DeskInput
from gridcheck.connection.phase_balance import evened_phases
from gridcheck.network.area_transformers import VN_LV_KV
from gridcheck.network.low_voltage import LowVoltageGrid
from gridcheck.reinforcement.low_voltage_changes import replaced_km
from gridcheck.reinforcement.measures import (
    Change,
    LineRegulators,
    LowVoltageReconductoring,
    NewArea,
    OnLoadTransformer,
    PhaseBalancing,
    PhaseSwitching,
    TapChange,
    TransformerSwap,
)
from gridcheck.reinforcement.options import Option, Part, item_of, option_of
from gridcheck.reinforcement.regulator_place import RegulatorKind, best_place
from gridcheck.reinforcement.situation import LV_PHASE_V, Situation, with_applications
from gridcheck.reinforcement.terms import Terms
from gridcheck.units import SQRT3

# Preferred sizes that a swap and a new area can lead to. [kVA]
SWAP_SIZES_KVA = (100, 200, 400, 630)
NEW_AREA_SIZES_KVA = (200, 400)
# A swap is offered to the next size and to the one after it.
_SIZES_OFFERED = 2
# Efficiency grade 2, the series that is bought now; Dyn11 may load its neutral fully.
_NEW_TYPE = "S20-{kva:d}-Dyn11"
_LV_CONDUCTORS = ("JKLYJ-1-120", "JKLYJ-1-185")
_SPUR = ("mv_line_120", "JKLYJ-10-120")
_SPLIT_LINE = ("lv_line_120", "JKLYJ-1-120")
# Limits that other phases can help to keep: the heaviest phase or the neutral breaks them.
_PHASE_KINDS = (CheckKind.METER_LOW, CheckKind.LV_LINE, CheckKind.LV_NEUTRAL, CheckKind.TRAFO_PHASE)
# Phases that are this near to the balanced factor are left alone. [1]
_WORTH_BALANCING = 0.02
_VOLTAGE_TOLERANCE_V = 1e-6
_OLTC_KVA = 400


def area_options(situation: Situation) -> list[Option]:
    """Return the ways to help every area that is beyond a limit, or would be with what was deferred.

    Parameters
    ----------
    situation : Situation
        The county.

    Returns
    -------
    list of Option
        In the order of the areas, alternatives by cost.
    """
    needs = _needs(situation)
    result = []
    for row in np.flatnonzero(needs.overloaded | needs.low).tolist():
        parts = _AreaParts(situation, row)
        options = [
            option_of(chosen, feeder_id=parts.feeder_id, area_id=parts.area_id, group=f"area:{parts.area_id}")
            for chosen in parts.alternatives(needs, row)
        ]
        result += sorted(options, key=lambda option: (option.cost_yuan, option.measures))
    return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Needs:
    """What each area needs, shape (n_area,) each.

    Attributes
    ----------
    overloaded, low : ndarray of bool
        Its transformer, and its low-voltage lines need help.
    low_voltage : ndarray of bool
        What is too low is a voltage, not what a line can carry.
    by_phase : ndarray of bool
        Other phases can help: somebody waits for a limit that the heaviest phase breaks, or the estimate without draws
        says that the ends of the lines are too low; and all phases together keep within the transformer's rating.
    """

    overloaded: BoolArray
    low: BoolArray
    low_voltage: BoolArray
    by_phase: BoolArray


def _needs(situation: Situation) -> _Needs:
    """Tell for each area whether its transformer, and whether its low-voltage lines need help."""
    area_ids = situation.county.grid.areas["area_id"].to_numpy()
    # An area counts if it is beyond a limit now, or stands in the way of somebody and would be beyond it with all.
    asked = {decision.application.area_id for decision in situation.deferred}
    asked |= {decision.element for decision in situation.deferred if decision.kind in AREA_KINDS}
    is_asked = np.isin(area_ids, sorted(asked))
    overloaded, low = np.zeros(len(area_ids), dtype=bool), np.zeros(len(area_ids), dtype=bool)
    for place in situation.trees:
        tree, checks = place.tree, place.tree.checks
        for kind, need in zip(AREA_KINDS, (overloaded, overloaded, low), strict=True):
            here = checks.kind == kind
            need[tree.area] |= place.broken[here] | (place.broken_if_all[here] & is_asked[tree.area])
    in_sum, by_phase, low_voltage = overloaded.copy(), low.copy(), low.copy()
    for decision in situation.deferred:
        if decision.kind in DRAWN_KINDS:
            here = area_ids == decision.application.area_id
            low |= here
            low_voltage |= here & (decision.kind == CheckKind.METER_LOW)
            overloaded |= here & (decision.kind == CheckKind.TRAFO_PHASE)
            by_phase |= here & (decision.kind in _PHASE_KINDS)
    return _Needs(overloaded=overloaded, low=low, low_voltage=low_voltage, by_phase=by_phase & ~in_sum)


def _heavy_load(situation: Situation, desk: DeskInput, grid: LowVoltageGrid, row: int) -> tuple[FloatArray, float]:
    """Return what each home draws under heavy load with all connected who wait there, and reactive over active power.

    Those who wait are spread over homes as what stands there is. [kW], [1]
    """
    county = situation.county
    mine = [d.application for d in situation.deferred if d.application.area_id == grid.area_id]
    counts = with_applications(county, situation.counts, mine)
    rated_kw, count = counts.rated_kw[row], counts.count[row]
    loads = spread_over_homes(grid, desk.pool.classes, rated_kw, count, seed=desk.seed)
    home_kw = expected_kw(loads, desk.pool, grid.n_home)
    drawn = rated_kw * [share[:, ~desk.pool.is_light].mean() for share in desk.pool.share]
    return home_kw, float(drawn @ desk.pool.tan_phi / max(drawn.sum(), 1e-9))


class _AreaParts:
    """The measures that fit one area."""

    def __init__(self, situation: Situation, row: int) -> None:
        self.terms: Terms = situation.county.terms
        self.area: dict[str, Any] = {str(k): v for k, v in situation.county.grid.areas.iloc[row].items()}
        self.area_id, self.feeder_id = str(self.area["area_id"]), str(self.area["feeder_id"])
        grid, place = situation.county.grid, situation.trees[int(situation.tree_of_area[row])]
        self.tap_ratio = float(grid.network.branches.tap_ratio[grid.area_branch[row]])
        at = int(np.searchsorted(place.tree.area, row))
        self.highest_lv_v, self.lowest_lv_v = float(place.highest_lv_v[at]), float(place.lowest_lv_v[at])
        self.lowest_end_v = float(place.lowest_end_v[at])
        desk = situation.county.desk
        self.drawn = None if desk is None else desk.lines.get(self.area_id)
        self.heavy = None if desk is None or self.drawn is None else _heavy_load(situation, desk, self.drawn, row)
        self.voltage_max_v = situation.county.limits.lv_voltage_max_v.value
        self.voltage_min_v = situation.county.limits.low_voltage_v.value
        self.end_voltage_min_v = situation.county.limits.lv_voltage_min_v.value
        self.waiting = tuple(
            decision.application.application_id
            for decision in situation.deferred
            if decision.application.area_id == self.area_id
        )

    def alternatives(self, needs: _Needs, row: int) -> Iterator[tuple[Part, ...]]:
        """Yield the alternatives, each one measure or two; at most one of them is built."""
        balancing, tap, lines = self.balancing(), self.tap(), self.lines()
        if needs.by_phase[row]:
            # Switches follow the load from where the phases were put by hand.
            yield from ((*balancing, switches) for switches in self.phase_switches())
        if needs.low[row]:
            yield from ((part,) for part in self.on_load_taps())
        if needs.overloaded[row]:
            for swap in self.swaps():
                yield (swap,)
                if needs.low[row]:
                    yield from ((swap, part) for part in (*balancing, *tap, *lines[-1:]))
        else:
            yield from ((part,) for part in (*balancing, *tap, *lines))
            if needs.low_voltage[row]:
                yield from self.line_regulators(balancing)
            yield from ((first, second) for first in balancing for second in (*tap, *lines[-1:]))
        yield from ((part,) for part in self.new_areas())

    def balancing(self) -> tuple[Part, ...]:
        factor, target = float(self.area["lv_unbalance_factor"]), self.terms.balanced_unbalance_factor
        if factor < target + _WORTH_BALANCING:
            return ()
        change = PhaseBalancing(area_id=self.area_id, unbalance_factor=target)
        return (self._part("phase_balancing", change, f"k {factor:.2f} → {target:.2f}"),)

    def phase_switches(self) -> tuple[Part, ...]:
        """Return switches for the homes that draw most, unless phases are even already or there are fewer homes."""
        factor, target = float(self.area["lv_unbalance_factor"]), self.terms.switched_unbalance_factor
        homes = round(self.terms.phase_switch_homes)
        if factor < target + _WORTH_BALANCING or int(self.area["households"]) <= homes:
            return ()
        change = PhaseSwitching(area_id=self.area_id, unbalance_factor=target, homes=homes)
        return (self._part("phase_switches", change, f"k {factor:.2f} → {target:.2f}, {homes} ×"),)

    def tap(self) -> tuple[Part, ...]:
        """Return the lowest ratio at which the highest voltage of the lightest case stays allowed."""
        ratio = self.lowest_ratio()
        if ratio >= self.tap_ratio:
            return ()
        change = TapChange(area_id=self.area_id, tap_ratio=ratio)
        return (self._part("tap_change", change, f"tap {self.tap_ratio:.3f} → {ratio:.3f}"),)

    def lowest_ratio(self) -> float:
        """Return how low the ratio can be set by hand; as it is where no step lower is allowed."""
        taps = distribution_transformers()[["tap_step_percent", "tap_min"]].to_dict("index")
        nameplate = taps[str(self.area["type_name"])]
        step = float(nameplate["tap_step_percent"]) / 100.0
        lowest = 1.0 + step * float(nameplate["tap_min"])
        allowed = max(lowest, self.tap_ratio * self.highest_lv_v / (self.voltage_max_v + _VOLTAGE_TOLERANCE_V))
        steps = int(np.floor((self.tap_ratio - allowed) / step + 1e-9))
        return round(self.tap_ratio - steps * step, 6) if steps >= 1 else self.tap_ratio

    def on_load_taps(self) -> tuple[Part, ...]:
        """Return a transformer with on-load taps.

        It is offered where its size is not below the present one, and where it raises the voltage under the heaviest
        load by one step at least above what can be set by hand, which the light hours limit.
        """
        terms, now = self.terms, self.tap_ratio
        wanted = now * self.lowest_lv_v / LV_PHASE_V / terms.oltc_setpoint_pu
        end = int(terms.oltc_range / terms.oltc_step + 1e-9)
        steps = int(np.clip(np.rint((wanted - 1.0) / terms.oltc_step), -end, end))
        ratio = round(1.0 + steps * terms.oltc_step, 6)
        if float(self.area["kva"]) > _OLTC_KVA or ratio > min(now, self.lowest_ratio()) - terms.oltc_step + 1e-9:
            return ()
        change = OnLoadTransformer(
            area_id=self.area_id,
            type_name=_NEW_TYPE.format(kva=_OLTC_KVA),
            tap_ratio=ratio,
            setpoint_pu=terms.oltc_setpoint_pu,
            band_pu=terms.oltc_band_pu,
            step=terms.oltc_step,
            range=terms.oltc_range,
        )
        text = f"{self.area['type_name']} → {change.type_name} OLTC, tap {now:.3f} → {ratio:.3f}"
        return (self._part(f"transformer_swap_{_OLTC_KVA}_oltc", change, text, type_name=change.type_name),)

    def line_regulators(self, balancing: tuple[Part, ...]) -> tuple[tuple[Part, ...], ...]:
        """Return a regulator where it raises the lowest voltage most, or one in every circuit that is not drawn.

        It raises all phases alike, and the highest of them ends that; so phases are evened first where they are not.
        There is none where the lowest voltage would stay below its limit with the load that is expected, where it
        would rise by less than 1 %, or where the line carries more than a regulator can; see `best_place`. Circuits
        that are not drawn count as alike, each with its share of the transformer.
        """
        terms, nodes = self.terms, tuple[str, ...]()
        kind = RegulatorKind(
            range=terms.lv_regulator_range,
            step=terms.lv_regulator_step,
            setpoint_v=terms.lv_regulator_setpoint_pu * LV_PHASE_V,
            rated_ka=terms.lv_regulator_kva / 1000.0 / SQRT3 / VN_LV_KV,
        )
        if self.drawn is None or self.heavy is None:
            number = int(self.area["lv_circuits"])
            boost = kind.boost(self.lowest_lv_v)
            # Behind a regulator the same power drops less.
            end_v = self.lowest_lv_v * (1.0 + boost) - (self.lowest_lv_v - self.lowest_end_v) / (1.0 + boost)
            too_much = float(self.area["kva"]) / number > terms.lv_regulator_kva
            if boost < kind.step or too_much or end_v < self.end_voltage_min_v:
                return ()
            text = f"+{100.0 * boost:g} %, {number} ×"
        else:
            grid = self.drawn
            if balancing:
                grid = replace(grid, home_phase=evened_phases(grid, self.heavy[0]))
            place = best_place(grid, self.heavy[0], self.heavy[1], self.lowest_lv_v, kind)
            if place is None or place.low_after_v < self.voltage_min_v:
                return ()
            number, boost = 1, place.boost
            nodes = (self.drawn.node_name[place.node],)
            text = f"+{100.0 * boost:g} %, {nodes[0]}"
        change = LineRegulators(area_id=self.area_id, nodes=nodes, boost=boost, rated_kva=terms.lv_regulator_kva)
        part = self._part("lv_regulator", change, f"+ {terms.lv_regulator_kva:g} kVA, {text}", amount=number)
        return ((*(balancing if nodes else ()), part),)

    def swaps(self) -> tuple[Part, ...]:
        larger = [kva for kva in SWAP_SIZES_KVA if kva > float(self.area["kva"])][:_SIZES_OFFERED]
        old = self.area["type_name"]
        return tuple(
            self._part(
                f"transformer_swap_{kva}",
                TransformerSwap(area_id=self.area_id, type_name=_NEW_TYPE.format(kva=kva)),
                f"{old} → {_NEW_TYPE.format(kva=kva)}",
                type_name=_NEW_TYPE.format(kva=kva),
            )
            for kva in larger
        )

    def lines(self) -> tuple[Part, ...]:
        r_ohm_per_km = {str(name): float(r) for name, r in conductors()["r_ohm_per_km"].items()}
        old = str(self.area["lv_type_name"])
        circuits, radius_km = int(self.area["lv_circuits"]), float(self.area["lv_radius_m"]) / 1000.0
        parts = []
        for new in _LV_CONDUCTORS:
            if self.drawn is not None:
                length_km = replaced_km(self.drawn, new)
                text = f"→ {new}, {length_km:.2f} km"
            else:
                length_km = circuits * radius_km if r_ohm_per_km[new] < r_ohm_per_km[old] else 0.0
                text = f"{old} → {new}, {circuits} × {radius_km:.2f} km"
            if length_km > 0.0:
                change = LowVoltageReconductoring(area_id=self.area_id, type_name=new)
                parts.append(self._part("lv_reconductor", change, text, amount=length_km, type_name=new))
        return tuple(parts)

    def new_areas(self) -> tuple[Part, ...]:
        terms = self.terms
        if int(self.area["occupied_households"]) < 2:
            return ()
        radius_km = float(self.area["lv_radius_m"]) / 1000.0
        spur_km = round(max(terms.spur_min_km, terms.spur_km_per_radius_km * radius_km), 3)
        spur_measure, spur_type = _SPUR
        split_measure, split_type = _SPLIT_LINE
        lines = (
            item_of(terms, spur_measure, spur_km, type_name=spur_type),
            item_of(terms, split_measure, terms.split_lv_line_km, type_name=split_type),
        )
        result = []
        for kva in NEW_AREA_SIZES_KVA:
            change = NewArea(
                area_id=self.area_id,
                new_area_id=f"{self.area_id}N",
                type_name=_NEW_TYPE.format(kva=kva),
                spur_type_name=spur_type,
                spur_km=spur_km,
                radius_factor=terms.split_radius_factor,
                split_line_km=terms.split_lv_line_km,
                takes=self.waiting,
            )
            text = f"+ {change.type_name}, {spur_type} {spur_km:.2f} km"
            measure = f"new_area_{kva}"
            items = (item_of(terms, measure, type_name=change.type_name), *lines)
            result.append(Part(measure=measure, change=change, description=text, items=items))
        return tuple(result)

    def _part(
        self,
        measure: str,
        change: Change,
        description: str,
        *,
        amount: float = 1.0,
        type_name: str = "",
    ) -> Part:
        items = (item_of(self.terms, measure, amount, type_name=type_name),)
        return Part(measure=measure, change=change, description=description, items=items)
