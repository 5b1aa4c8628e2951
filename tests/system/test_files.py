"""The files that the program keeps: their owner, their mode, and their content after a crash or on a full disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.maintenance.test_apply import window
from tests.places import ROOT
from tests.serving import Serving
from tests.system.program import PATIENCE, Program, Ran

SOMEBODY = 12345
NOBODY = 65534
ONE = "C5BPMMTY9FMXJ"
CONFIG = ".config/oncallctl/config.toml"
STATE = ".local/state/oncallctl"
START = "maintenance start service-010 --for 30m -p work"
RUN = "maintenance run service-010 --for 30m -p work -- true"
APPLY = "maintenance apply windows.toml -p work"

PACKAGES = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))])

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away or become somebody else")


@pytest.fixture
def work(work: Program, home: Path) -> Program:
    """Return the program with a profile and a file of windows."""
    (home / "windows.toml").write_text(window("always", 'integrations = ["service-011"]'))
    work.folder = home
    return work


@pytest.fixture
def loose() -> Iterator[None]:
    """Set the umask of some daemons, under which files without a mode are public."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(home: Path) -> dict[str, int]:
    """Return the modes of the files that the program created, by path."""
    made = [*home.glob(".*"), *home.glob(".*/**/*")]
    return {str(path.relative_to(home)): stat.S_IMODE(path.lstat().st_mode) for path in made}


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Files, and a command that needs each.
NEEDED = [
    (CONFIG, "auth list", 2),
    (CONFIG, "auth switch sandbox", 2),
    (f"{STATE}/config.lock", "auth switch sandbox", 2),
    (f"{STATE}/journal.jsonl", START, 2),
    (f"{STATE}/journal.jsonl", "maintenance status -p work", 2),
    (f"{STATE}/journal.jsonl.1", "maintenance history", 2),
    (f"{STATE}/apply-{{digest}}.lock", APPLY, 2),
    (f"{STATE}/runs/{{place}}/window.json", RUN, 2),
    (f"{STATE}/runs/{{place}}/mutex", RUN, 125),
    (f"{STATE}/sandbox.sqlite3", "teams list -p sandbox", 2),
    (f"{STATE}/sandbox.sqlite3", "sandbox reset", 2),
    (f"{STATE}/sandbox.sqlite3", "sandbox serve", 2),
]
FILES = pytest.mark.parametrize(("file", "line", "status"), NEEDED)
# config.toml may be a link: many users have it in a repository.
NO_LINKS = pytest.mark.parametrize(("file", "line", "status"), [each for each in NEEDED if each[0] != CONFIG])


def prepared(work: Program, home: Path, cloud: Serving, file: str) -> Path:
    """Return the path of a file, created by an earlier run if runs create it."""
    if "{place}" in file:
        work("maintenance", "run", "service-010", "--for", "30m", "-p", "work", "--", "true")
        (place,) = (home / STATE / "runs").iterdir()
        file = file.format(place=place.name)
        cloud.seen.clear()
    if "{digest}" in file:
        place = f"{cloud.url.removeprefix('http://')} {(home / 'windows.toml').resolve()}"
        file = file.format(digest=hashlib.sha256(place.encode()).hexdigest()[:12])
    path = home / file
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


