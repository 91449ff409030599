"""Whatever bytes a weather file holds, it is read or refused as wrong input; nothing else comes out."""

from contextlib import suppress
from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridcheck.demand.weather import read_weather
from gridcheck.errors import InputError
from tests.support.weather_files import EPW_HEADING, epw_line

TABLE = (
    "时间,气温(℃),rh,ghi [W/m2]\n"
    + "".join(f"2026-01-20 {hour:02d}:00,{-5 + hour / 4},55,{hour}\n" for hour in range(24))
).encode()
EPW = (EPW_HEADING + "\n".join(epw_line(2021, 1, 6, hour, dry_bulb=-5.0) for hour in range(1, 25)) + "\n").encode()


def read_or_refuse(path, content: bytes) -> None:
    path.write_bytes(content)
    with suppress(InputError):
        weather = read_weather(path, county_code="140802", start=date(2026, 1, 20)).weather
        assert np.isfinite(weather.temperature_c).all()


@given(st.binary(max_size=300))
def test_any_bytes(tmp_path_factory, content):
    read_or_refuse(tmp_path_factory.getbasetemp() / "any.csv", content)


@given(st.sampled_from([TABLE, EPW]), st.lists(st.tuples(st.integers(0, 1500), st.binary(max_size=4)), max_size=4))
def test_good_files_with_slips_of_the_pen(tmp_path_factory, content, slips):
    for at, slip in slips:
        content = content[:at] + slip + content[at + 1 :]
    read_or_refuse(tmp_path_factory.getbasetemp() / "slips.csv", content)


@given(st.lists(st.sampled_from("0123456789-+:/.年月日时分TZ, ;\t\"'eE\n"), max_size=60).map("".join))
def test_any_text_in_the_place_of_a_row(tmp_path_factory, text):
    read_or_refuse(tmp_path_factory.getbasetemp() / "text.csv", TABLE + text.encode())


def test_quotes_and_impossible_numbers_in_an_energyplus_file(tmp_path):
    for old, new in (
        (b"2021,1,6,7,", b'"2021,1,6,7,'),
        (b"2021,1,6,7,", b"1e30,1,6,7,"),
        (b"2021,1,6,7,", b"2021,inf,6,7,"),
    ):
        assert old in EPW
        read_or_refuse(tmp_path / "broken.epw", EPW.replace(old, new))
