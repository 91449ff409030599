"""How many more heaters of one kind an area's 0.4 kV network carries, seen in its draws.

Heaters are placed one after another at homes that have none, in the order in which the desk would place applicants
whose meter is not known. What a draw has shown stays its worst value, as for promises (`AreaRisk`): so one heater more
never improves anything, what fits n times fits every smaller number of times, and the largest number is found by
halving. All of them together are held against the area as it is before the first; conditions such as another phase or a
managed start are not tried.

The upper voltage in light hours is a matter of the tap, so the desk lets a heater pass that lifts it by next to nothing
(`judged`). Many such lifts must not add up to a refusal that the desk would never give to one of them: here too the
largest lift by one heater counts, and beside it how far a draw that kept the limit is pushed beyond it by all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.checks.area_loads import AS_HOME
from gridcheck.checks.draw_extremes import DrawWorst, LvCheck, worst_of_draws
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import Draws, LvHeater, RiskOutlook, judged
from gridcheck.demand.draw_pool import home_keys
from gridcheck.errors import InputError
from gridcheck.network.low_voltage import THREE_PHASE

_PHASES = 3
# Draws that are solved at once: enough to fill the kernel's blocks, few enough to stay in memory.
_DRAWS_AT_ONCE = 400


def largest_that_fits(fits: Callable[[int], bool], most: int, first: int) -> int:
    """Return the largest number from 0 to `most` that fits, where all below a number that fits do so too.

    Parameters
    ----------
    fits : callable
        Asked for numbers from 1 to `most`; 0 always fits.
    most : int
        Largest number that is looked at.
    first : int
        Where to begin; the nearer to the answer, the fewer numbers are asked for.

    Examples
    --------
    >>> largest_that_fits(lambda n: n <= 11, 40, 3)
    11
    """
    low, high = 0, most + 1
    probe, step = min(max(first, 1), most), 1
    while high - low > 1:
        if fits(probe):
            low = probe
            # Doubling until something does not fit, then halving.
            probe = min(low + step, most) if high > most else (low + high) // 2
        else:
            high = probe
            probe = max(high - step, 1) if low == 0 else (low + high) // 2
        step *= 2
    return low


@dataclass(slots=True, kw_only=True, eq=False)
class _Batch:
    """A batch of draws, as far as heaters have been placed in it.

    Attributes
    ----------
    start : Draws
        The batch before the first of them.
    p_kw, q_kvar : ndarray, shape (3 n_place, n_draw, n_step)
        Loads over the squared voltage with those placed so far. [kW], [kvar]
    meters : ndarray of bool, shape (3 n_place, n_draw)
        Phases of places on which some meter hangs, the heaters on three phases included.
    worst : list of DrawWorst
        Worst so far by number of heaters, that without any first.
    lift : list of ndarray, each of shape (n_draw,)
        Largest rise of the highest voltage by one heater so far, by number of heaters. [V]
    """

    start: Draws
    p_kw: FloatArray
    q_kvar: FloatArray
    meters: BoolArray
    worst: list[DrawWorst]
    lift: list[FloatArray]

    def without(self, number: int, limit_v: float) -> DrawWorst:
        """Return what so many heaters are compared with: see the head of the module about the upper voltage."""
        first, last = self.worst[0], self.worst[number]
        value = first.value.copy()
        with np.errstate(invalid="ignore"):  # lifted from a solution to none
            below = last.value[LvCheck.HIGH_VOLTAGE] - self.lift[number]
        below = np.where(np.isnan(below), first.value[LvCheck.HIGH_VOLTAGE], below)
        kept = ~(first.value[LvCheck.HIGH_VOLTAGE] > limit_v)
        value[LvCheck.HIGH_VOLTAGE] = np.where(kept, np.minimum(below, limit_v), below)
        return replace(first, value=value)


class HeatersInArea:
    """An area in which equal heaters are placed one after another.

    Parameters
    ----------
    risk : AreaRisk
        The area before; it is not changed.
    homes : sequence of int
        Positions of the homes in the order in which they get one.
    kind : LvHeater
        Class, rated input and phase of each; its home counts for nothing.

    Raises
    ------
    InputError
        If a home occurs twice, or a heater cannot be.
    """

    def __init__(self, risk: AreaRisk, homes: Sequence[int], kind: LvHeater) -> None:
        if len(set(homes)) < len(homes):
            raise InputError(f"area {risk.net.grid.area_id}: a home gets one heater, name each home once.")
        if kind.phase not in (AS_HOME, THREE_PHASE) or kind.moves_home:
            raise InputError("heaters in a row hang where their homes hang (-1) or on three phases (3).")
        self.risk, self.homes, self.kind = risk, tuple(homes), kind
        grid = risk.net.grid
        self._key = home_keys(risk.seed, grid.area_id, grid.home_id)
        self._batches: list[_Batch] = []
        self._seen: dict[int, RiskOutlook] = {}

    def outlook(self, number: int) -> RiskOutlook:
        """See what the first so many heaters do to every limit, against the area without any of them.

        Parameters
        ----------
        number : int
            From 1 to the number of homes.

        Returns
        -------
        RiskOutlook
            Its heater is the last of them; it holds no batches, so it cannot be promised.

        Raises
        ------
        InputError
            If there are not so many homes.
        """
        if not 1 <= number <= len(self.homes):
            raise InputError(
                f"area {self.risk.net.grid.area_id}: {number} heaters cannot be placed, there are "
                f"{len(self.homes)} homes without one."
            )
        if number not in self._seen:
            self._seen[number] = self._looked_at(number)
        return self._seen[number]

    def largest(self, first: int = 1, most: int | None = None) -> int:
        """Return how many fit, no more than `most`; the search begins with `first`."""
        return largest_that_fits(
            lambda n: self.outlook(n).fits, len(self.homes) if most is None else min(most, len(self.homes)), first
        )

    def _looked_at(self, number: int) -> RiskOutlook:
        risk = self.risk
        heater = replace(self.kind, home=self.homes[number - 1])
        before: list[DrawWorst] = []
        after: list[Draws] = []
        while True:
            k = len(before)
            batch = self._placed(k, number)
            before.append(batch.without(number, float(risk.net.limit[LvCheck.HIGH_VOLTAGE])))
            after.append(replace(batch.start, worst=batch.worst[number]))
            begun = [risk.first(done).worst for done in range(len(before))]
            found = judged(risk.net, risk.rules, heater, before, after, begun=begun)
            if found is not None:
                value_before = found.value_before.copy()
                value_before[LvCheck.HIGH_VOLTAGE] = self._highest_before(len(before), found.rank)
                # Of the loads with all of them nothing is kept: nobody can promise this outlook.
                return replace(found, value_before=value_before, batches=())

    def _highest_before(self, n_batch: int, rank: int) -> float:
        """Return the upper voltage beyond which so many draws lie without any of them; NaN for none. [V]"""
        value = np.concatenate([batch.worst[0].value[LvCheck.HIGH_VOLTAGE] for batch in self._batches[:n_batch]])
        at_risk = float(np.sort(-value)[rank])
        return -at_risk if np.isfinite(at_risk) else float("nan")

    def _placed(self, k: int, number: int) -> _Batch:
        """Return the k-th batch with at least so many heaters placed in it."""
        if k == len(self._batches):
            start = self.risk.batch(k)
            meters = self.risk.meters(start.phase, start.more_meters)
            self._batches.append(
                _Batch(
                    start=start,
                    p_kw=start.p_kw,
                    q_kvar=start.q_kvar,
                    meters=meters,
                    worst=[start.worst],
                    lift=[np.zeros(len(start.draw))],
                )
            )
        batch = self._batches[k]
        at_once = max(1, _DRAWS_AT_ONCE // len(batch.start.draw))
        while len(batch.worst) <= number:
            done = len(batch.worst) - 1
            self._place(batch, range(done, min(done + at_once, number)))
        return batch

    def _place(self, batch: _Batch, numbers: range) -> None:
        """Place the next heaters, and solve the area with the first of them, with the first two, and so on."""
        n_draw = len(batch.start.draw)
        states = []
        for number in numbers:
            self._add(batch, self.homes[number])
            states.append((batch.p_kw, batch.q_kvar, batch.meters))
        p, q, meters = (np.concatenate(part, axis=1) for part in zip(*states, strict=True))
        solved = worst_of_draws(self.risk.net, p, q, meters)
        for place in range(len(numbers)):
            own = slice(place * n_draw, (place + 1) * n_draw)
            one = DrawWorst(
                value=solved.value[:, own],
                element=solved.element[:, own],
                step=solved.step[:, own],
                unsolved=solved.unsolved[own],
            )
            last = batch.worst[-1]
            batch.worst.append(last.worse_of(one))
            with np.errstate(invalid="ignore"):  # no solution before and after is no lift
                rise = batch.worst[-1].value[LvCheck.HIGH_VOLTAGE] - last.value[LvCheck.HIGH_VOLTAGE]
            batch.lift.append(np.fmax(batch.lift[-1], rise))

    def _add(self, batch: _Batch, home: int) -> None:
        """Add the heater of one home; arrays that were handed out before stay as they are."""
        net, kind, draw = self.risk.net, self.kind, batch.start.draw
        share = net.pool.courses(self._key[home : home + 1], kind.column, draw)[0]
        drawn = share * (kind.rated_kw / net.vm_pu**2)
        own = batch.start.phase[home] if kind.phase == AS_HOME else np.full(len(draw), THREE_PHASE)
        first, tan_phi = _PHASES * int(net.home_place[home]), float(net.pool.tan_phi[kind.column])
        p, q, meters = batch.p_kw.copy(), batch.q_kvar.copy(), batch.meters
        for k in range(_PHASES):
            part = drawn * ((own == k) + (own == THREE_PHASE) / _PHASES)[:, None]
            p[first + k] += part
            q[first + k] += tan_phi * part
        if kind.phase == THREE_PHASE:
            meters = meters.copy()
            meters[first : first + _PHASES] = True
        batch.p_kw, batch.q_kvar, batch.meters = p, q, meters
