from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from gridcheck.errors import InputError
from gridcheck.monitoring.csvfile import MAX_LINE_BYTES, open_csv
from tests.support.readings import LONG_HEADER, write_lines

ROW = "A1,2025-12-03 00:00,5,1,220,220,220"


def rows_and_power(path: Path) -> list[tuple[int, str | None]]:
    """Return row number and text of p_kw of every row that is not ragged."""
    found = []
    for chunk in open_csv(path).chunks():
        found += list(zip(chunk.row.tolist(), chunk.columns[2].to_pylist(), strict=True))
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_encodings_are_told_apart(tmp_path: Path, encoding: str) -> None:
    path = write_lines(tmp_path / "f.csv", ["台区编号,时间,有功功率", "运城1号,2025-12-03 00:00,5"], encoding=encoding)

    opened = open_csv(path)

    assert opened.encoding == ("gb18030" if encoding.startswith("gb") else "utf-8")
    assert [chunk.columns[0].to_pylist() for chunk in opened.chunks()] == [["运城1号"]]
    assert opened.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_gb18030_after_much_ascii_is_found(tmp_path: Path) -> None:
    lines = [LONG_HEADER + ",note", *([ROW + ",x"] * 60_000), ROW + ",备注"]
    path = write_lines(tmp_path / "f.csv", lines, encoding="gb18030")

    assert open_csv(path).encoding == "gb18030"
    assert len(rows_and_power(path)) == 60_001


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_line_ends(tmp_path: Path, delimiter: str, end: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(end.join([LONG_HEADER, ROW]).replace(",", delimiter).encode())

    assert rows_and_power(path) == [(2, "5")]


def test_row_numbers_count_title_blank_and_ragged_lines(tmp_path: Path) -> None:
    lines = ["title", "", LONG_HEADER, ROW, "", "A1,too,short", ROW.replace("5", "6", 1)]
    path = write_lines(tmp_path / "f.csv", lines)
    opened = open_csv(path)

    chunks = list(opened.chunks())

    assert [row for chunk in chunks for row in chunk.row.tolist()] == [4, 5, 7]
    assert [(line.row, line.n_cell) for line in opened.ragged] == [(6, 3)]


def test_row_numbers_hold_over_many_blocks(tmp_path: Path) -> None:
    generator = random.Random(5)
    lines, expected = [LONG_HEADER], []
    for number in range(2, 120_002):
        kind = generator.random()
        if kind < 0.01:
            lines.append("ragged,row")
        else:
            lines.append(f"A1,2025-12-03 00:00,{number},1,220,220,220")
            expected.append((number, str(number)))
    path = write_lines(tmp_path / "f.csv", lines)

    assert rows_and_power(path) == expected


def test_quoted_cells(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "f.csv", [LONG_HEADER, '"A1","2025-12-03 00:00","5","",220,220,220'])

    chunk = next(open_csv(path).chunks())

    assert chunk.columns[2].to_pylist() == ["5"]
    assert chunk.columns[3].to_pylist() == [None]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "is empty", id="empty file"),
        pytest.param(b"\xef\xbb\xbf", "no header", id="byte order mark alone"),
        pytest.param(b"\n\n\n", "no header", id="blank lines"),
        pytest.param(b"PK\x03\x04\x00\x00", "binary data", id="zip under a false name"),
        pytest.param(random.Random(1).randbytes(5000), "binary data|neither UTF-8", id="garbage"),
        pytest.param(bytes(range(128, 256)) * 50, "neither UTF-8 nor GB18030", id="garbage without NUL"),
        pytest.param(LONG_HEADER.encode("utf-16"), "UTF-16", id="UTF-16 with mark"),
        pytest.param(LONG_HEADER.encode("utf-16-le"), "binary data", id="UTF-16 without mark"),
        pytest.param(f"{LONG_HEADER}\rA1,x\r".encode(), "carriage return alone", id="old Mac line ends"),
        pytest.param(f"{LONG_HEADER}\n{',' * 10**6}\n{ROW}\n".encode(), "line 2 is over", id="a million columns"),
        pytest.param(b"x" * (5 * 2**20), "line 1 is over", id="no line end at all"),
        pytest.param(f'{LONG_HEADER}\n"A1,2025\n{ROW}\n'.encode(), "line 2: a quoted value", id="open quote"),
        pytest.param(f'{LONG_HEADER}\n{ROW}\n"A1'.encode(), "last line opens", id="open quote at the end"),
        pytest.param(f'{LONG_HEADER}\n"A\n1",2025-12-03 00:00,5,1,1,1,1\n'.encode(), "line 2", id="line end in quotes"),
    ],
)
def test_hostile_files_are_refused_with_a_reason(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(content)

    with pytest.raises(InputError, match=words):
        open_csv(path)


def test_long_line_far_down_is_named(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "f.csv", [LONG_HEADER, *[ROW] * 100_000, "x" * (MAX_LINE_BYTES + 1), ROW])

    with pytest.raises(InputError, match="line 100002 is over"):
        open_csv(path)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "f.csv", [LONG_HEADER, ROW])
    opened = open_csv(path)
    write_lines(path, [LONG_HEADER, ROW, ROW])

    with pytest.raises(InputError, match="was changed while it was read"):
        list(opened.chunks())
