"""Room is sold once: by hand in one program, then by many programs at the same moment."""

import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from gridcheck.errors import InputError, LedgerError, NoRoomError
from gridcheck.ledger import Capacity, Level, State, init_ledger, open_ledger
from tests.support.ledgers import (
    AREA,
    BY,
    ELEMENTS,
    FEEDER,
    TRANSFORMER,
    answer,
    approve_all,
    asked,
    batch,
    filled,
    room_for,
)


def free_kw(ledger, level=Level.AREA) -> float:
    return ledger.room(level, ELEMENTS[level]).free_kw


def test_an_approval_reserves_on_all_three_levels(ledger):
    filled(ledger, 1, room_kw=10.0)

    ledger.approve("R001", **BY)

    assert [(one.level, one.element_id, one.reserved_kw, one.state) for one in ledger.promises("R001")] == [
        ("area", AREA, 3.0, "held"),
        ("feeder", FEEDER, 3.0, "held"),
        ("main_transformer", TRANSFORMER, 3.0, "held"),
    ]
    assert [free_kw(ledger, level) for level in Level] == [7.0, 997.0, 997.0]


def test_power_by_level_may_be_less_than_the_rating(ledger):
    filled(ledger, 1, room_kw=10.0)

    ledger.approve("R001", reserve_kw={Level.FEEDER: 1.8, Level.MAIN_TRANSFORMER: 1.65}, **BY)

    assert [free_kw(ledger, level) for level in Level] == [7.0, 998.2, 998.35]


@pytest.mark.parametrize("kw", [0.0, -1.0, 3.001, float("nan")])
def test_power_out_of_range_is_refused(ledger, kw):
    filled(ledger, 1)
    with pytest.raises(InputError, match=r"up to the rating, 3 kW"):
        ledger.approve("R001", reserve_kw={Level.AREA: kw}, **BY)


def test_a_level_that_is_none_is_refused(ledger):
    filled(ledger, 1)
    with pytest.raises(InputError, match="areas: no such level"):
        ledger.approve("R001", reserve_kw={"areas": 1.0}, **BY)
    with pytest.raises(InputError, match="'areas' is none"):
        ledger.room("areas", AREA)


@pytest.mark.parametrize("level", list(Level))
def test_no_room_on_any_level_means_no_promise_on_any(ledger, level):
    filled(ledger, 1)
    short = [Capacity(level=one, element_id=name, room_kw=2.999 if one == level else 50.0)
             for one, name in ELEMENTS.items()]  # fmt: skip
    ledger.set_capacity(batch(), short, **BY)
    lines = len(ledger.journal())

    with pytest.raises(NoRoomError, match=rf"{level} {ELEMENTS[level]} has 2.999 kW left .* wanted are 3 kW"):
        ledger.approve("R001", **BY)

    assert ledger.promises("R001") == []
    assert ledger.application("R001").state == State.ASSESSED
    assert len(ledger.journal()) == lines


def test_room_that_is_just_enough_is_enough_whatever_binary_numbers_make_of_it(ledger):
    # In binary 0.1 + 0.2 is more than 0.3.
    ledger.receive([asked(1, rated_kw=0.1), asked(2, rated_kw=0.2)], **BY)
    ledger.assess(batch(), [answer(1), answer(2)], **BY)
    ledger.set_capacity(batch(), room_for(0.3), **BY)

    ledger.approve("R001", **BY)
    ledger.approve("R002", **BY)

    assert free_kw(ledger) == 0.0


def test_room_that_is_not_known_is_neither_none_nor_endless(ledger):
    filled(ledger, 1)
    unknown = Capacity(level=Level.AREA, element_id=AREA, room_kw=None)
    ledger.set_capacity(batch(), [unknown], **BY)

    room = ledger.room(Level.AREA, AREA)
    assert (room.is_known, room.free_kw) == (False, None)
    with pytest.raises(NoRoomError, match="is not known, run run-1 could not tell"):
        ledger.approve("R001", **BY)


def test_an_element_that_no_run_has_seen_is_not_known(ledger):
    filled(ledger, 1)
    ledger.receive([asked(2, area_id="other")], **BY)
    ledger.assess(batch(), [answer(2)], **BY)

    with pytest.raises(NoRoomError, match="area other is not known, no run has been recorded"):
        ledger.approve("R002", **BY)


def test_an_overloaded_element_takes_nobody(ledger):
    filled(ledger, 1, room_kw=-4.0)
    with pytest.raises(NoRoomError, match="-4 kW left"):
        ledger.approve("R001", **BY)


def test_a_promise_ends_after_ninety_days_and_the_room_is_free_again(ledger, clock):
    filled(ledger, 2, room_kw=3.0)
    ledger.approve("R001", **BY)
    clock.pass_days(89.99)
    with pytest.raises(NoRoomError):
        ledger.approve("R002", **BY)

    clock.pass_days(0.01)

    assert free_kw(ledger) == 3.0
    ledger.approve("R002", **BY)
    with pytest.raises(LedgerError, match=r"has expired on 2025-12-30 UTC\. Renew it"):
        ledger.build("R001", **BY)
    with pytest.raises(NoRoomError):
        ledger.renew("R001", days=10, **BY)


def test_the_days_of_a_promise_are_the_planners(ledger, clock):
    filled(ledger, 1, room_kw=3.0)
    ledger.approve("R001", days=5, **BY)
    clock.pass_days(4)
    ledger.renew("R001", days=30, **BY)
    clock.pass_days(29)

    assert free_kw(ledger) == 0.0
    assert {one.expires_at - clock.now for one in ledger.promises("R001")} == {timedelta(days=1)}
    clock.pass_days(1)
    assert free_kw(ledger) == 3.0
    with pytest.raises(InputError, match="3661"):
        ledger.renew("R001", days=3661, **BY)


