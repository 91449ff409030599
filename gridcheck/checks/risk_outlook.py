"""What draws say about the limits of an area: counts, intervals, the value at the accepted risk, who is charged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.area_loads import AS_HOME, NOT_HELD
from gridcheck.checks.draw_extremes import SIGN, AreaNet, DrawWorst, LvCheck, joined
from gridcheck.checks.sampled_share import Side, most_below, share_interval, side_of
from gridcheck.errors import InputError

DECIDING = (
    LvCheck.LOW_VOLTAGE,
    LvCheck.HIGH_VOLTAGE,
    LvCheck.LINE_LOADING,
    LvCheck.NEUTRAL_LOADING,
    LvCheck.TRANSFORMER_LOADING,
)
# A change smaller than this share of the limit has no bearing on it.
_NEGLIGIBLE = 1e-6
# A heater lifts the other phases a little by way of the neutral. Where the upper voltage is broken in light hours, that
# is a matter of the tap and not of who draws power, so a lift below this has no bearing on it; a step of the tap is
# ten times as much, and so are roofs. [V] (E, range 0.2 to 1)
_LIFTED_V = 0.5
# What was broken before the queue may slip by so much, all applications together, before it counts. [1] (E, 0 to 0.005)
_SLIP = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRules:
    """When a limit counts as kept.

    Attributes
    ----------
    risk : float
        Probability of a broken limit that is accepted. [1] (E, range 0.01 to 0.10)
    confidence : float
        Confidence of a decision by draws, all looks together. [1]
    draws : tuple of int
        Draws after which is looked, rising. After the last the upper bound decides.
    refusal_draws : int
        Draws after which is looked for what is clearly broken, and for nothing else: it saves most of the time of what
        fits nowhere, and cannot approve anything. 0 for no such look.
    deciding : tuple of LvCheck
        Checks that decide; the others are shown.
    """

    risk: float = 0.05
    confidence: float = 0.95
    draws: tuple[int, ...] = (100, 200, 400, 800)
    refusal_draws: int = 30
    deciding: tuple[LvCheck, ...] = DECIDING

    def __post_init__(self) -> None:
        if not (0.0 < self.risk < 1.0 and 0.0 < self.confidence < 1.0):
            raise InputError(f"risk and confidence must be between 0 and 1. Got {self.risk:g}, {self.confidence:g}.")
        if not self.draws or list(self.draws) != sorted({n for n in self.draws if n > 0}):
            raise InputError(f"draws must be positive numbers that rise. Got {self.draws}.")

    @property
    def looks(self) -> tuple[int, ...]:
        """Draws after which is looked, for refusals alone included."""
        return (self.refusal_draws, *self.draws) if 0 < self.refusal_draws < self.draws[0] else self.draws

    @property
    def confidence_per_look(self) -> float:
        """Confidence of one look, so that no limit is taken for kept at any of them with less than `confidence`."""
        return 1.0 - (1.0 - self.confidence) / len(self.draws)


@dataclass(frozen=True, slots=True, kw_only=True)
class LvHeater:
    """One more heater in an area.

    Attributes
    ----------
    home : int
        Position of the home in the area's grid.
    column : int
        Class, a position in ``DrawPool.classes``.
    rated_kw : float
        Rated input. [kW]
    phase : int
        0, 1, 2; 3 for three phases; -1 where the meter hangs.
    held : int
        Window of the pool in whose hours it is held out; in the other windows it then draws at least its rated input,
        because what is held back is made up for. -1 for none.
    moves_home : bool
        Whether the whole home is put on `phase`, with what stood in it before the queue.
    """

    home: int
    column: int
    rated_kw: float
    phase: int = AS_HOME
    held: int = NOT_HELD
    moves_home: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Loads and worst values of one batch of draws.

    Attributes
    ----------
    draw : ndarray of int, shape (n_draw,)
        Their numbers.
    p_kw, q_kvar : ndarray, shape (3 n_place, n_draw, n_step)
        Loads over the squared voltage of the step. [kW], [kvar]
    phase : ndarray of int, shape (n_home, n_draw)
        Phase of each home.
    more_meters : tuple of int
        Rows of phases on which heaters hang beside the phase of their home.
    has_meter : ndarray of bool, shape (3 n_place, n_draw)
        Phases of places on which some meter hangs.
    worst : DrawWorst
        What was seen so far.
    """

    draw: IntArray
    p_kw: FloatArray
    q_kvar: FloatArray
    phase: IntArray
    more_meters: tuple[int, ...]
    has_meter: BoolArray
    worst: DrawWorst

    def at(self, rows: IntArray) -> Draws:
        """Return some draws, in the order of `rows`."""
        return Draws(
            draw=self.draw[rows],
            p_kw=self.p_kw[:, rows],
            q_kvar=self.q_kvar[:, rows],
            phase=self.phase[:, rows],
            more_meters=self.more_meters,
            has_meter=self.has_meter[:, rows],
            worst=self.worst.at(rows),
        )


