"""Intake: application files as they come, the good rows studied, every bad row given back with all its reasons."""

from gridcheck.connection.intake.file import ApplicationFile, read_application_file
from gridcheck.connection.intake.places import KnownPlaces, known_places
from gridcheck.connection.intake.returned import rejected_bytes, rejected_name, write_rejected
from gridcheck.connection.intake.sort import Intake, sort_rows
from gridcheck.connection.intake.words import Fault

__all__ = [
    "ApplicationFile",
    "Fault",
    "Intake",
    "KnownPlaces",
    "known_places",
    "read_application_file",
    "rejected_bytes",
    "rejected_name",
    "sort_rows",
    "write_rejected",
]
