"""The pages of the dashboards: one module each, with a layout and its callbacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dash import Dash
from dash.development.base_component import Component

from dashboards.address import Address
from dashboards.store import ResultsStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page.

    Attributes
    ----------
    code : str
        Entry of the section ``nav`` in the wording.
    path : str
        Where it is found.
    layout : callable
        Builds the page for a store and an address.
    register : callable
        Registers the callbacks of the page; called once per app.
    """

    code: str
    path: str
    layout: Callable[[ResultsStore, Address], list[Component]]
    register: Callable[[Dash, ResultsStore], None]
