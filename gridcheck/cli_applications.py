"""Commands about applications and what is promised to them: the ledger, letters, published room."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from gridcheck.cli_options import LEDGER, SCENARIO, Counties, Database, Json, NetworksFolder, ResultsFolder
from gridcheck.terminal import EXIT_FINE, EXIT_INCOMPLETE, EXIT_VIOLATIONS, friendly_errors

applications_app = typer.Typer()


@applications_app.command()
def decide(
    applications: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="application file, CSV or .xlsx")
    ] = None,
    scenario: Annotated[Path | None, typer.Option("--scenario", help="scenario file (TOML)")] = None,
    county: Counties = None,
    out: Annotated[Path, typer.Option("--out", help="folder of answers to write")] = Path("decisions"),
    networks: NetworksFolder = None,
    risk: Annotated[
        float | None,
        typer.Option("--risk", min=0.001, max=0.5, help="accepted probability of a broken limit, not the scenario's"),
    ] = None,
    database: Annotated[
        str,
        typer.Option("--database", envvar="GRIDCHECK_DATABASE", metavar="URL", help="ledger to record in"),
    ] = "",
    who: Annotated[str, typer.Option("--who", help="who decides; needed with a ledger")] = "",
    reason: Annotated[str, typer.Option("--reason", help="what the journal says of it")] = "weekly applications",
    replay: Annotated[
        str, typer.Option("--replay", metavar="ID", help="make the recorded answer to an application again and compare")
    ] = "",
    explain: Annotated[
        str,
        typer.Option(
            "--explain", metavar="ID", help="write what the recorded answer rests on: cases for OpenDSS, pandapower"
        ),
    ] = "",
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="processes")] = None,
    json: Json = False,
) -> None:
    """Decide an application file household by household, after everything promised before; record it in the ledger."""
    if sum((bool(replay), bool(explain), applications is not None)) != 1:
        raise typer.BadParameter("name an application file, or --replay or --explain with the id of an application")
    if database and applications is not None and not who:
        raise typer.BadParameter("--who is needed: the journal names whoever decides")
    with friendly_errors():
        from gridcheck import commands_desk
        from gridcheck.commands import scenario_path
        from gridcheck.desk import DeskOptions
        from gridcheck.study import shipped_folder

        if replay:
            written, again = commands_desk.replay(database or LEDGER, replay, networks or shipped_folder("networks"))
            typer.echo(again.decode(), nl=False)
            if written != again:
                typer.echo(f"台账中为 recorded: {written.decode()}", err=True, nl=False)
            raise typer.Exit(EXIT_FINE if written == again else EXIT_VIOLATIONS)
        if explain:
            given = networks or shipped_folder("networks")
            statement = commands_desk.explain(database or LEDGER, explain, given, out)
            commands_desk.show_statement(statement, out, as_json=json)
            raise typer.Exit(EXIT_FINE)
        assert applications is not None
        found, rejected = commands_desk.decide(
            applications,
            scenario or scenario_path(SCENARIO),
            out,
            DeskOptions(county_codes=tuple(county or ()), networks=networks, risk=risk, workers=workers),
            signed=(database, who, reason),
        )
        commands_desk.show(found, rejected, as_json=json)
    raise typer.Exit(EXIT_INCOMPLETE if found["rejected"] or found["not_promised"] else EXIT_FINE)


@applications_app.command("what-if")
def what_if(
    area: Annotated[str, typer.Argument(metavar="AREA_ID", help="id of the area (台区) in areas.csv")],
    device: Annotated[str, typer.Option("--device", help="class of heaters, as in heaters.csv of the catalogue")],
    kw: Annotated[float, typer.Option("--kw", help="rated input of each [kW]")],
    count: Annotated[int, typer.Option("--count", min=1, help="how many more homes")] = 10,
    county: Annotated[str, typer.Option("--county", help="six-digit code, where the id does not begin with it")] = "",
    scenario: Annotated[Path | None, typer.Option("--scenario", help="scenario file (TOML)")] = None,
    networks: NetworksFolder = None,
    risk: Annotated[
        float, typer.Option("--risk", min=0.001, max=0.5, help="accepted probability of a broken limit")
    ] = 0.05,
    database: Annotated[
        str,
        typer.Option("--database", envvar="GRIDCHECK_DATABASE", metavar="URL", help="ledger whose promises count"),
    ] = "",
    json: Json = False,
) -> None:
    """Say whether so many more heaters fit in one area, what binds, and how many fit at most."""
    with friendly_errors():
        from gridcheck import commands_what_if
        from gridcheck.commands import scenario_path
        from gridcheck.what_if import Wish

        content, rows = commands_what_if.ask(
            Wish(area_id=area, device=device, rated_kw=kw, count=count),
            scenario or scenario_path(SCENARIO),
            county=county,
            networks=networks,
            risk=risk,
            database=database,
        )
        commands_what_if.show(content, rows, as_json=json)
    raise typer.Exit(EXIT_FINE if content["fits"] else EXIT_VIOLATIONS)


@applications_app.command("sample-applications")
def sample_applications(
    file: Annotated[Path, typer.Argument(help="CSV file to write")],
    county: Annotated[str, typer.Option("--county", help="six-digit county code")] = "140827",
    count: Annotated[int, typer.Option("--count", min=1, help="how many, from the head of the queue")] = 30,
    seed: Annotated[int, typer.Option("--seed", min=0, help="seed of the synthetic queue")] = 2025,
    networks: NetworksFolder = None,
) -> None:
    """Write a synthetic application file of one county, to try `decide`."""
    with friendly_errors():
        from gridcheck import commands_desk
        from gridcheck.study import shipped_folder

        commands_desk.sample_applications(file, county, count, seed, networks or shipped_folder("networks"))


@applications_app.command()
def init(
    database: Database = LEDGER,
    who: Annotated[str, typer.Option("--who", help="whom the journal names")] = "gridcheck init",
    json: Json = False,
) -> None:
    """Make the ledger of applications and promises, or bring an older one to the shape of this version."""
    with friendly_errors():
        from gridcheck import commands_ledger

        commands_ledger.init(database, who, as_json=json)


@applications_app.command()
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


@applications_app.command()
def application(
    identifier: Annotated[str, typer.Argument(help="application id")],
    database: Database = LEDGER,
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
        Path | None, typer.Option("--blank-checklist", metavar="CSV", help="write a checklist to be filled in")
    ] = None,
    who: Annotated[str, typer.Option("--who", help="who decides this; needed for a step")] = "",
    reason: Annotated[str, typer.Option("--reason", help="why; needed for a step")] = "",
    json: Json = False,
) -> None:
    """Show where an application of the ledger stands, or take it one step on: built, accepted, entitled, withdrawn."""
    wishes = {"build": build, "accept": accept, "entitle": entitle, "end-subsidy": end_subsidy, "withdraw": withdraw}
    steps = [name for name, asked in wishes.items() if asked]
    if len(steps) > 1:
        raise typer.BadParameter(f"one step at a time, not {' and '.join(steps)}")
    with friendly_errors():
        from gridcheck import commands_ledger, commands_season

        if blank_checklist is not None:
            commands_ledger.write_blank_checklist(blank_checklist)
        by = who, reason
        if entitle:
            asked = (household, tariff, district_heating, allowance)
            commands_season.entitle(database, identifier, entitle, asked, by)
        elif end_subsidy:
            commands_season.end_subsidy(database, identifier, end_subsidy, by)
        else:
            commands_ledger.take_step(database, identifier, steps[0] if steps else None, accept, by)
        fine = commands_ledger.show_application(database, identifier, as_json=json)
    raise typer.Exit(EXIT_FINE if fine else EXIT_VIOLATIONS)


@applications_app.command()
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


@applications_app.command()
def letters(
    application_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[APPLICATION_ID]...", help="ids of decisions.csv")
    ] = None,
    results: ResultsFolder = Path("out"),
    out: Annotated[Path, typer.Option("--out", help="folder of letters to write")] = Path("letters"),
    village: Annotated[str, typer.Option("--village", help="all applications of a village: its official code")] = "",
    county: Annotated[str, typer.Option("--county", help="all applications of a county: its six-digit code")] = "",
    language: Annotated[Literal["zh", "en"], typer.Option("--language", help="language of the letters")] = "zh",
    format: Annotated[Literal["docx", "html"], typer.Option("--format", help="Word documents or pages")] = "docx",
    together: Annotated[bool, typer.Option("--together", help="one document, each letter on its own page")] = False,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="TOML: who signs, validity, who builds and pays")
    ] = None,
    date: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="date of the letters; today by default")
    ] = None,
    verify: Annotated[str, typer.Option("--verify", metavar="CODE", help="check the code of one letter")] = "",
    database: Annotated[
        str, typer.Option("--database", metavar="URL", help="ledger: letters on its recorded answers")
    ] = "",
    networks: NetworksFolder = None,
) -> None:
    """Write the replies to applications (供电方案答复单), or check the code of one.

    The answers are those of a folder that `gridcheck run` or `gridcheck decide` wrote, or those of a ledger.
    """
    with friendly_errors():
        from gridcheck import commands_letters

        ids, day = tuple(application_ids or ()), None if date is None else date.date()
        common = commands_letters.letter_settings(settings, day, for_check=bool(verify))
        origin = commands_letters.LetterOrigin(results=results, database=database, networks=networks)
        if verify:
            genuine = commands_letters.verify(verify, origin, ids, common)
        else:
            style = commands_letters.letter_style(language, format, together=together)
            commands_letters.letters(origin, out, commands_letters.letter_choice(ids, village, county), common, style)
            genuine = True
    raise typer.Exit(EXIT_FINE if genuine else EXIT_VIOLATIONS)


@applications_app.command()
def capacity(
    results: ResultsFolder = Path("out"),
    out: Annotated[Path, typer.Option("--out", help="folder to write")] = Path("capacity"),
    date: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="date of the list; today by default")
    ] = None,
    language: Annotated[Literal["zh", "en"], typer.Option("--language", help="language of the workbook")] = "zh",
) -> None:
    """Write the room that is left for heat pumps, for publication: a workbook and a map of the areas (GeoJSON)."""
    with friendly_errors():
        from gridcheck import commands_letters

        commands_letters.capacity(results, out, None if date is None else date.date(), language)
