"""The order in which applications are decided: as they came, or by a rule of the planner's.

Whatever the rule, applications are decided one by one, and one that is deferred takes no room from those behind it. So
a rule says who is asked first and nothing else, and every verdict rests on the state that those before it left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Literal

from gridcheck.connection.applications import Application

QueueRule = Literal["first_come", "key_area_first", "hardship_first", "whole_village"]


def in_order(
    applications: Sequence[Application], rule: QueueRule, *, key_areas: Collection[str] = ()
) -> tuple[Application, ...]:
    """Put the applications of one county in the order in which they are decided.

    Parameters
    ----------
    applications : sequence of Application
        Of one county, in any order.
    rule : {"first_come", "key_area_first", "hardship_first", "whole_village"}
        By queue position; those of the key area, or hardship households, before all others; or all applications of a
        village one behind the other at the place of its first one. If a village fits as a whole, all of it is approved
        at that place: with fewer heaters connected there is no less room. If it does not, as many are, in their order,
        as fit: nobody waits because a neighbour's transformer is full.
    key_areas : collection of str
        Ids of the areas in the key area.

    Returns
    -------
    tuple of Application
        Within each group by queue position, then date, then id. Their `queue_position` is the place in this order,
        from 1; by the rule ``"first_come"`` it stays what was given.
    """
    waiting = sorted(applications, key=_as_came)
    if rule == "first_come":
        return tuple(waiting)
    first: dict[str, int] = {}
    for place, application in enumerate(waiting):
        first.setdefault(application.village_code, place)
    keys = frozenset(key_areas)
    group: dict[str, Callable[[Application], int]] = {
        "key_area_first": lambda a: a.area_id not in keys,
        "hardship_first": lambda a: a.household_group != "hardship",
        "whole_village": lambda a: first[a.village_code],
    }
    # Sorting is stable: within a group they stay as they came.
    chosen = sorted(waiting, key=group[rule])
    return tuple(replace(application, queue_position=place) for place, application in enumerate(chosen, start=1))


def _as_came(application: Application) -> tuple[int, str, str]:
    return application.queue_position, application.applied_on.isoformat(), application.application_id
