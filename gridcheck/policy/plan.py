"""The plan's own numbers, read from two CSV files and held against the totals that were published.

The annex of the published document lost its empty cells. The split into key area and self-retrofit used here
is the only one that meets every column total when a row of two values reads key area first; the check
below keeps it so.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date

import pandas as pd

from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.errors import SchemaError

_PACKAGE = "gridcheck.policy"
_HOUSEHOLD_COLUMNS = ("key_area", "self_retrofit", "electric", "gas", "central_heating", "total")

_DOCUMENT = "运政办发〔2025〕11号"
_TITLE = "运城市2025年冬季清洁取暖工作实施方案"
_ISSUED_ON = date(2025, 6, 4)
# The text says "by the end of October 2025".
_DEADLINE = date(2025, 10, 31)

_COUNTIES = TableSchema(
    key=("county_code",),
    columns=(
        Column(name="county_code"),
        Column(name="county"),
        *(Column(name=name, kind="int", low=0, high=1_000_000) for name in _HOUSEHOLD_COLUMNS),
        *source_columns(),
    ),
)
_TERMS = TableSchema(
    key=("name",),
    columns=(Column(name="name"), Column(name="value", kind="float", low=0), Column(name="unit"), *source_columns()),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan2025:
    """Targets, money and dates of the plan.

    Attributes
    ----------
    counties : DataFrame
        One row per county of the plan: ``county_code``, ``county``, and in households ``key_area``,
        ``self_retrofit``, ``electric`` (their sum), ``gas``, ``central_heating``, ``total``.
    budget_yuan : float
        Money for the distribution network. [yuan]
    deadline : date
        Day by which the conversions are to be done.
    subsidy_yuan_per_kwh, subsidy_cap_yuan : float
        Running subsidy per kWh of heating and its cap per household and season. [yuan/kWh], [yuan]
    hardship_yuan : float
        Extra for a hardship household, once. [yuan]
    county_money_yuan_per_household : float
        Province money shared out per key-area household. [yuan]
    gas_subsidy_yuan_per_m3, gas_subsidy_cap_yuan : float
        The same for gas, counted and not modelled. [yuan/m3], [yuan]
    document, title : str
        Number and title of the document, in Chinese.
    issued_on : date
        Its date.
    source : str
        Key into the list of sources.
    """

    counties: pd.DataFrame
    budget_yuan: float
    deadline: date
    subsidy_yuan_per_kwh: float
    subsidy_cap_yuan: float
    hardship_yuan: float
    county_money_yuan_per_household: float
    gas_subsidy_yuan_per_m3: float
    gas_subsidy_cap_yuan: float
    document: str
    title: str
    issued_on: date
    source: str

    @property
    def subsidised_kwh(self) -> float:
        """Heating energy at which the cap is reached, per household and season. [kWh]"""
        return self.subsidy_cap_yuan / self.subsidy_yuan_per_kwh


def plan_2025() -> Plan2025:
    """Return the plan, checked against its published totals.

    Returns
    -------
    Plan2025
        A new record each time; its table may be edited without harm to others.

    Raises
    ------
    SchemaError
        If a column of the county table does not add up to the published total, or a row is not consistent.

    Examples
    --------
    >>> int(plan_2025().counties["electric"].sum())
    38644
    """
    counties = packaged_table(_PACKAGE, "plan_2025_counties.csv", _COUNTIES)
    terms = _terms()
    published = {column: int(terms[f"published_{column}"]) for column in _HOUSEHOLD_COLUMNS}
    check_against_totals(counties, published)
    return Plan2025(
        counties=counties.drop(columns=["source", "confidence", "note"]),
        budget_yuan=terms["budget_yuan"],
        deadline=_DEADLINE,
        subsidy_yuan_per_kwh=terms["subsidy_yuan_per_kwh"],
        subsidy_cap_yuan=terms["subsidy_cap_yuan"],
        hardship_yuan=terms["hardship_yuan"],
        county_money_yuan_per_household=terms["county_money_yuan_per_household"],
        gas_subsidy_yuan_per_m3=terms["gas_subsidy_yuan_per_m3"],
        gas_subsidy_cap_yuan=terms["gas_subsidy_cap_yuan"],
        document=_DOCUMENT,
        title=_TITLE,
        issued_on=_ISSUED_ON,
        source="gov_2025_11",
    )


def check_against_totals(counties: pd.DataFrame, published: dict[str, int]) -> None:
    """Raise if the county table disagrees with the published totals or with itself.

    Parameters
    ----------
    counties : DataFrame
        Households per county and column.
    published : dict of str to int
        Published total of each column. [household]

    Raises
    ------
    SchemaError
        With one finding per column or county that does not fit.
    """
    findings = [
        f"{column}: counties add up to {int(counties[column].sum())}, published is {total}"
        for column, total in published.items()
        if int(counties[column].sum()) != total
    ]
    electric = counties["key_area"] + counties["self_retrofit"]
    total = counties["electric"] + counties["gas"] + counties["central_heating"]
    for made, column in ((electric, "electric"), (total, "total")):
        wrong = counties.index[made != counties[column]]
        findings += [
            f"{counties.loc[row, 'county']}: {column} is {counties.loc[row, column]}, its parts are {made[row]}"
            for row in wrong
        ]
    if findings:
        raise SchemaError("The county table of the 2025 plan does not add up.", findings)


@functools.cache
def _terms() -> dict[str, float]:
    table = packaged_table(_PACKAGE, "plan_2025_terms.csv", _TERMS)
    return dict(zip(table["name"], table["value"].astype(float), strict=True))
