"""`maintenance export`: what it writes; tests/system shows cron and systemd running it."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from oncallctl.config.profiles import Profile
from oncallctl.errors import InvalidInput
from oncallctl.maintenance.file.export import Job, crontab, manifests, program, systemd, units
from oncallctl.maintenance.file.export.kubernetes import USER
from tests.conftest import Runner
from tests.places import ROOT

FILE = """\
timezone = "Europe/Berlin"

[[window]]
name = "nights"
match = "service-*"
cron = "0 2 * * *"
duration = "1h"
"""
TOKEN = "a-token-that-is-nobodys"
URL = "https://oncall-prod.grafana.net/oncall"


@pytest.fixture
def file(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of windows; nothing in the environment says where this program's files are."""
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.delenv(f"XDG_{name}_HOME")
    path = world / "windows.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def work(world: Path, file: Path) -> Path:
    """A profile with a token file; the token file."""
    token = world / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    configure(world, f'url = "{URL}"\ntoken_file = "{token}"\nlongest_window = "2h"')
    return token


def configure(world: Path, profile: str, name: str = "work") -> None:
    config = world / "home/.config/oncallctl/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f'default_profile = "{name}"\n[profiles.{name}]\n{profile}\n')


def job(file: str, **changed: Any) -> Job:
    profile = Profile("work", URL, token_source="file", token_file="/etc/token")
    values = {"text": FILE, "program": ("/bin/oncallctl",), "profile": profile, "environment": {}}
    return Job(Path(file), **(values | changed))