def draws_joined(parts: list[Draws]) -> Draws:
    """Put draws of the same area side by side."""
    return replace(
        parts[0],
        draw=np.concatenate([part.draw for part in parts]),
        p_kw=np.concatenate([part.p_kw for part in parts], axis=1),
        q_kvar=np.concatenate([part.q_kvar for part in parts], axis=1),
        phase=np.concatenate([part.phase for part in parts], axis=1),
        has_meter=np.concatenate([part.has_meter for part in parts], axis=1),
        worst=joined([part.worst for part in parts]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskOutlook:
    """An area with one more heater; every array is by `LvCheck`.

    Attributes
    ----------
    heater : LvHeater
        The heater.
    draws, unsolved : int
        Draws that were looked at, and how many of them have no solution with the heater: they count as broken.
    broken_before, broken : ndarray of int, shape (n_check,)
        Draws that break the limit without and with it.
    low, high : ndarray, shape (n_check,)
        Confidence interval of the probability with it. [1]
    rank : int
        Draws that may lie beyond a value for the draws to show that no more than the accepted share does.
    value_before, value : ndarray, shape (n_check,)
        Value that the draws show to be exceeded with no more than the accepted probability, without and with it: it
        keeps its limit where the limit is shown to be kept, and breaks it elsewhere. NaN where that draw has no value:
        unsolved, or nothing that counts.
    element : tuple of str, length n_check
        Where `value` is.
    step : ndarray of int, shape (n_check,)
        When, a step of the pool.
    limit : ndarray, shape (n_check,)
        Limits.
    side : ndarray of int, shape (n_check,)
        A `Side` of each check; OPEN where the draws were stopped by another check.
    worse : ndarray of bool, shape (n_check,)
        Checks that the heater makes worse in some draw; where they were broken already, only if the value at the
        accepted risk has slipped since before the queue.
    charged : ndarray of bool, shape (n_check,)
        Deciding checks that count against it.
    binding : LvCheck
        The charged check with the highest probability; the deciding one with the least room where none is charged.
    batches : tuple of Draws
        The draws with the heater.
    """

    heater: LvHeater
    draws: int
    unsolved: int
    broken_before: IntArray
    broken: IntArray
    low: FloatArray
    high: FloatArray
    rank: int
    value_before: FloatArray
    value: FloatArray
    element: tuple[str, ...]
    step: IntArray
    limit: FloatArray
    side: IntArray
    worse: BoolArray
    charged: BoolArray
    binding: LvCheck
    batches: tuple[Draws, ...] = field(repr=False)

    @property
    def fits(self) -> bool:
        """True where no check counts against the heater."""
        return not self.charged.any()

    @property
    def probability_before(self) -> FloatArray:
        """Share of draws that break each limit without the heater, shape (n_check,). [1]"""
        return self.broken_before / self.draws

    @property
    def probability(self) -> FloatArray:
        """The same with it."""
        return self.broken / self.draws


def judged(
    net: AreaNet,
    rules: RiskRules,
    heater: LvHeater,
    before: list[DrawWorst],
    batches: list[Draws],
    *,
    begun: list[DrawWorst],
) -> RiskOutlook | None:
    """Judge what was drawn so far.

    Parameters
    ----------
    net : AreaNet
        The area.
    rules : RiskRules
        When a limit counts as kept.
    heater : LvHeater
        The heater.
    before : list of DrawWorst
        Batches without it.
    batches : list of Draws
        The same batches with it.
    begun : list of DrawWorst
        The same batches before the queue.

    Returns
    -------
    RiskOutlook or None
        None where more draws could change who is charged.
    """
    without, seen, limit = joined(before), joined([batch.worst for batch in batches]), net.limit
    n_draw, is_last = len(seen.unsolved), len(batches) == len(rules.looks)
    found = _counted(rules, limit, (without, seen, joined(begun)), is_last=is_last)
    open_still = (found.decides & found.worse & (found.side == Side.OPEN)).any()
    if open_still and not found.charged.any():
        return None
    pairs = [share_interval(int(k), n_draw, confidence=rules.confidence_per_look) for k in found.broken]
    rank = most_below(n_draw, bound=rules.risk, confidence=rules.confidence_per_look)
    value, place = _at_rank(seen, rank)
    value_before, _ = _at_rank(without, rank)
    return RiskOutlook(
        heater=heater,
        draws=n_draw,
        unsolved=int(seen.unsolved.sum()),
        broken_before=found.broken_before,
        broken=found.broken,
        low=np.array([low for low, _ in pairs]),
        high=np.array([high for _, high in pairs]),
        rank=rank,
        value_before=_finite(value_before),
        value=_finite(value),
        element=tuple(net.element_name(k, int(seen.element[k, place[k]])) for k in LvCheck),
        step=seen.step[np.arange(len(limit)), place],
        limit=limit,
        side=found.side,
        worse=found.worse,
        charged=found.charged,
        binding=_binding(value, found.broken, limit, charged=found.charged, decides=found.decides),
        batches=tuple(batches),
    )


def is_refused(rules: RiskRules, limit: FloatArray, before: DrawWorst, at_least: DrawWorst, *, is_last: bool) -> bool:
    """Tell whether a look is bound to charge a check, from draws that will turn out at least as bad.

    More broken draws, and more that are worse than before, never take a charge away. So what is charged with less is
    charged with all, and not every draw has to be solved to know it.

    Parameters
    ----------
    rules : RiskRules
        When a limit counts as kept.
    limit : ndarray, shape (n_check,)
        Limits.
    before : DrawWorst
        All draws up to this look, without the heater.
    at_least : DrawWorst
        The same draws with it, each as bad as is known already.
    is_last : bool
        Whether there is no look behind it.
    """
    # What stood before the queue is no worse than what stands now, so the measure is the stricter one here.
    return bool(_counted(rules, limit, (before, at_least, before), is_last=is_last).charged.any())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Counted:
    """What is counted in draws; attributes as in `RiskOutlook`, and which checks decide."""

    broken_before: IntArray
    broken: IntArray
    side: IntArray
    worse: BoolArray
    decides: BoolArray
    charged: BoolArray


def _counted(
    rules: RiskRules, limit: FloatArray, draws: tuple[DrawWorst, DrawWorst, DrawWorst], *, is_last: bool
) -> _Counted:
    """Count in draws without the heater, with it, and before the queue."""
    without, seen, begun = draws
    n_draw = len(seen.unsolved)
    broken_before, broken = (worst.broken(limit).sum(axis=1) for worst in (without, seen))
    broken_already = broken_before > rules.risk * n_draw
    moved = _moved(without, seen, limit)
    # What was broken already counts against whoever lets the value at the accepted risk get worse than it was before
    # the queue; the worst of all draws would name somebody in nearly every area.
    rank = most_below(n_draw, bound=rules.risk, confidence=rules.confidence_per_look)
    at_risk, at_first = _at_rank(seen, rank)[0], _at_rank(begun, rank)[0]
    with np.errstate(invalid="ignore"):  # as bad as can be before and after
        slipped = SIGN * (at_risk - at_first) > _SLIP * limit
    worse: BoolArray = moved.any(axis=1) & (slipped | ~broken_already)
    confidence = rules.confidence_per_look
    side = np.array([side_of(int(k), n_draw, bound=rules.risk, confidence=confidence) for k in broken])
    if is_last:
        side[side == Side.OPEN] = Side.ABOVE
    if n_draw not in rules.draws:
        side[side == Side.BELOW] = Side.OPEN
    decides = np.isin(np.arange(len(limit)), rules.deciding)
    return _Counted(
        broken_before=broken_before,
        broken=broken,
        side=side,
        worse=worse,
        decides=decides,
        charged=decides & worse & (side == Side.ABOVE),
    )


def _moved(before: DrawWorst, after: DrawWorst, limit: FloatArray) -> BoolArray:
    """Tell in which draws a check got worse by more than nothing, shape (n_check, n_draw)."""
    least = _NEGLIGIBLE * limit
    least[LvCheck.HIGH_VOLTAGE] = _LIFTED_V
    with np.errstate(invalid="ignore"):  # as bad as can be before and after
        change = SIGN[:, None] * (after.value - before.value)
    return np.asarray(change > least[:, None])


def _at_rank(worst: DrawWorst, rank: int) -> tuple[FloatArray, IntArray]:
    """Return the value beyond which so many draws lie, and the draw that has it, by check."""
    bad = SIGN[:, None] * worst.value
    place = np.argsort(-bad, axis=1, kind="stable")[:, rank]
    return worst.value[np.arange(len(bad)), place], place


def _finite(value: FloatArray) -> FloatArray:
    return np.where(np.isfinite(value), value, np.nan)


def _binding(
    value: FloatArray, broken: IntArray, limit: FloatArray, *, charged: BoolArray, decides: BoolArray
) -> LvCheck:
    room = SIGN * (limit - value) / limit
    among = charged if charged.any() else decides
    most = np.where(among, broken, -1)
    chosen = most == most.max() if charged.any() else among
    return LvCheck(int(np.argmin(np.where(chosen, room, np.inf))))