class TestWhose:
    @pytest.mark.promise("owner-alone")
    @pytest.mark.usefixtures("loose")
    def test_created_files_are_private_under_any_umask(self, work: Program, home: Path) -> None:
        shutil.rmtree(home / ".config")
        work("auth", "login", "work", "--url", "https://oncall.example.org", "--token-file", "token", "--no-verify")
        work("auth", "login", "local", "--url", "http://127.0.0.1:9", "--token-file", "token", "--no-verify")
        work("maintenance", "start", "service-010", "--for", "30m", "-p", "sandbox")
        work(*shlex.split(APPLY.replace("work", "sandbox")))
        work(*shlex.split(RUN.replace("service-010", "service-012").replace("work", "sandbox")))
        made = modes(home)
        folders = {name for name in made if (home / name).is_dir()}
        assert {made[name] for name in folders} == {0o700}, made
        assert {made[name] for name in made.keys() - folders} == {0o600}, made
        names = {re.sub("-[0-9a-f]{12}", "", Path(name).name) for name in made}
        assert {"config.toml", "journal.jsonl", "apply.lock", "clock", "sandbox.sqlite3", "mutex", "holds"} <= names

    @pytest.mark.promise("owner-alone")
    def test_files_opened_to_others_are_made_private_again(self, work: Program, home: Path) -> None:
        work(*shlex.split(START))
        (home / STATE).chmod(0o777)
        (home / STATE / "journal.jsonl").chmod(0o666)
        work("maintenance", "stop", "service-010", "-p", "work")
        assert modes(home)[STATE] == 0o700
        assert modes(home)[f"{STATE}/journal.jsonl"] == 0o600

    @pytest.mark.promise("belongs-to-somebody-else-refused")
    @as_root
    @FILES
    def test_file_of_another_user_is_refused_and_nothing_sent(
        self, work: Program, home: Path, cloud: Serving, file: str, line: str, status: int
    ) -> None:
        path = prepared(work, home, cloud, file)
        path.touch(mode=0o600)
        os.chown(path, SOMEBODY, SOMEBODY)
        before = path.read_bytes()
        refused = work(*shlex.split(line), status=status)
        assert f"{path}" in refused.stderr
        assert "belongs to another user" in refused.stderr
        assert "hint: " in refused.stderr
        assert cloud.changes() == []
        assert path.read_bytes() == before
        assert path.stat().st_uid == SOMEBODY

    @pytest.mark.promise("belongs-to-somebody-else-refused")
    @NO_LINKS
    def test_link_in_place_of_a_file_is_refused_and_not_followed(
        self, work: Program, home: Path, cloud: Serving, file: str, line: str, status: int
    ) -> None:
        path = prepared(work, home, cloud, file)
        precious = home / "precious"
        precious.write_text("do not touch\n")
        path.unlink(missing_ok=True)
        path.symlink_to(precious)
        refused = work(*shlex.split(line), status=status)
        assert f"{path}: is a link" in refused.stderr
        assert "hint: " in refused.stderr
        assert cloud.changes() == []
        assert precious.read_text() == "do not touch\n"

    def test_special_file_is_refused_without_blocking(self, work: Program, home: Path, cloud: Serving) -> None:
        path = prepared(work, home, cloud, f"{STATE}/journal.jsonl")
        os.mkfifo(path, 0o600)
        refused = work(*shlex.split(START), status=2)
        assert f"{path}: is not a regular file" in refused.stderr
        assert cloud.changes() == []

    @pytest.mark.promise("belongs-to-somebody-else-refused")
    @as_root
    @pytest.mark.parametrize(
        ("folder", "line"),
        [
            (".config/oncallctl", "auth list"),
            (".config/oncallctl", "auth logout work"),
            (STATE, START),
            (STATE, "maintenance status -p work"),
            (STATE, RUN),
            (STATE, APPLY),
            (STATE, "teams list -p sandbox"),
            (STATE, "sandbox reset"),
        ],
    )
    def test_folder_of_another_user_is_refused(
        self, work: Program, home: Path, cloud: Serving, folder: str, line: str
    ) -> None:
        (home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(home / folder, SOMEBODY, SOMEBODY)
        before = content(home / folder)
        refused = work(*shlex.split(line), status=2)
        assert "belongs to another user" in refused.stderr
        assert str(home / folder) in refused.stderr
        assert "hint: " in refused.stderr
        assert cloud.changes() == []
        assert content(home / folder) == before

    @pytest.mark.promise("belongs-to-somebody-else-refused")
    def test_config_in_a_folder_writable_by_others_is_refused(self, work: Program, home: Path) -> None:
        (home / ".config/oncallctl").chmod(0o777)
        refused = work("auth", "list", status=2)
        assert f"chmod go-w {home / '.config/oncallctl'}" in refused.stderr

    def test_linked_config_is_changed_at_its_target(self, work: Program, home: Path) -> None:
        (home / "dotfiles").mkdir(mode=0o700)
        real = home / "dotfiles/oncallctl.toml"
        (home / CONFIG).rename(real)
        (home / CONFIG).symlink_to(real)
        work("auth", "switch", "sandbox")
        assert (home / CONFIG).readlink() == real
        assert 'default_profile = "sandbox"' in real.read_text()

    @pytest.mark.promise("token-file-judged-after-its")
    @as_root
    @pytest.mark.parametrize("link", ["", "theirs"])
    def test_token_file_is_checked_after_its_links_are_followed(
        self, work: Program, home: Path, cloud: Serving, token_file: Path, link: str
    ) -> None:
        if link:
            token_file.rename(home / link)
            token_file.symlink_to(home / link)
        os.chown(token_file, SOMEBODY, SOMEBODY)
        refused = work("teams", "list", "-p", "work", status=3)
        assert "belongs to another user" in refused.stderr
        assert f"hint: chown 0 {token_file}" in refused.stderr
        assert cloud.seen == []


def python_of_nobody() -> str | None:
    """Return an interpreter that a user other than root can run, with the installed packages; None if there is none."""
    if os.geteuid() != 0:
        return sys.executable
    for candidate in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            tried = subprocess.run(
                [candidate, "-c", "import oncallctl, pydantic, typer"],
                env={"PYTHONPATH": PACKAGES},
                capture_output=True,
                check=False,
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
            )
            if tried.returncode == 0:
                return candidate
    return None


@dataclass
class Ordinary:
    """The program for a user other than root, with a home that root can read."""

    home: Path
    python: str

    def __call__(self, line: str, *, status: int, **environment: str) -> Ran:
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run(
            [self.python, "-m", "oncallctl", *shlex.split(line)],
            env={
                "HOME": str(self.home),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": PACKAGES,
                "LC_ALL": "C.UTF-8",
                "PYTHONDONTWRITEBYTECODE": "1",
                **environment,
            },
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            **who,  # type: ignore[call-overload]
        )
        ran = Ran(done.returncode, done.stdout, done.stderr)
        assert b"Traceback" not in ran.err, ran.stderr
        assert ran.status == status, str(ran)
        return ran

    def own(self, path: str, mode: int) -> Path:
        """Make that user the owner of a file or folder in the home."""
        made = self.home / path
        if os.geteuid() == 0:
            os.chown(made, NOBODY, NOBODY)
        made.chmod(mode)
        return made


@pytest.fixture
def ordinary() -> Iterator[Ordinary]:
    """Return the program of an ordinary user. Its home is not in pytest's folder, which is private."""
    python = python_of_nobody()
    if python is None:
        pytest.skip("there is no Python that another user than root could run")
    folder = Path(tempfile.mkdtemp())
    somebody = Ordinary(folder, python)
    somebody.own(".", 0o755)
    yield somebody
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(folder)


class TestSomebodyOrdinary:
    @as_root
    def test_state_folder_created_by_root_is_named_with_a_remedy(self, ordinary: Ordinary, cloud: Serving) -> None:
        (ordinary.home / STATE).mkdir(mode=0o700, parents=True)
        where = {"ONCALLCTL_URL": cloud.url, "ONCALLCTL_TOKEN": cloud.token, "ONCALLCTL_API": "cloud"}
        for line in ("maintenance start service-010 --for 30m", "maintenance history", "teams list -p sandbox"):
            refused = ordinary(line, status=2, **where)
            assert str(ordinary.home / STATE) in refused.stderr
            assert "XDG_STATE_HOME" in refused.stderr
        assert cloud.changes() == []

    @as_root
    def test_config_mounted_by_root_is_read_despite_the_mode_of_its_folder(self, ordinary: Ordinary) -> None:
        volume = ordinary.home / "volume"
        volume.mkdir()
        volume.chmod(0o777)  # as Kubernetes mounts a ConfigMap
        (volume / "config.toml").write_text('[profiles.mounted]\nurl = "https://oncall.example.org"\n')
        (volume / "config.toml").chmod(0o644)
        listed = ordinary("auth list -o id", status=0, ONCALLCTL_CONFIG=str(volume / "config.toml"))
        assert "mounted" in listed.stdout

    @as_root
    def test_unreadable_token_file_of_root_is_refused(self, ordinary: Ordinary, cloud: Serving) -> None:
        token = ordinary.home / "token"
        token.write_text(cloud.token)
        token.chmod(0o600)
        login = f"auth login work --url {cloud.url} --token-file token"
        refused = ordinary(login, status=3)
        assert "permission denied" in refused.stderr
        assert "hint: " in refused.stderr
        assert cloud.seen == []
        ordinary.own("token", 0o600)
        ordinary(login, status=0)

    def test_window_with_a_read_only_state_folder_is_started_with_a_warning(
        self, ordinary: Ordinary, cloud: Serving
    ) -> None:
        (ordinary.home / STATE).mkdir(parents=True)
        ordinary.own(STATE, 0o500)
        where = {"ONCALLCTL_URL": cloud.url, "ONCALLCTL_TOKEN": cloud.token, "ONCALLCTL_API": "cloud"}
        assert ordinary("maintenance status", status=0, **where).err == b""
        done = ordinary("maintenance start service-010 --for 30m", status=0, **where)
        assert "warning: the journal cannot be written" in done.stderr
        assert "started" in done.stdout

    @pytest.mark.parametrize(
        ("line", "status"),
        [
            ("auth login work --url https://oncall.example.org --token-file token --no-verify", 2),
            ("maintenance run service-010 --for 30m -- true", 2),
            ("teams list -p sandbox", 2),
            ("sandbox serve", 2),
        ],
    )
    def test_command_that_must_write_to_a_read_only_folder_names_it_and_changes_nothing(
        self, ordinary: Ordinary, cloud: Serving, line: str, status: int
    ) -> None:
        (ordinary.home / "token").write_text("secret-token")
        ordinary.own("token", 0o600)
        for folder in (STATE, ".config/oncallctl"):
            (ordinary.home / folder).mkdir(parents=True)
            ordinary.own(folder, 0o500)
        where = {"ONCALLCTL_URL": cloud.url, "ONCALLCTL_TOKEN": cloud.token, "ONCALLCTL_API": "cloud"}
        refused = ordinary(line, status=status, **where)
        assert str(ordinary.home) in refused.stderr
        assert "Permission denied" in refused.stderr
        assert "hint: " in refused.stderr
        assert cloud.changes() == []


def on_a_full_disk(work: Program, line: str, status: int) -> Ran:
    """Run it with a file size limit of 0: as on a full disk, creating files succeeds and writing fails."""
    command = f"ulimit -f 0; exec {shlex.join(work.words(*shlex.split(line)))}"
    done = subprocess.run(
        ["sh", "-c", command],
        env={**work.environment, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=work.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    ran = Ran(done.returncode, done.stdout, done.stderr)
    assert b"Traceback" not in ran.err, ran.stderr
    assert ran.status == status, str(ran)
    return ran


class TestFullDisk:
    @pytest.mark.promise("crash-or-full-disk-leaves")
    def test_full_disk_leaves_the_profile_unchanged(self, work: Program, home: Path) -> None:
        before = content(home / ".config")
        refused = on_a_full_disk(work, "auth switch sandbox", status=2)
        assert str(home / CONFIG) in refused.stderr
        assert "File too large" in refused.stderr
        assert content(home / ".config") == before

    def test_full_disk_starts_the_window_with_a_warning(self, work: Program, cloud: Serving) -> None:
        done = on_a_full_disk(work, START, status=0)
        assert "warning: the journal cannot be written" in done.stderr
        assert len(cloud.changes()) == 1

    def test_full_disk_prevents_maintenance_run(self, work: Program, cloud: Serving) -> None:
        refused = on_a_full_disk(work, RUN, status=125)
        assert "File too large" in refused.stderr
        assert "hint: " in refused.stderr
        assert "bug in oncallctl" not in refused.stderr
        assert cloud.changes() == []

    def test_full_disk_leaves_the_sandbox_intact(self, work: Program) -> None:
        work("maintenance", "start", "service-010", "--for", "30m", "-p", "sandbox")
        refused = on_a_full_disk(work, "maintenance start service-011 --for 30m -p sandbox", status=2)
        assert "sandbox.sqlite3" in refused.stderr
        assert "hint: " in refused.stderr
        open_ones = work("maintenance", "status", "-p", "sandbox", "-o", "json").json
        assert [each["name"] for each in open_ones] == ["service-010"]


class TestKilled:
    """SIGKILL at every line of code of a write, each in a fork of the process."""

    CODE = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
{setup}
def attempt(moment):
    count = 0
    def trace(frame, event, _):
        nonlocal count
        if "oncallctl" not in frame.f_code.co_filename:
            return None
        if event == "line":
            count += 1
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    write()
    sys.settrace(None)

write_before()
moment = 0
while True:
    moment += 1
    child = os.fork()
    if child == 0:
        attempt(moment)
        os._exit(0)
    _, ended = os.waitpid(child, 0)
    check(moment)
    if ended == 0:
        break
    assert os.WTERMSIG(ended) == signal.SIGKILL, ended
print(moment)
"""

    def moments(self, work: Program, setup: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", self.CODE.format(root=str(ROOT), setup=setup)],
            env=work.environment,
            cwd=work.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    @pytest.mark.promise("crash-or-full-disk-leaves")
    def test_killed_write_leaves_the_old_or_the_new_config(self, work: Program) -> None:
        setup = """
from oncallctl.config.config_file import Config, config; from oncallctl.config.profiles import Profile
from tests.conftest import *
def write_before():
    config().save(Profile("prod", "https://old.example.org"))
def write():
    config().save(Profile("prod", "https://new.example.org/" + "x" * 20000))
def check(moment):
    found = config()
    assert found.names == ["work", "prod"], (moment, found.names)
    assert found.profile("prod").url.startswith(("https://old.", "https://new.")), moment
    if found.profile("prod").url.startswith("https://new."):
        assert len(found.profile("prod").url) > 20000
    write_before()
"""
        assert self.moments(work, setup) > 50

    @pytest.mark.promise("crash-or-full-disk-leaves")
    def test_killed_write_leaves_the_old_or_the_new_window_record(self, work: Program) -> None:
        setup = """
from dataclasses import replace
from oncallctl.maintenance.run.shared import WindowRecord, SharedWindow
from oncallctl.config.private_files import state_folder
from oncallctl.times import now
old = WindowRecord("host", "C1", "api", "group_alerts", 60, now(), "run", "old")
new = replace(old, reason="new" * 5000)
shared = SharedWindow.of(state_folder(), "host", "C1")
def write_before():
    shared.save(old)
def write():
    with shared.mutex():
        shared.save(new)
def check(moment):
    assert shared.record() in (old, new), (moment, shared.record())
    write_before()
"""
        assert self.moments(work, setup) > 15

    @pytest.mark.promise("crash-or-full-disk-leaves")
    def test_killed_write_loses_at_most_one_line_of_the_journal(self, work: Program) -> None:
        setup = """
import oncallctl.maintenance.journal as journal
from tests.cli.maintenance.test_journal import *
journal.LARGEST = 1000  # every other line, the files are turned over as well
done = []
def write_before():
    Journal().record(Event.STARTED, PLACE, INTEGRATION, Author("before 0"), at=now())
def write():
    Journal().record(Event.STARTED, PLACE, INTEGRATION, Author("half"), at=now())
def check(moment):
    last = [entry.reason for entry in Journal().entries(lambda _: None) if entry.reason != "half"][-1]
    assert last == f"before {moment - 1}", (moment, last)
    Journal().record(Event.STARTED, PLACE, INTEGRATION, Author(f"before {moment}"), at=now())
"""
        assert self.moments(work, setup) > 15

    def test_truncated_line_of_the_journal_affects_no_other(self, work: Program, home: Path) -> None:
        work(*shlex.split(START))
        with (home / STATE / "journal.jsonl").open("a") as file:
            file.write('{"time": "2026-')
        work("maintenance", "stop", "service-010", "-p", "work")
        events = [each["event"] for each in work("maintenance", "history", "-o", "json").json]
        assert events == ["started", "stopped"]
