"""The names that commands cache for TAB completion."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oncallctl.config import name_cache
from oncallctl.config.profiles import Profile
from tests.serving import Serving, status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Runner

CONFIG = Path("/etc/oncallctl/config.toml")
PROD = Profile("prod", "https://oncall.example.org")


@pytest.fixture
def folder(world: Path) -> Path:
    return world / "home" / ".cache" / "oncallctl" / "names"


@pytest.fixture
def other(cloud: Serving, world: Path, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """A server that is named by a profile in config.toml, not by the environment."""
    token = world / "token"
    token.write_text(cloud.token, encoding="utf-8")
    token.chmod(0o600)
    config = world / "config.toml"
    config.write_text(
        f'[profiles.work]\nurl = "{cloud.url}/api/v1/"\napi = "cloud"\ntoken_file = "{token}"\n', encoding="utf-8"
    )
    config.chmod(0o600)
    for name in ("ONCALLCTL_URL", "ONCALLCTL_TOKEN", "ONCALLCTL_API"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("ONCALLCTL_CONFIG", str(config))
    monkeypatch.setenv("ONCALLCTL_PROFILE", "work")
    return cloud


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


@pytest.mark.parametrize(
    ("noun", "attribute"),
    [
        ("integrations", "name"),
        ("teams", "name"),
        ("users", "username"),
        ("schedules", "name"),
        ("escalation-chains", "name"),
    ],
)
def test_complete_list_caches_its_names(run: Runner, folder: Path, noun: str, attribute: str) -> None:
    listed = run(f"-p sandbox {noun} list -o json").json
    kept = lines(folder / f"sandbox.{noun.replace('-', '_')}")
    assert kept == ["# sandbox", *name_cache.completion_words([each[attribute] for each in listed])]
    assert len(kept) > 2


def test_cache_file_names_profile_server_and_config_first(
    run: Runner, other: Serving, folder: Path, world: Path
) -> None:
    run("teams list")
    first, *names = lines(folder / "work.teams")
    assert first == f"# work {other.url} {world / 'config.toml'}"
    assert "platform" in names


@pytest.mark.promise("owner-alone")
def test_cache_files_are_private_with_any_umask(run: Runner, folder: Path) -> None:
    before = os.umask(0)
    try:
        run("-p sandbox teams list")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "sandbox.teams").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_cache_files_open_to_others_are_closed_by_the_next_call(run: Runner, folder: Path) -> None:
    run("-p sandbox teams list")
    (folder / "sandbox.teams").chmod(0o644)
    folder.chmod(0o755)
    run("-p sandbox teams list")
    assert stat.S_IMODE((folder / "sandbox.teams").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "line",
    ["integrations list --limit 3", "integrations get service-010", "users whoami -o json"],
)
def test_incomplete_read_caches_nothing(run: Runner, folder: Path, line: str) -> None:
    run(f"-p sandbox {line} --columns id")
    assert not list(folder.glob("*"))


def test_failed_list_keeps_the_old_cache(run: Runner, other: Serving, folder: Path) -> None:
    run("teams list")
    kept = lines(folder / "work.teams")
    other.fail("GET", "teams", status(404))
    run("teams list", status=None)
    assert lines(folder / "work.teams") == kept


def test_list_filtered_by_team_caches_all_names(run: Runner, folder: Path) -> None:
    chosen = run("-p sandbox integrations list --team platform -o json").json
    kept = lines(folder / "sandbox.integrations")
    assert len(kept) > len(chosen) + 1
    assert "platform" in lines(folder / "sandbox.teams")


def test_server_from_the_environment_caches_nothing(run: Runner, cloud: Serving, folder: Path) -> None:
    run("teams list")
    assert cloud.reads()
    assert not list(folder.glob("*"))


def test_login_and_logout_delete_the_cached_names(run: Runner, other: Serving, folder: Path, world: Path) -> None:
    login = f"auth login work --url {other.url} --token-file {world / 'token'} --api cloud"
    for line in (login, "auth logout work"):
        run("teams list")
        assert (folder / "work.teams").exists()
        run(line)
        assert not list(folder.glob("*"))


def test_unchanged_names_are_not_written_again(folder: Path) -> None:
    name_cache.write_names(PROD, CONFIG, "teams", ["a", "b"])
    path = folder / "prod.teams"
    before = path.stat()
    name_cache.write_names(PROD, CONFIG, "teams", ["b", "a", "a"])
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    name_cache.write_names(PROD, CONFIG, "teams", ["b", "c"])
    assert path.stat().st_ino != before.st_ino
    assert lines(path)[1:] == ["b", "c"]


def test_changed_server_rewrites_the_names(folder: Path) -> None:
    name_cache.write_names(PROD, CONFIG, "teams", ["a"])
    name_cache.write_names(Profile("prod", "https://elsewhere.example.org"), CONFIG, "teams", ["a"])
    assert lines(folder / "prod.teams")[0] == f"# prod https://elsewhere.example.org {CONFIG}"


def test_names_are_sorted_and_written_as_typed() -> None:
    plain = ["$(touch pwned)", "*", "Zürich", "[prod] api", "`touch pwned`", "a b", "a b ", "a;b", "it's", "ß", "é"]
    assert name_cache.completion_words(plain[::-1]) == sorted(plain, key=str.encode)
    special = ["-f", "-", "--yes", "id:X", "name:x", "#x", "~x", "~", "T1234567890AB", "TEAMPLATFORMX"]
    assert name_cache.completion_words(special) == [
        "T1234567890AB",
        *sorted(f"name:{name}" for name in special if "0" not in name),
    ]


@pytest.mark.parametrize(
    "name",
    ["", " ", "\t", "a\nb", "a\rb", "a\x00b", "\x1b]0;x\x07", "a\x9bb", "a\u2028b", "\u202eabc", "a\udcffb", "x" * 257],
)
def test_names_unfit_for_a_line_are_left_out(name: str) -> None:
    assert name_cache.completion_words([name, "fit"]) == ["fit"]


def test_names_beyond_the_limit_are_left_out() -> None:
    names = [f"{number:05}" for number in range(6000)]
    assert name_cache.completion_words(names) == names[:5000]
    assert name_cache.completion_words(["x" * 256]) == ["x" * 256]


def test_alert_group_list_caches_the_printed_ids_with_titles(run: Runner, folder: Path) -> None:
    rows = run("-p sandbox alert-groups list --limit 3 -o json").json
    assert lines(folder / "sandbox.alert-groups") == ["# sandbox", *(f"{row['id']}\t{row['title']}" for row in rows)]
    run("-p sandbox alert-groups list --state resolved")
    assert rows[0]["id"] not in (folder / "sandbox.alert-groups").read_text()


def test_alert_groups_beyond_the_limit_and_hostile_titles_are_cut_and_escaped(folder: Path) -> None:
    titles = {f"I{number:012}": "x" for number in range(400)}
    name_cache.write_alert_groups(
        PROD, CONFIG, {"IHOSTILE": "\x1b]0;x\x07a\tb\nc" + "x" * 200, "not an id": "x", **titles}
    )
    first, *more = lines(folder / "prod.alert-groups")[1:]
    assert first.startswith("IHOSTILE\t\\x1b]0;x\\x07a\\tb\\ncxxx")
    assert len(first) < 120
    assert [line.partition("\t")[0] for line in more] == list(titles)[:299]


@pytest.mark.parametrize("name", ["../prod", "a/b", ".", "x y", "$(touch pwned)", "", "a\nb"])
def test_profile_with_an_invalid_name_caches_nothing(folder: Path, name: str) -> None:
    with pytest.raises(OSError, match="profile name not supported"):
        name_cache.write_names(Profile(name, "https://oncall.example.org"), CONFIG, "teams", ["a"])
    assert not list(folder.parent.parent.rglob("*.teams"))


def test_config_path_with_control_characters_caches_nothing(folder: Path) -> None:
    with pytest.raises(OSError, match="path not supported"):
        name_cache.write_names(PROD, Path("/etc/two\nlines"), "teams", ["a"])
    assert not list(folder.glob("*"))


def test_cache_file_replaced_by_a_link_is_not_followed(folder: Path, world: Path) -> None:
    victim = world / "victim"
    victim.write_text("precious", encoding="utf-8")
    name_cache.write_names(PROD, CONFIG, "teams", ["a"])
    path = folder / "prod.teams"
    path.unlink()
    path.symlink_to(victim)
    name_cache.write_names(PROD, CONFIG, "teams", ["b"])
    assert victim.read_text(encoding="utf-8") == "precious"
    assert not path.is_symlink()
    assert lines(path)[1:] == ["b"]


def _link(folder: Path) -> None:
    elsewhere = folder.parents[3] / "elsewhere"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere)


def _give_away(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, 65534, 65534)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.mark.parametrize("spoil", [Path.touch, os.mkfifo, _link, pytest.param(_give_away, marks=needs_root)])
def test_cache_folder_of_another_user_is_ignored_without_a_message(
    run: Runner, folder: Path, spoil: Callable[[Path], None]
) -> None:
    folder.parent.mkdir(parents=True)
    spoil(folder)
    done = run("-p sandbox teams list")
    assert "platform" in done.stdout
    assert done.stderr == ""
    assert not list(folder.parents[3].rglob("sandbox.teams"))
    assert "names are not cached for completion" in run("-p sandbox teams list -v").stderr


def test_failed_write_keeps_the_old_names_and_the_command_succeeds(
    run: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_cache.write_names(Profile("sandbox", "http://sandbox.invalid"), CONFIG, "teams", ["old"])
    before = lines(folder / "sandbox.teams")

    def fail(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    done = run("-p sandbox teams list")
    assert done.stderr == ""
    assert lines(folder / "sandbox.teams") == before
    assert [path.name for path in folder.iterdir()] == ["sandbox.teams"]


KILLED = """
import os, signal, sys
from pathlib import Path
from oncallctl.config import name_cache
from oncallctl.config.profiles import Profile

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Half:
    def __init__(self, descriptor, mode):
        self.descriptor = descriptor
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass
    def write(self, data):
        os.write(self.descriptor, data[: len(data) // 2])
        die()

if sys.argv[1] == "rename":
    Path.replace = die
else:
    os.fdopen = Half
name_cache.write_names(Profile("prod", "https://oncall.example.org"), Path(sys.argv[2]), "teams", ["new", "newer"])
"""


@pytest.mark.parametrize("when", ["write", "rename"])
def test_killed_write_keeps_the_old_names(folder: Path, when: str) -> None:
    name_cache.write_names(PROD, CONFIG, "teams", ["old"])
    killed = subprocess.run([sys.executable, "-c", KILLED, when, str(CONFIG)], check=False)
    assert killed.returncode == -signal.SIGKILL
    left = folder / "prod.teams.new"
    assert left.exists()
    assert lines(folder / "prod.teams")[1:] == ["old"]
    name_cache.write_names(PROD, CONFIG, "teams", ["another run"])  # as if another process were still writing
    assert lines(folder / "prod.teams")[1:] == ["old"]
    os.utime(left, (time.time() - 61, time.time() - 61))
    name_cache.write_names(PROD, CONFIG, "teams", ["another run"])
    assert lines(folder / "prod.teams")[1:] == ["another run"]
    assert not left.exists()
