"""Completion of names in real shells: correct names, and no execution of their text."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oncallctl.config import name_cache
from oncallctl.config.profiles import Profile, sandbox
from tests.places import COMPLETIONS
from tests.system.needs import need
from tests.system.shells import SHELLS, Shell, start, stubs

if TYPE_CHECKING:
    from collections.abc import Iterator

PROD = Profile("prod", "https://oncall.example.org/oncall")
EU = Profile("eu", "https://eu.example.org")
CONFIG = """\
default_profile = "prod"  # the usual one

[profiles.prod]
token_file = "~/token"
url = "https://oncall.example.org/oncall/api/v1/"
[profiles."eu"] # written by hand
  url='https://eu.example.org'
[profiles.bare]
[other]
url = "https://eu.example.org"
[profiles.moved]
url = "https://new.example.org"
[profiles.last]
url = "https://last.example.org"
"""

HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "a`touch pwned`b",
    "${IFS}$(touch${IFS}pwned)",
    "$(touch pwned) $(touch pwned)",
    "x'$(touch pwned)'",
    'x"$(touch pwned)"',
    "x\\$(touch pwned)",
    "; touch pwned",
    "a; touch pwned; #",
    "a & touch pwned",
    "a | touch pwned",
    "a > pwned",
    "<(touch pwned)",
    "=(touch pwned)",
    "(touch pwned)",
    "*(e:touch pwned:)",
    "*",
    "?",
    "[prod] api",
    "{a,b}",
    "~",
    "~root",
    "=ls",
    "!!",
    "a!b",
    "^a^b",
    "%1",
    "#comment",
    "-dash",
    "--yes",
    "-",
    "id:X",
    "name:x",
    "IABCDEFGHIJKLM",
    "it's",
    'say "hi"',
    "back\\slash",
    "ends with\\",
    "two  spaces",
    " before",
    "after ",
    "a:b",
    "a=b",
    "mail@example.org",
    "a/b/",
    "bin",  # the name of a directory here
    "$HOME",
    "$",
    "&",
    "&&",
    "x&y\\&z",
    "Zürich ☕",
    "日本語",
    ",",
    "@file",
    "+1",
    "0",
]

# Shell code: write the arguments to a file, one per line.
WRITE_ARGUMENTS = """\
for word; do printf '%s\\n' "$word"; done >"$HOME/given.new"
mv "$HOME/given.new" "$HOME/given"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "its home"
    config = home / ".config" / "oncallctl" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    return home


