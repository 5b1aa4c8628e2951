"""Completion scripts in real shells at a terminal."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from typer.main import get_command

from oncallctl.completion.scripts import script
from tests.places import COMPLETIONS
from tests.system.needs import need
from tests.system.shells import FILES, SHELLS, ZSH_SOURCED, Shell, start, stubs

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """\
default_profile = "prod"
[profiles.prod]
url = "https://oncall.example.org"
[profiles.'eu-1']  # written by hand
url = "https://eu.example.org"
[profiles."eu.staging"]
url = "https://staging.example.org"
[profiles."x y"]
[profiles."$(touch pwned)"]
[profiles."`touch pwned`"]
[profiles."p;touch pwned"]
[profiles."p\\u001b]0;pwned\\u0007"]
[profiles."pwned'"]
[profiles."--pwned"]
[profiles."*"]
[profiles."../pwned"]
[profiles.last]
"""
PROFILES = ["eu-1", "eu.staging", "last", "prod", "sandbox", "sandbox-oss"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "its home"
    config = home / ".config" / "oncallctl" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG, encoding="utf-8")
    return home


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, home: Path) -> Iterator[Shell]:
    with start(request.param, home) as shell:
        yield shell


def test_commands_and_options_are_completed_without_running_the_program(shell: Shell) -> None:
    assert shell.offered("oncallctl maintenance st") == ["start", "status", "stop"]
    assert shell.tab("oncallctl maint") == "oncallctl maintenance"
    assert shell.tab("oncallctl maintenance sto") == "oncallctl maintenance stop"
    assert shell.tab("oncallctl alert-groups l") == "oncallctl alert-groups list"
    assert not shell.has_run_a_command()
    shell.type("oncallctl\r")  # which shows that it would have been seen
    shell.wait_for(shell.has_run_a_command)


def test_options_before_the_noun_do_not_hide_it(shell: Shell) -> None:
    for words in ("-p prod", "--profile prod", "--profile=prod -q", "-qo json", "-pprod", "-vvo json --no-color"):
        assert shell.tab(f"oncallctl {words} maintenance sto") == f"oncallctl {words} maintenance stop"
    assert shell.tab("oncallctl --profi") == "oncallctl --profile"
    assert shell.tab("oncallctl -o jsonl --vers") == "oncallctl -o jsonl --version"


def test_options_of_the_command_and_of_all_commands_are_completed(shell: Shell) -> None:
    assert shell.tab("oncallctl maintenance start --if") == "oncallctl maintenance start --if-active"
    assert shell.tab("oncallctl maintenance start --for 2h --colu") == "oncallctl maintenance start --for 2h --columns"
    assert shell.tab("oncallctl teams get SRE --no-c") == "oncallctl teams get SRE --no-color"
    assert shell.tab("oncallctl maintenance stop --if") == "oncallctl maintenance stop --if"
    assert shell.offered("oncallctl integrations list --n") == ["--no-color", "--no-header", "--not-in-maintenance"]


def test_repeatable_option_is_offered_again(shell: Shell) -> None:
    assert shell.tab("oncallctl escalate --user ann --use") == "oncallctl escalate --user ann --user"
    assert shell.tab("oncallctl users list --verbose --verb") == "oncallctl users list --verbose --verbose"


def test_choices_are_completed_beside_and_within_the_word_of_the_option(shell: Shell) -> None:
    formats = ["csv", "id", "json", "jsonl", "table"]
    assert shell.offered("oncallctl users list --output ") == formats
    assert shell.offered("oncallctl -o ") == formats
    assert shell.tab("oncallctl --output=ta") == "oncallctl --output=table"
    assert shell.tab("oncallctl users list --output=cs") == "oncallctl users list --output=csv"
    assert shell.tab("oncallctl users list -oc") == "oncallctl users list -ocsv"
    assert shell.offered("oncallctl maintenance start --if-active ") == ["fail", "keep", "replace"]
    assert shell.offered("oncallctl completion ") == ["bash", "fish", "zsh"]
    assert shell.offered("oncallctl completion bash ") == []


def test_option_with_several_meanings_is_completed_for_its_command(shell: Shell) -> None:
    assert shell.offered("oncallctl maintenance status --require ") == ["active", "inactive"]
    assert shell.offered("oncallctl teams who-is-on-call --require ") == []
    assert shell.offered("oncallctl sandbox serve --api ") == ["cloud", "oss"]
    assert shell.offered("oncallctl auth login --api ") == ["auto", "cloud", "oss"]


@pytest.mark.parametrize(
    "line",
    [
        "oncallctl -p ",
        "oncallctl --profile ",
        "oncallctl users list --profile ",
        "oncallctl auth switch ",
        "oncallctl auth logout ",
        "oncallctl -o json auth switch --quiet ",
    ],
)
def test_profiles_are_read_from_the_config_without_obeying_its_text(shell: Shell, line: str) -> None:
    assert shell.offered(line) == PROFILES
    assert shell.tab(f"{line}eu.") == f"{line}eu.staging"
    assert shell.offered(f"{line}p") == ["prod"]
    for hostile in ("pw", "'$", "'x ", "tab"):
        assert shell.offered(f"{line}{hostile}") == []
    shell.after(f"{line}\t\t")
    assert b"pwned" not in shell.screen
    assert not list(shell.home.rglob("pwned"))
    assert not shell.has_run_a_command()


def test_profile_is_completed_within_the_word_of_its_option(shell: Shell) -> None:
    assert shell.tab("oncallctl users list --profile=pr") == "oncallctl users list --profile=prod"
    assert shell.tab("oncallctl -ppr") == "oncallctl -pprod"


def test_profiles_are_offered_only_for_profile_options(shell: Shell) -> None:
    for line in ("auth switch prod ", "auth login ", "teams get ", "users list --tz ", "auth status "):
        assert shell.offered(f"oncallctl {line}") == []


def test_nothing_is_offered_after_two_hyphens(shell: Shell) -> None:
    for line in (
        "-- ",
        "-- --",
        "maintenance -- st",
        "maintenance start -- --",
        "auth switch -- ",
        "auth switch -- pr",
    ):
        assert shell.offered(f"oncallctl {line}") == []


def test_nothing_is_offered_after_an_unknown_command(shell: Shell) -> None:
    for line in ("wrong ", "wrong st", "maintenance wrong ", "profiles ", "'(' ", "'$(touch pwned)' "):
        assert shell.offered(f"oncallctl {line}") == []
    assert not list(shell.home.rglob("pwned"))


def test_file_names_are_completed_for_file_arguments(shell: Shell) -> None:
    (shell.home / "token of mine").touch()
    (shell.home / "notes").mkdir()
    (shell.home / "notes" / "outage").touch()
    for option in ("--token-file ", "--token-file="):
        assert shell.tab(f"oncallctl auth login {option}tok") == f"oncallctl auth login {option}token\\ of\\ mine"
    for before in ("escalate --message @", "escalate --message=@", "integrations create --template slack.title=@"):
        assert shell.tab(f"oncallctl {before}notes/ou") == f"oncallctl {before}notes/outage"
        assert shell.tab(f"oncallctl {before}not") == f"oncallctl {before}notes/"
    assert shell.tab("oncallctl integrations create --file not") == "oncallctl integrations create --file notes/"
    for elsewhere in ("escalate --message not", "escalate --title not", "users get not", "not"):
        assert shell.tab(f"oncallctl {elsewhere}") == f"oncallctl {elsewhere}"
    assert shell.tab("oncallctl users list >not") == "oncallctl users list >notes/"
    assert shell.tab("oncallctl users list -o json > not") == "oncallctl users list -o json > notes/"


def test_zsh_script_can_be_sourced(home: Path) -> None:
    with start("zsh", home, zsh=ZSH_SOURCED) as shell:
        assert shell.tab("oncallctl maintenance sto") == "oncallctl maintenance stop"
        assert shell.offered("oncallctl maintenance st") == ["start", "status", "stop"]


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_zsh_and_fish_show_help_verbatim(name: str, home: Path) -> None:
    texts = ["$(touch pwned) `touch pwned`", "[a]: it's 'b' \\ \"c\" \\n", "50% {d} *e* ; #f ~ $HOME"]
    tree = typer.Typer(add_completion=False)

    @tree.command(help=texts[1])
    @tree.command("two", help=texts[0])
    def one(
        first: str = typer.Option("", help=texts[0], metavar=texts[1]),
        second: str = typer.Option("", help=texts[1], metavar=texts[2]),
        third: bool = typer.Option(False, "--third", help=texts[2]),  # noqa: FBT001
    ) -> None:
        del first, second, third

    folder = home / "completions"
    folder.mkdir()
    (folder / FILES[name]).write_text(script(name, get_command(tree)), encoding="utf-8")
    with start(name, home, completions=folder) as shell:
        shell.type("oncallctl \t")
        shell.wait_for(lambda: texts[1].encode() in shell.screen)
        shell.after("")
        for text in texts:
            shell.screen = b""
            shell.type("oncallctl one --\t")
            shell.wait_for(lambda text=text: text.encode() in shell.screen)  # type: ignore[misc]
            shell.after("")
        assert not list(home.rglob("pwned"))


@pytest.mark.parametrize("breaks", [" \t\n\"'@><=;|&(:", " \t\n\"'><;|&(:", " \t\n"])
def test_bash_completes_with_any_word_breaks(home: Path, breaks: str) -> None:
    (home / "notes").touch()
    with start("bash", home) as shell:
        shell.type(
            f"COMP_WORDBREAKS=$'{breaks.encode('unicode_escape').decode().replace(chr(39), chr(92) + chr(39))}'\r"
        )
        for line, done in {
            "users list --output=cs": "users list --output=csv ",
            "users list --profile=eu.": "users list --profile=eu.staging ",
            "--output=json maintenance sto": "--output=json maintenance stop ",
            "maintenance start --until=18:00 --mode=g": "maintenance start --until=18:00 --mode=group_alerts ",
            "auth login --token-file=not": "auth login --token-file=notes ",
            "integrations create --template slack.title=@not": "integrations create --template slack.title=@notes ",
        }.items():
            assert shell.tab(f"oncallctl {line}") == f"oncallctl {done.rstrip()}"


def test_bash_completes_at_the_cursor_and_within_quotes(home: Path) -> None:
    with start("bash", home) as shell:
        assert shell.after("oncallctl maintenance sto --yes\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\t") == (
            "oncallctl maintenance stop --yes"
        )
        assert shell.tab("oncallctl 'maint") == "oncallctl 'maintenance'"
        assert shell.tab('oncallctl --output="cs') == 'oncallctl --output="csv"'
        assert shell.tab("echo a; oncallctl users wh") == "echo a; oncallctl users whoami"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["maintenance", "st"], ["start", "stop", "status"]),
        (["maintenance", "start", "--mode", "g"], ["group_alerts"]),
        (["users", "list", "--output", "=", "j"], ["json", "jsonl"]),
        (["users", "list", "--output", "="], ["table", "json", "jsonl", "csv", "id"]),
        (["auth", "switch", "e"], ["eu-1", "eu.staging"]),
        (["--", "ma"], []),
    ],
)
@pytest.mark.parametrize("options", ["", "set -u;", "shopt -s failglob nocasematch extglob; set -f; IFS=a;"])
def test_bash_completes_with_any_shell_options(home: Path, words: list[str], offered: list[str], options: str) -> None:
    line = f"oncallctl {' '.join(words)}".replace(" = ", "=").replace(" =", "=")
    replaced = "" if words[-1] == "=" else words[-1]
    code = f"""
        source {shlex.quote(str(COMPLETIONS / "oncallctl.bash"))}
        {options}
        COMP_WORDS=(oncallctl {shlex.join(words)}) COMP_CWORD={len(words)} COMP_LINE={shlex.quote(line)}
        COMP_POINT=${{#COMP_LINE}}
        _oncallctl oncallctl {shlex.quote(replaced)} ''
        printf '<%s>' "${{COMPREPLY[@]}}"
    """
    run = subprocess.run(
        [need("bash", "bash"), "--norc", "-c", code],
        cwd=home,
        env={"HOME": str(home), "PATH": f"{stubs(home)}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    assert run.stdout == ("".join(f"<{word}>" for word in offered) or "<>")
    assert not (home / "started").exists()
    assert not list(home.rglob("pwned"))
