"""What the commands for networks do: build and validate county grids, solve one file, lose each of its elements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridcheck import terminal
from gridcheck.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from gridcheck.checks.records import NMinus1Row


def build_networks(out: Path, county_codes: tuple[str, ...], seed: int | None) -> None:
    """Generate county grids."""
    from gridcheck.reports.place import made_folder
    from gridcheck.scenario import require_counties
    from gridcheck.synthesis.build import DEFAULT_SEED, build_all

    codes = require_counties(county_codes, "--county") if county_codes else None
    with made_folder(out):
        build_all(out, seed=DEFAULT_SEED if seed is None else seed, codes=codes, progress=terminal.console().print)


def validate_network(folder: Path, *, as_json: bool) -> None:
    """Read a network and say what it holds; errors are raised by the readers."""
    from gridcheck.checks.normal_rules import remarks
    from gridcheck.network import read_county, read_network
    from gridcheck.network.topology import require_radial

    if folder.is_dir():
        grid = read_county(folder)
        content: dict[str, object] = {
            "county": grid.county,
            "areas": len(grid.areas),
            "feeders": len(grid.feeders),
            "synthetic": grid.synthetic,
        }
        network = grid.network
    else:
        network = read_network(folder)
        content = {}
        require_radial(network, source=str(folder))
    terminal.print_remarks(str(folder), remarks(network))
    content = {"name": network.name, **content, "buses": network.n_bus, "branches": network.n_branch, "valid": True}
    if as_json:
        terminal.print_json(content)
    else:
        terminal.print_table(str(folder), terminal.ITEMS, [[key, value] for key, value in content.items()])


def solve_network(path: Path, vm_min_pu: float, max_loading_percent: float, *, as_json: bool) -> tuple[bool, int]:
    """Solve one network file; return whether it converged and how many limits are broken."""
    from gridcheck.checks.violations import network_findings

    report = network_findings(path, vm_min_pu=vm_min_pu, max_loading_percent=max_loading_percent)
    if as_json:
        terminal.print_json(report)
    else:
        rows = [[key, value] for key, value in report.items() if key != "violations"]
        terminal.print_table(str(path), terminal.ITEMS, rows)
        found = [[v["element"], v["quantity"], f"{v['value']:.4f}", v["limit"]] for v in report["violations"]]
        if found:
            terminal.print_table("越限 violations", ["element", "quantity", "value", "limit"], found)
    return bool(report["converged"]), len(report["violations"])


def lose_each_element(
    path: Path,
    out: Path | None,
    vm_min_pu: float,
    max_loading_percent: float,
    *,
    write_networks: bool = False,
    as_json: bool = False,
) -> int:
    """Lose every line and transformer of one network file.

    Returns how many outages are not secure, and loaded buses that are off already in normal operation.
    """
    from gridcheck.checks.element_outages import lose_each_element as lose
    from gridcheck.checks.normal_rules import dark_in_normal_operation, remarks
    from gridcheck.limits import DEFAULT_LIMITS, with_overrides
    from gridcheck.network import network_from_tables, read_tables
    from gridcheck.network.loads import loads_from_tables
    from gridcheck.reports.place import made_folder
    from gridcheck.reports.rows import n_minus_1_rows
    from gridcheck.reports.schemas import N_MINUS_1
    from gridcheck.reports.switching_sheets import SWITCHING_SHEETS, switching_sheet_rows
    from gridcheck.reports.tables import csv_bytes, write_bytes

    tables, header = read_tables(path)
    network = network_from_tables(
        tables, name=str(path), f_hz=float(header["f_hz"]), sn_mva=float(header["sn_mva"]), source=str(path)
    )
    own = {
        "n_minus_1_vm_min_pu": (vm_min_pu, "command line"),
        "n_minus_1_loading_percent": (max_loading_percent, "command line"),
    }
    if write_networks and out is None:
        raise InputError("--write-networks needs a folder: --out DIR.")
    loads = loads_from_tables(tables, network, source=str(path))
    with terminal.steps("停运 outages") as step:
        rows = lose(network, loads, limits=with_overrides(DEFAULT_LIMITS, own), progress=step)
    terminal.print_remarks(str(path), remarks(network, loads))
    table = n_minus_1_rows(rows, by_branch=True)
    if out is not None:
        with made_folder(out):
            write_bytes(out / N_MINUS_1.file_name, csv_bytes(table, N_MINUS_1))
            write_bytes(out / SWITCHING_SHEETS.file_name, csv_bytes(switching_sheet_rows(rows), SWITCHING_SHEETS))
            if write_networks:
                _write_restored(tables, header, rows, out / "networks")
    columns = ["outage_id", "status", "restored_by", "opened", "unsupplied_kw", "worst_loading_percent", "worst_vm_pu"]
    shown = table[columns]
    if as_json:
        terminal.print_json(json.loads(shown.to_json(orient="records")))
    else:
        terminal.print_table(
            str(path), list(shown.columns), [[terminal.cell(v) for v in row] for row in shown.itertuples(index=False)]
        )
    return int((table["status"] != "secure").sum()) + len(dark_in_normal_operation(network, loads))


def _write_restored(
    tables: dict[str, pd.DataFrame], header: dict[str, Any], rows: Sequence[NMinus1Row], folder: Path
) -> None:
    """Write the restored network of every outage as pandapower JSON, with the loads of the file."""
    from gridcheck.network.pandapower_net import net_from_tables, net_to_json_text
    from gridcheck.network.switched_tables import restored_tables
    from gridcheck.reports.tables import write_bytes

    folder.mkdir(exist_ok=True)
    for row in rows:
        net = net_from_tables(
            restored_tables(tables, row.switch_states, row.line_states, row.faulted_lines, row.faulted_trafos),
            name=f"{header['name']} {row.outage_id}", f_hz=float(header["f_hz"]), sn_mva=float(header["sn_mva"]),
        )  # fmt: skip
        write_bytes(folder / f"{row.outage_id.replace(':', '-')}.json", net_to_json_text(net).encode())
