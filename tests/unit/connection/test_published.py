"""Published limits: the file there and back, what later approvals take from it, and files that are none."""

from datetime import UTC, datetime, timedelta

import pytest

from gridcheck.connection.pre_approval import PreApproval
from gridcheck.connection.published import COLUMNS, Granted, Published, left_of, published_csv, read_published
from gridcheck.errors import InputError, SchemaError

AS_OF = datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
HEAT_PUMP = "air_air_heat_pump"


def limit(area_id: str, devices: int) -> PreApproval:
    return PreApproval(area_id=area_id, device=HEAT_PUMP, largest_kw=2.0, devices=devices, kw=2.0 * devices)


def a_list(*limits: PreApproval) -> Published:
    return Published(limits={one.area_id: one for one in limits}, risk=0.05, as_of=AS_OF)


def granted(area_id: str, rated_kw: float, *, days: float = 1.0, device: str = HEAT_PUMP, conditions=()) -> Granted:
    return Granted(at=AS_OF + timedelta(days=days), area_id=area_id, device=device, rated_kw=rated_kw,
                   conditions=conditions)  # fmt: skip


def test_a_list_is_read_as_it_was_written(tmp_path):
    limits = (limit("A1", 3), limit("A2", 0))
    (tmp_path / "limits.csv").write_bytes(published_csv(limits, risk=0.02, as_of=AS_OF))
    found = read_published(tmp_path / "limits.csv")
    assert tuple(found.limits.values()) == limits
    assert (found.risk, found.as_of) == (0.02, AS_OF)


def test_what_was_approved_since_takes_from_the_limit_and_what_is_no_small_one_closes_it():
    published = a_list(limit("A1", 3), limit("A2", 3), limit("A3", 3), limit("A4", 3), limit("A5", 3))
    left = left_of(
        published,
        [
            granted("A1", 1.5), granted("A1", 2.0, days=-1.0),  # the second one was seen by the list
            granted("A2", 2.5), granted("A3", 1.0, device="resistive_heater"),
            granted("A4", 1.5, conditions=("phase:B",)), granted("A5", 1.5, conditions=("heavy_area",)),
            granted("B1", 1.0),
        ],
        risk=0.05,
    )  # fmt: skip
    assert {name: (one.devices, one.kw) for name, one in left.items()} == {
        "A1": (2, 4.5), "A2": (0, 0.0), "A3": (0, 0.0), "A4": (0, 0.0), "A5": (2, 4.5),
    }  # fmt: skip


def test_a_list_for_another_risk_is_refused():
    with pytest.raises(InputError, match=r"accept a probability of 0\.05 of a broken limit, this run 0\.02"):
        left_of(a_list(limit("A1", 1)), [], risk=0.02)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("A1,air_air_heat_pump,2,x,4,0.05,2026-01-05T01:30:00+00:00", "devices 'x' must be a whole number"),
        ("A1,air_air_heat_pump,2,-1,4,0.05,2026-01-05T01:30:00+00:00", "devices '-1'"),
        ("A1,air_air_heat_pump,nan,1,4,0.05,2026-01-05T01:30:00+00:00", "largest_kw 'nan'"),
        ("A1,,2,1,4,0.05,2026-01-05T01:30:00+00:00", "device is empty"),
        ("A1,air_air_heat_pump,2,1,4,0.05,2026-01-05 01:30", "as_of '2026-01-05 01:30' must be a moment with its"),
        ("A0,air_air_heat_pump,2,1,4,0.05,2026-01-05T01:30:00+00:00", "area 'A0' stands more than once"),
        ("A1,air_air_heat_pump,2,1,4,0.04,2026-01-05T01:30:00+00:00", "accepted_risk '0.04' is not that of the first"),
    ],
)
def test_rows_that_are_no_limit_are_named(tmp_path, row, fault):
    path = tmp_path / "limits.csv"
    good = "A0,air_air_heat_pump,2,1,4,0.05,2026-01-05T01:30:00+00:00"
    path.write_text("\n".join([",".join(COLUMNS), good, row]))
    with pytest.raises(SchemaError) as caught:
        read_published(path)
    assert fault in "\n".join(caught.value.findings)
    assert all(finding.startswith("row 3") for finding in caught.value.findings)


def test_files_that_are_no_list(tmp_path):
    path = tmp_path / "limits.csv"
    with pytest.raises(InputError, match="cannot be read"):
        read_published(path)
    path.write_text("area_id,kw\nA1,2\n")
    with pytest.raises(SchemaError, match="lacks columns"):
        read_published(path)
    path.write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(InputError):
        read_published(path)
