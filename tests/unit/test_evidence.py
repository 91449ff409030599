"""Evidence of every kind of verdict and outage on a county drawn by hand, replayed by plain pandapower."""

import json

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridcheck.checks.assessment import binding_course
from gridcheck.checks.supply_tree import supply_trees
from gridcheck.connection.decide import QueueResult, decide_queue
from gridcheck.county_study import CountyCase
from gridcheck.county_study import outages_of as county_outages_of
from gridcheck.demand.profiles import ClassProfiles
from gridcheck.errors import InputError
from gridcheck.evidence import explain_application, write_evidence
from gridcheck.evidence_outages import explain_outage
from gridcheck.limits import DEFAULT_LIMITS, LimitSet, with_overrides
from tests.support.hand_drawn_county import (
    AREAS,
    FEEDERS,
    SECTIONS,
    applications,
    base_counts,
    hand_drawn_county,
    hand_drawn_net,
    profiles,
)


def decided(
    tmp_path,
    wishes,
    base_kw=(50.0,) * 5,
    *,
    demand: ClassProfiles | None = None,
    limits: LimitSet = DEFAULT_LIMITS,
    limit_ka=(0.3, 0.3),
    **drawing,
) -> tuple[CountyCase, QueueResult]:
    grid = hand_drawn_county(tmp_path, hand_drawn_net(ideal=False, **drawing), limit_ka=limit_ka)
    # One home's own peak is half again above the mean, so that each level has a diversity of its own.
    course = profiles(np.linspace(0.6, 1.0, 16), single=np.linspace(0.9, 1.5, 16)) if demand is None else demand
    case = CountyCase(
        grid=grid,
        profiles=course,
        course=binding_course(course, limits),
        trees=supply_trees(grid, limits),
        counts=base_counts(base_kw),
        applications=applications(wishes),
        limits=limits,
    )
    queue = decide_queue(case.trees, case.course, case.counts, case.applications, limits, area_ids=AREAS)
    return case, queue


def replay(folder) -> tuple[pp.pandapowerNet, dict]:
    statement = json.loads((folder / "evidence.json").read_text(encoding="utf-8"))
    net = pp.from_json(str(folder / "network.json"))
    pp.runpp(net, tolerance_mva=1e-10, numba=False)
    return net, statement


def value_in(net: pp.pandapowerNet, read: dict) -> float:
    value = net[read["table"]].loc[read["index"], read["column"]] * read.get("times", 1.0)
    if "formula" not in read:
        return float(value)
    volts = value * read["volts_per_pu"]
    load = net.load[net.load["bus"] == read["index"]]
    return float(volts - (load["p_mw"].sum() * read["p_drop"] + load["q_mvar"].sum() * read["q_drop"]) / volts)


