"""Laws of the choice under a budget: it equals brute force, is never worse than greedy, and more money never hurts."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from gridcheck.reinforcement import Candidate, Project, choose_projects


@st.composite
def project_lists(draw, *, most=12, shared=True):
    count = draw(st.integers(1, most))
    projects = []
    for number in range(count):
        ids = ()
        if shared and draw(st.booleans()):
            ids = tuple(sorted(draw(st.sets(st.sampled_from([f"P{i}" for i in range(8)]), max_size=4))))
        candidate = Candidate(
            project_id=f"R{number:02d}",
            county_code="1",
            feeder_id="",
            area_id="",
            group=f"g{draw(st.integers(0, 5))}",
            measures=("x",),
            description="",
            cost_yuan=draw(st.integers(0, 400)) / 4.0,
        )
        projects.append(
            Project(
                candidate=candidate,
                households_unlocked=len(ids) or draw(st.integers(0, 6)),
                application_ids=ids,
                overload_hours_removed=draw(st.integers(-4, 40)) / 4.0,
                undervoltage_hours_removed=draw(st.integers(0, 8)) / 4.0,
                unsupplied_mwh_removed=draw(st.integers(0, 3)) / 10.0,
            )
        )
    return projects


def worth(chosen):
    """What a choice is worth, aim by aim; the cost with a minus."""
    ids = {i for p in chosen for i in p.application_ids}
    return (
        len(ids) + sum(p.households_unlocked for p in chosen if not p.application_ids),
        round(sum(p.hours_removed for p in chosen), 6),
        round(sum(p.unsupplied_mwh_removed for p in chosen), 6),
        -round(sum(p.cost_yuan for p in chosen), 6),
    )


def is_allowed(chosen, budget):
    groups = [p.candidate.group for p in chosen]
    return len(set(groups)) == len(groups) and sum(p.cost_yuan for p in chosen) <= budget


def brute_force(projects, budget):
    subsets = itertools.chain.from_iterable(itertools.combinations(projects, n) for n in range(len(projects) + 1))
    return max(worth(chosen) for chosen in subsets if is_allowed(chosen, budget))


@settings(max_examples=60, deadline=None)
@given(project_lists(), st.integers(0, 900).map(lambda quarters: quarters / 4.0))
def test_equals_brute_force(projects, budget):
    plan = choose_projects(projects, budget)

    assert is_allowed(plan.chosen, budget)
    assert worth(plan.chosen) == brute_force(projects, budget)
    assert (plan.gap, plan.status) == (0.0, "optimal")
    assert plan.households_unlocked == worth(plan.chosen)[0]
    assert plan.cost_yuan == -worth(plan.chosen)[3]
    assert sorted(i.project.project_id for i in plan.items) == sorted(p.project_id for p in projects)


@settings(max_examples=30, deadline=None)
@given(project_lists(most=40), st.integers(0, 900))
def test_never_worse_than_greedy(projects, budget):
    taken, groups, spent = [], set(), 0.0
    for project in sorted(projects, key=lambda p: (-p.households_unlocked / max(p.cost_yuan, 1e-9), p.project_id)):
        if project.candidate.group not in groups and spent + project.cost_yuan <= budget:
            taken.append(project)
            groups.add(project.candidate.group)
            spent += project.cost_yuan

    assert worth(choose_projects(projects, budget).chosen) >= worth(taken)


@settings(max_examples=30, deadline=None)
@given(project_lists(most=40), st.integers(0, 500), st.integers(0, 200))
def test_more_money_never_unlocks_fewer(projects, budget, more):
    little, much = (choose_projects(projects, money).households_unlocked for money in (budget, budget + more))

    assert much >= little


@settings(max_examples=30, deadline=None)
@given(project_lists(most=20), st.integers(0, 500), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(projects, budget, random):
    shuffled = list(projects)
    random.shuffle(shuffled)

    assert choose_projects(shuffled, budget).chosen == choose_projects(projects, budget).chosen
