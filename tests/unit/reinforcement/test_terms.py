"""Prices and estimates."""

from dataclasses import fields

import pandas as pd
import pytest

from gridcheck.catalogue import measures
from gridcheck.errors import CatalogueError
from gridcheck.reinforcement import Terms, default_terms, terms


def test_prices_are_those_of_the_catalogue():
    prices = default_terms().price_yuan

    assert prices["transformer_swap_200"] == 80_000.0
    assert prices["tap_change"] == 500.0
    assert set(prices) == set(measures().index)


def test_every_estimate_is_a_field_and_every_field_an_estimate():
    table = pd.read_csv(terms.__file__.replace("terms.py", "assumptions.csv"))

    assert set(table["name"]) == {field.name for field in fields(Terms)} - {"price_yuan"}
    assert {row.name: getattr(default_terms(), row["name"]) for _, row in table.iterrows()}
    assert [getattr(default_terms(), name) for name in table["name"]] == table["value"].tolist()


def test_an_estimate_outside_its_own_bounds_is_refused(monkeypatch):
    table = terms.packaged_table("gridcheck.reinforcement", "assumptions.csv", terms._ASSUMPTIONS)
    table.loc[0, "value"] = 9.0
    monkeypatch.setattr(terms, "packaged_table", lambda *_: table.iloc[:-1])

    with pytest.raises(CatalogueError) as caught:
        default_terms()

    assert any("balanced_unbalance_factor" in line for line in caught.value.findings)
    assert any("repair_h is missing" in line for line in caught.value.findings)
