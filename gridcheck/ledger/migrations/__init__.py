"""Migrations of the ledger, by Alembic: each step once, in order, never edited after a release."""
