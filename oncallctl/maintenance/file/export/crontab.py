"""The line of a crontab."""

from __future__ import annotations

import shlex

from oncallctl.errors import InvalidInput
from oncallctl.maintenance.file.export.job import WRITTEN, Job, plain

LONGEST = 990  # bytes: cron refuses a command of 1000 bytes


def crontab(job: Job) -> dict[str, str]:
    """Return the line that cron runs every minute, below a comment; by file name.

    Raises:
        InvalidInput: a path or a name cannot be written in a crontab.
    """
    settings = [f"{name}={shlex.quote(value)}" for name, value in job.environment.items()]
    line = " ".join([*settings, shlex.join([*job.program, *job.arguments])])
    plain(line, "the path")
    if "\\" in line:  # crons differ in the meaning of a backslash
        raise InvalidInput("a path with a backslash cannot be written in a crontab", hint="rename it")
    line = line.replace("%", "\\%")  # cron ends the command at a bare %
    if len(line.encode()) > LONGEST:
        raise InvalidInput("the command is too long for a crontab", hint="use shorter paths")
    return {
        f"{job.name}.crontab": f"""\
{WRITTEN}: the windows of {job.file},
# on {plain(job.place, "the profile")}. Cron's own zone does not matter: the file names its zones.
# The job prints nothing, or one line on failure, which cron mails to MAILTO.
* * * * * {line}
"""
    }