@pytest.fixture(params=SHELLS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shell(name: str, home: Path) -> Iterator[Shell]:
    with start(name, home) as shell:
        yield shell


def keep(home: Path, kind: str, *names: str, profile: Profile = PROD, config: Path | None = None) -> Path:
    """Cache names as a real call does, and return their file."""
    name_cache.write_names(profile, config or home / ".config/oncallctl/config.toml", kind, names)
    return home / ".cache" / "oncallctl" / "names" / f"{profile.name}.{kind}"


def test_names_read_by_a_command_are_offered(shell: Shell) -> None:
    assert shell.offered("oncallctl -p sandbox teams get ") == []
    settings = os.environ | {"HOME": str(shell.home), "XDG_STATE_HOME": str(shell.home / "state")}
    words = [sys.executable, "-m", "oncallctl", "-p", "sandbox"]
    teams = subprocess.run([*words, "teams", "list", "-o", "jsonl"], env=settings, check=True, capture_output=True)
    assert b'"platform"' in teams.stdout
    assert shell.tab("oncallctl -p sandbox teams get platf") == "oncallctl -p sandbox teams get platform"
    assert shell.offered("oncallctl -p sandbox integrations get service-0") == []
    subprocess.run([*words, "integrations", "list"], env=settings, check=True, capture_output=True)
    assert shell.tab("oncallctl -p sandbox integrations get service-01") == (
        "oncallctl -p sandbox integrations get service-01"
    )
    assert "service-010" in shell.offered("oncallctl -p sandbox integrations get service-01")
    assert not shell.has_run_a_command()
    shell.type("oncallctl\r")  # which shows that it would have been seen
    shell.wait_for(shell.has_run_a_command)


def test_names_are_offered_for_arguments_of_their_kind(shell: Shell) -> None:
    for kind, name in {
        "integrations": "my-integration",
        "teams": "my-team",
        "users": "my-user",
        "schedules": "my-schedule",
        "escalation_chains": "my-chain",
    }.items():
        keep(shell.home, kind, name)
    for line, offered in {
        "integrations get my": "integration",
        "integrations get other 'an other' my": "integration",
        "integrations delete --yes my": "integration",
        "maintenance start my": "integration",
        "maintenance run --for 1h my": "integration",
        "maintenance debrief my": "integration",
        "alert-groups list --integration my": "integration",
        "routes list --integration=my": "integration",
        "maintenance status --team my": "team",
        "integrations create --team=my": "team",
        "escalate --team my": "team",
        "teams get my": "team",
        "teams get SRE my": "team",
        "teams who-is-on-call SRE my": "team",
        "users get my": "user",
        "escalate --user ann --user my": "user",
        "escalate --important-user=my": "user",
        "schedules get my": "schedule",
        "schedules shifts --days 3 my": "schedule",
        "escalation-chains get my": "chain",
        "integrations create --escalation-chain my": "chain",
    }.items():
        assert shell.tab(f"oncallctl {line}") == f"oncallctl {line}-{offered}"
    for line in (
        "teams list my",
        "routes get my",
        "shift-swaps get my",
        "integrations list --match my",
        "escalate --title my",
        "auth login my",
        "maintenance run my-integration -- my",
        "maintenance start -- my",
        "my",
    ):
        assert shell.tab(f"oncallctl {line}") == f"oncallctl {line}"


@pytest.mark.promise("data")
def test_alert_groups_are_offered_by_id_and_their_titles_are_only_shown(shell: Shell, name: str) -> None:
    config = shell.home / ".config/oncallctl/config.toml"
    titles = {f"IHOSTILE{number}": title for number, title in enumerate(HOSTILE)}
    name_cache.write_alert_groups(PROD, config, {"IDISK1": "disk full", "IDISK2": "disk ok", **titles})
    for line in (
        "alert-groups get",
        "alert-groups alerts",
        "alert-groups acknowledge IHOSTILE1",
        "alert-groups silence",
        "ack",
        "escalate --user ann --alert-group",
    ):
        assert (line, shell.offered(f"oncallctl {line} IDISK")) == (line, ["IDISK1", "IDISK2"])
    assert shell.tab("oncallctl alert-groups get IDISK1") == "oncallctl alert-groups get IDISK1"
    shell.screen = b""
    shell.after("oncallctl alert-groups get I\t\t")
    if name != "bash":  # which shows no descriptions
        shell.wait_for(lambda: b"disk full" in shell.screen)
    assert not list(shell.home.rglob("*pwned*"))
    assert not shell.has_run_a_command()


def test_keys_of_the_config_file_are_offered(shell: Shell) -> None:
    assert shell.tab("oncallctl config get profiles.eu.token_f") == "oncallctl config get profiles.eu.token_file"
    assert shell.tab("oncallctl config set default") == "oncallctl config set default_profile"


def test_names_belong_to_the_selected_profile(shell: Shell) -> None:
    keep(shell.home, "teams", "of-prod")
    keep(shell.home, "teams", "of-eu", profile=EU)
    keep(shell.home, "teams", "of-sandbox", profile=sandbox("sandbox"))
    for words in (
        "teams get",
        "-p prod teams get",
        "-p eu teams get -p prod",
        "-p eu teams get --profile=prod",
    ):
        assert (words, shell.offered(f"oncallctl {words} ")) == (words, ["of-prod"])
    for words in (
        "-p eu teams get",
        "--profile eu teams get",
        "--profile=eu -q teams get",
        "-peu teams get",
        "teams get -p eu",
        "teams get --profile 'eu'",
        "escalate --profile eu --team",
        "-p prod teams get -p eu",
    ):
        assert shell.offered(f"oncallctl {words} ") == ["of-eu"]
    assert shell.offered("oncallctl maintenance start --reason -peu --team ") in ([], ["of-prod"])  # zsh gives up
    assert shell.offered("oncallctl -vvpeu teams get ") in ([], ["of-eu"])
    assert shell.offered("oncallctl -p sandbox teams get ") == ["of-sandbox"]
    for unknown in (
        "sandbox-oss",
        "nobody",
        "bare",
        "last",
        "EU",
        "'e u'",
        "/",
        "../names/eu",
        "'*'",
        "'$(touch pwned)'",
    ):
        assert shell.offered(f"oncallctl -p {unknown} teams get ") == []
    assert not list(shell.home.rglob("pwned"))


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_profile_variable_before_the_command_offers_no_names_of_another(name: str, home: Path) -> None:
    keep(home, "teams", "of-prod")
    with start(name, home) as shell:
        assert shell.offered("ONCALLCTL_PROFILE=eu oncallctl teams get ") == []
        assert shell.offered("LANG=C.UTF-8 oncallctl teams get ") == ["of-prod"]


@pytest.mark.promise("data")
def test_hostile_name_is_passed_unchanged_and_not_obeyed_by_the_shell(shell: Shell) -> None:
    stubs(shell.home, WRITE_ARGUMENTS)
    given = shell.home / "given"
    lines = ("teams get ", "maintenance start x --team=", "maintenance start x --team ")
    for number, hostile in enumerate(HOSTILE):
        keep(shell.home, "teams", hostile)
        line = lines[number % len(lines)]
        given.unlink(missing_ok=True)
        shell.type(f"oncallctl {line}\t\r")
        shell.wait_for(given.exists)
        words = [word.removeprefix("--team=") for word in given.read_text(encoding="utf-8").split("\n")[:-1]]
        assert words[-1] == name_cache.completion_words([hostile])[0]
        assert words[-1] in {hostile, f"name:{hostile}"}
        assert len(words) == len(line.replace("=", " ").split()) + 1 - line.endswith("=")
    assert not list(shell.home.rglob("*pwned*"))


@pytest.mark.parametrize("quote", ["'", '"'])
def test_name_begun_in_quotes_is_completed_in_them(shell: Shell, quote: str) -> None:
    stubs(shell.home, WRITE_ARGUMENTS)
    given = shell.home / "given"
    for name in ("a $(touch pwned)", "a `touch pwned`", "a it's", 'a "b" c', "a \\ \\\\", "a [b] * ?", "a:b=c@d e"):
        keep(shell.home, "teams", name)
        given.unlink(missing_ok=True)
        shell.type(f"oncallctl teams get {quote}a\t\r")
        shell.wait_for(given.exists)
        assert given.read_text(encoding="utf-8") == f"teams\nget\n{name}\n"
    assert not list(shell.home.rglob("pwned"))


def test_list_of_hostile_names_is_harmless(shell: Shell) -> None:
    keep(shell.home, "teams", *HOSTILE, "plain-1", "plain-2")
    shell.after("oncallctl teams get \t\t")
    shell.after("oncallctl teams get \x14")
    for begun in ("\\$", "\\$\\(", "'$(", "\\`", "'`", "\\;", "a\\;", "\\*", "\\[", "\\~", "\\=", "\\!", "x\\'", "'"):
        shell.after(f"oncallctl teams get {begun}\t\t")
    assert shell.offered("oncallctl teams get plain") == ["plain-1", "plain-2"]
    assert not list(shell.home.rglob("*pwned*"))
    assert not shell.has_run_a_command()


def test_quoted_prefix_of_a_name_is_completed(shell: Shell) -> None:
    keep(shell.home, "teams", "[prod] api", "[prod] app", "west:one")
    for typed in ("\\[prod\\]\\ ap", "'[prod] ap"):
        shell.screen = b""
        shell.after(f"oncallctl teams get {typed}\t\t")
        shell.wait_for(lambda: b"api" in shell.screen and b"app" in shell.screen)
    assert shell.tab("oncallctl teams get \\[prod\\]\\ api") == "oncallctl teams get \\[prod\\]\\ api"
    assert shell.tab("oncallctl teams get west:o") == "oncallctl teams get west:one"
    assert shell.tab("oncallctl maintenance start --team=west:") == "oncallctl maintenance start --team=west:one"


def test_matching_names_out_of_thousands_are_offered(shell: Shell) -> None:
    keep(shell.home, "integrations", *(f"service-{number:04}" for number in range(4990)), "Zürich", "api", "zoo")
    for begun in ("service-012", "service-498"):
        assert shell.offered(f"oncallctl integrations get {begun}") == [f"{begun}{digit}" for digit in range(10)]
    assert shell.offered("oncallctl integrations get service-0") == [f"service-{number:04}" for number in range(1000)]
    assert shell.offered("oncallctl integrations get service-q") == []
    assert shell.offered("oncallctl integrations get a") == ["api"]
    assert shell.offered("oncallctl integrations get zo") == ["zoo"]
    assert shell.tab("oncallctl integrations get Z") == "oncallctl integrations get Zürich"


@pytest.mark.parametrize("breaks", [" \t\n\"'@><=;|&(:", " \t\n\"'><;|&(:", " \t\n"])
def test_bash_completes_names_with_any_word_breaks(home: Path, breaks: str) -> None:
    keep(home, "teams", "ann@example.org: a=b; (c) & <d> | it's")
    done = "ann@example.org: a=b; (c) & <d> | it's"
    with start("bash", home) as shell:
        escaped = breaks.encode("unicode_escape").decode().replace("'", "\\'")
        shell.type(f"COMP_WORDBREAKS=$'{escaped}'\r")
        for begun in (
            "",
            "a",
            "ann@",
            "ann@ex",
            "ann@example.org:",
            "ann@example.org:\\ a=",
            "'ann@example.org: a",
            '"ann@e',
        ):
            for option in ("--team ", "--team="):
                line = shell.tab(f"oncallctl integrations list {option}{begun}")
                assert shlex.split(line.replace("--team=", "--team "))[-1] == done


@pytest.mark.parametrize(
    "options", ["", "set -u;", "shopt -s failglob nocasematch extglob; set -f; IFS=a;", "LC_ALL=C;"]
)
def test_bash_completes_names_with_any_shell_options(home: Path, options: str) -> None:
    keep(home, "teams", "Zeta", "[prod] api", "a&b", "zeta", "zürich", "$(touch pwned)")
    code = f"""
        source {shlex.quote(str(COMPLETIONS / "oncallctl.bash"))}
        {options}
        for word in '' z '\\[prod' "'a" '"$(' '\\$(' '*'; do
            COMP_LINE="oncallctl teams get $word" COMP_WORDS=(oncallctl teams get "$word") COMP_CWORD=3
            COMP_POINT=${{#COMP_LINE}}
            _oncallctl oncallctl "${{word#[\\"\\']}}" get
            printf '<%s>' "$word" "${{COMPREPLY[@]}}"
            echo
        done
        [[ -o noglob ]] && echo noglob
        printf '%q\\n' "$IFS"
    """
    run = subprocess.run(
        [need("bash", "bash"), "--norc", "-c", code],
        cwd=home,
        env={"HOME": str(home), "PATH": f"{stubs(home)}:/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    zurich = "$'z\\303\\274rich'" if "LC_ALL" in options else "zürich"
    assert run.stderr == ""
    assert run.stdout.splitlines()[:7] == [
        f"<><\\$\\(touch\\ pwned\\)><Zeta><\\[prod\\]\\ api><a\\&b><zeta><{zurich}>",
        f"<z><zeta><{zurich}>",
        "<\\[prod><\\[prod\\]\\ api>",
        "<'a><a&b>",
        '<"$(>',
        "<\\$(><\\$\\(touch\\ pwned\\)>",
        "<*>",
    ]
    assert run.stdout.splitlines()[7:] == (["noglob", "a"] if "set -f" in options else ["$' \\t\\n'"])
    assert not list(home.rglob("pwned"))
