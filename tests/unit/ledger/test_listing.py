"""The list of applications beside what single questions say of each."""

from gridcheck.ledger import Approved, Capacity, Level, State
from tests.support.ledgers import BY, answer, asked, batch, room_for


def standing(ledger, clock):
    """Five applications of two counties: approved with a cap, deferred, received, built, withdrawn."""
    homes = [asked(1), asked(2), asked(3, county_code="140826"), asked(4, area_id="140827-A0002"), asked(5)]
    ledger.receive(homes, **BY)
    capped = answer(1, "approve_with_conditions", conditions=("phase:C", "limit_kw:2.4"))
    ledger.assess(batch(), [capped, answer(2, "defer", conditions=("limit_kw:2",)), answer(4)], **BY)
    other_area = Capacity(level=Level.AREA, element_id="140827-A0002", room_kw=9.0)
    ledger.set_capacity(batch(), [*room_for(100.0), other_area], **BY)
    clock.pass_days(1)
    ledger.approve("R001", **BY)
    ledger.defer("R002", **BY)
    ledger.approve("R004", **BY)
    ledger.build("R004", **BY)
    clock.pass_days(1)
    ledger.withdraw("R005", who="王", reason="不装了")
    return ledger


def test_every_line_says_what_is_known_of_its_application(ledger, clock):
    lines = standing(ledger, clock).listed()
    assert [one.kept.asked.application_id for one in lines] == ["R001", "R002", "R003", "R004", "R005"]
    for one in lines:
        name = one.kept.asked.application_id
        last = ledger.history(name)[-1]
        assert one.kept == ledger.application(name)
        assert (one.changed_at, one.action, one.who) == (last.at, last.entry.action, last.entry.who)
        held = [promise.expires_at for promise in ledger.promises(name) if promise.state == "held"]
        assert one.held_until == (held[0] if held else None)
    assert [one.verdict for one in lines] == ["approve_with_conditions", "defer", None, "approve", None]
    assert [one.approved for one in lines] == [
        Approved(application_id="R001", rated_kw=2.4, phase="C"), None, None,
        Approved(application_id="R004", rated_kw=3.0, phase="A"), None,
    ]  # fmt: skip
    assert lines[-1].who == "王"


def test_it_is_filtered_by_state_county_and_area(ledger, clock):
    standing(ledger, clock)

    def names(**wanted):
        return [one.kept.asked.application_id for one in ledger.listed(**wanted)]

    assert names(states=[State.APPROVED, State.BUILT]) == ["R001", "R004"]
    assert names(county_codes=["140826"]) == ["R003"]
    assert names(county_codes=["140827"], states=[State.DEFERRED]) == ["R002"]
    assert names(area_id="140827-A0002") == ["R004"]
    assert names(county_codes=["140825"]) == []
