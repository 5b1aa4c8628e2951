"""Runs without a person: cron, systemd and pipes, with a minimal environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from oncallctl.sandbox import ADMIN_TOKEN
from tests.places import ROOT
from tests.serving import Serving, status
from tests.system.needs import need
from tests.system.program import PATIENCE, Program, Ran
from tests.system.test_interrupts import Held

PAGE = ("escalate", "--team", "platform", "--title", "disk full")
MANY = [f"service-{number:03}" for number in range(21)]
GROUPED = "CSD2TNTF42BF6"  # service-000
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def bare(cloud: Serving) -> Program:
    """Return the program under `env -i`: without HOME, TERM and D-Bus, with the server in variables."""
    return Program(
        {
            "PYTHONPATH": str(ROOT),
            "ONCALLCTL_URL": cloud.url,
            "ONCALLCTL_TOKEN": ADMIN_TOKEN,
            "ONCALLCTL_API": "cloud",
            "LC_ALL": "C",
        },
        forks=False,
    )


@pytest.fixture
def config(home: Path) -> Path:
    """Return the path of config.toml, in an existing folder."""
    folder = home / ".config/oncallctl"
    folder.mkdir(parents=True)
    return folder / "config.toml"


@pytest.fixture
def grouped(cloud: Serving) -> str:
    """Return an integration with an open window that resolves its alerts when it ends."""
    cloud.call("POST", f"integrations/{GROUPED}/maintenance_start", {"mode": "group_alerts", "duration": 7200})
    cloud.alert(GROUPED)
    return GROUPED


def direct_paging(cloud: Serving) -> str:
    """Return the direct paging integration of a team, which its first page creates."""
    return cloud.call("POST", "escalation/", {"team": "TKPSLLWBFUI9R", "title": "earlier"})["integration_id"]


DANGERS = [
    pytest.param(lambda _: ["integrations", "delete", "service-000"], id="delete"),
    pytest.param(lambda _: ["maintenance", "start", "--all", "--for", "1h", "--if-active", "keep"], id="start --all"),
    pytest.param(lambda _: ["maintenance", "start", "--match", "service-01?", "--for", "1h"], id="start --match"),
    pytest.param(lambda _: ["maintenance", "stop", "--all"], id="stop --all"),
    pytest.param(lambda _: ["maintenance", "stop", "--match", "service-00*"], id="stop --match"),
    pytest.param(lambda _: ["maintenance", "start", *MANY[1:], "service-021", "--for", "1h"], id="21 targets"),
    pytest.param(lambda _: ["maintenance", "stop", GROUPED], id="ending a group_alerts window"),
    pytest.param(
        lambda _: ["maintenance", "start", GROUPED, "--for", "1h", "--if-active", "replace"],
        id="replacing a group_alerts window",
    ),
    pytest.param(lambda cloud: ["maintenance", "start", direct_paging(cloud), "--for", "1h"], id="direct paging"),
]


@pytest.mark.promise("dangerous-asked-about")
@pytest.mark.usefixtures("grouped")
@pytest.mark.parametrize("words", DANGERS)
def test_dangerous_change_without_a_terminal_requires_yes(
    bare: Program, cloud: Serving, words: Callable[[Serving], list[str]]
) -> None:
    line = words(cloud)
    refused = bare(*line, "-o", "json", stdin="y\ny\ny\n", status=2)
    assert refused.out == b""
    assert refused.error["code"] == "confirmation_needed"
    assert "--yes" in refused.error["message"]
    assert refused.error["hint"] == "add --yes"
    assert cloud.changes() == []
    bare(*line, "--yes")
    assert cloud.changes() != []


def test_twenty_targets_need_no_yes(bare: Program, cloud: Serving) -> None:
    bare("maintenance", "start", *MANY[:20], "--for", "1h")
    assert len(cloud.changes()) == 20


def test_page_without_terminal_home_and_locale_is_sent(bare: Program, cloud: Serving) -> None:
    ran = bare(*PAGE, "-o", "json")
    assert ran.json["title"] == "disk full"
    assert cloud.changes() == ["POST /api/v1/escalation/"]
    (note,) = ran.stderr.splitlines()
    assert "on call" in json.loads(note)["note"]["message"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_page_with_closed_streams_is_sent(bare: Program, cloud: Serving, closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *bare.words(*PAGE)],
        env=bare.environment | {"PATH": os.environ["PATH"]},
        cwd=bare.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(b"note: paging team platform") for line in done.stderr.splitlines())
    assert cloud.changes() == ["POST /api/v1/escalation/"]


@pytest.mark.parametrize("stream", ["2>/dev/full", "2>&-"])
def test_error_without_a_usable_stderr_keeps_its_exit_status(bare: Program, stream: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {stream}', "sh", *bare.words("integrations", "get", "no-such-one")],
        env=bare.environment | {"PATH": os.environ["PATH"]},
        cwd=bare.folder,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 6


def test_page_with_stdout_on_a_full_disk_is_reported_as_sent(bare: Program, cloud: Serving) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >/dev/full', "sh", *bare.words(*PAGE)],
        env=bare.environment | {"PATH": os.environ["PATH"]},
        cwd=bare.folder,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert b"bug in oncallctl" not in done.stderr
    assert b"No space left on device" in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert len(cloud.changes()) == 1


def test_page_by_a_user_without_name_and_home_is_sent(bare: Program, cloud: Serving) -> None:
    """As in a container with an arbitrary UID."""
    words = [need("unshare", "util-linux"), "--user", "--map-user=23456", "--"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    done = subprocess.run(
        [*words, *bare.words(*PAGE)],
        env=bare.environment,
        cwd=bare.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(b"note: paging team platform") for line in done.stderr.splitlines())
    assert len(cloud.changes()) == 1


def test_page_with_non_ascii_text_in_the_c_locale_is_sent_unchanged(bare: Program, cloud: Serving) -> None:
    bare("escalate", "--team", "platform", "--title", "Störung 🔥", TERM=None)
    assert cloud.bodies()[-1]["title"] == "Störung 🔥"


@pytest.fixture(scope="module")
def latin_1(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Create a locale with the encoding ISO 8859-1."""
    localedef = need("localedef", "libc-bin")
    folder = tmp_path_factory.mktemp("locales")
    words = [localedef, "-i", "de_DE", "-f", "ISO-8859-1", "--no-archive", str(folder / "de_DE.ISO-8859-1")]
    made = subprocess.run(words, capture_output=True, text=True, check=False)
    if made.returncode:
        need("locale-gen", "locales")  # comes with the sources that localedef reads
        pytest.fail(made.stderr)
    return {"LOCPATH": str(folder), "LC_ALL": "de_DE.ISO-8859-1"}


