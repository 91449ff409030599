"""Propose what could be built: alternatives for every area, feeder and tie that stands in the way."""

from __future__ import annotations

from gridcheck.reinforcement.area_options import area_options
from gridcheck.reinforcement.feeder_options import feeder_options
from gridcheck.reinforcement.measures import Candidate
from gridcheck.reinforcement.situation import Situation
from gridcheck.reinforcement.ties import tie_options


def propose(situation: Situation) -> tuple[Candidate, ...]:
    """Propose candidates for every deferral and every limit that is broken at the end of the queue.

    Parameters
    ----------
    situation : Situation
        The county.

    Returns
    -------
    tuple of Candidate
        Areas first, then feeders, then ties, each in the order of the county; alternatives by cost.
    """
    code = situation.county.grid.county_code
    options = [*area_options(situation), *feeder_options(situation), *tie_options(situation)]
    return tuple(
        Candidate(
            project_id=f"{code}-R{number:04d}",
            county_code=code,
            feeder_id=option.feeder_id,
            area_id=option.area_id,
            group=option.group,
            measures=option.measures,
            description=option.description,
            cost_yuan=option.cost_yuan,
            changes=option.changes,
            items=option.items,
        )
        for number, option in enumerate(options, start=1)
    )
