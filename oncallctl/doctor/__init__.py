"""What stands between this machine and a working OnCall: looked at one thing after the other, mended by the user."""

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
    """Look at everything, each thing when the next finding is asked for.

    Args:
        settings: which profile; how long to wait for an answer.
        script: the completion script that this program would print for a shell.
    """
    problem = yield from local.configuration()
    profile = yield from local.profile(settings, problem)
    if profile is None:
        yield doubtful("url", "not checked: there is no profile", "mend what failed above")
    else:
        token = yield from local.credentials(profile)
        yield from server.examine(profile, token, settings)
    yield from completions.examine(script)
