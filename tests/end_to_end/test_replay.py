"""Verdicts and outages shown again by plain pandapower, from nothing but the files that `gridcheck explain` writes.

Between those files and the numbers that are compared no gridcheck code runs: pandapower reads the network, solves it,
and the value is taken from its result tables as evidence.json says.
"""

import json
import random
from pathlib import Path

import numpy as np
import pandapower as pp
import pytest

from gridcheck.checks.supply_tree import DRAWN_KINDS
from gridcheck.county_study import CountyTask, decide_county, outages_of, prepare_county
from gridcheck.evidence import explain_application, write_evidence
from gridcheck.evidence_outages import explain_outage
from gridcheck.scenario import read_scenario

ROOT = Path(__file__).parents[2]
# So many verdicts and so many outages of each, thirty of both in all.
COUNTIES = {"140827-yuanqu": 12, "140826-jiang": 12, "140830-ruicheng": 6}
# Asked for is 0.1 %; both sides solve the same equations, so they agree far better.
TOLERANCE = 1e-6


@pytest.fixture(scope="module", params=COUNTIES)
def decided(request):
    folder = ROOT / "networks" / request.param
    task = CountyTask(
        county_code=request.param[:6],
        folder=folder,
        scenario=read_scenario(ROOT / "scenarios" / "cold-wave.toml"),
        applications=None,
        applications_source="synthetic queue",
    )
    case = prepare_county(task)
    queue = decide_county(case)
    rows = outages_of(case, queue.counts)
    return folder, case, queue, rows, COUNTIES[request.param]


def sample(items, kind, n, seed):
    """Draw n items at random, one of every kind first, so that rare kinds are among them."""
    rng = random.Random(seed)
    shuffled = rng.sample(list(items), len(items))
    first = list({kind(item): item for item in shuffled}.values())
    rest = [item for item in shuffled if all(item is not other for other in first)]
    return (first + rest)[:n]


def replayed(folder: Path) -> tuple[float, dict]:
    statement = json.loads((folder / "evidence.json").read_text(encoding="utf-8"))
    net = pp.from_json(str(folder / "network.json"))
    pp.runpp(net, tolerance_mva=1e-8, numba=False)  # compiling takes longer than it saves here
    read = statement["read"]
    value = net[read["table"]].loc[read["index"], read["column"]] * read.get("times", 1.0)
    if "formula" in read:
        volts = value * read["volts_per_pu"]
        load = net.load[net.load["bus"] == read["index"]]
        drop = load["p_mw"].sum() * read["p_drop"] + load["q_mvar"].sum() * read["q_drop"]
        value = volts - drop / volts
    return float(value), statement


def test_random_verdicts_are_shown_by_pandapower(decided, tmp_path):
    folder, case, queue, _, wanted = decided
    # What binds in the draws of an area is seen again by phase, in test_desk_replay.py.
    shown = [d for d in queue.decisions if d.kind is not None and d.kind not in DRAWN_KINDS]
    chosen = sample(
        shown, lambda d: (d.verdict, d.quantity, d.with_crowd), wanted, seed=f"verdicts {case.grid.county_code}"
    )
    assert len(chosen) == wanted

    for decision in chosen:
        application_id = decision.application.application_id
        place = tmp_path / application_id
        write_evidence(explain_application(case, queue, application_id), folder, place)
        value, statement = replayed(place)

        assert statement["verdict"] == str(decision.verdict)
        assert value == pytest.approx(decision.value, rel=TOLERANCE), statement
        # The verdict follows from the replayed value alone.
        lower_limit = decision.quantity in ("voltage_v", "vm_pu")
        beyond = value < statement["binding_limit"] if lower_limit else value > statement["binding_limit"]
        assert beyond == (not decision.connected), statement


def test_random_outages_are_shown_by_pandapower(decided, tmp_path):
    folder, case, queue, rows, wanted = decided
    chosen = sample(rows, lambda r: (r.status, r.outage_kind), wanted, seed=f"outages {case.grid.county_code}")
    assert len(chosen) == wanted

    for row in chosen:
        place = tmp_path / row.outage_id
        write_evidence(explain_outage(case, queue.counts, rows, row.outage_id), folder, place)
        if str(row.status) == "NOT_CONVERGED":
            with pytest.raises(pp.LoadflowNotConverged):
                replayed(place)
            continue
        value, statement = replayed(place)
        if statement["binding_quantity"] == "no_supply":
            assert str(row.status) == "UNSUPPLIED"
            assert np.isnan(value)
            continue

        by_voltage = statement["binding_quantity"] == "vm_pu"
        expected = row.tried.vm_pu if by_voltage else row.tried.loading_percent
        assert value == pytest.approx(expected, rel=TOLERANCE), statement
        beyond = value < statement["binding_limit"] if by_voltage else value > statement["binding_limit"]
        if str(row.status) == "SECURE":
            assert not beyond, statement
        if str(row.status) == "VIOLATED":
            assert beyond, statement


def test_the_samples_hold_every_kind(decided):
    """What is drawn above is a mix: approvals, conditions and deferrals, and outages of every status there is."""
    _, _, queue, rows, wanted = decided
    verdicts = sample(list(queue.decisions), lambda d: d.verdict, wanted, seed="any")
    outages = sample(rows, lambda r: r.status, wanted, seed="any")

    assert {d.verdict for d in verdicts} == {d.verdict for d in queue.decisions}
    assert {r.status for r in outages} == {r.status for r in rows}
    assert len({d.quantity for d in queue.decisions}) >= 3
