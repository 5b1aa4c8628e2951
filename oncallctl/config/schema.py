"""The schema of config.toml; see `toml_schema` for the cost of the import."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from oncallctl.api.urls import base_url, stack_url
from oncallctl.config.aliases import split_alias
from oncallctl.config.settings import LONGEST_TIMEOUT, Format
from oncallctl.config.toml_schema import StrictTable, TomlLines, TomlMistake, mistakes, validator
from oncallctl.times import parse_duration, zone


def _zone(name: str) -> str:
    zone(name)
    return name


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _base(url: str, info: ValidationInfo) -> str:
    allow_http = info.data.get("allow_http", True)  # absent if it is invalid itself
    return validator(partial(base_url, allow_http=allow_http))(url)


def _only_token(command: str | None, info: ValidationInfo) -> str | None:
    if command and info.data.get("token_file") and "token_source" in info.data and not info.data["token_source"]:
        raise PydanticCustomError("two_tokens", "conflicts with token_file; keep one of them, or set token_source")
    return command


def _aliases(table: dict[str, str]) -> dict[str, str]:
    for name, line in table.items():
        split_alias(name, line)
    return table


SECONDS = f"more than 0 and at most {LONGEST_TIMEOUT} seconds"


class ProfileTable(StrictTable):
    """A table ``[profiles.NAME]``. Validators of later fields see the values of earlier ones."""

    allow_http: bool = False
    url: Annotated[str, AfterValidator(_base)]
    grafana_url: Annotated[str, AfterValidator(validator(stack_url))] | None = None
    api: Literal["auto", "oss", "cloud"] = "auto"
    token_source: Literal["keyring", "file", "command"] | None = None
    token_file: str | None = None
    token_command: Annotated[str | None, AfterValidator(_only_token)] = None
    output: Annotated[Format | None, Field(strict=False)] = None
    tz: Annotated[str, AfterValidator(validator(_zone))] | None = None
    timeout: Annotated[float | None, Field(gt=0, le=LONGEST_TIMEOUT, allow_inf_nan=False, description=SECONDS)] = None
    longest_window: Annotated[str, AfterValidator(validator(_duration))] | None = None
    most_targets: int | None = None
    reason_required: bool = False
    modes_allowed: list[Literal["silence_escalations", "group_alerts", "disable_alerts"]] | None = None
    cover_for_others: bool = True

    @property
    def source(self) -> str:
        """The token source: `token_source`, else the source whose option is set, else the keyring."""
        if self.token_source:
            return self.token_source
        return "file" if self.token_file is not None else "command" if self.token_command is not None else "keyring"


class ConfigFile(StrictTable):
    """The complete config.toml."""

    default_profile: str | None = None
    profiles: dict[str, ProfileTable] = Field(default_factory=dict)
    aliases: Annotated[dict[str, str], AfterValidator(validator(_aliases))] = Field(default_factory=dict)


def validate(document: Mapping[str, Any], text: str) -> ConfigFile | list[TomlMistake]:
    """Validate a parsed config.toml; return all of its mistakes, if any.

    Args:
        document: the parsed file, or the part of it that is needed.
        text: the source, to find the lines of mistakes.
    """
    try:
        return ConfigFile.model_validate(document)
    except ValidationError as error:
        return mistakes(error, TomlLines(text), ConfigFile, ProfileTable)


def describe(mistake: TomlMistake) -> str:
    """Format a mistake, without its line."""
    profile = f"profile {mistake.path[1]}: " if len(mistake.path) > 2 else ""
    return f"{profile}{mistake.message}"
