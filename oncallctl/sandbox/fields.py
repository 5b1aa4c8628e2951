"""Checks of single fields. Each raises `Invalid` with what the servers say about the field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar
from zoneinfo import ZoneInfo

from oncallctl.sandbox.answers import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

REQUIRED: Final = "This field is required."
TRUE: Final = frozenset({"t", "y", "yes", "true", "on", "1"})
FALSE: Final = frozenset({"f", "n", "no", "false", "off", "0"})
WHOLE: Final = re.compile(r"-?\d{1,18}(\.0*)?")
URL: Final = re.compile(
    r"(?i)(https?|ftps?)://([^\s/?#@]+@)?(localhost|[\w-]+(\.[\w-]+)+|\[[0-9a-f:.]+\])(:\d{1,5})?([/?#]\S*)?"
)


class Invalid(Exception):
    """What is wrong with one field, as JSON: usually a list of sentences."""

    def __init__(self, problem: object) -> None:
        super().__init__(problem)
        self.problem = [problem] if isinstance(problem, str) else problem


class Checker:
    """Reads fields out of a body and gathers what is wrong with them."""

    def __init__(self, fields: dict[str, object]) -> None:
        self._fields = fields
        self.problems: dict[str, object] = {}

    def read(self, name: str, check: Callable[[object], T], *, required: bool = False) -> T | None:
        """Check a field if it is there; None where it is not, or is wrong."""
        if name not in self._fields:
            if required:
                self.problems[name] = [REQUIRED]
            return None
        try:
            return check(self._fields[name])
        except Invalid as invalid:
            self.problems[name] = invalid.problem
            return None

    def done(self) -> None:
        """Refuse with all problems, if there are any.

        Raises:
            Refusal: 400 with `{field: problem}`.
        """
        if self.problems:
            raise bad_request(self.problems)


def text(value: object) -> str:
    """Take a string, or a number as one; spaces around it are cut off."""
    if value is None:
        raise Invalid("This field may not be null.")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Invalid("Not a valid string.")
    string = str(value).strip()
    if not string:
        raise Invalid("This field may not be blank.")
    if "\0" in string:
        raise Invalid("Null characters are not allowed.")
    for character in string:
        if "\ud800" <= character <= "\udfff":
            raise Invalid(f"Surrogate characters are not allowed: U+{ord(character):X}.")
    return string


def optional(check: Callable[[object], T]) -> Callable[[object], T | None]:
    """Let null pass."""
    return lambda value: None if value is None else check(value)


def at_most(length: int) -> Callable[[object], str]:
    """Take a text of a limited length."""

    def check(value: object) -> str:
        string = text(value)
        if len(string) > length:
            raise Invalid(f"Ensure this field has no more than {length} characters.")
        return string

    return check


def url(value: object) -> str:
    """Take a URL with a host."""
    string = text(value)
    if URL.fullmatch(string) is None:
        raise Invalid("Enter a valid URL.")
    return string


def boolean(value: object) -> bool:
    """Take a boolean, or one of the words and numbers that mean one."""
    if value is None:
        raise Invalid("This field may not be null.")
    word = str(value).lower()
    if isinstance(value, str | int | bool) and word in TRUE | FALSE:
        return word in TRUE
    raise Invalid("Must be a valid boolean.")


def dictionary(value: object) -> dict[str, object]:
    """Take a JSON object."""
    if value is None:
        raise Invalid("This field may not be null.")
    if not isinstance(value, dict):
        raise Invalid(f'Expected a dictionary of items but got type "{type(value).__name__}".')
    return value


def listed(value: object) -> list[object]:
    """Take a JSON array."""
    if value is None:
        raise Invalid("This field may not be null.")
    if not isinstance(value, list):
        raise Invalid(f'Expected a list of items but got type "{type(value).__name__}".')
    return value


def number(*, at_least: int | None = None) -> Callable[[object], int]:
    """Take a whole number, also as a string."""

    def check(value: object) -> int:
        if value is None:
            raise Invalid("This field may not be null.")
        if WHOLE.fullmatch(str(value)) is None:
            raise Invalid("A valid integer is required.")
        whole = int(str(value).partition(".")[0])
        if at_least is not None and whole < at_least:
            raise Invalid(f"Ensure this value is greater than or equal to {at_least}.")
        return whole

    return check


def time_zone(value: object) -> str:
    """Take the name of a time zone."""
    name = text(value)
    try:
        return ZoneInfo(name).key
    # A folder of the time zone database, a path out of it, or no such file.
    except (OSError, ValueError, LookupError) as error:
        raise Invalid("Invalid timezone") from error
