"""The table of generators and spare transformers: what stands in it, and what it refuses."""

import pytest

from gridcheck.catalogue import GENERATOR, SPARE_TRANSFORMER, area_remedies, distribution_transformers
from gridcheck.errors import CatalogueError, InputError, SchemaError

HEADING = "remedy,kind,rated_kw,rated_kva,bring_minutes,connect_minutes,source,confidence,note\n"
GOOD = "g,generator,100,,90,30,practice,E,\ns,spare_transformer,,200,90,240,practice,E,\n"


def written(tmp_path, rows):
    path = tmp_path / "remedies.csv"
    path.write_text(HEADING + rows, encoding="utf-8")
    return path


def test_every_kind_has_its_rating_and_spares_are_sizes_that_can_be_bought():
    table = area_remedies()
    generators, spares = (table[table["kind"] == kind] for kind in (GENERATOR, SPARE_TRANSFORMER))

    assert generators["rated_kw"].tolist() == [50, 100, 200, 320, 400]
    assert spares["rated_kva"].tolist() == [50, 100, 200, 400, 630]
    assert generators["rated_kva"].isna().all()
    assert set(spares["rated_kva"]) <= set(distribution_transformers()["sn_kva"])


def test_a_repair_crew_is_there_as_promised_and_a_swap_takes_longer_than_a_cable():
    table = area_remedies()

    assert (table["bring_minutes"] == 90).all()
    connect = table.groupby("kind")["connect_minutes"]
    assert connect.max()[GENERATOR] < connect.min()[SPARE_TRANSFORMER] == 4 * 60


def test_a_table_of_one_s_own_is_read(tmp_path):
    table = area_remedies(written(tmp_path, GOOD))

    assert table.index.tolist() == ["g", "s"]
    assert table.loc["s", "rated_kva"] == 200.0


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        ("x,battery,100,,90,30,practice,E,", SchemaError, ["row 4, kind", "'battery'", "spare_transformer"]),
        ("x,generator,-5,,90,30,practice,E,", SchemaError, ["row 4, rated_kw", "'-5'", "[5, 3000]"]),
        ("x,generator,nan,,90,30,practice,E,", SchemaError, ["row 4, rated_kw", "'nan'"]),
        ("x,generator,300,,soon,30,practice,E,", SchemaError, ["row 4, bring_minutes", "'soon'"]),
        ("x,generator,300,,90,0,practice,E,", SchemaError, ["row 4, connect_minutes", "'0'"]),
        ("x,generator,300,,90,9000,practice,E,", SchemaError, ["row 4, connect_minutes", "'9000'"]),
        ("x,generator,300,,90,30,practice,sure,", SchemaError, ["row 4, confidence", "'sure'"]),
        ("g,generator,300,,90,30,practice,E,", SchemaError, ["row 4", "repeats"]),
        ("x,generator,,,90,30,practice,E,", CatalogueError, ["row 4, rated_kw", "empty"]),
        ("x,generator,300,200,90,30,practice,E,", CatalogueError, ["row 4, rated_kva", "leave it empty"]),
        ("x,generator,100,,60,30,practice,E,", CatalogueError, ["row 4, rated_kw", "100 repeats"]),
        ("x,spare_transformer,,200,60,30,practice,E,", CatalogueError, ["row 4, rated_kva", "200 repeats"]),
    ],
)
def test_a_faulty_row_is_named_with_what_to_do(tmp_path, row, error, words):
    path = written(tmp_path, f"{GOOD}{row}\n")

    with pytest.raises(error) as caught:
        area_remedies(path)

    assert str(path) in caught.value.message
    assert len(caught.value.findings) == 1
    assert [word for word in words if word not in caught.value.findings[0]] == []


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.csv cannot be read"):
        area_remedies(tmp_path / "nowhere.csv")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"empty\.csv is not a readable CSV"):
        area_remedies(tmp_path / "empty.csv")


def test_a_table_may_be_edited_without_harm_to_others():
    first = area_remedies()
    first.loc[:, "kind"] = "spoilt"

    assert set(area_remedies()["kind"]) == {GENERATOR, SPARE_TRANSFORMER}