def test_names_use_the_encoding_of_the_locale(bare: Program, latin_1: dict[str, str]) -> None:
    name = "café-früh"
    typed = os.fsdecode(name.encode("latin-1"))
    ran = bare("integrations", "get", typed, **latin_1)
    assert name.encode("latin-1") in ran.out
    fire = bare("integrations", "get", "CZEUNZ9EZ57BS", **latin_1)
    assert rb"\U0001f525 fire-drill" in fire.out


@pytest.mark.parametrize("where", ["ascii", "latin-1"])
@pytest.mark.parametrize("ident", ["CZEUNZ9EZ57BS", "CCYZTYG6B5ABP", "C4NIHNA71U5SV"])
def test_json_in_any_locale_is_valid(bare: Program, request: pytest.FixtureRequest, where: str, ident: str) -> None:
    environment = ASCII if where == "ascii" else request.getfixturevalue("latin_1")
    expected = bare("integrations", "get", ident, "-o", "json", LC_ALL="C.UTF-8").json["name"]
    assert not expected.isascii()
    assert bare("integrations", "get", ident, "-o", "json", **environment).json["name"] == expected
    rows = bare("integrations", "list", "-o", "jsonl", **environment).out.splitlines()
    assert expected in [json.loads(row)["name"] for row in rows]


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, ASCII], ids=["C", "ascii"])
def test_json_error_in_any_locale_is_valid(bare: Program, environment: dict[str, str]) -> None:
    refused = bare("integrations", "get", "cafe-fruh", "-o", "json", status=6, **environment)
    assert "café-früh" in refused.error["hint"], "the closest name, as it is"


