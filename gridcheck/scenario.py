"""The assumptions of a study, read from a TOML file; every key is checked, unknown ones are refused."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridcheck.errors import ConfigError, LedgerError
from gridcheck.geography import counties
from gridcheck.limits import DEFAULT_LIMITS, LimitSet, require_plausible, with_overrides

_SHOWN_CHARACTERS = 60


class _Section(BaseModel):
    # Strict: "5" is no number and "off" no truth value, in a file that has signs for both.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StudySection(_Section):
    """Which counties are studied, and the seed of everything synthetic."""

    counties: tuple[str, ...] = Field(
        default=(), strict=False, description="six-digit codes; empty for all counties of the plan"
    )
    seed: int = Field(
        default=2025, ge=0, le=1_000_000_000, description="seed of the synthetic queue and the day-to-day weather"
    )


class WeatherSection(_Section):
    """The weather event."""

    start: date = Field(
        default=date(2026, 1, 20),
        ge=date(2000, 1, 1),
        le=date(2035, 12, 31),
        description="first local day of the study window",
    )
    days: int = Field(default=5, ge=1, le=31, description="length of the study window [d]")
    wave: Literal["none", "W1", "W2", "W3", "W4"] = Field(default="W1", description="cold-wave template")
    file: str = Field(default="", description="EPW or CSV file with the weather; empty for the synthetic winter")


class DemandSection(_Section):
    """What is connected before the queue is decided."""

    method: Literal["simulated", "coincidence", "fixed"] = Field(
        default="simulated",
        description="homes simulated one by one, the table of coincidence factors, or a fixed share of the rating",
    )
    fixed_share: float = Field(
        default=1.0, gt=0, le=2, description="power over rated input of the method 'fixed', at all hours [1]"
    )
    existing: bool = Field(default=True, description="electric heating that stands already")
    key_area: bool = Field(default=True, description="this year's conversions of the key area")
    base_growth_percent: float = Field(default=0.0, ge=-50, le=100, description="growth of the base load [%]")
    devices: str = Field(default="", description="CSV file with heaters of the planner's own; empty for none")
    pv_share: float = Field(default=0.0, ge=0, le=1, description="share of the homes lived in with modules on the roof")
    pv_kwp: float = Field(default=20.0, ge=1, le=50, description="rated power of the modules of such a home [kW]")

    @property
    def pv_kwp_per_home(self) -> float:
        """Rated power on roofs over all homes lived in, those without any included. [kW]"""
        return self.pv_share * self.pv_kwp


class LowVoltageSection(_Section):
    """How the lines between the transformers and the homes are judged."""

    by_draws: bool = Field(
        default=True,
        description="household behaviour drawn on four-wire lines; false estimates the voltage at the end of the lines",
    )
    risk: float = Field(
        default=0.05, ge=0.001, le=0.5, description="accepted probability of a broken limit in the cold wave [1]"
    )
    main_tap_follows: bool = Field(
        default=True,
        description="on-load taps of main transformers keep busbars from rising in hours of light load",
    )


class QueueSection(_Section):
    """The applications."""

    applications: str = Field(
        default="synthetic", min_length=1, description="'synthetic', or the path of an application file (CSV or .xlsx)"
    )
    rule: Literal["first_come", "key_area_first", "hardship_first", "whole_village"] = Field(
        default="first_come",
        description="who is decided first: who came first, the key area, hardship households, or village by village",
    )


class DeskSection(_Section):
    """Where the connection desk gives no answer, and where it answers at once."""

    unknown_phase_percent: float = Field(
        default=50.0,
        ge=0,
        le=100,
        description="share of an area's meters without known phase above which the answer may turn on them [%]",
    )
    guess_marks: tuple[str, ...] = Field(
        default=("C",), strict=False, description="marks of transformer or lines with which a real area gets no answer"
    )
    surveyed_lines: bool = Field(default=False, description="no answer in a real area whose lines are made up")
    undecided: Literal["defer", "insufficient_data"] = Field(
        default="defer", description="what an interval that holds the accepted risk after the last draw means"
    )
    pre_approval_kw: float = Field(
        default=2.0, gt=0, le=10, description="largest air-to-air heat pump that may be approved at once [kW]"
    )


class OutagesSection(_Section):
    """What is assumed when an element is lost."""

    hours_without_supply: float = Field(
        default=1.0,
        ge=0,
        le=12,
        description="from a fault until ties are closed: heaters draw more then",
    )
    winter_ratings: bool = Field(
        default=True, description="lines and main transformers may carry what the cold allows, not the rating alone"
    )


class ReinforcementSection(_Section):
    """The money."""

    budget_yuan: float = Field(default=18_000_000.0, ge=0, le=1e10, description="money of the plan [yuan]")
    fair_share: float = Field(
        default=0.0, ge=0, le=1, description="share of what an even split would bring a county, at least [1]"
    )
    force: tuple[str, ...] = Field(
        default=(), strict=False, description="projects that are built in any case, by their ids"
    )
    forbid: tuple[str, ...] = Field(default=(), strict=False, description="projects that are not built, by their ids")
    robust_draws: int = Field(
        default=20, ge=1, le=200, description="draws of prices, uptake and weather that the plan is held against"
    )


class LimitOverride(_Section):
    """A limit of the user's own."""

    value: float = Field(description="value in the unit of the limit")
    source: str = Field(min_length=3, description="where the value comes from; printed wherever the limit is")


