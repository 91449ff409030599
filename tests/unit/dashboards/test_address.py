"""Addresses carry language and selection, and survive what a stranger types."""

from __future__ import annotations

import pytest

from dashboards.address import parse_address


def test_language_and_selection_are_read() -> None:
    address = parse_address("/area", "?lang=en&area=140881-A0001", "zh")

    assert (address.path, address.language, dict(address.selection)) == ("/area", "en", {"area": "140881-A0001"})


@pytest.mark.parametrize("search", [None, "", "?", "?lang=", "?lang=xx", "?lang=EN"])
def test_unknown_language_means_the_default(search: str | None) -> None:
    assert parse_address("/", search, "zh").language == "zh"
    assert parse_address(None, search, "en").language == "en"


def test_links_keep_the_language_and_escape_values() -> None:
    address = parse_address("/", "?lang=en", "zh")

    assert address.link("/verdicts", county="140881") == "/verdicts?lang=en&county=140881"
    assert address.link("/area", area="a&b=c#d") == "/area?lang=en&area=a%26b%3Dc%23d"


def test_switch_of_language_keeps_page_and_selection() -> None:
    address = parse_address("/area", "?lang=zh&area=140881-A0001", "zh")

    assert address.in_language("en") == "/area?lang=en&area=140881-A0001"


def test_values_are_cut_to_a_sane_length() -> None:
    address = parse_address("/area", "?area=" + "x" * 10_000, "zh")

    assert len(address.selection["area"]) == 64
