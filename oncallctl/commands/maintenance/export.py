"""The command `maintenance export`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.config.config_file import config
from oncallctl.config.connect import ENVIRONMENT, choose_profile, dialect_of
from oncallctl.errors import InvalidInput, NoCredentials
from oncallctl.output.render import render, render_text
from oncallctl.parsing.options import read_text

if TYPE_CHECKING:
    from oncallctl.config.profiles import Profile
    from oncallctl.config.settings import Settings
    from oncallctl.maintenance.file.export import Job


class To(StrEnum):
    """The schedulers that `export --to` supports."""

    CRONTAB = "crontab"
    SYSTEMD = "systemd"
    KUBERNETES = "kubernetes"


@app.command(
    examples=[
        "oncallctl maintenance export windows.toml --to crontab --profile prod",
        "oncallctl maintenance export windows.toml --to systemd --profile prod --write units",
    ],
)
def export(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file of windows.")],
    to: Annotated[To, typer.Option("--to", help="The scheduler that runs `maintenance apply`.")],
    image: Annotated[
        str | None,
        typer.Option("--image", metavar="IMAGE", help="Container image of oncallctl; required for kubernetes."),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write", metavar="DIR", help="Write the files to this folder instead of stdout.", show_default=False
        ),
    ] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Install the job in your crontab, or update it; only for crontab.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --install, print the resulting crontab and change nothing.")
    ] = False,
) -> None:
    """Print the configuration that makes cron, systemd or Kubernetes run 'maintenance apply' every minute."""
    from oncallctl.maintenance.file import export as exports

    _check_install(file, to, write, install=install, dry_run=dry_run)
    if (image is not None) != (to is To.KUBERNETES):
        raise InvalidInput(
            "--image is required with --to kubernetes, and only with it", hint="to build an image: docker build ."
        )
    job = _job(ctx.obj, file, to)
    if to is To.CRONTAB:
        files = exports.crontab(job)
        if install:
            _install(ctx.obj, job, files, dry_run=dry_run)
            return
    elif to is To.SYSTEMD:
        files = exports.units(job)
    else:
        files = exports.manifests(job, _remote(job.profile), _checked(image or ""))
    if write is not None:
        render(ctx.obj, _written(write, files), {"FILE": "id"})
    elif len(files) == 1:
        render_text(ctx.obj, "".join(files.values()))
    else:
        render_text(ctx.obj, "\n".join(f"# FILE {name}\n{text}" for name, text in files.items()))


def _check_install(file: str, to: To, write: Path | None, *, install: bool, dry_run: bool) -> None:
    """Refuse --install for schedulers that need root or a cluster, with the command to type instead."""
    if dry_run and not install:
        raise InvalidInput("--dry-run needs --install")
    if not install:
        return
    if write is not None:
        raise InvalidInput("--install and --write exclude each other", hint="use one of them")
    export = f"oncallctl maintenance export {shlex.quote(file)} --to {to}"
    if to is To.SYSTEMD:
        copy = "sudo cp units/* /etc/systemd/system/ && sudo systemctl daemon-reload"
        raise InvalidInput("--install needs root for systemd", hint=f"{export} --write units && {copy}")
    if to is To.KUBERNETES:
        raise InvalidInput(
            "--install is not available for kubernetes", hint=f"{export} --image IMAGE | kubectl apply -f -"
        )


def _install(settings: Settings, job: Job, files: Mapping[str, str], *, dry_run: bool) -> None:
    """Write the job into the user's crontab, or print the result."""
    from oncallctl.maintenance.file.export.install import Crontab, installed

    crontab = Crontab()
    text = installed(crontab.text, job, "".join(files.values()))
    if dry_run:
        render_text(settings, text)
        return
    status = "unchanged"
    if text != crontab.text:
        crontab.write(text)
        status = "installed"
    render(settings, [{"id": str(job.file), "status": status}], {"FILE": "id", "STATUS": "status"})


def _job(settings: Settings, file: str, to: To) -> Job:
    from oncallctl.maintenance.file import schema
    from oncallctl.maintenance.file.export import Job, program

    if file == "-":
        raise InvalidInput("the file cannot be stdin: the job reads it every minute", hint="name a file")
    text = read_text(file, "FILE")
    schema.usable(text, file)
    profile = _profile(settings, to)
    dialect = dialect_of(profile).value if profile else "oss"
    return Job(Path(os.path.abspath(file)), text, program(), profile, _found_by(os.environ), dialect)  # noqa: PTH100  # keeps links


def _profile(settings: Settings, to: To) -> Profile | None:
    """Return the profile that the job will use, or None if only this shell's environment has one."""
    try:
        profile = choose_profile(settings.profile, os.environ)
    except NoCredentials:
        if to is To.KUBERNETES:
            raise
        settings.warn("there is no profile on this machine; the job needs one where it runs: oncallctl auth login")
        return None
    if to is To.KUBERNETES:
        return profile
    if profile.name == ENVIRONMENT:
        settings.warn(
            "URL and token come from this shell's environment, which the job does not have; it needs a profile"
        )
        return None
    if profile.token_source == "keyring":  # noqa: S105  # a source, not a token
        settings.warn(
            f"the token of profile {profile.name} is in the keyring, which is not available to the job: "
            "use auth login --token-file, and check the setup with doctor --as-cron"
        )
    elif "CREDENTIALS_DIRECTORY" in (profile.token_file or ""):
        settings.warn(f"the token of profile {profile.name} is a systemd credential, which only its unit can read")
    return profile


def _remote(profile: Profile | None) -> Profile:
    if profile is None or profile.is_sandbox:
        raise InvalidInput("the sandbox exists only on this machine", hint="name another profile with --profile")
    return profile


def _checked(image: str) -> str:
    if not image or any(character.isspace() or not character.isprintable() for character in image):
        raise InvalidInput(f"invalid image name: {image!r}")
    return image


def _found_by(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that locate this program's files here, for the environment of the job."""
    found = {}
    if environment.get("ONCALLCTL_CONFIG") or environment.get("XDG_CONFIG_HOME"):
        found["ONCALLCTL_CONFIG"] = str(config().path.absolute())
    if environment.get("XDG_STATE_HOME"):
        found["XDG_STATE_HOME"] = environment["XDG_STATE_HOME"]
    return found


def _written(folder: Path, files: Mapping[str, str]) -> list[dict[str, str]]:
    """Write the files; overwrite only files that this command has written."""
    from oncallctl.maintenance.file.export.job import WRITTEN

    paths = {folder / name: text for name, text in files.items()}
    for path in paths:
        if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(WRITTEN):
            raise InvalidInput(f"{path} exists and was not written by this command", hint="move it away")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in paths.items():
        path.write_text(text, encoding="utf-8")
    return [{"id": str(path)} for path in paths]
