"""`help` with its topics, and `commands`."""

import re
from pathlib import Path
from typing import Any

import pytest

import oncallctl
from oncallctl.commands.help_topics import TOPICS
from oncallctl.errors import EXIT_CODES
from oncallctl.times import now, parse_duration, parse_moment
from tests.conftest import Runner

PACKAGE = Path(oncallctl.__file__).parent


class TestHelp:
    def test_help_without_a_command_lists_the_topics(self, run: Runner) -> None:
        text = run("help").stdout
        assert all(re.search(rf"^  {topic} +{title}$", text, re.MULTILINE) for topic, title in TOPICS.items())

    @pytest.mark.parametrize("topic", TOPICS)
    def test_topic_fits_80_columns_and_begins_with_its_title(self, run: Runner, topic: str) -> None:
        lines = run(f"help {topic}").stdout.splitlines()
        assert lines[0] == (TOPICS[topic].partition(",")[0] if topic == "exit-codes" else lines[0])
        if topic != "agents":  # Markdown
            assert max(map(len, lines)) < 80

    @pytest.mark.parametrize("command", ["teams", "maintenance start", "who", "alert-groups ack", "help"])
    def test_help_command_prints_the_same_as_the_help_option(self, run: Runner, command: str) -> None:
        assert run(f"help {command}").stdout == run(f"{command} --help").stdout

    @pytest.mark.parametrize("words", ["nope", "teams nope", "teams list nope"])
    def test_help_of_an_unknown_command_exits_2(self, run: Runner, words: str) -> None:
        lines = run(f"help {words}", status=2).stderr.splitlines()
        assert lines == [f"error: no command or topic '{words}'", "hint: oncallctl help"]

    def test_environment_topic_lists_every_variable_that_the_program_reads(self, run: Runner) -> None:
        sources = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
        text = run("help environment").stdout
        assert (
            set(re.findall(r"\bONCALLCTL_[A-Z_]*[A-Z]\b", sources)) - set(re.findall(r"ONCALLCTL_\w+", text)) == set()
        )

    def test_durations_and_times_of_the_topic_are_accepted(self, run: Runner) -> None:
        text = run("help times").stdout
        durations = next(line for line in text.splitlines() if line.startswith("  90m"))
        for word in re.split(r" {2,}", durations.strip()):
            parse_duration(word.strip('"').removesuffix(" (seconds)"))
        times = re.findall(r"^  (\S.*?)  +\S.*$", text.partition("A TIME is")[2], re.MULTILINE)
        assert len(times) == 7
        for word in [word for line in times for word in line.split(", ")]:
            parse_moment(word, None, near=now())

    def test_file_in_the_windows_topic_is_valid(self, run: Runner, tmp_path: Path) -> None:
        text = run("help windows-file").stdout
        file = tmp_path / "windows.toml"
        file.write_text(re.search(r"^  timezone.*?(?=^\S)", text, re.MULTILINE | re.DOTALL)[0])  # type: ignore[index]
        assert "2 windows" in run(f"maintenance check {file}").stderr

    def test_exit_code_topic_lists_every_code(self, run: Runner) -> None:
        text = run("help exit-codes").stdout
        assert [line.split("  ")[1] for line in text.splitlines() if re.match(r"  [\d]", line)] == [
            code for code, *_ in EXIT_CODES
        ]

    def test_help_of_the_program_lists_each_noun_of_the_api_in_a_section(self, run: Runner) -> None:
        sections = dict(re.findall(r"^(\w[\w ]*):\n((?:  .*\n)+)", run("--help").stdout, re.MULTILINE))
        others = re.findall(r"^  ([\w-]+)", sections["Other commands"], re.MULTILINE)
        assert others == ["api", "commands", "help"]
        assert "  organizations " in sections["Objects"]


class TestCommands:
    @pytest.fixture
    def tree(self, run: Runner) -> dict[str, Any]:
        return run("commands -o json").json

    @staticmethod
    def command(tree: dict[str, Any], name: str) -> dict[str, Any]:
        (found,) = [each for each in tree["commands"] if each["command"] == name]
        return found

    def test_table_has_a_row_for_each_command(self, run: Runner, tree: dict[str, Any]) -> None:
        header, *rows = run("commands").stdout.splitlines()
        assert header == "COMMAND\tCHANGES\tPROMPTS\tSUMMARY"
        assert [row.split("\t")[0] for row in rows] == [each["command"] for each in tree["commands"]]

    def test_options_have_type_choices_and_default(self, tree: dict[str, Any]) -> None:
        options = {each["names"][0]: each for each in self.command(tree, "maintenance start")["options"]}
        assert (options["--for"]["type"], options["--for"]["value"]) == ("duration", "DURATION")
        assert options["--mode"]["choices"][:2] == ["silence_escalations", "group_alerts"]
        assert (options["--mode"]["type"], options["--mode"]["default"]) == ("choice", "silence_escalations")
        assert options["--max"]["default"] == "7d"
        assert options["--all"]["type"] == "flag"
        assert "--profile" not in options
        assert tree["global_options"][0]["names"] == ["--profile", "-p"]

    def test_arguments_have_name_and_number(self, tree: dict[str, Any]) -> None:
        (argument,) = self.command(tree, "auth switch")["arguments"]
        assert (argument["names"], argument["required"], argument["repeatable"]) == (["PROFILE"], True, False)
        (argument,) = self.command(tree, "maintenance stop")["arguments"]
        assert (argument["names"], argument["required"], argument["repeatable"]) == (["INTEGRATION"], False, True)

    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("teams list", (None, False, False)),
            ("maintenance stop", ("server", True, True)),
            ("maintenance run", ("server", True, False)),
            ("escalate", ("server", True, True)),
            ("auth switch", ("machine", False, False)),
        ],
    )
    def test_commands_tell_changes_prompts_and_dry_run(
        self, tree: dict[str, Any], name: str, facts: tuple[str | None, bool, bool]
    ) -> None:
        found = self.command(tree, name)
        assert (found["changes"], found["prompts"], found["dry_run"]) == facts

    def test_commands_name_their_shortcuts(self, tree: dict[str, Any]) -> None:
        assert self.command(tree, "alert-groups acknowledge")["shortcuts"] == ["ack", "alert-groups ack"]