class Scenario(_Section):
    """All assumptions of a study."""

    name: str = Field(default="cold-wave", min_length=1, max_length=60, description="short name of the scenario")
    title_zh: str = Field(default="", description="title on reports, Chinese")
    title_en: str = Field(default="", description="title on reports, English")
    study: StudySection = StudySection()
    weather: WeatherSection = WeatherSection()
    demand: DemandSection = DemandSection()
    low_voltage: LowVoltageSection = LowVoltageSection()
    queue: QueueSection = QueueSection()
    desk: DeskSection = DeskSection()
    outages: OutagesSection = OutagesSection()
    reinforcement: ReinforcementSection = ReinforcementSection()
    limits: dict[str, LimitOverride] = Field(default={}, description="limits of the user's own, by name")

    @property
    def is_drawn(self) -> bool:
        """Whether low-voltage lines are judged by draws: where asked for, and where single homes are simulated."""
        return self.low_voltage.by_draws and self.demand.method == "simulated"

    def limit_set(self) -> LimitSet:
        """Return the limits of the study.

        Raises
        ------
        ConfigError
            If an override names no limit, or its value is not plausible.
        """
        own = with_overrides(DEFAULT_LIMITS, {name: (own.value, own.source) for name, own in self.limits.items()})
        require_plausible(own)
        return own

    def county_codes(self) -> tuple[str, ...]:
        """Return the codes of the counties to study, in code order.

        Raises
        ------
        ConfigError
            If a code is no county of the plan.
        """
        return require_counties(self.study.counties, "study.counties")


def with_budget(scenario: Scenario, budget_yuan: float) -> Scenario:
    """Return the scenario with other money for its plan.

    Raises
    ------
    ConfigError
        If the sum is not allowed.
    """
    try:
        own = ReinforcementSection(**{**scenario.reinforcement.model_dump(), "budget_yuan": budget_yuan})
    except ValidationError as error:
        raise ConfigError(f"--budget: {error.errors()[0]['msg']}. Got {budget_yuan}.") from error
    return scenario.model_copy(update={"reinforcement": own})


