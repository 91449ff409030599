"""Projects of a plan in the ledger: where they stand, and that no yuan is bound twice, on both databases."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from gridcheck.errors import IllegalStepError, InputError, LedgerError, NoRoomError
from gridcheck.ledger import ProjectState, ProjectStep, ProposedProject, open_ledger
from tests.support.ledgers import BY

PLAN = "2025"
ONE = ProposedProject(
    project_id="140827-R0001",
    county_code="140827",
    feeder_id="140827-F003",
    area_id="140827-A0001",
    place="area:140827-A0001",
    measures="transformer_swap_200",
    description="S13-100 → S20-200",
    cost_yuan=80_000.25,
    households=6,
)


def project(number, **changes):
    return replace(ONE, **{"project_id": f"140827-R{number:04d}", "place": f"area:{number}", **changes})


def proposed(ledger, *projects, budget=200_000.0):
    return ledger.propose(PLAN, projects, budget_yuan=budget, source_sha256="a" * 64, **BY)


def walk(ledger, number, *steps, **given):
    for step in steps:
        kept = ledger.move_project(PLAN, f"140827-R{number:04d}", step, **BY, **given)
    return kept


def test_a_plan_is_taken_in_once(ledger):
    assert proposed(ledger, project(1), project(2)) == 3  # the plan and two projects
    assert proposed(ledger, project(1), project(2), project(3)) == 1

    kept = ledger.project(PLAN, "140827-R0001")
    assert (kept.proposed, kept.state, kept.spent_yuan, kept.version) == (project(1), "proposed", None, 1)
    assert [one.proposed.project_id[-1] for one in ledger.projects(PLAN)] == ["1", "2", "3"]
    assert ledger.plan_ids() == (PLAN,)
    assert ledger.verify_journal().is_whole


def test_from_proposal_to_built_by_hand(ledger):
    proposed(ledger, project(1), project(2))

    walk(ledger, 1, ProjectStep.REVIEW, ProjectStep.FUND)
    money = ledger.plan_money(PLAN)
    assert (money.funded_yuan, money.spent_yuan, money.left_yuan) == (80_000.25, 0.0, 119_999.75)

    kept = walk(ledger, 1, ProjectStep.BUILD, spent_yuan=91_234.56)
    money = ledger.plan_money(PLAN)
    assert (kept.state, kept.spent_yuan, kept.version) == ("built", 91_234.56, 4)
    assert (money.funded_yuan, money.spent_yuan, money.left_yuan) == (0.0, 91_234.56, 108_765.44)
    assert [line.entry.action for line in ledger.history("project 2025/140827-R0001")] == [
        "propose_project", "review_project", "fund_project", "build_project",
    ]  # fmt: skip
    assert [one.state for one in ledger.projects(PLAN, states=[ProjectState.BUILT])] == ["built"]
    assert ledger.projects(PLAN, county_codes=["140802"]) == ()


def test_money_is_bound_once_and_free_again_after_a_rejection(ledger):
    proposed(ledger, project(1), project(2), project(3, cost_yuan=39_999.50), project(4, cost_yuan=0.01))
    for number in (1, 2, 3):
        walk(ledger, number, ProjectStep.REVIEW)
    walk(ledger, 1, ProjectStep.FUND)
    walk(ledger, 2, ProjectStep.FUND)

    # 200,000.00 less twice 80,000.25 are 39,999.50: exactly enough for the third, and nothing is left for a fen.
    walk(ledger, 3, ProjectStep.FUND)
    walk(ledger, 4, ProjectStep.REVIEW)
    with pytest.raises(NoRoomError, match=r"has 0.00 yuan left; project 140827-R0004 costs 0.01 yuan"):
        walk(ledger, 4, ProjectStep.FUND)

    walk(ledger, 1, ProjectStep.REJECT)
    assert walk(ledger, 4, ProjectStep.FUND).state == "funded"


def test_of_alternatives_one_is_funded(ledger):
    proposed(ledger, project(1, place="area:A"), project(2, place="area:A"))
    walk(ledger, 1, ProjectStep.REVIEW, ProjectStep.FUND)
    walk(ledger, 2, ProjectStep.REVIEW)

    with pytest.raises(LedgerError, match="alternative of 140827-R0001"):
        walk(ledger, 2, ProjectStep.FUND)


@pytest.mark.parametrize(
    ("steps", "step"),
    [
        ((), ProjectStep.FUND),
        ((), ProjectStep.BUILD),
        ((ProjectStep.REVIEW,), ProjectStep.REVIEW),
        ((ProjectStep.REVIEW, ProjectStep.REJECT), ProjectStep.FUND),
    ],
)
def test_steps_out_of_order_are_refused(ledger, steps, step):
    proposed(ledger, project(1))
    if steps:
        walk(ledger, 1, *steps)
    with pytest.raises(IllegalStepError, match=r"is not allowed from there\. Allowed"):
        walk(ledger, 1, step, **({"spent_yuan": 1.0} if step == ProjectStep.BUILD else {}))


@pytest.mark.parametrize("spent", [None, -1.0, float("nan"), float("inf"), 1e11])
def test_what_was_spent_is_a_sum(ledger, spent):
    proposed(ledger, project(1))
    walk(ledger, 1, ProjectStep.REVIEW, ProjectStep.FUND)
    with pytest.raises(InputError, match="What was spent must be a finite number"):
        walk(ledger, 1, ProjectStep.BUILD, spent_yuan=spent)
    assert ledger.project(PLAN, "140827-R0001").state == "funded"


def test_faulty_proposals_record_nothing(ledger):
    faulty = [
        project(1), project(1), project(2, cost_yuan=float("nan")), project(3, households=-1),
        project(4, description="a\nb"), replace(ONE, project_id="x" * 65),
    ]  # fmt: skip
    with pytest.raises(InputError) as error:
        proposed(ledger, *faulty)

    assert len(error.value.findings) == 5
    with pytest.raises(LedgerError, match=r"holds no plan '2025'. Plans: none"):
        ledger.plan_money(PLAN)


def test_another_content_or_budget_needs_another_name(ledger):
    proposed(ledger, project(1))
    with pytest.raises(LedgerError, match="another content"):
        proposed(ledger, project(1, cost_yuan=1.0))
    with pytest.raises(LedgerError, match=r"is there with 200000.00 yuan, not 1.00"):
        proposed(ledger, project(1), budget=1.0)


@pytest.mark.parametrize("change", ["state = 'funded'", "cost_fen = 1", "spent_fen = 5", "place = 'x'"])
def test_a_project_changed_past_the_journal_is_found(ledger, change):
    proposed(ledger, project(1))
    ledger._database.write(lambda connection: connection.execute(text(f"update project set {change}")))

    assert ledger.verify_journal().changed == ("project 2025/140827-R0001",)


def test_more_money_past_the_journal_is_found(ledger):
    proposed(ledger, project(1))
    walk(ledger, 1, ProjectStep.REVIEW, ProjectStep.FUND)
    walk(ledger, 1, ProjectStep.BUILD, spent_yuan=5.5)
    assert ledger.verify_journal().is_whole
    ledger._database.write(lambda connection: connection.execute(text("update money_plan set budget_fen = 1")))

    assert ledger.verify_journal().changed == ("plan 2025",)


def fund(address, number):
    with open_ledger(address) as ledger:
        try:
            ledger.move_project(PLAN, f"140827-R{number:04d}", ProjectStep.FUND, **BY)
        except NoRoomError:
            return False
        return True


@pytest.mark.slow
def test_many_who_fund_at_once_bind_no_more_than_there_is(ledger, address):
    proposed(ledger, *(project(number, cost_yuan=30_000.0) for number in range(1, 13)), budget=100_000.0)
    for number in range(1, 13):
        walk(ledger, number, ProjectStep.REVIEW)

    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        done = list(pool.map(fund, [address] * 12, range(1, 13)))

    assert sum(done) == 3
    assert ledger.plan_money(PLAN).left_yuan == 10_000.0
    assert ledger.verify_journal().is_whole
