"""The command line as a whole: its grammar, its errors, its weight."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from oncallctl import __version__
from oncallctl.commands import NOUNS, VERBS
from tests.conftest import Runner
from tests.serving import Fault, Serving, drop, lose, status

HEAVY = (
    *("httpx", "pydantic", "rich", "keyring", "truststore", "werkzeug", "tomlkit", "platformdirs", "secretstorage"),
    *("csv", "json", "socket", "sqlite3", "tomllib", "zoneinfo"),
    *("oncallctl.output.table", "oncallctl.output.card", "oncallctl.parallel"),
)


def test_import_of_the_program_loads_no_heavy_module() -> None:
    """Every command pays for these imports, even --help: import them where they are used."""
    code = (
        "import sys, oncallctl.cli as cli\n"
        "from typer.main import get_command\n"
        "root = get_command(cli.app)\n"
        "assert root.commands['maintenance'].commands['start']\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "line", ["--help", "maintenance --help", "maintenance start --help", "who --help", "--version"]
)
def test_help_loads_no_heavy_module(line: str) -> None:
    code = (
        "import sys\nfrom oncallctl.cli import app\n"
        f"try: app({line.split()!r})\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("line", "loaded"),
    [("--version", []), ("--help", []), ("teams --help", ["teams"]), ("escalate --help", ["escalate"])],
)
def test_command_loads_only_the_module_of_its_noun(line: str, loaded: list[str]) -> None:
    code = (
        "import sys\nfrom oncallctl.cli import app\nfrom oncallctl.commands import NOUNS, VERBS\n"
        f"try: app({line.split()!r})\nexcept SystemExit: pass\n"
        "modules = {name: f'oncallctl.commands.{name}'.replace('-', '_') for name in [*NOUNS, *VERBS]}\n"
        "loaded = [name for name, module in modules.items() if module in sys.modules]\n"
        "print(loaded, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == f"{loaded}\n"


def test_version_option_prints_the_version(run: Runner) -> None:
    assert run("--version").stdout == f"oncallctl {__version__}\n"


class TestGrammar:
    def test_command_line_without_arguments_prints_the_help(self, run: Runner) -> None:
        assert "maintenance" in run("").stdout

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("nope", "unknown command: 'nope'"),
            ("teams lisst", "unknown command: 'lisst' (did you mean 'list'?)"),
            ("teams list extra", "unexpected argument: extra"),
            ("maintenance start checkout", "missing duration"),
            ("maintenance start checkout --for 1h --until 18:00", "--for and --until exclude each other"),
            ("teams list --outptu x", "unknown option: --outptu (did you mean --output?)"),
            ("teams list --timeout x", "invalid value for --timeout: 'x' is not a number"),
            ("teams get", "missing argument: TEAM..."),
            ("auth login", "missing option: --url"),
            ("integrations list --limit 0", "invalid value for --limit: 0 is less than 1"),
            ("integrations list --limit", "option --limit requires a value"),
            ("integrations list --limit x", "invalid value for --limit: 'x' is not a whole number"),
            ("integrations list --dry-run=x", "unknown option: --dry-run"),
            ("maintenance start x --all=1", "option --all takes no value"),
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
    def test_option_of_one_value_given_twice_exits_2_unsent(self, cloud: Serving, run: Runner, line: str) -> None:
        assert "2 times" in run(line, status=2).stderr
        assert cloud.seen == []

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
    def test_empty_option_exits_2_unsent(self, cloud: Serving, run: Runner, line: str) -> None:
        run(line, status=2)
        assert cloud.changes() == []

    @pytest.mark.parametrize("line", ["escalate --user alice --title t", "maintenance start service-010 --for 10m"])
    def test_unknown_column_after_a_change_only_warns(self, server: Serving, run: Runner, line: str) -> None:
        done = run(f"{line} --columns id,nope")
        assert "unknown column: 'nope'" in done.stderr
        assert len(server.changes()) == 1

    def test_global_options_before_the_noun_and_after_the_verb_are_equivalent(
        self, cloud: Serving, run: Runner
    ) -> None:
        before, after = run("-o id teams list"), run("teams list -o id")
        assert before.stdout == after.stdout
        assert len(before.stdout.splitlines()) == 4

    def test_global_option_given_twice_takes_the_one_after_the_verb(self, cloud: Serving, run: Runner) -> None:
        assert run("-o json teams list -o id").stdout.startswith("T")

    def test_output_format_is_taken_from_flag_then_environment_then_profile(self, run: Runner, world: Path) -> None:
        assert run("teams list -p sandbox", ONCALLCTL_OUTPUT="id").stdout.startswith("TKP")
        assert run("teams list -p sandbox -o json", ONCALLCTL_OUTPUT="id").json

    def test_profile_with_an_output_format_is_the_default_for_commands(
        self, cloud: Serving, run: Runner, world: Path
    ) -> None:
        token = world / "token"
        token.write_text(cloud.token)
        token.chmod(0o600)
        path = world / "config.toml"
        path.write_text(f'[profiles.work]\nurl = "{cloud.url}"\napi = "cloud"\ntoken_file = "{token}"\noutput = "id"\n')
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
    def test_wrong_usage_exits_2_unsent(self, cloud: Serving, run: Runner, line: str) -> None:
        done = run(line, status=2)
        assert done.stdout == "" or line == "teams"
        assert cloud.seen == []

    @pytest.mark.parametrize(
        ("line", "command"),
        [
            ("--nope", "oncallctl"),
            ("--profile", "oncallctl"),
            ("maintenance nope", "oncallctl maintenance"),
            ("maintenance --nope", "oncallctl maintenance"),
            ("maintenance start --for", "oncallctl maintenance start"),
            ("maintenance start --all=1", "oncallctl maintenance start"),
        ],
    )
    def test_hint_names_the_help_of_the_innermost_command(self, run: Runner, line: str, command: str) -> None:
        assert run(line, status=2).stderr.splitlines()[-1] == f"hint: {command} --help"

    def test_wrong_usage_prints_error_and_hint(self, run: Runner) -> None:
        lines = run("teams list --nope", status=2).stderr.splitlines()
        assert lines[0].startswith("error: ")
        assert "--nope" in lines[0]
        assert lines[1] == "hint: oncallctl teams list --help"
        assert len(lines) == 2

    @pytest.mark.parametrize("line", ["teams list --nope -o json", "-o json teams nope", "teams list -ojsonl --nope"])
    def test_wrong_usage_with_json_output_prints_one_json_line(self, run: Runner, line: str) -> None:
        done = run(line, status=2)
        assert len(done.stderr.splitlines()) == 1
        assert set(done.error) == {"code", "message", "hint", "exit_code", "http_status", "retryable"}
        assert (done.error["code"], done.error["exit_code"]) == ("invalid_input", 2)


class TestShortcuts:
    @pytest.mark.parametrize(
        ("shortcut", "command"),
        [
            ("who platform -o json", "teams who-is-on-call platform -o json"),
            ("-o json who platform", "teams who-is-on-call platform -o json"),
            ("page --team platform --title x --dry-run", "escalate --team platform --title x --dry-run"),
            ("ack IWM9M5WQXRBEN --dry-run", "alert-groups acknowledge IWM9M5WQXRBEN --dry-run"),
            ("alert-groups ack IWM9M5WQXRBEN --dry-run", "alert-groups acknowledge IWM9M5WQXRBEN --dry-run"),
            ("alert-groups unack ITZS8C3IAPIQD --dry-run", "alert-groups unacknowledge ITZS8C3IAPIQD --dry-run"),
        ],
    )
    def test_shortcut_prints_the_same_as_its_command(
        self, cloud: Serving, run: Runner, shortcut: str, command: str
    ) -> None:
        assert run(shortcut).stdout == run(command).stdout

    def test_ack_acknowledges_the_group(self, cloud: Serving, run: Runner) -> None:
        run("ack IWM9M5WQXRBEN")
        assert cloud.changes() == ["POST /api/v1/alert_groups/IWM9M5WQXRBEN/acknowledge/"]

    def test_wrong_usage_of_a_shortcut_names_its_help(self, run: Runner) -> None:
        assert run("who --nope", status=2).stderr.splitlines()[-1] == "hint: oncallctl who --help"

    @pytest.mark.parametrize(
        ("shortcut", "command"),
        [("who", "teams who-is-on-call"), ("page", "escalate"), ("ack", "alert-groups acknowledge")],
    )
    def test_help_of_a_shortcut_has_examples_with_the_shortcut(self, run: Runner, shortcut: str, command: str) -> None:
        examples = run(f"{shortcut} --help").stdout.partition("Examples:\n")[2]
        assert f"oncallctl {shortcut}" in examples
        assert f"oncallctl {command}" not in examples

    @pytest.mark.parametrize("line", ["-h", "maintenance -h", "maintenance start -h", "who -h"])
    def test_short_help_option_prints_the_same_as_the_long_one(self, run: Runner, line: str) -> None:
        assert run(line).stdout == run(line.replace("-h", "--help")).stdout

    @pytest.mark.parametrize(
        ("line", "hint"),
        [
            ("teams ls --limit 2", "oncallctl teams list --limit 2"),
            ("teams show platform", "oncallctl teams get platform"),
            ("maintenance end checkout", "oncallctl maintenance stop checkout"),
            ("maintenance ls", "oncallctl maintenance status"),
            ("alerts list", "oncallctl alert-groups list"),
            ("oncall 'data infra'", "oncallctl teams who-is-on-call 'data infra'"),
            ("handoff platform", "oncallctl teams handoff platform"),
            ("handover platform", "oncallctl teams handoff platform"),
            ("unack IWM9M5WQXRBEN", "oncallctl alert-groups unacknowledge IWM9M5WQXRBEN"),
            ("firing", "oncallctl alert-groups list --state firing"),
            ("maintenance list", "oncallctl maintenance status"),
            ("page platform", "oncallctl page --team TEAM or oncallctl page --user USER"),
            ("alert-groups list platform", "oncallctl alert-groups list --team TEAM"),
            ("who --team platform", "omit --team: oncallctl who TEAM"),
            ("maintenance start checkout 90m", "write --for 90m"),
            ("maintenance extend checkout '30 min'", "write --by '30 min'"),
            ("maintenance start checkout", "add --for DURATION or --until TIME"),
            ("version", "oncallctl --version"),
            ("list", "put a noun first, such as oncallctl integrations list"),
            ("teams -o id list", "-o is a global option: give it before 'teams' or after the verb"),
        ],
    )
    def test_synonym_exits_2_with_the_command_to_type(self, run: Runner, line: str, hint: str) -> None:
        assert run(line, status=2).stderr.splitlines()[-1] == f"hint: {hint}"

    @pytest.mark.parametrize(
        ("line", "suggested"),
        [
            ("main", "'maintenance'"),
            ("tems", "'teams'"),
            ("teams wh", "'who-is-on-call'"),
            ("escalation", "'escalation-chains' or 'escalation-policies'"),
            ("teams list --out id", "--output"),
            ("teams list --timeuot 3", "--timeout"),
            ("maintenance extend checkout --for 30m", "--by"),
            ("alert-groups silence IWM9M5WQXRBEN --duration 1h", "--for"),
        ],
    )
    def test_misspelled_word_is_answered_with_common_prefixes_first(
        self, run: Runner, line: str, suggested: str
    ) -> None:
        assert run(line, status=2).stderr.splitlines()[0].endswith(f"(did you mean {suggested}?)")


class TestAliases:
    @pytest.fixture(autouse=True)
    def config(self, world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = world / "config.toml"
        path.write_text(
            "[aliases]\n"
            'firing = "alert-groups list --state firing -o id"\n'
            'fire = "firing --limit 1"\n'
            'self = "self"\n'
            'typo = "alert-group list"\n'
            'mine = "who platform"\n'
            'teams = "users list"\n'
        )
        path.chmod(0o600)
        monkeypatch.setenv("ONCALLCTL_CONFIG", str(path))
        return path

    def test_alias_runs_its_command_with_the_arguments_appended(self, cloud: Serving, run: Runner) -> None:
        shown = run("firing --limit 2").stdout.splitlines()
        assert shown == run("alert-groups list --state firing -o id --limit 2").stdout.splitlines()
        assert len(shown) == 2

    def test_alias_after_a_global_option_and_to_a_shortcut_works(self, server: Serving, run: Runner) -> None:
        assert run("-o json mine").json["team"]["name"] == "platform"

    @pytest.mark.parametrize("line", ["fire", "self", "typo"])
    def test_alias_that_starts_with_no_command_exits_2(
        self, cloud: Serving, run: Runner, line: str, config: Path
    ) -> None:
        lines = run(line, status=2).stderr.splitlines()
        assert lines[0].startswith(f"error: alias '{line}' does not start with a command: ")
        assert lines[1] == f"hint: edit [aliases] in {config}"
        assert cloud.seen == []

    def test_alias_with_the_name_of_a_command_is_ignored_with_a_warning(
        self, cloud: Serving, run: Runner, config: Path
    ) -> None:
        done = run("teams list -o id")
        assert done.stdout.startswith("T")
        assert done.stderr == f"warning: alias 'teams' in {config} is ignored: it is the name of a command\n"

    def test_unreadable_config_file_leaves_other_commands_alone(
        self, cloud: Serving, run: Runner, config: Path
    ) -> None:
        config.write_text("[")
        assert run("teams list").stderr == ""


@pytest.mark.parametrize(("name", "summary"), VERBS.items())
def test_summary_of_a_command_without_a_noun_is_its_first_sentence(run: Runner, name: str, summary: str) -> None:
    text = " ".join(run(f"{name} --help").stdout.split())
    assert f" {summary}" in text


class TestHelp:
    def test_own_options_come_before_the_global_ones(self, run: Runner) -> None:
        text = run("maintenance start --help").stdout
        own, _, rest = text.partition("\nExamples:\n")[0].partition("\nGlobal options:\n")
        assert "--for DURATION" in own
        assert "--profile" not in own
        assert "--profile" in rest
        assert "--for" not in rest

    @pytest.mark.parametrize("line", ["--help", "teams --help"])
    def test_help_of_a_group_lists_the_global_options_once(self, run: Runner, line: str) -> None:
        _, _, rest = run(line).stdout.partition("\nGlobal options (before the noun or after the verb):\n")
        assert rest.count("--profile NAME") == 1

    def test_help_at_80_columns_fits_and_shows_every_choice(self, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        text = run("maintenance start --help").stdout
        assert max(map(len, text.splitlines())) <= 80
        assert "--mode MODE " in text
        assert "silence_escalations, group_alerts, disable_alerts" in text

    def test_help_of_the_program_lists_every_command_and_shortcut(self, run: Runner) -> None:
        lines = [line.split() for line in run("--help").stdout.splitlines()]
        assert {*NOUNS, *VERBS} <= {line[0] for line in lines if line}
        assert ["who", "teams", "who-is-on-call"] in lines


class TestErrors:
    @pytest.fixture
    def _no_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oncallctl.api.retry.time.sleep", lambda _: None)

    @pytest.mark.usefixtures("_no_waits")
    @pytest.mark.parametrize(
        ("exit_code", "fault"),
        [(8, drop), (8, status(429, "{}", Retry_After="9000")), (3, status(403, "{}")), (9, lose)],
        ids=["unavailable", "rate limited", "refused", "outcome unknown"],
    )
    def test_json_error_is_retryable_only_if_repeating_is_safe(
        self, server: Serving, run: Runner, exit_code: int, fault: Fault
    ) -> None:
        server.fail("POST" if exit_code == 9 else "GET", "", fault, times=99)
        line = "escalate --team platform --title t --anyway" if exit_code == 9 else "teams list"
        assert run(f"{line} -o json", status=exit_code).error["retryable"] is (exit_code == 8)

    def test_read_failing_after_its_retries_exits_8(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.api.retry.time.sleep", lambda _: None)
        cloud.fail("GET", "teams", drop, times=9)
        done = run("teams list -o json", status=8)
        assert done.error["code"] == "unavailable"
        assert len(cloud.seen) == 4

    def test_read_succeeding_on_a_retry_exits_0(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.api.retry.time.sleep", lambda _: None)
        cloud.fail("GET", "teams", status(502))
        cloud.fail("GET", "teams", drop)
        assert len(run("teams list -o json").json) == 4

    def test_server_text_in_an_error_is_escaped(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "teams", status(403, json.dumps({"detail": "no\x1b]52;c;x\x07\nerror: forged [red]x[/red]"})))
        done = run("teams list", status=3)
        assert "\x1b" not in done.stderr
        assert len(done.stderr.splitlines()) == 2
        assert "[red]x[/red]" in done.stderr

    def test_unexpected_exception_is_reported_as_a_bug_in_one_line(
        self, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_: object) -> None:
            raise KeyError("what")

        monkeypatch.setattr("oncallctl.commands.generic.connect", broken)
        done = run("teams list -o json", status=1)
        assert done.error["code"] == "bug"
        assert "test_cli.py" in done.error["message"]

    @pytest.mark.parametrize("level", ["-v", "-vv", "-vvv"])
    def test_verbose_logs_requests_without_the_token(self, server: Serving, run: Runner, level: str) -> None:
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
