"""The low-voltage side of one county's queue: its lines and meters, its transformers, and homes to draw from."""

from __future__ import annotations

from pathlib import Path

from gridcheck.checks.risk_outlook import RiskRules
from gridcheck.connection.area_desk import DeskInput
from gridcheck.connection.data_confidence import DataChecks, DataRules, area_records
from gridcheck.demand.draw_pool import PoolSize, draw_pool, require_simulated
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.profiles import ClassCounts, ClassProfiles
from gridcheck.demand.weather import Weather
from gridcheck.limits import LimitSet
from gridcheck.network.area_transformers import transformers_of
from gridcheck.network.county import CountyGrid
from gridcheck.network.low_voltage_tables import read_low_voltage
from gridcheck.scenario import Scenario
from gridcheck.synthesis.low_voltage import low_voltage_of


def low_voltage_desk(
    grid: CountyGrid,
    counts: ClassCounts,
    profiles: ClassProfiles,
    weather: Weather,
    *,
    scenario: Scenario,
    parameters: DemandParameters,
    risk: float,
) -> DeskInput:
    """Prepare the low-voltage side of a county's queue.

    Parameters
    ----------
    grid : CountyGrid
        The county. Areas whose lines its folder holds get those, the others made-up ones.
    counts : ClassCounts
        What is connected before the queue.
    profiles : ClassProfiles
        Profiles of the study.
    weather : Weather
        Weather they were made from.
    scenario : Scenario
        Gives method and seed.
    parameters : DemandParameters
        Parameters they were made with.
    risk : float
        Probability of a broken limit that is accepted. [1]

    Raises
    ------
    InputError
        If the method of demand has no single homes.
    """
    require_simulated(scenario.demand.method)
    limits: LimitSet = scenario.limit_set()
    seed = scenario.study.seed
    surveyed = read_low_voltage(Path(grid.folder), grid.areas).grids
    return DeskInput(
        lines=low_voltage_of(grid.areas, seed, imported=surveyed),
        transformers=dict(zip(grid.areas["area_id"], transformers_of(grid), strict=True)),
        pool=draw_pool(
            profiles,
            weather,
            parameters,
            rated_kw=counts.rated_kw.sum(axis=0),
            seed=seed,
            size=PoolSize(duration_h=limits.overload_duration_h.value),
        ),
        rules=RiskRules(risk=risk),
        seed=seed,
        data=DataChecks(rules=_data_rules(scenario), records=area_records(grid.areas, is_synthetic=grid.synthetic)),
    )


def _data_rules(scenario: Scenario) -> DataRules:
    desk = scenario.desk
    return DataRules(
        unknown_phase_share=desk.unknown_phase_percent / 100.0,
        guess_marks=desk.guess_marks,
        needs_survey=desk.surveyed_lines,
        tells_undecided=desk.undecided == "insufficient_data",
    )
