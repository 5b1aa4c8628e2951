"""Requests and responses of the API layer against the examples in Grafana's API documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.integrations import Integration
from oncallctl.api.resources.teams import Team
from oncallctl.config.connect import open_profile
from oncallctl.config.profiles import Profile
from oncallctl.config.settings import Settings
from oncallctl.errors import Unsupported
from oncallctl.escalation.page import Page
from tests.contract import documented as doc

CLOUD = "https://oncall-prod-eu-west-0.grafana.net/oncall"
OSS = "https://oncall.example.com"

INTEGRATION = f"integrations/{doc.INTEGRATION_ID}/"
TEAM = f"teams/{doc.TEAM_ID}/"
USERS = ((Named(doc.CALM_USER, None), False), (Named(doc.IMPORTANT_USER, None), True))
TEXTS = {"title": doc.TITLE, "message": doc.MESSAGE, "source_url": doc.SOURCE_URL}

# A page to users without a team may go to the current team of the token's user, or be refused because of it.
# So `team` is sent as null: the only difference from the documents.
NO_TEAM = {"team": None}


@pytest.fixture
def cloud() -> Iterator[OnCall]:
    profile = Profile(name="prod", url=CLOUD, grafana_url=doc.STACK, api="cloud")
    with open_profile(profile, doc.TOKEN, Settings()) as oncall:
        yield oncall


@pytest.fixture
def oss() -> Iterator[OnCall]:
    with open_profile(Profile(name="lab", url=OSS, api="oss"), doc.TOKEN, Settings()) as oncall:
        yield oncall


def send(change: Callable[[OnCall], Any]) -> Callable[[OnCall], Any]:
    return lambda oncall: oncall.send(change(oncall))


@dataclass(frozen=True)
class Documented:
    """An exchange of the documents, and the call that sends its request.

    Attributes:
        sent: method and path below the API root.
        call: call of the API layer.
        response: JSON of the response; None stands for 204.
        model: model of the result.
        body: JSON of the request; None means that it has no body.
        query: query parameters of the request.
        status: status of the response.
    """

    name: str
    sent: str
    call: Callable[[OnCall], Any]
    response: dict[str, Any] | None
    model: type | None = None
    body: dict[str, Any] | None = None
    query: tuple[tuple[str, str], ...] = ()
    status: int = 200


def integrations(
    single: dict[str, Any], page: dict[str, Any], updated: dict[str, Any], *, release: str
) -> list[Documented]:
    """Return the exchanges of one release of "Integrations HTTP API"."""
    return [
        Documented(
            f"create an integration, {release}",
            "POST integrations/",
            send(lambda oncall: oncall.integrations.create(doc.CREATE_BODY)),
            single,
            Integration,
            body={"type": "grafana"},
            status=201,
        ),
        Documented(
            f"get an integration, {release}",
            f"GET {INTEGRATION}",
            lambda oncall: oncall.integrations.get(doc.INTEGRATION_ID),
            single,
            Integration,
        ),
        Documented(
            f"list integrations, {release}",
            "GET integrations/",
            lambda oncall: list(oncall.integrations.list()),
            page,
            Integration,
            query=(("perpage", "100"), ("page", "1")),
        ),
        Documented(
            f"update an integration, {release}",
            f"PUT {INTEGRATION}",
            send(lambda oncall: oncall.integrations.update(doc.INTEGRATION_ID, doc.UPDATE_BODY)),
            updated,
            Integration,
            body={
                "templates": {
                    "grouping_key": None,
                    "resolve_signal": None,
                    "slack": {"title": None, "message": None, "image_url": None},
                }
            },
        ),
        Documented(
            f"delete an integration, {release}",
            f"DELETE {INTEGRATION}",
            lambda oncall: oncall.send_without_result(oncall.integrations.delete(doc.INTEGRATION_ID)),
            None,
            status=204,
        ),
    ]


def maintenance() -> list[Documented]:
    """Return starts and stops of windows from Cloud's "Integrations HTTP API". Their paths lack the final slash."""
    starts = [
        Documented(
            f"start maintenance, {mode}",
            f"POST {INTEGRATION}maintenance_start",
            send(lambda oncall, mode=mode: oncall.integrations.start_maintenance(doc.INTEGRATION_ID, mode, 3600)),
            {**doc.CLOUD_STARTED, "maintenance_mode": mode},
            Integration,
            body={**doc.START_BODY, "mode": mode},
        )
        for mode in ("group_alerts", "silence_escalations", "disable_alerts")
    ]
    return [
        *starts,
        Documented(
            "stop maintenance",
            f"POST {INTEGRATION}maintenance_stop",
            send(lambda oncall: oncall.integrations.stop_maintenance(doc.INTEGRATION_ID)),
            doc.CLOUD_INTEGRATION,
            Integration,
        ),
    ]


