"""Commands about the ledger: made, looked at, taken on step by step, its journal, the money of a season."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gridcheck.cli_options import LEDGER, Counties, Database, Json
from gridcheck.terminal import EXIT_FINE, EXIT_VIOLATIONS, friendly_errors

ledger_app = typer.Typer()


@ledger_app.command()
def init(
    database: Database = LEDGER,
    who: Annotated[str, typer.Option("--who", help="whom the journal names")] = "gridcheck init",
    json: Json = False,
) -> None:
    """Make the ledger of applications and promises, or bring an older one to the shape of this version."""
    with friendly_errors():
        from gridcheck import commands_ledger

        commands_ledger.init(database, who, as_json=json)


@ledger_app.command()
def journal(
    database: Database = LEDGER,
    application: Annotated[str | None, typer.Option("--application", help="only what was done with this one")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="walk the chain and name the first line that fails")] = False,
    head: Annotated[
        str | None, typer.Option("--head", metavar="LINE:HASH", help="an end noted down earlier, to verify against")
    ] = None,
    last: Annotated[int, typer.Option("--last", min=1, help="how many lines to show")] = 50,
    json: Json = False,
) -> None:
    """Show who decided what, when and why; or verify that nothing of it was changed since."""
    with friendly_errors():
        from gridcheck import commands_ledger

        whole = commands_ledger.show_journal(database, application, head, last, verify=verify, as_json=json)
    raise typer.Exit(EXIT_FINE if whole else EXIT_VIOLATIONS)


@ledger_app.command()
def applications(
    database: Database = LEDGER,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="where they stand, such as approved or deferred; may be given several times"),
    ] = None,
    county: Counties = None,
    area: Annotated[str | None, typer.Option("--area", metavar="AREA_ID", help="only those of an area (台区)")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write, all columns")] = None,
    json: Json = False,
) -> None:
    """List the applications of the ledger: where they stand, what is granted and held, what was done last."""
    with friendly_errors():
        from gridcheck import commands_application

        commands_application.list_applications(
            database, tuple(state or ()), tuple(county or ()), area, out=out, as_json=json
        )


@ledger_app.command()
def application(
    identifier: Annotated[str, typer.Argument(help="application id")],
    database: Database = LEDGER,
    approve: Annotated[
        bool, typer.Option("--approve", help="approve it on its last answer, if its power is free by now")
    ] = False,
    defer: Annotated[bool, typer.Option("--defer", help="put it off until it is assessed again")] = False,
    no_data: Annotated[bool, typer.Option("--no-data", help="say that the data allow no answer")] = False,
    renew: Annotated[
        int | None, typer.Option("--renew", min=1, metavar="DAYS", help="let its promise hold so many days from now on")
    ] = None,
    lapse: Annotated[bool, typer.Option("--lapse", help="give back a promise that has expired")] = False,
    build: Annotated[bool, typer.Option("--build", help="record that the heater is connected")] = False,
    accept: Annotated[
        Path | None, typer.Option("--accept", metavar="CHECKLIST", help="record an inspection: checklist (CSV)")
    ] = None,
    entitle: Annotated[
        str, typer.Option("--entitle", metavar="SEASON", help="entitle to tariff and subsidy from a season on: 2025-26")
    ] = "",
    household: Annotated[
        str, typer.Option("--household", metavar="ACCOUNT", help="account number (户号): a household is entitled once")
    ] = "",
    tariff: Annotated[
        Literal["no_steps", "peak_valley"], typer.Option("--tariff", help="price that the household has chosen")
    ] = "no_steps",
    district_heating: Annotated[
        bool | None,
        typer.Option("--district/--no-district", help="whether the home is on district heating"),
    ] = None,
    allowance: Annotated[
        bool | None,
        typer.Option("--allowance/--no-allowance", help="whether its head gets a public-service heating allowance"),
    ] = None,
    end_subsidy: Annotated[
        str, typer.Option("--end-subsidy", metavar="SEASON", help="the last season with running subsidy")
    ] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="take it back; its promise is given back")] = False,
    blank_checklist: Annotated[
        Path | None,
        typer.Option(
            "--blank-checklist", metavar="CSV", help="write the checklist of what is approved, to be filled in"
        ),
    ] = None,
    who: Annotated[str, typer.Option("--who", help="who decides this; needed for a step")] = "",
    reason: Annotated[str, typer.Option("--reason", help="why; needed for a step")] = "",
    json: Json = False,
) -> None:
    """Show where an application of the ledger stands and what was answered, or take it one step on, up to a subsidy."""
    wishes = {
        "approve": approve, "defer": defer, "no-data": no_data, "renew": renew, "lapse": lapse,
        "build": build, "accept": accept, "entitle": entitle, "end-subsidy": end_subsidy, "withdraw": withdraw,
    }  # fmt: skip
    steps = [name for name, asked in wishes.items() if asked]
    if len(steps) > 1:
        raise typer.BadParameter(f"one step at a time, not {' and '.join(steps)}")
    with friendly_errors():
        from gridcheck import commands_application, commands_season

        if blank_checklist is not None:
            commands_application.write_blank_checklist(database, identifier, blank_checklist)
        by = who, reason
        if entitle:
            asked = (household, tariff, district_heating, allowance)
            commands_season.entitle(database, identifier, entitle, asked, by)
        elif end_subsidy:
            commands_season.end_subsidy(database, identifier, end_subsidy, by)
        else:
            commands_application.take_step(database, identifier, steps[0] if steps else None, accept or renew, by)
        fine = commands_application.show_application(database, identifier, as_json=json)
    raise typer.Exit(EXIT_FINE if fine else EXIT_VIOLATIONS)


@ledger_app.command()
def season(
    database: Database = LEDGER,
    season: Annotated[str, typer.Option("--season", help="heating season, as its two years")] = "2025-26",
    county: Counties = None,
    readings: Annotated[
        Path | None,
        typer.Option("--readings", metavar="CSV", help="metered heating energy to record: application_id,kwh"),
    ] = None,
    budgets: Annotated[
        Path | None,
        typer.Option("--budgets", metavar="CSV", help="money of counties: county_code,budget_yuan,source"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="folder of tables and workbook to write")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="seed of the energy that is expected")] = 2025,
    language: Annotated[Literal["zh", "en"], typer.Option("--language", help="language of the workbook")] = "zh",
    who: Annotated[str, typer.Option("--who", help="who records the readings")] = "",
    reason: Annotated[str, typer.Option("--reason", help="what the journal says of them")] = "meter readings",
    json: Json = False,
) -> None:
    """Add up the running subsidy of a heating season by county: metered, expected, hardship, and what is left."""
    with friendly_errors():
        from gridcheck import commands_season

        if readings is not None:
            commands_season.record_readings(database, season, readings, (who, reason))
        files = {"readings": readings, "budgets": budgets}
        codes = tuple(county or ())
        found = commands_season.season_money(
            database, season, files, county_codes=codes, seed=seed, out=out, language=language
        )
        commands_season.show_season(found, codes, out, as_json=json)


Plan = Annotated[str, typer.Option("--plan", metavar="NAME", help="the plan that the projects belong to")]
Who = Annotated[str, typer.Option("--who", help="who decides this; needed for a step")]
Reason = Annotated[str, typer.Option("--reason", help="why; needed for a step")]


@ledger_app.command()
def projects(
    database: Database = LEDGER,
    plan: Plan = "2025",
    propose: Annotated[
        Path | None, typer.Option("--propose", metavar="RUN", help="take in the chosen projects of a run's folder")
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="proposed, reviewed, funded, built or rejected; may be given several times"),
    ] = None,
    county: Counties = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write, all columns")] = None,
    who: Who = "",
    reason: Reason = "",
    json: Json = False,
) -> None:
    """List the projects of a plan with its money, or propose those of a run."""
    with friendly_errors():
        from gridcheck import commands_projects

        if propose is not None:
            commands_projects.propose(database, propose, plan, (who, reason), as_json=json)
        else:
            commands_projects.list_projects(
                database, plan, tuple(state or ()), tuple(county or ()), out=out, as_json=json
            )


@ledger_app.command()
def project(
    identifier: Annotated[str, typer.Argument(help="project id")],
    database: Database = LEDGER,
    plan: Plan = "2025",
    review: Annotated[bool, typer.Option("--review", help="it was looked at and stands")] = False,
    fund: Annotated[bool, typer.Option("--fund", help="bind its cost, if the plan has so much left")] = False,
    build: Annotated[
        float | None, typer.Option("--build", metavar="YUAN", help="it is built, and what it has cost")
    ] = None,
    reject: Annotated[
        bool, typer.Option("--reject", help="it is not built; what is bound for it is free again")
    ] = False,
    who: Who = "",
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Show where a project of a plan stands, or take it one step on: reviewed, funded, built, rejected."""
    chosen = [name for name, wish in (("review", review), ("fund", fund), ("build", build is not None),
                                      ("reject", reject)) if wish]  # fmt: skip
    with friendly_errors():
        from gridcheck import commands_projects
        from gridcheck.errors import InputError

        if len(chosen) > 1:
            raise InputError(f"One step at a time: {', '.join(f'--{name}' for name in chosen)} were given together.")
        if chosen:
            commands_projects.move(database, (plan, identifier), chosen[0], build, (who, reason))
        commands_projects.show_project(database, (plan, identifier), as_json=json)
