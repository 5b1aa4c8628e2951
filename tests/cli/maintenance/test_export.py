"""`maintenance export`: its output. Tests in tests/system run it with cron and systemd."""

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
    """The file of windows; no variable locates the program's files."""
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
    def test_export_names_the_profile_and_contains_no_token(self, work: Path, file: Path, run: Runner, to: str) -> None:
        done = run(f"maintenance export {file} --to {to}")
        assert re.search(r"--profile[\" \n-]+work", done.stdout)
        assert TOKEN not in done.stdout + done.stderr
        assert done.stderr == ""

    @pytest.mark.parametrize("to", TARGETS)
    @pytest.mark.parametrize("text", ["[[window]", "", '[[window]]\nname = "x"\n'])
    def test_export_of_an_invalid_file_is_refused(
        self, work: Path, file: Path, run: Runner, to: str, text: str
    ) -> None:
        file.write_text(text)
        done = run(f"maintenance export {file} --to {to}", status=2)
        assert done.stdout == ""

    def test_export_of_a_missing_file_is_refused(self, work: Path, run: Runner) -> None:
        run("maintenance export /nowhere.toml --to crontab", status=2)

    def test_export_of_stdin_is_refused(self, work: Path, run: Runner) -> None:
        run("maintenance export - --to crontab", stdin=FILE, status=2)

    @pytest.mark.parametrize("to", ["crontab --image x", "systemd --image x", "kubernetes"])
    def test_image_is_required_for_kubernetes_and_refused_elsewhere(
        self, work: Path, file: Path, run: Runner, to: str
    ) -> None:
        assert "--image" in run(f"maintenance export {file} --to {to}", status=2).stderr

    def test_relative_path_becomes_absolute(
        self, work: Path, file: Path, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(file.parent)
        assert f" {file} --quiet" in run("maintenance export windows.toml --to crontab").stdout

    @pytest.mark.parametrize("to", TARGETS[:2])
    def test_credentials_in_the_environment_cause_a_warning(self, file: Path, run: Runner, to: str) -> None:
        pair = {"ONCALLCTL_URL": URL, "ONCALLCTL_TOKEN": TOKEN}
        done = run(f"maintenance export {file} --to {to}", **pair)
        assert "environment" in done.stderr
        assert "--profile" not in done.stdout
        assert TOKEN not in done.stdout

    @pytest.mark.parametrize("to", TARGETS[:2])
    def test_export_without_a_login_warns(self, file: Path, run: Runner, to: str) -> None:
        assert "there is no profile on this machine" in run(f"maintenance export {file} --to {to}").stderr

    @pytest.mark.parametrize("to", TARGETS[:2])
    def test_token_in_the_keyring_causes_a_warning(self, world: Path, file: Path, run: Runner, to: str) -> None:
        configure(world, f'url = "{URL}"')
        assert "keyring" in run(f"maintenance export {file} --to {to}").stderr

    @pytest.mark.parametrize("to", TARGETS[:2])
    def test_token_in_a_systemd_credential_causes_a_warning(
        self, world: Path, file: Path, run: Runner, to: str
    ) -> None:
        configure(world, f'url = "{URL}"\ntoken_file = "$CREDENTIALS_DIRECTORY/oncall"')
        done = run(f"maintenance export {file} --to {to}")
        assert "only its unit can read" in done.stderr
        assert "\nLoadCredential=" not in done.stdout

    def test_write_overwrites_only_exported_files(self, work: Path, file: Path, run: Runner, tmp_path: Path) -> None:
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

    def test_job_starts_the_program_by_an_absolute_path(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        assert Path(program()[0]).is_absolute()
        monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
        assert program()[1:] == ("-m", "oncallctl")
        (tmp_path / "oncallctl").touch()
        assert program() == (str(tmp_path / "oncallctl"),)


class TestCrontab:
    def test_crontab_is_a_comment_and_one_line(self, work: Path, file: Path, run: Runner) -> None:
        *comment, line = run(f"maintenance export {file} --to crontab").stdout.splitlines()
        assert comment
        assert all(each.startswith("# ") for each in comment)
        words = [*program(), "maintenance", "apply", str(file), "--quiet", "--profile", "work"]
        assert line == f"* * * * * {shlex.join(words)}"

    def test_crontab_line_sets_variables_that_cron_lacks(
        self, work: Path, file: Path, run: Runner, world: Path
    ) -> None:
        moved = (world / "home/.config/oncallctl/config.toml").rename(world / "its config.toml")
        done = run(
            f"maintenance export {file} --to crontab", ONCALLCTL_CONFIG=str(moved), XDG_STATE_HOME=f"{world}/state"
        )
        line = done.stdout.splitlines()[-1]
        assert line.startswith(f"* * * * * ONCALLCTL_CONFIG='{moved}' XDG_STATE_HOME={world}/state ")

    def test_percent_sign_in_a_crontab_is_escaped(self) -> None:
        (text,) = crontab(job("/etc/50% of $HOME's.toml")).values()
        command = text.splitlines()[-1].removeprefix("* * * * * ")
        assert not re.search(r"(?<!\\)%", command)
        assert shlex.split(command.replace("\\%", "%"))[3] == "/etc/50% of $HOME's.toml"

    @pytest.mark.parametrize("path", ["/etc/a\nb.toml", "/etc/a\\b.toml", "/etc/a\x1b.toml", f"/etc/{'a' * 990}.toml"])
    def test_path_that_a_crontab_cannot_contain_is_refused(self, path: str) -> None:
        with pytest.raises(InvalidInput):
            crontab(job(path))

    def test_export_of_a_path_with_control_characters_is_refused(self, work: Path, world: Path, run: Runner) -> None:
        (world / "a\nb.toml").write_text(FILE)
        run(f"maintenance export '{world}/a\nb.toml' --to crontab", status=2)


class TestSystemd:
    def test_two_units_on_stdout_have_headings(self, work: Path, file: Path, run: Runner) -> None:
        text = run(f"maintenance export {file} --to systemd").stdout
        names = re.findall(r"^# FILE (\S+)$", text, re.MULTILINE)
        assert names == ["oncallctl-windows.service", "oncallctl-windows.timer"]
        for line in ("Type=oneshot", "OnCalendar=*-*-* *:*:00", "Persistent=true", "StateDirectory=oncallctl-windows"):
            assert line in text.splitlines()

    def test_unit_loads_the_token_file_as_a_credential(self, work: Path, file: Path, run: Runner) -> None:
        lines = run(f"maintenance export {file} --to systemd").stdout.splitlines()
        assert f"LoadCredential=oncall-token:{work}" in lines
        (line,) = [line for line in lines if line.startswith("SetCredential=")]
        config = tomllib.loads(line.partition(":")[2].replace("\\n", "\n"))
        assert config["profiles"]["work"] == {
            "url": URL,
            "api": "cloud",
            "longest_window": "2h",
            "token_file": "$CREDENTIALS_DIRECTORY/oncall-token",
        }

    @pytest.mark.parametrize("source", ["", 'token_command = "pass show oncall"'])
    def test_unit_without_a_token_file_runs_as_the_user(
        self, world: Path, file: Path, run: Runner, source: str
    ) -> None:
        configure(world, f'url = "{URL}"\n{source}')
        text = run(f"maintenance export {file} --to systemd").stdout
        assert "Credential=" not in text
        assert re.search(r"^User=\w+$", text, re.MULTILINE)

    @pytest.mark.parametrize(("uid", "user"), [(0, "root"), (2_000_000_007, "2000000007")])
    def test_unit_user_is_the_effective_user_despite_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, uid: int, user: str
    ) -> None:
        monkeypatch.setenv("LOGNAME", "mallory")
        monkeypatch.setattr("os.geteuid", lambda: uid)
        service = units(job("/nowhere/a.toml"))["oncallctl-a.service"]
        assert re.findall(r"^User=(.*)$", service, re.MULTILINE) == [user]

    def test_path_with_specifiers_variables_and_quotes_is_escaped(self) -> None:
        service = units(job('/etc/%h $HOME "x" \\n.toml'))["oncallctl-h-home-x-n.service"]
        assert 'apply "/etc/%%h $$HOME \\"x\\" \\\\n.toml" --quiet' in service
        assert "Description=Maintenance windows of %%h $HOME" in service

    def test_dollar_in_the_path_of_the_program_is_not_escaped(self) -> None:
        service = units(job("/etc/a.toml", program=("/opt/a$b c/oncallctl",)))["oncallctl-a.service"]
        assert 'ExecStart="/opt/a$b c/oncallctl" maintenance' in service

    def test_path_with_a_line_break_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="cannot be written"):
            units(job("/etc/a\nExecStartPre=b.toml"))

    def test_unit_with_readable_files_has_a_dynamic_user(self, monkeypatch: pytest.MonkeyPatch) -> None:
        everywhere = job("/etc/passwd", program=("/bin/sh",))
        closed: list[str] = []
        monkeypatch.setattr(systemd, "_open_to_all", lambda path: str(path) not in closed)
        assert "DynamicUser=yes" in systemd._user(everywhere)
        closed.append("/etc/passwd")
        assert systemd._user(everywhere).startswith("User=")

    def test_file_in_a_private_folder_is_not_readable_by_all(self, tmp_path: Path) -> None:
        assert systemd._open_to_all(Path("/etc/passwd"))
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o700)
        (folder / "a.toml").touch(mode=0o644)
        assert not systemd._open_to_all(folder / "a.toml")
        assert not systemd._open_to_all(folder / "nowhere")

    @pytest.mark.parametrize("stem", ["Größe & Co", "...", "a" * 90])
    def test_name_of_a_job_is_valid_everywhere(self, stem: str) -> None:
        name = job(f"/etc/{stem}.toml").name
        assert re.fullmatch(r"oncallctl-[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)
        assert len(name) <= 52  # a CronJob adds 11 characters for its jobs, which may have 63


class TestKubernetes:
    @pytest.fixture
    def documents(self, work: Path, file: Path, run: Runner) -> list[Any]:
        text = run(f"maintenance export {file} --to kubernetes --image reg/oncallctl:1").stdout
        return list(yaml.safe_load_all(text))

    def test_manifests_match_the_schemas_of_kubernetes(self, documents: list[Any]) -> None:
        assert [each["kind"] for each in documents] == ["ConfigMap", "CronJob"]
        for each in documents:
            kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)

    def test_schemas_of_kubernetes_reject_a_misspelled_field(self, documents: list[Any]) -> None:
        documents[1]["spec"]["timezone"] = documents[1]["spec"].pop("timeZone")
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(documents[1], kubernetes_validate.latest_version(), strict=True)

    def test_config_map_contains_the_file_unchanged(self, documents: list[Any]) -> None:
        data = documents[0]["data"]
        assert data["windows.toml"] == FILE
        profile = tomllib.loads(data["config.toml"])["profiles"]["work"]
        assert (profile["url"], profile["token_file"]) == (URL, "$CREDENTIALS_DIRECTORY/token")

    def test_cron_job_runs_every_minute_without_overlap(self, documents: list[Any]) -> None:
        spec = documents[1]["spec"]
        assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("* * * * *", "Etc/UTC", "Forbid")
        assert spec["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"

    def test_cron_job_has_minimal_privileges(self, documents: list[Any]) -> None:
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

    def test_cron_job_mounts_its_configuration_token_and_state(self, documents: list[Any]) -> None:
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

    def test_kubernetes_accepts_a_server_from_the_environment(self, file: Path, run: Runner) -> None:
        pair = {"ONCALLCTL_URL": URL, "ONCALLCTL_TOKEN": TOKEN}
        text = run(f"maintenance export {file} --to kubernetes --image i", **pair).stdout
        assert TOKEN not in text
        (config, _) = yaml.safe_load_all(text)
        assert tomllib.loads(config["data"]["config.toml"])["profiles"]["environment"]["url"] == URL

    def test_kubernetes_refuses_the_sandbox(self, file: Path, run: Runner) -> None:
        run(f"maintenance export {file} --to kubernetes --image i -p sandbox", status=2)

    def test_kubernetes_without_a_login_exits_with_3(self, file: Path, run: Runner) -> None:
        run(f"maintenance export {file} --to kubernetes --image i", status=3)

    @pytest.mark.parametrize("image", ["''", "'a b'", "'a\nb'"])
    def test_invalid_image_name_is_refused(self, work: Path, file: Path, run: Runner, image: str) -> None:
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
    def test_any_text_survives_yaml(self, text: str) -> None:
        (written,) = manifests(job("/etc/a.toml", text=text), Profile("work", URL), "image").values()
        config, _ = yaml.safe_load_all(written)
        assert config["data"]["windows.toml"] == text

    @pytest.mark.parametrize("image", ["no", "1.5", "a: b", 'q"q', "*x"])
    def test_image_that_looks_like_a_number_is_a_string(self, image: str) -> None:
        (written,) = manifests(job("/etc/a.toml"), Profile("work", URL), image).values()
        _, cronjob = yaml.safe_load_all(written)
        (container,) = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        assert container["image"] == image

    def test_file_too_large_for_a_config_map_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="too large"):
            manifests(job("/etc/a.toml", text="#" * 1_000_001), Profile("work", URL), "image")


class TestImage:
    LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()

    def test_image_runs_as_the_user_of_the_manifests(self) -> None:
        assert f"USER {USER}:{USER}" in self.LINES
        assert any(f"--uid {USER} " in line for line in self.LINES)

    def test_image_sources_exist_and_are_not_ignored(self) -> None:
        ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        copied = [line.split()[1:-1] for line in self.LINES if line.startswith("COPY ") and "--from" not in line]
        assert copied
        for name in [name for names in copied for name in names]:
            assert (ROOT / name).exists()
            assert f"!{name}" in ignore

    def test_image_names_no_registry(self) -> None:
        images = [line.split()[1] for line in self.LINES if line.startswith("FROM ")]
        assert set(images) == {"${BASE}"}
        assert "ARG BASE=python:3.13-slim" in self.LINES

    def test_entry_point_of_the_image_takes_the_arguments(self) -> None:
        assert self.LINES[-1] == 'ENTRYPOINT ["oncallctl"]'
