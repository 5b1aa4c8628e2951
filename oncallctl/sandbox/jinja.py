"""Jinja2 templates, rendered as the engine renders them (its common/jinja_templater).

The engine uses jinja2's sandbox with `range` forbidden, filters of its own, and limits on the length of a template and
of its result. jinja2 is imported by the first template.
"""
# ruff: noqa: A002, DTZ007 - the parameters and the naive times of the engine's filters

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2.sandbox import SandboxedEnvironment

    Filter = Callable[..., object]

MAX_TEMPLATE_LENGTH: Final = 50_000
MAX_RESULT_LENGTH: Final = 50_000
TIME_FORMAT: Final = "%H:%M / %d-%m-%Y"
DURATION: Final = re.compile(r"([-+]?\d+)([smhdw])")
DURATION_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class TemplateError(Exception):
    """A template that cannot be rendered with any payload: its syntax is wrong, or it does something forbidden."""


class TemplateWarning(Exception):
    """A template that cannot be rendered with this payload, for example because a field is missing."""


def render(template: str, **context: object) -> str:
    """Render a template.

    Raises:
        TemplateError: the template is wrong for every payload.
        TemplateWarning: the template does not fit the payload.
    """
    from jinja2 import TemplateSyntaxError, UndefinedError

    if len(template) > MAX_TEMPLATE_LENGTH:
        raise TemplateError(f"longer than {MAX_TEMPLATE_LENGTH} characters")
    try:
        result = _environment().from_string(template).render(**context)
    except TemplateSyntaxError as error:
        raise TemplateError(str(error)) from error
    except (TypeError, KeyError, ValueError, UndefinedError) as error:
        raise TemplateWarning(str(error)) from error
    # A template can raise anything: SecurityError, RecursionError, OverflowError, …
    except Exception as error:
        raise TemplateError(str(error)) from error
    return f"{result[:MAX_RESULT_LENGTH]}.." if len(result) > MAX_RESULT_LENGTH else result


def has_valid_syntax(template: str) -> bool:
    """True if a template can be compiled; an unknown filter is a syntax error, too."""
    from jinja2 import TemplateSyntaxError

    try:
        _environment().from_string(template)
    except TemplateSyntaxError:
        return False
    return True


@cache
def _environment() -> SandboxedEnvironment:
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment()
    environment.globals["time"] = lambda: datetime.now(UTC)
    environment.globals["range"] = _forbidden_range
    environment.filters |= {name: _none_on_error(function) for name, function in FILTERS.items()}
    return environment


def _forbidden_range(*_: object) -> None:
    from jinja2.exceptions import SecurityError

    raise SecurityError("use of 'range' is restricted")


def _none_on_error(function: Filter) -> Filter:
    """Make a filter return None instead of raising, as the engine's filters do."""

    @wraps(function)
    def tolerant(*args: object, **kwargs: object) -> object:
        try:
            return function(*args, **kwargs)
        except (ValueError, AttributeError, TypeError, LookupError, OSError, re.error):
            return None

    return tolerant


def _timedelta(value: str) -> timedelta | None:
    """Parse a duration such as `-5m`."""
    match = DURATION.fullmatch(value)
    return match and timedelta(**{DURATION_UNITS[match[2]]: int(match[1])})


def _strftime(value: datetime, format: str = TIME_FORMAT) -> str:
    return value.strftime(format)


def _strftime_in_zone(value: datetime, format: str = TIME_FORMAT, tz: str = "UTC") -> str:
    return value.astimezone(ZoneInfo(tz)).strftime(format)


def _strptime(value: str, format: str = TIME_FORMAT) -> datetime:
    return datetime.strptime(value, format)


FILTERS: Final[dict[str, Filter]] = {
    "b64decode": lambda value: base64.b64decode(value).decode(),
    "datetimeformat": _strftime,
    "datetimeformat_as_timezone": _strftime_in_zone,
    "datetimeparse": _strptime,
    "iso8601_to_time": datetime.fromisoformat,
    "json_dumps": json.dumps,
    "parse_json": json.loads,
    "regex_match": lambda value, pattern: re.match(pattern, value) is not None,
    "regex_replace": lambda value, pattern, replacement: re.sub(pattern, replacement, value),
    "regex_search": lambda value, pattern: re.search(pattern, value) is not None,
    "timedeltaparse": _timedelta,
    "timestamp_to_datetime": datetime.fromtimestamp,
    "tojson_pretty": lambda value: json.dumps(value, sort_keys=True, indent=4, ensure_ascii=False),
}
