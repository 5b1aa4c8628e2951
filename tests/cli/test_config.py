"""`config`: show and change config.toml."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.conftest import Runner

FILE = """\
# Maintained by hand.
default_profile = "prod"  # used by cron

[profiles.prod]
url = "https://oncall.example.org"  # the new one
timeout = 5  # slow network
modes_allowed = ["silence_escalations", "group_alerts"]

# The European stack.
[profiles."eu.west"]
url = "https://eu.example.org"
reason_required = true

[aliases]
mine = "alert-groups list --mine"
"""


@pytest.fixture
def file(world: Path) -> Path:
    path = world / "home/.config/oncallctl/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(FILE)
    path.chmod(0o640)
    return path


def test_path_without_a_file_is_printed(run: Runner, world: Path) -> None:
    default = f"{world}/home/.config/oncallctl/config.toml"
    assert run("config path").stdout == f"{default}\n"
    assert run("config path -o json").json == {"key": "path", "value": default}
    assert run("config path", ONCALLCTL_CONFIG="/etc/oncall.toml").stdout == "/etc/oncall.toml\n"


def test_list_shows_every_key_that_is_set(file: Path, run: Runner) -> None:
    rows = {row["key"]: row["value"] for row in run("config list -o json").json}
    assert rows == {
        "default_profile": "prod",
        "profiles.prod.url": "https://oncall.example.org",
        "profiles.prod.timeout": 5,
        "profiles.prod.modes_allowed": ["silence_escalations", "group_alerts"],
        "profiles.eu.west.url": "https://eu.example.org",
        "profiles.eu.west.reason_required": True,
        "aliases.mine": "alert-groups list --mine",
    }
    table = run("config list").stdout.splitlines()
    assert table[0] == "KEY\tVALUE"
    assert "profiles.prod.modes_allowed\tsilence_escalations,group_alerts" in table
    assert run("config list -o id").stdout.split() == list(rows)


def test_list_without_a_file_is_empty(run: Runner) -> None:
    assert run("config list -o json").json == []


@pytest.mark.parametrize(
    ("key", "printed", "value"),
    [
        ("default_profile", "prod", "prod"),
        ("profiles.prod.timeout", "5", 5),
        ("profiles.eu.west.reason_required", "true", True),
        (
            "profiles.prod.modes_allowed",
            "silence_escalations,group_alerts",
            ["silence_escalations", "group_alerts"],
        ),
        ("aliases.mine", "alert-groups list --mine", "alert-groups list --mine"),
    ],
)
def test_get_prints_the_value(file: Path, run: Runner, key: str, printed: str, value: object) -> None:
    assert run(f"config get {key}").stdout == f"{printed}\n"
    assert run(f"config get {key} -o json").json == {"key": key, "value": value}


@pytest.mark.parametrize("key", ["profiles.prod.tz", "profiles.nope.url", "aliases.nope"])
def test_get_unset_key_is_not_found(file: Path, run: Runner, key: str) -> None:
    done = run(f"config get {key}", status=6)
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {key} is not set\n")


def test_set_changes_one_line_and_keeps_comments(file: Path, run: Runner) -> None:
    run("config set profiles.prod.timeout 7.5")
    assert file.read_text() == FILE.replace("timeout = 5 ", "timeout = 7.5 ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_set_new_key_stands_above_the_comment_of_the_next_table(file: Path, run: Runner) -> None:
    run("config set profiles.prod.output json")
    assert file.read_text() == FILE.replace('"group_alerts"]\n', '"group_alerts"]\noutput = "json"\n')


@pytest.mark.parametrize(
    ("key", "value", "stored"),
    [
        ("profiles.prod.most_targets", "20", 20),
        ("profiles.prod.allow_http", "true", True),
        ("profiles.prod.tz", "Europe/Berlin", "Europe/Berlin"),
        ("profiles.prod.modes_allowed", "'group_alerts, disable_alerts'", ["group_alerts", "disable_alerts"]),
        ("profiles.eu.west.longest_window", "1d", "1d"),
        ("aliases.p1", "'page --important'", "page --important"),
        ("default_profile", "sandbox", "sandbox"),
    ],
)  # fmt: skip
def test_set_stores_the_type_of_the_field(file: Path, run: Runner, key: str, value: str, stored: object) -> None:
    run(f"config set {key} {value}")
    assert run(f"config get {key} -o json").json["value"] == stored


def test_set_takes_effect_in_the_next_command(file: Path, run: Runner) -> None:
    run("config set default_profile sandbox")
    run("config set aliases.t 'teams list -o id'")
    assert run("t").stdout == run("-p sandbox teams list -o id").stdout != ""


def test_set_url_of_a_new_profile_creates_it(run: Runner) -> None:
    run("config set profiles.new.url https://new.example.org")
    run("config set profiles.new.token_command 'pass show oncall'")
    (profile,) = [each for each in run("auth list -o json").json if each["id"] == "new"]
    assert (profile["url"], profile["token_source"]) == ("https://new.example.org", "command")


def test_set_token_file_is_stored_as_an_absolute_path(file: Path, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    run("config set profiles.prod.token_file token")
    assert run("config get profiles.prod.token_file").stdout == f"{file.parent}/token\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("set profiles.prod.timeout 0", "profile prod: timeout must be more than 0"),
        ("set profiles.prod.timeout soon", "profile prod: timeout must be more than 0"),
        ("set profiles.prod.timeout nan", "profile prod: timeout must be more than 0"),
        ("set profiles.prod.most_targets 1.5", "profile prod: most_targets must be an integer"),
        ("set profiles.prod.allow_http yes", "profile prod: allow_http must be true or false"),
        ("set profiles.prod.output xml", "profile prod: output must be one of table, json"),
        ("set profiles.prod.modes_allowed silence", "profile prod: modes_allowed must be one of silence_escalations"),
        ("set profiles.prod.tz Mars/Olympus", "no such time zone: 'Mars/Olympus'"),
        ("set profiles.prod.url http://oncall.example.org", "unencrypted HTTP"),
        ("set profiles.prod.tmeout 3", "unknown field of a profile: 'tmeout' (did you mean timeout?)"),
        ("set profiles.sandbox.timeout 3", "the profile sandbox is built in"),
        ("set 'profiles.a b.url' https://h", "invalid profile name: 'a b'"),
        ("set profiles.prod.token_file glsa_0123456789", "token_file is the path of a file, not a token"),
        ("set default_profile nope", "no profile 'nope'"),
        ("set defualt_profile prod", "unknown key: 'defualt_profile' (did you mean default_profile?)"),
        ('set aliases.mine "alert-groups \'list"', "mine: no closing quotation"),
        ("set aliases.a.b teams", "the name may only contain letters"),
        ("set profiles.prod x", "not a key but a table: 'profiles.prod'"),
        ("unset profiles.prod.url", "profile prod: url is missing"),
        ("get profiles", "not a key but a table: 'profiles'"),
        ("get tz", "unknown key: 'tz'"),
    ],
)
def test_mistake_is_refused_on_one_line_and_changes_nothing(file: Path, run: Runner, line: str, message: str) -> None:
    done = run(f"config {line} -o json", status=2)
    assert message in done.error["message"]
    assert "glsa_" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert file.read_text() == FILE


def test_set_in_an_unknown_profile_is_not_found(file: Path, run: Runner) -> None:
    done = run("config set profiles.prdo.timeout 3 -o json", status=6)
    assert "auth login prdo" in done.error["hint"]
    assert file.read_text() == FILE


def test_unset_removes_the_line(file: Path, run: Runner) -> None:
    run("config unset profiles.prod.timeout")
    assert file.read_text() == FILE.replace("timeout = 5  # slow network\n", "")
    run("config unset default_profile")
    assert "default_profile" not in run("config list -o id").stdout


def test_unset_of_an_unset_key_changes_nothing(file: Path, run: Runner) -> None:
    assert "nothing to change" in run("config unset profiles.prod.tz").stderr
    assert file.read_text() == FILE


def test_mistakes_of_the_file_can_be_corrected_one_by_one(file: Path, run: Runner) -> None:
    file.write_text('[profiles.prod]\nurl = 3\noutput = "xml"\n')
    assert "line 2: profile prod: url must be a string" in run("config list", status=2).stderr
    run("config set profiles.prod.url https://h")
    run("config unset profiles.prod.output")
    assert run("config list -o id").stdout.split() == ["profiles.prod.url"]


def test_file_with_a_syntax_error_is_not_changed(file: Path, run: Runner) -> None:
    file.write_text("[profiles")
    for line in ("list", "get default_profile", "set default_profile sandbox", "unset default_profile"):
        assert str(file) in run(f"config {line}", status=2).stderr
    assert file.read_text() == "[profiles"
    assert run("config path").stdout == f"{file}\n"


def test_set_in_tables_that_are_out_of_order_is_stored(file: Path, run: Runner) -> None:
    file.write_text(
        '[profiles.a]\nurl = "https://a"\n\n[aliases]\nt = "teams list"\n\n[profiles.b]\nurl = "https://b"  # b\n'
    )
    run("config set profiles.b.timeout 5")
    run("config set profiles.a.timeout 6")
    run("config unset profiles.a.timeout")
    assert file.read_text().count("# b") == 1
    assert run("config get profiles.b.timeout").stdout == "5\n"
    assert run("config get profiles.a.timeout", status=6).stdout == ""


def test_set_below_a_value_that_is_not_a_table_is_wrong_usage(file: Path, run: Runner) -> None:
    file.write_text("aliases = 3\n")
    assert "aliases must be a table" in run("config set aliases.mine teams", status=2).stderr
    file.write_text("aliases = {mine = 3}\n")
    run("config set aliases.mine 'teams list'")
    assert run("config get aliases.mine").stdout == "teams list\n"
