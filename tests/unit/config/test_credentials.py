"""Tokens from files, commands and keyrings; the real Secret Service is in tests/system."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordSetError

from oncallctl.config.credentials import (
    delete_keyring,
    read_keyring,
    read_token_file,
    run_token_command,
    token_command,
    valid_token,
    write_keyring,
)
from oncallctl.errors import ExitCode, InvalidInput, NoCredentials, OncallError
from tests.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "glsa_jXkq7hT0notAtokenOfAnybody_0a1b2c3d"
ORIGIN = "https://oncall.example.org"


def refused(call: Callable[..., object], *arguments: str, kind: type[OncallError] = NoCredentials) -> OncallError:
    """Return the error of a call, having checked what is true of every refusal."""
    with pytest.raises(kind) as caught:
        call(*arguments)
    error = caught.value
    assert error.hint
    assert error.message.isprintable()
    assert error.hint.isprintable()
    assert TOKEN not in "".join(traceback.format_exception(error)) + repr(error) + str(error.document())
    return error


@contextlib.contextmanager
def as_nobody_special() -> Iterator[None]:
    """Give up the rights of root for a while, to whom nothing is forbidden."""
    uid = os.geteuid()
    os.seteuid(65534 if uid == 0 else uid)
    try:
        yield
    finally:
        os.seteuid(uid)


# --- what a token is --------------------------------------------------------------------------------------------------


def test_token_surrounding_blanks_are_removed() -> None:
    assert valid_token(f" \t{TOKEN}\r\n", "stdin") == TOKEN


@pytest.mark.parametrize("text", ["", " \n"])
def test_token_empty_is_refused(text: str) -> None:
    assert refused(valid_token, text, "stdin").message == "stdin: contains no token"


@pytest.mark.parametrize(
    "text",
    [
        f"Bearer {TOKEN}",
        f"{TOKEN}\r\nX-Other: header",
        f"{TOKEN}\x00",
        f"{TOKEN}\x7f",
        f"{TOKEN}\u00e9",
        f"\u200b{TOKEN}",
        f"{TOKEN}\u00a0{TOKEN}",
    ],
)
def test_token_unfit_for_a_header_is_refused(text: str) -> None:
    assert refused(valid_token, text, "ONCALLCTL_TOKEN").message.startswith("ONCALLCTL_TOKEN: not a token: ")


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A token file as it should be."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="ascii")
    file.chmod(0o600)
    return file


def give(file: Path, uid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a file to another user: truly as root, else as far as this process can see."""
    if os.geteuid() == 0:
        os.chown(file, uid, -1)
        return
    fstat = os.fstat

    def owned_by_uid(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        return os.stat_result((*status[:4], uid, *status[5:10]))

    monkeypatch.setattr(os, "fstat", owned_by_uid)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_token_file_private_is_read(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert read_token_file(str(file)) == TOKEN


@pytest.mark.parametrize(
    "content",
    [
        f"  {TOKEN}  \r\nsecond line\n",
        TOKEN,
        f"\ufeff{TOKEN}\n",
        f"{TOKEN}\n" + "\u00e9" * 100_000,
    ],
)
def test_token_file_first_line_is_the_token(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8", newline="")
    assert read_token_file(str(file)) == TOKEN


def test_token_file_tilde_is_expanded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    assert read_token_file("~/token") == TOKEN


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o620, 0o644, 0o777])
def test_token_file_open_to_others_is_refused_with_the_fix(file: Path, mode: int) -> None:
    file.chmod(mode)
    error = refused(read_token_file, str(file))
    assert error.message == f"token file {file}: is open to other users (mode {mode:04o})"
    assert error.hint == f"chmod 600 {file}"


def test_token_file_hint_quotes_the_path(tmp_path: Path) -> None:
    file = tmp_path / "my token; rm"
    file.write_text(TOKEN, encoding="ascii")
    file.chmod(0o644)
    assert refused(read_token_file, str(file)).hint == f"chmod 600 '{file}'"


def test_token_file_link_to_a_private_file_is_followed(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    assert read_token_file(str(link)) == TOKEN


@pytest.mark.promise("token-file-judged-after-its")
def test_token_file_link_to_an_open_file_is_refused(file: Path, tmp_path: Path) -> None:
    file.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(file)
    assert "open to other users" in refused(read_token_file, str(link)).message


def test_token_file_of_another_user_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(file, 54321, monkeypatch)
    assert "belongs to another user (uid 54321)" in refused(read_token_file, str(file)).message


def test_token_file_of_root_is_accepted(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(file, 0, monkeypatch)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert read_token_file(str(file)) == TOKEN


def test_token_file_missing_is_reported(tmp_path: Path) -> None:
    assert refused(read_token_file, str(tmp_path / "none")).message == f"token file {tmp_path}/none: does not exist"


def test_token_file_unknown_home_is_reported_as_missing() -> None:
    assert "does not exist" in refused(read_token_file, "~no-such-user/token").message


def test_token_file_unreadable_is_reported(file: Path) -> None:
    file.chmod(0)
    with as_nobody_special():
        error = refused(read_token_file, str(file))
    assert error.message == f"token file {file}: permission denied"


def test_token_file_directory_is_refused(tmp_path: Path) -> None:
    assert refused(read_token_file, str(tmp_path)).message == f"token file {tmp_path}: is a directory"


def test_token_file_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    error = refused(read_token_file, str(pipe))
    assert "is not a regular file" in error.message
    assert "--token-command" in str(error.hint)


@pytest.mark.parametrize("path", ["loop", "token/below", "nul\0", "two\nlines"])
def test_token_file_invalid_path_is_reported_on_one_line(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(file.parent)
    (tmp_path / "loop").symlink_to("loop")
    assert refused(read_token_file, path).message.startswith("token file ")


@pytest.mark.parametrize("content", [b"", b"\n", b"  \n" + TOKEN.encode()])
def test_token_file_empty_first_line_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert refused(read_token_file, str(file)).message == f"token file {file}: contains no token"


@pytest.mark.parametrize("content", [b"\x80\x81" + TOKEN.encode(), TOKEN.encode("utf-16"), b"\0" + TOKEN.encode()])
def test_token_file_binary_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert ": not a token: " in refused(read_token_file, str(file)).message


def test_token_file_endless_line_is_refused(file: Path) -> None:
    file.write_bytes(b"a" * 10_000_000)
    assert "too long for a token" in refused(read_token_file, str(file)).message


def test_token_file_given_a_token_does_not_print_it() -> None:
    assert refused(read_token_file, TOKEN).message == "token file ***: does not exist"


# --- systemd's credentials --------------------------------------------------------------------------------------------


@pytest.fixture
def credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A credential as systemd gives it: readable by an ACL, which shows as a bit of the group."""
    directory = tmp_path / "credentials"
    directory.mkdir()
    credential = directory / "token"
    credential.write_text(TOKEN, encoding="ascii")
    credential.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))
    return credential


@pytest.mark.parametrize("path", ["$CREDENTIALS_DIRECTORY/token", "${CREDENTIALS_DIRECTORY}/token"])
@pytest.mark.usefixtures("credential")
def test_systemd_credential_is_read(path: str) -> None:
    assert read_token_file(path) == TOKEN


def test_systemd_credential_by_full_path_or_link_is_read(
    credential: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(credential.parent)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(link))
    assert read_token_file(str(credential)) == TOKEN
    assert read_token_file("$CREDENTIALS_DIRECTORY/token") == TOKEN


def test_systemd_credential_open_to_everybody_is_refused(credential: Path) -> None:
    credential.chmod(0o444)
    assert "open to other users" in refused(read_token_file, str(credential)).message


@pytest.mark.parametrize("path", ["$CREDENTIALS_DIRECTORY/../outside", "$CREDENTIALS_DIRECTORY/link"])
def test_systemd_credential_path_out_of_the_directory_is_refused(credential: Path, tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text(TOKEN, encoding="ascii")
    outside.chmod(0o440)
    (credential.parent / "link").symlink_to(outside)
    assert "open to other users" in refused(read_token_file, path).message


def test_systemd_credential_link_changed_after_opening_is_refused(
    credential: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, link = tmp_path / "outside", tmp_path / "link"
    outside.write_text(TOKEN, encoding="ascii")
    outside.chmod(0o440)
    link.symlink_to(outside)
    fstat = os.fstat

    def turn_the_link(descriptor: int) -> os.stat_result:
        link.unlink()
        link.symlink_to(credential)
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", turn_the_link)
    assert "open to other users" in refused(read_token_file, str(link)).message


@pytest.mark.parametrize("value", [None, ""])
def test_systemd_credential_outside_a_unit_is_refused_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    else:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", value)
    assert "LoadCredential=" in str(refused(read_token_file, "$CREDENTIALS_DIRECTORY/token").hint)


@pytest.mark.parametrize("name", ["$HOME", "$CREDENTIALS_DIRECTORY_OLD"])
def test_token_file_other_variables_are_not_expanded(file: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    directory = file.parent / name
    directory.mkdir()
    monkeypatch.chdir(file.parent)
    file.rename(directory / "token")
    assert read_token_file(f"{name}/token") == TOKEN


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Make a shell script of some lines; the path of it is returned."""

    def make(lines: str) -> str:
        script = tmp_path / "program"
        script.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
        script.chmod(0o700)
        return str(script)

    return make


def test_token_command_first_line_is_the_token(program: Callable[[str], str]) -> None:
    assert run_token_command(program(f"echo '  {TOKEN} '; echo second line; echo remark >&2")) == TOKEN


@pytest.mark.promise("token-command-runs-without-shell")
def test_token_command_is_split_into_words_and_run_without_a_shell(program: Callable[[str], str]) -> None:
    script = program('printf "%s|" "$@"')
    assert run_token_command(f"{script} 'a' \"b\" $HOME ; *") == "a|b|$HOME|;|*|"


def test_token_command_stdin_is_empty(program: Callable[[str], str]) -> None:
    assert run_token_command(program(f"cat; echo {TOKEN}")) == TOKEN


@pytest.mark.promise("token-command-runs-without-shell")
def test_token_command_has_no_terminal(program: Callable[[str], str]) -> None:
    script = program(f"if (: </dev/tty) 2>/dev/null; then echo terminal; else echo {TOKEN}; fi")
    # A program of a terminal of its own, so that there would be one to ask at.
    code = (
        "import os, pty, sys\n"
        "pid, terminal = pty.fork()\n"
        "if pid == 0:\n"
        "    from oncallctl.config.credentials import run_token_command\n"
        "    open('/dev/tty').close()\n"
        "    print('got', run_token_command(sys.argv[1]))\n"
        "    sys.exit()\n"
        "text = b''\n"
        "try:\n"
        "    while part := os.read(terminal, 1024):\n"
        "        text += part\n"
        "except OSError:\n"
        "    pass\n"
        "print(text.decode())\n"
    )
    run = subprocess.run([sys.executable, "-c", code, script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == f"got {TOKEN}"


def test_token_command_long_output_is_read_to_its_end(program: Callable[[str], str]) -> None:
    script = program(f"echo {TOKEN}; head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2")
    assert run_token_command(script) == TOKEN


def test_token_command_background_process_does_not_delay_the_token(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    script = program(f"sleep 60 & echo $! >{tmp_path}/pid; echo {TOKEN}")
    try:
        assert run_token_command(script) == TOKEN
    finally:
        os.kill(int((tmp_path / "pid").read_text(encoding="ascii")), signal.SIGKILL)


def test_token_command_missing_is_reported() -> None:
    error = refused(run_token_command, "no-such-program-anywhere --flag")
    assert error.message == "token_command no-such-program-anywhere: not found"
    assert "full path" in str(error.hint)


def test_token_command_missing_with_unreadable_path_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "closed").mkdir(mode=0)
    monkeypatch.setenv("PATH", f"{tmp_path}/closed:{tmp_path}/a-file")
    with as_nobody_special():
        error = refused(run_token_command, "no-such-program-anywhere")
    assert error.message.endswith(": not found")


def test_token_command_with_a_nul_is_refused() -> None:
    assert "cannot be run" in refused(run_token_command, "echo a\0b").message


@pytest.mark.parametrize("content", ["#!/bin/sh\n", "no interpreter"])
def test_token_command_not_executable_is_reported(tmp_path: Path, content: str) -> None:
    file = tmp_path / "program"
    file.write_text(content, encoding="ascii")
    file.chmod(0o700 if content == "no interpreter" else 0o600)
    error = refused(run_token_command, str(file))
    assert error.message.startswith(f"token_command {file}: cannot be run: ")
    assert "chmod +x" in str(error.hint)


@pytest.mark.parametrize("command", ["", "  ", "pass 'show"])
def test_token_command_unsplittable_is_wrong_usage(command: str) -> None:
    assert refused(run_token_command, command, kind=InvalidInput).exit_code == ExitCode.USAGE


def test_token_command_failure_quotes_the_last_line_of_stderr(program: Callable[[str], str]) -> None:
    script = program("echo first >&2; printf 'the vault\\033[31m is sealed\\n\\n' >&2; exit 3")
    message = refused(run_token_command, script).message
    assert message == f"token_command {script}: failed with exit status 3: the vault [31m is sealed"


def test_token_command_silent_failure_names_the_exit_status(program: Callable[[str], str]) -> None:
    script = program("exit 1")
    assert refused(run_token_command, script).message == f"token_command {script}: failed with exit status 1"


def test_token_command_killed_names_the_signal(program: Callable[[str], str]) -> None:
    assert refused(run_token_command, program("kill -9 $$")).message.endswith(": failed with signal 9")


def test_token_command_failure_quotes_neither_output_nor_arguments(program: Callable[[str], str]) -> None:
    script = program(f"echo {TOKEN}; echo 'refused: {TOKEN}' >&2; exit 1")
    assert refused(run_token_command, f"{script} --secret {TOKEN}").message.endswith(": refused: ***")


def test_token_command_given_a_token_does_not_print_it() -> None:
    assert refused(run_token_command, TOKEN).message == "token_command ***: not found"


def test_token_command_without_output_is_refused(program: Callable[[str], str]) -> None:
    assert refused(run_token_command, program("exit 0")).message.endswith(": contains no token")


def all_ended(leash: int) -> bool:
    """Say whether all have ended who hold the pipe open for writing, waiting a little for it."""
    written = b""
    while select.select([leash], [], [], 5)[0]:
        part = os.read(leash, 1024)
        if not part:
            assert written, "nobody had begun"
            return True
        written += part
    return False


@pytest.mark.parametrize("end", ["time-out", "interrupt"])
def test_token_command_timeout_kills_its_children(
    program: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    pipe = tmp_path / "leash"
    os.mkfifo(pipe)
    script = program(f"exec 9>{pipe}; echo begun >&9; sleep 30 & sleep 30")
    leash = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if end == "time-out":
            monkeypatch.setattr(token_command, "COMMAND_SECONDS", 1.5)
            assert refused(run_token_command, script).message.endswith(": did not finish within 1.5 s")
        else:
            before = signal.signal(signal.SIGALRM, signal.default_int_handler)
            signal.setitimer(signal.ITIMER_REAL, 1.5)
            try:
                with pytest.raises(KeyboardInterrupt):
                    run_token_command(script)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
        assert all_ended(leash)
    finally:
        os.close(leash)


def test_token_command_timeout_kills_it_after_closed_output(
    program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_command, "COMMAND_SECONDS", 0.5)
    script = program(f"echo {TOKEN}; exec >/dev/null 2>&1; sleep 30")
    assert "did not finish" in refused(run_token_command, script).message


# --- keyrings ---------------------------------------------------------------------------------------------------------


class Memory(KeyringBackend):
    """A keyring that works, and that keyring would not recommend."""

    priority = 0.5
    entries: ClassVar[dict[tuple[str, str], str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


class Failing(KeyringBackend):
    """A keyring that fails in the way that a test asks for."""

    priority = 0.4
    error: ClassVar[BaseException] = Exception()

    def get_password(self, *_: str) -> str | None:
        raise self.error

    def set_password(self, *_: str) -> None:
        raise self.error


@pytest.fixture(autouse=True)
def no_keyring_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{__name__}.Memory")
    monkeypatch.setattr(Memory, "entries", {})
    return Memory.entries


@pytest.mark.usefixtures("memory")
def test_keyring_token_is_stored_read_and_removed() -> None:
    write_keyring("prod", ORIGIN, TOKEN)
    assert read_keyring("prod", ORIGIN) == TOKEN
    assert delete_keyring("prod", ORIGIN) is True
    assert delete_keyring("prod", ORIGIN) is False


def test_keyring_entry_is_named_by_profile_and_host(memory: dict[tuple[str, str], str]) -> None:
    write_keyring("prod", ORIGIN, f" {TOKEN}\n")
    assert memory == {("oncallctl", f"prod {ORIGIN}"): TOKEN}


@pytest.mark.parametrize(
    ("profile", "origin"),
    [("prod", "https://other.example.org"), ("prod", "http://oncall.example.org"), ("test", ORIGIN)],
)
@pytest.mark.usefixtures("memory")
def test_keyring_token_of_another_host_or_profile_is_not_returned(profile: str, origin: str) -> None:
    write_keyring("prod", ORIGIN, TOKEN)
    error = refused(read_keyring, profile, origin)
    assert error.message == f"the keyring has no token of profile {profile} for {origin}"
    assert error.hint == f"oncallctl auth login {profile}"
    assert delete_keyring(profile, origin) is False
    assert read_keyring("prod", ORIGIN) == TOKEN


@pytest.mark.usefixtures("memory")
def test_keyring_hint_quotes_the_profile() -> None:
    assert refused(read_keyring, "my prod", ORIGIN).hint == "oncallctl auth login 'my prod'"


def test_keyring_entry_not_a_token_is_refused(memory: dict[tuple[str, str], str]) -> None:
    memory["oncallctl", f"prod {ORIGIN}"] = f"{TOKEN}\nand more"
    assert ": not a token: " in refused(read_keyring, "prod", ORIGIN).message


def test_keyring_invalid_token_is_not_stored(memory: dict[tuple[str, str], str]) -> None:
    refused(write_keyring, "prod", ORIGIN, f"Bearer {TOKEN}")
    assert memory == {}


@pytest.mark.parametrize("backend", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
@pytest.mark.parametrize(("call", "arguments"), [(read_keyring, []), (delete_keyring, []), (write_keyring, [TOKEN])])
def test_keyring_backend_without_storage_is_reported_as_absent(
    monkeypatch: pytest.MonkeyPatch, backend: str, call: Callable[..., object], arguments: list[str]
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    error = refused(call, "prod", ORIGIN, *arguments)
    assert error.message.startswith("no keyring available: ")
    for way_out in ("auth login prod --url URL --token-file FILE", "ONCALLCTL_URL with ONCALLCTL_TOKEN", "cron"):
        assert way_out in str(error.hint)


def test_keyring_configuration_file_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = tmp_path / "config/python_keyring/keyringrc.cfg"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(f"[backend]\ndefault-keyring={__name__}.Memory\n", encoding="utf-8")
    monkeypatch.setattr(Memory, "entries", {("oncallctl", f"prod {ORIGIN}"): TOKEN})
    assert read_keyring("prod", ORIGIN) == TOKEN


def test_keyring_backend_not_recommended_is_used_only_by_name(
    memory: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_keyring("prod", ORIGIN, TOKEN)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    refused(read_keyring, "prod", ORIGIN)
    assert memory


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyringLocked("Failed to unlock"), "the keyring is locked"),
        (PasswordSetError(f"no: {TOKEN}\nmore"), "the keyring failed: PasswordSetError: no: ***"),
        (OSError(5, "Input/output error"), "the keyring failed: OSError: Input/output error"),
        (ValueError(), "the keyring failed: ValueError: no reason given"),
        (TimeoutError("after 25 s"), "the keyring did not respond within 3 s"),
        (SystemExit(1), "the keyring failed: SystemExit: 1"),
    ],
)
def test_keyring_exception_is_reported_with_alternatives(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, message: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{__name__}.Failing")
    monkeypatch.setattr(Failing, "error", error)
    refusal = refused(write_keyring, "prod", ORIGIN, TOKEN)
    assert refusal.message == message
    assert "--token-file FILE" in str(refusal.hint)


def test_keyring_unknown_backend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no_such_module.Keyring")
    message = refused(read_keyring, "prod", ORIGIN).message
    assert message == "the keyring failed: ModuleNotFoundError: No module named 'no_such_module'"


@pytest.mark.parametrize("place", ["while it is imported", "while it is asked"])
def test_keyring_hanging_is_given_up(tmp_path: Path, place: str) -> None:
    (tmp_path / "hanging.py").write_text(
        "import time\n"
        "from keyring.backend import KeyringBackend\n"
        f"time.sleep({60 if place == 'while it is imported' else 0})\n"
        "class Keyring(KeyringBackend):\n"
        "    priority = 9\n"
        "    def get_password(self, service, username): time.sleep(60)\n"
        "    set_password = get_password\n",
        encoding="utf-8",
    )
    code = (
        "from oncallctl.config.credentials import read_keyring\n"
        "from oncallctl.errors import NoCredentials\n"
        "try:\n"
        "    read_keyring('prod', 'https://oncall.example.org')\n"
        "except NoCredentials as error:\n"
        "    print(error.message)\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}",
        "PYTHON_KEYRING_BACKEND": "hanging.Keyring",
    }
    began = time.monotonic()
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert time.monotonic() - began < 30  # the keyring sleeps for 60 s
    assert (run.stdout, run.stderr) == ("the keyring did not respond within 3 s\n", "")


def test_keyring_library_is_imported_only_for_the_keyring(file: Path) -> None:
    code = (
        "import sys; from oncallctl.config.credentials import read_token_file, run_token_command\n"
        "read_token_file(sys.argv[1]); run_token_command('cat ' + sys.argv[1])\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('keyring', 'secretstorage', 'jeepney')])"
    )
    words = [sys.executable, "-c", code, str(file)]
    assert subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"
