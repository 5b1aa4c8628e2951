"""What alerts do around a window: the warning before it, and `maintenance debrief` after it."""

import sqlite3
from collections.abc import Callable

import pytest
from werkzeug.wrappers import Request, Response

from tests.conftest import Runner
from tests.serving import Serving, status

ONE = "C5BPMMTY9FMXJ"


def age(server: Serving) -> None:
    """Let what has arrived so far have arrived a while ago: the server says the start of a window to the second."""
    with sqlite3.connect(server.database) as database:
        database.execute("UPDATE alert_groups SET created_at = created_at - 100")


def titles(server: Serving, run: Runner, options: str = "") -> dict[str, str]:
    return {group["title"]: group["fate"] for group in run(f"maintenance debrief service-010 {options} -o json").json}


class TestBefore:
    def test_groups_that_escalate_already_are_named(self, server: Serving, run: Runner) -> None:
        server.alert(ONE, "it burns")
        (group,) = [
            each for each in run("alert-groups list --state firing -o json").json if each["integration_id"] == ONE
        ]
        done = run("maintenance start service-010 --for 30m")
        assert group["id"] in done.stderr
        assert "keep paging" in done.stderr

    def test_without_any_nothing_is_said(self, server: Serving, run: Runner) -> None:
        assert run("maintenance start service-010 --for 30m").stderr == ""

    def test_it_is_one_look_for_several(self, server: Serving, run: Runner) -> None:
        server.alert(ONE)
        done = run("maintenance start service-010 service-011 --for 30m")
        assert sum("alert_groups" in read for read in server.reads()) == 1
        assert "service-010" in done.stderr
        assert "service-011" not in done.stderr

    def test_window_is_started_if_the_check_for_escalating_groups_fails(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups", status(503))
        done = run("maintenance start service-010 --for 30m")
        assert "could not check" in done.stderr
        assert len(server.changes()) == 1


class TestAfter:
    def test_table_shows_titles_without_html_entities(self, cloud: Serving, run: Runner) -> None:
        def escaped(_request: Request, answer: Callable[[], Response]) -> Response:
            return Response(answer().data.replace(b'"Incident"', b'"R&amp;D"'), content_type="application/json")

        run("maintenance start service-010 --for 30m")
        cloud.alert(ONE, "within")
        cloud.fail("GET", "alert_groups/", escaped, times=20)
        assert "\tR&D\t" in run("maintenance debrief service-010").stdout
        assert '"R&amp;D"' in run("maintenance debrief service-010 -o json").stdout

    def test_what_arrived_in_the_window_and_still_fires_is_listed(self, server: Serving, run: Runner) -> None:
        server.alert(ONE, "before")
        age(server)
        run("maintenance start service-010 --for 30m")
        server.alert(ONE, "within")
        run("maintenance stop service-010")
        found = run("maintenance debrief service-010 -o json").json
        assert [group["fate"] for group in found] == ["still-firing"]
        assert run("maintenance debrief service-010 -o id").stdout == f"{found[0]['id']}\n"

    def test_what_the_end_of_a_group_window_resolved_unseen_is_listed(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        server.alert(ONE, "within")
        run("maintenance stop service-010 --yes")
        assert list(titles(server, run).values()) == ["resolved-unseen"]

    def test_a_window_that_is_open_is_looked_at_whoever_opened_it(self, server: Serving, run: Runner) -> None:
        mode = "silence_escalations" if server.dialect == "cloud" else "debug"
        server.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 600})
        server.alert(ONE, "within")
        assert list(titles(server, run).values()) == ["still-firing"]

    def test_what_somebody_took_is_left_out(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        server.alert(ONE, "within")
        (group,) = run("maintenance debrief service-010 -o json").json
        server.call("POST", f"alert_groups/{group['id']}/acknowledge/")
        assert titles(server, run) == {}

    def test_other_integrations_are_left_out(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        server.alert("C6WEX17LQRP1K", "elsewhere")
        assert titles(server, run) == {}

    def test_without_a_window_it_asks_how_far_to_look_back(self, server: Serving, run: Runner) -> None:
        done = run("maintenance debrief service-010 -o json", status=6)
        assert "--since" in done.error["hint"]

    def test_since_looks_back_without_a_window(self, server: Serving, run: Runner) -> None:
        server.alert(ONE, "whenever")
        assert list(titles(server, run, "--since 1h").values()) == ["still-firing"]

    def test_require_none_is_a_condition(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        run("maintenance debrief service-010 --require none")
        server.alert(ONE, "within")
        run("maintenance debrief service-010 --require none", status=10)

    @pytest.mark.parametrize("since", ["2099-01-01T00:00", "whenever", "-5"])
    def test_a_time_to_come_is_refused(self, server: Serving, run: Runner, since: str) -> None:
        run(f"maintenance debrief service-010 --since {since}", status=2)
