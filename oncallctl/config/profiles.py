"""Profiles: a server and the source of its token, never the token."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from oncallctl.api.urls import base_url, normalized_host, stack_url
from oncallctl.errors import InvalidInput

SANDBOXES = {"sandbox": "cloud", "sandbox-oss": "oss"}

APIS = ("auto", "oss", "cloud")

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


class TokenSource(StrEnum):
    """The sources of tokens."""

    KEYRING = "keyring"
    FILE = "file"
    COMMAND = "command"
    ENVIRONMENT = "environment"
    SANDBOX = "sandbox"


@dataclass(frozen=True)
class Profile:
    """A server and the source of its token.

    Attributes:
        url: the base URL, without ``/api/v1``.
        api: auto, oss or cloud.
        token_source: a `TokenSource`; profiles in config.toml never have `ENVIRONMENT` or `SANDBOX`.
        output: the default output format.
        tz: the default time zone.
        timeout: seconds per request, or None for the default.
        longest_window: the maximum length of a maintenance window, such as ``4h``.
        most_targets: the maximum number of integrations that one command may put into maintenance.
        reason_required: True if a window needs a reason.
        modes_allowed: the allowed maintenance modes, by Cloud's names.
        cover_for_others: False if shift swaps need the token's user as one of the two people.
    """

    name: str
    url: str
    grafana_url: str | None = None
    api: str = "auto"
    token_source: str = TokenSource.KEYRING
    token_file: str | None = None
    token_command: str | None = None
    allow_http: bool = False
    output: str | None = None
    tz: str | None = None
    timeout: float | None = None
    longest_window: str | None = None
    most_targets: int | None = None
    reason_required: bool = False
    modes_allowed: list[str] | None = None
    cover_for_others: bool = True

    @property
    def origin(self) -> str:
        """Scheme, host and port in normalized form. Keyring entries are bound to it."""
        return f"{self._scheme}://{self.host}"

    @property
    def host(self) -> str:
        """Host and port in normalized form: the name of the server in prompts, the journal and state files."""
        return normalized_host(self._scheme, urlsplit(self.url).netloc)

    def is_at(self, host: str) -> bool:
        """True if a host is the server of this profile: case, the default port and a trailing dot do not matter."""
        try:
            return normalized_host(self._scheme, host) == self.host
        except ValueError:
            return False

    @property
    def _scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def is_sandbox(self) -> bool:
        """True if the profile is one of the built-in sandboxes."""
        return self.token_source == TokenSource.SANDBOX


def sandbox(name: str) -> Profile:
    """Return a built-in profile. Its host is reserved and never resolves (RFC 2606)."""
    return Profile(name, "http://sandbox.invalid", api=SANDBOXES[name], token_source=TokenSource.SANDBOX)


def normalized(profile: Profile) -> Profile:
    """Return a profile for `auth login` with normalized URLs and an absolute path of the token file.

    Raises:
        InvalidInput: the name or a URL is invalid.
    """
    name, token_file = profile.name, profile.token_file
    if not NAME.fullmatch(name) or name in SANDBOXES:
        reason = "is built in" if name in SANDBOXES else "may only contain letters, digits, _, . and -"
        raise InvalidInput(f"invalid profile name {name!r}: it {reason}")
    if token_file and not token_file.startswith(("~", "$")):
        token_file = str(Path(token_file).absolute())
    return replace(
        profile,
        url=base_url(profile.url, allow_http=profile.allow_http),
        grafana_url=stack_url(profile.grafana_url) if profile.grafana_url else None,
        token_file=token_file,
    )
