"""Every word on screen stands in the catalogue, in both languages, with the same placeholders."""

from __future__ import annotations

import ast
import dataclasses
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import dashboards
import gridcheck.reports
from gridcheck.checks.area_outages import AreaRemedy
from gridcheck.checks.supply_tree import LEVEL, QUANTITY
from gridcheck.connection.decision import Blocker, Verdict
from gridcheck.connection.low_voltage_verdict import MANAGED_START, REPHASE, TAP_DOWN, TAP_UP
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.reports.applications_rejected import APPLICATIONS_REJECTED
from gridcheck.reports.area_outages import AREA_OUTAGES
from gridcheck.reports.candidates import CANDIDATES
from gridcheck.reports.labels import clause_text
from gridcheck.reports.maps import MAP_MEASURES
from gridcheck.reports.plan_items import PLAN_ITEMS
from gridcheck.reports.provenance import definition_rows
from gridcheck.reports.schemas import TABLES
from gridcheck.reports.switching_sheets import SWITCHING_SHEETS
from gridcheck.reports.texts import LANGUAGES, TEXT_FILES, codes, column_label, is_known, label, text
from gridcheck.units import POINTS_PER_DAY

FURTHER = (CANDIDATES, AREA_OUTAGES, SWITCHING_SHEETS, PLAN_ITEMS, APPLICATIONS_REJECTED)
SPECS = {**TABLES, **{spec.name: spec for spec in FURTHER}}
FOLDERS = [Path(package.__file__).parent for package in (gridcheck.reports, dashboards) if package.__file__]
MODULES = sorted(path for folder in FOLDERS for path in folder.rglob("*.py"))
CATALOGUES = [FOLDERS[0] / name for name in TEXT_FILES]
CJK = re.compile(r"[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]")


def entries(node: dict, path: str = "") -> Iterator[tuple[str, dict]]:
    for name, value in node.items():
        key = f"{path}.{name}" if path else name
        if set(value) == set(LANGUAGES) and all(isinstance(words, str) for words in value.values()):
            yield key, value
        else:
            yield from entries(value, key)


def all_entries() -> dict[str, dict]:
    return {key: words for path in CATALOGUES for key, words in entries(tomllib.loads(path.read_text("utf-8")))}


def test_no_section_stands_in_two_files() -> None:
    sections = [section for path in CATALOGUES for section in tomllib.loads(path.read_text("utf-8"))]

    assert len(set(sections)) == len(sections)


def strings(path: Path) -> Iterator[ast.Constant]:
    """String constants of a module that are neither docstrings nor in doctests."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_chinese_literal_outside_the_catalogue(path: Path) -> None:
    # Signs that a spreadsheet takes for operators, and those that may stand in an id, are data, not wording.
    found = [node.value for node in strings(path) if CJK.search(re.sub("＝＋－＠|（）〔〕", "", node.value))]

    assert found == []


def test_every_entry_speaks_both_languages_with_the_same_placeholders() -> None:
    known = all_entries()
    assert len(known) > 300

    faults = [
        key
        for key, words in known.items()
        # Chinese counts money in ten thousands and English in millions; both numbers are offered.
        if set(re.findall(r"{\w+}", words["zh"])) != set(re.findall(r"{\w+}", words["en"].replace("_million}", "}")))
    ]

    assert faults == []
    assert [key for key, words in known.items() if not words["zh"].strip() and key != "unit_word.1"] == []
    assert [key for key, words in known.items() if CJK.search(words["en"]) and not key.startswith("language.")] == []


def keys_used() -> Iterator[tuple[str, str, bool]]:
    """Module, key or beginning of a key, and whether it is whole, of every call of text(...)."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "text" and node.args):
                continue
            asked = node.args[0]
            for option in (asked.body, asked.orelse) if isinstance(asked, ast.IfExp) else (asked,):
                if isinstance(option, ast.JoinedStr) and isinstance(option.values[0], ast.Constant):
                    yield path.stem, str(option.values[0].value), False
                elif isinstance(option, ast.Constant):
                    yield path.stem, str(option.value), True


