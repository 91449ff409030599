"""The commands about plans: choose from a plain table of packages, and sheets of the projects of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gridcheck.cli_options import Json, NetworksFolder
from gridcheck.terminal import friendly_errors


def plan(
    candidates: Annotated[
        Path,
        typer.Option(
            "--candidates",
            metavar="FILE",
            help="CSV: project_id, group, requires, cost_yuan, households, risk_hours; if known county_code, measure, "
            "unlocks; candidates.csv of a run is one",
        ),
    ],
    budget: Annotated[str, typer.Option("--budget", metavar="YUAN", help="money there is")],
    out: Annotated[Path, typer.Option("--out", help="folder for plan.csv and status.json")] = Path("plan"),
    force: Annotated[
        list[str] | None, typer.Option("--force", metavar="ID", help="build it in any case; may be given several times")
    ] = None,
    forbid: Annotated[
        list[str] | None, typer.Option("--forbid", metavar="ID", help="do not build it; may be given several times")
    ] = None,
    county_minimum: Annotated[
        list[str] | None,
        typer.Option("--county-minimum", metavar="CODE=HOUSEHOLDS", help="least that a county gets; several times"),
    ] = None,
    fair_share: Annotated[
        float | None,
        typer.Option("--fair-share", min=0.0, max=1.0, help="each county gets this share of an even split at least"),
    ] = None,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="also pareto.csv: the best plan for every budget from 0 to 40 million yuan")
    ] = False,
    around: Annotated[
        bool,
        typer.Option(
            "--around",
            help="also the worth of another 100,000 yuan, what comes next, county_split.csv, rules.csv",
        ),
    ] = False,
    robust: Annotated[
        Literal["regret", "cvar"] | None,
        typer.Option("--robust", help="also a plan for drawn prices, uptake and weather: scenarios.csv, frequency.csv"),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=1, max=1000, help="scenarios of --robust")] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help="seed of the scenarios")] = 1,
    minutes: Annotated[
        float,
        typer.Option(
            "--minutes",
            metavar="MINUTES",
            help="longest search for a proof; then the best found is written with its gap. --pareto, --around and "
            "--robust have as much again each",
        ),
    ] = 10.0,
    json: Json = False,
) -> None:
    """Choose packages from a plain table under a budget, exactly: households first, then risk, then cost."""
    with friendly_errors():
        from gridcheck import commands_plan

        asked = commands_plan.Asked(
            candidates=candidates,
            budget=budget,
            forced=tuple(force or ()),
            forbidden=tuple(forbid or ()),
            county_minimum=tuple(county_minimum or ()),
            fair_share=fair_share,
            has_pareto=pareto,
            has_around=around,
            robust=robust,
            draws=draws,
            seed=seed,
            minutes=minutes,
        )
        commands_plan.show_plan(commands_plan.plan(asked, out), out, as_json=json)


def sheets(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="folder that `gridcheck run` wrote")] = Path("out"),
    projects: Annotated[
        list[str] | None,
        typer.Option("--projects", metavar="ID", help="project of plan.csv; several times; all chosen ones by default"),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="folder of sheets to write")] = Path("sheets"),
    networks: NetworksFolder = None,
    language: Annotated[Literal["zh", "en"], typer.Option("--language", help="language of the sheets")] = "zh",
) -> None:
    """Write a sheet for each project of a plan: place, work, drawing before and after, bill, benefit, risk, money."""
    with friendly_errors():
        from gridcheck import commands_sheets

        commands_sheets.sheets(run, out, tuple(projects or ()), networks, language)
