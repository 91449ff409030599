"""What the commands for the demand model do: call one function, print."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from gridcheck import terminal

_NEEDED = 9
_SIZES = (1, 5, 10, 20, 50, 100, 300)


def validate(seed: int, n_home: int, *, as_json: bool) -> bool:
    """Print targets and what the model makes of them; return whether nine of the ten are met."""
    from gridcheck.demand.targets import shown
    from gridcheck.demand.validation import validate_demand

    with terminal.steps("验证 validating") as step:
        targets = validate_demand(seed=seed, n_home=n_home, progress=step)
    met = sum(target.is_met for target in targets)
    if as_json:
        terminal.print_json({"met": met, "targets": [target.as_dict() for target in targets]})
        return met >= _NEEDED
    rows = [
        [
            target.number if position == 0 else "",
            f"{target.quantity_zh}\n{target.quantity_en}" if position == 0 else "",
            check.name,
            check.target_text,
            check.tolerance_text,
            shown(check.value),
            check.mark,
            f"{target.strength_zh} {target.strength_en}\n{target.source}" if position == 0 else "",
        ]
        for target in targets
        for position, check in enumerate(target.checks)
    ]
    headings = [
        "#",
        "指标 quantity",
        "部分 part",
        "目标 target",
        "允差 tolerance",
        "模型 model",
        "达到 met",
        "依据 evidence",
    ]
    title = f"十项验证目标，达到 {met} 项 ten targets, {met} met (合成天气 synthetic weather)"
    terminal.print_table(title, headings, rows)
    return met >= _NEEDED


def coincidence(out: Path | None, seed: int, n_home: int, *, as_json: bool) -> None:
    """Fit the table of coincidence factors; print it, or write it as CSV."""
    from gridcheck.demand.coincidence import coincidence_table, fit_coincidence
    from gridcheck.demand.parameters import default_parameters

    fitted = fit_coincidence(default_parameters(), seed=seed, n_home=n_home)
    if out is not None:
        coincidence_table(fitted).to_csv(out, index=False, lineterminator="\n")
    if as_json:
        terminal.print_json([asdict(row) for row in fitted])
        return
    rows = [
        [row.device, f"{row.temperature_c:g}", f"{row.one_home:.2f}", *(f"{float(row.factor(n)):.2f}" for n in _SIZES)]
        for row in fitted
    ]
    headings = ["设备 device", "日均 day mean [°C]", "单户峰值/额定 one home", *(f"k({n})" for n in _SIZES)]
    terminal.print_table("同时系数 coincidence: P(N) = N · p₁ · k(N), 模拟 simulated", headings, rows)
