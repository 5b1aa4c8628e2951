"""Tokens in files, and systemd's credentials."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oncallctl.config.credentials import (
    read_token_file,
)
from tests.unit.config.credentials.refusals import TOKEN, refused, without_root_rights


def give(file: Path, uid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change the owner of a file: really as root, else only for this process."""
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
    with without_root_rights():
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


@pytest.fixture
def credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A credential as systemd creates it: its ACL appears as permissions of the group."""
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