def require_counties(codes: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Check county codes; none given means all counties of the plan.

    Raises
    ------
    ConfigError
        Naming the code, and all codes that are allowed.
    """
    table = counties()
    table = table[table["in_plan"]]
    known = dict(zip(table["county_code"], table["county"], strict=True))
    unknown = [code for code in codes if code not in known]
    if unknown:
        allowed = ", ".join(f"{code} {name}" for code, name in sorted(known.items()))
        raise ConfigError(f"{where}: unknown county {', '.join(unknown)}. Allowed: {allowed}.")
    return tuple(sorted(set(codes) or known))


def read_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Parameters
    ----------
    path : Path
        TOML file.

    Returns
    -------
    Scenario

    Raises
    ------
    ConfigError
        If the file cannot be read, a key or value is not allowed, or a key would have no effect beside the others:
        names file, key, value and what is allowed.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"The scenario file {path} cannot be read: {error.strerror}.") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is not readable TOML: its values are nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not readable TOML: it is not UTF-8. Save it in the editor as UTF-8.") from error
    except ValueError as error:  # no TOML, or a number of thousands of digits
        raise ConfigError(f"{path} is not readable TOML: {error}.") from error
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path} is not a valid scenario.", [_finding(item) for item in error.errors()]) from error
    try:
        scenario.limit_set()
        scenario.county_codes()
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", error.findings) from error
    ignored = _ignored(scenario)
    if ignored:
        raise ConfigError(f"{path} sets keys that would have no effect.", ignored)
    return _with_files(scenario, path)


def _ignored(scenario: Scenario) -> list[str]:
    """Return the keys that another key keeps from having any effect, with what to do.

    One at its default is let pass, so that a scenario may write every key out.
    """
    demand, outages, default = scenario.demand, scenario.outages, Scenario()
    low_voltage, by_draws = scenario.low_voltage, scenario.is_drawn
    idle = {
        f"demand.fixed_share = {demand.fixed_share:g}": (
            demand.method != "fixed" and demand.fixed_share != default.demand.fixed_share,
            f'the method is "{demand.method}"; write demand.method = "fixed", or leave demand.fixed_share out',
        ),
        f"demand.pv_kwp = {demand.pv_kwp:g}": (
            demand.pv_share == 0.0 and demand.pv_kwp != default.demand.pv_kwp,
            "no home has modules; give demand.pv_share, or leave demand.pv_kwp out",
        ),
        f"low_voltage.risk = {low_voltage.risk:g}": (
            not by_draws and low_voltage.risk != default.low_voltage.risk,
            'nothing is drawn; write low_voltage.by_draws = true with demand.method = "simulated", or leave '
            "low_voltage.risk out",
        ),
        f"low_voltage.main_tap_follows = {str(low_voltage.main_tap_follows).lower()}": (
            not by_draws and not low_voltage.main_tap_follows,
            'nothing is drawn; write low_voltage.by_draws = true with demand.method = "simulated", or leave '
            "low_voltage.main_tap_follows out",
        ),
        # Zero hours are what the method takes anyway.
        f"outages.hours_without_supply = {outages.hours_without_supply:g}": (
            demand.method == "fixed"
            and outages.hours_without_supply not in (0.0, default.outages.hours_without_supply),
            'a fixed share knows no load after an outage; write another demand.method than "fixed", or leave '
            "outages.hours_without_supply out",
        ),
    }
    return [f"{key}: {what}" for key, (is_idle, what) in idle.items() if is_idle]


def files_of(scenario: Scenario) -> dict[str, Path]:
    """Return the files that a scenario names, by its keys."""
    queue = scenario.queue.applications
    named = {
        "weather.file": scenario.weather.file,
        "demand.devices": scenario.demand.devices,
        "queue.applications": "" if queue == "synthetic" else queue,
    }
    return {key: Path(name) for key, name in named.items() if name}


def _with_files(scenario: Scenario, path: Path) -> Scenario:
    """Return the scenario with the paths of its files as seen from the working directory.

    A file is looked for in the folder of the scenario, then in the working directory.
    """
    findings: list[str] = []
    update: dict[str, Any] = {}
    for key, file in files_of(scenario).items():
        beside = path.parent / file
        found = beside if beside.is_file() else file
        if not found.is_file() and key != "queue.applications":  # whose reader says it
            findings.append(f"{key} = {file.as_posix()!r}: no such file, neither {beside} nor {Path.cwd() / file}")
        section, name = key.split(".")
        held = update.get(section, getattr(scenario, section))
        update[section] = held.model_copy(update={name: found.as_posix()})
    if findings:
        raise ConfigError(f"{path} names files that are not there.", findings)
    return scenario.model_copy(update=update)


def scenario_of_run(summary: Mapping[str, Any], where: str) -> Scenario:
    """Return the scenario that a run has written into its summary.

    Raises
    ------
    LedgerError
        If the summary holds none, or one that this version does not know.
    """
    try:
        # As JSON, in which dates are texts and tuples are lists.
        return Scenario.model_validate_json(json.dumps(summary.get("scenario")))
    except ValidationError as error:
        findings = "; ".join(_finding(item) for item in error.errors())
        raise LedgerError(
            f"{where} was not written by this version: its scenario cannot be read ({findings}). "
            "Run `gridcheck run` again."
        ) from error


def _finding(item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        allowed = _keys_at(item["loc"][:-1])
        near = difflib.get_close_matches(str(item["loc"][-1]), allowed, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        return f"{place}: unknown key{hint} Allowed: {', '.join(allowed)}."
    if item["type"] == "missing":
        # Only the keys of a limit have no default.
        meaning = LimitOverride.model_fields[str(item["loc"][-1])].description
        return f'{place}: missing; {meaning}. Write for example value = 90, source = "order of the county company".'
    shown = repr(item["input"])
    shown = shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}…"
    return f"{place} = {shown}: {item['msg'][0].lower()}{item['msg'][1:]}"


def _keys_at(path: tuple[Any, ...]) -> list[str]:
    model: Any = Scenario
    for part in path:
        if part == "limits":
            return list(LimitOverride.model_fields)
        model = model.model_fields[part].annotation
    return list(model.model_fields)
