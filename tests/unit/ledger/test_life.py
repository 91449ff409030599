"""Where an application can stand, held against a table of its own written here, and what every step leaves behind."""

import itertools
from datetime import timedelta

import pytest

from gridcheck.connection import Verdict
from gridcheck.errors import IllegalStepError, InputError, LedgerError
from gridcheck.ledger import VERDICTS, Finding, HouseholdFacts, State, Step, steps_from
from gridcheck.ledger.life import next_state
from tests.support.ledgers import BY, all_pass, answer, asked, batch, filled

# Read by hand from the description of the work, not from the program.
ALLOWED = {
    "received": {"assess": "assessed", "withdraw": "withdrawn"},
    "assessed": {
        "assess": "assessed",
        "approve": "approved",
        "defer": "deferred",
        "mark_insufficient_data": "insufficient_data",
        "withdraw": "withdrawn",
    },
    "deferred": {"assess": "assessed", "withdraw": "withdrawn"},
    "insufficient_data": {"assess": "assessed", "withdraw": "withdrawn"},
    "approved": {"renew": "approved", "lapse": "lapsed", "build": "built", "withdraw": "withdrawn"},
    "lapsed": {"assess": "assessed", "withdraw": "withdrawn"},
    "built": {"fail_inspection": "built", "accept": "accepted", "withdraw": "withdrawn"},
    "accepted": {"entitle": "entitled"},
    "entitled": {"end_subsidy": "entitled"},
    "withdrawn": {},
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(State, Step)), ids=str)
def test_every_step_from_every_state(state, step):
    target = ALLOWED[state].get(step)
    if target is not None:
        assert next_state(state, step, application_id="X") == target
        assert step in steps_from(state)
    else:
        allowed = ", ".join(one for one in Step if one in ALLOWED[state]) or "nothing more"
        with pytest.raises(
            IllegalStepError, match=rf"X is {state}: {step} is not allowed from there. Allowed: {allowed}\."
        ):
            next_state(state, step, application_id="X")


def test_verdicts_are_those_of_the_queue():
    assert tuple(Verdict) == VERDICTS


def step_calls(ledger, by=BY):
    """Every step as a call."""
    return {
        "assess": lambda: ledger.assess(batch("again"), [answer(1)], **by),
        "approve": lambda: ledger.approve("R001", **by),
        "defer": lambda: ledger.defer("R001", **by),
        "mark_insufficient_data": lambda: ledger.mark_insufficient_data("R001", **by),
        "renew": lambda: ledger.renew("R001", days=1, **by),
        "lapse": lambda: ledger.lapse("R001", **by),
        "build": lambda: ledger.build("R001", **by),
        "accept": lambda: ledger.accept("R001", all_pass(), **by),
        "entitle": lambda: ledger.entitle(
            "R001",
            HouseholdFacts(household_id="H1", on_district_heating=False, gets_public_allowance=False),
            season=2025,
            **by,
        ),
        "end_subsidy": lambda: ledger.end_subsidy("R001", last_season=2030, **by),
        "withdraw": lambda: ledger.withdraw("R001", **by),
    }


WAY = ["approve", "build", "accept", "entitle"]


@pytest.mark.parametrize("done", range(len(WAY) + 1), ids=["assessed", "approved", "built", "accepted", "entitled"])
def test_illegal_steps_change_nothing(ledger, done):
    filled(ledger, 1)
    calls = step_calls(ledger)
    for step in WAY[:done]:
        calls[step]()
    stands, lines = ledger.application("R001"), len(ledger.journal())

    for step in sorted(set(calls) - set(ALLOWED[stands.state])):
        with pytest.raises(IllegalStepError):
            calls[step]()

    assert ledger.application("R001") == stands
    assert len(ledger.journal()) == lines


def test_the_whole_life_with_who_when_before_after_and_why(ledger, clock):
    filled(ledger, 1)
    for step, reason in zip(
        WAY, ["容量足够 room left", "已安装 installed", "验收合格 passed", "可补贴 entitled"], strict=True
    ):
        clock.pass_days(1)
        step_calls(ledger, {**BY, "reason": reason})[step]()

    lines = ledger.history("R001")
    assert [line.entry.action for line in lines] == ["receive", "assess", "approve", "build", "accept", "entitle"]
    assert [line.entry.after["state"] for line in lines] == [
        "received", "assessed", "approved", "built", "accepted", "entitled",
    ]  # fmt: skip
    assert [line.entry.after["version"] for line in lines] == [1, 2, 3, 4, 5, 6]
    for before, after in itertools.pairwise(lines):
        assert after.entry.before == {name: before.entry.after[name] for name in ("state", "version")}
    assert [line.at for line in lines[2:]] == [clock.now - timedelta(days=left) for left in (3, 2, 1, 0)]
    assert {line.entry.who for line in lines} == {"李工"}
    assert [line.entry.reason for line in lines[2:]] == [
        "容量足够 room left", "已安装 installed", "验收合格 passed", "可补贴 entitled",
    ]  # fmt: skip


