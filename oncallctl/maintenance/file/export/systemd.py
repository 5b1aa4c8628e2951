"""A service and its timer for systemd's system manager."""

from __future__ import annotations

import os
import pwd
import re
import stat
import sys
from pathlib import Path

from oncallctl.config.profiles import Profile
from oncallctl.maintenance.file.export.job import WRITTEN, Job, plain

CREDENTIAL = "oncall-token"


def units(job: Job) -> dict[str, str]:
    """Return the service and the timer, by file name.

    Raises:
        InvalidInput: a path or a name cannot be written in a unit.
    """
    return {f"{job.name}.service": _service(job), f"{job.name}.timer": _timer(job)}


def _service(job: Job) -> str:
    credentials, environment = _credentials(job)
    environment["XDG_STATE_HOME"] = f"%S/{job.name}"
    settings = "\n".join(f"Environment={_word(f'{name}={value}')}" for name, value in environment.items())
    first, *others = [*job.program, *job.arguments]
    start = " ".join([_quoted(plain(first, "the path")), *(_argument(each) for each in others)])
    return f"""\
{WRITTEN}: the windows of {plain(str(job.file), "the path")},
# on {plain(job.place, "the profile")}. It prints one line on failure: journalctl -u {job.name}
[Unit]
Description=Maintenance windows of {_percent(job.file.name)}
Documentation=man:systemd.timer(5)
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={start}
TimeoutStartSec=15min
{credentials}{settings}
StateDirectory={job.name}
StateDirectoryMode=0700
{_user(job)}

# It needs only the network, its files and its own state.
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
"""


def _timer(job: Job) -> str:
    return f"""\
{WRITTEN}: starts {job.name}.service every minute.
# The file names its own time zones; that of the machine does not matter.
[Unit]
Description=Maintenance windows of {_percent(job.file.name)}, every minute

[Timer]
OnCalendar=*-*-* *:*:00
AccuracySec=1s
Persistent=true

[Install]
WantedBy=timers.target
"""


def _credentials(job: Job) -> tuple[str, dict[str, str]]:
    """Return the lines that pass the token as a credential, and the environment of the service.

    Without a token file they use the user's own configuration.
    """
    profile = job.profile
    if profile is None or profile.token_file is None or profile.is_sandbox or reads_credential(profile):
        known = {name: _percent(value) for name, value in job.environment.items() if name == "ONCALLCTL_CONFIG"}
        has_own = profile is not None and reads_credential(profile)
        return "# The profile reads a credential: add LoadCredential=NAME:FILE here\n" * has_own, known
    source = str(Path(profile.token_file).expanduser())
    config = job.config(profile, f"$CREDENTIALS_DIRECTORY/{CREDENTIAL}")
    lines = f"""\
# systemd reads the token as root and shows it only to this service.
LoadCredential={CREDENTIAL}:{_percent(plain(source, "token_file"))}
# A copy of the profile from the time of the export, without a secret.
SetCredential=config.toml:{_escaped(config)}
"""
    # The value of %d, which systemd supports only since version 251.
    return lines, {"ONCALLCTL_CONFIG": f"/run/credentials/{job.name}.service/config.toml"}


def reads_credential(profile: Profile) -> bool:
    """True if the token file is already a systemd credential, whose source only its unit knows."""
    return "CREDENTIALS_DIRECTORY" in (profile.token_file or "")


def _user(job: Job) -> str:
    """Return a dynamic user if everybody may read the files of the job, else the present user."""
    needed = [Path(job.program[0]), Path(sys.base_prefix), Path(__file__).parent, job.file]
    profile = job.profile
    needs_no_user = profile is not None and (
        profile.is_sandbox or (profile.token_file is not None and not reads_credential(profile))
    )
    if needs_no_user and all(_open_to_all(path) for path in needed):
        return "# A temporary user that exists only while the job runs.\nDynamicUser=yes"
    return f"User={_percent(_effective_user())}"


def _effective_user() -> str:
    """Return the effective user's name, not the one in LOGNAME; or the ID, which systemd accepts too."""
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # an arbitrary ID, as in a container
        return str(uid)


def _open_to_all(path: Path) -> bool:
    path = path.resolve()
    try:
        return bool(path.stat().st_mode & stat.S_IROTH) and all(
            parent.stat().st_mode & stat.S_IXOTH for parent in path.parents
        )
    except OSError:
        return False


def _percent(text: str) -> str:
    """Escape systemd's specifiers."""
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """Return one word, quoted if necessary."""
    text = _percent(text)
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _argument(text: str) -> str:
    """Return one word of a command; systemd expands variables there, but not in the path of the program."""
    return _quoted(plain(text, "the path").replace("$", "$$"))


def _word(text: str) -> str:
    """Return one word whose specifiers are intended, or already escaped."""
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    """Return a text of several lines on one line, with the escapes of C."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
