"""The course of one check over the steps that are looked at, in every draw: what an answer by draws is shown with."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.checks.draw_extremes import AreaNet, LvCheck
from gridcheck.checks.risk_outlook import RiskOutlook
from gridcheck.errors import InputError
from gridcheck.powerflow.phase_places import PlaceTables, solve_places

_PHASES = 3


def check_course(net: AreaNet, outlook: RiskOutlook, has_meter: tuple[BoolArray, ...], check: LvCheck) -> FloatArray:
    """Return the worst value of a check among its elements, step by step and draw by draw.

    Parameters
    ----------
    net : AreaNet
        The area as it was judged.
    outlook : RiskOutlook
        The answer.
    has_meter : tuple of ndarray of bool, each of shape (3 n_place, n_draw)
        Phases of places with a meter, for each batch of draws.
    check : LvCheck
        A check that can decide.

    Returns
    -------
    ndarray, shape (n_draw, n_step)
        In the unit of the limit, NaN where a step has no solution. A transformer is judged by what lasts through a
        window, so its course may pass its limit for less than that.

    Raises
    ------
    InputError
        For a check that is only shown, and for an area with regulators in its lines.
    """
    if net.grid.regulators:
        raise InputError(
            f"There is no course of area {net.grid.area_id}: its lines have regulators that follow the load."
        )
    if check > LvCheck.TRANSFORMER_LOADING:
        raise InputError(f"There is no course of {check.name.lower()}; name a check that decides.")
    parts = []
    for batch, meters in zip(outlook.batches, has_meter, strict=True):
        n_row, *by_draw = batch.p_kw.shape
        tables = solve_places(net.places, batch.p_kw.reshape(n_row, -1), batch.q_kvar.reshape(n_row, -1), threads=1)
        value = _worst_element(net, tables, meters, (by_draw[0], by_draw[1]), check) * net.vm_pu
        parts.append(np.where(tables.status.reshape(by_draw) != 0, np.nan, value))
    return np.concatenate(parts)


def _worst_element(
    net: AreaNet, tables: PlaceTables, has_meter: BoolArray, by_draw: tuple[int, int], check: LvCheck
) -> FloatArray:
    """Return the worst over elements for a source of 1 pu, shape (n_draw, n_step)."""
    if check in (LvCheck.LOW_VOLTAGE, LvCheck.HIGH_VOLTAGE):
        volts = tables.vm_pu.reshape(-1, *by_draw) * np.repeat(net.per_pu_v, _PHASES)[:, None, None]
        somebody = has_meter[:, :, None]
        if check == LvCheck.LOW_VOLTAGE:
            return np.asarray(np.where(somebody, volts, np.inf).min(axis=0))
        return np.asarray(np.where(somebody, volts, -np.inf).max(axis=0))
    if check == LvCheck.LINE_LOADING:
        loading = tables.loading_percent[net.rated_line].reshape(-1, *by_draw)
    elif check == LvCheck.NEUTRAL_LOADING:
        per_ka = 100.0 / net.rating_ka[net.rated_line]
        loading = tables.neutral_i_ka[net.rated_line].reshape(-1, *by_draw) * per_ka[:, None, None]
    else:
        loading = tables.loading_percent[net.transformer].reshape(_PHASES, *by_draw)
    return np.asarray(loading.max(axis=0, initial=-np.inf))