def test_undecodable_argument_is_refused_unsent(bare: Program, cloud: Serving) -> None:
    refused = bare("escalate", "--team", "platform", "--title", os.fsdecode(b"disk \xff\xfe"), status=2)
    assert "bug in oncallctl" not in refused.stderr
    assert cloud.changes() == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_token_file_accessible_to_others_is_refused(work: Program, cloud: Serving, token_file: Path, mode: int) -> None:
    token_file.chmod(mode)
    refused = work("teams", "list", "-o", "json", status=3)
    assert refused.error["code"] == "no_credentials"
    assert f"mode {mode:04o}" in refused.error["message"]
    assert "chmod 600" in refused.error["hint"]
    assert ADMIN_TOKEN not in refused.stderr
    assert cloud.seen == []


def test_link_to_a_token_file_is_checked_by_its_target(work: Program, cloud: Serving, token_file: Path) -> None:
    real = token_file.with_name("real")
    token_file.rename(real)
    token_file.symlink_to(real)
    work("teams", "list")
    real.chmod(0o644)
    cloud.seen.clear()
    work("teams", "list", status=3)
    assert cloud.seen == []


BROKEN = {
    "no TOML": "[profiles.work",
    "not text": b"\xff\xfe\x00",
    "profiles that are no tables": "profiles = 3",
    "a profile that is no table": "[profiles]\nwork = 1",
    "no url": 'default_profile = "work"\n[profiles.work]\napi = "oss"',
    "a url that is a number": 'default_profile = "work"\n[profiles.work]\nurl = 3',
    "a key that there is not": 'default_profile = "work"\n[profiles.work]\nurl = "https://a.example"\ntoken = "x"',
    "an api that there is not": 'default_profile = "work"\n[profiles.work]\nurl = "https://a.example"\napi = "v2"',
    "a format that there is not": 'default_profile = "work"\n[profiles.work]\nurl = "https://a.example"\noutput = "x"',
    "a zone that there is not": 'default_profile = "work"\n[profiles.work]\nurl = "https://a.example"\ntz = "Mars/One"',
    "a time-out of nothing": 'default_profile = "work"\n[profiles.work]\nurl = "https://a.example"\ntimeout = 0',
    "a default that is no name": 'default_profile = 3\n[profiles.work]\nurl = "https://a.example"',
    "plain http": 'default_profile = "work"\n[profiles.work]\nurl = "http://a.example"',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_invalid_configuration_is_reported_in_one_line_with_the_path(
    program: Program, config: Path, content: str | bytes
) -> None:
    config.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused = program("teams", "list", status=2)
    error, *hint = refused.stderr.splitlines()
    assert error.startswith("error: ")
    assert str(config) in error
    assert [line.partition(":")[0] for line in hint] in ([], ["hint"])
    assert program("teams", "list", "--quiet", status=2).stderr == f"{error}\n"


def test_missing_default_profile_is_named(program: Program, config: Path) -> None:
    config.write_text('default_profile = "gone"\n[profiles.work]\nurl = "https://a.example"', encoding="utf-8")
    refused = program("teams", "list", status=6)
    assert "'gone'" in refused.stderr
    assert "work" in refused.stderr


def test_configuration_that_is_a_folder_is_named(program: Program, config: Path) -> None:
    config.mkdir()
    assert str(config) in program("teams", "list", status=2).stderr


def test_login_does_not_overwrite_an_invalid_configuration(
    program: Program, cloud: Serving, config: Path, token_file: Path
) -> None:
    config.write_text("[profiles.work", encoding="utf-8")
    program("auth", "login", "work", "--url", cloud.url, "--token-file", token_file, status=2)
    assert config.read_text(encoding="utf-8") == "[profiles.work"
    assert cloud.seen == []


def test_page_with_credentials_in_the_environment_ignores_an_invalid_configuration(
    program: Program, cloud: Serving, config: Path
) -> None:
    config.write_text("[profiles.work", encoding="utf-8")
    program(*PAGE, ONCALLCTL_URL=cloud.url, ONCALLCTL_TOKEN=ADMIN_TOKEN, ONCALLCTL_API="cloud")
    assert len(cloud.changes()) == 1


@pytest.mark.parametrize(
    "words",
    [("teams", "list"), PAGE, ("maintenance", "start", "--all", "--for", "1h", "--yes"), ("auth", "status")],
    ids=["a read", "a page", "a change", "auth status"],
)
def test_command_without_configuration_suggests_login_and_sandbox(program: Program, words: tuple[str, ...]) -> None:
    refused = program(*words, "-o", "json", status=3)
    assert refused.out == b""
    assert refused.error["code"] == "no_credentials"
    assert "oncallctl auth login" in refused.error["hint"]
    assert "sandbox" in refused.error["hint"]


@pytest.mark.parametrize(
    ("there", "missing"),
    [("ONCALLCTL_URL", "ONCALLCTL_TOKEN"), ("ONCALLCTL_TOKEN", "ONCALLCTL_URL")],
    ids=["no token", "no url"],
)
def test_incomplete_environment_is_not_completed_from_a_profile(
    work: Program, cloud: Serving, there: str, missing: str
) -> None:
    value = {"ONCALLCTL_URL": cloud.url, "ONCALLCTL_TOKEN": "elsewhere-token"}[there]
    refused = work(*PAGE, "-o", "json", status=2, **{there: value})
    assert missing in refused.error["message"]
    assert there in refused.error["message"]
    assert cloud.seen == []


def test_profile_option_takes_precedence_over_the_environment(work: Program, cloud: Serving) -> None:
    elsewhere = {"ONCALLCTL_URL": "http://127.0.0.1:9", "ONCALLCTL_TOKEN": "elsewhere-token"}
    work("teams", "list", "--profile", "work", **elsewhere)
    assert {each.headers["Authorization"] for each in cloud.seen} == {f"Bearer {ADMIN_TOKEN}"}


QUIET = [
    ("teams", "list"),
    ("teams", "who-is-on-call", "platform", "-o", "json"),
    PAGE,
    ("maintenance", "start", "service-000", "service-001", "--for", "1h"),
    ("maintenance", "start", "service-000", "--for", "1h", "--dry-run"),
    ("maintenance", "status", "-o", "csv"),
    ("integrations", "create", "--type", "webhook", "--name", "quiet"),
    ("integrations", "delete", "service-002", "--yes"),
    ("integrations", "list", "--limit", "1"),
    ("auth", "list"),
    ("auth", "switch", "work"),
    ("auth", "logout", "work"),
]


@pytest.mark.parametrize("words", QUIET, ids=" ".join)
def test_quiet_success_prints_nothing(work: Program, words: tuple[str, ...]) -> None:
    ran = work(*words, "--quiet")
    assert (ran.out, ran.err) == (b"", b"")


def test_quiet_before_the_noun_is_accepted(work: Program) -> None:
    assert work("teams", "list").out
    assert work("-q", "teams", "list").out == b""
    assert len(work("-q", "teams", "get", "no-such-one", status=6).stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("integrations", "get", "no-such-one"), 6),
        (("integrations", "get"), 2),
        (("integrations", "get", "service-000", "--no-such-option"), 2),
        (("integrations", "no-such-verb"), 2),
        (("maintenance", "start", "--all", "--for", "1h"), 2),
        (("maintenance", "start", "service-000", "--for", "never"), 2),
        (("maintenance", "status", "--require", "active"), 10),
        (("escalate", "--team", "empty-team"), 7),
        (("escalate", "--team", "platform", "--timeout", "0"), 2),
    ],
    ids=lambda each: each if isinstance(each, int) else " ".join(each),
)
@pytest.mark.parametrize("output", ["table", "json"])
def test_quiet_failure_prints_one_line(work: Program, words: tuple[str, ...], code: int, output: str) -> None:
    ran = work(*words, "--quiet", "-o", output, status=code)
    assert ran.out == b""
    (line,) = ran.stderr.splitlines()
    if output == "json":
        assert json.loads(line)["error"]["exit_code"] == code
    else:
        assert line.startswith("error: ")


