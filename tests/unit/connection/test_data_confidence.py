"""Where there is no answer: one area for each thing that can be missing, and the ordinary ones that it leaves alone."""

import dataclasses
from datetime import date

import numpy as np
import pandas as pd
import pytest

from gridcheck.checks.area_loads import loads_of
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.connection.applications import Application
from gridcheck.connection.data_confidence import (
    AreaRecord,
    DataChecks,
    DataRules,
    area_records,
    lacking_records,
    phases_in_the_way,
    still_open,
    undecided,
    without_answer,
)
from gridcheck.connection.decision import Decision, Verdict
from gridcheck.connection.low_voltage_verdict import AreaQueue, LvOptions
from gridcheck.errors import InputError
from gridcheck.network.low_voltage import area_transformer, four_wire_of, loads_by_phase
from gridcheck.powerflow import solve_unbalanced
from tests.support.risk_areas import BASE, HEAT_PUMP, area, on_off_pool, one_box, steady_pool

TYPE = "S13-200-Dyn11"
RULES = RiskRules(refusal_draws=0, draws=(100,))
NO_CONDITION = LvOptions(network_of=lambda _grid, _steps: None, phases=False, managed_start=False, least_share=1.0)


def box(phases, kw=2.0, *, vm_pu=0.93, households=None, rules=RULES):
    """Homes in one box 450 m away, each drawing so much all evening."""
    net = area(one_box(phases, metres=450.0), households or steady_pool(), vm_pu=vm_pu, type_name=TYPE)
    n = len(phases)
    return AreaRisk(net, loads_of(np.arange(n), np.full(n, BASE), np.full(n, kw)), rules, seed=1)


def heater(home=0, kw=2.0, phase=-1):
    return LvHeater(home=home, column=HEAT_PUMP, rated_kw=kw, phase=phase)


# ---------------------------------------------------------------------------------------------------- unknown phases


def lowest_volts(phases, kw):
    """What a load flow of its own shows at the box when homes hang on these phases."""
    grid = one_box(phases, metres=450.0)
    net = four_wire_of(grid, area_transformer(TYPE))
    moved = dataclasses.replace(net, balanced=dataclasses.replace(net.balanced, slack_vm_pu=np.array([0.93])))
    loads = loads_by_phase(grid, np.array([kw]), np.zeros((1, len(kw))))
    return float(solve_unbalanced(moved, loads).vm_pu[0, 2].min() * 400.0 / 3**0.5)


def test_the_answer_turns_on_phases_that_nobody_knows():
    kw = [4.0, 2.0, 2.0, 2.0]  # the applicant's 2 kW come on top of its base load
    assert lowest_volts((0, 1, 2, 1), kw) > 198.0 > lowest_volts((0, 0, 0, 0), kw)
    assert phases_in_the_way(box((0, -1, -1, -1)), heater(), DataRules()) == ("needs_meter_phases:75",)


def test_what_fits_on_any_phase_needs_none():
    assert lowest_volts((0, 0, 0, 0), [1.0, 0.5, 0.5, 0.5]) > 198.0
    assert phases_in_the_way(box((0, -1, -1, -1), kw=0.5), heater(kw=0.5), DataRules()) == ()


def test_what_fits_on_no_phase_needs_none():
    assert lowest_volts((0, 1, 2, 1), [14.0, 2.0, 2.0, 2.0]) < 198.0
    assert phases_in_the_way(box((0, -1, -1, -1)), heater(kw=12.0), DataRules()) == ()


def test_below_the_share_the_draws_speak():
    rules = DataRules(unknown_phase_share=0.75)
    assert phases_in_the_way(box((0, -1, -1, -1)), heater(), rules) == ()
    assert phases_in_the_way(box((0, 0, 0, 0)), heater(), DataRules(unknown_phase_share=0.0)) == ()


def test_a_phase_that_an_applicant_states_is_known():
    # Half of the meters are known once the applicant has said A.
    assert phases_in_the_way(box((-1, -1, 1, 2)), heater(phase=0), DataRules(unknown_phase_share=0.25)) == ()
    assert phases_in_the_way(box((-1, -1, 1, 2)), heater(kw=3.0), DataRules(unknown_phase_share=0.25)) != ()


def test_nothing_is_promised_while_phases_are_looked_at():
    risk = box((0, -1, -1, -1))
    before = risk.batch(0).worst.value.copy()
    phases_in_the_way(risk, heater(), DataRules())
    assert risk.promised == ()
    np.testing.assert_array_equal(risk.batch(0).worst.value, before)


# ------------------------------------------------------------------------------------------------------------ records


def grid(n_home=3, *, is_synthetic=True, area_id="A1"):
    return dataclasses.replace(one_box((0, 1, 2)[:n_home]), is_synthetic=is_synthetic, area_id=area_id)


