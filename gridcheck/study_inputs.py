"""The files that a scenario names: read once before anything runs, and known again by their checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from gridcheck.catalogue import DeviceCatalogue, read_devices
from gridcheck.connection.applications import Application
from gridcheck.connection.intake import ApplicationFile, Intake, known_places, read_application_file, sort_rows
from gridcheck.connection.queue_rules import in_order
from gridcheck.demand.parameters import DemandParameters, default_parameters
from gridcheck.demand.seasonal import device_flags
from gridcheck.demand.weather import (
    WARM_UP_DAYS,
    Weather,
    WeatherReading,
    at_height,
    overlay_wave,
    read_weather,
    scenario_weather,
)
from gridcheck.demand.weather.synthetic import coldest_day
from gridcheck.errors import InputError, LedgerError
from gridcheck.geography import county_elevation
from gridcheck.network.county_tables import AREAS, read_table
from gridcheck.scenario import Scenario, files_of

# The legal heating season, over which the running subsidy is counted and seasonal COP holds.
_SEASON_START = date(2025, 11, 15)
_SEASON_DAYS = 121
# Weather stands for a county; which one is said when it is used there.
_NO_COUNTY = ""
# Less is nothing that anybody would notice in the load. [K]
_WARMER_K = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyInputs:
    """What the files of a scenario hold.

    Attributes
    ----------
    applications : ApplicationFile or None
        The application file as it is; None for the synthetic queue.
    applications_source : str
        What messages call it.
    weather : WeatherReading or None
        Weather of a file; None for the synthetic winter.
    devices : DeviceCatalogue or None
        Heaters of the planner's own.
    sha256 : mapping of str to str
        Checksums of the files, by name.
    """

    applications: ApplicationFile | None = None
    applications_source: str = "synthetic queue"
    weather: WeatherReading | None = None
    devices: DeviceCatalogue | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)


def read_inputs(scenario: Scenario) -> StudyInputs:
    """Read every file that a scenario names.

    Raises
    ------
    InputError
        If one cannot be read or used: names the file, the place in it and what to do.
    """
    files = files_of(scenario)
    applications = files.get("queue.applications")
    devices = read_devices(files["demand.devices"]) if "demand.devices" in files else None
    if devices is not None:
        default_parameters().with_models(devices)
    return StudyInputs(
        applications=None if applications is None else read_application_file(applications),
        applications_source="synthetic queue" if applications is None else str(applications),
        weather=_weather_of_file(scenario) if "weather.file" in files else None,
        devices=devices,
        sha256=_checksums(scenario),
    )


def today_here() -> date:
    """Return the day it is in China: the day from which dates of applications are in the future."""
    return datetime.now(ZoneInfo("Asia/Shanghai")).date()


def sorted_applications(
    inputs: StudyInputs, folders: Sequence[Path], *, today: date, done: Collection[str] = ()
) -> Intake | None:
    """Sort the applications of a study into those that it decides and those that come back.

    Parameters
    ----------
    inputs : StudyInputs
        From `read_inputs`.
    folders : sequence of Path
        Grids of the counties that are studied.
    today : date
        Day from which dates are in the future.
    done : collection of str
        Ids of applications that are approved or connected already: they come back.

    Returns
    -------
    Intake or None
        None for the synthetic queue.

    Raises
    ------
    InputError
        If no application can be studied, or a table of areas is faulty.
    """
    if inputs.applications is None:
        return None
    areas = pd.concat([read_table(folder / "areas.csv", AREAS) for folder in folders], ignore_index=True)
    intake = sort_rows(inputs.applications, known_places(areas), today=today, done=done, devices=inputs.devices)
    intake.require_some()
    return intake


def applications_statement(intake: Intake | None, today: date) -> dict[str, Any]:
    """Return what a summary says about the application file: rows, those rejected by reason, the order of the queue."""
    if intake is None:
        return {"application_file": "", "rejected": 0}
    return {
        "application_file": intake.file.path.as_posix(),
        "rows": len(intake.file.rows),
        "rejected": len(intake.row),
        "rejected_by_reason": intake.counts,
        "order": intake.order,
        "judged_on": today.isoformat(),
    }


def _weather_of_file(scenario: Scenario) -> WeatherReading:
    path, window = files_of(scenario)["weather.file"], scenario.weather
    reading = read_weather(path, county_code=_NO_COUNTY, start=window.start, days=window.days)
    first = window.start - timedelta(days=WARM_UP_DAYS)
    if reading.weather.study.start * reading.weather.step_h < 24 * WARM_UP_DAYS:
        last = window.start + timedelta(days=window.days - 1)
        raise InputError(
            f"{path} holds {reading.first_day} to {reading.last_day}. Wanted are the {window.days} days of the study "
            f"from {window.start} (weather.start) and the {WARM_UP_DAYS} days before them, in which walls take on "
            f"their temperature: {first} to {last}. Move weather.start, or take a longer file."
        )
    if scenario.demand.pv_kwp_per_home > 0.0 and not reading.weather.solar_w_per_m2.any():
        raise InputError(
            f"{path} holds no irradiance from {first} on, but demand.pv_share = {scenario.demand.pv_share:g} asks what "
            "roofs feed in. Take a file with irradiance, or set demand.pv_share = 0."
        )
    if reading.height_m is not None:
        try:
            at_height(reading.weather, from_height_m=reading.height_m, to_height_m=reading.height_m)
        except InputError as error:
            raise InputError(f"{path}, height in line 1: {error.message}") from error
    return reading


def _checksums(scenario: Scenario) -> dict[str, str]:
    """Return the SHA-256 of each file by its name; by its whole path where two have the same name."""
    files = list(files_of(scenario).values())
    names = [file.name for file in files]
    result = {}
    for file in files:
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise InputError(f"{file} cannot be read: {error.strerror}.") from error
        result[file.name if names.count(file.name) == 1 else file.as_posix()] = digest
    return result


def require_unchanged(scenario: Scenario, written: Mapping[str, Any], where: str) -> None:
    """Refuse to go on with files that are not those of an earlier run.

    Parameters
    ----------
    scenario : Scenario
        Scenario of that run.
    written : mapping of str to str
        Checksums that the run has written down, by name.
    where : str
        What messages call the run.

    Raises
    ------
    LedgerError
        If a file is gone or has changed since.
    """
    for key, file in files_of(scenario).items():
        if not file.is_file():
            raise LedgerError(
                f"{key} = {file.as_posix()!r}: the file is gone since {where} was written, or gridcheck was started in "
                "another folder. Put it back, or run `gridcheck run` again."
            )
    changed = [name for name, digest in _checksums(scenario).items() if written.get(name) != digest]
    if changed:
        raise LedgerError(f"{', '.join(changed)} has changed since {where} was written. Run `gridcheck run` again.")


def county_weather(scenario: Scenario, reading: WeatherReading | None, county_code: str) -> Weather:
    """Return the weather of a county in the study window.

    Parameters
    ----------
    scenario : Scenario
        Window, cold wave and seed.
    reading : WeatherReading or None
        Weather of a file; the synthetic winter is drawn where there is none.
    county_code : str
        The county.

    Returns
    -------
    Weather
        That of a file is first moved from the height of its station, where known, to that of the county's seat; then
        the wave is laid over it, which is a wave of the seat.
    """
    window = scenario.weather
    if reading is None:
        return scenario_weather(
            county_code, start=window.start, days=window.days, wave=window.wave, seed=scenario.study.seed
        )
    weather = replace(reading.weather, county_code=county_code)
    if reading.height_m is not None:
        seat_m = county_elevation().set_index("county_code")["seat_elev_dem"]
        weather = at_height(weather, from_height_m=reading.height_m, to_height_m=float(seat_m[county_code]))
    if window.wave == "none":
        return weather
    return overlay_wave(weather, window.wave, window.start + timedelta(days=coldest_day(window.days)))


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmerWithWave:
    """What a cold wave makes of a file that is colder than it, over the study window of one county.

    Attributes
    ----------
    county_code : str
        The county.
    lowest_file_c, lowest_c : float
        Lowest temperature of the file, and with the wave laid over it. [degC]
    mean_file_c, mean_c : float
        Mean over the window, likewise. [degC]
    """

    county_code: str
    lowest_file_c: float
    lowest_c: float
    mean_file_c: float
    mean_c: float


def warmer_with_wave(
    scenario: Scenario, reading: WeatherReading | None, county_codes: Sequence[str]
) -> tuple[WarmerWithWave, ...]:
    """Return the counties in which the wave leaves the weather of a file warmer than it was, by its lowest or its mean.

    Parameters
    ----------
    scenario : Scenario
        Window and cold wave.
    reading : WeatherReading or None
        Weather of a file; over the synthetic winter no wave is a surprise.
    county_codes : sequence of str
        The counties.
    """
    if reading is None or scenario.weather.wave == "none":
        return ()
    bare = scenario.model_copy(update={"weather": scenario.weather.model_copy(update={"wave": "none"})})
    result = []
    for code in county_codes:
        file_c, laid_c = (
            weather.temperature_c[weather.study]
            for weather in (county_weather(one, reading, code) for one in (bare, scenario))
        )
        if max(laid_c.min() - file_c.min(), laid_c.mean() - file_c.mean()) > _WARMER_K:
            result.append(
                WarmerWithWave(
                    county_code=code,
                    lowest_file_c=float(file_c.min()),
                    lowest_c=float(laid_c.min()),
                    mean_file_c=float(file_c.mean()),
                    mean_c=float(laid_c.mean()),
                )
            )
    return tuple(result)


def season_weather(county_code: str, seed: int) -> Weather:
    """Draw the heating season of a county, without a cold wave: what money and seasonal COP are counted over."""
    return scenario_weather(county_code, start=_SEASON_START, days=_SEASON_DAYS, wave="none", seed=seed)


def discouraged_models(devices: DeviceCatalogue | None, county_code: str, seed: int) -> dict[str, bool]:
    """Return for each model whether it is one of high power and low efficiency in the season of a county."""
    if devices is None:
        return {}
    flags = device_flags(devices, season_weather(county_code, seed))
    return {flag.model: flag.is_discouraged for flag in flags}


def demand_parameters(devices: DeviceCatalogue | None, applications: tuple[Application, ...]) -> DemandParameters:
    """Return the parameters of demand, with those models of the planner's own for which somebody asks."""
    parameters = default_parameters()
    if devices is None:
        return parameters
    asked = {application.device for application in applications}
    models = tuple(device for device in devices if device.model in asked)
    return parameters.with_models(DeviceCatalogue(origin=devices.origin, devices=models))


