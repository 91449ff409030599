"""The ledger: what was asked, assessed, promised and built, kept with its inputs in a database."""

from __future__ import annotations

from gridcheck.ledger.acceptance import Finding, Item, blank_checklist, checklist_items, read_checklist
from gridcheck.ledger.database import DEFAULT_FILE
from gridcheck.ledger.frozen import VERDICTS, catalogue_sha256
from gridcheck.ledger.granted import approved_by
from gridcheck.ledger.journal import read_head
from gridcheck.ledger.ledger import Ledger, open_ledger
from gridcheck.ledger.life import State, Step, steps_from
from gridcheck.ledger.listing import ListedApplication
from gridcheck.ledger.projects import KeptProject, PlanMoney, ProjectState, ProjectStep, ProposedProject
from gridcheck.ledger.records import (
    Answer,
    Approved,
    Batch,
    Capacity,
    Head,
    JournalCheck,
    JournalEntry,
    KeptApplication,
    KeptAssessment,
    Level,
    NewApplication,
    Reservation,
    Room,
)
from gridcheck.ledger.reservations import RESERVED_DAYS
from gridcheck.ledger.schema import init_ledger
from gridcheck.ledger.season import Claim, SeasonSum, read_readings, season_of, season_subsidy_yuan, season_text
from gridcheck.ledger.subsidy import TARIFFS, Entitlement, HouseholdFacts, entitled

__all__ = [
    "DEFAULT_FILE",
    "RESERVED_DAYS",
    "TARIFFS",
    "VERDICTS",
    "Answer",
    "Approved",
    "Batch",
    "Capacity",
    "Claim",
    "Entitlement",
    "Finding",
    "Head",
    "HouseholdFacts",
    "Item",
    "JournalCheck",
    "JournalEntry",
    "KeptApplication",
    "KeptAssessment",
    "KeptProject",
    "Ledger",
    "Level",
    "ListedApplication",
    "NewApplication",
    "PlanMoney",
    "ProjectState",
    "ProjectStep",
    "ProposedProject",
    "Reservation",
    "Room",
    "SeasonSum",
    "State",
    "Step",
    "approved_by",
    "blank_checklist",
    "catalogue_sha256",
    "checklist_items",
    "entitled",
    "init_ledger",
    "open_ledger",
    "read_checklist",
    "read_head",
    "read_readings",
    "season_of",
    "season_subsidy_yuan",
    "season_text",
    "steps_from",
]
