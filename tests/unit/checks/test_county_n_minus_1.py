"""N-1 of a generated county with its own winter peak: names, sums, and rows replayed in plain pandapower."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandapower as pp
import pytest

from gridcheck.cases import LoadCases
from gridcheck.checks.county_n_minus_1 import county_n_minus_1, summarise_feeders, with_feeder_limits
from gridcheck.checks.records import NMinus1Row, NMinus1Status
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.network import CountyGrid, loads_from_pandapower, read_county

FOLDER = Path(__file__).parents[3] / "networks" / "140827-yuanqu"
# Two cases of which neither covers the other: the feeders of one half of the areas peak first.
SCALES = (1.3, 0.8)


@lru_cache(maxsize=1)
def studied() -> tuple[CountyGrid, LoadCases, tuple[NMinus1Row, ...]]:
    """Read-only records throughout, so the tests may share them."""
    grid = read_county(FOLDER)
    loads = loads_from_pandapower(pp.from_json(str(FOLDER / "network.json")), grid.network)
    is_early = np.arange(grid.network.n_bus) % 2 == 0
    scale = np.array([np.where(is_early, SCALES[0], SCALES[1]), np.where(is_early, SCALES[1], SCALES[0])])
    cases = LoadCases(p_mw=scale * loads.p_mw, q_mvar=scale * loads.q_mvar)
    return grid, cases, county_n_minus_1(grid, cases)


def test_every_feeder_has_its_outlet_and_every_section_is_lost_once() -> None:
    grid, _, rows = studied()

    ids = [row.outage_id for row in rows]
    sections = sorted({s for s, role in zip(grid.branch_section, grid.branch_role, strict=True) if s and role != "tie"})
    assert [i for i in ids if i.endswith("-outlet")] == [f"{f}-outlet" for f in grid.feeders["feeder_id"]]
    mains = [row.outage_id for row in rows if row.outage_kind == "trafo"]
    assert len(mains) == len(set(grid.bus_main[grid.bus_main >= 0].tolist())) > 0
    ties = [row.outage_id for row in rows if row.outage_kind == "tie"]
    assert sorted(ties) == [n for n, r in zip(grid.network.branches.name, grid.branch_role, strict=True) if r == "tie"]
    assert ties
    assert sorted(set(ids) - set(mains) - set(ties) - {i for i in ids if i.endswith("-outlet")}) == sections
    assert len(ids) == len(set(ids))
    assert {row.county_code for row in rows} == {grid.county_code}
    classes = dict(zip(grid.feeders["feeder_id"], grid.feeders["supply_class"], strict=True))
    assert all(row.supply_class == classes[row.feeder_id] for row in rows if row.outage_kind != "trafo")
    assert all(row.outage_id.startswith(row.feeder_id) for row in rows if row.outage_kind != "tie")


def test_a_lost_tie_takes_nobodys_supply_and_counts_for_no_feeder() -> None:
    _, _, rows = studied()
    ties = [row for row in rows if row.outage_kind == "tie"]

    assert all(row.feeder_id and not row.unsupplied_households and not row.demand_kw for row in ties)
    assert summarise_feeders(ties) == ()


def test_demand_is_that_of_the_feeders_areas_at_its_peak() -> None:
    grid, cases, rows = studied()
    load_kw = 1000.0 * cases.p_mw[:, grid.area_bus]
    for f, feeder_id in enumerate(grid.feeders["feeder_id"]):
        by_case = load_kw[:, grid.area_feeder == f].sum(axis=1)
        for row in (row for row in rows if row.feeder_id == feeder_id and row.outage_kind != "tie"):
            assert row.demand_kw == pytest.approx(by_case.max())
            assert row.peak_case == int(np.argmax(by_case))
            assert row.served_kw + row.unsupplied_kw == pytest.approx(row.demand_kw)


def test_a_secure_section_leaves_off_its_own_areas_only() -> None:
    grid, _, rows = studied()
    households = grid.areas.groupby("section_id")["households"].sum()
    secure = [row for row in rows if row.status == NMinus1Status.SECURE and row.outage_kind == "section"]

    assert secure
    for row in secure:
        assert row.unsupplied_households == households.get(row.outage_id, 0)


def test_rows_replay_in_plain_pandapower() -> None:
    grid, cases, rows = studied()
    net = pp.from_json(str(FOLDER / "network.json"))
    # The first line of a feeder is judged by the limit current of the feeder.
    for line, limit_ka in zip(grid.feeders["outlet_line"], grid.feeders["limit_ka"], strict=True):
        net.line.loc[line, "max_i_ka"] = min(net.line.loc[line, "max_i_ka"], limit_ka)
    switched = [row for row in rows if row.restored_by or row.refused_by]
    for row in (switched[0], switched[len(switched) // 2], switched[-1]):
        if row.status == NMinus1Status.NOT_CONVERGED:
            continue
        net.switch["closed"] = [bool(c) for c in grid.network.switches.closed]
        for switch, closed in row.tried_switch_states:
            net.switch.loc[switch, "closed"] = closed
        net.trafo["in_service"] = ~net.trafo.index.isin(row.faulted_trafos)
        for case in {row.tried.loading_case, row.tried.vm_case}:
            position = {int(b): i for i, b in enumerate(grid.network.bus_id)}
            at = [position[int(b)] for b in net.load["bus"]]
            net.load["p_mw"], net.load["q_mvar"] = cases.p_mw[case, at], cases.q_mvar[case, at]
            pp.runpp(net, tolerance_mva=1e-10, calculate_voltage_angles=True, numba=False)
            if case == row.tried.loading_case:
                at_element = net[f"res_{row.tried.loading_kind}"].loc[row.tried.loading_id, "loading_percent"]
                assert row.tried.loading_percent == pytest.approx(at_element, abs=1e-6)
            if case == row.tried.vm_case:
                assert row.tried.vm_pu == pytest.approx(net.res_bus.loc[row.tried.vm_bus_id, "vm_pu"], abs=1e-8)


def test_limits_of_feeders_lower_the_rating_of_their_first_line_only() -> None:
    grid, _, _ = studied()
    lowered = replace(grid, feeders=grid.feeders.assign(limit_ka=0.1))

    before, after = grid.network.branches.rating_from_ka, with_feeder_limits(lowered).branches.rating_from_ka

    changed = np.flatnonzero(before != after)
    assert sorted(grid.network.branches.branch_id[changed]) == sorted(grid.feeders["outlet_line"])
    assert (after[changed] == 0.1).all()


def test_feeders_take_the_gravest_status_and_the_transfer_of_all_their_outages() -> None:
    _, _, rows = studied()
    gravity = list(NMinus1Status)

    feeders = summarise_feeders(rows)

    assert [f.feeder_id for f in feeders] == sorted(
        {row.feeder_id for row in rows if row.outage_kind in ("section", "outlet")}
    )
    for feeder in feeders:
        own = [row for row in rows if row.feeder_id == feeder.feeder_id and row.outage_kind != "tie"]
        assert feeder.status == max((row.status for row in own), key=gravity.index)
        lost = sum(row.lost_kw for row in own)
        assert feeder.transfer_ratio == pytest.approx(sum(row.restored_kw for row in own) / lost if lost else 1.0)
        assert feeder.is_required == (feeder.supply_class not in {"D", "E"})
        assert feeder.worst_unsupplied_kw == max(row.unsupplied_kw for row in own)
        assert feeder.outages == len(own)


def test_a_feeder_without_rows_of_its_own_is_not_invented() -> None:
    assert summarise_feeders(()) == ()


def test_the_same_inputs_give_the_same_rows() -> None:
    grid, cases, rows = studied()

    assert county_n_minus_1(grid, cases, limits=DEFAULT_LIMITS, threads=2) == rows