def test_one_promise_lapses_alone_and_only_when_it_has_expired(ledger, clock):
    filled(ledger, 2)
    for name in ("R001", "R002"):
        ledger.approve(name, **BY, days=10)
    with pytest.raises(LedgerError, match="promise to application R001 still holds"):
        ledger.lapse("R001", **BY)
    clock.pass_days(10)
    assert ledger.lapse("R001", **BY) == ("R001",)
    assert [ledger.application(name).state for name in ("R001", "R002")] == ["lapsed", "approved"]


def test_lapsed_promises_are_marked_once(ledger, clock):
    filled(ledger, 3)
    for number, days in ((1, 10), (2, 10), (3, 20)):
        ledger.approve(f"R{number:03d}", days=days, **BY)
    ledger.build("R002", **BY)
    clock.pass_days(15)

    assert ledger.lapse(**BY) == ("R001",)
    assert ledger.lapse(**BY) == ()
    assert [ledger.application(f"R00{n}").state for n in (1, 2, 3)] == ["lapsed", "built", "approved"]
    assert {one.state for one in ledger.promises("R001")} == {"expired"}
    assert ledger.history("R001")[-1].entry.action == "lapse"


def test_a_withdrawal_gives_the_room_back(ledger):
    filled(ledger, 2, room_kw=3.0)
    ledger.approve("R001", **BY)
    ledger.withdraw("R001", **BY)

    assert free_kw(ledger) == 3.0
    assert {one.state for one in ledger.promises("R001")} == {"released"}
    ledger.approve("R002", **BY)


def test_what_is_built_counts_once(ledger, clock):
    filled(ledger, 2, room_kw=10.0)
    ledger.approve("R001", **BY)
    clock.pass_days(10)
    ledger.build("R001", **BY)
    clock.pass_days(200)
    room = ledger.room(Level.AREA, AREA)
    assert (room.held_kw, room.used_kw, room.free_kw) == (0.0, 3.0, 7.0)

    # A run that has not seen the heater: it still stands against the room.
    ledger.set_capacity(batch("run-2", as_of=clock.now - timedelta(days=201)), room_for(10.0), **BY)
    assert free_kw(ledger) == 7.0

    # A run that has: its room is less by what the heater draws, and the promise counts no longer.
    ledger.set_capacity(batch("run-3", as_of=clock.now), room_for(7.0), **BY)
    room = ledger.room(Level.AREA, AREA)
    assert (room.used_kw, room.free_kw, room.batch_id) == (0.0, 7.0, "run-3")


def test_an_older_run_does_not_overwrite_a_newer_one(ledger, clock):
    filled(ledger, 1)
    ledger.set_capacity(batch("run-2", as_of=clock.now), room_for(5.0), **BY)
    with pytest.raises(LedgerError, match="found by the newer run run-2"):
        ledger.set_capacity(batch(), room_for(50.0), **BY)
    assert free_kw(ledger) == 5.0


def test_room_is_refused_where_it_is_no_number_or_stands_twice(ledger):
    wrong = [*room_for(5.0), *room_for(float("inf"))]
    with pytest.raises(InputError) as caught:
        ledger.set_capacity(batch(), wrong, **BY)
    assert len(caught.value.findings) == 4


def test_the_database_itself_refuses_a_second_promise_of_the_same_level(ledger):
    filled(ledger, 1)
    ledger.approve("R001", **BY)
    again = text(
        "insert into reservation (application_id, level, element_id, reserved_w, held_at, expires_at, state, state_at) "
        "select application_id, level, element_id, reserved_w, held_at, expires_at, state, state_at from reservation"
    )
    with pytest.raises(LedgerError, match=r"(?i)unique"):
        ledger._database.write(lambda connection: connection.execute(again))


@pytest.mark.slow
@pytest.mark.parametrize("level", list(Level))
def test_many_programs_sell_each_kilowatt_once(address, level, tmp_path):
    """Four programs, twenty homes that each of them tries to approve, room for seven on one level."""
    init_ledger(address, who="setup")
    with open_ledger(address) as ledger:
        race(filled(ledger, 20), address, level, tmp_path)


def race(ledger, address, level, place):
    meeting = place / "meeting"
    meeting.mkdir()
    rooms = [Capacity(level=one, element_id=name, room_kw=7 * 3.0 + 2.9 if one == level else 1000.0)
             for one, name in ELEMENTS.items()]  # fmt: skip
    ledger.set_capacity(batch(), rooms, **BY)
    names = [f"R{number:03d}" for number in range(1, 21)]
    random.Random(level.value).shuffle(names)

    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        shares = [pool.submit(approve_all, address, names[start::4], meeting, 4) for start in range(4)]
        done = {name: what for share in shares for name, what in share.result().items()}

    won = sorted(name for name, what in done.items() if what == "approved")
    assert len(done) == 20
    assert len(won) == 7
    assert [one.asked.application_id for one in ledger.applications(state=State.APPROVED)] == won
    room = ledger.room(level, ELEMENTS[level])
    assert (room.held_kw, room.free_kw) == (21.0, 2.9)
    check = ledger.verify_journal()
    assert check.is_whole, check
    approvals = [line for line in ledger.journal() if line.entry.action == "approve"]
    assert sorted(line.entry.object for line in approvals) == won
    assert len({line.entry.who for line in approvals}) > 1, "one program was alone; the race shows nothing"
