"""Checks: results held against limits, also with an element lost."""

from gridcheck.checks.county_n_minus_1 import county_n_minus_1, summarise_feeders
from gridcheck.checks.county_state import CountyState, Violation, county_state
from gridcheck.checks.n_minus_1 import run_n_minus_1
from gridcheck.checks.records import FeederNMinus1, NMinus1Row, NMinus1Status
from gridcheck.checks.supply_tree import CheckKind, SupplyTree, require_checkable, supply_trees
from gridcheck.checks.violations import Finding, find_violations

__all__ = [
    "CheckKind",
    "CountyState",
    "FeederNMinus1",
    "Finding",
    "NMinus1Row",
    "NMinus1Status",
    "SupplyTree",
    "Violation",
    "county_n_minus_1",
    "county_state",
    "find_violations",
    "require_checkable",
    "run_n_minus_1",
    "summarise_feeders",
    "supply_trees",
]
