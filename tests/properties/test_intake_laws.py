"""Laws of intake for any corrupted file: every row once, nothing wrong goes through, and what comes back can return."""

import csv
import dataclasses
import datetime as dt
import io
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.connection.applications import parse_applications
from gridcheck.connection.intake import read_application_file, rejected_bytes, sort_rows
from tests.support.application_files import GOOD, PLACES, TODAY, YUANQU, areas, csv_of, take_in, wish, workbook_of

AREAS = areas().query("county_code == @YUANQU")
VILLAGE_OF = dict(zip(AREAS["area_id"], AREAS["village_code"], strict=True))
COLUMNS = [*GOOD, "户号", "备注", "排队序号"]
# What goes wrong in real files: slips, other words, spreadsheets, and cells that mean harm.
CELLS = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                " ",
                "垣曲",
                "140827",
                "永济市",
                "上王村",
                "清南",
                "双名庄村委会",
                "140827-A0001",
                "140827-A0003",
                "140881-A0001",
            ),
            *(
                "2025/10/1",
                "20251301",
                "2099-01-01",
                "热泵",
                "地源热泵",
                "0",
                "-3",
                "13.5",
                "1e9",
                "nan",
                "三相",
                "A相",
                "困难",
            ),
            *(
                "=1+1",
                "@x",
                "-",
                "+86",
                "\t=2",
                "'",
                "''=3",
                "a,b",
                'say "no"',
                "line\nbreak",
                "１",
                "P1",
                "P2",
                "1",
                "2",
            ),
        ]
    ),
    st.text(st.characters(codec="gb18030", exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=8),
)
# Cells that look like what belongs into their column, and must not pass.
FALSE_FRIENDS = st.sampled_from(
    [
        {"申请日期": "2099-01-01"}, {"申请日期": "2001-01-01"}, {"额定功率(kW)": "0.1"}, {"村": "清南村"},
        {"额定功率(kW)": "14", "设备": "蓄热式电暖器"}, {"台区": "140827-A0003"},
        {"户号": "7"}, {"户号": "7", "设备": "地源热泵"},
    ]
)  # fmt: skip
CHANGES = st.one_of(st.just({}), FALSE_FRIENDS, st.dictionaries(st.sampled_from(COLUMNS), CELLS, max_size=3))
ROWS = st.lists(st.tuples(st.integers(1, 6), CHANGES), min_size=1, max_size=12)
QUIET = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def rows_of(drawn, *, positions: bool) -> list[dict[str, str]]:
    columns = COLUMNS if positions else COLUMNS[:-1]
    plain = [{**wish(number), "户号": "", "备注": "", "排队序号": str(number)} | change for number, change in drawn]
    return [{name: row[name] for name in columns} for row in plain]


def is_blank(row: dict[str, str]) -> bool:
    return not any(cell.strip() for cell in row.values())


@pytest.mark.parametrize("make", [csv_of, workbook_of], ids=["csv", "xlsx"])
@QUIET
@given(drawn=ROWS, positions=st.booleans())
def test_every_row_is_accepted_or_comes_back_and_nothing_wrong_goes_through(tmp_path, make, drawn, positions):
    rows = rows_of(drawn, positions=positions)
    found = take_in(tmp_path, make(rows))

    assert len(found.accepted) + len(found.rejected) == len(found.file.rows)
    assert len(found.file.rows) == len(rows)
    assert all(found.faults)
    # What stands in the grid, the plan and the rules, told again in other words than those of the intake.
    ids = [one.application_id for one in found.accepted]
    assert len(set(ids)) == len(ids)
    for one in found.accepted:
        assert VILLAGE_OF[one.area_id] == one.village_code
        assert one.county_code == YUANQU
        assert one.device in DEVICE_CLASSES
        assert one.phase in ("A", "B", "C", "ABC")
        assert 0.4 <= one.rated_kw <= (25.0 if one.phase == "ABC" else 13.2)
        assert dt.date(2015, 1, 1) <= one.applied_on <= TODAY + dt.timedelta(days=7)
    again = parse_applications(found.table(), area_ids=list(VILLAGE_OF), county_code=YUANQU, source="accepted")
    assert again == found.accepted


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
@QUIET
@given(drawn=ROWS)
def test_what_came_back_says_the_same_again_and_runs_nothing(tmp_path, encoding, drawn):
    found = take_in(tmp_path, csv_of(rows_of(drawn, positions=True), encoding=encoding))
    if not len(found.rejected):
        return
    content = rejected_bytes(found)
    again = take_in(tmp_path, content)

    for role in ("application_id", "area_id", "rated_kw", "home_id", "device"):
        kept = [found.file.texts(role)[row] for row in found.row]
        assert again.file.texts(role) == kept
    for cell in (cell for row in csv.reader(io.StringIO(content.decode(encoding), newline="")) for cell in row):
        assert not cell.startswith(("=", "@", "\t")), cell
        if cell.startswith(("+", "-")):
            float(cell)


@QUIET
@given(drawn=ROWS)
def test_rows_with_their_faults_put_right_are_taken(tmp_path, drawn):
    """The correction is a good row under an id, a home and a place of its own; the reasons stay in the file."""
    found = take_in(tmp_path, csv_of(rows_of(drawn, positions=True)))
    if not len(found.rejected):
        return
    rows = list(csv.DictReader(io.StringIO(rejected_bytes(found).decode("utf-8-sig"), newline="")))
    right = [
        {**row, **GOOD, "申请编号": f"new-{number}", "户号": "", "排队序号": str(number + 1)}
        for number, row in enumerate(rows)
    ]
    last = take_in(tmp_path, csv_of(right))

    assert len(last.accepted) == len(rows)
    assert "reason_zh" in last.file.headings


@QUIET
@given(drawn=ROWS)
def test_a_good_row_more_changes_nothing_about_the_others(tmp_path, drawn):
    rows = rows_of(drawn, positions=True)
    own = {**wish(), "申请编号": "own", "户号": "", "备注": "", "排队序号": "999"}
    before, after = take_in(tmp_path, csv_of(rows)), take_in(tmp_path, csv_of([*rows, own]))

    assert [one for one in after.accepted if one.application_id != "own"] == list(before.accepted)
    assert after.rejected["reason_zh"].tolist() == before.rejected["reason_zh"].tolist()


@pytest.mark.parametrize("share_bad", [0.0, 1.0])
def test_twenty_thousand_rows_take_seconds(tmp_path, share_bad):
    rows = [
        wish(number, 村=f"上土{number}村", 台区=f"140827-B{number:05d}")
        if number < 20_000 * share_bad
        else wish(number)
        for number in range(20_000)
    ]
    path = tmp_path / "many.csv"
    path.write_bytes(csv_of(rows))
    started = time.perf_counter()
    found = sort_rows(read_application_file(path), PLACES, today=TODAY)
    content = rejected_bytes(found)
    seconds = time.perf_counter() - started

    assert len(found.rejected) == 20_000 * share_bad
    assert content.count(b"\r\n") == 1 + len(found.rejected)
    # A processor that others share; alone it takes about a second.
    assert seconds < 30.0
    assert dataclasses.is_dataclass(found)
