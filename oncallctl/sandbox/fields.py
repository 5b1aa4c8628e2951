"""Checks of the fields of a body. Each returns the value or raises `InvalidField` with the servers' message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar
from zoneinfo import ZoneInfo

from oncallctl.sandbox.responses import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

REQUIRED: Final = "This field is required."
TRUE: Final = frozenset({"t", "y", "yes", "true", "on", "1"})
FALSE: Final = frozenset({"f", "n", "no", "false", "off", "0"})
INTEGER: Final = re.compile(r"-?\d{1,18}(\.0*)?")
URL: Final = re.compile(
    r"(?i)(https?|ftps?)://([^\s/?#@]+@)?(localhost|[\w-]+(\.[\w-]+)+|\[[0-9a-f:.]+\])(:\d{1,5})?([/?#]\S*)?"
)


class InvalidField(Exception):
    """The problem of one field, as JSON: usually a list of sentences."""

    def __init__(self, problem: object) -> None:
        super().__init__(problem)
        self.problem = [problem] if isinstance(problem, str) else problem


class FieldReader:
    """Reads the fields of a body and collects their problems."""

    def __init__(self, fields: dict[str, object]) -> None:
        self._fields = fields
        self.problems: dict[str, object] = {}

    def read(self, name: str, check: Callable[[object], T], *, required: bool = False) -> T | None:
        """Return the checked value of a field, or None if it is missing or invalid."""
        if name not in self._fields:
            if required:
                self.problems[name] = [REQUIRED]
            return None
        try:
            return check(self._fields[name])
        except InvalidField as invalid:
            self.problems[name] = invalid.problem
            return None

    def raise_problems(self) -> None:
        """Raise all problems that were found.

        Raises:
            HttpError: 400 with `{field: problem}`.
        """
        if self.problems:
            raise bad_request(self.problems)

    def given(self, columns: dict[str, object]) -> dict[str, object]:
        """Return the columns whose fields are in the body."""
        return {name: value for name, value in columns.items() if name in self._fields}


def text(value: object) -> str:
    """Return a string without surrounding spaces; numbers become strings."""
    if value is None:
        raise InvalidField("This field may not be null.")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidField("Not a valid string.")
    string = str(value).strip()
    if not string:
        raise InvalidField("This field may not be blank.")
    if "\0" in string:
        raise InvalidField("Null characters are not allowed.")
    for character in string:
        if "\ud800" <= character <= "\udfff":
            raise InvalidField(f"Surrogate characters are not allowed: U+{ord(character):X}.")
    return string


def optional(check: Callable[[object], T]) -> Callable[[object], T | None]:
    """Return a check that also accepts null."""
    return lambda value: None if value is None else check(value)


def text_up_to(length: int) -> Callable[[object], str]:
    """Return a check for a text of limited length."""

    def check(value: object) -> str:
        string = text(value)
        if len(string) > length:
            raise InvalidField(f"Ensure this field has no more than {length} characters.")
        return string

    return check


def url(value: object) -> str:
    """Return a URL with a host."""
    string = text(value)
    if URL.fullmatch(string) is None:
        raise InvalidField("Enter a valid URL.")
    return string


def boolean(value: object) -> bool:
    """Return a boolean; some words and numbers stand for one."""
    if value is None:
        raise InvalidField("This field may not be null.")
    word = str(value).lower()
    if isinstance(value, str | int | bool) and word in TRUE | FALSE:
        return word in TRUE
    raise InvalidField("Must be a valid boolean.")


def dictionary(value: object) -> dict[str, object]:
    """Return a JSON object."""
    if value is None:
        raise InvalidField("This field may not be null.")
    if not isinstance(value, dict):
        raise InvalidField(f'Expected a dictionary of items but got type "{type(value).__name__}".')
    return value


def array(value: object) -> list[object]:
    """Return a JSON array."""
    if value is None:
        raise InvalidField("This field may not be null.")
    if not isinstance(value, list):
        raise InvalidField(f'Expected a list of items but got type "{type(value).__name__}".')
    return value


def integer(*, at_least: int | None = None) -> Callable[[object], int]:
    """Return a check for a whole number, which may be a string."""

    def check(value: object) -> int:
        if value is None:
            raise InvalidField("This field may not be null.")
        if INTEGER.fullmatch(str(value)) is None:
            raise InvalidField("A valid integer is required.")
        number = int(str(value).partition(".")[0])
        if at_least is not None and number < at_least:
            raise InvalidField(f"Ensure this value is greater than or equal to {at_least}.")
        return number

    return check


def time_zone(value: object) -> str:
    """Return the name of a time zone."""
    name = text(value)
    try:
        return ZoneInfo(name).key
    # A folder of the time zone database, a path out of it, or a missing file.
    except (OSError, ValueError, LookupError) as error:
        raise InvalidField("Invalid timezone") from error