def labels() -> list[Documented]:
    return [
        Documented(
            f"create an integration with {field}",
            "POST integrations/",
            send(lambda oncall, body=body: oncall.integrations.create({"type": "grafana", **body})),
            {**doc.CLOUD_INTEGRATION, **body},
            Integration,
            body={"type": "grafana", **body},
            status=201,
        )
        for field, body in (("labels", doc.LABELS_BODY), ("dynamic labels", doc.DYNAMIC_LABELS_BODY))
    ]


def teams() -> list[Documented]:
    """Return the exchanges of Cloud's "Grafana OnCall teams HTTP API"."""
    on_call = [
        Documented(
            f"{when} on-call users of a team{' by a route' if query else ''}",
            f"GET {TEAM}{when}_oncall/",
            lambda oncall, when=when, query=query: oncall.teams.on_call(doc.TEAM_ID, when, **query),
            doc.ON_CALL,
            query=tuple((name, str(value)) for name, value in query.items()),
        )
        for when, query in (
            ("current", {}),
            ("current", {"route": "RVBE4RKQSCGJ2"}),
            ("previous", {}),
            ("previous", {"days": 30, "route": "RVBE4RKQSCGJ2"}),
            ("next", {}),
            ("next", {"days": 30, "route": "RVBE4RKQSCGJ2"}),
        )
    ]
    return [
        Documented("get a team", f"GET {TEAM}", lambda oncall: oncall.teams.get(doc.TEAM_ID), doc.TEAM, Team),
        Documented(
            "list teams",
            "GET teams/",
            lambda oncall: list(oncall.teams.list()),
            doc.TEAMS,
            Team,
            query=(("perpage", "100"), ("page", "1")),
        ),
        Documented(
            "list teams by name",
            "GET teams/",
            lambda oncall: list(oncall.teams.list(name="my test team")),
            doc.TEAMS,
            Team,
            query=(("name", "my test team"), ("perpage", "100"), ("page", "1")),
        ),
        *on_call,
    ]


def escalation() -> list[Documented]:
    """Return the three pages of "Escalation HTTP API"."""
    return [
        Documented(
            "escalate to users",
            "POST escalation/",
            send(Page(users=USERS, **TEXTS).change),
            doc.ALERT_GROUP,
            AlertGroup,
            body={**doc.USERS_BODY, **NO_TEAM},
        ),
        Documented(
            "escalate to a team",
            "POST escalation/",
            send(Page(team=Named(doc.TEAM_ID, None), important=True, **TEXTS).change),
            doc.ALERT_GROUP,
            AlertGroup,
            body=doc.TEAM_BODY,
        ),
        Documented(
            "escalate to users for an existing alert group",
            "POST escalation/",
            send(Page(users=USERS, alert_group=doc.GROUP_ID).change),
            doc.ALERT_GROUP,
            AlertGroup,
            body={**doc.GROUP_BODY, **NO_TEAM},
        ),
    ]


ON_CLOUD = [
    *integrations(doc.CLOUD_INTEGRATION, doc.CLOUD_INTEGRATIONS, doc.CLOUD_UPDATED, release="cloud"),
    *maintenance(),
    *labels(),
    *teams(),
    *escalation(),
]
ON_OSS = [
    *integrations(
        doc.OSS_OLDER_INTEGRATION, doc.OSS_OLDER_INTEGRATIONS, doc.OSS_OLDER_UPDATED, release="older release"
    ),
    *integrations(doc.OSS_INTEGRATION, doc.OSS_INTEGRATIONS, doc.OSS_UPDATED, release="last release"),
    *escalation(),
]


