"""The schema of config.toml.

Importing pydantic takes 50 ms: import this module only where a profile is validated, not to list names for completions.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from oncallctl.api.urls import base_url, stack_url
from oncallctl.config.aliases import split_alias
from oncallctl.config.settings import LONGEST_TIMEOUT
from oncallctl.errors import InvalidInput
from oncallctl.times import parse_duration, zone

_MESSAGES = {
    "missing": "is missing",
    "bool_type": "must be true or false",
    "string_type": "must be a string",
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "list_type": "must be an array",
    "dict_type": "must be a table",
    "model_type": "must be a table",
}


def _invalid(error: InvalidInput) -> PydanticCustomError:
    return PydanticCustomError("invalid_input", "{message}", {"message": error.message, "hint": error.hint})


def _zone(name: str) -> str:
    try:
        zone(name)
    except InvalidInput as error:
        raise _invalid(error) from error
    return name


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except InvalidInput as error:
        raise _invalid(error) from error
    return text


def _stack(url: str) -> str:
    try:
        return stack_url(url)
    except InvalidInput as error:
        raise _invalid(error) from error


def _base(url: str, info: ValidationInfo) -> str:
    try:
        return base_url(url, allow_http=info.data.get("allow_http", True))  # absent if it is invalid itself
    except InvalidInput as error:
        raise _invalid(error) from error


def _only_token(command: str | None, info: ValidationInfo) -> str | None:
    if command and info.data.get("token_file") and "token_source" in info.data and not info.data["token_source"]:
        raise PydanticCustomError("two_tokens", "conflicts with token_file; keep one of them, or set token_source")
    return command


def _aliases(table: dict[str, str]) -> dict[str, str]:
    for name, line in table.items():
        try:
            split_alias(name, line)
        except InvalidInput as error:
            raise _invalid(error) from error
    return table


class ProfileTable(BaseModel):
    """A table ``[profiles.NAME]``. Validators of later fields see the values of earlier ones."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    allow_http: bool = False
    url: Annotated[str, AfterValidator(_base)]
    grafana_url: Annotated[str, AfterValidator(_stack)] | None = None
    api: Literal["auto", "oss", "cloud"] = "auto"
    token_source: Literal["keyring", "file", "command"] | None = None
    token_file: str | None = None
    token_command: Annotated[str | None, AfterValidator(_only_token)] = None
    output: Literal["table", "json", "jsonl", "csv", "id"] | None = None
    tz: Annotated[str, AfterValidator(_zone)] | None = None
    timeout: Annotated[float, Field(gt=0, le=LONGEST_TIMEOUT, allow_inf_nan=False)] | None = None
    longest_window: Annotated[str, AfterValidator(_duration)] | None = None
    most_targets: int | None = None
    reason_required: bool = False
    modes_allowed: list[Literal["silence_escalations", "group_alerts", "disable_alerts"]] | None = None

    @property
    def source(self) -> str:
        """The token source: the one named, else the one whose option is set, else the keyring."""
        if self.token_source:
            return self.token_source
        return "file" if self.token_file is not None else "command" if self.token_command is not None else "keyring"


class ConfigFile(BaseModel):
    """The whole of config.toml."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    default_profile: str | None = None
    profiles: dict[str, ProfileTable] = Field(default_factory=dict)
    aliases: Annotated[dict[str, str], AfterValidator(_aliases)] = Field(default_factory=dict)


@dataclass(frozen=True)
class ConfigMistake:
    """A mistake in config.toml.

    Attributes:
        line: where it is, or None if that is not known.
        message: the key, and what is wrong with its value.
    """

    line: int | None
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


def validate(document: Mapping[str, Any], text: str) -> ConfigFile | list[ConfigMistake]:
    """Validate a parsed config.toml; return all its mistakes if there are any.

    Args:
        document: the parsed file, or the part of it that is needed.
        text: the source, to find the lines of mistakes.
    """
    try:
        return ConfigFile.model_validate(document)
    except ValidationError as error:
        mistakes = [_mistake(each, text) for each in error.errors(include_url=False)]
        return sorted(mistakes, key=lambda mistake: mistake.line or 0)


def _mistake(error: Any, text: str) -> ConfigMistake:  # noqa: ANN401  # pydantic's ErrorDetails, with a custom context
    path = [str(part) for part in error["loc"]]
    subject = f"profile {path[1]}: {path[2]}" if len(path) > 2 else " ".join(path)
    context = error.get("ctx", {})
    return ConfigMistake(_line(text, path), f"{subject}{_explain(error, path, context)}", context.get("hint"))


def _explain(error: Any, path: list[str], context: Mapping[str, Any]) -> str:  # noqa: ANN401
    kind = error["type"]
    if kind == "extra_forbidden":
        known = ProfileTable.model_fields if len(path) > 2 else ConfigFile.model_fields
        near = difflib.get_close_matches(path[-1], known, 1)
        return f": unknown key (did you mean {near[0]}?)" if near else f": unknown key (known: {', '.join(known)})"
    if kind == "literal_error":
        return f" must be one of {context['expected'].replace(chr(39), '').replace(' or ', ', ')}"
    if kind in {"greater_than", "less_than_equal", "finite_number"}:
        return f" must be more than 0 and at most {LONGEST_TIMEOUT} seconds"
    if kind == "invalid_input":
        return f": {context['message']}"
    return f" {_MESSAGES.get(kind, error['msg'])}"


def _line(text: str, path: list[str]) -> int | None:
    """Return the line of a key, or of the header of its table if the key is missing.

    Returns None rather than a wrong line if the file has strings of several lines, which could look like keys.
    """
    if '"""' in text or "'''" in text:
        return None
    table, key = path[:2], path[2] if len(path) > 2 else None
    found = None
    for number, where, statement in _statements(text):
        if where is None and path[0] in statement and len(path) == 1:
            return number
        if where == table:
            if key is None or key in statement:
                return number
            found = found or number
    return found


def _statements(text: str) -> Iterator[tuple[int, list[str] | None, dict[str, Any]]]:
    """Yield the line, the path of the table and the content of each statement that fits on one line."""
    where: list[str] | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            statement = tomllib.loads(line)
        except ValueError:
            continue
        if line.lstrip().startswith("["):
            where = _path(statement)
            statement = {}
        yield number, where, statement


def _path(table: Any) -> list[str]:  # noqa: ANN401  # a TOML value
    if not isinstance(table, dict) or not table:
        return []
    ((name, inner),) = table.items()
    return [name, *_path(inner)]
