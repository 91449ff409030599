"""Commands about applications and what is promised to them: the ledger, letters, published room."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from gridcheck.cli_options import LEDGER, SCENARIO, Counties, Json, NetworksFolder, ResultsFolder
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
    pre_approved: Annotated[
        Path | None,
        typer.Option(
            "--pre-approved",
            metavar="CSV",
            help="published limits, as --pre-approve writes them: small heaters within are approved at once",
        ),
    ] = None,
    pre_approve: Annotated[
        bool,
        typer.Option(
            "--pre-approve", help="make these limits first, for the areas of the file; also writes pre_approval.csv"
        ),
    ] = False,
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
    if pre_approved is not None and pre_approve:
        raise typer.BadParameter("the limits are read with --pre-approved or made with --pre-approve, not both")
    with friendly_errors():
        from gridcheck import commands_desk
        from gridcheck.commands import scenario_path
        from gridcheck.connection.published import read_published
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
            DeskOptions(
                county_codes=tuple(county or ()),
                networks=networks,
                risk=risk,
                workers=workers,
                published=None if pre_approved is None else read_published(pre_approved),
                publishes=pre_approve,
            ),
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
