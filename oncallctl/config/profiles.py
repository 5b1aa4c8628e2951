"""Profiles: servers and the sources of their tokens, never a token itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from oncallctl.api.urls import _host, base_url, stack_url
from oncallctl.errors import InvalidInput

SANDBOXES = {"sandbox": "cloud", "sandbox-oss": "oss"}

APIS = ("auto", "oss", "cloud")

TOKEN_SOURCES = ("keyring", "file", "command")

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Profile:
    """A server and the source of its token.

    Attributes:
        url: the base URL, without ``/api/v1``.
        api: auto, oss or cloud.
        token_source: keyring, file or command; environment or sandbox for the profiles that are not in the file.
        output: the default output format.
        tz: the default time zone.
        timeout: seconds per request, or None for the default.
        longest_window: the maximum length of a maintenance window, as a duration.
        most_targets: the maximum number of integrations that one command may put into maintenance.
        reason_required: True if a window needs a reason.
        modes_allowed: the allowed maintenance modes, in Cloud's terms.
    """

    name: str
    url: str
    grafana_url: str | None = None
    api: str = "auto"
    token_source: str = "keyring"  # noqa: S105  # a source, not a token
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

    @property
    def origin(self) -> str:
        """Scheme, host and port in one spelling: what a keyring entry is bound to."""
        return f"{self._scheme}://{self.host}"

    @property
    def former_origin(self) -> str:
        """The origin as older versions spelled it: with the port and the trailing dot of the URL."""
        return f"{self._scheme}://{self.former_host}".lower()

    @property
    def host(self) -> str:
        """Host and port in one spelling: the name of the server in prompts, the journal and state files."""
        return _host(self._scheme, urlsplit(self.url).netloc)

    @property
    def former_host(self) -> str:
        """The host as older versions spelled it: as the URL does."""
        return urlsplit(self.url).netloc

    def is_at(self, host: str) -> bool:
        """True if a host (with a port, if any) is this profile's server, in whatever spelling a file has it."""
        try:
            return _host(self._scheme, host) == self.host
        except ValueError:
            return False

    @property
    def _scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def is_sandbox(self) -> bool:
        """True if it is one of the built-in sandboxes."""
        return self.token_source == "sandbox"  # noqa: S105


def sandbox(name: str) -> Profile:
    """Return a built-in profile; its host exists in no network (RFC 2606)."""
    return Profile(name=name, url="http://sandbox.invalid", api=SANDBOXES[name], token_source="sandbox")  # noqa: S106


def checked(profile: Profile) -> Profile:
    """Validate a profile for `auth login`, and return it with its URL normalized and its file path absolute.

    Raises:
        InvalidInput: a name or a URL that cannot be used.
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
