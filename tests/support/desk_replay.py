"""Answers of the desk seen again by others: OpenDSS for the low-voltage network, pandapower for that and for 10 kV."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandapower as pp
import pandas as pd
from dss import DSS

from gridcheck.desk import DeskTask
from gridcheck.evidence import Evidence, switched
from gridcheck.evidence_desk import AnswerEvidence, explain_answers
from gridcheck.network import read_county
from gridcheck.network.low_voltage import line_ka
from gridcheck.network.low_voltage_case import value_read
from gridcheck.network.pandapower_net import net_from_tables
from gridcheck.network.tables import read_tables
from gridcheck.scenario import Scenario
from gridcheck.study import sorted_tasks
from gridcheck.study_inputs import today_here
from gridcheck.synthesis.applications import synthetic_applications
from tests.support.open_dss import run

NETWORKS = Path(__file__).parents[2] / "networks"
SHIPPED = tuple(sorted(folder.name.partition("-")[0] for folder in NETWORKS.glob("14*")))


@dataclass(frozen=True)
class Seen:
    """One answer beside what another program makes of its moment.

    ``value`` and ``found`` are in the unit of the limit, NaN where there is no solution; ``program`` is who found it.
    """

    application_id: str
    verdict: str
    quantity: str
    program: str
    limit: float
    value: float
    found: float

    @property
    def off(self) -> float:
        """How far the two are apart, as a share of the value or of the limit: solvers are exact to so much of 1 pu."""
        if math.isnan(self.value) or math.isnan(self.found):
            return 0.0 if math.isnan(self.value) and math.isnan(self.found) else math.inf
        return abs(self.found - self.value) / max(abs(self.value), abs(self.limit))

    @property
    def agrees_on_the_limit(self) -> bool:
        """Whether both are on the same side of the limit, but for what solvers leave open; or both have no solution."""
        if math.isnan(self.value) or math.isnan(self.found):
            return math.isnan(self.value) and math.isnan(self.found)
        same = np.sign(self.found - self.limit) == np.sign(self.value - self.limit)
        return bool(same or abs(self.value - self.limit) < 1e-5 * abs(self.limit))


def task_of_head(county_code: str, count: int, folder: Path, *, seed: int = 2025) -> DeskTask | None:
    """Return the task of the first applications of a county's synthetic queue, whose file goes to `folder`.

    None where the plan has no such households in the county.
    """
    grid = read_county(next(NETWORKS.glob(f"{county_code}-*")))
    table = synthetic_applications(county_code, grid.areas, grid.heating, seed=seed).drop(columns=["synthetic"])
    if not len(table):
        return None
    path = folder / f"asked-{county_code}.csv"
    table.head(count).to_csv(path, index=False)
    scenario = Scenario()
    queue = scenario.queue.model_copy(update={"applications": path.as_posix()})
    tasks, _ = sorted_tasks(scenario.model_copy(update={"queue": queue}), (county_code,), None, today_here())
    return DeskTask(county=tasks[0], promised=(), risk=0.05)


def value_in_opendss(evidence: AnswerEvidence) -> float:
    """Solve the script of an answer and read what its statement says; NaN where there is no solution.

    Infinite where it finds one that the answer does not know of.
    """
    run(*(line for line in evidence.script.splitlines() if line))
    circuit, told = DSS.ActiveCircuit, evidence.statement
    if not circuit.Solution.Converged:
        return math.nan
    if not told["solved"]:
        return math.inf
    wire = "ABCN".index(told["wire"])
    if told["unit"] == "V":
        circuit.SetActiveBus(told["look_at"].removeprefix("bus "))
        bus = circuit.ActiveBus
        volts = dict(zip(bus.Nodes, np.asarray(bus.Voltages, dtype=np.float64).view(np.complex128), strict=True))
        return abs(volts[wire + 1] - volts[4])
    amperes = _amperes(told["look_at"])
    if told["look_at"] == "transformer.t":
        unit, names = evidence.transformer, told["look_at_less"].split(", ")
        # Both count what flows into them; the rest goes out to the lines.
        out = amperes[4 + wire] + sum(_amperes(name)[wire] for name in names if f"new {name} " in evidence.script)
        return 100.0 * abs(out) / (unit.kva / 3**0.5 / unit.vn_lv_kv)
    return (
        100.0
        * abs(amperes[wire])
        / (1000.0 * line_ka(evidence.moment.grid)[int(told["look_at"].removeprefix("line.l")) - 1])
    )


def _amperes(name: str) -> npt.NDArray[np.complex128]:
    DSS.ActiveCircuit.SetActiveElement(name)
    return np.asarray(DSS.ActiveCircuit.ActiveCktElement.Currents, dtype=np.float64).view(np.complex128)


def value_in_pandapower(evidence: AnswerEvidence) -> float:
    """Open the pandapower case of an answer as anybody would, solve it and read the same; as `value_in_opendss`."""
    net = pp.from_json_string(evidence.pandapower_json())
    try:
        pp.runpp_3ph(net, tolerance_mva=1e-11, max_iteration=200)
    except pp.LoadflowNotConverged:
        return math.nan
    if not evidence.statement["solved"]:
        # Where its matrix is singular, it ends without an error and without numbers.
        return math.nan if net.res_bus_3ph.filter(like="vm_").isna().to_numpy().any() else math.inf
    read = ("table", "index", "column", "times")
    return value_read(net, {name: evidence.statement[f"pandapower_{name}"] for name in read})


def value_at_10_kv(evidence: Evidence, task: DeskTask) -> tuple[float, float]:
    """Solve the county's case of an answer; return what it shows, and what it must be."""
    tables, header = read_tables(task.county.folder / "network.json")
    load = evidence.loads.rename(columns={"area_id": "name"})
    net = net_from_tables(switched(tables, {}) | {"load": load}, name="case", sn_mva=float(header["sn_mva"]))
    pp.runpp(net, tolerance_mva=1e-8)
    told, read = evidence.statement, evidence.statement["read"]
    shown = float(net[read["table"]].loc[read["index"], read["column"]]) * read.get("times", 1.0)
    # A hot spot follows from the whole course of the loading, of which the case is one moment.
    return shown, float(read.get("value", told["binding_value"]))


