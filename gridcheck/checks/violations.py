"""Limits that one load flow result breaks, element by element; unsolved and unsupplied count as broken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.limits import Limit, LimitSet, with_overrides
from gridcheck.network.convert import network_from_tables
from gridcheck.network.loads import loads_from_tables
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.tables import read_tables
from gridcheck.powerflow.results import CONVERGED, PowerFlowResult
from gridcheck.powerflow.solve import solve

# Buses from this nominal voltage up count as 10 kV level and above. [kV]
_MEDIUM_VOLTAGE_KV = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A limit that is not kept.

    Attributes
    ----------
    element_kind, element : str
        ``bus``, ``line`` or ``trafo``, and id; ``case`` for a case without a solution.
    quantity : str
        vm_pu, loading_percent, unsupplied or not_converged.
    value, limit : float
        Worst value and limit; NaN for states.
    case : int
        The case of the worst value; -1 where the state holds in all.
    hours : float
        Hours beyond the limit. [h]
    """

    element_kind: str
    element: str
    quantity: str
    value: float
    limit: float
    case: int
    hours: float


def find_violations(
    network: Network, result: PowerFlowResult, limits: LimitSet, *, duration_h: FloatArray | None = None
) -> tuple[Finding, ...]:
    """Hold a load flow result against the limits of its voltage levels.

    Parameters
    ----------
    network : Network
        The network of the result.
    result : PowerFlowResult
        All cases.
    limits : LimitSet
        10 kV voltage band, loading of lines and of transformers. Low-voltage buses are checked in volts where
        their lines end, not here.
    duration_h : ndarray, shape (n_case,), optional
        Hours of each case; 1 where not given. [h]

    Returns
    -------
    tuple of Finding
        Unsolved cases and unsupplied buses first, then voltages, then loadings.
    """
    hours = np.ones(len(result.status)) if duration_h is None else duration_h
    found = [
        _state("case", str(i), "not_converged", int(i), float(hours[i]))
        for i in np.flatnonzero(result.status != CONVERGED).tolist()
    ]
    dark = np.flatnonzero(~result.supplied & network.buses.in_service).tolist()
    found += [_state("bus", _bus(network, i), "unsupplied", -1, float(hours.sum())) for i in dark]
    for watch in _watches(network, limits):
        found += _beyond(result.vm_pu if watch.quantity == "vm_pu" else result.loading_percent, watch, hours)
    return tuple(found)


def _state(element_kind: str, element: str, quantity: str, case: int, hours: float) -> Finding:
    """Return a finding about a state: it has no value that could be held against a limit."""
    nan = float("nan")
    return Finding(
        element_kind=element_kind, element=element, quantity=quantity, value=nan, limit=nan, case=case, hours=hours
    )


def _bus(network: Network, position: int) -> str:
    return network.buses.name[position] or str(network.bus_id[position])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Watch:
    """One limit, the elements that it holds for (mask), and what all elements of the table are called."""

    quantity: str
    mask: BoolArray
    limit: Limit
    sign: float
    names: list[tuple[str, str]]


def _watches(network: Network, limits: LimitSet) -> tuple[_Watch, ...]:
    branches, vn_kv = network.branches, network.buses.vn_kv
    medium = vn_kv >= _MEDIUM_VOLTAGE_KV
    buses = [("bus", _bus(network, i)) for i in range(network.n_bus)]
    names = [
        (BranchKind(kind).name.lower(), branches.name[i] or str(branches.branch_id[i]))
        for i, kind in enumerate(branches.kind.tolist())
    ]
    is_line = branches.kind == BranchKind.LINE
    is_main = (branches.kind == BranchKind.TRAFO) & medium[branches.to_bus]
    loadings = (
        (is_line, limits.section_loading_percent),
        (is_main, limits.main_transformer_loading_percent),
        (~is_line & ~is_main, limits.area_loading_percent),
    )
    return (
        _Watch(quantity="vm_pu", mask=medium, limit=limits.mv_vm_min_pu, sign=-1.0, names=buses),
        _Watch(quantity="vm_pu", mask=medium, limit=limits.mv_vm_max_pu, sign=1.0, names=buses),
        *(
            _Watch(quantity="loading_percent", mask=mask, limit=limit, sign=1.0, names=names)
            for mask, limit in loadings
        ),
    )


def _beyond(values: FloatArray, watch: _Watch, hours: FloatArray) -> list[Finding]:
    with np.errstate(invalid="ignore"):
        excess = watch.sign * (values - watch.limit.value)
        broken = (excess > 0.0) & watch.mask
    found = []
    for i in np.flatnonzero(broken.any(axis=0)).tolist():
        case = int(np.nanargmax(excess[:, i]))
        kind, name = watch.names[i]
        found.append(
            Finding(
                element_kind=kind,
                element=name,
                quantity=watch.quantity,
                value=float(values[case, i]),
                limit=watch.limit.value,
                case=case,
                hours=float(hours[broken[:, i]].sum()),
            )
        )
    return found


def network_findings(path: Path, *, vm_min_pu: float, max_loading_percent: float) -> dict[str, Any]:
    """Solve one network file with its own loads and report the state and every broken limit.

    Raises
    ------
    NetworkError
        If the file cannot be read, or holds impossible values.
    """
    tables, header = read_tables(path)
    network = network_from_tables(
        tables, name=str(header["name"]), f_hz=float(header["f_hz"]), sn_mva=float(header["sn_mva"]), source=str(path)
    )
    result = solve(network, loads_from_tables(tables, network, source=str(path)))
    own = "command line"
    limits = with_overrides(
        LimitSet(),
        {
            "mv_vm_min_pu": (vm_min_pu, own),
            "section_loading_percent": (max_loading_percent, own),
            "area_loading_percent": (max_loading_percent, own),
            "main_transformer_loading_percent": (max_loading_percent, own),
        },
    )
    converged = bool((result.status == CONVERGED).all())
    solved = converged and bool(result.supplied.any())
    found = find_violations(network, result, limits)
    return {
        "network": network.name,
        "buses": network.n_bus,
        "converged": converged,
        "unsupplied_buses": sum(finding.quantity == "unsupplied" for finding in found),
        "vm_min_pu": float(np.nanmin(result.vm_pu)) if solved else None,
        "vm_max_pu": float(np.nanmax(result.vm_pu)) if solved else None,
        "max_loading_percent": _largest(result.loading_percent) if solved else None,
        "loss_mw": float(result.loss_mw[0]) if solved else None,
        "violations": [
            {
                "element": f"{f.element_kind} {f.element}",
                "quantity": f.quantity,
                "value": f.value,
                "limit": f.limit,
                "hours": f.hours,
            }
            for f in found
        ],
    }


def _largest(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else None