def weather_statement(
    scenario: Scenario, reading: WeatherReading | None, county_codes: Sequence[str]
) -> dict[str, Any]:
    """Return what a summary says about the weather: where it is from, what was recognised in a file and repaired."""
    window = scenario.weather
    if reading is None:
        return {"file": "", "synthetic": True}
    if reading.height_m is None:
        moved = "the file does not say its height: every county has its temperatures as they are"
    else:
        moved = (
            f"temperatures are moved from {reading.height_m:g} m to the height of each county's seat, colder above and "
            "not warmer below"
        )
    laid = [f"the cold wave {window.wave} is laid over the file and replaces it in its hours: synthetic"]
    warmer = warmer_with_wave(scenario, reading, county_codes)
    return {
        "file": window.file,
        "synthetic": window.wave != "none",
        "first_day": reading.first_day.isoformat(),
        "last_day": reading.last_day.isoformat(),
        "read_as": [*reading.notes, moved, *(laid if window.wave != "none" else [])],
        "repairs": list(reading.repairs),
        **({"warmer_with_wave": _warmer_statement(warmer)} if warmer else {}),
    }


def _warmer_statement(warmer: Sequence[WarmerWithWave]) -> dict[str, Any]:
    """Return the counties, and the values of the one whose lowest temperature rises most."""
    worst = max(warmer, key=lambda one: one.lowest_c - one.lowest_file_c)
    values = {name: round(value, 2) for name, value in asdict(worst).items() if name != "county_code"}
    return {"counties": [one.county_code for one in warmer], "worst_county": worst.county_code, **values}


def queue_order(
    applications: tuple[Application, ...], scenario: Scenario, areas: pd.DataFrame
) -> tuple[Application, ...]:
    """Put the applications of a county in the order that the scenario asks for; `areas` is its table of areas."""
    key_areas = areas["area_id"][areas["key_area"].astype(bool)]
    return in_order(applications, scenario.queue.rule, key_areas=frozenset(key_areas))
