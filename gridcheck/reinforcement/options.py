"""Ways to build something, before they are numbered as candidates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gridcheck.reinforcement.measures import Change, Item
from gridcheck.reinforcement.terms import Terms

# Lengths are priced by the tenth of a metre, as networks give them. [decimals of a km]
_DECIMALS = 4


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
    items : tuple of Item
        Bill of quantities.
    changes : tuple of Change
        What is built.
    """

    feeder_id: str
    area_id: str
    group: str
    measures: tuple[str, ...]
    description: str
    items: tuple[Item, ...]
    changes: tuple[Change, ...]

    @property
    def cost_yuan(self) -> float:
        """Sum of its bill. [yuan]"""
        return math.fsum(item.cost_yuan for item in self.items)


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
    items : tuple of Item
        What is paid for it: the measure itself first, then what it needs besides.
    """

    measure: str
    change: Change
    description: str
    items: tuple[Item, ...]

    @property
    def cost_yuan(self) -> float:
        """Sum of its items. [yuan]"""
        return math.fsum(item.cost_yuan for item in self.items)


def item_of(
    terms: Terms, measure: str, amount: float = 1.0, *, type_name: str = "", elements: tuple[str, ...] = ()
) -> Item:
    """Return a measure as an item of a bill.

    Parameters
    ----------
    terms : Terms
        Prices.
    measure : str
        Code of the catalogue of measures.
    amount : float
        How much of it, in the catalogue's unit. [km], [1]
    type_name : str
        Type that is bought.
    elements : tuple of str
        Elements of the network that it changes or joins.
    """
    return Item(
        measure=measure,
        amount=round(amount, _DECIMALS),
        unit_yuan=terms.price_yuan[measure],
        type_name=type_name,
        elements=elements,
    )


def option_of(parts: tuple[Part, ...], *, feeder_id: str, area_id: str, group: str) -> Option:
    """Join measures into one option; the dearest gives it its name."""
    dearest_first = sorted(parts, key=lambda part: (-part.cost_yuan, part.measure))
    return Option(
        feeder_id=feeder_id,
        area_id=area_id,
        group=group,
        measures=tuple(part.measure for part in dearest_first),
        description="; ".join(part.description for part in dearest_first),
        items=tuple(item for part in dearest_first for item in part.items),
        changes=tuple(part.change for part in parts),
    )
