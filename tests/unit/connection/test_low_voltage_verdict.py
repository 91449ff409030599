"""One feeder per verdict and condition: every home alike all evening, so a limit breaks surely or never."""

import dataclasses

import numpy as np
import pytest

from gridcheck.cases import PhaseLoadCases
from gridcheck.checks.area_loads import loads_of
from gridcheck.checks.draw_extremes import LvCheck
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.connection.decision import Blocker
from gridcheck.connection.low_voltage_verdict import REPHASE, AreaQueue, LvOptions, decide_area
from gridcheck.connection.phase_balance import balanced_phases
from gridcheck.network.line_regulators import LineRegulator
from gridcheck.network.low_voltage import area_transformer, four_wire_of
from gridcheck.powerflow import solve_unbalanced
from tests.support.risk_areas import BASE, HEAT_PUMP, ROOF, area, one_box, steady_pool, street

RULES = RiskRules(refusal_draws=0, draws=(100,))
TYPE = "S13-200-Dyn11"
TAPS = 2


def network_of(grid, steps_up):
    # A step up of the low voltage is a step down of the changer at the high-voltage side.
    return four_wire_of(grid, area_transformer(TYPE, tap_pos=-steps_up)) if steps_up <= TAPS else None


def nothing_but(**allowed):
    given = {"phases": False, "managed_start": False, "least_share": 1.0}
    return LvOptions(network_of=lambda _grid, _steps: None, **{**given, **allowed})


EVERYTHING = LvOptions(network_of=network_of)


def at(phases, kw, *, vm_pu=0.93, households=None, metres=450.0):
    """Homes in one box with what each draws all evening."""
    net = area(one_box(phases, metres=metres), households or steady_pool(), vm_pu=vm_pu, type_name=TYPE)
    homes = np.flatnonzero(kw)
    loads = loads_of(homes, np.full(len(homes), BASE), np.asarray(kw, dtype=float)[homes])
    return AreaRisk(net, loads, RULES, seed=1)


def heater(home, kw, phase=-1):
    return LvHeater(home=home, column=HEAT_PUMP, rated_kw=kw, phase=phase)


def end_volts(net, kw_of_phase, step=0):
    """Voltages of the box when its phases draw that much, from the load flow alone."""
    balanced = dataclasses.replace(net.network.balanced, slack_vm_pu=np.array([net.vm_pu[step]]))
    p_mw = np.zeros((1, net.network.n_bus, 3))
    p_mw[0, 2] = np.asarray(kw_of_phase) / 1e3
    moved = dataclasses.replace(net.network, balanced=balanced)
    found = solve_unbalanced(moved, PhaseLoadCases(p_mw=p_mw, q_mvar=0.0 * p_mw))
    return found.vm_pu[0, 2] * 400.0 / np.sqrt(3)


# ------------------------------------------------------------------------------------------------------------- verdicts


def test_what_fits_is_approved_without_a_condition():
    (verdict,), queue = decide_area(at((0, 1, 2), (1, 1, 1)), [heater(0, 2.0)], EVERYTHING)
    assert (verdict.fits, verdict.conditions, verdict.blocked_by) == (True, (), None)
    assert verdict.outlook.value[LvCheck.LOW_VOLTAGE] == pytest.approx(
        end_volts(queue.risk.net, (3, 1, 1))[0], abs=0.01
    )
    assert queue.risk.promised == (heater(0, 2.0),)


def test_another_phase_is_the_cheapest_condition():
    # 8 kW on A are too much beside the 3 kW there; B is as loaded as A, C is free.
    risk = at((0, 1, 2), (3, 3, 0))
    assert end_volts(risk.net, (9, 3, 0)).min() < 198.0 < end_volts(risk.net, (0, 3, 9)).min()
    (verdict,), queue = decide_area(risk, [heater(0, 6.0)], EVERYTHING)
    assert verdict.conditions == ("phase:C",)
    assert queue.risk.promised[0].moves_home
    drawn = queue.risk.batch(0).p_kw[:, 0, 0] * 0.93**2
    np.testing.assert_allclose(drawn, [0.0, 3.0, 9.0], atol=1e-9)


def test_a_heater_on_three_phases_is_not_put_on_another():
    risk = at((0,), (3,))
    (verdict,), _ = decide_area(risk, [heater(0, 39.0, phase=3)], nothing_but(phases=True))
    assert not verdict.fits