def test_every_key_that_the_program_asks_for_exists() -> None:
    known = all_entries()
    used = list(keys_used())
    assert len(used) > 100

    missing = [
        (module, key)
        for module, key, is_whole in used
        if (key not in known if is_whole else not any(entry.startswith(key) for entry in known))
    ]

    assert missing == []


@pytest.mark.parametrize("table", list(SPECS))
def test_every_column_has_a_heading_in_both_languages(table: str) -> None:
    spec = SPECS[table]
    for column in (*spec.columns, *spec.optional):
        assert column_label(table, column.name, "zh") != column.name, column.name
        assert CJK.search(column_label(table, column.name, "zh")) or column.name == "n_minus_1"
        assert column_label(table, column.name, "en") != column.name


def test_every_column_of_every_file_is_explained_in_both_languages() -> None:
    for language in LANGUAGES:
        rows = definition_rows(language)
        assert {row[0] for row in rows} == {*(spec.file_name for spec in SPECS.values()), "curves.parquet"}
        assert [row[:2] for row in rows if not row[2] or not row[4]] == []
    codes_explained = {row[1] for row in definition_rows("en")}
    assert codes_explained >= {
        "untransferred_households",
        "newly",
        "tried",
        "group",
        "lon",
        "synthetic",
        "closing_stage",
    }


def test_codes_of_the_other_rooms_have_words() -> None:
    assert [code for code in Verdict if not is_known("verdict", code)] == []
    assert [code for code in Verdict if not is_known("verdict_sentence", code)] == []
    assert [code for code in Blocker if not is_known("blocked_by", code)] == []
    assert [code for code in AreaRemedy if not is_known("remedy", code)] == []
    assert [code for code in LEVEL.values() if not is_known("level", code)] == []
    assert [code for code in QUANTITY.values() if not is_known("quantity", code)] == []
    assert [
        measure.code
        for measure in MAP_MEASURES
        for part in ("map", "map_short", "map_caption")
        if not is_known(part, measure.code)
    ] == []


def test_clauses_of_operating_limits_have_chinese_words() -> None:
    limits = [getattr(DEFAULT_LIMITS, field.name) for field in dataclasses.fields(DEFAULT_LIMITS)]
    operating = [limit for limit in limits if not limit.name.startswith("thermal_")]
    assert len(operating) > 15

    assert [limit.name for limit in operating if not CJK.search(clause_text(limit.clause, "zh"))] == []
    assert all(clause_text(limit.clause, "en") == limit.clause for limit in limits)


def test_unknown_code_is_shown_and_unknown_wording_is_a_mistake() -> None:
    assert label("verdict", "brand_new", "zh") == "brand_new"
    assert label("verdict", None, "zh") == label("verdict", float("nan"), "zh") == ""
    with pytest.raises(KeyError, match=r"nav\.nowhere"):
        text("nav.nowhere", "zh")


def test_note_on_intervals_matches_the_number_of_points() -> None:
    assert POINTS_PER_DAY == 96
    assert "96" in text("page.measured_note", "zh")
    assert codes("verdict") == tuple(Verdict)


def test_every_limit_of_a_report_has_a_name_in_words():
    named = {
        limit.name
        for limit in DEFAULT_LIMITS.all()
        if is_known("quantity", limit.name) or is_known("limit", limit.name)
    }
    assert {limit.name for limit in DEFAULT_LIMITS.all()} - named == set()


def test_every_condition_of_the_desk_has_words():
    codes_given = [
        code.partition(":")[0] for code in (MANAGED_START, TAP_UP, TAP_DOWN, REPHASE, "phase:A", "limit_kw:1")
    ]
    assert [code for code in codes_given if not is_known("condition", code)] == []
