"""The errors, each with an exit code and an error code that scripts may rely on.

Every failure that a user may see is an `OncallError`. Only the error boundary in `oncallctl.cli` turns it into output
and an exit status. Exit codes and error codes are closed sets, documented in docs/scripting.md.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar, Self


class ExitCode(IntEnum):
    """The exit status of the program, documented in docs/scripting.md."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CREDENTIALS = 3
    PARTIAL = 4
    DECLINED = 5
    NOT_FOUND = 6
    CONFLICT = 7
    UNAVAILABLE = 8
    UNKNOWN = 9
    CONDITION = 10


EXIT_CODES = (
    ("0", "success, or nothing to change", ""),
    ("1", "other error: refused in a way no other code names, not an OnCall API, or a bug", "no"),
    ("2", "wrong usage or input, or not supported by this server; no changing request was sent", "no"),
    ("3", "no credentials, or refused, or the wrong kind of token or role", "no"),
    ("4", "of several targets some succeeded and some failed", "the failed ones"),
    ("5", "declined at a prompt", ""),
    ("6", "not found, or ambiguous", "no"),
    ("7", "conflicts with the present state", "no"),
    ("8", "unavailable: a read failed after its retries, or a change certainly did not arrive", "yes"),
    (
        "9",
        "outcome unknown: a change was sent, and neither its response nor reading back shows the result",
        "look first",
    ),
    ("10", "a required condition (--require, --wait) does not hold", ""),
    (
        "125, 126, 127",
        "maintenance run: windows could not be started and the command was not run; not executable; not found",
        "",
    ),
    ("128+n", "ended by signal n; the message says what was sent and what was done", "look first"),
)
"""Exit code, meaning, and whether a script may retry: the text of `oncallctl help exit-codes` and of the docs."""


class OncallError(Exception):
    """A failure with a message for a person and a code for a script.

    Attributes:
        code: the error code, one of a closed set.
        exit_code: the exit status of the program.
        message: the problem, in one sentence.
        hint: the next step, as a sentence or a command, or None.
        http_status: the HTTP status of the response that caused the error, or None.
        is_engine_crash: True if the response was the error page of the engine itself, not that of a gateway.
    """

    code: ClassVar[str] = "failed"
    exit_code: int = ExitCode.FAILED
    is_engine_crash: bool = False

    def __init__(self, message: str, *, hint: str | None = None, http_status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.http_status = http_status

    def ending_with(self, status: int) -> Self:
        """Set the exit status to that of a command or a signal, and return the error."""
        self.exit_code = status
        return self

    @property
    def retryable(self) -> bool:
        """True if repeating the command is safe and may help: exit code 8, which includes rate limits.

        It is False for exit code 9: the change may have taken effect, so check before repeating it.
        """
        return self.exit_code == ExitCode.UNAVAILABLE

    def document(self) -> dict[str, object]:
        """Return the error as a JSON object."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "exit_code": int(self.exit_code),
            "http_status": self.http_status,
            "retryable": self.retryable,
        }


class Bug(OncallError):
    """A bug in this program."""

    code = "bug"

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Turn an unexpected exception into a bug report that names the line that raised it."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        file = trace.tb_frame.f_code.co_filename.rpartition("/")[2] if trace else "?"
        where = f"{file}:{trace.tb_lineno}" if trace else file
        return cls(f"bug in oncallctl: {type(error).__name__} at {where}: {error}", hint="please report it")


class ServerRefused(OncallError):
    """The server understood the request and refused it."""

    code = "refused"


class NotOnCall(OncallError):
    """The server at the URL is not an OnCall API."""

    code = "not_oncall"


class InvalidInput(OncallError):
    """An invalid command line, file or environment variable; no changing request was sent."""

    code = "invalid_input"
    exit_code = ExitCode.USAGE


class Unsupported(OncallError):
    """An operation that this server does not support; no changing request was sent."""

    code = "unsupported"
    exit_code = ExitCode.USAGE


class ConfirmationNeeded(OncallError):
    """Confirmation is required but there is no terminal for a prompt; nothing was sent."""

    code = "confirmation_needed"
    exit_code = ExitCode.USAGE


class NoCredentials(OncallError):
    """The token is missing or cannot be read."""

    code = "no_credentials"
    exit_code = ExitCode.CREDENTIALS


class AccessDenied(OncallError):
    """The server refuses the token, or the token lacks a permission."""

    code = "access_denied"
    exit_code = ExitCode.CREDENTIALS


class PartialFailure(OncallError):
    """Of several targets some succeeded and some failed."""

    code = "partial_failure"
    exit_code = ExitCode.PARTIAL


class Declined(OncallError):
    """The user declined at a prompt."""

    code = "declined"
    exit_code = ExitCode.DECLINED


class NotFound(OncallError):
    """The object does not exist."""

    code = "not_found"
    exit_code = ExitCode.NOT_FOUND


class Ambiguous(OncallError):
    """Several objects have this name."""

    code = "ambiguous"
    exit_code = ExitCode.NOT_FOUND


class Conflict(OncallError):
    """The current state does not allow the operation."""

    code = "conflict"
    exit_code = ExitCode.CONFLICT


class Unavailable(OncallError):
    """A read failed after its retries, or a change certainly did not arrive: safe to retry."""

    code = "unavailable"
    exit_code = ExitCode.UNAVAILABLE


class OutcomeUnknown(OncallError):
    """A change was sent and may have taken effect: its response was lost or is unusable."""

    code = "outcome_unknown"
    exit_code = ExitCode.UNKNOWN


class ConditionFailed(OncallError):
    """A required condition does not hold."""

    code = "condition_failed"
    exit_code = ExitCode.CONDITION


class Interrupted(OncallError):
    """A signal ended the program; the message describes the state."""

    code = "interrupted"

    def __init__(self, signum: int, message: str = "interrupted", *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.ending_with(128 + signum)


class Signal(BaseException):
    """A signal arrived. Raised by the signal handler; `except Exception` does not catch it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum
