"""Checks of the server: reachability, dialect, the user of the token and its permissions, clock, rate limit."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oncallctl.api.urls import is_loopback
from oncallctl.config.connect import SERVICE_ACCOUNT, dialect_of, open_profile
from oncallctl.doctor.finding import Finding, broken, doubtful, good
from oncallctl.errors import AccessDenied, InvalidInput, OncallError
from oncallctl.times import now

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.config.profiles import Profile
    from oncallctl.config.settings import Settings

PLACEHOLDER = "none-at-hand"  # sent without a token: a server that refuses it is reachable
MOST_SKEW = 30.0  # seconds
FEW_REQUESTS = 20

_LEFT = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
_LIMIT = ("ratelimit-limit", "x-ratelimit-limit", "x-rate-limit-limit")


# The permissions of the roles of the engine (its permissions.py). The API does not tell which teams an editor may page.
_CONFIGURATION = "maintenance windows and changes to integrations, routes, escalation chains and webhooks"
_REFUSED = {
    "editor": f"{_CONFIGURATION}, and pages to teams that are not the user's and share no resources",
    "viewer": f"pages, actions on alert groups, changes to schedules, {_CONFIGURATION}",
    "none": "everything",
}


def examine(profile: Profile, token: str | None, settings: Settings) -> Iterator[Finding]:
    """Check the server of a profile; without a token, only what needs none."""
    with _opened(profile, token or PLACEHOLDER, settings) as oncall:
        began = time.monotonic()
        problem = _probe(oncall)
        took = time.monotonic() - began
        headers = dict(oncall.transport.last_headers)
        clock = _clock(profile, headers, now())
    yield _url(profile, problem, took)
    if token is None:
        yield doubtful("authorization", "not checked: there is no token", "fix the credentials first")
    elif not _unreachable(problem):
        yield from _with_token(profile, token, settings, problem, headers)
    if headers or profile.is_sandbox:
        yield clock
        yield _rate_limit(headers)


def _opened(profile: Profile, token: str, settings: Settings) -> OnCall:
    oncall = open_profile(profile, token, settings)
    oncall.transport.retries.enabled = False  # report failures instead of retrying
    return oncall


def _probe(oncall: OnCall) -> OncallError | None:
    """Send the smallest request that both servers allow with any token; return its error."""
    try:
        next(oncall.teams.list(1), None)
    except OncallError as error:
        return error
    return None


def _unreachable(problem: OncallError | None) -> OncallError | None:
    """Return the error of a probe, or None if an OnCall API responded, even with a refusal."""
    return None if isinstance(problem, AccessDenied) or (problem and problem.http_status == 429) else problem


def _url(profile: Profile, problem: OncallError | None, took: float) -> Finding:
    if profile.is_sandbox:
        return good("url", "the sandbox is on this machine")
    if unreachable := _unreachable(problem):
        return broken("url", unreachable)
    parts = urlsplit(profile.url)
    if parts.scheme == "https":
        return good("url", f"{profile.url} responds in {took * 1000:.0f} ms, its certificate is trusted")
    if is_loopback(parts.hostname or ""):
        return good("url", f"{profile.url} responds in {took * 1000:.0f} ms, on this machine")
    return doubtful("url", f"{profile.url} responds, but the token is sent over unencrypted HTTP", "use https")


def _with_token(
    profile: Profile, token: str, settings: Settings, problem: OncallError | None, headers: dict[str, str]
) -> Iterator[Finding]:
    """Check what needs a token, and add the headers of the responses to `headers`."""
    if problem is not None and problem.http_status == 429:
        # Without Retry-After it is not a rate limit but an unknown stack.
        if "retry-after" not in headers:
            yield broken("authorization", problem)
        else:
            yield doubtful("authorization", "not checked: the server is rate limiting", problem.hint or "wait")
        return
    if problem is not None and _is_recognized(problem):
        yield good("dialect", f"{dialect_of(profile).value}: the server recognizes the token")
        problem.hint = "log in with the API token of another user, whose role permits more: oncallctl auth login"
        yield broken("authorization", problem)
        return
    usable, finding = _dialect(profile, token, settings, problem)
    yield finding
    if usable is None and problem is not None:
        if token.startswith(SERVICE_ACCOUNT) and not profile.grafana_url:
            problem.hint = "a service account token of Grafana Cloud also needs the stack: grafana_url in the profile"
        yield broken("authorization", problem)
        return
    with _opened(usable or profile, token, settings) as oncall:
        yield _authorization(oncall)
        for name, resource in (
            ("read-integrations", oncall.integrations),
            ("read-teams", oncall.teams),
            ("read-users", oncall.users),
            ("read-alert-groups", oncall.alert_groups),
        ):
            try:
                some = next(resource.list(1), None)
            except OncallError as error:
                yield broken(name, error)
            else:
                yield good(name, "allowed" if some else "allowed; none exist")
            headers |= oncall.transport.last_headers


def _dialect(
    profile: Profile, token: str, settings: Settings, problem: OncallError | None
) -> tuple[Profile | None, Finding]:
    """Compare the configured dialect with the server: Cloud accepts Bearer, a self-hosted engine refuses it.

    Returns:
        The profile with the dialect of the server, or None if the server refuses the token; and the finding.
    """
    configured = dialect_of(profile).value
    other = "oss" if configured == "cloud" else "cloud"
    configured_by = "by its host" if profile.api == "auto" else "as configured"
    fix = f'set api = "{other}" in the profile, or log in again: auth login detects it'
    if problem is None and profile.is_sandbox:
        return profile, good("dialect", f"{configured}, as this sandbox is")
    if problem is None and configured == "cloud":
        return profile, good("dialect", f"cloud {configured_by}: the server accepts Bearer tokens")
    changed = replace(profile, api=other)
    with _opened(changed, token, settings) as oncall:
        refused = _probe(oncall)
    if problem is None:
        if refused is None:
            return profile, doubtful("dialect", f"oss {configured_by}, but the server accepts Bearer: it is Cloud", fix)
        return profile, good("dialect", f"oss {configured_by}: the server accepts the bare token")
    if refused is None:
        form = "Bearer tokens" if other == "cloud" else "the bare token only"
        message = f"{configured} {configured_by}, but the server accepts {form}: it is {other}"
        return changed, broken("dialect", InvalidInput(message, hint=fix))
    return None, doubtful(
        "dialect", f"{configured} {configured_by}; not checked: the server refuses the token", "fix the token first"
    )


def _is_recognized(problem: OncallError) -> bool:
    """True if the server refused a valid token for lack of permissions, as engines do for users with role none.

    The response to an unknown token, or to one in the wrong form, is "Invalid token." (recording auth.jsonl).
    """
    return isinstance(problem, AccessDenied) and "do not have permission" in problem.message


def _authorization(oncall: OnCall) -> Finding:
    if oncall.service_account:
        if oncall.is_cloud:
            return good("authorization", "a service account")
        return doubtful(
            "authorization",
            "a service account: a self-hosted engine lets it read, but fails on maintenance and paging",
            "create an API token in the settings of OnCall and log in with it",
        )
    try:
        user = oncall.users.current()
    except OncallError as error:
        return broken("authorization", error)
    who = f"{user.username}{f', role {user.role}' if user.role else ''}"
    if not oncall.is_cloud and user.role in _REFUSED:  # on Cloud permissions decide
        hint = "for these, log in with the API token of a user with another role: oncallctl auth login"
        return doubtful("authorization", f"{who}: the server refuses {_REFUSED[user.role]}", hint)
    return good("authorization", who)


def _clock(profile: Profile, headers: dict[str, str], at: datetime) -> Finding:
    """Compare the local clock with that of the server."""
    if profile.is_sandbox:
        return good("clock", "the sandbox uses the local clock")
    try:
        server = parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError, OverflowError):
        return doubtful("clock", "not compared: the server sends no Date header", "compare it by hand: date -u")
    server = server if server.tzinfo else server.replace(tzinfo=UTC)
    skew = (at - server).total_seconds() - 0.5  # the header has whole seconds
    if abs(skew) <= MOST_SKEW:
        return good("clock", f"within {max(1, round(abs(skew)))} s of the server's")
    how = "ahead of" if skew > 0 else "behind"
    return doubtful(
        "clock",
        f"{abs(skew):.0f} s {how} the server's: windows would end at the wrong time",
        "set this machine's clock by NTP: timedatectl set-ntp true",
    )


def _rate_limit(headers: dict[str, str]) -> Finding:
    if wait := headers.get("retry-after"):
        return doubtful("rate-limit", f"used up; retry in {wait} s", "spread jobs over the minute")
    left, limit = _first(headers, _LEFT), _first(headers, _LIMIT)
    if left is None and (found := re.search(r"\br(?:emaining)?=(\d{1,9})(?!\d)", headers.get("ratelimit", ""))):
        left = int(found[1])
    if left is None:
        return good("rate-limit", "the server does not report a limit")
    message = f"{left}{f' of {limit}' if limit is not None else ''} requests left"
    if left < FEW_REQUESTS:
        return doubtful("rate-limit", message, "spread jobs over the minute; commands wait if necessary")
    return good("rate-limit", message)


def _first(headers: dict[str, str], names: tuple[str, ...]) -> int | None:
    return next((int(headers[name]) for name in names if re.fullmatch(r"\d{1,9}", headers.get(name, ""))), None)
