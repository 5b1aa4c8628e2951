"""`oncallctl completion names`, which prints names for the shells."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from oncallctl.completion import names
from oncallctl.config import name_cache
from oncallctl.config.profiles import Profile, sandbox

PROD = Profile("prod", "https://oncall.example.org/oncall")
EU = Profile("eu", "https://eu.example.org")
CONFIG = """\
default_profile = "prod"
[profiles.prod]
url = "https://oncall.example.org/oncall/api/v1/"
[profiles.eu]
url = "https://eu.example.org"
[profiles.moved]
url = "https://new.example.org"
[profiles."$(touch pwned)"]
url = "https://pwned.example.org"
"""

Printed = Callable[..., list[str]]


@pytest.fixture
def config(world: Path) -> Path:
    path = world / "home" / ".config" / "oncallctl" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(CONFIG, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    def run(*words: str) -> list[str]:
        assert names.main(words) == 0
        done = capsys.readouterr()
        assert done.err == ""
        return done.out.splitlines()

    return run


@pytest.fixture
def cached(config: Path) -> Path:
    """The cached names of the teams of prod; eu and the sandbox have some too."""
    name_cache.write_names(PROD, config, "teams", ["of-prod", "other"])
    name_cache.write_names(EU, config, "teams", ["of-eu"])
    name_cache.write_names(sandbox("sandbox"), config, "teams", ["of-sandbox"])
    return Path(os.environ["XDG_CACHE_HOME"]) / "oncallctl" / "names" / "prod.teams"


def test_profiles_are_those_of_the_config_and_the_sandboxes(config: Path, printed: Printed) -> None:
    assert printed("profiles") == ["sandbox", "sandbox-oss", "prod", "eu", "moved"]
    assert printed("profiles", "--prefix=p") == ["prod"]


@pytest.mark.parametrize("config_text", ["[profiles", "\x00", None])
def test_profiles_of_an_unreadable_config_print_nothing(
    config: Path, printed: Printed, config_text: str | None
) -> None:
    if config_text is None:
        config.chmod(0o666)
    else:
        config.write_text(config_text, encoding="utf-8")
    assert printed("profiles") == []


def test_names_are_those_of_the_profile_given(cached: Path, printed: Printed) -> None:
    assert printed("teams", "--profile=eu") == ["of-eu"]
    assert printed("teams", "--profile=sandbox") == ["of-sandbox"]
    for unknown in ("nobody", "moved", "EU", "", "../names/eu", "$(touch pwned)", "*"):
        assert printed("teams", f"--profile={unknown}") == (["of-prod", "other"] if not unknown else [])
    assert printed("users") == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ["of-prod", "other"]),
        ({"ONCALLCTL_PROFILE": "eu"}, ["of-eu"]),
        ({"ONCALLCTL_PROFILE": ""}, ["of-prod", "other"]),
        ({"ONCALLCTL_URL": "https://oncall.example.org/oncall", "ONCALLCTL_TOKEN": "t"}, []),
        ({"ONCALLCTL_TOKEN": "t", "ONCALLCTL_PROFILE": "eu"}, []),
        ({"ONCALLCTL_CONFIG": "nowhere.toml"}, []),
        ({"XDG_CACHE_HOME": "/nowhere"}, []),
    ],
)
def test_names_without_a_profile_given_are_those_of_the_profile_that_a_command_would_use(
    cached: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: list[str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert printed("teams") == expected


def test_names_of_a_server_that_the_profile_no_longer_names_are_not_printed(config: Path, printed: Printed) -> None:
    name_cache.write_names(Profile("moved", "https://old.example.org"), config, "teams", ["of-old"])
    assert printed("teams", "--profile=moved") == []
    name_cache.write_names(Profile("moved", "https://new.example.org"), config, "teams", ["of-new"])
    assert printed("teams", "--profile=moved") == ["of-new"]
    name_cache.write_names(Profile("moved", "https://new.example.org"), Path("/other"), "teams", ["of-new"])
    assert printed("teams", "--profile=moved") == []


def test_alert_groups_are_printed_newest_first_with_titles_on_request(config: Path, printed: Printed) -> None:
    name_cache.write_alert_groups(PROD, config, {"IB": "disk $(touch pwned)", "IA": ""})
    assert printed("alert-groups") == ["IB", "IA"]
    assert printed("alert-groups", "--describe") == ["IB\tdisk $(touch pwned)", "IA\t"]
    assert printed("alert-groups", "--prefix=IA") == ["IA"]
    assert printed("alert-groups", "--profile=eu") == []


def test_config_keys_are_those_of_the_profiles_and_aliases(config: Path, printed: Printed) -> None:
    config.write_text(CONFIG + '[aliases]\nmine = "alert-groups list --mine"\n', encoding="utf-8")
    keys = printed("config-keys")
    assert {"default_profile", "profiles.prod.url", "profiles.eu.timeout", "aliases.mine"} <= set(keys)
    assert not [key for key in keys if "pwned" in key]
    assert printed("config-keys", "--prefix=profiles.eu.t") == [
        "profiles.eu.token_source",
        "profiles.eu.token_file",
        "profiles.eu.token_command",
        "profiles.eu.tz",
        "profiles.eu.timeout",
    ]


def test_control_characters_in_the_file_are_not_printed(cached: Path, printed: Printed) -> None:
    with cached.open("a", encoding="utf-8") as more:
        more.write("pl\x1b]0;pwned\x07\npl\x9bpwned\n")
    assert printed("teams") == ["of-prod", "other"]


def _link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to(file.with_name("elsewhere"))


def _link_folder(file: Path) -> None:
    file.parent.rename(file.parent.with_name("elsewhere"))
    file.parent.symlink_to(file.parent.with_name("elsewhere"))


def _replace(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def spoil(file: Path) -> None:
        file.unlink()
        make(file)

    return spoil


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        lambda file: file.chmod(0o644),
        lambda file: file.chmod(0o602),
        lambda file: file.parent.chmod(0o750),
        _link,
        _link_folder,
        _replace(os.mkfifo),
        _replace(Path.mkdir),
        lambda file: file.write_text("of-prod\n", encoding="utf-8"),
        lambda file: file.write_text("", encoding="utf-8"),
        pytest.param(lambda file: os.chown(file, 65534, 65534), marks=needs_root),
        pytest.param(lambda file: os.chown(file.parent, 65534, 65534), marks=needs_root),
    ],
)
def test_names_in_a_file_that_others_could_have_written_are_not_printed(
    cached: Path, printed: Printed, spoil: Callable[[Path], None]
) -> None:
    assert printed("teams") == ["of-prod", "other"]
    spoil(cached)
    assert printed("teams") == []


def test_names_are_printed_without_loading_typer_or_httpx(cached: Path) -> None:
    code = """
import sys
sys.argv[1:] = ["completion", "names", "teams"]
from oncallctl.__main__ import main
try:
    main()
finally:
    print([name for name in ("typer", "httpx", "pydantic", "rich", "keyring") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["of-prod", "other", "[]"]


def test_unknown_kind_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        names.main(["secrets"])
    assert "invalid choice" in capsys.readouterr().err
