"""`doctor`: the checks of the server."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from oncallctl import sandbox
from oncallctl.config.profiles import Profile
from oncallctl.doctor import server as server_checks
from tests import certificates
from tests.cli.doctor.setups import READS, Doctor, passing, with_headers
from tests.serving import Fault, Serving, status


class TestUrl:
    def test_url_unreachable_is_exit_8(self, doctor: Doctor) -> None:
        rows = doctor(exit_code=8, ONCALLCTL_URL="http://127.0.0.1:9", ONCALLCTL_TOKEN="not-the-right-token")
        assert rows["url"]["status"] == "fail"
        assert "clock" not in rows

    @pytest.mark.parametrize(
        ("answer", "exit_code"),
        [(status(404), 1), (status(500), 8), (status(200, "<html>log in</html>"), 8), (status(302, Location="/x"), 1)],
    )
    def test_url_not_oncall_is_a_failure(self, cloud: Serving, doctor: Doctor, answer: Fault, exit_code: int) -> None:
        cloud.fail("GET", "", answer, times=9)
        rows = doctor(exit_code=exit_code)
        assert rows["url"]["status"] == "fail"
        assert not READS & set(rows)
        assert rows["clock"]["status"] == "ok"

    def test_url_failing_is_requested_once(self, cloud: Serving, doctor: Doctor) -> None:
        cloud.fail("GET", "", status(500), times=9)
        doctor(exit_code=8)
        assert len(cloud.seen) == 1

    @pytest.fixture
    def tls(self, world: Path) -> Iterator[str]:
        application = sandbox.application(world / "tls.sqlite3", "cloud")
        listening = make_server("127.0.0.1", 0, application, threaded=True, ssl_context=certificates.shown())
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()
        listening.server_close()

    def test_certificate_untrusted_is_exit_8(self, doctor: Doctor, tls: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        rows = doctor(exit_code=8, ONCALLCTL_URL=tls, ONCALLCTL_TOKEN=sandbox.ADMIN_TOKEN)
        assert "certificate" in rows["url"]["hint"]

    def test_certificate_trusted_is_reported(self, doctor: Doctor, tls: str, world: Path) -> None:
        pair = {"ONCALLCTL_URL": tls, "ONCALLCTL_TOKEN": sandbox.ADMIN_TOKEN, "ONCALLCTL_API": "cloud"}
        rows = doctor(SSL_CERT_FILE=str(certificates.trust_in(world)), SSL_CERT_DIR=str(world), **pair)
        assert "its certificate is trusted" in rows["url"]["message"]

    def test_plain_http_over_a_network_is_a_warning(self) -> None:
        finding = server_checks._url(Profile("work", "http://oncall.example.org", allow_http=True), None, 0.1)
        assert (finding.status, "unencrypted" in finding.message) == ("warn", True)


class TestDialect:
    def test_dialect_cloud_for_a_self_hosted_engine_is_exit_2(self, oss: Serving, doctor: Doctor) -> None:
        rows = doctor(exit_code=2, ONCALLCTL_API="cloud")
        assert "it is oss" in rows["dialect"]["message"]
        assert 'api = "oss"' in rows["dialect"]["hint"]
        assert {rows[check]["status"] for check in READS} == {"ok"}

    def test_dialect_oss_for_cloud_is_a_warning(self, cloud: Serving, doctor: Doctor) -> None:
        rows = doctor(ONCALLCTL_API="oss")
        assert rows["dialect"]["status"] == "warn"
        assert "it is Cloud" in rows["dialect"]["message"]

    def test_dialect_auto_names_the_host_as_the_reason(self, oss: Serving, doctor: Doctor) -> None:
        assert doctor(ONCALLCTL_API="auto")["dialect"]["message"].startswith("oss by its host")


class TestAuthorization:
    def test_token_refused_in_both_forms_is_exit_3(self, server: Serving, doctor: Doctor) -> None:
        rows = doctor(exit_code=3, ONCALLCTL_TOKEN="not-the-right-token")
        assert rows["authorization"]["status"] == "fail"
        assert rows["dialect"]["status"] == "warn"
        assert "no token" not in rows["dialect"]["message"]
        assert rows["url"]["status"] == "ok"

    def test_token_of_a_user_without_permissions_is_recognized_and_refused(
        self, server: Serving, doctor: Doctor
    ) -> None:
        refusal = status(403, '{"detail": "You do not have permission to perform this action."}')
        server.fail("GET", "teams", refusal, times=9)
        rows = doctor(exit_code=3)
        assert rows["dialect"]["status"] == "ok"
        assert "recognizes the token" in rows["dialect"]["message"]
        assert "You do not have permission" in rows["authorization"]["message"]
        assert "another user" in rows["authorization"]["hint"]

    def test_authorization_names_the_user_of_the_token(self, server: Serving, doctor: Doctor) -> None:
        assert doctor(ONCALLCTL_TOKEN=sandbox.EDITOR_TOKEN)["authorization"]["message"].startswith("bob")

    @pytest.mark.parametrize(
        ("token", "refused"), [(sandbox.EDITOR_TOKEN, "maintenance windows"), (sandbox.VIEWER_TOKEN, "pages, actions")]
    )
    def test_role_without_permissions_on_an_engine_is_a_warning(
        self, oss: Serving, doctor: Doctor, token: str, refused: str
    ) -> None:
        row = doctor(ONCALLCTL_TOKEN=token)["authorization"]
        assert row["status"] == "warn"
        assert f"the server refuses {refused}" in row["message"]

    def test_role_without_permissions_on_cloud_is_ok(self, cloud: Serving, doctor: Doctor) -> None:
        assert doctor(ONCALLCTL_TOKEN=sandbox.EDITOR_TOKEN)["authorization"]["status"] == "ok"

    def test_service_account_on_cloud_is_ok(self, cloud: Serving, doctor: Doctor) -> None:
        environment = {"ONCALLCTL_TOKEN": sandbox.SERVICE_ACCOUNT_TOKEN, "ONCALLCTL_GRAFANA_URL": sandbox.GRAFANA_URL}
        assert doctor(**environment)["authorization"] == {
            "check": "authorization",
            "status": "ok",
            "message": "a service account",
            "hint": None,
        }

    def test_service_account_without_its_stack_is_exit_3_with_a_hint(self, cloud: Serving, doctor: Doctor) -> None:
        rows = doctor(exit_code=3, ONCALLCTL_TOKEN=sandbox.SERVICE_ACCOUNT_TOKEN)
        assert "grafana_url" in rows["authorization"]["hint"]

    def test_service_account_on_a_self_hosted_engine_is_a_warning(self, oss: Serving, doctor: Doctor) -> None:
        row = doctor(ONCALLCTL_TOKEN=sandbox.SERVICE_ACCOUNT_TOKEN)["authorization"]
        assert row["status"] == "warn"
        assert "maintenance" in row["message"]

    def test_stack_unknown_to_the_server_is_exit_8(self, cloud: Serving, doctor: Doctor) -> None:
        row = doctor(exit_code=8, ONCALLCTL_GRAFANA_URL="https://other.grafana.net")["authorization"]
        assert "grafana_url" in row["hint"]


class TestPermissions:
    @pytest.mark.parametrize("name", ["integrations", "users/", "alert_groups"])
    def test_read_permission_missing_is_exit_3(self, cloud: Serving, doctor: Doctor, name: str) -> None:
        if name == "users/":
            cloud.fail("GET", name, passing)  # who the token is
        cloud.fail("GET", name, status(403, '{"detail": "You do not have permission."}'))
        check = f"read-{name.strip('/').replace('_', '-')}"
        rows = doctor(exit_code=3)
        assert [each for each, row in rows.items() if row["status"] == "fail"] == [check]
        assert "You do not have permission" in rows[check]["message"]

    def test_each_read_requests_one_object(self, cloud: Serving, doctor: Doctor) -> None:
        doctor()
        lists = [seen for seen in cloud.seen if "users/current" not in seen.path]
        assert {seen.query["perpage"] for seen in lists} == {"1"}
        assert len(lists) <= 6


class TestClock:
    @pytest.mark.parametrize(("seconds", "how"), [(95, "ahead of"), (-95, "behind")])
    def test_clock_skewed_is_a_warning(
        self, cloud: Serving, doctor: Doctor, monkeypatch: pytest.MonkeyPatch, seconds: int, how: str
    ) -> None:
        monkeypatch.setattr(server_checks, "now", lambda: datetime.now(UTC) + timedelta(seconds=seconds))
        row = doctor()["clock"]
        assert row["status"] == "warn"
        assert re.search(rf"^9[4-6] s {how} the server's", row["message"])

    @pytest.mark.parametrize("seconds", [-25, 25])
    def test_clock_slightly_skewed_is_ok(
        self, cloud: Serving, doctor: Doctor, monkeypatch: pytest.MonkeyPatch, seconds: int
    ) -> None:
        monkeypatch.setattr(server_checks, "now", lambda: datetime.now(UTC) + timedelta(seconds=seconds))
        assert doctor()["clock"]["status"] == "ok"

    @pytest.mark.parametrize("date", ["", "yesterday"])
    def test_clock_without_a_date_header_is_a_warning(self, date: str) -> None:
        finding = server_checks._clock(Profile("work", "https://h"), {"date": date}, datetime.now(UTC))
        assert finding.status == "warn"


class TestRateLimit:
    @pytest.mark.parametrize(
        ("headers", "state", "expected"),
        [
            ({"RateLimit_Remaining": "250", "RateLimit_Limit": "300"}, "ok", "250 of 300 requests left"),
            ({"X_RateLimit_Remaining": "3"}, "warn", "3 requests left"),
            ({"RateLimit": '"default";r=2;t=30'}, "warn", "2 requests left"),
            ({"RateLimit_Remaining": "many"}, "ok", "does not report"),
        ],
    )
    def test_rate_limit_headers_are_reported(
        self, cloud: Serving, doctor: Doctor, headers: dict[str, str], state: str, expected: str
    ) -> None:
        cloud.fail("GET", "alert_groups", with_headers(**headers))
        row = doctor()["rate-limit"]
        assert row["status"] == state
        assert expected in row["message"]

    def test_rate_limit_used_up_is_reported_without_waiting(self, cloud: Serving, doctor: Doctor) -> None:
        cloud.fail("GET", "teams", status(429, '{"detail": "throttled"}', Retry_After="40"))
        rows = doctor()
        assert "retry in 40 s" in rows["rate-limit"]["message"]
        assert rows["authorization"]["status"] == "warn"
        assert len(cloud.seen) == 1
