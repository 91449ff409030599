"""Entitlement and money, with the amounts of the plan worked out by hand."""

import math
from datetime import UTC, datetime

import pytest

from gridcheck.errors import IllegalStepError, InputError, LedgerError, SchemaError
from gridcheck.ledger import HouseholdFacts, State, entitled, read_readings, season_of
from tests.support.ledgers import BY, all_pass, answer, asked, batch, room_for

ASKED = {"on_district_heating": False, "gets_public_allowance": False}


def facts(number, **changes):
    """What a household has said: no exclusion."""
    return HouseholdFacts(household_id=f"H{number:03d}", **{**ASKED, **changes})


def accepted(ledger, *homes):
    """Bring applications as far as acceptance."""
    ledger.receive(homes, **BY)
    numbers = [int(one.application_id[1:]) for one in homes]
    ledger.assess(batch(), [answer(number) for number in numbers], **BY)
    ledger.set_capacity(batch(), room_for(10_000.0, elsewhere_kw=10_000.0), **BY)
    for one in homes:
        ledger.approve(one.application_id, **BY)
        ledger.build(one.application_id, **BY)
        ledger.accept(one.application_id, all_pass(), **BY)
    return ledger


def test_an_accepted_home_gets_tariff_and_subsidy(ledger):
    accepted(ledger, asked(1))
    told = ledger.entitle("R001", facts(1), season=2025, **BY)
    assert (told.has_tariff, told.has_subsidy, told.reasons) == (True, True, ("accepted",))
    assert (told.yuan_per_kwh, told.cap_yuan, told.hardship_yuan) == (0.1, 1040.0, 0.0)
    assert ledger.entitlement("R001") == told


@pytest.mark.parametrize(
    ("told_by_home", "reason"),
    [
        ({"on_district_heating": True, "gets_public_allowance": False}, "district_heating"),
        ({"on_district_heating": False, "gets_public_allowance": True}, "public_heating_allowance"),
        ({"on_district_heating": True, "gets_public_allowance": None}, "district_heating"),
    ],
)
def test_an_exclusion_takes_the_subsidy_and_leaves_the_tariff(ledger, told_by_home, reason):
    accepted(ledger, asked(1, household_group="hardship"))
    told = ledger.entitle("R001", facts(1, **told_by_home), season=2025, **BY)
    assert (told.has_tariff, told.has_subsidy, told.cap_yuan, told.hardship_yuan) == (True, False, 0.0, 0.0)
    assert reason in told.reasons
    assert ledger.season_sum("140827", 2025).applications == 0


def test_nothing_is_decided_where_nobody_has_asked(ledger):
    accepted(ledger, asked(1))
    with pytest.raises(LedgerError, match="cannot be told: public_heating_allowance_not_known"):
        ledger.entitle("R001", facts(1, gets_public_allowance=None), season=2025, **BY)
    assert ledger.application("R001").state == "accepted"
    told = entitled(ledger.application("R001"), on_district_heating=None, gets_public_allowance=None)
    assert (told.has_tariff, told.has_subsidy, told.cap_yuan) == (True, None, 0.0)


def test_without_acceptance_there_is_neither(ledger):
    ledger.receive([asked(1)], **BY)
    told = entitled(ledger.application("R001"), **ASKED)
    assert (told.has_tariff, told.has_subsidy, told.reasons) == (False, False, ("not_accepted",))
    ledger.withdraw("R001", **BY)
    assert entitled(ledger.application("R001"), **ASKED).reasons == ("withdrawn",)


def test_before_acceptance_nobody_is_entitled(ledger):
    ledger.receive([asked(1)], **BY)
    with pytest.raises(IllegalStepError, match=r"R001 is received: entitle is not allowed"):
        ledger.entitle("R001", facts(1), season=2025, **BY)
    assert ledger.entitlement("R001") is None


def test_a_household_is_entitled_once_whatever_number_of_heaters_it_has(ledger):
    accepted(ledger, asked(1), asked(2), asked(3))
    ledger.entitle("R001", facts(7), season=2025, **BY)
    with pytest.raises(LedgerError, match="household H007 is entitled by application R001"):
        ledger.entitle("R002", facts(7), season=2025, **BY)
    assert ledger.application("R002").state == State.ACCEPTED
    # Where the first one ends, a later one may follow; not in a season that both would have.
    ledger.end_subsidy("R001", last_season=2026, **BY)
    with pytest.raises(LedgerError, match="entitled until season 2026"):
        ledger.entitle("R002", facts(7), season=2026, **BY)
    ledger.entitle("R002", facts(7), season=2027, **BY)
    assert [ledger.season_sum("140827", season).applications for season in (2026, 2027)] == [1, 1]
    told = ledger.history("R002")[-1].entry.after
    assert (told["household_id"], told["tariff"], told["first_season"]) == ("H007", "no_steps", 2027)
    assert ledger.verify_journal().is_whole


