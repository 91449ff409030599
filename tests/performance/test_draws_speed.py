"""Speed of an answer by draws: extremes beside tables of the whole tree, as a ratio within one run.

A made-up area of 60 homes; with ``--timing`` it also prints what one warm what-if takes.
"""

import numpy as np
import pytest

from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.powerflow.phase_places import solve_places
from gridcheck.powerflow.place_extremes import solve_place_extremes
from tests.performance.contest import best_seconds
from tests.support.risk_areas import HEAT_PUMP, area, lived_in, pool, street


@pytest.fixture
def is_timed(request):
    return request.config.getoption("--timing", default=False)


def test_extremes_beside_tables(is_timed):
    n_draw = 100 if is_timed else 5
    net = area(street(60, n_line=3, poles=16, boxes_every=3), pool(width=8), type_name="S13-200-Dyn11", vm_pu=0.97)
    risk = AreaRisk(net, lived_in(60), RiskRules(refusal_draws=0, draws=(n_draw,)), seed=3)
    batch = risk.batch(0)
    p, q = (table.reshape(len(table), -1) for table in (batch.p_kw, batch.q_kvar))

    def tables():
        return solve_places(net.places, p, q, threads=1)

    def extremes():
        return solve_place_extremes(net.extremes, batch.p_kw, batch.q_kvar, batch.has_meter)

    def what_if():
        return risk.with_heater(LvHeater(home=30, column=HEAT_PUMP, rated_kw=3.0))

    np.testing.assert_allclose(extremes().line, tables().loading_percent[net.rated_line].max(axis=(0, 1)), rtol=1e-4)
    assert what_if().draws == n_draw
    if is_timed:
        seconds = best_seconds({"tables": tables, "extremes": extremes, "what-if": what_if}, repeats=9)
        ratio = seconds["tables"] / seconds["extremes"]
        print(f"{n_draw} draws of {net.pool.n_step} steps, {net.grid.n_node} nodes: extremes {ratio:.1f} times as fast")
        print(f"as tables; one warm what-if {1000.0 * seconds['what-if']:.0f} ms")
        assert ratio > 1.0
