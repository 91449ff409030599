import pandas as pd
import pytest

from gridcheck.csv_tables import Column, TableSchema, check_table, numbered_table, packaged_table, text_table
from gridcheck.errors import SchemaError

SCHEMA = TableSchema(
    key=("name",),
    columns=(
        Column(name="name"),
        Column(name="kind", allowed=("a", "b")),
        Column(name="size", kind="int", low=1, high=9),
        Column(name="share", kind="float", low=0, high=1, optional=True),
        Column(name="used", kind="bool"),
    ),
)


def table(*rows: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["name", "kind", "size", "share", "used"], dtype=str)


def test_cells_become_typed_columns():
    typed = check_table(table(("x", "a", "3", "0.5", "true"), ("y", "b", "9", "", "false")), SCHEMA, where="t.csv")
    assert typed["size"].tolist() == [3, 9]
    assert typed["size"].dtype == "int64"
    assert typed["used"].tolist() == [True, False]
    assert typed["share"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("", "a", "3", "0.5", "true"), ["row 2", "name"]),
        (("x", "c", "3", "0.5", "true"), ["row 2", "kind", "'c'", "a, b"]),
        (("x", "a", "0", "0.5", "true"), ["size", "'0'", "[1, 9]"]),
        (("x", "a", "2.5", "0.5", "true"), ["size", "'2.5'"]),
        (("x", "a", "three", "0.5", "true"), ["size", "'three'"]),
        (("x", "a", "", "0.5", "true"), ["size", "empty"]),
        (("x", "a", "3", "1.01", "true"), ["share", "'1.01'"]),
        (("x", "a", "3", "nan", "true"), ["share", "'nan'"]),
        (("x", "a", "3", "0.5", "yes"), ["used", "'yes'", "true, false"]),
    ],
    ids=["no name", "word", "too small", "no integer", "no number", "no cell", "too large", "not a number", "no bool"],
)
def test_a_wrong_cell_is_named(row, words):
    with pytest.raises(SchemaError) as caught:
        check_table(table(row), SCHEMA, where="t.csv")
    assert len(caught.value.findings) == 1
    assert "t.csv" in caught.value.message
    for word in words:
        assert word in caught.value.findings[0]


def test_all_faults_are_reported_at_once():
    wrong = table(("x", "c", "0", "0.5", "true"), ("x", "a", "3", "2", "true"))
    with pytest.raises(SchemaError) as caught:
        check_table(wrong, SCHEMA, where="t.csv")
    assert len(caught.value.findings) == 4
    assert "repeats" in caught.value.findings[-1]


def test_columns_must_be_those_of_the_schema():
    wrong = table(("x", "a", "3", "0.5", "true")).rename(columns={"size": "siez"})
    with pytest.raises(SchemaError) as caught:
        check_table(wrong, SCHEMA, where="t.csv")
    assert caught.value.findings == ("column size is missing", "column siez is not known")


def test_every_call_returns_its_own_copy():
    schema = TableSchema(
        key=("source",),
        columns=(
            Column(name="source"),
            Column(name="citation"),
            *(Column(name=name, optional=True) for name in ("url", "licence", "note")),
        ),
    )
    first = packaged_table("gridcheck.catalogue", "sources.csv", schema)
    first.loc[:, "citation"] = "spoilt"
    assert "spoilt" not in packaged_table("gridcheck.catalogue", "sources.csv", schema)["citation"].tolist()


def test_a_users_table_is_read_as_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('\ufeffa,b,,\n001,"x, y"\n\n NA ,,,\n', encoding="utf-8")

    assert text_table(path).to_dict("list") == {"a": ["001", " NA "], "b": ["x, y", ""]}


def test_a_heading_alone_is_a_table_without_rows(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n", encoding="utf-8")

    assert text_table(tmp_path / "t.csv").columns.tolist() == ["a", "b"]
    assert len(text_table(tmp_path / "t.csv")) == 0


def test_rows_that_do_not_fit_are_all_named(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,a\n1,2,3,4\n1,2\n1,2,3\n", encoding="utf-8")

    with pytest.raises(SchemaError) as caught:
        text_table(tmp_path / "t.csv")

    assert [line.split(";")[0] for line in caught.value.findings] == [
        "column 'a' stands more than once", "row 2: 4 cells, the heading has 3", "row 3: 2 cells, the heading has 3",
    ]  # fmt: skip


def test_a_row_is_called_by_the_line_in_which_it_begins(tmp_path):
    content = '\r\na,b\r\n\r\n1,"x\r\ny"\r\n\r\n2,z\r\n'.encode("utf-8-sig")

    table, rows = numbered_table(content, where="t.csv")

    assert table["a"].tolist() == ["1", "2"]
    assert rows == (4, 7)
    with pytest.raises(SchemaError, match="row 7: 3 cells"):
        numbered_table(content.replace(b"2,z", b"2,z,3"), where="t.csv")
    (tmp_path / "t.csv").write_bytes(content.replace(b"2,z", b'2,"z'))
    with pytest.raises(ValueError, match="not CSV: row 7"):
        text_table(tmp_path / "t.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_a_table_may_be_written_as_chinese_spreadsheets_write_it(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes('编号,备注\r\n台区①,"东街，\r\n三排"\r\n'.encode(encoding))

    assert text_table(tmp_path / "t.csv").to_dict("list") == {"编号": ["台区①"], "备注": ["东街，\r\n三排"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b'a,b\n"1,2\n', "not CSV"),
        (b"a,b\n1,2\n\xff,1\n", "row 3 is text in neither UTF-8 nor GB18030.*CSV UTF-8"),
        (b"\xef\xbb\xbfa,b\n\xd6\xd0,1\n", "row 2 is not UTF-8, though the mark at its start says so"),
        ("a,b\n中,1\n".encode("utf-16"), "it is UTF-16.*CSV UTF-8"),
        (b"PK\x03\x04\x00\x00", "workbook.*CSV UTF-8"),
        (b"a,b\n1,\x00\n", "row 2 holds binary data.*CSV UTF-8"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, said):
    (tmp_path / "t.csv").write_bytes(content)

    with pytest.raises(ValueError, match=said):
        text_table(tmp_path / "t.csv")
