"""The command line: one command per planner's task. Parses, calls one function, prints, sets the exit code."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from gridcheck import __version__
from gridcheck.cli_applications import applications_app
from gridcheck.cli_ledger import ledger_app
from gridcheck.cli_options import SCENARIO, Counties, Json, NetworksFolder, ResultsFolder, StoreFolder
from gridcheck.cli_plan import plan, sheets
from gridcheck.parallel import one_thread_for_matrices
from gridcheck.terminal import EXIT_FINE, EXIT_INCOMPLETE, EXIT_VIOLATIONS, friendly_errors

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="gridcheck: can this household connect, what stands in the way, where should the money go first?",
)
networks_app = typer.Typer(no_args_is_help=True, help="County grids: build the synthetic ones, validate any.")
app.add_typer(networks_app, name="networks")
demand_app = typer.Typer(no_args_is_help=True, help="The demand model against measurements.")
app.add_typer(demand_app, name="demand")

app.add_typer(applications_app)
app.add_typer(ledger_app)
app.command()(plan)
app.command()(sheets)


def _version(show: bool) -> None:
    # Called while options are read, so that no command needs to be named.
    if show:
        typer.echo(f"gridcheck {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="print the version", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Answer connection questions of distribution planners, for real feeders and real cold waves."""
    del version  # its callback has printed it
    one_thread_for_matrices()


@app.command()
def run(
    scenario: Annotated[Path | None, typer.Argument(help="scenario file (TOML)")] = None,
    county: Counties = None,
    out: Annotated[Path, typer.Option("--out", help="results folder")] = Path("out"),
    networks: NetworksFolder = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="processes; one per processor by default")
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="YUAN", help="money of the plan; the scenario's by default")
    ] = None,
    language: Annotated[
        Literal["zh", "en"], typer.Option("--language", help="language of report.xlsx, and in which report.html opens")
    ] = "zh",
    json: Json = False,
) -> None:
    """Run the whole walk: demand, load flow, N-1, verdicts, plan; write the results folder."""
    with friendly_errors():
        from gridcheck import commands

        result = commands.run(
            scenario or commands.scenario_path(SCENARIO),
            tuple(county or ()),
            out,
            networks,
            workers,
            budget_yuan=budget,
            language=language,
        )
        commands.show_run(result, out, as_json=json)
    if not result.is_whole:
        raise typer.Exit(EXIT_INCOMPLETE)
    raise typer.Exit(EXIT_VIOLATIONS if result.has_violations else EXIT_FINE)


@app.command()
def explain(
    identifier: Annotated[str, typer.Argument(help="application id, or outage id of n_minus_1.csv")],
    results: ResultsFolder = Path("out"),
    out: Annotated[
        Path | None, typer.Option("--out", help="where to write; <results>/evidence/<ID> by default")
    ] = None,
    networks: NetworksFolder = None,
    json: Json = False,
) -> None:
    """Write the evidence of one verdict or outage as a pandapower case that shows the same value."""
    with friendly_errors():
        from gridcheck import commands

        statement, folder = commands.explain(identifier, results, out, networks)
        commands.show_statement(statement, folder, as_json=json)


@networks_app.command("build")
def networks_build(
    out: Annotated[Path, typer.Option("--out", help="where the county folders go")] = Path("networks"),
    county: Counties = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="seed; the committed grids' own by default")] = None,
) -> None:
    """Generate the synthetic county grids from public facts; the same seed gives the same bytes."""
    with friendly_errors():
        from gridcheck import commands_networks

        commands_networks.build_networks(out, tuple(county or ()), seed)


@networks_app.command("validate")
def networks_validate(
    folder: Annotated[Path, typer.Argument(help="a county folder, or a pandapower JSON file")], json: Json = False
) -> None:
    """Check a network: readable, complete, radial as switched, every bus supplied."""
    with friendly_errors():
        from gridcheck import commands_networks

        commands_networks.validate_network(folder, as_json=json)


@app.command()
def powerflow(
    network: Annotated[Path, typer.Argument(help="pandapower JSON file")],
    vm_min_pu: Annotated[float, typer.Option(help="lowest voltage allowed [pu]")] = 0.93,
    max_loading_percent: Annotated[float, typer.Option(help="highest loading allowed [%]")] = 100.0,
    json: Json = False,
) -> None:
    """Solve one network file with its own loads."""
    with friendly_errors():
        from gridcheck import commands_networks

        converged, violations = commands_networks.solve_network(network, vm_min_pu, max_loading_percent, as_json=json)
    raise typer.Exit(EXIT_INCOMPLETE if not converged else EXIT_VIOLATIONS if violations else EXIT_FINE)


@app.command("n-1")
def n_minus_1(
    network: Annotated[Path, typer.Argument(help="pandapower JSON file")],
    out: Annotated[Path | None, typer.Option("--out", help="folder for n_minus_1.csv and switching_sheets.csv")] = None,
    vm_min_pu: Annotated[float, typer.Option(help="lowest voltage allowed after an outage [pu]")] = 0.93,
    max_loading_percent: Annotated[float, typer.Option(help="highest loading allowed after an outage [%]")] = 100.0,
    write_networks: Annotated[
        bool, typer.Option("--write-networks", help="also the restored network of each outage, as pandapower JSON")
    ] = False,
    json: Json = False,
) -> None:
    """Lose each line and transformer of one network file in turn, restore through ties, report what stays dark."""
    with friendly_errors():
        from gridcheck import commands_networks

        insecure = commands_networks.lose_each_element(
            network, out, vm_min_pu, max_loading_percent, write_networks=write_networks, as_json=json
        )
    raise typer.Exit(EXIT_VIOLATIONS if insecure else EXIT_FINE)


