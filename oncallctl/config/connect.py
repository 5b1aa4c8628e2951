"""Choose a profile, read its token and return a client."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from oncallctl.api.urls import base_url, stack_url
from oncallctl.config.config_file import Config, config, config_path
from oncallctl.config.name_cache import NameCache
from oncallctl.config.private_files import open_private, state_folder
from oncallctl.config.profiles import APIS, SANDBOXES, Profile, TokenSource, sandbox
from oncallctl.config.settings import Settings
from oncallctl.errors import AccessDenied, InvalidInput, NoCredentials, OncallError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from oncallctl.api.client import Dialect, OnCall

TIMEOUT = 20.0
ENVIRONMENT = "environment"
SERVICE_ACCOUNT = "glsa_"


def sandbox_database() -> Path:
    """Return the path of the sandbox's database.

    Raises:
        InvalidInput: the file belongs to another user, or cannot be created.
    """
    path = state_folder() / "sandbox.sqlite3"
    os.close(open_private(path, os.O_RDWR))
    return path


def choose_profile(
    name: str | None, environment: Mapping[str, str], *, read: Callable[[Config, str], Profile] = Config.profile
) -> Profile:
    """Return the profile in use. URL and token always come from the same place.

    The order is --profile, ONCALLCTL_URL with ONCALLCTL_TOKEN, ONCALLCTL_PROFILE, the default profile, and the
    variables of the Terraform provider. Nothing falls back to the sandbox.

    Args:
        name: the value of --profile.
        environment: the environment variables.
        read: reads a profile of config.toml, validated or not.

    Raises:
        InvalidInput: only one variable of a pair is set, or the configuration has mistakes.
        NoCredentials: no profile is configured.
    """
    if name:
        return _named(name, read)
    if pair := _pair(environment, "ONCALLCTL_URL", "ONCALLCTL_TOKEN"):
        return Profile(
            name=ENVIRONMENT,
            url=base_url(pair),
            grafana_url=_stack(environment.get("ONCALLCTL_GRAFANA_URL")),
            api=_api(environment.get("ONCALLCTL_API") or "auto"),
            token_source=TokenSource.ENVIRONMENT,
        )
    if chosen := environment.get("ONCALLCTL_PROFILE"):
        return _named(chosen, read)
    file = config()
    if file.default:
        return read(file, file.default)
    if pair := _pair(environment, "GRAFANA_ONCALL_URL", "GRAFANA_ONCALL_ACCESS_TOKEN"):
        return Profile(
            name=ENVIRONMENT,
            url=base_url(pair),
            grafana_url=_stack(environment.get("GRAFANA_URL")),
            token_source=TokenSource.ENVIRONMENT,
        )
    known = f"oncallctl auth switch to one of {', '.join(file.names)}; or " if file.names else ""
    raise NoCredentials(
        "not logged in",
        hint=f"{known}oncallctl auth login --url URL; or set ONCALLCTL_URL and ONCALLCTL_TOKEN;"
        " or try --profile sandbox",
    )


def profile_defaults(name: str | None) -> Profile | None:
    """Return the profile in use with its defaults, or None if it cannot be used.

    Its errors are ignored here, because many commands need no profile.
    """
    try:
        return choose_profile(name, os.environ, read=Config.unvalidated)
    except (OncallError, OSError):
        return None


def _named(name: str, read: Callable[[Config, str], Profile]) -> Profile:
    return sandbox(name) if name in SANDBOXES else read(config(), name)


def _pair(environment: Mapping[str, str], url: str, token: str) -> str | None:
    """Return the URL if both variables are set, or None if neither is. Raise InvalidInput if one is missing."""
    has_url, has_token = bool(environment.get(url)), bool(environment.get(token))
    if has_url and has_token:
        return environment[url]
    if has_url or has_token:
        missing, present = (token, url) if has_url else (url, token)
        raise InvalidInput(f"{present} is set and {missing} is not", hint="set both, or neither")
    return None


def _stack(url: str | None) -> str | None:
    return stack_url(url) if url and url.strip() else None


def _api(name: str) -> str:
    if name not in APIS:
        raise InvalidInput(f"invalid ONCALLCTL_API: {name!r}", hint="use auto, oss or cloud")
    return name


def token_of(profile: Profile) -> str:
    """Read the token of a profile from its source.

    Raises:
        NoCredentials: the token is missing or cannot be read.
    """
    from oncallctl.config import credentials

    if profile.is_sandbox:
        from oncallctl.sandbox import ADMIN_TOKEN

        return ADMIN_TOKEN
    if profile.token_source == TokenSource.ENVIRONMENT:
        names = ("ONCALLCTL_TOKEN", "GRAFANA_ONCALL_ACCESS_TOKEN")
        name = next(name for name in names if os.environ.get(name))
        return credentials.valid_token(os.environ[name], name)
    if profile.token_source == TokenSource.FILE:
        if not profile.token_file:
            raise NoCredentials(f"profile {profile.name} has no token_file")
        return credentials.read_token_file(profile.token_file)
    if profile.token_source == TokenSource.COMMAND:
        if not profile.token_command:
            raise NoCredentials(f"profile {profile.name} has no token_command")
        return credentials.run_token_command(profile.token_command)
    return credentials.read_keyring(profile.name, profile.origin)


def dialect_of(profile: Profile) -> Dialect:
    """Return the dialect of the profile. With ``auto``, hosts below grafana.net are Cloud and others self-hosted."""
    from oncallctl.api.client import Dialect

    if profile.api != "auto":
        return Dialect(profile.api)
    host = profile.host.rpartition("@")[2].partition(":")[0]
    return Dialect.CLOUD if host.endswith(".grafana.net") else Dialect.OSS


def connect(settings: Settings) -> OnCall:
    """Return a client for the profile in use, as a context manager. Sends nothing.

    Raises:
        InvalidInput: the configuration has mistakes.
        NoCredentials: the token is missing or cannot be read.
    """
    profile = choose_profile(settings.profile, os.environ)
    oncall = open_profile(profile, token_of(profile), settings)
    if profile.token_source != TokenSource.ENVIRONMENT:  # completions could not attribute these names to a server
        oncall.name_observer = NameCache(profile, config_path, settings.debug)
    return oncall


def open_profile(profile: Profile, token: str, settings: Settings) -> OnCall:
    """Return a client with the given token. Sends nothing."""
    from oncallctl.api.client import Dialect, OnCall
    from oncallctl.api.transport import Transport

    dialect = dialect_of(profile)
    headers = {"Authorization": f"Bearer {token}" if dialect is Dialect.CLOUD else token}
    if profile.grafana_url:
        headers["X-Grafana-URL"] = profile.grafana_url
    application = None
    if profile.is_sandbox:
        application = _sandbox(sandbox_database(), dialect.value)
    transport = Transport(
        profile.url, headers, timeout=settings.timeout or TIMEOUT, listener=settings, application=application
    )
    return OnCall(transport, dialect, profile=profile, service_account=token.startswith(SERVICE_ACCOUNT))


@contextmanager
def sandbox_errors(database: Path) -> Iterator[None]:
    """Turn SQLite errors into InvalidInput that names the sandbox file.

    Raises:
        InvalidInput: SQLite failed; nothing was changed.
    """
    import sqlite3

    try:
        yield
    except sqlite3.OperationalError as error:
        raise InvalidInput(f"{database}: {error}", hint="check its permissions and the free disk space") from error
    except sqlite3.DatabaseError as error:
        raise InvalidInput(f"{database}: {error}", hint="delete the file; it will be created again") from error


def _sandbox(database: Path, dialect: Literal["cloud", "oss"]) -> WSGIApplication:
    from oncallctl.sandbox import application

    with sandbox_errors(database):
        server = application(database, dialect)

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with sandbox_errors(database):
            return server(environ, start_response)

    return respond


def detect(profile: Profile, token: str, settings: Settings) -> Profile:
    """Detect the dialect of the server: Cloud accepts ``Bearer``, a self-hosted engine refuses it.

    Returns:
        The profile with the dialect in `api`. If the profile names one, only that is tried.

    Raises:
        AccessDenied: the server refuses the token.
    """
    candidates = [profile.api] if profile.api != "auto" else ["cloud", "oss"]
    refusal: OncallError | None = None
    for api in candidates:
        candidate = replace(profile, api=api)
        with open_profile(candidate, token, settings) as oncall:
            try:
                next(oncall.teams.list(1), None)
            except AccessDenied as error:
                refusal = refusal or error
                continue
            return candidate
    if refusal and token.startswith(SERVICE_ACCOUNT) and not profile.grafana_url:
        refusal.hint = "a service account token of Grafana Cloud also needs the stack: --grafana-url https://…"
    raise refusal or AccessDenied("the server refuses the token")