def test_quiet_failure_of_several_targets_prints_one_line(work: Program, cloud: Serving) -> None:
    cloud.fail("POST", "maintenance_start", status(403, '{"detail": "no"}'))
    ran = work("maintenance", "start", "service-000", "service-001", "--for", "1h", "--quiet", status=4)
    assert ran.out == b""
    assert len(ran.stderr.splitlines()) == 1


def test_quiet_login_prints_nothing(program: Program, cloud: Serving, token_file: Path) -> None:
    ran = program("auth", "login", "work", "--url", cloud.url, "--token-file", token_file, "--quiet")
    assert (ran.out, ran.err) == (b"", b"")
    assert "platform" in program("teams", "list").stdout


@pytest.mark.promise("never-an-argument-printed-logged")
@pytest.mark.parametrize(
    "words", [(*PAGE, "-v"), (*PAGE, "-vv"), ("--verbose", *PAGE)], ids=["-v", "-vv", "before the noun"]
)
def test_verbose_logs_requests_without_the_token(work: Program, words: tuple[str, ...]) -> None:
    ran = work(*words)
    assert "POST /api/v1/escalation/" in ran.stderr
    assert ADMIN_TOKEN not in ran.stdout + ran.stderr
    assert "Authorization" not in ran.stderr
    assert b"POST" not in ran.out