@app.command()
def ingest(
    file: Annotated[Path, typer.Argument(help="96-point readings: CSV or Excel, wide or long")],
    store: StoreFolder = Path("readings"),
    time_label: Annotated[str, typer.Option(help="what times mark: auto, start or end of the interval")] = "auto",
    networks: NetworksFolder = None,
    json: Json = False,
) -> None:
    """Take meter readings of areas into the readings store; bad rows come back in a file with the reason."""
    with friendly_errors():
        from gridcheck import commands_readings

        whole = commands_readings.ingest(file, store, time_label, networks, as_json=json)
    raise typer.Exit(EXIT_FINE if whole else EXIT_INCOMPLETE)


@app.command()
def alarms(
    day: Annotated[datetime, typer.Option("--day", formats=["%Y-%m-%d"], help="local day, such as 2026-01-23")],
    store: StoreFolder = Path("readings"),
    county: Counties = None,
    networks: NetworksFolder = None,
    json: Json = False,
) -> None:
    """List heavy, overloaded and low-voltage areas of a day, with hours."""
    with friendly_errors():
        from gridcheck import commands_readings

        found = commands_readings.alarms(day.date(), store, tuple(county or ()), networks, as_json=json)
    raise typer.Exit(EXIT_VIOLATIONS if found else EXIT_FINE)


@demand_app.command("calibrate")
def demand_calibrate(
    areas: Annotated[
        Path,
        typer.Argument(
            help="CSV: area_id, occupied_households, and converted homes in one column per class of heater (see README)"
        ),
    ],
    weather: Annotated[Path, typer.Option("--weather", help="weather of these days: CSV or EPW, as for weather.file")],
    store: StoreFolder = Path("readings"),
    draws: Annotated[int, typer.Option("--draws", min=20, help="resamplings for the intervals")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="seed of the resampling")] = 1,
    json: Json = False,
) -> None:
    """Estimate base load and heating per home from readings of areas; say what they can tell and what not."""
    with friendly_errors():
        from gridcheck import commands_readings

        commands_readings.calibrate(areas, weather, store, draws, seed, as_json=json)


@demand_app.command("validate")
def demand_validate(
    seed: Annotated[int, typer.Option("--seed", min=0, help="seed of homes and weather")] = 2025,
    homes: Annotated[int, typer.Option("--homes", min=200, help="homes of each class")] = 1500,
    json: Json = False,
) -> None:
    """Hold the simulated homes against ten targets from laboratories, field studies and statistics."""
    with friendly_errors():
        from gridcheck import commands_demand

        enough = commands_demand.validate(seed, homes, as_json=json)
    raise typer.Exit(EXIT_FINE if enough else EXIT_VIOLATIONS)


@demand_app.command("coincidence")
def demand_coincidence(
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write; on the screen where not given")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="seed of the homes")] = 2025,
    homes: Annotated[int, typer.Option("--homes", min=300, help="homes of each class")] = 3000,
    json: Json = False,
) -> None:
    """Fit coincidence factors for use on paper: by class of heater, number of homes and temperature."""
    with friendly_errors():
        from gridcheck import commands_demand

        commands_demand.coincidence(out, seed, homes, as_json=json)


@app.command("sample-readings")
def sample_readings(
    out: Annotated[Path, typer.Argument(help="CSV file to write")] = Path("readings-sample.csv"),
    county: Annotated[str, typer.Option("--county", help="six-digit county code")] = "140827",
    scenario: Annotated[Path | None, typer.Option("--scenario", help="scenario file (TOML)")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="seed of the meters")] = 1,
    networks: NetworksFolder = None,
    days: Annotated[
        int,
        typer.Option(
            "--days", min=1, max=31, help="days of readings; a calibration needs 10 of every area, so take 14"
        ),
    ] = 7,
    calibration: Annotated[
        bool,
        typer.Option("--calibration", help="also FILE-areas.csv and FILE-weather.csv for `gridcheck demand calibrate`"),
    ] = False,
) -> None:
    """Write a synthetic meter file of one county in a cold wave, a week or longer, as a meter system delivers it."""
    with friendly_errors():
        from gridcheck import commands, commands_readings

        path = scenario or commands.scenario_path(SCENARIO)
        commands_readings.sample_readings(out, county, path, seed, networks, days=days, for_calibration=calibration)


@app.command()
def serve(
    results: ResultsFolder = Path("out"),
    store: StoreFolder = Path("readings"),
    decisions: Annotated[Path, typer.Option("--decisions", help="folder that `gridcheck decide` wrote")] = Path(
        "decisions"
    ),
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="port to listen on")] = 8050,
) -> None:
    """Show the results in a browser."""
    with friendly_errors():
        from gridcheck import commands

        commands.serve(results, store, decisions, host, port)


if __name__ == "__main__":
    app(prog_name="gridcheck")