class TestEvery:
    TARGETS = ("crontab", "systemd", "kubernetes --image oncallctl:1")

    @pytest.mark.promise("in-no-file-this-programs")
    @pytest.mark.parametrize("to", TARGETS)
    def test_it_names_the_profile_and_no_token(self, work: Path, file: Path, run: Runner, to: str) -> None:
        done = run(f"maintenance export {file} --to {to}")
        assert re.search(r"--profile[\" \n-]+work", done.stdout)
        assert TOKEN not in done.stdout + done.stderr
        assert done.stderr == ""

    @pytest.mark.parametrize("to", TARGETS)
    @pytest.mark.parametrize("text", ["[[window]", "", '[[window]]\nname = "x"\n'])
    def test_a_file_that_apply_would_refuse_is_refused(
        self, work: Path, file: Path, run: Runner, to: str, text: str
    ) -> None:
        file.write_text(text)
        done = run(f"maintenance export {file} --to {to}", status=2)
        assert done.stdout == ""

    def test_a_file_that_is_not_there_is_refused(self, work: Path, run: Runner) -> None:
        run("maintenance export /nowhere.toml --to crontab", status=2)

    def test_stdin_cannot_be_read_every_minute(self, work: Path, run: Runner) -> None:
        run("maintenance export - --to crontab", stdin=FILE, status=2)

    @pytest.mark.parametrize("to", ["crontab --image x", "systemd --image x", "kubernetes"])
    def test_an_image_is_for_kubernetes_which_needs_it(self, work: Path, file: Path, run: Runner, to: str) -> None:
        assert "--image" in run(f"maintenance export {file} --to {to}", status=2).stderr

    def test_a_path_is_absolute_wherever_it_was_named_from(
        self, work: Path, file: Path, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(file.parent)
        assert f" {file} --quiet" in run("maintenance export windows.toml --to crontab").stdout

    @pytest.mark.parametrize("to", TARGETS[:2])
    def test_what_only_this_shell_knows_is_warned_of(self, file: Path, run: Runner, to: str) -> None:
        pair = {"ONCALLCTL_URL": URL, "ONCALLCTL_TOKEN": TOKEN}
        done = run(f"maintenance export {file} --to {to}", **pair)
        assert "environment" in done.stderr
        assert "--profile" not in done.stdout
        assert TOKEN not in done.stdout

    @pytest.mark.parametrize("to", TARGETS[:2])
    def test_nobody_logged_in_is_warned_of(self, file: Path, run: Runner, to: str) -> None:
        assert "nobody is logged in" in run(f"maintenance export {file} --to {to}").stderr

    @pytest.mark.parametrize("to", TARGETS[:2])
    def test_a_keyring_is_warned_of(self, world: Path, file: Path, run: Runner, to: str) -> None:
        configure(world, f'url = "{URL}"')
        assert "keyring" in run(f"maintenance export {file} --to {to}").stderr

    @pytest.mark.parametrize("to", TARGETS[:2])
    def test_a_credential_whose_source_only_a_unit_knows_is_warned_of(
        self, world: Path, file: Path, run: Runner, to: str
    ) -> None:
        configure(world, f'url = "{URL}"\ntoken_file = "$CREDENTIALS_DIRECTORY/oncall"')
        done = run(f"maintenance export {file} --to {to}")
        assert "only a unit loads" in done.stderr
        assert "\nLoadCredential=" not in done.stdout

    def test_files_are_written_again_and_over_no_others(
        self, work: Path, file: Path, run: Runner, tmp_path: Path
    ) -> None:
        line = f"maintenance export {file} --to systemd --write {tmp_path}/units"
        done = run(line)
        names = ["oncallctl-windows.service", "oncallctl-windows.timer"]
        assert done.stdout.splitlines() == ["FILE", *(f"{tmp_path}/units/{name}" for name in names)]
        service = tmp_path / "units" / names[0]
        written = service.read_text()
        run(line)
        assert service.read_text() == written
        service.write_text("[Unit]\n")
        run(line, status=2)
        assert service.read_text() == "[Unit]\n"

    def test_the_program_is_named_by_an_absolute_path(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        assert Path(program()[0]).is_absolute()
        monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
        assert program()[1:] == ("-m", "oncallctl")
        (tmp_path / "oncallctl").touch()
        assert program() == (str(tmp_path / "oncallctl"),)


class TestCrontab:
    def test_it_is_a_comment_and_one_line(self, work: Path, file: Path, run: Runner) -> None:
        *comment, line = run(f"maintenance export {file} --to crontab").stdout.splitlines()
        assert comment
        assert all(each.startswith("# ") for each in comment)
        words = [*program(), "maintenance", "apply", str(file), "--quiet", "--profile", "work"]
        assert line == f"* * * * * {shlex.join(words)}"

    def test_what_cron_would_not_know_is_in_the_line(self, work: Path, file: Path, run: Runner, world: Path) -> None:
        moved = (world / "home/.config/oncallctl/config.toml").rename(world / "its config.toml")
        done = run(
            f"maintenance export {file} --to crontab", ONCALLCTL_CONFIG=str(moved), XDG_STATE_HOME=f"{world}/state"
        )
        line = done.stdout.splitlines()[-1]
        assert line.startswith(f"* * * * * ONCALLCTL_CONFIG='{moved}' XDG_STATE_HOME={world}/state ")

    def test_a_percent_sign_does_not_end_the_command(self) -> None:
        (text,) = crontab(job("/etc/50% of $HOME's.toml")).values()
        command = text.splitlines()[-1].removeprefix("* * * * * ")
        assert not re.search(r"(?<!\\)%", command)
        assert shlex.split(command.replace("\\%", "%"))[3] == "/etc/50% of $HOME's.toml"

    @pytest.mark.parametrize("path", ["/etc/a\nb.toml", "/etc/a\\b.toml", "/etc/a\x1b.toml", f"/etc/{'a' * 990}.toml"])
    def test_what_no_crontab_can_hold_is_refused(self, path: str) -> None:
        with pytest.raises(InvalidInput):
            crontab(job(path))

    def test_an_odd_path_is_refused_at_the_command_line_too(self, work: Path, world: Path, run: Runner) -> None:
        (world / "a\nb.toml").write_text(FILE)
        run(f"maintenance export '{world}/a\nb.toml' --to crontab", status=2)


class TestSystemd:
    def test_two_files_in_one_text_are_told_apart(self, work: Path, file: Path, run: Runner) -> None:
        text = run(f"maintenance export {file} --to systemd").stdout
        names = re.findall(r"^# FILE (\S+)$", text, re.MULTILINE)
        assert names == ["oncallctl-windows.service", "oncallctl-windows.timer"]
        for line in ("Type=oneshot", "OnCalendar=*-*-* *:*:00", "Persistent=true", "StateDirectory=oncallctl-windows"):
            assert line in text.splitlines()

    def test_the_token_file_is_loaded_as_a_credential(self, work: Path, file: Path, run: Runner) -> None:
        lines = run(f"maintenance export {file} --to systemd").stdout.splitlines()
        assert f"LoadCredential=oncall-token:{work}" in lines
        (said,) = [line for line in lines if line.startswith("SetCredential=")]
        config = tomllib.loads(said.partition(":")[2].replace("\\n", "\n"))
        assert config["profiles"]["work"] == {
            "url": URL,
            "api": "cloud",
            "longest_window": "2h",
            "token_file": "$CREDENTIALS_DIRECTORY/oncall-token",
        }

    @pytest.mark.parametrize("source", ["", 'token_command = "pass show oncall"'])
    def test_without_a_token_file_there_is_no_credential_and_the_user_runs_it(
        self, world: Path, file: Path, run: Runner, source: str
    ) -> None:
        configure(world, f'url = "{URL}"\n{source}')
        text = run(f"maintenance export {file} --to systemd").stdout
        assert "Credential=" not in text
        assert re.search(r"^User=\w+$", text, re.MULTILINE)

    @pytest.mark.parametrize(("uid", "user"), [(0, "root"), (2_000_000_007, "2000000007")])
    def test_unit_user_is_the_effective_user_whatever_the_environment_says(
        self, monkeypatch: pytest.MonkeyPatch, uid: int, user: str
    ) -> None:
        monkeypatch.setenv("LOGNAME", "mallory")
        monkeypatch.setattr("os.geteuid", lambda: uid)
        service = units(job("/nowhere/a.toml"))["oncallctl-a.service"]
        assert re.findall(r"^User=(.*)$", service, re.MULTILINE) == [user]

    def test_specifiers_variables_and_quotes_are_none_in_a_path(self) -> None:
        service = units(job('/etc/%h $HOME "x" \\n.toml'))["oncallctl-h-home-x-n.service"]
        assert 'apply "/etc/%%h $$HOME \\"x\\" \\\\n.toml" --quiet' in service
        assert "Description=Maintenance windows of %%h $HOME" in service

    def test_a_dollar_in_the_programs_path_is_left_alone(self) -> None:
        service = units(job("/etc/a.toml", program=("/opt/a$b c/oncallctl",)))["oncallctl-a.service"]
        assert 'ExecStart="/opt/a$b c/oncallctl" maintenance' in service

    def test_a_path_with_a_line_break_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="cannot be written"):
            units(job("/etc/a\nExecStartPre=b.toml"))

    def test_nobody_in_particular_runs_it_where_anybody_can_read_everything(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        everywhere = job("/etc/passwd", program=("/bin/sh",))
        closed: list[str] = []
        monkeypatch.setattr(systemd, "_open_to_all", lambda path: str(path) not in closed)
        assert "DynamicUser=yes" in systemd._user(everywhere)
        closed.append("/etc/passwd")
        assert systemd._user(everywhere).startswith("User=")

    def test_a_file_in_a_closed_folder_is_not_open_to_all(self, tmp_path: Path) -> None:
        assert systemd._open_to_all(Path("/etc/passwd"))
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o700)
        (folder / "a.toml").touch(mode=0o644)
        assert not systemd._open_to_all(folder / "a.toml")
        assert not systemd._open_to_all(folder / "nowhere")

    @pytest.mark.parametrize("stem", ["Größe & Co", "...", "a" * 90])
    def test_a_name_is_one_that_everybody_takes(self, stem: str) -> None:
        name = job(f"/etc/{stem}.toml").name
        assert re.fullmatch(r"oncallctl-[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)
        assert len(name) <= 52  # a CronJob adds 11 characters for its jobs, which may have 63


class TestKubernetes:
    @pytest.fixture
    def documents(self, work: Path, file: Path, run: Runner) -> list[Any]:
        text = run(f"maintenance export {file} --to kubernetes --image reg/oncallctl:1").stdout
        return list(yaml.safe_load_all(text))

    def test_the_schemas_of_kubernetes_take_them(self, documents: list[Any]) -> None:
        assert [each["kind"] for each in documents] == ["ConfigMap", "CronJob"]
        for each in documents:
            kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)

    def test_the_schemas_would_find_a_misspelled_field(self, documents: list[Any]) -> None:
        documents[1]["spec"]["timezone"] = documents[1]["spec"].pop("timeZone")
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(documents[1], kubernetes_validate.latest_version(), strict=True)

    def test_the_file_is_in_the_config_map_as_it_is(self, documents: list[Any]) -> None:
        data = documents[0]["data"]
        assert data["windows.toml"] == FILE
        profile = tomllib.loads(data["config.toml"])["profiles"]["work"]
        assert (profile["url"], profile["token_file"]) == (URL, "$CREDENTIALS_DIRECTORY/token")

    def test_it_runs_every_minute_and_never_twice(self, documents: list[Any]) -> None:
        spec = documents[1]["spec"]
        assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("* * * * *", "Etc/UTC", "Forbid")
        assert spec["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"

    def test_it_may_do_nothing_that_it_need_not(self, documents: list[Any]) -> None:
        pod = documents[1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsUser"] == USER
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["args"][:2] == ["maintenance", "apply"]

    def test_what_it_reads_and_writes_is_mounted(self, documents: list[Any]) -> None:
        pod = documents[1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        volumes = {each["name"]: each for each in pod["volumes"]}
        environment = {each["name"]: each["value"] for each in container["env"]}
        assert volumes.keys() == mounts.keys()
        assert volumes["token"]["secret"]["defaultMode"] == 0o400
        assert environment["CREDENTIALS_DIRECTORY"] == mounts["token"]
        assert environment["XDG_STATE_HOME"] == mounts["state"]
        assert environment["ONCALLCTL_CONFIG"] == f"{mounts['config']}/config.toml"
        assert container["args"][2] == f"{mounts['config']}/windows.toml"
        assert volumes["config"]["configMap"]["name"] == documents[0]["metadata"]["name"]

    def test_the_environment_may_name_the_server(self, file: Path, run: Runner) -> None:
        pair = {"ONCALLCTL_URL": URL, "ONCALLCTL_TOKEN": TOKEN}
        text = run(f"maintenance export {file} --to kubernetes --image i", **pair).stdout
        assert TOKEN not in text
        (config, _) = yaml.safe_load_all(text)
        assert tomllib.loads(config["data"]["config.toml"])["profiles"]["environment"]["url"] == URL

    def test_the_sandbox_is_on_this_machine_alone(self, file: Path, run: Runner) -> None:
        run(f"maintenance export {file} --to kubernetes --image i -p sandbox", status=2)

    def test_nobody_logged_in_is_exit_3(self, file: Path, run: Runner) -> None:
        run(f"maintenance export {file} --to kubernetes --image i", status=3)

    @pytest.mark.parametrize("image", ["''", "'a b'", "'a\nb'"])
    def test_what_is_no_image_is_refused(self, work: Path, file: Path, run: Runner, image: str) -> None:
        run(f"maintenance export {file} --to kubernetes --image {image}", status=2)

    @pytest.mark.parametrize(
        "text",
        [
            "  a: begins with blanks\nb\n",
            "no line break at the end",
            "many line breaks\n\n\n",
            "\nfirst line empty\n",
            "tab\there\r\n",
            "next line \x85 and \u2028 and \x00 and \x7f and \ufeff\n",
            "quotes \" ' \\ and é 語 😀 # no comment: {}\n---\n...\n",
            "trailing blanks  \n   \nx\n",
            "   \n",
            "",
            "x\n \n",
        ],
    )
    def test_any_text_is_read_back_as_it_was(self, text: str) -> None:
        (written,) = manifests(job("/etc/a.toml", text=text), Profile("work", URL), "image").values()
        config, _ = yaml.safe_load_all(written)
        assert config["data"]["windows.toml"] == text

    @pytest.mark.parametrize("image", ["no", "1.5", "a: b", 'q"q', "*x"])
    def test_an_image_is_a_string_whatever_it_looks_like(self, image: str) -> None:
        (written,) = manifests(job("/etc/a.toml"), Profile("work", URL), image).values()
        _, cronjob = yaml.safe_load_all(written)
        (container,) = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        assert container["image"] == image

    def test_a_file_too_large_for_an_object_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="too large"):
            manifests(job("/etc/a.toml", text="#" * 1_000_001), Profile("work", URL), "image")


class TestImage:
    LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()

    def test_it_is_not_run_by_root_and_is_the_user_of_the_manifests(self) -> None:
        assert f"USER {USER}:{USER}" in self.LINES
        assert any(f"--uid {USER} " in line for line in self.LINES)

    def test_what_it_is_made_from_is_there_and_not_ignored(self) -> None:
        ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        copied = [line.split()[1:-1] for line in self.LINES if line.startswith("COPY ") and "--from" not in line]
        assert copied
        for name in [name for names in copied for name in names]:
            assert (ROOT / name).exists()
            assert f"!{name}" in ignore

    def test_it_names_no_registry(self) -> None:
        images = [line.split()[1] for line in self.LINES if line.startswith("FROM ")]
        assert set(images) == {"${BASE}"}
        assert "ARG BASE=python:3.13-slim" in self.LINES

    def test_its_entry_point_takes_the_arguments(self) -> None:
        assert self.LINES[-1] == 'ENTRYPOINT ["oncallctl"]'
