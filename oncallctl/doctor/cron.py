"""The same, as a job of Debian's cron would find it: almost no environment, no terminal and no desktop."""

from __future__ import annotations

import json
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oncallctl.doctor.finding import Finding, Status, broken, doubtful, good
from oncallctl.errors import Interrupted, OncallError, Unavailable

if TYPE_CHECKING:
    from oncallctl.config.settings import Settings

LONGEST = 180.0  # seconds

# What this program and its libraries read, and cron does not set.
_READ = re.compile(
    r"ONCALLCTL_\w+|GRAFANA_(?:ONCALL_\w+|URL)|XDG_(?:CONFIG|STATE)_HOME|PYTHONPATH|PYTHON_KEYRING_BACKEND"
    r"|SSL_CERT_(?:FILE|DIR)|(?:https?|all|no)_proxy|(?:HTTPS?|ALL|NO)_PROXY|CREDENTIALS_DIRECTORY"
)


def in_cron(settings: Settings) -> Iterator[Finding]:
    """Let the program look at everything once more, started as cron starts a job."""
    yield _environment()
    words = [sys.executable, "-m", "oncallctl", "doctor", "--output", "json"]
    words += ["--profile", settings.profile] if settings.profile else []
    words += ["--timeout", str(settings.timeout)] if settings.timeout else []
    home = str(Path.home())
    try:
        done = subprocess.run(  # noqa: S603  # this program itself
            words,
            env={"HOME": home, "LOGNAME": _user(), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"},
            cwd=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST,
            start_new_session=True,  # without a terminal to ask at
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield broken("cron", Unavailable(f"the program does not end within {LONGEST:.0f} s there"))
        return
    except OSError as error:
        yield broken("cron", OncallError(f"the program cannot be started there: {error.strerror}"))
        return
    yield from _read(done)


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        return str(os.getuid())


def _environment() -> Finding:
    here = sorted(name for name in os.environ if _READ.fullmatch(name))
    if not here:
        return good("environment", "nothing is set here that cron would not know")
    return doubtful(
        "environment",
        f"set here and not in cron: {', '.join(here)}",
        "what the job needs is set in the crontab, above its line; a token belongs in a file: auth login --token-file",
    )


def _read(done: subprocess.CompletedProcess[bytes]) -> Iterator[Finding]:
    try:
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        said = json.loads(done.stderr.splitlines()[-1])["error"] if done.returncode else None
    except (ValueError, LookupError):
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
        hint = "is it installed where cron finds it, and not by PYTHONPATH or the current folder?"
        yield broken("cron", OncallError(f"the program does not start there: {lines[-1]}", hint=hint))
        return
    for row in rows:
        status = Status(row["status"])
        error = None
        if status is Status.FAIL and said:
            error = _error(said["code"], row["message"], row["hint"], said["http_status"])
            said = None  # the status is that of the first failure
        yield Finding(row["check"], status, row["message"], row["hint"], error)


def _error(code: str, message: str, hint: str | None, http_status: int | None) -> OncallError:
    """Make again what the other process ended with."""
    kinds = {kind.code: kind for kind in OncallError.__subclasses__() if not issubclass(kind, Interrupted)}
    return kinds.get(code, OncallError)(message, hint=hint, http_status=http_status)
