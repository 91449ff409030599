"""Every limit, price, type and estimate says where it comes from and how sure it is (CONTRIBUTING §9)."""

import csv
import re
from pathlib import Path

import pytest

from gridcheck.catalogue import sources
from gridcheck.csv_tables import MARKS
from gridcheck.limits import DEFAULT_LIMITS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gridcheck"
# Estimates of the generator give their reason in words and its yardsticks cite page by page, row by row.
IN_WORDS = [PACKAGE / "synthesis/assumptions.csv", PACKAGE / "synthesis/published_figures.csv"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# The facts of the place carry origin and licence per file, in facts/README.md.
TABLES = sorted(
    path
    for path in PACKAGE.rglob("*.csv")
    if "geography/facts" not in path.as_posix() and path != PACKAGE / "catalogue/sources.csv"
)
LIMITS = DEFAULT_LIMITS.all()


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_tables_are_found():
    assert len(TABLES) >= 11


@pytest.mark.parametrize("path", TABLES, ids=relative)
def test_every_row_names_a_source_that_is_listed(path):
    known = set(sources().index)
    missing = [row for row in rows(path) if row["source"] not in known]
    if path in IN_WORDS:
        missing = [row for row in missing if not re.search(r"[ /]", row["source"])]
    assert missing == []


@pytest.mark.parametrize("path", TABLES, ids=relative)
def test_every_row_carries_a_valid_mark(path):
    assert [row for row in rows(path) if row.get("confidence") not in MARKS] == []


@pytest.mark.parametrize("limit", LIMITS, ids=[limit.name for limit in LIMITS])
def test_every_limit_has_clause_source_and_mark(limit):
    assert limit.clause.strip()
    assert limit.source in sources().index
    assert limit.confidence in MARKS


def test_no_source_is_listed_in_vain():
    used = {row["source"] for path in TABLES for row in rows(path)} | {limit.source for limit in LIMITS} | {"scenario"}
    assert [name for name in sources().index if name not in used] == []


def test_every_fact_file_has_its_origin_written_down():
    facts = PACKAGE / "geography/facts"
    origin = (facts / "README.md").read_text(encoding="utf-8")
    names = sorted(path.name for path in facts.iterdir() if path.suffix in (".csv", ".geojson"))
    assert names
    assert [name for name in names if f"`{name}`" not in origin] == []