def seen_again(task: DeskTask, wanted: tuple[str, ...]) -> list[Seen]:
    """See some answers of a county again: every one by draws in both programs, every one of 10 kV in pandapower."""
    evidence = explain_answers(task, wanted)
    rows = []
    for name, drawn in sorted(evidence.low_voltage.items()):
        told = drawn.statement
        for program, value in (("OpenDSS", value_in_opendss(drawn)), ("pandapower", value_in_pandapower(drawn))):
            own = told["value"] if told["solved"] else math.nan
            rows.append(Seen(name, told["verdict"], told["check"], program, told["limit"], own, value))
    for name, above in sorted(evidence.above.items()):
        told = above.statement
        shown, value = value_at_10_kv(above, task)
        # The limit of a hot spot is no limit of the loading that the case shows.
        limit = value * 2.0 if told["binding_quantity"] == "hot_spot_c" else told["binding_limit"]
        rows.append(Seen(name, told["verdict"], told["binding_quantity"], "pandapower 10 kV", limit, value, shown))
    return rows


def chosen(task: DeskTask, count: int, seed: int) -> tuple[str, ...]:
    """Choose some applications of a task by chance."""
    table = task.county.applications
    assert table is not None
    names = np.sort(table["application_id"].to_numpy(dtype=str))
    return tuple(np.random.default_rng(seed).choice(names, min(count, len(names)), replace=False).tolist())


def summary(rows: list[Seen]) -> pd.DataFrame:
    """Return how many answers agree by program and quantity, and by how much they differ at most."""
    table = pd.DataFrame(
        [(one.program, one.quantity, one.agrees_on_the_limit, math.isnan(one.value), one.off) for one in rows],
        columns=["program", "quantity", "agree", "no_solution", "off"],
    )
    return table.groupby(["program", "quantity"]).agg(
        answers=("agree", "size"), agree=("agree", "sum"), without_solution=("no_solution", "sum"),
        largest_difference=("off", "max"),
    )  # fmt: skip
