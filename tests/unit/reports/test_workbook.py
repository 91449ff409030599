"""report.xlsx: texts stay texts, missing stays empty, same results same bytes."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import openpyxl
import pytest

from gridcheck.reports.folder import Results
from gridcheck.reports.texts import text
from gridcheck.reports.views import VIEWS
from gridcheck.reports.workbook import workbook_bytes, write_workbook
from tests.support.results import HOSTILE_NAME, sample_results

HEADER_ROW = 3


@pytest.fixture
def results() -> Results:
    return sample_results()


@pytest.fixture(scope="module")
def content() -> bytes:
    return workbook_bytes(sample_results())


@pytest.fixture
def book(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def test_sheets_are_in_order_and_chinese(book: openpyxl.Workbook) -> None:
    expected = [text("sheet.overview", "zh"), *(text(f"table.{name}", "zh") for name in VIEWS)]
    expected += [text("sheet.definitions", "zh"), text("sheet.provenance", "zh")]

    assert book.sheetnames == expected
    assert "口径说明" in book.sheetnames


def test_no_cell_is_a_formula_and_the_hostile_name_is_a_text(book: openpyxl.Workbook) -> None:
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    plan = book[text("table.plan", "zh")]
    cells = [cell for row in plan.iter_rows() for cell in row if cell.value == HOSTILE_NAME]

    assert "f" not in kinds
    assert [cell.data_type for cell in cells] == ["s"]
    assert all(cell.hyperlink is None for sheet in book for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("name", list(VIEWS))
def test_sheet_holds_every_row_with_numbers_as_numbers(name: str, book: openpyxl.Workbook, results: Results) -> None:
    view, sheet = VIEWS[name](results, "zh"), book[text(f"table.{name}", "zh")]

    assert sheet.max_row == HEADER_ROW + len(view.table)
    assert sheet.freeze_panes == "B4"
    assert sheet.auto_filter.ref is not None
    for c, column in enumerate(view.columns, start=1):
        assert sheet.cell(HEADER_ROW, c).value == column.heading
        if column.shown in ("integer", "real"):
            kinds = {type(sheet.cell(r, c).value) for r in range(HEADER_ROW + 1, sheet.max_row + 1)}
            assert kinds <= {int, float, type(None)}, column.name


def test_unsolved_area_has_empty_cells_not_zeros(book: openpyxl.Workbook, results: Results) -> None:
    view, sheet = VIEWS["areas"](results, "zh"), book[text("table.areas", "zh")]
    row = HEADER_ROW + 1 + int(view.table.index[view.table["state_code"] == "no_data"][0])
    column = [c.name for c in view.columns].index("peak_loading_percent") + 1

    assert sheet.cell(row, column).value is None
    assert "无数据" in str(sheet.cell(row, [c.name for c in view.columns].index("state") + 1).value)


def test_every_sheet_of_data_says_synthetic(book: openpyxl.Workbook) -> None:
    for name in VIEWS:
        assert "合成数据" in str(book[text(f"table.{name}", "zh")].cell(2, 1).value)


def test_money_is_in_ten_thousand_yuan(book: openpyxl.Workbook, results: Results) -> None:
    view, sheet = VIEWS["plan"](results, "zh"), book[text("table.plan", "zh")]
    column = [c.name for c in view.columns].index("cost_wan") + 1

    assert "万元" in str(sheet.cell(HEADER_ROW, column).value)
    assert sheet.cell(HEADER_ROW + 1, column).value == pytest.approx(float(results.plan["cost_yuan"].iloc[0]) / 10_000)


def test_same_results_give_the_same_bytes(content: bytes, results: Results, tmp_path: Path) -> None:
    write_workbook(results, tmp_path / "a.xlsx")

    assert (tmp_path / "a.xlsx").read_bytes() == content


def test_english_workbook_has_english_headings(results: Results) -> None:
    english = openpyxl.load_workbook(io.BytesIO(workbook_bytes(results, "en")), read_only=True)

    assert english.sheetnames[0] == "Overview"
    english.close()


def test_a_hot_spot_outside_the_model_is_shown_as_more_and_kept_as_a_number(results: Results) -> None:
    areas = results.areas.assign(hot_spot_c=[272.4, 99.96, *results.areas["hot_spot_c"].iloc[2:]])
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(dataclasses.replace(results, areas=areas), "en")))
    sheet = book["Areas"]
    headings = [cell.value for cell in sheet[3]]
    cell = sheet.cell(row=4, column=headings.index("Hot spot [°C]") + 1)

    assert cell.value == 272.4
    assert cell.number_format == '[>180]">180";#,##0.0'


def test_infinite_benefit_is_written_as_a_sign(results: Results) -> None:
    results.plan.loc[0, "benefit_per_wan"] = float("inf")

    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes(results)))[text("table.plan", "zh")]

    assert "∞" in {cell.value for cell in sheet[HEADER_ROW + 1]}
