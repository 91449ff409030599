"""The probability that a limit of an area's 0.4 kV network is broken, and what one more heater does to it.

Households are drawn from a pool (`DrawPool`), phases that nobody knows are drawn with them, and every step of every
draw is solved by phase. A limit is broken in a draw if it is at any of the pool's steps: the probability is that of
the heaviest hours, see `DrawPool`. The heater is seen with the same draws with and without it, so what differs is the
heater alone.

A load on one phase lifts the others by way of the neutral, so a promise could seem to heal what another one broke. It
must not: the worst value that a draw has shown stays its worst value, promise after promise. So adding a household
never improves anything, and an approval never depends on a neighbour who may not come.

Which checks decide: voltages, because the household feels them; lines and neutrals, because they burn; the transformer
by phase, because its hottest winding ages. Unbalance and the star point of a Yyn0 unit are shown and decide only where
`RiskRules.deciding` says so: nearly every village of single-phase homes is above 15 % at some hour, so a rule on it
would defer everybody and name the wrong remedy, which is to put homes on other phases.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray, UnsignedArray
from gridcheck.checks.area_loads import AS_HOME, NOT_HELD, AreaLoads, expected_kw, loads_of, phases_in_draws, summed
from gridcheck.checks.draw_extremes import SIGN, AreaNet, DrawWorst, joined, nothing_seen, worst_of_draws
from gridcheck.checks.risk_outlook import (
    Draws,
    LvHeater,
    RiskOutlook,
    RiskRules,
    draws_joined,
    is_refused,
    judged,
)
from gridcheck.demand.draw_pool import home_keys
from gridcheck.errors import InputError
from gridcheck.network.low_voltage import THREE_PHASE

_PHASES = 3
_Loads = tuple[FloatArray, FloatArray, IntArray]
"""P, Q and the phases of the homes in one batch before the queue."""
# Draws that are solved first where a few may already tell that a heater does not fit; then twice as many, and so on.
_TRIED_FIRST = 8
# As many, where enough draws break the limit without it: one that gets worse is enough.
_TRIED_FIRST_IF_BROKEN = 4


class AreaRisk:
    """An area with all promises kept so far.

    Parameters
    ----------
    net : AreaNet
        The area.
    loads : AreaLoads
        What is connected before the queue.
    rules : RiskRules
        When a limit counts as kept.
    seed : int
        Seed of the draws.
    """

    def __init__(self, net: AreaNet, loads: AreaLoads, rules: RiskRules, *, seed: int) -> None:
        outside = (loads.home < 0) | (loads.home >= net.grid.n_home)
        outside |= (loads.column < 0) | (loads.column >= len(net.pool.classes))
        if outside.any():
            raise InputError(
                f"area {net.grid.area_id}: loads must stand at homes and classes that exist.",
                [f"load {k}: home {loads.home[k]}, class {loads.column[k]}" for k in np.flatnonzero(outside)[:20]],
            )
        self.net, self.loads, self.rules, self.seed = net, loads, rules, seed
        self.promised: tuple[LvHeater, ...] = ()
        self._connected = [
            LvHeater(home=home, column=column, rated_kw=kw, phase=phase, held=held)
            for home, column, kw, phase, held in zip(
                *(getattr(loads, name).tolist() for name in ("home", "column", "rated_kw", "phase", "held")),
                strict=True,
            )
        ]
        self._key: UnsignedArray = home_keys(seed, net.grid.area_id, net.grid.home_id)
        edges = (0, *rules.looks)
        self._begin([np.arange(a, b) for a, b in itertools.pairwise(edges)], [])

    def _begin(self, numbers: list[IntArray], drawn: list[_Loads]) -> None:
        """Forget all that was solved; take numbers of draws, and what is known of their loads."""
        self._numbers, self._drawn = numbers, drawn
        self._before: list[Draws] = []
        self._now: list[Draws] = []
        self._kept: list[int] = []

    # ------------------------------------------------------------------------------------------------------- queries

    def with_heater(self, heater: LvHeater) -> RiskOutlook:
        """See what one more heater does to every limit.

        Parameters
        ----------
        heater : LvHeater
            The heater.

        Returns
        -------
        RiskOutlook

        Raises
        ------
        InputError
            If there is no such home or class, or it has no size.
        """
        self._require(heater)
        return self._looked_at(heater, self.batch, self)

    def if_fits(self, heater: LvHeater, like: RiskOutlook, other: AreaRisk | None = None) -> RiskOutlook | None:
        """Return `with_heater`, or `instead_of` another state, where the heater fits; None where it does not.

        A refusal needs few draws: those are solved first that are worst in an outlook at nearly the same.

        Parameters
        ----------
        heater : LvHeater
            The heater.
        like : RiskOutlook
            An outlook of this area or that other state of it with another heater.
        other : AreaRisk, optional
            As in `instead_of`.
        """
        self._require(heater)
        before: list[DrawWorst] = []
        after: list[Draws] = []
        state = self if other is None else other
        while True:
            before.append(state.batch(len(before)).worst)
            batch = self._with_unless_refused(heater, before, after, like)
            if batch is None:
                return None
            after.append(batch)
            begun = [state.first(k).worst for k in range(len(before))]
            outlook = judged(self.net, self.rules, heater, before, after, begun=begun)
            if outlook is not None:
                return outlook if outlook.fits else None

    def alone(self, heater: LvHeater) -> RiskOutlook:
        """See what it would do without the promises made so far."""
        self._require(heater)
        return self._looked_at(heater, self.first, self, alone=True)

    def instead_of(self, other: AreaRisk, heater: LvHeater) -> RiskOutlook:
        """See what this area with one more heater does to limits that another state of it, without the heater, keeps.

        So a measure answers for what it breaks itself: a higher tap for voltages in light hours.
        """
        self._require(heater)
        return self._looked_at(heater, self.batch, other)

    def promise(self, outlook: RiskOutlook) -> None:
        """Approve the heater of an outlook of this state."""
        self.promised = (*self.promised, outlook.heater)
        for k, batch in enumerate(outlook.batches):
            self._now[k], self._kept[k] = batch, len(self.promised)

    def moved(self, net: AreaNet, promised: tuple[LvHeater, ...] | None = None) -> AreaRisk:
        """Return the area with another tap or with homes on other phases, all promises kept, seen afresh.

        Parameters
        ----------
        net : AreaNet
            The area with the measure.
        promised : tuple of LvHeater, optional
            What is promised, on the phases of `net`; as it is where not given.
        """
        other = AreaRisk(net, self.loads, self.rules, seed=self.seed)
        other.promised = self.promised if promised is None else promised
        if net.grid is self.net.grid and net.pool is self.net.pool and net.vm_pu is self.net.vm_pu:
            # Another tap draws the same.
            other._begin(self._numbers, self._drawn)
        return other

    def expected_kw(self) -> FloatArray:
        """Return what each home draws in the mean over the steps of heavy load, shape (n_home,). [kW]"""
        promised = loads_of(
            *(np.array([getattr(one, name) for one in self.promised]) for name in ("home", "column", "rated_kw"))
        )
        loads = self.loads.and_then(promised) if self.promised else self.loads
        return expected_kw(loads, self.net.pool, self.net.grid.n_home)

    # --------------------------------------------------------------------------------------------------------- draws

    def batch(self, k: int) -> Draws:
        """Return the k-th batch of draws with all promises kept."""
        if k == len(self._now):
            first = self.first(k)
            self._now.append(first)
            self._kept.append(0)
        # Promises made while this batch was not looked at.
        for heater in self.promised[self._kept[k] :]:
            self._now[k] = self._with(self._now[k], heater)
        self._kept[k] = len(self.promised)
        return self._now[k]

    def first(self, k: int) -> Draws:
        """Return the k-th batch before the queue."""
        if k == len(self._before):
            p, q, phase = self._loads_of(k)
            has_meter = self.meters(phase, ())
            self._before.append(
                Draws(
                    draw=self._numbers[k],
                    p_kw=p,
                    q_kvar=q,
                    phase=phase,
                    more_meters=(),
                    has_meter=has_meter,
                    worst=worst_of_draws(self.net, p, q, has_meter),
                )
            )
        return self._before[k]

    def _loads_of(self, k: int) -> _Loads:
        """Return what is drawn in the k-th batch before the queue, all loads at once."""
        while k >= len(self._drawn):
            draw = self._numbers[len(self._drawn)]
            phase = phases_in_draws(self._key, self.net.grid.home_phase, draw)
            p, q = self._freely(phase, draw)
            for load in self._connected:
                if load.held != NOT_HELD:
                    self._add(p, q, phase, draw, load)
            self._drawn.append((p, q, phase))
        return self._drawn[k]

    def _freely(self, phase: IntArray, draw: IntArray) -> tuple[FloatArray, FloatArray]:
        """Sum the loads that run when they want to."""
        net, loads = self.net, self.loads.at(np.flatnonzero(self.loads.held == NOT_HELD))
        member = net.pool.members(self._key[loads.home], loads.column, draw)
        own = np.where(loads.phase[:, None] == AS_HOME, phase[loads.home], loads.phase[:, None])
        place = net.home_place[loads.home], net.places.n_place
        tan_phi, table = net.pool.tan_phi[loads.column], net.pool.table
        p, q = (summed(kw, own, place, member, table) for kw in (loads.rated_kw, loads.rated_kw * tan_phi))
        return p / net.vm_pu**2, q / net.vm_pu**2

    def _with(self, batch: Draws, heater: LvHeater) -> Draws:
        """Return a batch with one more heater; the worst that was seen stays."""
        p, q, phase, more = batch.p_kw.copy(), batch.q_kvar.copy(), batch.phase, batch.more_meters
        has_meter = batch.has_meter
        if heater.moves_home:
            phase = self._move(p, q, batch, heater)
            has_meter = self.meters(phase, more)
        elif heater.phase != AS_HOME:
            own = range(_PHASES) if heater.phase == THREE_PHASE else (heater.phase,)
            more = (*more, *(_PHASES * int(self.net.home_place[heater.home]) + k for k in own))
            has_meter = has_meter.copy()
            has_meter[list(more)] = True
        self._add(p, q, phase, batch.draw, heater)
        worst = batch.worst.worse_of(worst_of_draws(self.net, p, q, has_meter))
        return replace(batch, p_kw=p, q_kvar=q, phase=phase, more_meters=more, has_meter=has_meter, worst=worst)

    def _with_unless_refused(
        self, heater: LvHeater, before: list[DrawWorst], after: list[Draws], like: RiskOutlook
    ) -> Draws | None:
        """Return the next batch with one more heater; None as soon as some of its draws are enough to refuse it."""
        k = len(after)
        known = self.batch(k) if k < len(self._now) else None
        # Of draws that are not solved yet it is known that they get no better, or nothing.
        at_least = nothing_seen(len(before[k].unsolved)) if known is None else known.worst
        order, first = self._worst_first(before, after, like)
        seen = [batch.worst for batch in after]
        without, is_last = joined(before), k + 1 == len(self.rules.looks)
        parts: list[Draws] = []
        own: list[tuple[Draws, Draws]] = []
        for rows in _growing(order, first):
            if known is None:
                few = self._some(k, rows)
                own.append((few.first(0), few.batch(0)))
            part = self._with(own[-1][1] if known is None else known.at(rows), heater)
            at_least = at_least.with_some(rows, part.worst)
            if is_refused(self.rules, self.net.limit, without, joined([*seen, at_least]), is_last=is_last):
                return None
            parts.append(part)
        place = np.argsort(order)
        if known is None:
            self._before.append(draws_joined([first for first, _ in own]).at(place))
            self._now.append(draws_joined([now for _, now in own]).at(place))
            self._kept.append(len(self.promised))
        return draws_joined(parts).at(place)

    def _worst_first(self, before: list[DrawWorst], after: list[Draws], like: RiskOutlook) -> tuple[IntArray, int]:
        """Return the draws of the next batch, those that are likely to refuse first, and how many to begin with."""
        k, limit = len(after), self.net.limit
        check = int(like.binding)
        if after:
            broken = joined([batch.worst for batch in after]).broken(limit).sum(axis=1)
            deciding = [int(one) for one in self.rules.deciding]
            check = deciding[int(np.argmax(broken[deciding]))]
        hint = like.batches[k].worst if k < len(like.batches) else before[k]
        bad, was_bad = SIGN[check] * hint.value[check], SIGN[check] * before[k].value[check]
        broken_before = joined(before).broken(limit)[check].mean() > self.rules.risk
        if not broken_before:
            return np.argsort(-bad, kind="stable"), _TRIED_FIRST
        # What was broken before counts where it gets worse.
        is_broken = before[k].broken(limit)[check]
        with np.errstate(invalid="ignore"):
            change = np.nan_to_num(bad - was_bad, nan=0.0)
        return np.lexsort((-change, ~is_broken)), _TRIED_FIRST_IF_BROKEN

    def _some(self, k: int, rows: IntArray) -> AreaRisk:
        """Return the same area with some of the draws of one batch and no others."""
        p, q, phase = self._loads_of(k)
        few = copy.copy(self)
        few._begin([self._numbers[k][rows]], [(p[:, rows], q[:, rows], phase[:, rows])])  # noqa: SLF001
        return few

    def _move(self, p: FloatArray, q: FloatArray, batch: Draws, heater: LvHeater) -> IntArray:
        """Put what a home draws on another phase, in place; return the phases of all homes."""
        phase = batch.phase.copy()
        phase[heater.home] = heater.phase
        for load in self._connected:
            if load.home == heater.home and load.phase == AS_HOME:
                self._add(p, q, batch.phase, batch.draw, load, sign=-1.0)
                self._add(p, q, phase, batch.draw, load)
        return phase

    def _add(
        self, p: FloatArray, q: FloatArray, phase: IntArray, draw: IntArray, load: LvHeater, *, sign: float = 1.0
    ) -> None:
        """Add one load to the loads of all draws, in place."""
        pool = self.net.pool
        share = pool.courses(self._key[load.home : load.home + 1], load.column, draw)[0]
        if load.held != NOT_HELD:
            made_up = np.where(pool.is_light, share, np.maximum(share, 1.0))
            share = np.where(pool.peak_steps(load.held), 0.0, made_up)
        drawn = share * (sign * load.rated_kw / self.net.vm_pu**2)
        own = phase[load.home] if load.phase == AS_HOME else np.full(len(draw), load.phase)
        first, tan_phi = _PHASES * int(self.net.home_place[load.home]), float(pool.tan_phi[load.column])
        for k in range(_PHASES):
            on = (own == k) + (own == THREE_PHASE) / _PHASES
            if on.any():
                part = drawn * on[:, None]
                p[first + k] += part
                q[first + k] += tan_phi * part

    def meters(self, phase: IntArray, more: tuple[int, ...]) -> BoolArray:
        """Tell on which phases of which places some meter hangs, shape (3 n_place, n_draw)."""
        has_meter = np.zeros((_PHASES * self.net.places.n_place, phase.shape[1]), dtype=bool)
        row = np.broadcast_to(_PHASES * self.net.home_place[:, None], phase.shape)
        draw = np.broadcast_to(np.arange(phase.shape[1]), phase.shape)
        for k in range(_PHASES):
            on = (phase == k) | (phase == THREE_PHASE)
            has_meter[row[on] + k, draw[on]] = True
        has_meter[list(more)] = True
        return has_meter

    def _looked_at(
        self, heater: LvHeater, batch_of: Callable[[int], Draws], state: AreaRisk, *, alone: bool = False
    ) -> RiskOutlook:
        """Draw until every check that the heater makes worse lies on one side, or one of them above."""
        before: list[DrawWorst] = []
        begun: list[DrawWorst] = []
        after: list[Draws] = []
        while True:
            k = len(before)
            before.append((state.first(k) if alone else state.batch(k)).worst)
            begun.append(state.first(k).worst)
            after.append(self._with(batch_of(k), heater))
            outlook = judged(self.net, self.rules, heater, before, after, begun=begun)
            if outlook is not None:
                return outlook

    def _require(self, heater: LvHeater) -> None:
        faults = []
        if not 0 <= heater.home < self.net.grid.n_home:
            faults.append(f"home {heater.home}: the area has {self.net.grid.n_home} meters")
        if not 0 <= heater.column < len(self.net.pool.classes):
            faults.append(f"class {heater.column}: there are {len(self.net.pool.classes)}")
        if not (np.isfinite(heater.rated_kw) and heater.rated_kw > 0.0):
            faults.append(f"rated_kw {heater.rated_kw}: must be a number above 0")
        if not AS_HOME <= heater.phase <= THREE_PHASE or (heater.moves_home and not 0 <= heater.phase < THREE_PHASE):
            faults.append(
                f"phase {heater.phase}: must be 0, 1, 2 or 3, -1 where the meter hangs; 0 to 2 to move a home"
            )
        if faults:
            raise InputError(f"area {self.net.grid.area_id}: no such heater.", faults)


def _growing(order: IntArray, first: int) -> Iterator[IntArray]:
    """Cut draws into parts, each twice as long as the one before."""
    begin, size = 0, first
    while begin < len(order):
        yield order[begin : begin + size]
        begin, size = begin + size, 2 * size
