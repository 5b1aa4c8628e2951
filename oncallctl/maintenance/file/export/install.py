"""Installation of a job in the user's crontab, as a marked block; other lines stay as they are."""

from __future__ import annotations

import shlex
import shutil
import subprocess

from oncallctl.errors import InvalidInput, OncallError
from oncallctl.maintenance.file.export.job import Job, plain

SECONDS = 10.0  # for one run of crontab


class Crontab:
    """The user's crontab, through the command `crontab`.

    Raises:
        InvalidInput: the command is not installed.
        OncallError: the crontab cannot be read, for example because the user may not use cron.
    """

    def __init__(self) -> None:
        command = shutil.which("crontab")
        if command is None:
            raise InvalidInput("crontab is not installed", hint="install cron, or use --to systemd")
        self._command = command
        self.text = self._read()

    def write(self, text: str) -> None:
        """Replace the crontab.

        Raises:
            OncallError: cron refused it; it is unchanged.
        """
        done = self._run("-", text)
        if done.returncode:
            raise OncallError(f"cannot write the crontab: {_reason(done)}")
        self.text = text

    def _read(self) -> str:
        done = self._run("-l")
        if done.returncode == 0:
            return done.stdout
        if "no crontab" in done.stderr.lower():
            return ""
        raise OncallError(f"cannot read the crontab: {_reason(done)}")

    def _run(self, argument: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603  # found above
                [self._command, argument],
                input=stdin,
                capture_output=True,
                timeout=SECONDS,
                encoding="utf-8",
                errors="surrogateescape",  # other lines of the crontab are kept byte for byte
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OncallError(f"cannot run {self._command}: {error}") from error


def installed(crontab: str, job: Job, lines: str) -> str:
    """Return a crontab with the lines of a job in its block.

    The block of the same file and profile is replaced; else it is appended.

    Args:
        crontab: the present crontab.
        job: the job, which names the block.
        lines: the lines to install.

    Raises:
        InvalidInput: the block of the job begins and does not end.
    """
    name = plain(shlex.join(job.arguments), "the path")
    begin, end = f"# BEGIN oncallctl {name}", f"# END oncallctl {name}"
    block = [begin, *lines.splitlines(), end]
    present = crontab.split("\n")
    if begin not in present:
        before = f"{crontab}\n" if crontab and not crontab.endswith("\n") else crontab
        return before + "\n".join([*block, ""])
    first = present.index(begin)
    if end not in present[first:]:
        raise InvalidInput(
            f"line {first + 1} of the crontab begins a block that does not end", hint="delete that line: crontab -e"
        )
    last = present.index(end, first)
    return "\n".join([*present[:first], *block, *present[last + 1 :]])


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip().replace("\n", "; ") or f"crontab exited with {done.returncode}"
