"""The checks of `doctor`, from the configuration file to the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from oncallctl.doctor import completions, local, server
from oncallctl.doctor.cron import in_cron
from oncallctl.doctor.finding import Finding, Status, doubtful

if TYPE_CHECKING:
    from oncallctl.config.settings import Settings

__all__ = ["Finding", "Status", "examine", "in_cron"]


def examine(settings: Settings, script: Callable[[str], str]) -> Iterator[Finding]:
    """Run all checks lazily, in order.

    Args:
        settings: the profile and the timeout.
        script: returns the current completion script for a shell.
    """
    problem = yield from local.configuration()
    profile = yield from local.profile(settings, problem)
    if profile is None:
        yield doubtful("url", "not checked: no profile is in use", "fix the failure above first")
    else:
        token = yield from local.credentials(profile)
        yield from server.examine(profile, token, settings)
    yield from completions.examine(script)
