"""Every error a person can meet, as one tree with exit codes.

FreeholdError        1   something we did not foresee well enough
├── InputError       2   the charter, a file or an argument is wrong; nothing half-written
│   ├── MissingExtra     an optional part is not installed
│   └── WorkspaceBusy    another run holds this workspace
├── GateError        3   a check or gate did not hold
└── IncompleteError  4   nothing failed, but something was not checked
"""

from __future__ import annotations


class FreeholdError(Exception):
    """Base of all our errors: what happened, where, and what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.message = message
        self.where = where
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}; {self.remedy}" if self.remedy else text


class InputError(FreeholdError):
    """Bad input: named with its place and its remedy."""

    exit_code = 2


class MissingExtra(InputError):
    """A part of the product whose libraries are not installed here."""


class WorkspaceBusy(InputError):
    """Another process works on the same stage of the same workspace."""


class GateError(FreeholdError):
    """A verification or a gate ran and did not hold."""

    exit_code = 3


class IncompleteError(FreeholdError):
    """Nothing failed, but not everything could be checked."""

    exit_code = 4
