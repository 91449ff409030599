from datetime import date

import pytest

from gridcheck import geography
from gridcheck.errors import SchemaError
from gridcheck.policy import plan_2025
from gridcheck.policy.plan import check_against_totals

PUBLISHED = {
    "key_area": 23141,
    "self_retrofit": 15503,
    "electric": 38644,
    "gas": 231,
    "central_heating": 1200,
    "total": 40075,
}


def test_counties_add_up_to_the_published_totals():
    assert {column: int(plan_2025().counties[column].sum()) for column in PUBLISHED} == PUBLISHED


def test_the_plan_names_the_counties_of_the_place():
    place = geography.counties()
    expected = place.loc[place["in_plan"], ["county_code", "county"]]
    planned = plan_2025().counties[["county_code", "county"]]
    assert sorted(planned.itertuples(index=False, name=None)) == sorted(expected.itertuples(index=False, name=None))


def test_money_and_dates():
    plan = plan_2025()
    assert plan.budget_yuan == 18_000_000
    assert plan.deadline == date(2025, 10, 31)
    assert (plan.subsidy_yuan_per_kwh, plan.subsidy_cap_yuan, plan.hardship_yuan) == (0.1, 1040, 200)
    assert plan.county_money_yuan_per_household == 3200
    assert plan.subsidised_kwh == pytest.approx(10_400)
    assert (plan.gas_subsidy_yuan_per_m3, plan.gas_subsidy_cap_yuan) == (1, 1200)


def test_self_retrofit_households_of_one_county():
    yongji = plan_2025().counties.set_index("county_code").loc["140881"]
    assert yongji[["key_area", "self_retrofit", "electric", "central_heating", "total"]].tolist() == [
        5000, 3824, 8824, 700, 9524,
    ]  # fmt: skip


def test_a_changed_number_does_not_pass():
    counties = plan_2025().counties
    counties.loc[counties["county_code"] == "140828", "self_retrofit"] += 1
    with pytest.raises(SchemaError) as caught:
        check_against_totals(counties, PUBLISHED)
    column, county = caught.value.findings
    assert column == "self_retrofit: counties add up to 15504, published is 15503"
    assert "夏县" in county
    assert "6501" in county


def test_shifting_households_between_counties_does_not_pass_when_the_parts_disagree():
    counties = plan_2025().counties
    counties.loc[counties["county_code"] == "140828", "total"] += 1
    counties.loc[counties["county_code"] == "140802", "total"] -= 1
    with pytest.raises(SchemaError) as caught:
        check_against_totals(counties, PUBLISHED)
    assert len(caught.value.findings) == 2


def test_the_table_may_be_edited_without_harm_to_others():
    plan_2025().counties["total"] = 0
    assert plan_2025().counties["total"].sum() == 40075