@pytest.mark.parametrize(
    "fault", [status(403), status(500), status(200, "<html>login</html>")], ids=["403", "500", "HTML"]
)
def test_verbose_failure_does_not_print_the_token(work: Program, cloud: Serving, fault: object) -> None:
    cloud.fail("POST", "escalation/", fault)  # type: ignore[arg-type]
    ran = work(*PAGE, "-vv", status=None)
    assert ran.status != 0
    assert ADMIN_TOKEN not in ran.stdout + ran.stderr


def test_token_in_an_error_response_is_not_quoted(work: Program, cloud: Serving) -> None:
    cloud.fail("POST", "escalation/", status(400, json.dumps({"detail": f"bad token: Bearer {ADMIN_TOKEN}"})))
    ran = work(*PAGE, "-o", "json", status=None)
    assert ran.status != 0
    assert ADMIN_TOKEN not in ran.stdout + ran.stderr


SOURCES = ["--token-file", "--token-command", "environment"]


@pytest.mark.promise("never-an-argument-printed-logged")
@pytest.mark.parametrize("source", SOURCES)
def test_token_is_in_no_argument_file_or_output(
    program: Program, cloud: Serving, home: Path, token_file: Path, source: str
) -> None:
    program = replace(program, forks=False)  # /proc shows the arguments of an interpreter of its own
    environment: dict[str, str | None] = {}
    ran: list[Ran] = []
    if source == "environment":
        environment = {"ONCALLCTL_URL": cloud.url, "ONCALLCTL_TOKEN": ADMIN_TOKEN, "ONCALLCTL_API": "cloud"}
    else:
        value = str(token_file) if source == "--token-file" else f"cat {token_file}"
        ran.append(program("auth", "login", "work", "--url", cloud.url, source, value, "-vv"))
    lines = (("auth", "status"), ("auth", "list"), ("integrations", "list"), ("teams", "list", "-vv"))
    ran += [program(*words, **environment) for words in lines]
    held = Held()
    cloud.fail("POST", "escalation/", held)
    with program.started(*PAGE, **environment) as process:
        held.wait()
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        held.release()
        out, err = process.communicate(timeout=PATIENCE)
    assert b"escalate" in arguments
    assert ADMIN_TOKEN.encode() not in arguments
    ran.append(Ran(process.returncode, out, err))
    assert [each.status for each in ran] == [0] * len(ran)
    assert [each for each in ran if ADMIN_TOKEN.encode() in each.out + each.err] == []
    files = [file for file in home.rglob("*") if file.is_file() and file != token_file]
    assert source == "environment" or files
    assert [file for file in files if ADMIN_TOKEN.encode() in file.read_bytes()] == []


@pytest.mark.promise("never-an-argument-printed-logged")
def test_token_option_does_not_exist(program: Program) -> None:
    for words in (("auth", "login", "--url", "https://a.example", "--token", "x"), ("teams", "list", "--token", "x")):
        assert "unknown option" in program(*words, status=2).stderr