def test_a_program_that_does_not_ask_is_refused_by_the_database(ledger, monkeypatch):
    accepted(ledger, asked(1), asked(2))
    ledger.entitle("R001", facts(7), season=2025, **BY)
    monkeypatch.setattr("gridcheck.ledger.subsidy._require_first", lambda *_: None)
    with pytest.raises(LedgerError, match="could not be used"):
        ledger.entitle("R002", facts(7), season=2025, **BY)
    assert (ledger.application("R002").state, ledger.entitlement("R002")) == ("accepted", None)


@pytest.mark.parametrize("wrong", [{"household_id": ""}, {"household_id": "a b"}, {"tariff": "free"}])
def test_facts_that_cannot_be(wrong):
    with pytest.raises(InputError, match="cannot be entitled with this"):
        HouseholdFacts(**{"household_id": "H1", **ASKED, **wrong})


def test_a_county_without_a_row_in_the_plan(ledger):
    accepted(ledger, asked(1, county_code="140882"))
    told = entitled(ledger.application("R001"), **ASKED)
    assert (told.has_tariff, told.has_subsidy, told.reasons) == (False, False, ("accepted", "county_not_in_plan"))
    with pytest.raises(LedgerError, match="entitled to nothing: accepted, county_not_in_plan"):
        ledger.entitle("R001", facts(1), season=2025, **BY)


def test_the_season_of_a_county(ledger):
    """Five connections by hand: below the cap, at it, above it, a station of 50 homes, and one without a meter."""
    accepted(
        ledger,
        asked(1), asked(2), asked(3, household_group="hardship"), asked(4, homes=50, rated_kw=200.0), asked(5),
        asked(6, county_code="140826"), asked(7),
    )  # fmt: skip
    for number in range(1, 7):
        ledger.entitle(f"R{number:03d}", facts(number), season=2025, **BY)
    kwh = {"R001": 4000.0, "R002": 10_400.0, "R003": 15_000.0, "R004": 520_001.0, "R006": 1000.0, "R007": 9000.0}
    ledger.record_energy(2025, kwh, source="meter", confidence="S", **BY)

    total = ledger.season_sum("140827", 2025)

    assert (total.applications, total.metered) == (5, 4)
    # 400 + 1040 + 1040 (capped) + 50 x 1040 (capped; 520,000 kWh are subsidised)
    assert math.isclose(total.running_yuan, 400 + 1040 + 1040 + 52_000)
    assert (total.hardship_yuan, total.not_metered_cap_yuan) == (200.0, 1040.0)
    assert math.isclose(total.at_most_yuan, 54_480 + 200 + 1040)
    # R007 is accepted and was not entitled: it has no part in any sum.
    assert ledger.season_sum("140826", 2025).running_yuan == 100.0


@pytest.mark.parametrize(
    ("accepted_at", "first"),
    [
        # The season of 2025 ends on 15 March 2026 at midnight in China, which is 16:00 UTC.
        (datetime(2026, 3, 15, 15, 59, tzinfo=UTC), 2025),
        (datetime(2026, 3, 15, 16, 1, tzinfo=UTC), 2026),
        (datetime(2026, 11, 30, 2, 0, tzinfo=UTC), 2026),
        (datetime(2027, 4, 1, 2, 0, tzinfo=UTC), 2027),
    ],
)
def test_a_season_that_was_over_before_acceptance_is_refused(ledger, clock, accepted_at, first):
    clock.now = accepted_at
    accepted(ledger, asked(1))
    for season in range(2025, first):
        ended = (
            rf"season {season}-{season - 1999} ended on {season + 1}-03-15.*first season is {first}-{first - 1999}\."
        )
        with pytest.raises(LedgerError, match=ended):
            ledger.entitle("R001", facts(1), season=season, **BY)
    assert ledger.application("R001").state == State.ACCEPTED
    assert ledger.entitle("R001", facts(1), season=first, **BY).has_subsidy


