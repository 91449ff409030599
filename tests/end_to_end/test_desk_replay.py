"""Answers of the desk seen again in OpenDSS and pandapower: a few of one county, or a hundred of each.

``GRIDCHECK_FULL=1 pytest -s tests/end_to_end/test_desk_replay.py`` takes a hundred answers of every shipped county and
some hours; without it six answers of one county are taken.
"""

from __future__ import annotations

import os

import pytest

from tests.support.desk_replay import SHIPPED, Seen, chosen, seen_again, summary, task_of_head

FULL = os.environ.get("GRIDCHECK_FULL") == "1"
COUNTIES, HEAD, ANSWERS = (SHIPPED, 300, 100) if FULL else (("140827",), 12, 6)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=COUNTIES)
def seen(request, tmp_path_factory) -> list[Seen]:
    task = task_of_head(request.param, HEAD, tmp_path_factory.mktemp("queue"))
    if task is None:
        pytest.skip(f"the plan has no self-retrofit households in county {request.param}")
    rows = seen_again(task, chosen(task, ANSWERS, seed=int(request.param)))
    print(f"\n{request.param}\n{summary(rows).to_string()}")  # noqa: T201
    return rows


def test_answers_by_draws_show_the_same_value_and_limit_in_both_programs(seen):
    for program in ("OpenDSS", "pandapower"):
        rows = [row for row in seen if row.program == program]
        assert len(rows) > 3
        for row in rows:
            assert row.agrees_on_the_limit, row
            # Voltages are solved to some 1e-7 pu; a current follows with the same error over its own drop.
            assert row.off < 5e-6, row


def test_answers_of_the_10_kv_network_show_the_same_value_and_limit_in_pandapower(seen):
    rows = [row for row in seen if row.program == "pandapower 10 kV"]
    assert rows
    for row in rows:
        assert row.agrees_on_the_limit, row
        assert row.off < 1e-6, row
