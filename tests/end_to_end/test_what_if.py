"""What if so many more heaters came: the same as the desk says one by one, in words and as JSON."""

from __future__ import annotations

import json
from datetime import date

import pytest

from gridcheck.connection import Application
from gridcheck.connection.decide import decide_queue_by_draws
from gridcheck.desk import DeskTask
from gridcheck.errors import InputError
from gridcheck.scenario import Scenario
from gridcheck.study import county_tasks
from gridcheck.what_if import PreparedCounty, Wish, prepared_county, what_if
from tests.support.command_line import gridcheck

pytestmark = pytest.mark.slow
AREA, DEVICE, KW = "140827-A0297", "air_water_heat_pump", 3.3


@pytest.fixture(scope="module")
def county() -> PreparedCounty:
    (task,) = county_tasks(Scenario(), county_codes=("140827",))
    return prepared_county(DeskTask(county=task, promised=(), risk=0.05))


def queue(count: int, area_id: str = AREA) -> list[Application]:
    """So many applicants whose phase nobody knows: the desk places them in the same order."""
    return [
        Application(
            application_id=f"Q{k:02d}", county_code="140827", village_code="", area_id=area_id,
            applied_on=date(2025, 9, 1), device=DEVICE, rated_kw=KW, phase="", household_group="ordinary",
            queue_position=k,
        )
        for k in range(1, count + 1)
    ]  # fmt: skip


def test_as_many_fit_as_the_desk_grants_without_a_condition_of_the_area(county: PreparedCounty) -> None:
    asked = 4
    found = what_if(county, Wish(area_id=AREA, device=DEVICE, rated_kw=KW, count=asked))
    case = county.case
    plain = []

    def told(_application: object, _queue: object, answer: object) -> None:
        plain.append(answer.plain)  # type: ignore[attr-defined]

    from dataclasses import replace

    decided = decide_queue_by_draws(
        case.trees, case.course, case.counts, queue(asked), case.limits, replace(county.desk, told=told)
    )
    assert 0 < found.largest < asked
    # The desk says yes as often without trying anything, and no to the next one as it was asked.
    assert [outlook.fits for outlook in plain[: found.largest + 1]] == [True] * found.largest + [False]
    assert [d.connected for d in decided.decisions[: found.largest]] == [True] * found.largest
    assert not found.fits
    assert found.next_outlook is not None
    assert plain[found.largest].binding == found.next_outlook.binding


def test_fewer_always_fit_and_more_never_do(county: PreparedCounty) -> None:
    found = what_if(county, Wish(area_id=AREA, device=DEVICE, rated_kw=KW, count=4))
    for count in (1, found.largest, found.largest + 1):
        assert what_if(county, Wish(area_id=AREA, device=DEVICE, rated_kw=KW, count=count)).fits == (
            count <= found.largest
        )


def test_what_cannot_be_asked_is_named_all_at_once(county: PreparedCounty) -> None:
    with pytest.raises(InputError) as fault:
        what_if(county, Wish(area_id="140827-A9", device="boiler", rated_kw=-1.0, count=0))
    assert len(fault.value.findings) == 4
    with pytest.raises(InputError, match="homes without a heater: 500 cannot be placed"):
        what_if(county, Wish(area_id=AREA, device=DEVICE, rated_kw=KW, count=500))


def test_command_answers_in_chinese_first_and_as_json(county: PreparedCounty) -> None:
    options = (AREA, "--device", DEVICE, "--kw", str(KW), "--count", "4")
    result = gridcheck("what-if", *options)
    told = gridcheck("what-if", *options, "--json")

    assert result.exit_code == told.exit_code == 1, result.output
    content = json.loads(told.stdout)
    found = what_if(county, Wish(area_id=AREA, device=DEVICE, rated_kw=KW, count=4))
    assert (content["fits"], content["largest"], content["homes_without_heater"]) == (False, found.largest, found.homes)
    check = content["checks"][content["binding"]]
    assert check["charged"]
    assert check["broken_low"] <= check["broken"] <= check["broken_high"]
    assert result.stdout.startswith("问题 question")
    assert f"{found.largest} 户" in result.stdout


def test_area_whose_county_is_not_known_is_asked_for_it() -> None:
    result = gridcheck("what-if", "TQ-17", "--device", DEVICE, "--kw", "3.3")

    assert result.exit_code == 2
    assert "--county" in result.stderr
