"""Ways to build something, before they are numbered as candidates."""

from __future__ import annotations

from dataclasses import dataclass

from gridcheck.reinforcement.measures import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to deal with one place.

    Attributes
    ----------
    feeder_id, area_id, group : str
        Where; alternatives share the group.
    measures : tuple of str
        Codes of the catalogue of measures, the dearest first.
    description : str
        What is replaced by what.
    cost_yuan : float
        Cost. [yuan]
    changes : tuple of Change
        What is built.
    """

    feeder_id: str
    area_id: str
    group: str
    measures: tuple[str, ...]
    description: str
    cost_yuan: float
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One measure of an option.

    Attributes
    ----------
    measure : str
        Code of the catalogue of measures.
    change : Change
        What is built.
    description : str
        What is replaced by what.
    cost_yuan : float
        Cost. [yuan]
    """

    measure: str
    change: Change
    description: str
    cost_yuan: float


def option_of(parts: tuple[Part, ...], *, feeder_id: str, area_id: str, group: str) -> Option:
    """Join measures into one option; the dearest gives it its name."""
    dearest_first = sorted(parts, key=lambda part: (-part.cost_yuan, part.measure))
    return Option(
        feeder_id=feeder_id,
        area_id=area_id,
        group=group,
        measures=tuple(part.measure for part in dearest_first),
        description="; ".join(part.description for part in dearest_first),
        cost_yuan=sum(part.cost_yuan for part in parts),
        changes=tuple(part.change for part in parts),
    )