@pytest.mark.parametrize(
    ("given", "record", "rules", "expected"),
    [
        (grid(), AreaRecord(transformer_mark="C", line_mark="C"), DataRules(needs_survey=True), ()),
        (grid(), AreaRecord(is_synthetic=False), DataRules(), ()),
        (grid(), AreaRecord(is_synthetic=False, transformer_mark="S", line_mark="G"), DataRules(), ()),
        (grid(), AreaRecord(is_synthetic=False, transformer_mark="C"), DataRules(), ("needs_transformer_record",)),
        (grid(), AreaRecord(is_synthetic=False, line_mark="C"), DataRules(), ("needs_line_record",)),
        (grid(is_synthetic=False), AreaRecord(is_synthetic=False, line_mark="C"), DataRules(), ()),
        (grid(), AreaRecord(is_synthetic=False, line_mark="C"), DataRules(guess_marks=()), ()),
        (grid(), AreaRecord(is_synthetic=False), DataRules(needs_survey=True), ("needs_line_survey",)),
        (grid(is_synthetic=False), AreaRecord(is_synthetic=False), DataRules(needs_survey=True), ()),
        (grid(0), AreaRecord(), DataRules(), ("needs_meters",)),
    ],
)
def test_records_that_lack(given, record, rules, expected):
    assert lacking_records(given, DataChecks(rules=rules, records={"A1": record})) == expected


def test_an_area_that_is_not_named_counts_as_invented():
    assert lacking_records(grid(area_id="A2"), DataChecks(rules=DataRules(needs_survey=True))) == ()


def test_marks_are_further_columns_of_the_table_of_areas():
    areas = pd.DataFrame({"area_id": ["A1", "A2"], "type_confidence": ["C", None], "lv_type_confidence": [" C ", "S"]})
    records = area_records(areas, is_synthetic=False)
    assert records["A1"] == AreaRecord(is_synthetic=False, transformer_mark="C", line_mark="C")
    assert records["A2"] == AreaRecord(is_synthetic=False, transformer_mark="", line_mark="S")
    assert area_records(areas[["area_id"]], is_synthetic=True)["A1"] == AreaRecord()


def test_a_share_that_cannot_be():
    with pytest.raises(InputError, match="unknown_phase_share"):
        DataRules(unknown_phase_share=50.0)


# ---------------------------------------------------------------------------------------------------------- undecided

TOLD = DataChecks(rules=DataRules(tells_undecided=True))


def refused(share, draws):
    """A heater that breaks the limit of its line whenever it is on: in such a share of draws."""
    rules = RiskRules(refusal_draws=0, draws=draws)
    risk = box((0,), kw=0.1, vm_pu=0.93, households=on_off_pool({BASE: 1.0, HEAT_PUMP: share}), rules=rules)
    answer = AreaQueue(risk, NO_CONDITION).decide(heater(kw=20.0))
    assert not answer.fits
    return answer, rules


def test_an_interval_that_holds_the_accepted_risk_after_the_last_draw():
    answer, rules = refused(0.06, (100, 200))
    low, high = (float(bound[answer.plain.binding]) for bound in (answer.plain.low, answer.plain.high))
    assert low <= rules.risk < high
    assert still_open(answer, rules, TOLD) == ("needs_more_draws:200",)
    assert still_open(answer, rules, DataChecks()) == ()  # waits, as ever


def test_what_is_clearly_broken_is_refused():
    answer, rules = refused(0.5, (100, 200))
    assert still_open(answer, rules, TOLD) == ()


# ------------------------------------------------------------------------------------------------------------- answers

ASKED = Application(
    application_id="1", county_code="140827", village_code="", area_id="A1", applied_on=date(2025, 9, 1),
    device="air_air_heat_pump", rated_kw=2.0, phase="A", household_group="ordinary", queue_position=1,
)  # fmt: skip


def decision(**changes):
    given = {
        "application": ASKED, "verdict": Verdict.APPROVE, "conditions": (), "kind": None, "check": 3, "element": "F1",
        "value": 50.0, "value_before": 48.0, "limit": 80.0, "case": 7, "margin_kw": 20.0, "blocked_by": None,
        "promised_before": 2, "with_crowd": True,
    }  # fmt: skip
    return Decision(**{**given, **changes})


def test_no_answer_names_no_limit_and_connects_nobody():
    found = without_answer(decision(), ("needs_meters",))
    assert (found.verdict, found.conditions, found.connected) == (Verdict.INSUFFICIENT_DATA, ("needs_meters",), False)
    assert (found.level, found.quantity, found.element, found.case) == ("data", "data", "A1", -1)
    assert np.isnan([found.value, found.limit, found.margin_kw]).all()
    # A load flow without a solution stays what it was.
    assert decision(verdict=Verdict.DEFER).quantity == "not_converged"


def test_undecided_keeps_the_limit_in_question():
    found = undecided(decision(verdict=Verdict.DEFER, probability=0.94), ("needs_more_draws:800",))
    assert (found.verdict, found.value, found.limit, found.probability) == (Verdict.INSUFFICIENT_DATA, 50.0, 80.0, 0.94)
