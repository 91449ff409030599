"""What ``gridcheck what-if`` does: ask whether so many more heaters fit in one area, and say it in plain words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridcheck import terminal
from gridcheck.errors import InputError

if TYPE_CHECKING:
    from gridcheck.checks.risk_outlook import RiskOutlook
    from gridcheck.connection.room_above import AboveOutlook
    from gridcheck.what_if import WhatIf, Wish

_CODE_DIGITS = 6
_MANY = 1000.0


def county_of(area_id: str, county: str) -> str:
    """Return the county of an area: as named, or the six digits that its id begins with.

    Raises
    ------
    InputError
        If the id begins with something else and no county is named.
    """
    code = county or area_id[:_CODE_DIGITS]
    if len(code) != _CODE_DIGITS or not (code.isascii() and code.isdecimal()):
        raise InputError(f"The id {area_id!r} does not begin with the six digits of its county: name it with --county.")
    return code


def ask(
    wish: Wish, scenario: Path, *, county: str, networks: Path | None, risk: float, database: str
) -> tuple[dict[str, Any], list[list[object]]]:
    """Answer a wish in the grid of its county, after everything that a ledger has promised.

    Parameters
    ----------
    wish : Wish
        The question.
    scenario : Path
        Assumptions.
    county : str
        Six-digit code; empty where the id of the area begins with it.
    networks : Path or None
        Folder with one folder per county.
    risk : float
        Accepted probability of a broken limit. [1]
    database : str
        Address of the ledger; empty for none.

    Returns
    -------
    dict
        The answer by name.
    list of list
        The same in words, Chinese first.
    """
    from gridcheck.desk import DeskTask, Standing
    from gridcheck.desk_ledger import standing_of
    from gridcheck.ledger import open_ledger
    from gridcheck.scenario import read_scenario
    from gridcheck.study import county_tasks
    from gridcheck.what_if import prepared_county, what_if

    code = county_of(wish.area_id, county)
    chosen = read_scenario(scenario)
    # The queue of the scenario is not asked: an application file that it names need not be there.
    chosen = chosen.model_copy(update={"queue": chosen.queue.model_copy(update={"applications": "synthetic"})})
    standing = Standing()
    if database:
        with open_ledger(database) as ledger:
            standing = standing_of(ledger)
    (task,) = county_tasks(chosen, county_codes=(code,), networks=networks)
    prepared = prepared_county(DeskTask(county=task, promised=standing.promised.get(code, ()), risk=risk))
    found = what_if(prepared, wish)
    return _content(found, risk), _words(found, risk)


def _content(found: WhatIf, risk: float) -> dict[str, Any]:
    from gridcheck.checks.draw_extremes import LvCheck

    wish, draws, above = found.wish, found.outlook, found.above
    return {
        "area_id": wish.area_id,
        "device": wish.device,
        "rated_kw": wish.rated_kw,
        "count": wish.count,
        "fits": found.fits,
        "largest": found.largest,
        "largest_by_draws": found.largest_by_draws,
        "largest_above": found.largest_above,
        "homes_without_heater": found.homes,
        "accepted_risk": risk,
        "draws": draws.draws,
        "checks": {
            check.name.lower(): {
                "broken_before": float(draws.probability_before[check]),
                "broken": float(draws.probability[check]),
                "broken_low": float(draws.low[check]),
                "broken_high": float(draws.high[check]),
                "value": float(draws.value[check]),
                "limit": float(draws.limit[check]),
                "element": draws.element[check],
                "charged": bool(draws.charged[check]),
            }
            for check in LvCheck
        },
        "binding": draws.binding.name.lower(),
        "above": _above(above),
        "next_binding": None if found.next_outlook is None else _next(found),
        "synthetic": found.synthetic,
    }


def _above(above: AboveOutlook) -> dict[str, Any]:
    return {
        "fits": above.fits,
        "check": None if above.kind is None else above.kind.name.lower(),
        "element": above.element,
        "value": above.value,
        "limit": above.limit,
        "room_for": above.room_for,
        "room_at_10kv": above.room_at_10kv,
        "element_at_10kv": above.element_at_10kv,
    }


def _next(found: WhatIf) -> str:
    """Return what stops one heater more: a check of the draws where they refuse it, one above otherwise."""
    assert found.next_outlook is not None
    assert found.next_above is not None
    if not found.next_outlook.fits or found.next_above.kind is None:
        return found.next_outlook.binding.name.lower()
    return found.next_above.kind.name.lower()


def _words(found: WhatIf, risk: float) -> list[list[object]]:
    from gridcheck.reports.texts import label

    wish, draws = found.wish, found.outlook
    names = " ".join(label("device", wish.device, language) for language in ("zh", "en"))
    verdict = "● 可以接入 fits" if found.fits else "◆ 不能全部接入 does not all fit"
    rows: list[list[object]] = [
        ["问题 question", f"{wish.area_id} + {wish.count} × {names} {wish.rated_kw:g} kW"],
        ["答复 answer", verdict],
        ["最多可接 at most", f"{found.largest} 户 homes（尚无电采暖 without a heater: {found.homes}）"],
        ["其中低压抽样允许 of these by the draws", found.largest_by_draws],
        ["其中配变与 10 kV 允许 by transformer and 10 kV", found.largest_above],
        ["低压约束 binding in the draws", _check_words(draws, risk)],
        ["配变与 10 kV 约束 binding above", _above_words(found.above)],
        ["仅看 10 kV（线性估计）10 kV alone, by a line", _room_words(found.above)],
    ]
    if found.next_outlook is not None:
        stop = found.next_outlook
        words = (
            _above_words(found.next_above) if stop.fits and found.next_above is not None else _check_words(stop, risk)
        )
        rows.append([f"第 {found.largest + 1} 户受限于 no. {found.largest + 1} is stopped by", words])
    rows.append(["未试条件 not tried", "调相、错峰、限功率、调分接头 other phase, managed start, cap, tap"])
    if found.synthetic:
        rows.append(["合成数据 synthetic", "电网、低压线路或天气为生成 grid, lines or weather are made up"])
    return rows


def _check_words(draws: RiskOutlook, risk: float) -> str:
    from gridcheck.checks.supply_tree import QUANTITY
    from gridcheck.connection.joint_answer import KIND_OF_CHECK
    from gridcheck.reports.texts import label

    check = draws.binding
    names = " ".join(label("quantity", QUANTITY[KIND_OF_CHECK[check]], language) for language in ("zh", "en"))
    share = (
        f"{100.0 * draws.probability[check]:.1f} % [{100.0 * draws.low[check]:.1f}, {100.0 * draws.high[check]:.1f}]"
    )
    return (
        f"{names} {draws.element[check]}: 越限概率 broken in {share}，接入前 before "
        f"{100.0 * draws.probability_before[check]:.1f} %，可接受 accepted {100.0 * risk:g} %"
        f"（{draws.draws} 次抽样 draws）"
    )


def _above_words(above: AboveOutlook) -> str:
    from gridcheck.checks.supply_tree import QUANTITY
    from gridcheck.reports.texts import label

    if above.kind is None:
        return f"潮流无解 no load flow solution: {above.element}"
    names = " ".join(label("quantity", QUANTITY[above.kind], language) for language in ("zh", "en"))
    return f"{names} {above.element}: {above.value_before:.4g} → {above.value:.4g}，限值 limit {above.limit:.4g}"


def _room_words(above: AboveOutlook) -> str:
    shown = f"> {_MANY:.0f}" if above.room_at_10kv > _MANY else f"{above.room_at_10kv:.0f}"
    return f"{shown} 户 homes（{above.element_at_10kv}）"


def show(content: dict[str, Any], rows: list[list[object]], *, as_json: bool) -> None:
    """Print the answer."""
    if as_json:
        terminal.print_json(content)
        return
    for name, value in rows:
        sys.stdout.write(f"{name}：{value}\n")
