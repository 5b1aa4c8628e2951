"""The choice of the profile: server, token, dialect and sandbox."""

from pathlib import Path

import pytest

from oncallctl.config.connect import choose_profile
from oncallctl.errors import InvalidInput, NoCredentials
from tests.conftest import Runner
from tests.serving import Serving

FULL = {
    "ONCALLCTL_URL": "https://env.example.org",
    "ONCALLCTL_TOKEN": "env-token",
    "ONCALLCTL_PROFILE": "named",
    "GRAFANA_ONCALL_URL": "https://terraform.example.org/api/v1",
    "GRAFANA_ONCALL_ACCESS_TOKEN": "terraform-token",
    "GRAFANA_URL": "https://stack.grafana.net",
}


@pytest.fixture
def config(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = world / "config.toml"
    path.write_text(
        'default_profile = "standard"\n'
        '[profiles.standard]\nurl = "https://standard.example.org"\n'
        '[profiles.named]\nurl = "https://named.example.org"\n'
        '[profiles.asked]\nurl = "https://asked.example.org"\n'
    )
    monkeypatch.setenv("ONCALLCTL_CONFIG", str(path))
    return path


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in FULL.items() if name not in names}


@pytest.mark.usefixtures("config")
class TestOrder:
    def test_profile_option_comes_first(self) -> None:
        assert choose_profile("asked", FULL).url == "https://asked.example.org"

    def test_url_and_token_of_the_environment_come_second(self) -> None:
        profile = choose_profile(None, FULL)
        assert (profile.url, profile.token_source) == ("https://env.example.org", "environment")

    def test_profile_of_the_environment_comes_third(self) -> None:
        assert choose_profile(None, without("ONCALLCTL_URL", "ONCALLCTL_TOKEN")).name == "named"

    def test_default_profile_comes_fourth(self) -> None:
        assert choose_profile(None, without("ONCALLCTL_URL", "ONCALLCTL_TOKEN", "ONCALLCTL_PROFILE")).name == "standard"

    def test_environment_of_terraform_comes_last(self, config: Path) -> None:
        config.write_text("")
        profile = choose_profile(None, without("ONCALLCTL_URL", "ONCALLCTL_TOKEN", "ONCALLCTL_PROFILE"))
        assert (profile.url, profile.grafana_url) == ("https://terraform.example.org", "https://stack.grafana.net")

    @pytest.mark.promise("nothing-falls-back-to-sandbox")
    def test_nothing_configured_does_not_fall_back_to_the_sandbox(self, config: Path) -> None:
        config.write_text("")
        with pytest.raises(NoCredentials) as refused:
            choose_profile(None, {})
        assert "auth login" in str(refused.value.hint)
        assert "sandbox" in str(refused.value.hint)


