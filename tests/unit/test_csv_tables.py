import pandas as pd
import pytest

from gridcheck.csv_tables import Column, TableSchema, check_table, packaged_table
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
