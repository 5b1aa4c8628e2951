"""`auth`: log in, log out and manage profiles."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncallctl.config.config_file import config, own_token_file
from oncallctl.config.connect import (
    choose_profile,
    detect,
    dialect_of,
    open_profile,
    token_of,
)
from oncallctl.config.name_cache import forget as forget_names
from oncallctl.config.profiles import SANDBOXES, Profile, TokenSource, normalized
from oncallctl.errors import AccessDenied, Declined, InvalidInput, NoCredentials, OncallError
from oncallctl.output.prompts import ask_text, interactive
from oncallctl.output.render import render, render_text
from oncallctl.parsing.framework import noun

if TYPE_CHECKING:
    from oncallctl.config.settings import Settings

LIST = {"DEFAULT": "default", "PROFILE": "id", "URL": "url", "API": "api", "TOKEN FROM": "token_source"}
STATUS = {**LIST, "USER": "user", "STATUS": "status"}
del STATUS["DEFAULT"]


class ApiChoice(StrEnum):
    """The server types; auto detects it."""

    AUTO = "auto"
    OSS = "oss"
    CLOUD = "cloud"


app = noun()


@app.command(
    examples=[
        "oncallctl auth login --url https://oncall.example.org",
        "oncallctl auth login prod --url https://oncall.example.org --token-file ~/.oncall-token",
        "oncallctl auth login cloud --url https://oncall.example.net/oncall --grafana-url https://mystack.grafana.net",
    ],
    changes="machine",
)
def login(
    ctx: typer.Context,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="OnCall API URL, as shown on the OnCall settings page.")
    ],
    name: Annotated[
        str | None,
        typer.Argument(metavar="[PROFILE]", help="Name of the profile. [default: default]", show_default=False),
    ] = None,
    grafana_url: Annotated[
        str | None,
        typer.Option(
            "--grafana-url", metavar="URL", help="URL of the Grafana stack, required for service account tokens."
        ),
    ] = None,
    api: Annotated[ApiChoice, typer.Option("--api", help="Server type; auto detects it.")] = ApiChoice.AUTO,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the token from stdin and store it in the keyring.")
    ] = False,
    token_file: Annotated[
        str | None, typer.Option("--token-file", metavar="FILE", help="Read the token from this file on every run.")
    ] = None,
    token_command: Annotated[
        str | None,
        typer.Option("--token-command", metavar="COMMAND", help="Run this program for the token on every run."),
    ] = None,
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Do not verify the token with the server.")] = False,
) -> None:
    """Create a profile: a server and the source of its token."""
    if sum((token_stdin, token_file is not None, token_command is not None)) > 1:
        raise InvalidInput(
            "several token sources are given", hint="give only one of --token-stdin, --token-file and --token-command"
        )
    if name and ctx.obj.profile:
        raise InvalidInput("the profile is named twice", hint="omit --profile")
    called = name or ctx.obj.profile or "default"
    file = config()  # report a broken file before prompting for a token
    before = file.profile(called) if called in file.names else None
    made = normalized(
        Profile(
            called,
            url,
            grafana_url,
            api.value,
            "file" if token_file else "command" if token_command else "keyring",
            token_file,
            token_command,
            allow_http=before is not None and before.allow_http,
        )
    )
    made, token = _obtain_token(made, ctx.obj, from_stdin=token_stdin)
    if not no_verify:
        try:
            made = detect(made, token, ctx.obj)
        except AccessDenied as error:
            error.hint = error.hint or "check that the token belongs to this server, and that --api is right"
            raise
    if token_file is None and token_command is None:
        _store(made, token)
    if before and before.token_file != made.token_file:
        _remove_own_token_file(before)
    if before and before.url != made.url:
        ctx.obj.note(f"profile {made.name} used {before.url} before")
    file.save(made)
    forget_names(made.name)
    ctx.obj.note(f"logged in to {made.host} ({made.api}) as profile {made.name}")
    render(ctx.obj, _described(made, default=file.default), LIST)


@app.command(
    examples=[
        "oncallctl auth status",
        "oncallctl auth status --profile sandbox-oss",
    ],
)
def status(ctx: typer.Context) -> None:
    """Show the profile in use, and whether the server accepts its token."""
    profile = choose_profile(ctx.obj.profile, os.environ)
    row: dict[str, Any] = {
        **_described(profile, default=config().default),
        "api": dialect_of(profile).value,
        "user": None,
    }
    failure: OncallError | None = None
    try:
        row |= _checked_user(profile, ctx.obj)
    except OncallError as error:
        failure = error
        row["status"] = error.code
        if isinstance(error, AccessDenied):
            error.hint = f"log in with another token: oncallctl auth login {profile.name} --url {profile.url}"
    render(ctx.obj, row, STATUS)
    if failure:
        raise failure


@app.command(
    "list",
    examples=[
        "oncallctl auth list",
        "oncallctl auth list -o json",
    ],
)
def list_profiles(ctx: typer.Context) -> None:
    """List the profiles."""
    file = config()
    profiles = [file.profile(name) for name in [*file.names, *SANDBOXES]]
    render(ctx.obj, [_described(profile, default=file.default) for profile in profiles], LIST)


@app.command(
    examples=[
        "oncallctl auth switch prod",
        "oncallctl auth switch sandbox",
    ],
    changes="machine",
)
def switch(
    ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="PROFILE", help="Profile to use by default.")]
) -> None:
    """Make a profile the default."""
    config().switch(name)
    ctx.obj.note(f"the default profile is {name}")


@app.command(
    examples=[
        "oncallctl auth logout prod",
        "oncallctl auth logout staging --quiet",
    ],
    changes="machine",
)
def logout(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROFILE]", help="Profile to remove. [default: the profile in use]", show_default=False
        ),
    ] = None,
) -> None:
    """Remove a profile, and its token from the keyring or the token file that `auth login` made."""
    file = config()
    if name is None:
        chosen = choose_profile(ctx.obj.profile, os.environ)
        if chosen.token_source == TokenSource.ENVIRONMENT:
            raise InvalidInput(
                "the environment names the server and the token, not a profile", hint="name the profile to remove"
            )
        name = chosen.name
    if name in SANDBOXES:
        raise InvalidInput(f"{name} is built in", hint="oncallctl sandbox reset restores its data")
    known = file.profile(name)
    if known.token_source == TokenSource.KEYRING:
        from oncallctl.config.credentials import delete_keyring

        delete_keyring(known.name, known.origin)
    file.remove(name)
    _remove_own_token_file(known)
    forget_names(name)
    ctx.obj.note(f"removed profile {name}")


@app.command(
    examples=[
        "oncallctl auth token",
        "oncallctl auth token --profile sandbox-oss",
    ],
)
def token(ctx: typer.Context) -> None:
    """Print the token of the profile in use."""
    render_text(ctx.obj, f"{token_of(choose_profile(ctx.obj.profile, os.environ))}\n")


def _obtain_token(profile: Profile, settings: Settings, *, from_stdin: bool) -> tuple[Profile, str]:
    """Return the token of a new profile, and the profile with the place where the token will be stored.

    Raises:
        InvalidInput: there is neither a token nor a terminal to ask for it.
        NoCredentials: there is no token, or no keyring to store it in.
        Declined: there is no keyring, and the user does not want a token file.
    """
    from oncallctl.config.credentials import check_keyring, valid_token

    if profile.token_source != TokenSource.KEYRING:
        return profile, token_of(profile)
    file = own_token_file(profile.name)
    login = shlex.join(["oncallctl", "auth", "login", profile.name, "--url", profile.url, "--token-file", str(file)])
    if from_stdin:
        if sys.stdin.isatty():
            raise InvalidInput("--token-stdin reads a pipe or a file, not a terminal", hint="omit it to be prompted")
        check_keyring(profile.name, login)
        return profile, valid_token(sys.stdin.readline(), "stdin")
    if not interactive():
        raise InvalidInput(
            "no token: not running in a terminal that could prompt for it",
            hint=f"write the token to a file of mode 0600, then {login}; or use --token-stdin or --token-command",
        )
    try:
        check_keyring(profile.name, login)
    except NoCredentials as error:
        settings.warn(error.message)
        answer = ask_text(f"Store the token in {file} instead, readable only by you? [y/N] ")
        if answer.lower() not in {"y", "yes"}:
            raise Declined("declined; nothing was changed", hint=error.hint) from error
        profile = replace(profile, token_source=TokenSource.FILE, token_file=str(file))
    import getpass

    return profile, valid_token(getpass.getpass(f"API token for {profile.host}: ", sys.stderr), "the input")


def _store(profile: Profile, token: str) -> None:
    """Store a token in the keyring or the token file.

    Raises:
        NoCredentials: it cannot be stored.
    """
    from oncallctl.config.credentials import write_keyring, write_token_file

    if profile.token_source == TokenSource.FILE:
        write_token_file(own_token_file(profile.name), token)
        return
    write_keyring(profile.name, profile.origin, token)


def _remove_own_token_file(profile: Profile) -> None:
    """Remove the token file that `auth login` made for a profile, if it uses one."""
    file = own_token_file(profile.name)
    if profile.token_file == str(file):
        file.unlink(missing_ok=True)


def _checked_user(profile: Profile, settings: Settings) -> dict[str, Any]:
    with open_profile(profile, token_of(profile), settings) as oncall:
        if oncall.service_account:
            next(oncall.teams.list(1), None)
            return {"user": "(service account)", "status": "ok"}
        return {"user": oncall.users.current().username, "status": "ok"}


def _described(profile: Profile, *, default: str | None) -> dict[str, Any]:
    return {
        "id": profile.name,
        "default": profile.name == default,
        "url": None if profile.is_sandbox else profile.url,
        "api": profile.api,
        "token_source": profile.token_source,
    }
