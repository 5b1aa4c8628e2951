"""A line for a crontab."""

from __future__ import annotations

import shlex

from oncallctl.errors import InvalidInput
from oncallctl.maintenance.file.export.job import WRITTEN, Job, plain

LONGEST = 990  # bytes: cron refuses a command of 1000


def crontab(job: Job) -> dict[str, str]:
    """Write the line that cron runs every minute, a comment above it; by file name.

    Raises:
        InvalidInput: a name that no crontab can hold.
    """
    settings = [f"{name}={shlex.quote(value)}" for name, value in job.environment.items()]
    line = " ".join([*settings, shlex.join([*job.program, *job.arguments])])
    plain(line, "the path")
    if "\\" in line:  # what cron makes of it depends on the cron
        raise InvalidInput("a path with a backslash in it cannot be written for every cron", hint="rename it")
    line = line.replace("%", "\\%")  # else cron ends the command there
    if len(line.encode()) > LONGEST:
        raise InvalidInput("the command is too long for a crontab", hint="use shorter paths")
    return {
        f"{job.name}.crontab": f"""\
{WRITTEN}: the windows of {job.file},
# on {plain(job.place, "the profile")}. Cron's own zone does not matter: the file names its zones.
# It prints one line when it fails, which cron mails to MAILTO; else nothing.
* * * * * {line}
"""
    }
