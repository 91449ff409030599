"""What each command does: read, call one function, print. Heavy rooms are imported where a command needs them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridcheck import terminal
from gridcheck.errors import InputError, LedgerError
from gridcheck.geography import counties
from gridcheck.units import YUAN_PER_WAN

if TYPE_CHECKING:
    from gridcheck.county_study import CountyTask
    from gridcheck.reports.folder import Results
    from gridcheck.reports.schemas import TableSpec
    from gridcheck.reports.texts import Language
    from gridcheck.study import StudyResult


def scenario_path(default: Path) -> Path:
    """Return the default scenario of the checkout, wherever it was started."""
    from gridcheck.study import shipped_folder

    return shipped_folder(str(default.parent)) / default.name


def _county_names() -> dict[str, str]:
    table = counties()
    return {
        str(code): f"{zh} {en}"
        for code, zh, en in zip(table["county_code"], table["county"], table["county_en"], strict=True)
    }


def run(
    scenario: Path,
    county_codes: tuple[str, ...],
    out: Path,
    networks: Path | None,
    workers: int | None,
    *,
    budget_yuan: float | None = None,
    language: Language = "zh",
) -> StudyResult:
    """Run a study and write its results folder."""
    from gridcheck.reports.place import held_place
    from gridcheck.scenario import read_scenario, require_counties, with_budget
    from gridcheck.study import run_study, write_study

    if county_codes:
        require_counties(county_codes, "--county")
    with held_place(out) as place:
        chosen = read_scenario(scenario)
        if budget_yuan is not None:
            chosen = with_budget(chosen, budget_yuan)
        with terminal.study_progress(_county_names()) as progress:
            result = run_study(chosen, county_codes=county_codes, networks=networks, workers=workers, progress=progress)
        write_study(result, place, language)
    return result


def show_run(result: StudyResult, out: Path, *, as_json: bool) -> None:
    """Print the closing summary of a run."""
    for code, said in result.summary["remarks"].items():
        terminal.print_remarks(_county_names().get(code, code), said)
    if as_json:
        summary = result.summary
        shown = {name: summary[name] for name in ("weather", "performance")}
        terminal.print_json(
            {"out": str(out), **summary["totals"], **shown, "application_file": summary["applications"]}
        )
        return
    table = result.tables["counties"]
    names = ("target_self_retrofit", "applications", "approved", "conditional", "deferred", "households_unlocked")
    rows: list[list[object]] = [
        [row["county"], *(int(row[name]) for name in names), f"{row['budget_yuan'] / YUAN_PER_WAN:,.1f}"]
        for row in table.to_dict("records")
    ]
    rows.append(
        ["合计 total", *(int(table[name].sum()) for name in names), f"{table['budget_yuan'].sum() / YUAN_PER_WAN:,.1f}"]
    )
    headings = [
        "县 county",
        "目标 target",
        "报装 applied",
        "同意 yes",
        "附条件 cond.",
        "暂缓 defer",
        "方案解锁 unlocked",
        "方案投资 plan [万元 10⁴ yuan]",
    ]
    title = "合成数据 synthetic data" if result.summary["synthetic"] else "结果 results"
    terminal.print_table(title, headings, rows, last_is_total=True)
    if not result.is_whole:
        told = result.tables["applications_rejected"].to_dict("records")
        terminal.print_rejected(told, result.summary["applications"]["rows"], file=f"{out}/applications_rejected.csv")
    _show_weather(result.summary["weather"])
    _show_idle_models(result.summary["models"])
    if result.summary["whole_plan_budget_for_some_counties"]:
        terminal.console().print(
            f"[yellow]注意：只计算了 {len(table)} 个县，资金却是全市共用的 {result.summary['budget_yuan']:,.0f} 元；"
            f"用 --budget 指定。 Note: {len(table)} of the plan's counties were planned with the "
            f"{result.summary['budget_yuan']:,.0f} yuan that all of them share; name another sum with --budget.[/]"
        )
    performance = result.summary["performance"]
    stages = [
        [name, stage["cpu_process_seconds"], stage["peak_memory_mb"]] for name, stage in performance["stages"].items()
    ]
    terminal.print_table("阶段 stages", ["stage", "process s", "peak MiB"], stages)
    terminal.console().print(
        f"完成 done: {performance['wall_seconds']:.0f} s. 结果 results: {out}/ "
        f"(report.html, report.xlsx, summary.json, *.csv). 浏览 look: gridcheck serve --results {out}"
    )


def _show_weather(weather: Mapping[str, Any]) -> None:
    """Print what was recognised in a weather file and what was repaired."""
    if not weather["file"]:
        return
    rows = [["读取 read as", sentence] for sentence in weather["read_as"]]
    rows += [["修补 repaired", sentence] for sentence in weather["repairs"] or ["无 nothing"]]
    terminal.print_table(f"天气 weather: {weather['file']}", terminal.ITEMS, rows)
    warmer = weather.get("warmer_with_wave")
    if warmer:
        name, n = _county_names()[warmer["worst_county"]], len(warmer["counties"])
        lowest, mean = (f"{warmer[f'{k}_file_c']:.1f} → {warmer[f'{k}_c']:.1f} °C" for k in ("lowest", "mean"))
        terminal.console().print(
            f"[yellow]注意：叠加的寒潮使 {n} 个县的研究时段比天气文件更暖（{name}：最低 {lowest}，平均 {mean}）；"
            'weather.wave = "none" 按文件原样计算。 '
            f"Note: in {n} counties the wave makes the study window warmer than the file (lowest {lowest}, "
            f"mean {mean}); "
            'weather.wave = "none" takes the file as it is.[/]'
        )


def _show_idle_models(models: Mapping[str, int]) -> None:
    """Say that a table of heaters has no effect where no application names one of them."""
    if models and not any(models.values()):
        terminal.console().print(
            "[yellow]注意：没有申请使用 demand.devices 中的型号，该表未起作用；型号写在申请文件的 device 列。 "
            "Note: no application names a model of demand.devices, so the table has no effect; models stand in the "
            "column device of an application file.[/]"
        )


def task_of_run(results: Results, county_code: str, networks: Path | None) -> CountyTask:
    """Return the task of one county as a results folder was computed.

    Raises
    ------
    LedgerError
        If the folder holds no scenario, or the grid or a file that the scenario names has changed since.
    """
    from gridcheck.scenario import scenario_of_run
    from gridcheck.study import county_tasks
    from gridcheck.study_inputs import require_unchanged
    from gridcheck.study_tables import folder_hash

    scenario = scenario_of_run(results.summary, str(results.folder))
    require_unchanged(scenario, results.summary.get("inputs", {}), str(results.folder))
    # All counties of the run, because its application file may hold all of them; dates are judged as on its day.
    tasks = county_tasks(
        scenario,
        county_codes=tuple(results.counties["county_code"]),
        networks=networks,
        today=_judged_on(results.summary),
    )
    task = next(task for task in tasks if task.county_code == county_code)
    if results.summary.get("inputs", {}).get(task.folder.name) != folder_hash(task.folder):
        raise LedgerError(f"{task.folder} has changed since {results.folder} was written. Run `gridcheck run` again.")
    return task


def _judged_on(summary: Mapping[str, Any]) -> date | None:
    """Return the day on which a run has judged the dates of its applications; None where it had no file of them."""
    found = summary.get("applications", {}).get("judged_on")
    try:
        return None if found is None else date.fromisoformat(found)
    except (TypeError, ValueError) as error:
        raise LedgerError(f"summary.json: judged_on {found!r} is no day. Run `gridcheck run` again.") from error


def explain(identifier: str, folder: Path, out: Path | None, networks: Path | None) -> tuple[dict[str, Any], Path]:
    """Write the evidence of one application or outage; return the statement and its folder."""
    from gridcheck.county_study import decide_county, outages_of, prepare_county
    from gridcheck.evidence import explain_application, write_evidence
    from gridcheck.evidence_outages import explain_outage
    from gridcheck.reports.folder import read_results
    from gridcheck.reports.place import evidence_folder, made_folder

    results = read_results(folder)
    spec, row = _row_of_run(results, identifier)
    task = task_of_run(results, str(row["county_code"]), networks)
    with made_folder(out if out is not None else evidence_folder(results.folder, identifier)) as target:
        if _is_drawn(row):
            statement = _explain_drawn(task, row, target, lambda found: _require_same_answer(found, row, spec))
            return statement, target
        case = prepare_county(task)
        queue = decide_county(case)
        if "application_id" in row:
            evidence = explain_application(case, queue, identifier)
        else:
            rows = outages_of(case, queue.counts)
            evidence = explain_outage(case, queue.counts, rows, identifier)
        _require_same_answer(evidence.statement, row, spec)
        write_evidence(evidence, task.folder, target)
    return evidence.statement, target


def _is_drawn(row: Mapping[str, Any]) -> bool:
    """Tell whether a row is a verdict that binds in the draws of an area."""
    from gridcheck.checks.supply_tree import DRAWN_KINDS, QUANTITY

    return "application_id" in row and row["binding_quantity"] in {QUANTITY[kind] for kind in DRAWN_KINDS}


def _explain_drawn(
    task: CountyTask, row: Mapping[str, Any], folder: Path, require: Callable[[Mapping[str, Any]], None]
) -> dict[str, Any]:
    """Write the moment of the draw behind a verdict; return its statement."""
    from gridcheck.desk import DeskTask
    from gridcheck.evidence_desk import explain_answers, write_drawn
    from gridcheck.reports.tables import write_bytes

    name = str(row["application_id"])
    desk = DeskTask(county=task, promised=(), risk=task.scenario.low_voltage.risk)
    drawn = explain_answers(desk, (name,)).low_voltage[name]
    found = drawn.statement
    statement = {
        **found,
        **{column: row[column] for column in ("device", "rated_kw", "binding_level", "binding_quantity")},
        "binding_element": row["binding_element"],
        "binding_value": found["value_kept"],
        "binding_limit": found["limit"],
        "solve_with": found["pandapower_solve"],
        "read": {
            key.removeprefix("pandapower_"): value
            for key, value in found.items()
            if key.startswith("pandapower_") and key != "pandapower_solve"
        },
    }
    require(statement)
    write_drawn(drawn, folder)
    # As for all other evidence: the case in network.json, and what to look for in evidence.json.
    write_bytes(folder / "network.json", drawn.pandapower_json().encode())
    text = json.dumps(statement, ensure_ascii=False, indent=2, allow_nan=False)
    write_bytes(folder / "evidence.json", f"{text}\n".encode())
    return statement


def _row_of_run(results: Results, identifier: str) -> tuple[TableSpec, Mapping[str, Any]]:
    from gridcheck.reports.schemas import DECISIONS, N_MINUS_1

    for spec, column in ((DECISIONS, "application_id"), (N_MINUS_1, "outage_id")):
        table = results.table(spec.name)
        rows = table[table[column] == identifier]
        if len(rows):
            return spec, {str(name): cell for name, cell in rows.iloc[0].items()}
    raise InputError(
        f"{identifier!r} is neither an application_id of {results.folder / DECISIONS.file_name} "
        f"nor an outage_id of {results.folder / N_MINUS_1.file_name}."
    )


def _require_same_answer(statement: Mapping[str, Any], row: Mapping[str, Any], spec: TableSpec) -> None:
    """Refuse to explain an answer that the run did not give: something has changed since.

    Raises
    ------
    LedgerError
        Naming what the run says and what comes out now.
    """
    answer = "verdict" if "verdict" in row else "status"
    column = "binding_value" if "binding_value" in row else f"worst_{statement['binding_quantity']}"
    tried = row.get(f"tried_{statement['binding_quantity']}")
    if isinstance(tried, float) and not math.isnan(tried):
        # An outage is explained by what stands in the way of more, where that was tried.
        column = f"tried_{statement['binding_quantity']}"
    value, written = statement["binding_value"], row.get(column)
    same = row[answer] == statement[answer]
    if value is not None:
        same &= written is not None and abs(value - written) <= 0.51 * 10.0 ** -spec.column(column).decimals
    if not same:
        raise LedgerError(
            f"{spec.file_name} says {row[answer]} with {written}; now it comes out as {statement[answer]} with "
            f"{value}. The application file or gridcheck itself has changed since. Run `gridcheck run` again."
        )


def show_statement(statement: dict[str, Any], folder: Path, *, as_json: bool) -> None:
    """Print what the evidence states."""
    if as_json:
        terminal.print_json({"folder": str(folder), **statement})
        return
    rows = [
        [key, json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value]
        for key, value in statement.items()
    ]
    terminal.print_table(f"{folder}/network.json", terminal.ITEMS, rows)


def serve(results: Path, store: Path, decisions: Path, host: str, port: int) -> None:
    """Serve the dashboards until Ctrl-C."""
    from dashboards import Settings
    from dashboards import serve as serve_app

    def ready() -> None:
        terminal.console().print(f"http://{host}:{port}/  (Ctrl-C ends)")

    settings = Settings(results=results, readings=store if store.is_dir() else None, decisions=decisions)
    serve_app(settings, host=host, port=port, ready=ready)
