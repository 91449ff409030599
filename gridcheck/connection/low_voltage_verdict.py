"""What an area's 0.4 kV network says to an application: yes, yes with a condition, or not yet.

Conditions are tried from the cheapest on, each with the same draws: another phase, a managed start, a cap on the power,
a step of the transformer's tap, homes put on other phases; if none of them fits, the application waits. What has to be
done in the area once (tap, phases) stays done: it is a condition of every later approval too, because they rely on it.

A limit counts against an application where more draws than the accepted risk break it and the application makes it
worse; what was broken before and is made no worse is shown and not charged.

The applications of an area are decided one by one. Connecting all at once and halving where that fails would need fewer
solutions, but could answer otherwise: a load on one phase lifts the others, so all together may keep a limit that the
first of them breaks while the others have not come yet. What saves time is the number of draws: it grows only where the
probability is near the accepted one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import IntArray
from gridcheck.checks.area_loads import AS_HOME
from gridcheck.checks.draw_extremes import PHASE_NAMES, LvCheck
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskOutlook
from gridcheck.connection.decision import Blocker
from gridcheck.connection.phase_balance import balanced_phases
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.low_voltage import PHASE_UNKNOWN, THREE_PHASE, LowVoltageGrid

MANAGED_START, TAP_UP, TAP_DOWN, REPHASE = "managed_start", "tap:+1", "tap:-1", "rephase"
_PER_KW = 10
# Slips of binary fractions: 0.3 kW is three steps of 0.1 kW.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LvOptions:
    """Which conditions may be offered.

    Attributes
    ----------
    network_of : callable
        Gives the network of a grid with the tap of the transformer moved by some steps, such that one step raises the
        low voltage; None where it has no such tap.
    phases : bool
        Whether a home may be put on another phase, alone or with all others of the area.
    switched_homes : int
        Homes with switches of their own: once all homes were put on phases anew by hand, so many of them, those that
        draw most, can be put on phases again for each application that needs it.
    managed_start : bool
        Whether heaters can be held out of a window of hours.
    least_share : float
        Share of its rated power below which a heater with a cap is no heater any more. [1] (E, range 0.3 to 0.8)
    """

    network_of: Callable[[LowVoltageGrid, int], FourWireNetwork | None]
    phases: bool = True
    switched_homes: int = 0
    managed_start: bool = True
    least_share: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LvVerdict:
    """The answer of an area's 0.4 kV network to one application.

    Attributes
    ----------
    fits : bool
        Whether it may be connected, under the conditions.
    conditions : tuple of str
        ``phase:B``, ``managed_start``, ``limit_kw:2.4``, then what the area needs: ``tap:+1``, ``tap:-1``, ``rephase``.
    plain : RiskOutlook
        The heater as it was asked for.
    outlook : RiskOutlook
        The heater under the conditions; `plain` where it has to wait.
    blocked_by : Blocker or None
        Where it has to wait: whose load uses the room up.
    broken_before : tuple of LvCheck
        Deciding limits whose share of broken draws was above the accepted risk without it: shown, not charged unless
        it makes them worse.
    """

    fits: bool
    conditions: tuple[str, ...]
    plain: RiskOutlook
    outlook: RiskOutlook
    blocked_by: Blocker | None
    broken_before: tuple[LvCheck, ...]


_Way = tuple[tuple[str, ...], RiskOutlook | None, AreaRisk, str]
"""Conditions of the application, what they lead to (None where they do not help), in which area, and what has to be
done in it."""


class AreaQueue:
    """The applications of one area in the order of their queue.

    Parameters
    ----------
    risk : AreaRisk
        The area before its queue.
    options : LvOptions
        Which conditions may be offered.
    """

    def __init__(self, risk: AreaRisk, options: LvOptions) -> None:
        self.risk, self.options = risk, options
        self.measures: tuple[str, ...] = ()

    def decide(self, heater: LvHeater) -> LvVerdict:
        """Decide one application and keep what is promised.

        Parameters
        ----------
        heater : LvHeater
            What is asked for.
        """
        plain = self.risk.with_heater(heater)
        for codes, outlook, risk, measure in self._ways(heater, plain):
            if outlook is not None and outlook.fits:
                self.risk = risk
                # Homes may be put on phases again and again by switches; it stays one condition.
                is_new = measure and (measure != REPHASE or REPHASE not in self.measures)
                self.measures += (measure,) if is_new else ()
                risk.promise(outlook)
                return self._verdict(plain, outlook, (*codes, *self.measures), None)
        return self._verdict(plain, plain, (), self._blocker(plain))

    def _verdict(
        self, plain: RiskOutlook, outlook: RiskOutlook, conditions: tuple[str, ...], blocked_by: Blocker | None
    ) -> LvVerdict:
        rules = self.risk.rules
        return LvVerdict(
            fits=blocked_by is None,
            conditions=conditions,
            plain=plain,
            outlook=outlook,
            blocked_by=blocked_by,
            broken_before=tuple(k for k in rules.deciding if plain.probability_before[k] > rules.risk),
        )

    def _blocker(self, plain: RiskOutlook) -> Blocker:
        accepted, check = self.risk.rules.risk, plain.binding
        # Without promises it is alone already.
        alone = self.risk.alone(plain.heater) if self.risk.promised else plain
        if alone.probability_before[check] > accepted:
            return Blocker.EXISTING_LOAD
        own = alone.probability[check] > accepted or not self.risk.promised
        return Blocker.OWN_LOAD if own else Blocker.PROMISED_LOAD

    # ---------------------------------------------------------------------------------------------------- conditions

    def _ways(self, heater: LvHeater, plain: RiskOutlook) -> Iterator[_Way]:
        """Yield what may be tried, the cheapest first; nothing is solved before it is asked for."""
        yield (), plain, self.risk, ""
        yield from self._other_phases(heater, plain)
        window = int(self.risk.net.pool.window[plain.step[plain.binding]])
        if self.options.managed_start and window >= 0:
            yield (MANAGED_START,), self.risk.if_fits(replace(heater, held=window), plain), self.risk, ""
        yield from self._capped(heater, plain)
        yield from self._other_tap(heater, plain)
        yield from self._other_homes(heater, plain)

    def _other_phases(self, heater: LvHeater, plain: RiskOutlook) -> Iterator[_Way]:
        """Put the home on the least loaded phase, then on the next one."""
        net = self.risk.net
        if not self.options.phases or THREE_PHASE in (heater.phase, net.grid.home_phase[heater.home]):
            return
        kw, now = self.risk.expected_kw(), _phases_now(self.risk)
        loaded = [float(kw[now == k].sum()) for k in range(len(PHASE_NAMES))]
        own = now[heater.home] if heater.phase == AS_HOME else heater.phase
        for k in sorted(set(range(len(PHASE_NAMES))) - {int(own)}, key=lambda k: (loaded[k], k)):
            moved = replace(heater, phase=k, moves_home=True)
            yield (f"phase:{PHASE_NAMES[k]}",), self.risk.if_fits(moved, plain), self.risk, ""

    def _capped(self, heater: LvHeater, plain: RiskOutlook) -> Iterator[_Way]:
        """Find the largest step of 0.1 kW that fits, by halving: more power is never better for what counts."""
        most = int(np.ceil(heater.rated_kw * _PER_KW - _ROUNDING)) - 1
        least = max(1, int(np.ceil(self.options.least_share * heater.rated_kw * _PER_KW - _ROUNDING)))
        if least > most:
            return
        best = self.risk.if_fits(replace(heater, rated_kw=least / _PER_KW), plain)
        if best is None:
            return
        low, high = least, most + 1
        while high - low > 1:
            middle = (low + high) // 2
            outlook = self.risk.if_fits(replace(heater, rated_kw=middle / _PER_KW), plain)
            if outlook is not None:
                low, best = middle, outlook
            else:
                high = middle
        yield (f"limit_kw:{low / _PER_KW:g}",), best, self.risk, ""

    def _other_tap(self, heater: LvHeater, plain: RiskOutlook) -> Iterator[_Way]:
        """Move the tap by one step: up, or down where the upper voltage is in the way; the other limits answer too."""
        net = self.risk.net
        measure, step = (TAP_DOWN, -1) if plain.binding == LvCheck.HIGH_VOLTAGE else (TAP_UP, 1)
        network = self.options.network_of(net.grid, self.steps_up() + step)
        if network is None:
            return
        risk = self.risk.moved(replace(net, network=network))
        yield (), risk.if_fits(heater, plain, self.risk), risk, measure

    def _other_homes(self, heater: LvHeater, plain: RiskOutlook) -> Iterator[_Way]:
        """Put all homes whose phase is known on phases anew; where that was done, those that have switches."""
        is_done, switched = REPHASE in self.measures, self.options.switched_homes
        if not self.options.phases or (is_done and not switched):
            return
        net, single = self.risk.net, heater.phase != THREE_PHASE
        kw = self.risk.expected_kw()
        kw[heater.home] += heater.rated_kw
        known = replace(net.grid, home_phase=_phases_now(self.risk, heater))
        phases = balanced_phases(known, kw, most=switched if is_done else None)
        grid = replace(net.grid, home_phase=phases)
        network = self.options.network_of(grid, self.steps_up())
        if network is None:
            return
        risk = self.risk.moved(
            replace(net, grid=grid, network=network), tuple(_as_home(promise) for promise in self.risk.promised)
        )
        asked = _as_home(heater) if single else heater
        yield (), risk.if_fits(asked, plain, self.risk), risk, REPHASE

    def steps_up(self) -> int:
        """Return by how many steps the tap is to be moved so that the low voltage rises."""
        return self.measures.count(TAP_UP) - self.measures.count(TAP_DOWN)


def decide_area(
    risk: AreaRisk, heaters: Sequence[LvHeater], options: LvOptions
) -> tuple[tuple[LvVerdict, ...], AreaQueue]:
    """Decide the applications of one area in the order of their queue.

    Parameters
    ----------
    risk : AreaRisk
        The area before its queue.
    heaters : sequence of LvHeater
        What is asked for, in queue order.
    options : LvOptions
        Which conditions may be offered.

    Returns
    -------
    tuple of LvVerdict
        In the order of `heaters`.
    AreaQueue
        The area with all promises and measures.
    """
    queue = AreaQueue(risk, options)
    return tuple(queue.decide(heater) for heater in heaters), queue


def _phases_now(risk: AreaRisk, *more: LvHeater) -> IntArray:
    """Return the phases of homes as promises left them; an applicant who states a phase knows that of the meter."""
    phase = risk.net.grid.home_phase.copy()
    for heater in (*risk.promised, *more):
        single = 0 <= heater.phase < THREE_PHASE
        if single and (heater.moves_home or phase[heater.home] == PHASE_UNKNOWN):
            phase[heater.home] = heater.phase
    return phase


def _as_home(heater: LvHeater) -> LvHeater:
    """Return a heater that goes where its home goes."""
    single = heater.phase != THREE_PHASE
    return replace(heater, phase=AS_HOME if single else heater.phase, moves_home=False)