def test_the_extra_for_hardship_is_paid_once(ledger):
    accepted(ledger, asked(1, household_group="hardship"))
    ledger.entitle("R001", facts(1), season=2025, **BY)
    assert [ledger.season_sum("140827", season).hardship_yuan for season in (2025, 2026)] == [200.0, 0.0]


def test_a_later_reading_takes_the_place_of_an_earlier_one(ledger):
    accepted(ledger, asked(1))
    ledger.entitle("R001", facts(1), season=2025, **BY)
    for kwh in (3000.0, 5000.0):
        ledger.record_energy(2025, {"R001": kwh}, source="simulated", confidence="E", **BY)
    assert ledger.season_sum("140827", 2025).running_yuan == 500.0
    assert ledger.season_sum("140827", 2026).metered == 0


def test_a_home_put_on_district_heating_later_loses_the_subsidy_from_then_on(ledger):
    accepted(ledger, asked(1))
    ledger.entitle("R001", facts(1), season=2025, **BY)
    ledger.end_subsidy("R001", last_season=2026, **BY)
    assert [ledger.season_sum("140827", season).applications for season in (2025, 2026, 2027)] == [1, 1, 0]


def test_a_subsidy_that_never_was_cannot_end(ledger):
    accepted(ledger, asked(1))
    ledger.entitle("R001", facts(1, on_district_heating=True), season=2026, **BY)
    with pytest.raises(LedgerError, match="gets no running subsidy"):
        ledger.end_subsidy("R001", last_season=2026, **BY)


def test_claims_tell_who_has_what_and_since_when(ledger):
    accepted(ledger, asked(1, household_group="hardship"), asked(2), asked(3))
    ledger.entitle("R001", facts(1), season=2025, **BY)
    ledger.entitle("R002", facts(2, gets_public_allowance=True), season=2025, **BY)
    ledger.record_energy(2026, {"R001": 3000.0}, source="meter", confidence="S", **BY)
    found, waiting, head = ledger.season_claims(2026)
    assert [(c.application_id, c.has_subsidy, c.gets_hardship, c.heating_kwh) for c in found] == [
        ("R001", True, False, 3000.0), ("R002", False, False, None),
    ]  # fmt: skip
    assert (waiting, head) == ({"140827": 1}, ledger.head())
    ledger.end_subsidy("R001", last_season=2025, **BY)
    (first, _), _, _ = ledger.season_claims(2026)
    assert (first.has_subsidy, first.reasons[-1]) == (False, "ended")


@pytest.mark.parametrize(
    ("words", "season"), [("2025-26", 2025), ("2025", 2025), ("2029/2030", 2029), ("2099-00", 2099)]
)
def test_seasons_as_people_write_them(words, season):
    assert season_of(words) == season


@pytest.mark.parametrize("words", ["2025-27", "25-26", "winter", "2024-25", "2025-2025", ""])
def test_seasons_that_are_none(words):
    with pytest.raises(InputError, match="season"):
        season_of(words)


def test_readings_name_every_row_at_fault(tmp_path):
    file = tmp_path / "kwh.csv"
    file.write_bytes("\ufeffapplication_id,kwh\nR1,3000\nR1,1\nR2,\nR3,-5\nR4,1_0\nR5,nan\n".encode())
    with pytest.raises(SchemaError) as caught:
        read_readings(file)
    assert [line.partition(":")[0].partition(" (")[0] for line in caught.value.findings] == [
        "row 3", "row 4", "row 5", "row 6", "row 7",
    ]  # fmt: skip
    file.write_text("application_id,kwh\nR1,3000\nR2,0\n", encoding="gb18030")
    assert read_readings(file) == {"R1": 3000.0, "R2": 0.0}


@pytest.mark.parametrize("season", [2024, 2101])
def test_what_is_no_season_is_refused(ledger, season):
    with pytest.raises(InputError, match="named by the year in which it begins"):
        ledger.season_sum("140827", season)


@pytest.mark.parametrize("kwh", [-1.0, float("nan"), float("inf"), 100_001.0])
def test_energy_that_cannot_be_is_refused(ledger, kwh):
    accepted(ledger, asked(1))
    with pytest.raises(InputError) as caught:
        ledger.record_energy(2025, {"R001": kwh, "nobody": 1.0}, source="", confidence="X", **BY)
    assert len(caught.value.findings) == 4
