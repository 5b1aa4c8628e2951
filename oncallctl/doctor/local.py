"""Checks that need no server: the configuration, the profile in use and the source of its token."""

from __future__ import annotations

import os
import shlex
import stat
import time
from collections.abc import Generator
from typing import TYPE_CHECKING

from oncallctl.config.config_file import config, config_path
from oncallctl.config.connect import ENVIRONMENT, choose_profile, token_of
from oncallctl.config.profiles import TokenSource
from oncallctl.doctor.finding import Finding, broken, doubtful, good
from oncallctl.errors import InvalidInput, OncallError

if TYPE_CHECKING:
    from oncallctl.config.config_file import Config
    from oncallctl.config.profiles import Profile
    from oncallctl.config.settings import Settings

SLOW_SOURCE = 3.0  # seconds: a slower token source makes every command slow


def configuration() -> Generator[Finding, None, OncallError | None]:
    """Check config.toml: it is readable, valid, and only this user can change it.

    Returns:
        The error, so that it is not reported twice.
    """
    try:
        file = config()
        file.check()
    except OncallError as error:
        yield broken("config", error)
        return error
    if not file.path.exists():
        if named := os.environ.get("ONCALLCTL_CONFIG"):
            yield doubtful("config", f"ONCALLCTL_CONFIG names {named}, which does not exist", "correct the path")
        else:
            yield good("config", f"no config file yet ({file.path})")
        return None
    yield _mode(file)
    return None


def _mode(file: Config) -> Finding:
    mode = stat.S_IMODE(file.path.stat().st_mode)
    fix = f"chmod 600 {shlex.quote(str(file.path))}"
    if mode & 0o022:  # whoever can change it can set token_command
        return broken("config", InvalidInput(f"{file.path} can be changed by other users (mode {mode:04o})", hint=fix))
    if mode & 0o077:
        return doubtful("config", f"{file.path} can be read by other users (mode {mode:04o}, not 0600)", fix)
    count = len(file.names)
    return good("config", f"{file.path}, {count} profile{'' if count == 1 else 's'}, mode {mode:04o}")


def profile(settings: Settings, known: OncallError | None) -> Generator[Finding, None, Profile | None]:
    """Check which profile is in use, and why.

    Args:
        settings: for the value of --profile.
        known: the error of config.toml, if any.
    """
    try:
        chosen = choose_profile(settings.profile, os.environ)
    except OncallError as error:
        if known is None or not _is_part_of(known, error):
            yield broken("profile", error)
        return None
    if settings.profile:
        why = "named by --profile"
    elif chosen.name == ENVIRONMENT:
        why = "URL and token come from the environment"
    elif os.environ.get("ONCALLCTL_PROFILE"):
        why = "named by ONCALLCTL_PROFILE"
    else:
        why = "the default"
    yield good("profile", f"{chosen.name}: {why}")
    return chosen


def _is_part_of(known: OncallError, error: OncallError) -> bool:
    """True if an error of the profile in use repeats mistakes of config.toml that were reported already."""
    return error.message.startswith(f"{config_path()}: ") or known.message.endswith(error.message)


def credentials(profile: Profile) -> Generator[Finding, None, str | None]:
    """Check that the token source returns a token, and how fast.

    Returns:
        The token, or None if the source failed.
    """
    began = time.monotonic()
    try:
        token = token_of(profile)
    except OncallError as error:
        yield broken("credentials", error)
        return None
    took = time.monotonic() - began
    source = _source(profile)
    if took > SLOW_SOURCE:
        yield doubtful(
            "credentials",
            f"{source} took {took:.0f} s to return the token; every command waits for it",
            "use --token-file with auth login, or a faster command",
        )
    else:
        yield good("credentials", f"a token from {source}")
    return token


def _source(profile: Profile) -> str:
    """Describe the source of a token without revealing secrets."""
    from oncallctl.config.credentials.text import display_name

    if profile.is_sandbox:
        return "the sandbox"
    if profile.token_source == TokenSource.ENVIRONMENT:
        return "the environment"
    if profile.token_source == TokenSource.FILE:
        return f"the file {display_name(profile.token_file or '')}"
    if profile.token_source == TokenSource.COMMAND:
        return f"token_command {display_name(shlex.split(profile.token_command or '')[0])}"
    return "the keyring"