def test_a_managed_start_helps_where_two_peaks_are_apart():
    # The home itself draws in the first window only, the heater in both.
    households = steady_pool(width=2)
    share = [part.copy() for part in households.share]
    window = np.array([0, 0, 1, 1, -1])
    share = [np.concatenate([part[:, :2], part[:, :2], part[:, -1:]], axis=1) for part in share]
    share[BASE][0, 2:4] = 0.0
    households = dataclasses.replace(households, case=np.arange(5), window=window, share=tuple(share))
    risk = at((0,), (4,), households=households)
    assert end_volts(risk.net, (9, 0, 0))[0] < 198.0 < end_volts(risk.net, (5, 0, 0))[0]
    (verdict,), queue = decide_area(risk, [heater(0, 5.0)], nothing_but(managed_start=True))
    assert verdict.conditions == ("managed_start",)
    assert queue.risk.promised[0].held == 0
    (verdict,), _ = decide_area(risk, [heater(0, 9.0)], nothing_but(managed_start=True))
    assert not verdict.fits  # made up for later it breaks the other window


def test_a_cap_is_the_largest_step_of_a_tenth_that_fits():
    risk = at((0,), (3,))
    fits = [k for k in range(1, 80) if end_volts(risk.net, (3 + k / 10, 0, 0))[0] >= 198.0]
    (verdict,), queue = decide_area(risk, [heater(0, 8.0)], nothing_but(least_share=0.1))
    assert verdict.conditions == (f"limit_kw:{fits[-1] / 10:g}",)
    assert queue.risk.promised[0].rated_kw == fits[-1] / 10
    (verdict,), _ = decide_area(at((0,), (3,)), [heater(0, 8.0)], nothing_but(least_share=0.95))
    assert not verdict.fits  # a heater with so little power is none


def test_a_step_of_the_tap_helps_and_stays_for_those_who_come_later():
    only_tap = LvOptions(network_of=network_of, phases=False, managed_start=False, least_share=1.0)
    risk = at((0, 1), (3, 1))
    raised = dataclasses.replace(risk.net, network=network_of(risk.net.grid, 1))
    assert end_volts(risk.net, (8.2, 1, 0))[0] < 198.0 < end_volts(raised, (8.2, 1, 0))[0]
    verdicts, queue = decide_area(risk, [heater(0, 5.2), heater(1, 0.5)], only_tap)
    assert [v.conditions for v in verdicts] == [("tap:+1",), ("tap:+1",)]
    assert queue.measures == ("tap:+1",)
    assert verdicts[0].outlook.value[LvCheck.LOW_VOLTAGE] == pytest.approx(end_volts(raised, (8.2, 1, 0))[0], abs=0.01)


def test_a_step_of_the_tap_must_not_break_the_upper_limit_in_light_hours():
    only_tap = LvOptions(network_of=network_of, phases=False, managed_start=False, least_share=1.0)
    risk = at((0, 1), (3, 1))
    # Light hours see the 10 kV line at 1.0 pu: 231 V as it is, 237 V with the tap.
    vm_pu = np.where(risk.net.pool.is_light, 1.0, 0.93)
    risk = AreaRisk(dataclasses.replace(risk.net, vm_pu=vm_pu), risk.loads, RULES, seed=1)
    (verdict,), queue = decide_area(risk, [heater(0, 5.2)], only_tap)
    assert (verdict.fits, queue.measures) == (False, ())


def test_a_step_down_helps_where_the_other_phases_are_lifted_too_far():
    # 238 V at no load; a heater on A lifts B by way of the neutral.
    only_tap = LvOptions(network_of=network_of, phases=False, managed_start=False, least_share=1.0)
    risk = at((0, 1), (0, 1), vm_pu=1.03)
    b_volts = [end_volts(risk.net, (kw, 1, 0))[1] for kw in (0, 8)]
    assert b_volts[1] - b_volts[0] > 0.5
    assert b_volts[0] > 235.4 - 0.5
    lowered = dataclasses.replace(risk.net, network=network_of(risk.net.grid, -1))
    assert end_volts(lowered, (8, 1, 0))[0] > 198.0
    (verdict,), queue = decide_area(risk, [heater(0, 8.0)], only_tap)
    assert verdict.plain.binding == LvCheck.HIGH_VOLTAGE
    assert (verdict.conditions, queue.measures) == (("tap:-1",), ("tap:-1",))


