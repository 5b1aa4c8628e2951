import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from oncallctl.api.urls import base_url
from oncallctl.config import config_file
from oncallctl.config.config_file import Config
from oncallctl.config.profiles import Profile
from oncallctl.errors import InvalidInput, NotFound


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conf" / "config.toml"


def test_base_url_common_spelling_is_normalized() -> None:
    for given, base in [
        ("https://oncall.example.org", "https://oncall.example.org"),
        ("https://oncall.example.org/", "https://oncall.example.org"),
        ("https://oncall.example.org/api/v1", "https://oncall.example.org"),
        ("https://oncall.example.org/api/v1/", "https://oncall.example.org"),
        ("https://oncall-prod-eu-west-0.grafana.net/oncall", "https://oncall-prod-eu-west-0.grafana.net/oncall"),
        (
            "https://oncall-prod-eu-west-0.grafana.net/oncall/api/v1//",
            "https://oncall-prod-eu-west-0.grafana.net/oncall",
        ),
        (" https://h:8443/a/b/ ", "https://h:8443/a/b"),
        ("http://127.0.0.1:8080/api/v1", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
    ]:
        assert base_url(given) == base, given


@pytest.mark.parametrize(
    "url",
    [
        "",
        "oncall.example.org",
        "ftp://x",
        "https://",
        "https://u:p@h",
        "https://h?x=1",
        "https://h#x",
        "https://h:x",
        "https://ö",
    ],
)
def test_base_url_invalid_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        base_url(url)


def test_origin_and_host_any_spelling_are_normalized() -> None:
    for url, origin, host in [
        ("https://OnCall.Example.org", "https://oncall.example.org", "oncall.example.org"),
        ("https://oncall.example.org.:443/a", "https://oncall.example.org", "oncall.example.org"),
        ("https://oncall.example.org:8443", "https://oncall.example.org:8443", "oncall.example.org:8443"),
        ("https://oncall.example.org:80", "https://oncall.example.org:80", "oncall.example.org:80"),
        ("http://LOCALHOST:80", "http://localhost", "localhost"),
        ("http://[::1]:080", "http://[::1]", "[::1]"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]", "[2001:db8::1]"),
    ]:
        profile = Profile("prod", url)
        assert (profile.origin, profile.host) == (origin, host), url


def test_is_at_any_spelling_of_the_host_is_true() -> None:
    profile = Profile("prod", "https://OnCall.example.org:443")
    assert all(profile.is_at(host) for host in ("oncall.example.org", "OnCall.example.org:443", "ONCALL.example.org."))
    assert not any(profile.is_at(host) for host in ("oncall.example.org:80", "example.org", "", "[", "h:x"))


@pytest.mark.promise("plain-http-goes-to-loopback")
@pytest.mark.parametrize("url", ["http://oncall.example.org", "http://127.0.0.1.example.org", "http://10.0.0.1"])
def test_base_url_plain_http_needs_allow_http(url: str) -> None:
    with pytest.raises(InvalidInput, match="unencrypted"):
        base_url(url)
    assert base_url(url, allow_http=True) == url


@pytest.mark.promise("plain-http-goes-to-loopback")
def test_base_url_plain_http_to_loopback_is_accepted() -> None:
    for host in ["127.0.0.2", "localhost.", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]:
        assert base_url(f"http://{host}:8080"), host


@pytest.mark.parametrize("host", ["localhost.example.org", "[::ffff:10.0.0.1]", "128.0.0.1"])
def test_base_url_plain_http_to_a_loopback_lookalike_is_refused(host: str) -> None:
    with pytest.raises(InvalidInput, match="unencrypted"):
        base_url(f"http://{host}:8080")


def test_saved_profile_reads_back(path: Path) -> None:
    saved = Profile("prod", "https://h", grafana_url="https://s.grafana.net", api="cloud", token_source="keyring")
    Config(path).save(saved)
    assert Config(path).profile("prod") == saved


def test_config_file_and_folder_are_private(path: Path) -> None:
    Config(path).save(Profile("prod", "https://h"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_save_keeps_comments_and_other_profiles(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('# mine\n[profiles.old]  # keep\nurl = "https://old"\ntz = "UTC"\n')
    Config(path).save(Profile("prod", "https://h"))
    text = path.read_text()
    assert "# mine" in text
    assert "# keep" in text
    assert Config(path).names == ["old", "prod"]


def test_save_again_keeps_the_output_defaults(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('[profiles.prod]\nurl = "https://old"\noutput = "json"\ntimeout = 5\n')
    Config(path).save(Profile("prod", "https://new"))
    profile = Config(path).profile("prod")
    assert (profile.url, profile.output, profile.timeout) == ("https://new", "json", 5)


def test_save_makes_only_the_first_profile_the_default(path: Path) -> None:
    Config(path).save(Profile("one", "https://h"))
    Config(path).save(Profile("two", "https://h"))
    assert Config(path).default == "one"
    Config(path).switch("two")
    assert Config(path).default == "two"


def test_remove_default_profile_leaves_no_default(path: Path) -> None:
    Config(path).save(Profile("one", "https://h"))
    Config(path).remove("one")
    assert Config(path).default is None
    assert Config(path).names == []


def test_sandbox_profile_cannot_be_redefined(path: Path) -> None:
    assert Config(path).profile("sandbox-oss").api == "oss"
    path.parent.mkdir()
    path.write_text('[profiles.sandbox]\nurl = "https://h"\n')
    with pytest.raises(InvalidInput, match="built in"):
        Config(path)


@pytest.mark.parametrize(
    "text",
    [
        "profiles = 3",
        "[profiles]\nprod = 3",
        "[profiles.prod",
        "\x00",
        "[profiles.prod]\nurl = 3",
        '[profiles.prod]\napi = "oss"',
        '[profiles.prod]\nurl = "https://h"\nallow_htpp = true',
        '[profiles.prod]\nurl = "https://h"\nallow_http = "yes"',
        '[profiles.prod]\nurl = "https://h"\napi = "grafana"',
        '[profiles.prod]\nurl = "https://h"\ntoken_source = "vault"',
        '[profiles.prod]\nurl = "https://h"\noutput = "xml"',
        '[profiles.prod]\nurl = "https://h"\ntimeout = true',
        '[profiles.prod]\nurl = "https://h"\ntimeout = 0',
        '[profiles.prod]\nurl = "https://h"\ntz = "Mars/Olympus"',
        '[profiles.prod]\nurl = "https://h"\nlongest_window = "a week"',
        '[profiles.prod]\nurl = "http://oncall.example.org"',
        '[profiles.prod]\nurl = "https://h"\ntoken_file = "a"\ntoken_command = "b"',
    ],
)
def test_profile_with_a_mistake_is_refused_with_the_path_of_the_file(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        Config(path).profile("prod")
    assert str(path) in refused.value.message
    assert "\n" not in refused.value.message


def test_profile_with_several_mistakes_is_refused_with_all_of_them_and_their_lines(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(
        """# mine
[profiles.other]
url = 3

[profiles.prod]
url = "http://oncall.example.org"
allow_htpp = true
output = "xml"
timeout = 0
modes_allowed = ["silence"]
most_targets = 1.5
tz = "Mars/Olympus"
"""
    )
    with pytest.raises(InvalidInput) as refused:
        Config(path).profile("prod")
    first, *others = refused.value.message.removeprefix(f"{path}: ").split("; ")
    assert first.startswith("line 6: profile prod: url: ")
    assert others == [
        "line 7: profile prod: allow_htpp: unknown key (did you mean allow_http?)",
        "line 8: profile prod: output must be one of table, json, jsonl, csv, id",
        "line 9: profile prod: timeout must be more than 0 and at most 3600 seconds",
        "line 10: profile prod: modes_allowed must be one of silence_escalations, group_alerts, disable_alerts",
        "line 11: profile prod: most_targets must be an integer",
        "line 12: profile prod: tz: no such time zone: 'Mars/Olympus'",
    ]


def test_profile_with_a_mistake_in_another_profile_is_returned(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('[profiles.other]\nurl = 3\n[profiles.prod]\nurl = "https://h"\n')
    assert Config(path).profile("prod").url == "https://h"
    with pytest.raises(InvalidInput, match="line 2: profile other: url must be a string"):
        Config(path).check()


def test_mistake_in_an_inline_table_is_reported_with_its_line(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('profiles.prod = {url = "https://h", output = "xml"}\n')
    with pytest.raises(InvalidInput, match="toml: line 1: profile prod: output must be one of"):
        Config(path).profile("prod")


def test_aliases_with_a_mistake_in_a_profile_are_returned(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(
        """aliases = {mine = "alert-groups list --mine", p1 = "page 'on call'"}\n[profiles.prod]\nurl = 3\n"""
    )
    assert Config(path).aliases == {"mine": "alert-groups list --mine", "p1": "page 'on call'"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("aliases = 3", "aliases must be a table"),
        ("aliases.mine = 3", "aliases mine must be a string"),
        ("aliases.mine = ' '", "mine must be a command line"),
        ("""aliases.mine = "page 'on call" """, "mine: no closing quotation"),
        ("aliases.'--all' = 'teams list'", "'--all': the name may only contain"),
    ],
)
def test_aliases_malformed_are_refused_with_the_path_of_the_file(path: Path, line: str, message: str) -> None:
    path.parent.mkdir()
    path.write_text(line)
    for read in (lambda: Config(path).aliases, lambda: Config(path).check()):
        with pytest.raises(InvalidInput) as refused:
            read()
        assert str(path) in refused.value.message
        assert message in refused.value.message


@pytest.mark.promise("belongs-to-somebody-else-refused")
def test_config_file_writable_by_others_is_refused(path: Path) -> None:
    Config(path).save(Profile("prod", "https://h"))
    path.chmod(0o666)
    with pytest.raises(InvalidInput, match="others may write"):
        Config(path)


def test_config_file_that_is_a_folder_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(InvalidInput, match=r"config\.toml"):
        Config(path)


def test_profile_unknown_lists_the_known_ones(path: Path) -> None:
    Config(path).save(Profile("prod", "https://h"))
    with pytest.raises(NotFound) as missing:
        Config(path).profile("prdo")
    assert "prod" in str(missing.value.hint)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_config_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Config(path).save(Profile("prod", "https://h"))
    os.chown(path, 12345, 12345)
    with pytest.raises(InvalidInput, match="another user"):
        Config(path)


def test_failed_write_keeps_the_old_config_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Config(path).save(Profile("prod", "https://h"))
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("oncallctl.config.private_files.os.fsync", full)
    with pytest.raises(InvalidInput, match="No space left"):
        Config(path).save(Profile("two", "https://h"))
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]


def test_concurrent_saves_are_all_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = config_file.replace_private

    def slowly(target: Path, data: bytes) -> None:
        time.sleep(0.1)  # long enough for the others to read the same file if there were no lock
        write(target, data)

    monkeypatch.setattr(config_file, "replace_private", slowly)
    names = [f"p{number}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: Config(path).save(Profile(name, "https://h")), names))
    assert sorted(Config(path).names) == names
