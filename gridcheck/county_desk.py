"""The low-voltage side of one county's queue: its lines and meters, its transformers, and homes to draw from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from gridcheck.checks.risk_outlook import RiskRules
from gridcheck.connection.area_desk import DeskInput
from gridcheck.connection.data_confidence import DataChecks, DataRules, area_records
from gridcheck.demand.draw_pool import PoolSize, draw_pool, require_simulated
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.profiles import ClassCounts, ClassProfiles
from gridcheck.demand.weather import Weather
from gridcheck.errors import InputError
from gridcheck.limits import LimitSet
from gridcheck.network.area_transformers import transformers_of
from gridcheck.network.county import CountyGrid
from gridcheck.network.low_voltage_tables import read_low_voltage
from gridcheck.scenario import Scenario
from gridcheck.synthesis.low_voltage import low_voltage_of

NOT_DRAWN = (
    'Single areas are answered by draws: set low_voltage.by_draws = true and demand.method = "simulated" in the '
    "scenario."
)
"""What is said where a scenario draws nothing."""


def low_voltage_desk(
    grid: CountyGrid,
    counts: ClassCounts,
    profiles: ClassProfiles,
    weather: Weather,
    *,
    scenario: Scenario,
    parameters: DemandParameters,
    asked: Collection[str],
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
        Gives method, seed, accepted risk, and whether main transformers keep their busbars.
    parameters : DemandParameters
        Parameters they were made with.
    asked : collection of str
        Areas in which somebody asks.

    Raises
    ------
    InputError
        If the method of demand has no single homes.
    """
    require_simulated(scenario.demand.method)
    limits: LimitSet = scenario.limit_set()
    pool = draw_pool(
        profiles,
        weather,
        parameters,
        rated_kw=counts.rated_kw.sum(axis=0),
        seed=scenario.study.seed,
        size=PoolSize(duration_h=limits.overload_duration_h.value),
    )
    nothing_yet = DeskInput(
        area_ids=tuple(grid.areas["area_id"]),
        lines={},
        transformers={},
        pool=pool,
        rules=RiskRules(risk=scenario.low_voltage.risk),
        seed=scenario.study.seed,
        main_tap_follows=scenario.low_voltage.main_tap_follows,
        data=DataChecks(rules=_data_rules(scenario), records=area_records(grid.areas, is_synthetic=grid.synthetic)),
    )
    return with_lines_of(nothing_yet, grid, asked)


def with_lines_of(desk: DeskInput, grid: CountyGrid, asked: Collection[str]) -> DeskInput:
    """Return a desk with the lines, meters and transformers of some areas and no others.

    Parameters
    ----------
    desk : DeskInput
        The desk of a county.
    grid : CountyGrid
        The county. Areas whose lines its folder holds get those, the others made-up ones.
    asked : collection of str
        The areas.

    Raises
    ------
    InputError
        If the transformer of an area cannot be modelled by phase; it says what to do.
    """
    here = grid.areas["area_id"].isin(asked).to_numpy()
    areas = grid.areas[here]
    surveyed = read_low_voltage(Path(grid.folder), grid.areas).grids
    try:
        units = transformers_of(grid, np.flatnonzero(here))
    except InputError as error:
        raise InputError(
            f"{error.message} Correct vector_group in areas.csv, or set low_voltage.by_draws = false in the scenario.",
            error.findings,
        ) from error
    return replace(
        desk,
        lines=low_voltage_of(areas, desk.seed, imported={name: surveyed[name] for name in asked if name in surveyed}),
        transformers=dict(zip(areas["area_id"], units, strict=True)),
    )


def _data_rules(scenario: Scenario) -> DataRules:
    desk = scenario.desk
    return DataRules(
        unknown_phase_share=desk.unknown_phase_percent / 100.0,
        guess_marks=desk.guess_marks,
        needs_survey=desk.surveyed_lines,
        tells_undecided=desk.undecided == "insufficient_data",
    )
