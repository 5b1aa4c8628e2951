"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from oncallctl.errors import OncallError


class Status(StrEnum):
    """How it is with what was looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: a word that scripts may rely on.
        hint: what to do where it is not well.
        error: what a failure would be to any other command; it has the exit status.
    """

    check: str
    status: Status
    message: str
    hint: str | None = None
    error: OncallError | None = None

    @property
    def row(self) -> dict[str, str | None]:
        """What scripts read."""
        return {"check": self.check, "status": self.status.value, "message": self.message, "hint": self.hint}


def good(check: str, message: str) -> Finding:
    """Nothing to mend."""
    return Finding(check, Status.OK, message)


def doubtful(check: str, message: str, hint: str) -> Finding:
    """It works, but it may not stay so; or it could not be looked at."""
    return Finding(check, Status.WARN, message, hint)


def broken(check: str, error: OncallError) -> Finding:
    """Other commands will fail because of it."""
    return Finding(check, Status.FAIL, error.message, error.hint, error)
