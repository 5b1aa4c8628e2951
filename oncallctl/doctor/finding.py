"""Findings: the results of checks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from oncallctl.errors import OncallError


class Status(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        check: the name of the check, stable for scripts.
        hint: how to fix it, or None if it is ok.
        error: the error that other commands raise because of it. It has the exit status.
    """

    check: str
    status: Status
    message: str
    hint: str | None = None
    error: OncallError | None = None

    @property
    def row(self) -> dict[str, str | None]:
        """The finding in the JSON output."""
        return {"check": self.check, "status": self.status.value, "message": self.message, "hint": self.hint}


def good(check: str, message: str) -> Finding:
    """Return a finding without a problem."""
    return Finding(check, Status.OK, message)


def doubtful(check: str, message: str, hint: str) -> Finding:
    """Return a warning: it works now but may fail later, or it could not be checked."""
    return Finding(check, Status.WARN, message, hint)


def broken(check: str, error: OncallError) -> Finding:
    """Return a failure: other commands fail because of it."""
    return Finding(check, Status.FAIL, error.message, error.hint, error)
