from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from gridcheck import workbook_guard
from gridcheck.errors import InputError
from gridcheck.monitoring import workbook
from gridcheck.monitoring.sources import FORMULA_MARK
from gridcheck.monitoring.workbook import open_workbook
from gridcheck.workbook_guard import check_workbook
from tests.support.readings import clock

HEADER = ["area_id", "time", "p_kw", "ua_v"]
SHEET = "xl/worksheets/sheet1.xml"


def workbook_bytes(rows: list[list[object]], *, sheets: int = 1) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        for number in range(sheets):
            sheet = book.add_worksheet()
            for row, cells in enumerate(rows if number == 0 else []):
                sheet.write_row(row, 0, cells)
    return content.getvalue()


def with_member(content: bytes, name: str, replacement: bytes) -> bytes:
    """Return the archive with one member replaced or added."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, replacement)
    return result.getvalue()


def sheet_of(cells: str) -> bytes:
    head = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    return f"{head}{cells}</sheetData></worksheet>".encode()


PLAIN = workbook_bytes([HEADER, ["A1", "2025-12-03 00:00", 5, 220]])


def columns_of(path: Path, content: bytes) -> tuple[list[int], dict[int, list[str | None]]]:
    path.write_bytes(content)
    chunks = list(open_workbook(path).chunks())
    rows = [row for chunk in chunks for row in chunk.row.tolist()]
    positions = chunks[0].columns if chunks else {}
    return rows, {key: [cell for chunk in chunks for cell in chunk.columns[key].to_pylist()] for key in positions}


def test_cells_become_the_text_a_csv_file_would_hold(tmp_path: Path) -> None:
    rows = [
        HEADER,
        [140881.0, dt.datetime.fromisoformat("2025-12-03"), 5.25, 220],
        ["A2", dt.datetime.fromisoformat("2025-12-03 11:45"), "-", None],
    ]

    numbers, columns = columns_of(tmp_path / "f.xlsx", workbook_bytes(rows))

    assert numbers == [2, 3]
    assert columns[0] == ["140881", "A2"]
    assert columns[1] == ["2025-12-03 00:00:00", "2025-12-03 11:45:00"]
    assert columns[2] == ["5.25", None]
    assert columns[3] == ["220", None]


def test_quarter_hours_kept_as_floats_come_back_exactly(tmp_path: Path) -> None:
    times = [dt.datetime.fromisoformat("2025-12-03") + n * dt.timedelta(minutes=15) for n in range(96)]

    _, columns = columns_of(tmp_path / "f.xlsx", workbook_bytes([HEADER, *(["A1", time, 1, 1] for time in times)]))

    assert columns[1] == [f"2025-12-03 {clock(n)}:00" for n in range(96)]


def test_clock_headers_of_a_wide_sheet(tmp_path: Path) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        time_format, day_format = (
            book.add_format({"num_format": "hh:mm"}),
            book.add_format({"num_format": "yyyy-mm-dd"}),
        )
        sheet.write_row(0, 0, ["area_id", "date", "quantity"])
        for point in range(96):
            sheet.write_number(0, 3 + point, (point + 1) / 96, time_format)
        sheet.write_row(1, 0, ["A1", "", "P", *range(96)])
        sheet.write_datetime(1, 1, dt.datetime.fromisoformat("2025-12-03"), day_format)
    path = tmp_path / "f.xlsx"
    path.write_bytes(content.getvalue())

    layout = open_workbook(path).layout

    assert layout.label == "end"
    assert layout.slots == tuple(range(96))


def test_formula_cells_are_marked_with_or_without_a_stored_result(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append([None, *HEADER])
    book.active.append([None, "A1", "2025-12-03 00:00", "=2+3", 220])
    without_result = io.BytesIO()
    book.save(without_result)
    with_result = io.BytesIO()
    with xlsxwriter.Workbook(with_result) as book2:
        sheet = book2.add_worksheet()
        sheet.write_row(0, 1, HEADER)
        sheet.write_row(1, 1, ["A1", "2025-12-03 00:00", "", 220])
        sheet.write_formula(1, 3, "=2+3", None, 5)

    for content in (without_result, with_result):
        path = tmp_path / "f.xlsx"
        path.write_bytes(content.getvalue())
        chunk = next(open_workbook(path).chunks())
        cells = [column.to_pylist() for column in chunk.columns.values()]
        assert cells == [["A1"], ["2025-12-03 00:00"], [FORMULA_MARK], ["220"]]


def test_other_sheets_are_named_as_not_read(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    path.write_bytes(workbook_bytes([HEADER, ["A1", "2025-12-03 00:00", 5, 220]], sheets=2))

    assert "Sheet2" in open_workbook(path).notes[0]


def lying_directory(content: bytes) -> bytes:
    """Return the archive with the unpacked size of the sheet given as 100 bytes in its central directory."""
    result = bytearray(content)
    place = content.index(b"PK\x01\x02")
    while result[place + 46 : place + 46 + len(SHEET)] != SHEET.encode():
        place = content.index(b"PK\x01\x02", place + 4)
    result[place + 24 : place + 28] = struct.pack("<I", 100)
    return bytes(result)


def encrypted(content: bytes) -> bytes:
    """Return the archive with its first member marked as encrypted in the central directory."""
    result = bytearray(content)
    result[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(result)


def odd_cell(reference: str) -> bytes:
    return sheet_of(f'<row r="1"><c r="{reference}"><v>1</v></c></row>')


BILLION_LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
EXTERNAL = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'
FAR_APART = sheet_of('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
FAR_ROW = sheet_of('<row r="1"><c r="ZZ1"><v>1</v></c></row><row r="900000"><c><v>1</v></c></row>')
ZIP_BOMB = with_member(PLAIN, SHEET, sheet_of(" " * (20 * 2**20)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "not a readable .xlsx", id="empty file"),
        pytest.param(b"area_id,time\n", "not a readable .xlsx", id="text under a false name"),
        pytest.param(PLAIN[: len(PLAIN) // 2], "not a readable .xlsx", id="cut off"),
        pytest.param(ZIP_BOMB, "times its size|MiB", id="zip bomb"),
        pytest.param(lying_directory(ZIP_BOMB), "times its size|MiB", id="zip bomb with a lying directory"),
        pytest.param(with_member(PLAIN, SHEET, FAR_APART), "1048576 rows x 16384 columns", id="two cells far apart"),
        pytest.param(with_member(PLAIN, SHEET, FAR_ROW), "900000 rows", id="far row without cell references"),
        pytest.param(
            with_member(PLAIN, SHEET, odd_cell("ABCD1")), "stands in column 'ABCD'", id="column of four letters"
        ),
        pytest.param(with_member(PLAIN, SHEET, odd_cell("A12345678")), "stands in row", id="row of eight digits"),
        pytest.param(with_member(PLAIN, SHEET, odd_cell("A")), "stands in row ''", id="cell without a row"),
        pytest.param(encrypted(PLAIN), "encrypted", id="encrypted member"),
        pytest.param(with_member(PLAIN, SHEET, BILLION_LAUGHS), "XML that is not accepted", id="entities"),
        pytest.param(with_member(PLAIN, SHEET, EXTERNAL), "XML that is not accepted", id="external entity"),
        pytest.param(with_member(PLAIN, SHEET, b"<worksheet>"), "XML that is not accepted", id="broken XML"),
        pytest.param(with_member(PLAIN, "xl/vbaProject.bin", b"x"), "macros", id="macros"),
        pytest.param(with_member(PLAIN, "[Content_Types].xml", b"<x/>")[:-1], "not a readable", id="cut by a byte"),
    ],
)
def test_hostile_workbooks_are_refused_before_a_reader_sees_them(content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_workbook(content, where="f.xlsx")


def test_a_sheet_hidden_in_a_part_that_is_not_xml_is_refused() -> None:
    relations = "xl/_rels/workbook.xml.rels"
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as archive:
        changed = archive.read(relations).replace(b"worksheets/sheet1.xml", b"worksheets/sheet1.dat")
    content = with_member(with_member(PLAIN, relations, changed), "xl/worksheets/sheet1.dat", FAR_APART)

    with pytest.raises(InputError, match="not XML"):
        check_workbook(content, where="f.xlsx")


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "MAX_MEMBERS", 3)

    with pytest.raises(InputError, match="members, allowed are 3"):
        check_workbook(PLAIN, where="f.xlsx")


def test_a_plain_workbook_passes() -> None:
    facts = check_workbook(PLAIN, where="f.xlsx")

    assert facts.formulas == frozenset()
    assert 0 < facts.unpacked_bytes < 100_000


def test_the_sum_of_all_members_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "MAX_UNPACKED_BYTES", 2000)

    with pytest.raises(InputError, match="unpacks to more than"):
        check_workbook(PLAIN, where="f.xlsx")


def test_large_files_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_FILE_BYTES", 100)
    (tmp_path / "f.xlsx").write_bytes(PLAIN)

    with pytest.raises(InputError, match="Give it as CSV"):
        open_workbook(tmp_path / "f.xlsx")


def test_a_workbook_that_the_reader_cannot_open_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "f.xlsx").write_bytes(with_member(PLAIN, SHEET, b'<?xml version="1.0"?><nothing/>'))

    with pytest.raises(InputError):
        open_workbook(tmp_path / "f.xlsx")


def test_durations_clock_times_and_truth_values_become_text(tmp_path: Path) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["area_id", "date", "time", "p_kw"])
        clock_format, long_format = (book.add_format({"num_format": code}) for code in ("hh:mm", "[h]:mm"))
        for row, (value, cell_format) in enumerate([(0.25, clock_format), (1.0, long_format)], start=1):
            sheet.write_row(row, 0, ["A1", "2025-12-03"])
            sheet.write_number(row, 2, value, cell_format)
            sheet.write_boolean(row, 3, row == 1)

    _, columns = columns_of(tmp_path / "f.xlsx", content.getvalue())

    assert columns[2] == ["06:00", "24:00"]
    assert columns[3] == ["TRUE", "FALSE"]
