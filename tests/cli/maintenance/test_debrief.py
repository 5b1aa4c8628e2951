"""Alerts around a window: the warning before it, and `maintenance debrief` after it."""

import sqlite3
from collections.abc import Callable

import pytest
from werkzeug.wrappers import Request, Response

from tests.conftest import Runner
from tests.serving import Serving, status

ONE = "C5BPMMTY9FMXJ"


def age(server: Serving) -> None:
    """Move the present alert groups back, because the server truncates the start of a window to seconds."""
    with sqlite3.connect(server.database) as database:
        database.execute("UPDATE alert_groups SET created_at = created_at - 100")


def titles(server: Serving, run: Runner, options: str = "") -> dict[str, str]:
    return {
        group["title"]: group["outcome"] for group in run(f"maintenance debrief service-010 {options} -o json").json
    }


class TestBefore:
    def test_start_with_escalating_groups_names_them(self, cloud: Serving, run: Runner) -> None:
        cloud.alert(ONE, "it burns")
        (group,) = [
            each for each in run("alert-groups list --state firing -o json").json if each["integration_id"] == ONE
        ]
        done = run("maintenance start service-010 --for 30m")
        assert group["id"] in done.stderr
        assert "keep paging" in done.stderr

    def test_start_without_escalating_groups_prints_no_warning(self, cloud: Serving, run: Runner) -> None:
        assert run("maintenance start service-010 --for 30m").stderr == ""

    def test_check_for_escalating_groups_of_several_targets_is_one_request(self, cloud: Serving, run: Runner) -> None:
        cloud.alert(ONE)
        done = run("maintenance start service-010 service-011 --for 30m")
        assert sum("alert_groups" in read for read in cloud.reads()) == 1
        assert "service-010" in done.stderr
        assert "service-011" not in done.stderr

    def test_window_is_started_if_the_check_for_escalating_groups_fails(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "alert_groups", status(503))
        done = run("maintenance start service-010 --for 30m")
        assert "could not check" in done.stderr
        assert len(cloud.changes()) == 1


class TestAfter:
    def test_table_shows_titles_without_html_entities(self, cloud: Serving, run: Runner) -> None:
        def escaped(_request: Request, answer: Callable[[], Response]) -> Response:
            return Response(answer().data.replace(b'"Incident"', b'"R&amp;D"'), content_type="application/json")

        run("maintenance start service-010 --for 30m")
        cloud.alert(ONE, "within")
        cloud.fail("GET", "alert_groups/", escaped, times=20)
        assert "\tR&D\t" in run("maintenance debrief service-010").stdout
        assert '"R&amp;D"' in run("maintenance debrief service-010 -o json").stdout

    def test_debrief_lists_groups_of_the_window_that_still_fire(self, cloud: Serving, run: Runner) -> None:
        cloud.alert(ONE, "before")
        age(cloud)
        run("maintenance start service-010 --for 30m")
        cloud.alert(ONE, "within")
        run("maintenance stop service-010")
        rows = run("maintenance debrief service-010 -o json").json
        assert [group["outcome"] for group in rows] == ["still-firing"]
        assert run("maintenance debrief service-010 -o id").stdout == f"{rows[0]['id']}\n"

    def test_debrief_lists_groups_that_the_end_of_a_group_window_resolved(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        server.alert(ONE, "within")
        run("maintenance stop service-010 --yes")
        assert list(titles(server, run).values()) == ["resolved-unseen"]

    def test_debrief_of_an_active_foreign_window_lists_its_groups(self, cloud: Serving, run: Runner) -> None:
        mode = "silence_escalations"
        cloud.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 600})
        cloud.alert(ONE, "within")
        assert list(titles(cloud, run).values()) == ["still-firing"]

    def test_debrief_omits_acknowledged_groups(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        cloud.alert(ONE, "within")
        (group,) = run("maintenance debrief service-010 -o json").json
        cloud.call("POST", f"alert_groups/{group['id']}/acknowledge/")
        assert titles(cloud, run) == {}

    def test_debrief_omits_other_integrations(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        cloud.alert("C6WEX17LQRP1K", "elsewhere")
        assert titles(cloud, run) == {}

    def test_debrief_without_a_window_requires_since(self, cloud: Serving, run: Runner) -> None:
        done = run("maintenance debrief service-010 -o json", status=6)
        assert "--since" in done.error["hint"]

    def test_debrief_since_a_time_needs_no_window(self, cloud: Serving, run: Runner) -> None:
        cloud.alert(ONE, "whenever")
        assert list(titles(cloud, run, "--since 1h").values()) == ["still-firing"]

    def test_debrief_require_none_exits_with_10_if_there_are_groups(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        run("maintenance debrief service-010 --require none")
        cloud.alert(ONE, "within")
        run("maintenance debrief service-010 --require none", status=10)

    @pytest.mark.parametrize("since", ["2099-01-01T00:00", "whenever", "-5"])
    def test_debrief_since_a_future_time_is_refused(self, cloud: Serving, run: Runner, since: str) -> None:
        run(f"maintenance debrief service-010 --since {since}", status=2)
