"""The errors, each with an exit code and an error code that scripts may rely on.

Every failure that a user may meet is an `OncallError`. It is turned into stderr and an exit status in one place only,
the boundary in `oncallctl.cli`. The statuses and words (`OncallError.code`) are closed sets; README.md documents them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar, Self


class ExitCode(IntEnum):
    """The exit status of the program, as README.md documents it."""

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


class OncallError(Exception):
    """A failure with a message for a person and a code for a script.

    Attributes:
        code: one word of the closed set, stable for scripts.
        exit_code: the exit status it leads to.
        message: one sentence that says what is wrong.
        hint: one sentence or command that says what to do next, or None.
        http_status: the HTTP status of the response that caused it, or None.
        is_engine_crash: whether the response was the error page with which the engine itself ends a failed request.
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
        """Set the exit status of this error, to that of a command that was run or of a signal."""
        self.exit_code = status
        return self

    def document(self) -> dict[str, object]:
        """Return the error as the JSON object in the output."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "exit_code": int(self.exit_code),
            "http_status": self.http_status,
        }


class Bug(OncallError):
    """A bug in this program."""

    code = "bug"

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Return an exception that nothing expected as a bug, with the line that raised it."""
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
    """The URL responds, but it is not that of an OnCall API."""

    code = "not_oncall"


class InvalidInput(OncallError):
    """A command line, a file or an environment variable that cannot be used; nothing was sent."""

    code = "invalid_input"
    exit_code = ExitCode.USAGE


class Unsupported(OncallError):
    """Something that this kind of server cannot do; nothing was sent."""

    code = "unsupported"
    exit_code = ExitCode.USAGE


class ConfirmationNeeded(OncallError):
    """Confirmation is required, and there is no terminal for a prompt; nothing was sent."""

    code = "confirmation_needed"
    exit_code = ExitCode.USAGE


class NoCredentials(OncallError):
    """No token, or one that could not be read."""

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
    """No such object."""

    code = "not_found"
    exit_code = ExitCode.NOT_FOUND


class Ambiguous(OncallError):
    """A name that several objects have."""

    code = "ambiguous"
    exit_code = ExitCode.NOT_FOUND


class Conflict(OncallError):
    """The current state does not allow the operation."""

    code = "conflict"
    exit_code = ExitCode.CONFLICT


class Unavailable(OncallError):
    """A read failed after its retries, or a change certainly did not arrive: it is safe to try again."""

    code = "unavailable"
    exit_code = ExitCode.UNAVAILABLE


class OutcomeUnknown(OncallError):
    """A change was sent and its response could not be read: it may have taken effect."""

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
    """A signal arrived: raised wherever the program then is, and not stopped by `except Exception`."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum
