"""Letters say in both languages what the results say, in words, whatever the ids in the files are."""

from __future__ import annotations

import dataclasses
import io
import re
import time
import zipfile
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import docx
import pandas as pd
import pytest

from gridcheck.connection.decision import Blocker, Verdict
from gridcheck.errors import ConfigError, InputError, LedgerError
from gridcheck.reports.folder import Results, read_results
from gridcheck.reports.letters import (
    INDEX_FILE,
    LetterChoice,
    LetterStyle,
    chosen_applications,
    letters_of,
    verify_letter,
    write_letters,
)
from gridcheck.reports.letters_docx import letters_docx
from gridcheck.reports.letters_facts import LetterSource, letter_code
from gridcheck.reports.letters_html import letters_html
from gridcheck.reports.letters_settings import default_settings, read_letter_settings
from gridcheck.reports.letters_words import LetterText
from gridcheck.reports.schemas import DECISIONS, PLAN
from gridcheck.reports.tables import normalised
from gridcheck.reports.texts import LANGUAGES, Language, label, text
from tests.support.results import sample_results, write_sample_results

DAY = date(2026, 1, 20)
SETTINGS = default_settings(DAY)
# Codes as the files have them: a word, an underscore, a word. Ids of this sample hold no underscore.
CODE = re.compile(r"\b[a-z]+_[a-z_]+\b")
CONDITIONS = (
    "heavy_area", "heavy_section", "heavy_feeder", "heavy_main_transformer", "low_voltage_watch", "staggered_start",
    "discouraged_device",
)  # fmt: skip
QUANTITIES = {
    "area_loading_percent": ("area", 104.2, 100.0),
    "hot_spot_c": ("area", 131.0, 120.0),
    "voltage_v": ("low_voltage", 195.3, 198.0),
    "vm_pu": ("section", 0.921, 0.93),
    "section_loading_percent": ("section", 101.0, 100.0),
    "feeder_loading_percent": ("feeder", 101.0, 100.0),
    "main_transformer_loading_percent": ("main_transformer", 101.0, 100.0),
    "not_converged": ("network", float("nan"), float("nan")),
}
HOSTILE = (
    '=cmd|"/c calc"!A1',
    "<script>alert(1)</script>",
    "x" * 64,
    "a\x00\x07\x1b[2Jb\ud800",
    "甲\u202e乙'; rm -rf ~",
)


@pytest.fixture(scope="module")
def results() -> Results:
    return sample_results()


def one(results: Results, **cells: Any) -> Results:
    """A run with one application that holds these cells."""
    given = results.decisions[results.decisions["verdict"] == "approve"].head(1).astype(object)
    row = {**given.iloc[0].to_dict(), "blocked_by": None, **cells}
    return dataclasses.replace(results, decisions=normalised(pd.DataFrame([row]), DECISIONS, "decisions.csv"))


def letter_of(results: Results, language: Language, **cells: Any) -> LetterText:
    changed = one(results, **cells)
    (letter,) = letters_of(changed, changed.decisions, SETTINGS, language)
    return letter


def words_of(letter: LetterText) -> str:
    parts = [letter.specimen, letter.title, letter.number, letter.dated, letter.verdict, letter.reply]
    for section in letter.sections:
        parts += [section.heading, *(f"{name} {value}" for name, value in section.rows), *section.lines]
    return "\n".join([*parts, *letter.signature, *letter.notes])


def docx_words(content: bytes) -> str:
    document = docx.Document(io.BytesIO(content))
    parts = [paragraph.text for paragraph in document.paragraphs]
    parts += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join(parts)


class Page(HTMLParser):
    """The tags, and the words a reader sees."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_in_words_and_no_code_leaks(results: Results, verdict: str, language: Language) -> None:
    conditions = {"approve_with_conditions": "heavy_area;staggered_start", "defer": "limit_kw:1.2"}.get(verdict)
    blocked = "promised_load" if verdict == "defer" else None
    letter = letter_of(results, language, verdict=verdict, conditions=conditions, blocked_by=blocked)
    words = words_of(letter)

    assert label("verdict", verdict, language) in letter.verdict
    assert text(f"letter_reply.{verdict}", language) == letter.reply
    assert CODE.findall(words) == []
    assert (text("letter_row.approved", language) in words) == (verdict in ("approve", "approve_with_conditions"))
    assert (text("letter_heading.unblock", language) in words) == (verdict == "defer")
    if verdict == "defer":
        assert "1.2 kW" in words
        assert text("letter_blocked_by.promised_load", language) in words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", CONDITIONS)
def test_every_condition_is_in_words(results: Results, code: str, language: Language) -> None:
    letter = letter_of(results, language, verdict="approve_with_conditions", conditions=code)

    assert text(f"letter_condition.{code}", language) in words_of(letter)
    assert code not in words_of(letter)
    is_remark = code == "discouraged_device"
    assert letter.reply == text(f"letter_reply.{'remark_only' if is_remark else 'approve_with_conditions'}", language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_binding_reason_of_a_deferral_is_in_words(results: Results, quantity: str, language: Language) -> None:
    level, value, limit = QUANTITIES[quantity]
    cells = {"binding_level": level, "binding_quantity": quantity, "binding_value": value, "binding_limit": limit}
    words = words_of(letter_of(results, language, verdict="defer", blocked_by="own_load", **cells))
    reason = text(f"letter_reason.{quantity}", language).split("{")[0]

    assert reason in words
    assert CODE.findall(words) == []
    assert "nan" not in words
    if quantity == "voltage_v":
        assert "195.3" in words
        assert "198" in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_of_a_later_version_is_not_shown(results: Results, language: Language) -> None:
    strange = {
        "verdict": "brand_new", "conditions": "new_thing:5;odd_one", "binding_level": "outer_space",
        "binding_quantity": "warp_percent", "blocked_by": "dark_matter", "phase": "q_phase",
    }  # fmt: skip
    for verdict in ("brand_new", "approve_with_conditions", "defer"):
        words = words_of(letter_of(results, language, **{**strange, "verdict": verdict}))
        assert CODE.findall(words) == []
        assert text("letter.unknown_code", language) in words


def test_codes_of_the_connection_room_have_words() -> None:
    for language in LANGUAGES:
        for code in Verdict:
            assert text(f"letter_reply.{code}", language)
        for code in Blocker:
            assert text(f"letter_blocked_by.{code}", language)


@pytest.mark.parametrize(
    ("clause", "quoted"),
    [
        ("Some standard cl. 4.3 [S]", True),
        ("Some standard cl. 4.3 [S2]", False),
        ("Some standard cl. 4.3 [G+]", False),
        ("Some standard cl. 4.3 [U]", False),
        ("Some standard cl. 4.3", False),
        (None, False),
    ],
)
def test_only_a_clause_that_was_read_is_quoted(results: Results, clause: str | None, *, quoted: bool) -> None:
    words = {language: words_of(letter_of(results, language, limit_clause=clause)) for language in LANGUAGES}

    assert ("working value" in words["en"]) == (not quoted)
    assert ("工作取值" in words["zh"]) == (not quoted)
    assert ("Some standard cl. 4.3" in words["en"]) == (clause is not None)


def test_what_is_approved_and_how_it_is_supplied(results: Results) -> None:
    single = words_of(letter_of(results, "zh", rated_kw=2.6, phase="B"))
    three = words_of(letter_of(results, "en", rated_kw=9.0, phase="ABC"))

    assert "批准容量 2.6 kW" in single
    assert "单相 220 V，接入 B 相" in single
    assert "至 2026 年 04 月 20 日" in single
    assert "Approved 9 kW" in three
    assert "three-phase 380 V" in three


def plan_of(results: Results, rows: list[dict[str, Any]]) -> Results:
    base = results.plan.iloc[0].to_dict()
    table = pd.DataFrame([{**base, "project_id": f"R{k}", "rank": k, **row} for k, row in enumerate(rows)])
    return dataclasses.replace(results, plan=normalised(table, PLAN, "plan.csv"))


def test_a_deferral_names_the_project_of_its_place(results: Results) -> None:
    own = one(results, verdict="defer", blocked_by="own_load", binding_level="area")
    area, feeder = own.decisions.loc[0, ["area_id", "feeder_id"]]
    common = {"chosen": False, "outcome": "over_budget", "cost_yuan": 110_000.0, "description": "a → b"}
    swap = {**common, "area_id": area, "feeder_id": feeder, "measure": "transformer_swap_400"}
    line = {**common, "area_id": None, "feeder_id": feeder, "measure": "mv_reconductor", "cost_yuan": 540_000.0}
    other = {**common, "area_id": "somewhere else", "measure": "lv_regulator"}
    planned = plan_of(own, [swap, line, other, {**swap, "measure": "new_area_200", "chosen": True, "cost_yuan": 500.0}])

    (letter,) = letters_of(planned, planned.decisions, SETTINGS, "zh")
    words = words_of(letter)

    assert "新增200 kVA台区（a → b）：估计造价 500 元；已列入资金内的改造方案；预计时间：尚未排期" in words
    assert "配变增容" not in words
    assert "低压线路调压器" not in words
    assert "10 kV线路换线" not in words

    place = {"area_id": area, "feeder_id": feeder}
    above = one(results, verdict="defer", blocked_by="own_load", binding_level="feeder", **place)
    (letter,) = letters_of(plan_of(above, [line, swap]), above.decisions, SETTINGS, "en")
    assert "On your feeder: 10 kV reconductoring" in words_of(letter)
    assert "540,000 yuan" in words_of(letter)
    assert "not scheduled" in words_of(letter)


def test_a_deferral_without_a_project_says_so(results: Results) -> None:
    own = one(results, verdict="defer", blocked_by="own_load", area_id="nowhere", feeder_id="nowhere")

    assert text("letter_project.none", "en") in words_of(letters_of(own, own.decisions, SETTINGS, "en")[0])


def test_numbers_name_year_county_and_place_and_are_never_shared(results: Results) -> None:
    texts = letters_of(results, results.decisions, SETTINGS)
    assert len({letter.number for letter in texts}) == len(results.decisions)
    assert (
        letter_of(results, "zh", county_code="140827", queue_position=123).number == "编号：运电答〔2026〕140827-000123"
    )

    twice = pd.concat([one(results, application_id=name).decisions for name in "ab"], ignore_index=True)
    shared = dataclasses.replace(results, decisions=twice)
    assert len({letter.number for letter in letters_of(shared, twice, SETTINGS)}) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_document_and_page_say_all_of_the_letter(results: Results, language: Language) -> None:
    letter = letter_of(results, language, verdict="defer", blocked_by="own_load", conditions="limit_kw:1.2")
    document = docx_words(letters_docx([letter]))
    page = Page(letters_html([letter]))
    shown = "\n".join(page.words)

    for line in words_of(letter).splitlines():
        found = line if line in document else None
        assert found or all(part in document for part in line.split(" ")), line
        assert all(part in shown for part in line.split(" ")), line
    for words in (document, shown):
        assert letter.code in words
        assert text("letter.specimen", language) in words
    assert not {"script", "img", "link", "iframe", "form"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in ("src", "href") or name.startswith("on")]
    assert "url(" not in letters_html([letter])


def test_a_document_is_a4_with_a_warning_on_every_page(results: Results) -> None:
    content = letters_docx([letter_of(results, "zh")])
    section = docx.Document(io.BytesIO(content)).sections[0]

    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    assert section.header.paragraphs[0].text == text("letter.watermark", "zh")
    assert len(content) < 20_000


def test_real_data_carry_no_warning(results: Results) -> None:
    real = dataclasses.replace(results, summary={**results.summary, "synthetic": False})
    letter = letters_of(real, real.decisions.head(1), SETTINGS)[0]

    assert letter.specimen == ""
    assert "样张" not in docx_words(letters_docx([letter])) + letters_html([letter])
    assert docx.Document(io.BytesIO(letters_docx([letter]))).sections[0].header.paragraphs[0].text == ""


@pytest.mark.parametrize("identifier", HOSTILE, ids=["formula", "script", "long", "control", "bidi"])
def test_hostile_ids_stay_text(results: Results, identifier: str, tmp_path: Path) -> None:
    cells = {
        "application_id": identifier,
        "area_id": identifier,
        "feeder_id": identifier,
        "binding_element": identifier,
    }
    hostile = one(results, **cells, verdict="defer", blocked_by="own_load", county_code="../" + identifier[:3])
    letter = letters_of(hostile, hostile.decisions, SETTINGS)[0]
    page = Page(letters_html([letter]))
    document = docx_words(letters_docx([letter]))
    shown = identifier if identifier.isprintable() else "\ufffd"

    assert "script" not in page.tags
    assert shown in document
    assert shown in "".join(page.words)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e\ud800]", document + "".join(page.words))


@pytest.mark.parametrize("identifier", HOSTILE[:3])
def test_files_of_hostile_ids_stay_in_their_folder(results: Results, identifier: str, tmp_path: Path) -> None:
    hostile = one(results, application_id=identifier, county_code="../../x")
    index = write_letters(hostile, tmp_path / "out", LetterChoice(application_ids=(identifier,)), SETTINGS)

    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / index.loc[0, "file"]).is_file()
    assert "'=cmd" in (tmp_path / "out" / INDEX_FILE).read_text("utf-8") or not identifier.startswith("=")


def test_the_line_to_paste_quotes_a_hostile_id(results: Results) -> None:
    words = words_of(letter_of(results, "en", application_id="a; rm -rf ~"))

    assert "gridcheck letters 'a; rm -rf ~' --results FOLDER --date 2026-01-20 --verify " in words


def test_the_code_covers_all_that_a_letter_says(results: Results) -> None:
    cells = {"verdict": "defer", "blocked_by": "own_load", "conditions": "limit_kw:1.2"}
    base = one(results, **cells)
    name = base.decisions.loc[0, "application_id"]
    row = base.decisions.to_dict("records")[0]
    code = letter_code(LetterSource(base).facts(row, SETTINGS), SETTINGS)

    assert re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", code)
    assert verify_letter(code.lower().replace("-", " "), base, name, SETTINGS)
    assert not verify_letter("", base, name, SETTINGS)
    for change in (
        {"verdict": "approve"}, {"rated_kw": 9.9}, {"conditions": "limit_kw:1.3"}, {"margin_kw": -1.25},
        {"binding_value": 1.0}, {"phase": "ABC"}, {"queue_position": 7}, {"limit_clause": "x [S]"},
    ):  # fmt: skip
        assert not verify_letter(code, one(results, **{**cells, **change}), name, SETTINGS), change
    assert not verify_letter(code, base, name, dataclasses.replace(SETTINGS, issued_on=date(2026, 1, 21)))
    assert not verify_letter(code, base, name, dataclasses.replace(SETTINGS, telephone="1"))
    assert {letters_of(base, base.decisions, SETTINGS, language)[0].code for language in LANGUAGES} == {code}


def test_a_code_is_found_again_in_a_folder_that_was_written(tmp_path: Path) -> None:
    written = read_results(write_sample_results(tmp_path / "results"))
    name = str(written.decisions.loc[3, "application_id"])
    index = write_letters(written, tmp_path / "letters", LetterChoice(application_ids=(name,)), SETTINGS)
    again = read_results(tmp_path / "results")

    assert verify_letter(index.loc[0, "code"], again, name, SETTINGS)
    assert str(written.summary["files"]["decisions.csv"]["sha256"])[:12] in docx_words(
        (tmp_path / "letters" / index.loc[0, "file"]).read_bytes()
    )


@pytest.mark.parametrize("form", ["docx", "html"])
@pytest.mark.parametrize("together", [False, True])
def test_same_results_give_the_same_bytes(results: Results, form: Any, *, together: bool, tmp_path: Path) -> None:
    style = LetterStyle(format=form, together=together)
    choice = LetterChoice(application_ids=tuple(results.decisions["application_id"].head(3)))
    for name in ("a", "b"):
        write_letters(results, tmp_path / name, choice, SETTINGS, style)
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b"))

    assert first == second
    assert len(first) == (1 if together else 3) + 2
    if form == "docx":
        content = next(value for name, value in first.items() if name.endswith("docx"))
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_letters_together_begin_on_pages_of_their_own(results: Results) -> None:
    letters = letters_of(results, results.decisions.head(4), SETTINGS)
    document = docx.Document(io.BytesIO(letters_docx(letters)))
    starts = [p for p in document.paragraphs if p._p.xpath("./w:pPr/w:pageBreakBefore")]

    assert [p.text for p in document.paragraphs if p.style.name == "Title"] == [letters[0].title] * 4
    assert len(starts) == 3
    assert letters_html(letters).count("<article>") == 4


def test_a_village_or_a_county_is_chosen(results: Results) -> None:
    codes = ["140827001", "140827002"]
    villages = [codes[k % 2] for k in range(len(results.decisions))]
    table = normalised(results.decisions.assign(village_code=villages), DECISIONS, "decisions.csv")
    located = dataclasses.replace(results, decisions=table)

    chosen = chosen_applications(located, LetterChoice(village_code=codes[1], county_code="140827"))
    assert set(chosen["village_code"]) == {codes[1]}
    assert set(chosen["county_code"]) == {"140827"}
    with pytest.raises(InputError, match="Name at least one"):
        chosen_applications(located, LetterChoice())
    with pytest.raises(InputError, match="fits what is named"):
        chosen_applications(located, LetterChoice(village_code="1"))
    with pytest.raises(InputError, match="2 of the ids") as error:
        chosen_applications(located, LetterChoice(application_ids=("no", "nor this")))
    assert error.value.findings == ("no", "nor this")


def test_a_folder_with_other_things_is_left_alone(results: Results, tmp_path: Path) -> None:
    choice = LetterChoice(application_ids=(str(results.decisions.loc[0, "application_id"]),))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letters.csv").write_text("mine")
    with pytest.raises(LedgerError, match=r"letters\.csv; it is left alone"):
        write_letters(results, tmp_path / "mine", choice, SETTINGS)
    write_letters(results, tmp_path / "out", choice, SETTINGS)
    write_letters(results, tmp_path / "out", choice, SETTINGS, LetterStyle(format="html"))
    assert not list((tmp_path / "out").glob("*.docx"))
    (tmp_path / "out" / "note.txt").write_text("mine")
    with pytest.raises(LedgerError, match=r"note\.txt"):
        write_letters(results, tmp_path / "out", choice, SETTINGS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]


def test_settings_of_an_office_are_printed_and_checked(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    path.write_text('telephone = "0000"\nvalidity_months = 6\n[issuer]\nzh = "某供电所"\n', encoding="utf-8")
    settings = read_letter_settings(path, DAY)
    letter = letters_of(results, results.decisions.head(1), settings, "zh")[0]

    assert settings.valid_until == date(2026, 7, 20)
    assert "电话：0000；地址：【待填写】" in words_of(letter)
    assert letter.signature[0] == "答复单位：某供电所"

    path.write_text('colour = 1\nvalidity_months = 0\nnumber = "x"\nissuer = "y"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_letter_settings(path, DAY)
    assert [finding.split(":")[0] for finding in error.value.findings] == [
        "key colour", "key validity_months", "key number", "key issuer",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="cannot be read as TOML"):
        read_letter_settings(tmp_path / "nowhere.toml", DAY)


def test_no_office_or_telephone_is_made_up() -> None:
    assert SETTINGS.telephone == ""
    assert {SETTINGS.issuer.zh, SETTINGS.contact.zh, SETTINGS.address.en} == {""}


def test_two_hundred_documents_are_written_quickly(results: Results) -> None:
    letters = letters_of(results, results.decisions.head(200), SETTINGS)
    assert len(letters) == 200
    letters_docx(letters[:1])  # the shell is made once
    start = time.process_time()
    for letter in letters:
        letters_docx([letter])
    # Time of the processor, which a machine that is busy with other things does not change much: about 2 ms each.
    assert (time.process_time() - start) / len(letters) < 0.02
