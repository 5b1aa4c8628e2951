"""The command line as a whole: its grammar, its errors, its weight."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from oncallctl import __version__
from tests.conftest import Runner
from tests.serving import Serving, drop, status

HEAVY = ("httpx", "pydantic", "rich", "keyring", "truststore", "werkzeug", "tomlkit", "platformdirs", "secretstorage")


def test_importing_the_program_loads_nothing_heavy() -> None:
    """Every command pays for what is loaded here, also --help and a TAB: load it where it is needed."""
    code = (
        "import sys, oncallctl.cli as cli\n"
        "from typer.main import get_command\n"
        "root = get_command(cli.app)\n"
        "assert root.commands['maintenance'].commands['start']\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("line", ["--help", "maintenance --help", "maintenance start --help", "--version"])
def test_help_loads_nothing_heavy(line: str) -> None:
    code = (
        "import sys\nfrom oncallctl.cli import app\n"
        f"try: app({line.split()!r})\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(("line", "loaded"), [("--version", []), ("--help", []), ("teams --help", ["teams"])])
def test_a_noun_is_loaded_when_it_is_used(line: str, loaded: list[str]) -> None:
    code = (
        "import sys\nfrom oncallctl.cli import app\nfrom oncallctl.commands import NOUNS\n"
        f"try: app({line.split()!r})\nexcept SystemExit: pass\n"
        "loaded = [noun for noun in NOUNS if 'oncallctl.commands.' + noun.replace('-', '_') in sys.modules]\n"
        "print(loaded, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == f"{loaded}\n"


def test_the_version_is_printed(run: Runner) -> None:
    assert run("--version").stdout == f"oncallctl {__version__}\n"


class TestGrammar:
    def test_no_arguments_shows_the_help(self, run: Runner) -> None:
        assert "maintenance" in run("").stdout

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("nope", "unknown command: 'nope'"),
            ("teams lisst", "unknown command: 'lisst' (did you mean 'list'?)"),
            ("teams list extra", "unexpected argument: extra"),
            ("teams list --outptu x", "unknown option: --outptu (did you mean --output?)"),
            ("teams list --timeout x", "invalid value for --timeout: 'x' is not a number"),
            ("teams get", "missing argument: TEAM"),
            ("auth login", "missing option: --url"),
            ("integrations list --limit 0", "invalid value for --limit: 0 is less than 1"),
            ("integrations list --limit", "option --limit requires a value"),
        ],
    )
    def test_usage_error_reads_like_other_errors(self, run: Runner, line: str, message: str) -> None:
        assert run(line, status=2).stderr.splitlines()[0] == f"error: {message}"

    @pytest.mark.parametrize("noun", ["integrations", "maintenance", "auth"])
    def test_noun_without_a_verb_lists_its_verbs(self, run: Runner, noun: str) -> None:
        done = run(noun, status=2)
        assert "missing command" in done.stderr
        assert len(done.stderr.splitlines()) == 2

    @pytest.mark.parametrize(
        "line",
        [
            "maintenance start --label env=prod --label team=platform --for 10m --yes",
            "maintenance start --team payments --team platform --for 10m --yes",
            "escalate --team payments --team platform --title x",
            "alert-groups list --since 1h --since 2h",
            "teams list -o json -o id",
        ],
    )
    def test_an_option_of_one_value_given_twice_is_wrong_usage(self, server: Serving, run: Runner, line: str) -> None:
        assert "2 times" in run(line, status=2).stderr
        assert server.seen == []

    @pytest.mark.parametrize(
        "line",
        [
            "integrations list --team ''",
            "maintenance status --team ''",
            "maintenance start service-010 --team '' --for 10m",
            "maintenance start --match '' --for 10m --yes",
            "escalate --user alice --alert-group ''",
            "escalate --user alice --alert-group id:",
            "teams list --profile ''",
        ],
    )
    def test_an_option_that_is_empty_is_wrong_usage(self, server: Serving, run: Runner, line: str) -> None:
        run(line, status=2)
        assert server.changes() == []

    @pytest.mark.parametrize("line", ["escalate --user alice --title t", "maintenance start service-010 --for 10m"])
    def test_a_wrong_column_of_something_done_is_no_error(self, server: Serving, run: Runner, line: str) -> None:
        done = run(f"{line} --columns id,nope")
        assert "no field 'nope'" in done.stderr
        assert len(server.changes()) == 1

    def test_common_options_are_taken_before_the_noun_and_after_the_verb(self, server: Serving, run: Runner) -> None:
        before, after = run("-o id teams list"), run("teams list -o id")
        assert before.stdout == after.stdout
        assert len(before.stdout.splitlines()) == 4

    def test_after_the_verb_wins(self, server: Serving, run: Runner) -> None:
        assert run("-o json teams list -o id").stdout.startswith("T")

    def test_a_flag_wins_over_the_environment_and_that_over_the_profile(self, run: Runner, world: Path) -> None:
        assert run("teams list -p sandbox", ONCALLCTL_OUTPUT="id").stdout.startswith("TKP")
        assert run("teams list -p sandbox -o json", ONCALLCTL_OUTPUT="id").json

    def test_profile_with_an_output_format_is_the_default_for_commands(
        self, server: Serving, run: Runner, world: Path
    ) -> None:
        token = world / "token"
        token.write_text(server.token)
        token.chmod(0o600)
        path = world / "config.toml"
        path.write_text(
            f'[profiles.work]\nurl = "{server.url}"\napi = "{server.dialect}"\ntoken_file = "{token}"\noutput = "id"\n'
        )
        assert run("teams list -p work", ONCALLCTL_CONFIG=str(path)).stdout.startswith("TKP")

    def test_profile_with_json_output_makes_errors_json_even_before_the_connection(
        self, run: Runner, world: Path
    ) -> None:
        path = world / "config.toml"
        path.write_text('[profiles.work]\nurl = "https://oncall.example.org"\noutput = "json"\n')
        done = run("maintenance start x -p work", status=2, ONCALLCTL_CONFIG=str(path))
        assert done.error["code"] == "invalid_input"

    @pytest.mark.parametrize(
        "line",
        [
            "nope",
            "teams",
            "teams nope",
            "teams list extra",
            "teams list --nope",
            "teams list -o xml",
            "teams list --tz Mars/Olympus",
            "teams list --timeout 0",
            "teams list --timeout x",
            "teams get",
            "maintenance start x --for 1h --mode nope",
            "maintenance status --require perhaps",
            "integrations list --limit 0",
            "completion tcsh",
        ],
    )
    def test_wrong_usage_is_exit_2_with_one_error_and_nothing_sent(
        self, server: Serving, run: Runner, line: str
    ) -> None:
        done = run(line, status=2)
        assert done.stdout == "" or line == "teams"
        assert server.seen == []

    def test_wrong_usage_says_what_is_wrong_and_what_to_do(self, run: Runner) -> None:
        lines = run("teams list --nope", status=2).stderr.splitlines()
        assert lines[0].startswith("error: ")
        assert "--nope" in lines[0]
        assert lines[1] == "hint: oncallctl teams list --help"
        assert len(lines) == 2

    @pytest.mark.parametrize("line", ["teams list --nope -o json", "-o json teams nope", "teams list -ojsonl --nope"])
    def test_an_error_is_one_json_line_where_json_is_wanted(self, run: Runner, line: str) -> None:
        done = run(line, status=2)
        assert len(done.stderr.splitlines()) == 1
        assert set(done.error) == {"code", "message", "hint", "exit_code", "http_status"}
        assert (done.error["code"], done.error["exit_code"]) == ("invalid_input", 2)


class TestErrors:
    def test_a_read_that_fails_after_its_retries_is_unavailable(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.api.retry.time.sleep", lambda _: None)
        server.fail("GET", "teams", drop, times=9)
        done = run("teams list -o json", status=8)
        assert done.error["code"] == "unavailable"
        assert len(server.seen) == 4

    def test_a_read_that_succeeds_at_last_is_a_success(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.api.retry.time.sleep", lambda _: None)
        server.fail("GET", "teams", status(502))
        server.fail("GET", "teams", drop)
        assert len(run("teams list -o json").json) == 4

    def test_text_of_the_server_in_an_error_is_data(self, server: Serving, run: Runner) -> None:
        server.fail(
            "GET", "teams", status(403, json.dumps({"detail": "no\x1b]52;c;x\x07\nerror: forged [red]x[/red]"}))
        )
        done = run("teams list", status=3)
        assert "\x1b" not in done.stderr
        assert len(done.stderr.splitlines()) == 2
        assert "[red]x[/red]" in done.stderr

    def test_unexpected_exception_is_reported_in_one_line_without_a_traceback(
        self, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_: object) -> None:
            raise KeyError("what")

        monkeypatch.setattr("oncallctl.commands.generic.connect", broken)
        done = run("teams list -o json", status=1)
        assert done.error["code"] == "bug"
        assert "test_cli.py" in done.error["message"]

    @pytest.mark.parametrize("level", ["-v", "-vv", "-vvv"])
    def test_verbose_says_the_requests_and_never_the_token(self, server: Serving, run: Runner, level: str) -> None:
        done = run(f"teams list {level}")
        assert "GET /api/v1/teams/" in done.stderr
        assert server.token not in done.stderr + done.stdout


def test_command_with_json_output_does_not_load_rich(cloud: Serving) -> None:
    code = (
        "import sys\nfrom oncallctl.cli import app\nsys.argv[1:] = ['teams', 'list', '-o', 'json']\n"
        "try:\n    app()\nfinally:\n"
        "    print([name for name in ('rich', 'pygments', 'keyring') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
