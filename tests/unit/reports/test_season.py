"""The money of a season by county, worked out by hand."""

import pandas as pd
import pytest

from gridcheck.errors import SchemaError
from gridcheck.ledger import Claim
from gridcheck.reports.season import SeasonInput, read_budgets, season_applications, season_counties
from gridcheck.reports.season_files import write_season

CODES = ("140827", "140826")


def claim(number, kwh=None, **changes):
    given = {
        "application_id": f"R{number}", "county_code": "140827", "device": "air_air_heat_pump", "rated_kw": 2.0,
        "homes": 1, "has_subsidy": True, "reasons": ("accepted",), "is_first": True, "heating_kwh": kwh,
        "source": "" if kwh is None else "meter", "confidence": "" if kwh is None else "S",
    }  # fmt: skip
    return Claim(**{**given, **changes})


CLAIMS = (
    claim(1, 4000.0),
    claim(2, 15_000.0, reasons=("accepted", "hardship_once")),
    claim(3, 520_001.0, homes=50),
    claim(4),
    claim(5, device="a model"),
    claim(6, 9000.0, has_subsidy=False, reasons=("accepted", "district_heating")),
    claim(7, 9000.0, has_subsidy=False, reasons=("accepted", "public_heating_allowance")),
    claim(8, reasons=("accepted", "hardship_once"), is_first=False),
)
GIVEN = SeasonInput(
    season=2025, claims=CLAIMS, waiting={"140826": 3}, expected_kwh={"R4": 3000.0, "R8": 12_000.0},
    budgets={"140827": (60_000.0, "letter 7")},
)  # fmt: skip


def counted(given=GIVEN):
    table = season_applications(given)
    return table, season_counties(table, given).set_index("county_code")


def test_metered_and_expected_stand_apart_and_each_home_keeps_its_cap():
    _, counties = counted()
    own = counties.loc["140827"]
    assert (own["applications"], own["homes"]) == (6, 55)
    assert (own["metered_homes"], own["expected_homes"], own["not_known_homes"]) == (52, 2, 1)
    # 400 + 1040 (capped) + 50 x 1040 (capped), and 300 + 1040 (capped) expected.
    assert own["metered_yuan"] == pytest.approx(400 + 1040 + 52_000)
    assert own["expected_yuan"] == pytest.approx(300 + 1040)
    assert (own["metered_kwh"], own["expected_kwh"]) == (539_001.0, 15_000.0)
    assert own["at_most_yuan"] == pytest.approx(53_440 + 3 * 1040)
    # Paid once, in the first season, and not out of the budget.
    assert (own["hardship_yuan"], own["hardship_applications"]) == (200.0, 1)
    assert own["left_yuan"] == pytest.approx(60_000 - 53_440 - 1340)
    assert own["left_at_least_yuan"] == pytest.approx(60_000 - 53_440 - 3120)
    assert (own["without_district_heating"], own["without_public_allowance"]) == (1, 1)
    assert own["budget_source"] == "letter 7"


def test_a_county_without_a_budget_has_the_plans_homes_times_the_cap():
    _, counties = counted()
    # The plan has 1,500 electric homes in Jiang county.
    assert counties.loc["140826", "budget_yuan"] == 1500 * 1040
    assert (counties.loc["140826", "accepted_waiting"], counties.loc["140826", "applications"]) == (3, 0)
    assert len(counties) == 12


def test_energy_that_nobody_knows_is_no_zero():
    table, _ = counted()
    rows = table.set_index("application_id")
    assert pd.isna(rows.loc["R5", "running_yuan"])
    assert pd.isna(rows.loc["R5", "heating_kwh"])
    assert rows.loc["R4", ["energy_source", "confidence", "synthetic"]].tolist() == ["expected", "E", True]
    assert pd.isna(rows.loc["R6", "running_yuan"])


def test_without_any_claim_there_is_a_table(tmp_path):
    given = SeasonInput(season=2025, claims=())
    counties, applications = write_season(given, tmp_path / "out", journal_head="0:0", notes={})
    assert (len(applications), counties["running_yuan"].sum()) == (0, 0.0)


def test_same_season_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_season(GIVEN, tmp_path / name, journal_head="9:ab", notes={"expected": "x"}, language="en")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_budgets_name_every_fault(tmp_path):
    file = tmp_path / "b.csv"
    file.write_text("county_code,budget_yuan,source\n140827,1,x\n140827,1,x\n140826,inf,x\n140826,1,\n")
    with pytest.raises(SchemaError) as caught:
        read_budgets(file, CODES)
    assert [line.split(":")[0] for line in caught.value.findings] == ["row 3", "row 4", "row 5", "row 5"]