def test_homes_on_other_phases_make_room_on_a_crowded_one():
    # Three homes on A; a heater on three phases is not moved, but it fits once the homes are spread.
    risk = at((0, 0, 0, 3), (3, 3, 3, 0))
    only_homes = LvOptions(
        network_of=lambda grid, steps: network_of(grid, 0) if steps == 0 else None,
        phases=True, managed_start=False, least_share=1.0,
    )  # fmt: skip
    (verdict,), queue = decide_area(risk, [heater(3, 6.0, phase=3)], only_homes)
    assert verdict.conditions == ("rephase",)
    assert sorted(queue.risk.net.grid.home_phase[:3]) == [0, 1, 2]
    assert verdict.outlook.value[LvCheck.LOW_VOLTAGE] == pytest.approx(end_volts(risk.net, (5, 5, 5)).min(), abs=0.01)
    assert risk.net.grid.home_phase.tolist() == [0, 0, 0, 3]


@pytest.mark.parametrize(("switched", "fits"), [(0, False), (2, False), (4, True), (6, True)])
def test_switches_put_homes_on_phases_after_all_were_put_there_by_hand(switched, fits):
    # Two homes of 2 kW on each phase, put there by hand. 4 kW more on one of them: 8 | 4 | 4 break the limit, and
    # moving the applicant changes nothing. Its neighbour has to move, 6 | 6 | 4; it is the fourth by load.
    risk = at((0, 1, 2, 0, 1, 2), (2.0,) * 6, metres=600.0)
    assert end_volts(risk.net, (8, 4, 4)).min() < 198.0 < end_volts(risk.net, (6, 6, 4)).min()
    options = LvOptions(
        network_of=lambda grid, steps: network_of(grid, 0) if steps == 0 else None,
        phases=True, switched_homes=switched, managed_start=False, least_share=1.0,
    )  # fmt: skip
    queue = AreaQueue(risk, options)
    queue.measures = (REPHASE,)
    verdict = queue.decide(heater(0, 4.0))
    assert verdict.fits == fits
    assert queue.measures == (REPHASE,)
    if fits:
        assert verdict.conditions == (REPHASE,)
        load = np.bincount(queue.risk.net.grid.home_phase, weights=[6, 2, 2, 2, 2, 2])
        assert sorted(load) == [4, 6, 6]


def test_a_regulator_in_the_line_makes_room_and_light_hours_stay():
    # 6 kW on a phase that carries 2 already.
    plain = at((0, 1, 2), (2.0, 2.0, 2.0), metres=600.0)
    grid = dataclasses.replace(plain.net.grid, regulators=(LineRegulator(node=1, boost=0.05, rated_ka=0.144),))
    net = area(grid, plain.net.pool, vm_pu=0.93, type_name=TYPE)
    asked = [heater(0, 6.0)]
    (without,), _ = decide_area(plain, asked, nothing_but())
    (verdict,), _ = decide_area(AreaRisk(net, plain.loads, RULES, seed=1), asked, nothing_but())
    assert (without.fits, without.plain.binding) == (False, LvCheck.LOW_VOLTAGE)
    assert (verdict.fits, verdict.conditions) == (True, ())
    assert verdict.outlook.value[LvCheck.LOW_VOLTAGE] == pytest.approx(end_volts(net, (8, 2, 2)).min(), abs=0.01)


# ---------------------------------------------------------------------------------------------------- whose load it is


@pytest.mark.parametrize(
    ("kw", "asked", "blocker"),
    [
        ((9.0,), [heater(0, 1.0)], Blocker.EXISTING_LOAD),
        ((1.0,), [heater(0, 12.0)], Blocker.OWN_LOAD),
        ((1.0,), [heater(0, 4.0), heater(0, 4.0)], Blocker.PROMISED_LOAD),
    ],
)
def test_whose_load_leaves_no_room(kw, asked, blocker):
    verdicts, queue = decide_area(at((0,), kw), asked, nothing_but())
    assert not verdicts[-1].fits
    assert verdicts[-1].blocked_by == blocker
    assert all(v.fits for v in verdicts[:-1])
    assert verdicts[-1].broken_before == ((LvCheck.LOW_VOLTAGE,) if blocker == Blocker.EXISTING_LOAD else ())
    assert len(queue.risk.promised) == len(asked) - 1


