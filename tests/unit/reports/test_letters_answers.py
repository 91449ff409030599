"""Letters on answers of the connection desk: what draws say, what is conditioned, and until when power is reserved."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from datetime import date
from typing import Any

import docx
import pandas as pd
import pytest

from gridcheck.errors import LedgerError
from gridcheck.network import read_county
from gridcheck.reports.export_folder import exported_folder
from gridcheck.reports.folder import Results
from gridcheck.reports.letters import letters_of
from gridcheck.reports.letters_answers import INTERVALS_FILE, is_answers_folder, read_answers
from gridcheck.reports.letters_docx import letters_docx
from gridcheck.reports.letters_facts import DeskFact, LetterSource, letter_code
from gridcheck.reports.letters_settings import default_settings
from gridcheck.reports.schemas import DECISIONS
from gridcheck.reports.tables import csv_bytes, normalised
from gridcheck.reports.texts import LANGUAGES, Language
from tests.support.desk_replay import NETWORKS
from tests.support.results import sample_results

CHECKS = (
    "meter_voltage_v", "meter_voltage_max_v", "lv_loading_percent", "lv_neutral_loading_percent",
    "phase_loading_percent",
)  # fmt: skip
SETTINGS = default_settings(date(2026, 1, 20))
LATE = {
    "verdict": "defer", "conditions": None, "binding_level": "service_point", "binding_element": "P012:B",
    "binding_quantity": "meter_voltage_v", "binding_value": 195.2, "binding_limit": 198.0, "probability": 0.88,
    "value_before": 199.0, "margin_kw": -0.7, "blocked_by": "promised_load", "rated_kw": 3.0,
}  # fmt: skip
CAPPED = {
    "verdict": "approve_with_conditions", "conditions": "phase:B;limit_kw:2.4;managed_start;tap:+1;rephase",
    "binding_level": "low_voltage", "binding_element": "P012:N", "binding_quantity": "lv_neutral_loading_percent",
    "binding_value": 93.0, "binding_limit": 100.0, "probability": 0.97, "value_before": 88.0, "margin_kw": 1.2,
    "rated_kw": 3.0, "phase": "A",
}  # fmt: skip
DRAWN = DeskFact(source="desk", mark="0af3", probability_low=0.843, probability_high=0.912, draws=200)


@pytest.fixture(scope="module")
def results() -> Results:
    return sample_results()


def one(results: Results, cells: Mapping[str, Any]) -> tuple[Results, str]:
    given = results.decisions[results.decisions["verdict"] == "approve"].head(1).astype(object)
    row = {**given.iloc[0].to_dict(), "blocked_by": None, **cells}
    table = normalised(pd.DataFrame([row]), DECISIONS, "decisions.csv")
    return dataclasses.replace(results, decisions=table), str(row["application_id"])


def words(results: Results, cells: Mapping[str, Any], fact: DeskFact, language: Language = "zh") -> str:
    changed, name = one(results, cells)
    (letter,) = letters_of(changed, changed.decisions, SETTINGS, language, desk={name: fact})
    document = docx.Document(io.BytesIO(letters_docx([letter])))
    parts = [paragraph.text for paragraph in document.paragraphs]
    return "\n".join([*parts, *(cell.text for table in document.tables for row in table.rows for cell in row.cells)])


def test_a_deferral_says_how_many_draws_break_the_limit(results):
    said = words(results, LATE, DRAWN)
    # 12.0 percent break it: between 8.8 and 15.7 percent, what the interval of those that keep it leaves.
    for part in ("抽样 200 次", "12.0 %", "8.8 %～15.7 %", "P012 的 B 相", "195.2", "198", "缺少约 0.70 kW", "-0af3"):
        assert part in said
    assert "没有测算改造方案" in said
    english = words(results, LATE, DRAWN, "en")
    assert "of 200 draws 12.0 % break this limit (confidence interval 8.8 % to 15.7 %)" in english


def test_a_deferral_that_draws_leave_open_claims_no_more_than_they_show(results):
    undecided = dataclasses.replace(DRAWN, probability_low=0.94, probability_high=0.985, draws=800)
    said = words(results, {**LATE, "probability": 0.962}, undecided)
    # 3.8 percent are less than are accepted; but the draws do not show that.
    assert "3.8 % 的抽样越过这一限值（置信区间 1.5 %～6.0 %），不能认为低于允许的概率" in said


def test_power_that_no_smaller_heater_would_mend_is_not_said(results):
    assert "kW 的额定功率" not in words(results, {**LATE, "margin_kw": -82.7}, DRAWN)


def test_a_draw_without_a_solution_is_said_in_words(results):
    said = words(results, {**LATE, "binding_value": float("nan")}, DRAWN)
    assert "潮流计算无解" in said
    assert "—，" not in said


def test_an_approval_states_its_conditions_and_grants_the_cap(results):
    said = words(results, CAPPED, dataclasses.replace(DRAWN, probability_low=0.951, probability_high=0.985))
    for part in (
        "97.0 % 的抽样满足", "95.1 %～98.5 %", "接入 B 相", "不得超过 2.4 kW", "控制器", "分接头调整 +1 档",
        "重新分配各户的相别", "2.4 kW", "单相 220 V，接入 B 相", "P012 的 中性线",
    ):  # fmt: skip
        assert part in said
    changed, name = one(results, CAPPED)
    row = changed.decisions.to_dict("records")[0]
    facts = LetterSource(changed, {name: DRAWN}).facts(row, SETTINGS)
    assert (facts.rated_kw, facts.approved_kw) == (3.0, 2.4)


@pytest.mark.parametrize(("verdict", "ending"), [(CAPPED, "不使其加重"), (LATE, "")])
def test_what_the_area_breaks_without_the_heater_is_said(results, verdict, ending):
    fact = dataclasses.replace(DRAWN, broken_before=("meter_voltage_max_v", "phase_loading_percent"))
    said = words(results, verdict, fact)
    assert "接入前该台区已有越限" in said
    assert "表箱最高电压，配变单相负载率" in said
    assert (ending in said) == bool(ending) or not ending


def test_a_ledger_that_has_not_kept_it_says_so_and_earlier_codes_hold(results):
    old = dataclasses.replace(DRAWN, source="ledger", broken_before=None)
    assert "台账未记录接入前该台区是否已有越限" in words(results, CAPPED, old)
    assert "台账未记录" not in words(results, CAPPED, DRAWN)
    changed, name = one(results, CAPPED)
    row = changed.decisions.to_dict("records")[0]
    codes = [
        letter_code(LetterSource(changed, {name: fact}).facts(row, SETTINGS), SETTINGS)
        for fact in (old, dataclasses.replace(old, broken_before=()))
    ]
    assert codes[0] == codes[1]


@pytest.mark.parametrize(
    ("until", "part"), [(date(2026, 4, 11), "容量预留至 2026 年 04 月 11 日"), (None, "本答复不再有效")]
)
def test_an_approval_of_the_ledger_holds_as_long_as_its_reservation(results, until, part):
    fact = dataclasses.replace(DRAWN, source="ledger", held_until=until, batch="140827-abc", run="0123456789ab")
    said = words(results, CAPPED, fact)
    assert part in said
    assert "--database" in said
    assert "140827-abc" in said
    assert "个月，至" not in said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("quantity", CHECKS)
def test_every_check_of_draws_has_words_of_its_own(results, quantity, language):
    said = words(results, {**LATE, "binding_quantity": quantity}, DRAWN, language)
    assert quantity not in said
    assert ("一项技术指标" if language == "zh" else "a technical value") not in said


def test_the_code_covers_what_only_the_desk_says_and_leaves_runs_as_they_were(results):
    changed, name = one(results, CAPPED)
    row = changed.decisions.to_dict("records")[0]

    def code(desk: dict[str, DeskFact] | None) -> str:
        return letter_code(LetterSource(changed, desk).facts(row, SETTINGS), SETTINGS)

    known = code({name: DRAWN})
    for change in (
        {"probability_low": 0.8}, {"draws": 400}, {"broken_before": ("meter_voltage_v",)}, {"mark": "1"},
        {"held_until": date(2026, 4, 1)}, {"batch": "x"}, {"run": "y"}, {"source": "ledger"},
    ):  # fmt: skip
        assert code({name: dataclasses.replace(DRAWN, **change)}) != known, change
    assert code(None) == code({}) != known


@pytest.fixture
def answered(results, tmp_path):
    """A folder as `gridcheck decide` writes it, with one deferral in a real area."""
    area = read_county(next(NETWORKS.glob("140827-*"))).areas.iloc[0]
    changed, name = one(
        results, {**LATE, "county_code": "140827", "area_id": area["area_id"], "feeder_id": area["feeder_id"]}
    )
    with exported_folder(tmp_path / "answers", "decisions", synthetic=True) as folder:
        (folder / DECISIONS.file_name).write_bytes(csv_bytes(changed.decisions, DECISIONS))
        intervals = pd.DataFrame(
            {"application_id": [name], "probability_low": [0.843], "probability_high": [0.912], "draws": [200],
             "broken_before": ["meter_voltage_max_v;lv_loading_percent"]}
        )  # fmt: skip
        intervals.to_csv(folder / INTERVALS_FILE, index=False)
    return tmp_path / "answers", name, area


def test_a_folder_of_answers_is_read_with_its_places(answered):
    folder, name, area = answered
    assert is_answers_folder(folder)
    found = read_answers(folder, NETWORKS)

    fact = found.desk[name]
    assert (fact.draws, fact.probability_low, fact.synthetic) == (200, 0.843, True)
    assert fact.broken_before == ("meter_voltage_max_v", "lv_loading_percent")
    (letter,) = letters_of(found.results, found.results.decisions, SETTINGS, desk=found.desk)
    said = "\n".join(f"{name} {value}" for section in letter.sections for name, value in section.rows)
    assert area["substation_id"] in said
    assert letter.specimen


@pytest.mark.parametrize("file", [DECISIONS.file_name, INTERVALS_FILE])
def test_an_edited_folder_of_answers_is_refused(answered, file):
    folder, *_ = answered
    path = folder / file
    path.write_bytes(path.read_bytes().replace(b"200", b"800").replace(b"195.2", b"199.2"))
    with pytest.raises(LedgerError, match=file):
        read_answers(folder, NETWORKS)


def test_a_folder_of_something_else_is_refused(tmp_path):
    with exported_folder(tmp_path / "out", "letters", synthetic=True) as folder:
        (folder / INTERVALS_FILE).write_text("application_id\n")
    with pytest.raises(LedgerError, match="decide"):
        read_answers(tmp_path / "out", NETWORKS)
