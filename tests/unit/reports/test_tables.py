"""What the CSV files of a results folder look like, byte for byte, and that nothing is lost on the way back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridcheck.errors import LedgerError, SchemaError
from gridcheck.reports.schemas import AREAS, COUNTIES, DECISIONS, PLAN, TABLES, Column, TableSpec
from gridcheck.reports.tables import csv_bytes, escape_text, read_table, unescape_text, write_atomically, write_csv
from tests.support.results import HOSTILE_NAME, Sample, sample_tables

SPEC = TableSpec(
    name="small",
    key=("name",),
    columns=(
        Column(name="name", kind="text"),
        Column(name="count", kind="integer", nullable=True),
        Column(name="p_kw", kind="real", unit="kW", decimals=2, nullable=True),
        Column(name="chosen", kind="boolean"),
        Column(name="time", kind="time", nullable=True),
    ),
)


def _small() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": ["a", "=1+1", "逗,号"],
            "count": [1, None, 3],
            "p_kw": [-0.001, float("nan"), 1234.567],
            "chosen": [True, False, True],
            "time": [pd.Timestamp("2026-01-15T11:45:00Z"), pd.NaT, pd.Timestamp("2026-01-15T16:00:00Z")],
        }
    )


def test_file_is_exactly_this() -> None:
    assert csv_bytes(_small(), SPEC).decode() == (
        "name,count,p_kw,chosen,time\n"
        "a,1,0.00,true,2026-01-15T19:45:00+08:00\n"
        "'=1+1,,,false,\n"
        '"逗,号",3,1234.57,true,2026-01-16T00:00:00+08:00\n'
    )


def test_missing_value_stays_missing_and_does_not_become_zero(tmp_path: Path) -> None:
    write_csv(_small(), SPEC, tmp_path / "small.csv")

    table = read_table(tmp_path / "small.csv", SPEC)

    assert np.isnan(table["p_kw"].iloc[1])
    assert table["count"].iloc[1] is pd.NA
    assert table["time"].iloc[1] is pd.NaT
    assert table["name"].tolist() == ["a", "=1+1", "逗,号"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
def test_escaping_is_undone_exactly(text: str) -> None:
    escaped = escape_text(text)

    assert unescape_text(escaped) == text
    assert not escaped.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))


def test_negative_number_stays_a_number() -> None:
    table = _small().assign(p_kw=[-12.5, 0.0, 1.0])

    assert b"a,1,-12.50," in csv_bytes(table, SPEC)


@pytest.mark.parametrize("name", list(TABLES))
def test_every_sample_table_reads_back_to_the_same_bytes(name: str, tmp_path: Path) -> None:
    spec, table = TABLES[name], sample_tables(Sample())[name]
    write_csv(table, spec, tmp_path / spec.file_name)

    again = read_table(tmp_path / spec.file_name, spec)

    assert len(again) == len(table) > 0
    assert csv_bytes(again, spec) == (tmp_path / spec.file_name).read_bytes()


def test_name_from_a_ledger_cannot_run_as_a_formula() -> None:
    text = csv_bytes(sample_tables(Sample())["plan"], PLAN).decode()

    assert HOSTILE_NAME[:10] in text
    assert all(not cell.startswith("=") for line in text.splitlines() for cell in line.replace('"', "").split(","))


def test_optional_column_keeps_its_decimals_and_unknown_column_is_text() -> None:
    table = (
        sample_tables(Sample())["decisions"].head(2).assign(value_before=[12.3456789, float("nan")], remark=[1.5, "x"])
    )

    header, first, second = csv_bytes(table, DECISIONS).decode().splitlines()

    assert header.endswith(",blocked_by,value_before,remark")
    assert first.endswith(",12.346,1.5")
    assert second.endswith(",,x")


def test_a_value_that_differs_from_its_limit_looks_different_in_the_file(tmp_path: Path) -> None:
    table = sample_tables(Sample())["decisions"].head(3)
    table = table.assign(binding_value=[197.99996, 198.0, 196.98765], binding_limit=198.0)

    write_csv(table, DECISIONS, tmp_path / "decisions.csv")

    written = pd.read_csv(tmp_path / "decisions.csv", dtype=str)
    assert written["binding_value"].tolist() == ["197.99996", "198.000", "196.988"]
    assert written["binding_limit"].tolist() == ["198.000"] * 3
    again = read_table(tmp_path / "decisions.csv", DECISIONS)
    assert csv_bytes(again, DECISIONS) == (tmp_path / "decisions.csv").read_bytes()


def test_missing_column_is_named() -> None:
    with pytest.raises(SchemaError, match="column kva is missing"):
        csv_bytes(sample_tables(Sample())["areas"].drop(columns="kva"), AREAS)


def test_repeated_key_is_refused() -> None:
    counties = sample_tables(Sample())["counties"]

    with pytest.raises(SchemaError, match="county_code"):
        csv_bytes(pd.concat([counties, counties.head(1)]), COUNTIES)


def test_empty_cell_where_none_is_allowed_is_refused() -> None:
    areas = sample_tables(Sample())["areas"]
    areas.loc[5, "feeder_id"] = None

    with pytest.raises(SchemaError, match=r"feeder_id.*row 5"):
        csv_bytes(areas, AREAS)


def test_word_in_a_number_column_is_refused_with_file_and_column(tmp_path: Path) -> None:
    (tmp_path / "small.csv").write_text("name,count,p_kw,chosen,time\na,1,much,true,\n", encoding="utf-8")

    with pytest.raises(LedgerError, match=r"small\.csv.*p_kw"):
        read_table(tmp_path / "small.csv", SPEC)


def test_boolean_other_than_true_or_false_is_refused(tmp_path: Path) -> None:
    (tmp_path / "small.csv").write_text("name,count,p_kw,chosen,time\na,1,2,yes,\n", encoding="utf-8")

    with pytest.raises(LedgerError, match="'yes', expected true or false"):
        read_table(tmp_path / "small.csv", SPEC)


def test_missing_file_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="gridcheck run"):
        read_table(tmp_path / "small.csv", SPEC)


def test_failed_write_leaves_the_former_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text("former", encoding="utf-8")

    def fail(unfinished: Path) -> None:
        unfinished.write_text("half", encoding="utf-8")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text(encoding="utf-8") == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_does_not_change_what_was_given() -> None:
    given_table = _small()
    before = given_table.copy(deep=True)

    csv_bytes(given_table, SPEC)

    pd.testing.assert_frame_equal(given_table, before)
