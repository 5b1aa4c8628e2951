"""`doctor --as-cron`: the same checks in the environment of a Debian cron job."""

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

TIMEOUT = 180.0  # seconds

# Variables that oncallctl and its libraries read and cron does not set.
_VARIABLES = re.compile(
    r"ONCALLCTL_\w+|GRAFANA_(?:ONCALL_\w+|URL)|XDG_(?:CONFIG|STATE)_HOME|PYTHONPATH|PYTHON_KEYRING_BACKEND"
    r"|SSL_CERT_(?:FILE|DIR)|(?:https?|all|no)_proxy|(?:HTTPS?|ALL|NO)_PROXY|CREDENTIALS_DIRECTORY"
)


def in_cron(settings: Settings) -> Iterator[Finding]:
    """Run `doctor` in a subprocess with the environment of a cron job."""
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
            timeout=TIMEOUT,
            start_new_session=True,  # without a terminal for prompts
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield broken("cron", Unavailable(f"oncallctl did not finish within {TIMEOUT:.0f} s"))
        return
    except OSError as error:
        yield broken("cron", OncallError(f"cannot start the program: {error.strerror}"))
        return
    yield from _read(done)


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        return str(os.getuid())


def _environment() -> Finding:
    here = sorted(name for name in os.environ if _VARIABLES.fullmatch(name))
    if not here:
        return good("environment", "cron would not lack any variable that is set here")
    return doubtful(
        "environment",
        f"set here but not in cron: {', '.join(here)}",
        "set what the job needs in the crontab, above its line; put the token in a file: auth login --token-file",
    )


def _read(done: subprocess.CompletedProcess[bytes]) -> Iterator[Finding]:
    try:
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        reported = json.loads(done.stderr.splitlines()[-1])["error"] if done.returncode else None
    except (ValueError, LookupError):
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no output"]
        hint = "install it so that it works without PYTHONPATH and from any folder"
        yield broken("cron", OncallError(f"the program failed: {lines[-1]}", hint=hint))
        return
    for row in rows:
        status = Status(row["status"])
        error = None
        if status is Status.FAIL and reported:
            error = _error(reported["code"], row["message"], row["hint"], reported["http_status"])
            reported = None  # it describes the first failure
        yield Finding(row["check"], status, row["message"], row["hint"], error)


def _error(code: str, message: str, hint: str | None, http_status: int | None) -> OncallError:
    """Recreate the error that the subprocess reported."""
    kinds = {kind.code: kind for kind in OncallError.__subclasses__() if not issubclass(kind, Interrupted)}
    return kinds.get(code, OncallError)(message, hint=hint, http_status=http_status)