@pytest.mark.parametrize(
    ("drawing", "wish", "quantity"),
    [
        ({"r_ohm": {0: 3.0}}, (0, 30.0), "area_loading_percent"),
        ({"r_ohm": {0: 3.0}, "kva": (400.0,) * 5, "circuits": 1}, (0, 39.0), "voltage_v"),
        ({"r_ohm": {0: 3.0}, "max_i_ka": {1: 0.0072}}, (1, 2.0), "section_loading_percent"),
        ({"r_ohm": {0: 3.0}, "limit_ka": (0.0103, 0.3)}, (1, 2.0), "feeder_loading_percent"),
        ({"r_ohm": {0: 3.0}, "main_mva": 0.29}, (1, 2.0), "main_transformer_loading_percent"),
        ({"r_ohm": {0: 36.0}}, (1, 2.0), "vm_pu"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_binding_quantity_is_shown_by_pandapower(tmp_path, drawing, wish, quantity):
    options = dict(drawing)
    circuits = options.pop("circuits", 2)
    case, queue = decided(tmp_path, [(2, 5.0), wish, (4, 3.0)], **options)
    if circuits != 2:
        areas = case.grid.areas.assign(lv_circuits=circuits)
        object.__setattr__(case.grid, "areas", areas)
        trees = supply_trees(case.grid, case.limits)
        object.__setattr__(case, "trees", trees)
        queue = decide_queue(trees, case.course, case.counts, case.applications, case.limits, area_ids=AREAS)
    decision = queue.decisions[1]
    assert decision.quantity == quantity

    write_evidence(
        explain_application(case, queue, decision.application.application_id), case.grid.folder, tmp_path / "evidence"
    )

    net, statement = replay(tmp_path / "evidence")
    assert statement["binding_value"] == decision.value
    assert value_in(net, statement["read"]) == pytest.approx(decision.value, rel=1e-7)


def test_loads_are_those_of_the_moment(tmp_path):
    """One heater is promised before, one is asked for, one comes later and on another area."""
    case, queue = decided(tmp_path, [(0, 4.0), (0, 6.0), (1, 8.0), (0, 9.0)], [20.0, 10.0, 0.0, 0.0, 0.0])
    assert [d.connected for d in queue.decisions] == [True] * 4

    evidence = explain_application(case, queue, case.applications[1].application_id)

    # The highest two hours are the last eight cases, and what they hold throughout is their first. There 10 homes
    # draw 20 kW * (1 + 0.5 / sqrt(10)) and two heaters 10 kW * (1 + 0.5 / sqrt(2)), times the course; the other area
    # has its homes and the heater that is still pending.
    course = 0.6 + 0.4 * 8 / 15
    own_kw = course * (20.0 * (1.0 + 0.5 * 10**-0.5) + 10.0 * (1.0 + 0.5 * 2**-0.5))
    other_kw = course * (10.0 * (1.0 + 0.5 * 10**-0.5) + 8.0 * 1.5)
    assert evidence.loads["area_id"].tolist() == list(AREAS)
    assert (1000.0 * evidence.loads["p_mw"]).tolist() == pytest.approx([own_kw, other_kw, 0.0, 0.0, 0.0])
    assert evidence.loads["bus"].tolist() == [6, 7, 8, 9, 10]
    assert evidence.statement["case"] == 8
    assert evidence.statement["time"] == "2026-01-21T02:00:00+08:00"
    assert evidence.statement["synthetic"] is True


def test_loads_of_the_grid_file_are_left_out(tmp_path):
    net = hand_drawn_net(ideal=False)
    net.load["p_mw"] = 9.0
    pp.create_sgen(net, 6, 5.0)
    pp.create_load(net, 6, 7.0, name="a second load at the same bus")
    grid = hand_drawn_county(tmp_path, net)
    (tmp_path / "same").mkdir()
    case, queue = decided(tmp_path / "same", [(0, 4.0)])

    write_evidence(
        explain_application(case, queue, case.applications[0].application_id), grid.folder, tmp_path / "evidence"
    )

    solved, statement = replay(tmp_path / "evidence")
    assert len(solved.load) == 5
    assert len(solved.sgen) == 0
    assert value_in(solved, statement["read"]) == pytest.approx(statement["binding_value"], rel=1e-7)


def hot_spot_by_hand(loading_percent, ambient_c, ratio, *, step_min=15.0) -> np.ndarray:
    """The exponential form of IEC 60076-7 with tau_o = 180 min, tau_w = 4 min, k11 = k21 = 1, k22 = 2."""
    load = np.asarray(loading_percent) / 100.0
    oil_end = np.asarray(ambient_c) + 55.0 * ((1.0 + ratio * load**2) / (1.0 + ratio)) ** 0.8
    winding_end = 23.0 * load**1.6
    first = slice(0, 96)
    oil, winding = oil_end[first].mean(), winding_end[first].mean()
    course = []
    for oil_to, winding_to in zip(oil_end, winding_end, strict=True):
        oil += (oil_to - oil) * (1.0 - np.exp(-step_min / 180.0))
        winding += (winding_to - winding) * (1.0 - np.exp(-step_min / 8.0))
        course.append(oil + winding)
    return np.array(course)


def test_a_hot_spot_comes_with_the_course_that_leads_to_it(tmp_path):
    mean = np.full(192, 0.3)
    mean[100:140] = 1.0
    limits = with_overrides(DEFAULT_LIMITS, {"hot_spot_c": (60.0, "a test")})
    demand = profiles(mean, n_case=192, temperature_c=np.linspace(-12.0, 4.0, 192))
    case, queue = decided(tmp_path, [(0, 35.0)], [60.0] * 5, demand=demand, limits=limits)
    (decision,) = queue.decisions
    assert (decision.quantity, decision.connected) == ("hot_spot_c", False)

    write_evidence(
        explain_application(case, queue, decision.application.application_id), case.grid.folder, tmp_path / "evidence"
    )

    net, statement = replay(tmp_path / "evidence")
    read = statement["read"]
    # The moment is shown by pandapower ...
    assert statement["case"] == decision.case == 139
    assert net[read["table"]].loc[read["index"], read["column"]] == pytest.approx(read["value"], rel=1e-7)
    assert read["loading_percent"][139] == read["value"]
    # ... and the hot spot follows from the course by the formula of the standard.
    celsius = hot_spot_by_hand(read["loading_percent"], read["ambient_c"], read["loss_ratio"])
    assert celsius.argmax() == 139
    assert celsius.max() == pytest.approx(statement["binding_value"], rel=1e-9)


def outages_of(case: CountyCase, queue: QueueResult):
    return county_outages_of(case, queue.counts)


@pytest.mark.parametrize(
    ("drawing", "base_kw", "outage", "status", "quantity"),
    [
        ({"r_ohm": {0: 3.0, 2: 4.0}}, 50.0, f"{FEEDERS[0]}-outlet", "secure", "loading_percent"),
        ({"max_i_ka": {2: 0.012}}, 50.0, f"{FEEDERS[0]}-outlet", "violated", "loading_percent"),
        ({"limit_ka": (0.3, 0.012)}, 50.0, f"{FEEDERS[0]}-outlet", "violated", "loading_percent"),
        ({"r_ohm": {2: 25.0}}, 50.0, f"{FEEDERS[0]}-outlet", "violated", "vm_pu"),
        ({"r_ohm": {0: 3.0}}, 50.0, SECTIONS[1], "secure", "loading_percent"),
    ],
)
def test_outages_are_shown_by_pandapower(tmp_path, drawing, base_kw, outage, status, quantity):
    case, queue = decided(tmp_path, [(2, 5.0)], [base_kw] * 5, **drawing)
    rows = outages_of(case, queue)

    write_evidence(explain_outage(case, queue.counts, rows, outage), case.grid.folder, tmp_path / "evidence")

    net, statement = replay(tmp_path / "evidence")
    assert (statement["status"], statement["binding_quantity"]) == (status, quantity)
    assert value_in(net, statement["read"]) == pytest.approx(statement["binding_value"], rel=1e-7)
    beyond = statement["binding_value"] > 100.0 if quantity == "loading_percent" else statement["binding_value"] < 0.93
    assert beyond == (status == "violated")


def test_an_outage_without_a_tie_shows_what_is_left(tmp_path):
    net = hand_drawn_net(ideal=False)
    net.line.loc[4, "in_service"] = False
    grid = hand_drawn_county(tmp_path, net)
    (tmp_path / "same").mkdir()
    case, queue = decided(tmp_path / "same", [(0, 5.0)])
    object.__setattr__(case, "grid", grid)
    rows = outages_of(case, queue)

    write_evidence(explain_outage(case, queue.counts, rows, SECTIONS[0]), grid.folder, tmp_path / "evidence")

    solved, statement = replay(tmp_path / "evidence")
    assert statement["status"] == "unsupplied"
    assert statement["unsupplied_households"] == 180
    assert value_in(solved, statement["read"]) == pytest.approx(statement["binding_value"], rel=1e-7)
    assert solved.res_bus.loc[[2, 3, 6, 7, 8], "vm_pu"].isna().all()


def test_an_outage_without_a_solution_has_none_in_pandapower_either(tmp_path):
    # 40 ohm at the head of the second feeder carry its own 100 kW, and 600 kW at most; it would take over 800 kW.
    base_kw, kva = [260.0, 260.0, 260.0, 50.0, 50.0], (400.0,) * 5
    case, queue = decided(tmp_path, [(3, 1.0)], base_kw, r_ohm={2: 40.0}, kva=kva)
    rows = outages_of(case, queue)
    outage = f"{FEEDERS[0]}-outlet"
    assert str(next(row for row in rows if row.outage_id == outage).status) == "NOT_CONVERGED"

    write_evidence(explain_outage(case, queue.counts, rows, outage), case.grid.folder, tmp_path / "evidence")

    statement = json.loads((tmp_path / "evidence" / "evidence.json").read_text(encoding="utf-8"))
    assert statement["binding_quantity"] == "not_converged"
    assert statement["binding_value"] is None
    net = pp.from_json(str(tmp_path / "evidence" / "network.json"))
    assert net.switch.loc[[0, 4], "closed"].tolist() == [False, True]
    with pytest.raises(pp.LoadflowNotConverged):
        pp.runpp(net, numba=False, max_iteration=50)
    # With the tie open, what is left has a solution: it is the takeover that fails.
    net.switch.loc[4, "closed"] = False
    pp.runpp(net, numba=False)
    assert net.res_bus.loc[5, "vm_pu"] > 0.5


def test_unknown_ids_are_refused(tmp_path):
    case, queue = decided(tmp_path, [(0, 5.0)])

    with pytest.raises(InputError, match="no application P9 in county 140800"):
        explain_application(case, queue, "P9")
    with pytest.raises(InputError, match="no outage K9 in county 140800"):
        explain_outage(case, queue.counts, outages_of(case, queue), "K9")


def test_a_verdict_without_a_solution_has_no_case_to_show(tmp_path):
    loose = {name: (value, "test") for name, value in (
        ("mv_vm_min_pu", 0.3), ("lv_voltage_min_v", 60.0), ("area_loading_percent", 1e4),
        ("section_loading_percent", 1e4), ("hot_spot_c", 1e9),
    )}  # fmt: skip
    case, queue = decided(
        tmp_path, [(0, 39.0)] * 12, [150.0, 150.0, 150.0, 10.0, 10.0], demand=profiles(), r_ohm={0: 30.0},
        kva=(400.0,) * 5, limits=with_overrides(DEFAULT_LIMITS, loose),
    )  # fmt: skip
    assert queue.decisions[-1].kind is None

    with pytest.raises(InputError, match="no solution: there is no case to show"):
        explain_application(case, queue, queue.decisions[-1].application.application_id)


def test_writing_is_whole_and_leaves_nothing_else(tmp_path):
    case, queue = decided(tmp_path, [(0, 5.0)])
    evidence = explain_application(case, queue, case.applications[0].application_id)

    write_evidence(evidence, case.grid.folder, tmp_path / "deep" / "evidence")
    write_evidence(evidence, case.grid.folder, tmp_path / "deep" / "evidence")

    names = sorted(path.name for path in (tmp_path / "deep" / "evidence").iterdir())
    assert names == ["evidence.json", "network.json"]
    assert isinstance(evidence.loads, pd.DataFrame)