@pytest.mark.usefixtures("config")
class TestCredentialSource:
    """URL and token never come from different sources."""

    @pytest.mark.promise("url-and-token-come-from")
    @pytest.mark.parametrize("missing", ["ONCALLCTL_URL", "ONCALLCTL_TOKEN"])
    def test_incomplete_pair_is_wrong_usage(self, missing: str) -> None:
        with pytest.raises(InvalidInput, match=missing):
            choose_profile(None, without(missing))

    @pytest.mark.parametrize("missing", ["GRAFANA_ONCALL_URL", "GRAFANA_ONCALL_ACCESS_TOKEN"])
    def test_incomplete_pair_of_terraform_is_wrong_usage(self, config: Path, missing: str) -> None:
        config.write_text("")
        with pytest.raises(InvalidInput, match=missing):
            choose_profile(None, without(missing, "ONCALLCTL_URL", "ONCALLCTL_TOKEN", "ONCALLCTL_PROFILE"))

    @pytest.mark.promise("url-and-token-come-from")
    def test_token_of_the_environment_is_not_sent_to_the_server_of_a_profile(
        self, server: Serving, run: Runner, world: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token_file = world / "token"
        token_file.write_text("profile-token")
        token_file.chmod(0o600)
        (world / "config.toml").write_text(f'[profiles.work]\nurl = "{server.url}"\ntoken_file = "{token_file}"\n')
        monkeypatch.setenv("ONCALLCTL_URL", "https://elsewhere.example.org")
        run("teams list --profile work", status=3)
        assert server.seen
        for request in server.seen:
            assert "profile-token" in request.headers["Authorization"]
            assert server.token not in request.headers["Authorization"]

    def test_stack_of_the_environment_is_not_sent_with_a_profile(
        self, server: Serving, run: Runner, world: Path
    ) -> None:
        token_file = world / "token"
        token_file.write_text(server.token)
        token_file.chmod(0o600)
        (world / "config.toml").write_text(
            f'[profiles.work]\nurl = "{server.url}"\napi = "{server.dialect}"\ntoken_file = "{token_file}"\n'
        )
        run("teams list --profile work", ONCALLCTL_GRAFANA_URL="https://other.grafana.net")
        assert "X-Grafana-Url" not in server.seen[0].headers


class TestDialect:
    def test_self_hosted_engine_receives_the_bare_token(self, oss: Serving, run: Runner) -> None:
        run("teams list")
        assert oss.seen[0].headers["Authorization"] == oss.token

    def test_cloud_receives_bearer_and_the_stack(self, cloud: Serving, run: Runner) -> None:
        run("teams list", status=None, ONCALLCTL_GRAFANA_URL="https://sandbox.grafana.invalid")
        assert cloud.seen[0].headers["Authorization"] == f"Bearer {cloud.token}"
        assert cloud.seen[0].headers["X-Grafana-Url"] == "https://sandbox.grafana.invalid"

    @pytest.mark.parametrize(
        ("url", "dialect"),
        [
            ("https://oncall-prod-eu-west-0.grafana.net/oncall", "cloud"),
            ("https://oncall.example.org", "oss"),
            ("https://grafana.net.example.org", "oss"),
            ("https://evilgrafana.net", "oss"),
        ],
    )
    def test_auto_is_decided_by_the_host(self, url: str, dialect: str) -> None:
        from oncallctl.config.connect import dialect_of

        assert dialect_of(choose_profile(None, {"ONCALLCTL_URL": url, "ONCALLCTL_TOKEN": "t"})) == dialect

    def test_stack_trailing_line_break_is_removed(self, cloud: Serving, run: Runner) -> None:
        run("teams list", ONCALLCTL_GRAFANA_URL="https://sandbox.grafana.invalid\n")
        assert cloud.seen[0].headers["X-Grafana-Url"] == "https://sandbox.grafana.invalid"

    @pytest.mark.parametrize("url", ["nonsense", "https://ö.grafana.net"])
    def test_stack_invalid_url_is_wrong_usage(self, cloud: Serving, run: Runner, url: str) -> None:
        run("escalate --user alice --title t", status=2, ONCALLCTL_GRAFANA_URL=url)
        assert cloud.seen == []

    def test_proxy_unsupported_is_wrong_usage(self, run: Runner) -> None:
        environment = {"ONCALLCTL_URL": "https://oncall.example.org", "ONCALLCTL_TOKEN": "t"}
        run("teams list", status=2, ALL_PROXY="socks5://127.0.0.1:1", **environment)

    def test_api_unknown_is_wrong_usage(self, cloud: Serving, run: Runner) -> None:
        run("teams list", status=2, ONCALLCTL_API="grafana")
        assert cloud.seen == []


class TestSandbox:
    def test_sandbox_without_credentials_keeps_its_state(self, run: Runner) -> None:
        run("maintenance start service-010 --for 30m -p sandbox")
        assert [window["name"] for window in run("maintenance status -o json -p sandbox").json] == ["service-010"]

    def test_sandbox_dialects_share_their_state(self, run: Runner) -> None:
        run("maintenance start service-010 --for 30m -p sandbox")
        (window,) = run("maintenance status -o json -p sandbox-oss").json
        assert window["mode"] == "silence_escalations"
        assert window["integration"]["maintenance_mode"] == "debug"

    def test_sandbox_damaged_file_is_reported_with_a_fix(self, run: Runner, world: Path) -> None:
        run("teams list -p sandbox")
        (world / "home/.local/state/oncallctl/sandbox.sqlite3").write_bytes(b"no database" * 1000)
        done = run("teams list -p sandbox -o json", status=2)
        assert "delete" in done.error["hint"]

    def test_sandbox_reset_restores_the_sample_data(self, run: Runner) -> None:
        run("maintenance start service-010 --for 30m -p sandbox")
        run("sandbox reset")
        assert run("maintenance status -o json -p sandbox").json == []
