"""The extreme of every case of a network with loads at few places, without tables of all places and lines.

The same solution as `solve_places`, in a smaller tree: where nobody is connected and one line follows another, both
carry the same current, so their impedances are added and the node between them is left out. Nothing is lost by it:
what is looked at are voltages where somebody is connected, and of lines in a row the one that is loaded most.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.errors import InputError, UnsupportedElementError
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.phase_model import PhaseModel
from gridcheck.powerflow.phase_places import PhasePlaces, PlaceRows
from gridcheck.powerflow.phase_sweep import PhaseBlock, sweep_phase_blocks

_PHASES = 3
_N_OUT, _N_WORK = 8, 9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaceLines:
    """Lines that are looked at, one for each row of lines that carry the same.

    Attributes
    ----------
    node : ndarray of int, shape (n_line,)
        Node below each.
    row : ndarray of int, shape (n_line,)
        Its place among the lines that were asked for, ascending.
    square : ndarray, shape (n_line,)
        Square of what 1 pu is in percent of the rating.
    """

    node: IntArray
    row: IntArray
    square: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExtremePlaces:
    """A network made ready for `solve_place_extremes`.

    Attributes
    ----------
    places : PhasePlaces
        The network as it is.
    model : PhaseModel
        The same without nodes at which nothing branches and nobody is connected.
    rows : PlaceRows
        Rows of the sweep, without loads.
    place_node : ndarray of int, shape (n_place,)
        Node of each place.
    per_pu_square : ndarray, shape (n_place,)
        Square of what 1 pu is at each place.
    phase, neutral : PlaceLines
        Lines that are looked at.
    trafo_row : ndarray of int, shape (n_node,)
        0 at the node below the transformer that is looked at, else -1.
    percent, neutral_ka : ndarray, shape (1, n_node, 2), (n_node, 2)
        As in `PhasePlaces`.
    """

    places: PhasePlaces
    model: PhaseModel
    rows: PlaceRows
    place_node: IntArray
    per_pu_square: FloatArray
    phase: PlaceLines
    neutral: PlaceLines
    trafo_row: IntArray
    percent: FloatArray
    neutral_ka: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaceExtremes:
    """Extremes of every case; NaN where it was not solved.

    Attributes
    ----------
    status : ndarray of int, shape (n_case,)
        A `CaseStatus`.
    low, high : ndarray, shape (n_case,)
        Lowest and highest voltage where a meter hangs; infinite, and minus that, where none does. [unit of `per_pu`]
    line, neutral : ndarray, shape (n_case,)
        Highest current over the rating of its line; minus infinity without rated lines. [%]
    low_at, high_at, line_at, neutral_at : ndarray of int, shape (n_case,)
        Where: 3 place + phase, 3 row of the line + phase, row of the line; the first of equals.
    trafo_percent : ndarray, shape (3, n_case)
        Loading of the transformer's low-voltage winding. [%]
    star_ka : ndarray, shape (n_case,)
        Current of its star point. [kA]
    """

    status: IntArray
    low: FloatArray
    high: FloatArray
    line: FloatArray
    neutral: FloatArray
    low_at: IntArray
    high_at: IntArray
    line_at: IntArray
    neutral_at: IntArray
    trafo_percent: FloatArray
    star_ka: FloatArray


def extreme_places(places: PhasePlaces, *, per_pu: FloatArray, lines: IntArray, transformer: int) -> ExtremePlaces:
    """Leave out what is not needed for the extremes of a network.

    Parameters
    ----------
    places : PhasePlaces
        The network.
    per_pu : ndarray, shape (n_place,)
        What 1 pu is at each place, for example volts.
    lines : ndarray of int, shape (n_line,)
        Branches of lines that are looked at; all have a rating.
    transformer : int
        Branch of the transformer that is looked at.

    Raises
    ------
    UnsupportedElementError
        If lines have shunts, or neutrals are earthed beside the transformer: their currents differ from end to end.
    """
    model, radial = places.model, places.model.radial
    name = places.network.name
    is_line = model.kind != _kernels.TRAFO
    if (model.kind == _kernels.EARTHED).any() or (is_line & (model.end_row >= 0)).any():
        raise UnsupportedElementError(
            f"{name}: extremes of places are for lines without shunts and neutrals that are earthed at the "
            "transformer alone; solve_places takes others."
        )
    is_row = np.diff(places.rows.row_start) > 0
    passes = (model.kind == _kernels.LINE) & (model.n_child == 1) & ~is_row & (model.shunt_row < 0)
    child = np.zeros(model.n_node, dtype=np.int64)
    child[radial.parent[radial.parent >= 0]] = np.flatnonzero(radial.parent >= 0)
    left_out = passes & (model.kind[child] == _kernels.LINE)
    keep = np.flatnonzero(~left_out)
    # A place in the list of branches that was asked for.
    row_of_branch = np.full(places.network.n_branch, -1, dtype=np.int64)
    row_of_branch[lines] = np.arange(len(lines))
    row = np.where(radial.branch >= 0, row_of_branch[radial.branch], -1)
    percent = places.percent[0].max(axis=1)
    rating_ka = np.where(row >= 0, places.network.balanced.branches.rating_to_ka[radial.branch], np.nan)
    # In the same order of operations as the phases: where one phase alone carries current, its neutral is its equal.
    neutral = 100.0 * places.neutral_ka[:, 1] / rating_ka
    vm_row = places.vm_row[keep]
    place_node = np.full(places.n_place, -1, dtype=np.int64)
    place_node[vm_row[vm_row >= 0]] = np.flatnonzero(vm_row >= 0)
    start = places.rows.row_start
    return ExtremePlaces(
        places=places,
        model=_without(model, left_out),
        rows=replace(places.rows, row_start=np.append(start[:-1][keep], start[-1])),
        place_node=place_node,
        per_pu_square=np.asarray(per_pu, dtype=np.float64) ** 2,
        phase=_lines(radial.parent, left_out, row, percent),
        neutral=_lines(radial.parent, left_out, row, neutral),
        trafo_row=np.where(radial.branch[keep] == transformer, 0, -1),
        percent=np.ascontiguousarray(places.percent[:, keep]),
        neutral_ka=places.neutral_ka[keep],
    )


def _without(model: PhaseModel, left_out: BoolArray) -> PhaseModel:
    """Leave out nodes with one line below them, whose impedance is added; the neutral is not taken along."""
    keep = np.flatnonzero(~left_out)
    number = np.cumsum(~left_out) - 1
    parent, z = model.radial.parent.copy(), model.z.copy()
    for i, up in enumerate(parent.tolist()):
        if up >= 0 and left_out[up]:
            z[i] += z[up]
            parent[i] = parent[up]
    kept_parent = np.where(parent[keep] >= 0, number[parent[keep]], -1)
    sized = {f.name for f in fields(model.radial) if f.init} - {"parent", "n_bus", "n_branch", "sn_mva"}
    radial = replace(
        model.radial, parent=kept_parent, **{name: getattr(model.radial, name)[keep] for name in sorted(sized)}
    )
    depth = np.zeros(len(keep), dtype=np.int64)
    for i, up in enumerate(kept_parent.tolist()):
        depth[i] = depth[up] + 1 if up >= 0 else 0
    by_node = ("kind", "special", "shunt_row", "neutral", "weight", "no_load", "turn_row", "end_row", "earth_g_pu")
    return replace(
        model,
        radial=radial,
        depth=depth,
        n_child=np.bincount(kept_parent[kept_parent >= 0], minlength=len(keep)).astype(np.int64),
        z=z[keep],
        has_neutral=model.has_neutral[keep],
        neutral_node=np.flatnonzero(model.has_neutral[keep]),
        neutral_up=np.full(len(keep), -1, dtype=np.int64),
        **{name: getattr(model, name)[keep] for name in by_node},
    )


def _lines(parent: IntArray, left_out: BoolArray, row: IntArray, scale: FloatArray) -> PlaceLines:
    """Of lines that carry the same, keep the one whose rating is the least, of equals the first."""
    best, of = np.where(row >= 0, scale, -np.inf), row.copy()
    for i, up in enumerate(parent.tolist()):
        if up >= 0 and left_out[up] and of[up] >= 0:
            takes = best[up] > best[i] or (best[up] == best[i] and of[up] < of[i])
            best[i], of[i] = (best[up], of[up]) if takes else (best[i], of[i])
    number = np.cumsum(~left_out) - 1
    node = np.flatnonzero(~left_out & (of >= 0))
    node = node[np.argsort(of[node], kind="stable")]
    return PlaceLines(node=number[node], row=of[node], square=best[node] ** 2)


def solve_place_extremes(
    ready: ExtremePlaces,
    p_kw: FloatArray,
    q_kvar: FloatArray,
    has_meter: BoolArray,
    *,
    tolerance_pu: float = 1e-6,
    max_iterations: int = 400,
) -> PlaceExtremes:
    """Solve all steps of all draws in one thread and keep the extremes.

    Parameters
    ----------
    ready : ExtremePlaces
        The network.
    p_kw, q_kvar : ndarray, shape (3 n_place, n_draw, n_step)
        Drawn at each phase of each place. [kW], [kvar]
    has_meter : ndarray of bool, shape (3 n_place, n_draw)
        Phases of places with a meter.
    tolerance_pu : float
        Largest error allowed in any voltage. [pu]
    max_iterations : int
        Sweeps after which a case counts as not converged.

    Returns
    -------
    PlaceExtremes
        Case draw · n_step + step.

    Raises
    ------
    InputError
        If the tables do not fit.
    """
    n_row = _PHASES * ready.places.n_place
    if p_kw.ndim != 3 or len(p_kw) != n_row or q_kvar.shape != p_kw.shape or has_meter.shape != p_kw.shape[:2]:
        raise InputError(
            f"loads must have {n_row} rows, draws and steps, and meters be known in each draw. "
            f"Got {p_kw.shape}, {q_kvar.shape}, {has_meter.shape}."
        )
    _, n_draw, n_step = p_kw.shape
    n_case, lanes, model = n_draw * n_step, _kernels.BLOCK, ready.model
    columns = -(-n_case // lanes) * lanes
    draw = np.zeros(columns, dtype=np.int64)
    draw[:n_case] = np.repeat(np.arange(n_draw), n_step)
    out, work = np.empty((_N_OUT, columns)), np.empty((1, _N_WORK * lanes))
    trafo, star = np.empty((1, 1, _PHASES, columns)), np.empty((1, columns))
    no_earth = np.zeros((model.n_node, 2 * lanes))
    meters = np.ascontiguousarray(has_meter)

    def read(block: PhaseBlock) -> None:
        _kernels.place_extremes(
            block.v, block.j, ready.place_node, ready.per_pu_square, meters, draw, ready.phase.node, ready.phase.row,
            ready.phase.square, ready.neutral.node, ready.neutral.row, ready.neutral.square, block.first, work, out,
        )  # fmt: skip
        _kernels.phase_currents(
            model.radial.parent, model.turn_row, model.turn, model.end_row, model.near_y, model.far_y, ready.percent,
            ready.neutral_ka, block.v, block.j, no_earth, ready.trafo_row, block.first, trafo, star,
        )  # fmt: skip

    status, _ = sweep_phase_blocks(
        model,
        replace(ready.rows, n_case=n_case, written=(p_kw.reshape(n_row, -1), q_kvar.reshape(n_row, -1))),
        [read],
        tolerance_pu=tolerance_pu,
        max_iterations=max_iterations,
        wants_neutral=False,
    )
    return _named(ready, out[:, :n_case], trafo[0, 0, :, :n_case], star[0, :n_case], status, has_meter, n_step)


def _named(
    ready: ExtremePlaces,
    out: FloatArray,
    trafo: FloatArray,
    star: FloatArray,
    status: IntArray,
    has_meter: BoolArray,
    n_step: int,
) -> PlaceExtremes:
    """Take roots of squares, and say what is not solved."""
    low, low_at, high, high_at, line, line_at, neutral, neutral_at = out
    unsolved = status != 0
    somebody = np.isfinite(low)
    first = np.repeat(has_meter.argmax(axis=0), n_step)

    def of(square: FloatArray) -> FloatArray:
        return np.where(unsolved, np.nan, np.sqrt(square))

    def named(at: FloatArray, otherwise: IntArray | int) -> IntArray:
        return np.where(unsolved, otherwise, at.astype(np.int64))

    return PlaceExtremes(
        status=status,
        low=of(low),
        high=np.where(somebody | unsolved, of(np.maximum(high, 0.0)), -np.inf),
        line=of(line) if len(ready.phase.row) else np.full(len(line), -np.inf),
        neutral=of(neutral) if len(ready.neutral.row) else np.full(len(line), -np.inf),
        low_at=named(low_at, first),
        high_at=named(high_at, first),
        line_at=named(line_at, 0),
        neutral_at=named(neutral_at, 0),
        trafo_percent=trafo,
        star_ka=star,
    )
