"""A synthetic meter file of a county's cold wave, from its own load flow, and what a calibration to it needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.checks.assessment import area_power_mw, area_voltage_v, assess, full_course
from gridcheck.county_study import CountyCase, prepare_county
from gridcheck.demand.parameters import BASE
from gridcheck.demand.profiles import ClassCounts
from gridcheck.demand.weather import Weather
from gridcheck.monitoring import TrueCurves, WrittenSample, write_sample_week
from gridcheck.monitoring.readings import LOCAL_UTC_OFFSET
from gridcheck.scenario import Scenario
from gridcheck.study import county_tasks
from gridcheck.study_inputs import county_weather


def sample_week(
    scenario: Scenario,
    county_code: str,
    path: Path,
    *,
    seed: int,
    networks: Path | None = None,
    days: int = 7,
    for_calibration: bool = False,
) -> WrittenSample:
    """Write what the area meters of a county would have delivered in a cold-wave week.

    Parameters
    ----------
    scenario : Scenario
        Weather, demand and seed; the window is widened to `days`.
    county_code : str
        The county.
    path : Path
        CSV file to write.
    seed : int
        Seed of the meters' errors.
    networks : Path, optional
        Folder with one folder per county.
    days : int
        Length. [d]
    for_calibration : bool
        Let areas draw the mean of their homes instead of what is planned for them, and also write the files of
        `calibration_files`: homes of the areas, and the weather.

    Returns
    -------
    WrittenSample
    """
    weather = scenario.weather.model_copy(update={"days": days})
    longer = scenario.model_copy(update={"weather": weather})
    (task,) = county_tasks(longer, county_codes=(county_code,), networks=networks)
    case = prepare_county(task)
    profiles = case.profiles
    if for_calibration:
        # Planned loads hold what few groups of homes exceed; a fit to them would find homes that draw too much.
        profiles = replace(profiles, single=profiles.mean)
    course = full_course(profiles, case.limits)
    shape = (len(course.case), len(case.grid.areas))
    p_kw, q_kvar, voltage_v = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for tree in case.trees:
        own = ClassCounts(rated_kw=case.counts.rated_kw[tree.area], count=case.counts.count[tree.area])
        solved = assess(tree, course, own, case.limits)
        p_mw, q_mvar = area_power_mw(tree, course, own)
        p_kw[:, tree.area], q_kvar[:, tree.area] = 1000.0 * p_mw.T, 1000.0 * q_mvar.T
        voltage_v[:, tree.area] = area_voltage_v(tree, solved).T
    curves = TrueCurves(
        area_ids=tuple(case.grid.areas["area_id"]),
        kva=case.grid.areas["kva"].to_numpy(dtype=float),
        time_utc=case.profiles.time_utc,
        p_kw=p_kw,
        q_kvar=q_kvar,
        voltage_v=voltage_v,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    if for_calibration:
        areas, hours = calibration_files(path)
        _homes(case).to_csv(areas, index=False, lineterminator="\n")
        _hourly(county_weather(longer, task.weather, county_code)).to_csv(hours, index=False, lineterminator="\n")
    return write_sample_week(path, curves, seed=seed)


def calibration_files(path: Path) -> tuple[Path, Path]:
    """Return where homes of the areas and the weather go beside a file of readings.

    Examples
    --------
    >>> [file.name for file in calibration_files(Path("readings.csv"))]
    ['readings-areas.csv', 'readings-weather.csv']
    """
    return path.with_name(f"{path.stem}-areas.csv"), path.with_name(f"{path.stem}-weather.csv")


def _homes(case: CountyCase) -> pd.DataFrame:
    """Return homes lived in and converted homes of every class, as `gridcheck demand calibrate` reads them."""
    column = {name: case.counts.count[:, place] for place, name in enumerate(case.profiles.classes)}
    homes = {"area_id": case.grid.areas["area_id"].to_numpy(), "occupied_households": column[BASE]}
    table = pd.DataFrame(homes | {name: column[name] for name in DEVICE_CLASSES})
    table = table.astype(dict.fromkeys(table.columns[1:], "int64")).assign(synthetic="synthetic")
    return table[table["occupied_households"] > 0]


def _hourly(weather: Weather) -> pd.DataFrame:
    """Return hourly temperatures from the warm-up to the end of the window, by local time."""
    every = round(1.0 / weather.step_h)
    n = len(weather.time_utc) // every * every
    local = weather.time_utc[:n:every] + LOCAL_UTC_OFFSET
    return pd.DataFrame(
        {
            "time": [moment.replace("T", " ") for moment in np.datetime_as_string(local, unit="m")],
            "temperature_c": weather.temperature_c[:n].reshape(-1, every).mean(axis=1).round(2),
            "synthetic": "synthetic",
        }
    )