@pytest.mark.parametrize("field", ["who", "reason"])
@pytest.mark.parametrize("value", ["", "   ", "two\nlines", "bell\x07", "x" * 2001])
def test_a_step_without_name_or_reason_is_refused(ledger, field, value):
    filled(ledger, 1)
    with pytest.raises(InputError, match=field):
        ledger.withdraw("R001", **{**BY, field: value})
    assert ledger.application("R001").state == State.ASSESSED


def test_only_an_approval_can_be_approved(ledger):
    filled(ledger, 2)
    ledger.assess(batch(), [answer(1, "defer"), answer(2, "approve_with_conditions")], **BY)

    with pytest.raises(LedgerError, match="R001 cannot be approved: its last answer is defer"):
        ledger.approve("R001", **BY)
    assert ledger.approve("R002", **BY).state == State.APPROVED


def test_what_others_changed_meanwhile_is_not_overwritten(ledger):
    filled(ledger, 1)
    seen = ledger.application("R001").version
    ledger.defer("R001", **BY)

    with pytest.raises(LedgerError, match=rf"it is deferred in version {seen + 1}, you have seen version {seen}"):
        ledger.withdraw("R001", expected_version=seen, **BY)
    ledger.withdraw("R001", expected_version=seen + 1, **BY)


def test_an_inspection_that_fails_is_kept_and_the_next_one_counts(ledger):
    filled(ledger, 1)
    ledger.approve("R001", **BY)
    ledger.build("R001", **BY)
    bad = tuple(
        Finding(item=one.item, result="fail" if one.item == "rcd_ma" else "pass", value=one.value, note="")
        for one in all_pass()
    )

    assert ledger.accept("R001", bad, **BY).state == State.BUILT
    assert ledger.accept("R001", all_pass(), **BY).state == State.ACCEPTED

    assert [one["passed"] for one in ledger.inspections("R001")] == [False, True]
    assert ledger.history("R001")[-2].entry.after["failed"] == ["rcd_ma"]


def test_the_same_application_twice_is_one(ledger):
    assert ledger.receive([asked(1), asked(2)], **BY) == 2
    assert ledger.receive([asked(2), asked(3)], **BY) == 1
    assert [one.asked.application_id for one in ledger.applications()] == ["R001", "R002", "R003"]
    assert ledger.application("R003").asked == asked(3)


def test_faulty_applications_are_named_all_at_once_and_none_is_received(ledger):
    ledger.receive([asked(1)], **BY)
    with pytest.raises(InputError) as caught:
        ledger.receive(
            [asked(1, rated_kw=4.0), asked(2), asked(3, phase="D", rated_kw=float("nan")), asked(4, area_id="../x"),
             asked(5), asked(5, homes=0)],
            **BY,
        )  # fmt: skip
    findings = "\n".join(caught.value.findings)
    for part in ("R001: is in the ledger", "R003: phase 'D'", "R003: rated_kw nan", "R004: area_id '../x'",
                 "R005: homes 0", "R005: stands more than once"):  # fmt: skip
        assert part in findings
    assert len(ledger.applications()) == 1


def test_an_application_that_is_not_there(ledger):
    for call in (ledger.application, lambda name: ledger.withdraw(name, **BY)):
        with pytest.raises(LedgerError, match="holds no application 'nobody'"):
            call("nobody")


def test_applications_can_be_asked_for_by_state_county_and_area(ledger):
    ledger.receive([asked(1), asked(2, county_code="140826", area_id="other")], **BY)
    ledger.withdraw("R001", **BY)
    for wanted, names in (
        ({"state": State.WITHDRAWN}, ["R001"]),
        ({"county_code": "140826"}, ["R002"]),
        ({"area_id": "other", "state": State.WITHDRAWN}, []),
    ):
        assert [one.asked.application_id for one in ledger.applications(**wanted)] == names
