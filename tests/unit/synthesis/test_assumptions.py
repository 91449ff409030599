"""The generator's estimates: looked up by county, refused without a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridcheck.errors import CatalogueError
from gridcheck.synthesis.assumptions import load_assumptions

HEADER = "name,county_code,value,min,max,unit,confidence,source\n"


def test_the_countys_own_value_goes_before_the_general_one() -> None:
    assumptions = load_assumptions()

    # 1 - 124829 / 316114 urban inhabitants of Jishan, published
    assert assumptions.value("rural_share", "140824") == pytest.approx(1.0 - 124829 / 316114, abs=5e-4)
    assert assumptions.value("rural_share", "140802") < 0.35
    assert assumptions.value("households_per_area", "140824") == assumptions.value("households_per_area")


def test_an_unknown_name_is_an_error_that_names_it() -> None:
    with pytest.raises(CatalogueError, match="rural_shore"):
        load_assumptions().value("rural_shore")


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        ("share,,0.9,0.1,0.8,1,E,somewhere", "value must be in"),
        ("share,,0.5,0.1,0.8,1,sure,somewhere", "confidence must be one of"),
        ("share,,0.5,0.1,0.8,1,E,", "source is empty"),
    ],
    ids=["outside its bounds", "unknown mark", "no source"],
)
def test_a_faulty_row_is_refused(tmp_path: Path, row: str, finding: str) -> None:
    path = tmp_path / "assumptions.csv"
    path.write_text(HEADER + row + "\n", encoding="utf-8")

    with pytest.raises(CatalogueError) as caught:
        load_assumptions(path)

    assert finding in str(caught.value)
    assert "line 2" in str(caught.value)
