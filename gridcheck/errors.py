"""The error tree of gridcheck.

::

    GridcheckError(Exception)
    |-- InputError(ValueError)            something the user gave is wrong; .findings holds all of it
    |   |-- ConfigError                   scenario file: file, key, value, what is allowed
    |   |-- SchemaError                   table: column, rows, rule
    |   |-- CatalogueError                unknown type, or a row without a source
    |   `-- NetworkError                  ids of the buses and branches at fault
    |       |-- UnsupportedElementError   in-service elements gridcheck does not model
    |       `-- TopologyError             no slack, island, loop where a tree is needed
    |-- SolveError(RuntimeError)
    |   `-- NotConvergedError             only from raise_for_status(); cases, iterations
    |-- PlanError                         budget cannot be met, with the smallest that could
    |   `-- OutOfTimeError                the time ran out before a plan was found; there may be one
    `-- LedgerError                       a results folder, store or ledger that cannot be read or written
        |-- IllegalStepError              a step that the life of an application does not allow
        `-- NoRoomError                   a promise for which no room is left, or known

A message says what was found, where, what is allowed and what to do. Wrong input raises before
anything runs and names every finding at once; a case that cannot be solved is a result, not an error.
"""

from __future__ import annotations

from collections.abc import Sequence


class GridcheckError(Exception):
    """Base of every error that gridcheck raises on purpose."""


class InputError(GridcheckError, ValueError):
    """Something the user gave is wrong.

    Parameters
    ----------
    message : str
        What is wrong as a whole, naming the file.
    findings : sequence of str
        Every single fault: row or key, what was found, what is allowed.
    """

    def __init__(self, message: str, findings: Sequence[str] = ()) -> None:
        self.message = message
        self.findings = tuple(findings)
        super().__init__("\n".join([message, *(f"  - {line}" for line in self.findings)]))


class ConfigError(InputError):
    """A scenario file holds an unknown key or a value that is not allowed."""


class SchemaError(InputError):
    """A table breaks a rule of its schema."""


class CatalogueError(InputError):
    """A catalogue has no such type, or a row without a source."""


class NetworkError(InputError):
    """A network cannot be what it says: ids of the buses and branches at fault are in the findings."""


class UnsupportedElementError(NetworkError):
    """The network holds in-service elements that gridcheck does not model."""


class TopologyError(NetworkError):
    """No slack, an island, or a loop where a tree is needed."""


class SolveError(GridcheckError, RuntimeError):
    """A load flow could not be carried out."""


class NotConvergedError(SolveError):
    """Raised only by ``raise_for_status()``: some cases did not converge."""


class PlanError(GridcheckError):
    """A reinforcement plan cannot be made under the given conditions."""


class OutOfTimeError(PlanError):
    """The time of a search ran out before it found anything; there may be something."""


class LedgerError(GridcheckError):
    """A results folder, a readings store or the ledger cannot be read or written."""


class IllegalStepError(LedgerError):
    """A step that an application cannot take from where it stands; says which ones it can."""


class NoRoomError(LedgerError):
    """A promise for which an element of the grid has no room left, or none that is known."""
