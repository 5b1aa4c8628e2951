"""`auth`: login and logout with the sandbox behind a socket, and a keyring in memory."""

from pathlib import Path

import pytest

from oncallctl import sandbox
from tests.conftest import Runner, on_cloud
from tests.memory_keyring import ENTRIES
from tests.serving import Serving

CONFIG = "home/.config/oncallctl/config.toml"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """A keyring in memory; its entries."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.memory_keyring.Memory")
    ENTRIES.clear()
    return ENTRIES


@pytest.fixture
def bare(server: Serving, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """A server that the environment does not name."""
    for name in ("ONCALLCTL_URL", "ONCALLCTL_TOKEN", "ONCALLCTL_API"):
        monkeypatch.delenv(name)
    return server


@pytest.fixture
def token_file(world: Path) -> Path:
    path = world / "token"
    path.write_text(f"{sandbox.ADMIN_TOKEN}\n")
    path.chmod(0o600)
    return path


class TestLogin:
    @pytest.mark.promise("in-no-file-this-programs")
    def test_login_stores_the_token_in_the_keyring_only(
        self, bare: Serving, run: Runner, keyring: dict[tuple[str, str], str], world: Path
    ) -> None:
        done = run(f"auth login work --url {bare.url}/api/v1/ --token-stdin", stdin=f"{bare.token}\n")
        assert list(keyring.values()) == [bare.token]
        assert bare.token not in (world / CONFIG).read_text() + done.stdout + done.stderr
        assert len(run("teams list -o json").json) == 4

    def test_login_detects_the_server_type(
        self, bare: Serving, run: Runner, keyring: dict[tuple[str, str], str]
    ) -> None:
        run(f"auth login work --url {bare.url} --token-stdin", stdin=bare.token)
        (profile,) = [each for each in run("auth list -o json").json if each["id"] == "work"]
        assert profile["api"] == bare.dialect

    def test_login_with_a_refused_token_stores_nothing(
        self, bare: Serving, run: Runner, keyring: dict[tuple[str, str], str], world: Path
    ) -> None:
        done = run(f"auth login work --url {bare.url} --token-stdin -o json", stdin="nope", status=3)
        assert done.error["code"] == "access_denied"
        assert keyring == {}
        assert not (world / CONFIG).exists()

    def test_login_no_verify_sends_nothing(
        self, bare: Serving, run: Runner, keyring: dict[tuple[str, str], str]
    ) -> None:
        run(f"auth login work --url {bare.url} --token-stdin --no-verify", stdin="nope")
        assert bare.seen == []

    @on_cloud
    def test_login_with_a_token_file_reads_it_on_every_run(self, bare: Serving, run: Runner, token_file: Path) -> None:
        run(f"auth login work --url {bare.url} --token-file {token_file}")
        run("teams list")
        token_file.write_text("another")
        run("teams list", status=3)
        assert "another" in bare.seen[-1].headers["Authorization"]

    @on_cloud
    def test_login_with_a_token_command_runs_it_on_every_run(
        self, bare: Serving, run: Runner, token_file: Path
    ) -> None:
        run(f"auth login work --url {bare.url} --token-command 'cat {token_file}'")
        assert len(run("teams list -o json").json) == 4

    @on_cloud
    def test_login_without_a_terminal_names_the_options(self, bare: Serving, run: Runner) -> None:
        done = run(f"auth login work --url {bare.url} -o json", status=2)
        for option in ("--token-stdin", "--token-file", "--token-command"):
            assert option in done.error["hint"]
        assert bare.seen == []

    @on_cloud
    def test_login_without_a_keyring_names_a_command_with_a_token_file(
        self, bare: Serving, run: Runner, world: Path
    ) -> None:
        done = run(f"auth login work --url {bare.url} --token-stdin -o json", stdin=bare.token, status=3)
        file = (world / CONFIG).parent / "work.token"
        assert "no keyring available" in done.error["message"]
        assert f"oncallctl auth login work --url {bare.url} --token-file {file}" in done.error["hint"]
        assert bare.seen == []

    @pytest.mark.parametrize(
        "line",
        [
            "auth login work",
            "auth login sandbox --url http://127.0.0.1:9 --token-stdin",
            "auth login 'a b' --url https://h --token-stdin",
            "auth login work --url http://oncall.example.org --token-stdin",
            "auth login work --url nonsense --token-stdin",
            "auth login work --url https://h --token-stdin --token-file x",
            "auth login work --url https://h --token-stdin --grafana-url nonsense",
        ],
    )
    def test_login_invalid_arguments_are_wrong_usage(self, run: Runner, line: str, world: Path) -> None:
        run(line, stdin="token", status=2)
        assert not (world / CONFIG).exists()

    def test_login_help_has_no_token_option(self, run: Runner) -> None:
        assert "--token " not in run("auth login --help").stdout


class TestStoredProfile:
    @pytest.fixture(autouse=True)
    def _logged_in(self, bare: Serving, run: Runner, token_file: Path) -> None:
        run(f"auth login work --url {bare.url} --token-file {token_file}")

    def test_status_shows_user_and_server(self, server: Serving, run: Runner) -> None:
        row = run("auth status -o json").json
        assert (row["id"], row["url"], row["api"], row["user"], row["status"]) == (
            "work",
            server.url,
            server.dialect,
            "admin",
            "ok",
        )

    def test_status_with_a_refused_token_is_exit_3(self, server: Serving, run: Runner, token_file: Path) -> None:
        token_file.write_text("nope")
        done = run("auth status -o json", status=3)
        assert done.json["status"] == "access_denied"
        assert done.error["code"] == "access_denied"

    @on_cloud
    def test_list_marks_the_default(self, run: Runner) -> None:
        rows = {row["id"]: row["default"] for row in run("auth list -o json").json}
        assert rows == {"work": True, "sandbox": False, "sandbox-oss": False}

    @on_cloud
    def test_switch_changes_the_default(self, run: Runner) -> None:
        run("auth switch sandbox")
        assert run("auth status -o json").json["id"] == "sandbox"
        run("auth switch nope", status=6)

    @on_cloud
    def test_token_prints_the_token(self, run: Runner) -> None:
        assert run("auth token").stdout == f"{sandbox.ADMIN_TOKEN}\n"

    @on_cloud
    def test_logout_removes_the_profile(self, run: Runner) -> None:
        run("auth logout work")
        run("teams list", status=3)

    @on_cloud
    def test_logout_without_a_name_removes_the_profile_in_use(self, server: Serving, run: Runner, world: Path) -> None:
        path = world / CONFIG
        path.write_text(path.read_text() + f'[profiles.other]\nurl = "{server.url}"\n')
        run("auth logout", ONCALLCTL_PROFILE="other", PYTHON_KEYRING_BACKEND="tests.memory_keyring.Memory")
        assert "other" not in run("auth list -o id").stdout
        run("auth logout", status=2, ONCALLCTL_URL=server.url, ONCALLCTL_TOKEN="t")

    @on_cloud
    def test_logout_of_a_built_in_profile_is_refused(self, run: Runner) -> None:
        run("auth logout sandbox", status=2)


@on_cloud
def test_token_stored_under_one_spelling_is_found_under_another(
    bare: Serving, run: Runner, world: Path, keyring: dict[tuple[str, str], str]
) -> None:
    url = bare.url.replace("127.0.0.1", "localhost")
    run(f"auth login work --url {url} --token-stdin --no-verify", stdin=bare.token)
    path = world / CONFIG
    path.write_text(path.read_text().replace("localhost", "LOCALHOST"))
    assert run("auth token").stdout == f"{bare.token}\n"


@on_cloud
def test_logout_deletes_the_token_from_the_keyring(
    bare: Serving, run: Runner, keyring: dict[tuple[str, str], str]
) -> None:
    run(f"auth login work --url {bare.url} --token-stdin", stdin=bare.token)
    run("auth logout")
    assert keyring == {}


@pytest.mark.promise("url-and-token-come-from")
@on_cloud
def test_changed_url_does_not_receive_the_token_of_the_old_host(
    bare: Serving, run: Runner, keyring: dict[tuple[str, str], str], world: Path
) -> None:
    run(f"auth login work --url {bare.url} --token-stdin", stdin=bare.token)
    path = world / CONFIG
    with Serving(world / "other.sqlite3", bare.dialect) as other:
        path.write_text(path.read_text().replace(bare.url, other.url))
        run("teams list", status=3)
        assert other.seen == []