@pytest.mark.parametrize("documented", ON_CLOUD, ids=lambda each: each.name)
def test_request_to_cloud_matches_its_documents(documented: Documented, httpx_mock: HTTPXMock, cloud: OnCall) -> None:
    request = exchange(documented, httpx_mock, cloud)
    assert str(request.url).partition("?")[0] == f"{CLOUD}/api/v1/{documented.sent.partition(' ')[2]}"
    assert request.headers["Authorization"] == "Bearer meowmeowmeow"
    assert request.headers["X-Grafana-URL"] == "https://your-stack.grafana.net"


@pytest.mark.parametrize("documented", ON_OSS, ids=lambda each: each.name)
def test_request_to_self_hosted_engine_matches_its_documents(
    documented: Documented, httpx_mock: HTTPXMock, oss: OnCall
) -> None:
    request = exchange(documented, httpx_mock, oss)
    assert str(request.url).partition("?")[0] == f"{OSS}/api/v1/{documented.sent.partition(' ')[2]}"
    assert request.headers["Authorization"] == "meowmeowmeow"
    assert "X-Grafana-URL" not in request.headers


def exchange(documented: Documented, httpx_mock: HTTPXMock, oncall: OnCall) -> httpx.Request:
    """Run an exchange, check request and result except host and credentials, and return the request."""
    if documented.response is None:
        httpx_mock.add_response(status_code=documented.status)
    else:
        httpx_mock.add_response(status_code=documented.status, json=documented.response)

    result = documented.call(oncall)

    if documented.response is None:
        assert result is None
    elif documented.model is None:  # on call: returns the model and the complete document
        model, document = result
        assert document == documented.response
        assert (model.count, model.users) == (1, documented.response["users"])
        assert [shift.users for shift in model.shifts] == [["U4DNY931HHJS5"]]
    elif isinstance(result, list):
        assert [each.raw for each in result] == documented.response["results"]
        assert [type(each) for each in result] == [documented.model]
    else:
        assert result.raw == documented.response
        assert type(result) is documented.model

    request = httpx_mock.get_request()  # fails if there were several
    assert request.method == documented.sent.partition(" ")[0]
    assert tuple(request.url.params.multi_items()) == documented.query
    if documented.body is None:
        assert request.content == b""
        assert "Content-Type" not in request.headers
    else:
        assert json.loads(request.content) == documented.body
        assert request.headers["Content-Type"] == "application/json"
    return request


def test_on_call_of_a_team_without_shifts_is_empty(httpx_mock: HTTPXMock, cloud: OnCall) -> None:
    httpx_mock.add_response(json=doc.NOBODY_ON_CALL)
    model, document = cloud.teams.on_call(doc.TEAM_ID, "current")
    assert (model.count, model.users, model.shifts) == (0, [], [])
    assert document == doc.NOBODY_ON_CALL


@pytest.mark.parametrize("when", ["current", "next", "previous"])
def test_on_call_endpoint_on_self_hosted_engine_is_refused_unsent(
    when: str, httpx_mock: HTTPXMock, oss: OnCall
) -> None:
    with pytest.raises(Unsupported, match="self-hosted"):
        oss.teams.on_call(doc.TEAM_ID, when)
    assert httpx_mock.get_requests() == []


@pytest.mark.parametrize(
    ("mode", "word"), [("silence_escalations", "debug"), ("group_alerts", "maintenance")], ids=lambda word: word
)
def test_maintenance_mode_on_self_hosted_engine_is_translated_in_request_and_result(
    mode: str, word: str, httpx_mock: HTTPXMock, oss: OnCall
) -> None:
    httpx_mock.add_response(json={**doc.CLOUD_STARTED, "maintenance_mode": word})
    started = oss.send(oss.integrations.start_maintenance(doc.INTEGRATION_ID, mode, 3600))
    assert json.loads(httpx_mock.get_request().content) == {"mode": word, "duration": 3600}
    assert started.maintenance_mode == mode
    assert started.raw["maintenance_mode"] == word


def test_disable_alerts_on_self_hosted_engine_is_refused_unsent(httpx_mock: HTTPXMock, oss: OnCall) -> None:
    with pytest.raises(Unsupported, match="disable_alerts"):
        oss.integrations.start_maintenance(doc.INTEGRATION_ID, "disable_alerts", 3600)
    assert httpx_mock.get_requests() == []
