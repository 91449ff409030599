"""The ledger: what was asked, assessed, promised and built, kept with its inputs in a database."""