SLIP_V = 0.002 * 198.0


@pytest.mark.parametrize("kw", [0.5, 3.0])
def test_what_was_broken_before_is_shown_and_charged_to_who_makes_it_worse(kw):
    risk = at((0, 1), (9, 0))
    verdicts, _ = decide_area(risk, [heater(1, kw)], nothing_but())
    dropped_v = end_volts(risk.net, (9, 0, 0))[0] - end_volts(risk.net, (9, kw, 0))[0]
    assert verdicts[0].broken_before == (LvCheck.LOW_VOLTAGE,)
    assert verdicts[0].fits == (dropped_v <= SLIP_V)


def test_many_who_make_it_a_little_worse_are_charged_as_one():
    risk = at((0, 0), (9, 0))
    before_v = end_volts(risk.net, (9, 0, 0))[0]
    step_kw, number = 0.02, 12
    verdicts, _ = decide_area(risk, [heater(1, step_kw)] * number, nothing_but())
    # The first of them who would let it slip too far since before the queue is refused, and so is everybody after.
    drops_v = [before_v - end_volts(risk.net, (9 + step_kw * n, 0, 0))[0] for n in range(1, number + 1)]
    assert drops_v[0] <= SLIP_V < drops_v[-1]
    assert [v.fits for v in verdicts] == [drop <= SLIP_V for drop in drops_v]


def test_unbalance_decides_only_where_the_rules_say_so():
    strict = dataclasses.replace(RULES, deciding=(*RULES.deciding, LvCheck.STAR_POINT))
    # 6 kW on one phase of three are 9 % of 200 kVA in the neutral; a limit of 5 % is broken.
    risk = at((0,), (1,), metres=50.0, vm_pu=1.0)
    limits = dataclasses.replace(risk.net.limits, neutral_percent_yyn0=dataclasses.replace(
        risk.net.limits.neutral_percent_yyn0, value=5.0))  # fmt: skip
    net = dataclasses.replace(risk.net, limits=limits)
    shown, _ = decide_area(AreaRisk(net, risk.loads, RULES, seed=1), [heater(0, 6.0)], nothing_but())
    decided, _ = decide_area(AreaRisk(net, risk.loads, strict, seed=1), [heater(0, 6.0)], nothing_but())
    assert shown[0].fits
    assert shown[0].outlook.broken[LvCheck.STAR_POINT] == 100
    assert (decided[0].fits, decided[0].outlook.binding) == (False, LvCheck.STAR_POINT)


# ------------------------------------------------------------------------------------------------------------- balance


def test_balance_by_hand():
    # 5, 4, 3, 3 on three phases: largest first gives 5 | 4 | 3+3, and nothing better exists.
    phase = balanced_phases(one_box((0, 0, 0, 0)), np.array([3.0, 5.0, 4.0, 3.0]))
    assert phase.tolist() == [2, 0, 1, 2]


def test_only_those_that_draw_most_choose_again():
    # The two largest choose; the others keep 1 kW on A and 2 kW on B: 5 goes to C, 4 to A.
    phase = balanced_phases(one_box((0, 1, 0, 0)), np.array([1.0, 2.0, 5.0, 4.0]), most=2)
    assert phase.tolist() == [0, 1, 2, 0]


def test_balance_leaves_what_is_unknown_or_on_three_phases():
    grid = one_box((-1, 3, 0, 0))
    phase = balanced_phases(grid, np.array([9.0, 9.0, 2.0, 1.0]))
    assert phase.tolist() == [-1, 3, 0, 1]
    assert grid.home_phase.tolist() == [-1, 3, 0, 0]


def test_balance_lowers_the_losses_of_a_street():
    grid = street(24, poles=8, phases=(0,))
    kw = np.random.default_rng(1).uniform(0.5, 5.0, 24)
    phase = balanced_phases(grid, kw)
    load = np.bincount(phase, weights=kw, minlength=3)
    assert load.max() - load.min() < 0.1 * load.sum()
    roofs = balanced_phases(grid, -kw)  # feeding in is balanced as well
    load = np.bincount(roofs, weights=kw, minlength=3)
    assert load.max() - load.min() < 0.2 * load.sum()
    assert ROOF == 2
