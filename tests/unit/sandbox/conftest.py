"""A sandbox per test, in both variants."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client, TestResponse

from oncallctl import sandbox
from tests.serving import copy_sample_data

if TYPE_CHECKING:
    from pathlib import Path

PLATFORM = "TKPSLLWBFUI9R"
PAYMENTS = "TNFI27MJ312BL"
DATA_INFRA = "TUNFSIER6R4P3"
EMPTY_TEAM = "TTGSJ42GU2P7N"

ALICE = "U6YF83T9HEFKQ"
BOB = "U85BI7ASG8K6E"
CAROL = "U5E53H65Q9XRM"
DAVE = "UBA8RB2WD7AWI"
FRANK = "UW3PFPDHZ6ZBV"
"""A viewer, with the token `VIEWER_TOKEN`."""

PLATFORM_PAGING = "CJET3HZ493WKX"
PAYMENTS_PAGING = "C96JEN9HUI8XD"
NO_TEAM_PAGING = "CDD4LQ1C5ITCE"
SERVICE = "CRX5VWIUH5PFF"
"""service-001, a webhook integration of payments."""


@dataclass(frozen=True)
class Api:
    """A client of a server, with a token."""

    client: Client
    token: str = sandbox.ADMIN_TOKEN

    def send(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        """Send a request; a path without a leading slash is below /api/v1/."""
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        authorization = {"Authorization": self.token} if self.token else {}
        url = path if path.startswith("/") else f"/api/v1/{path}"
        return self.client.open(url, method=method, json=body, headers=authorization | extra)

    def get(self, path: str) -> Any:
        response = self.send("GET", path)
        assert response.status_code == 200, response.text
        return response.json

    def post(self, path: str, body: object = None) -> Any:
        response = self.send("POST", path, body)
        assert response.status_code in {200, 201}, response.text
        return response.json

    def patch(self, path: str, body: object) -> Any:
        response = self.send("PATCH", path, body)
        assert response.status_code == 200, response.text
        return response.json

    def refused(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON of a 400 response."""
        response = self.send(method, path, body)
        assert response.status_code == 400, response.text
        return response.json

    def rows(self, path: str) -> list[Any]:
        """Return all rows of a list, from all result pages."""
        first = self.get(path)
        others = [self.get(f"{path}?page={number}") for number in range(2, first["total_pages"] + 1)]
        return [row for page in [first, *others] for row in page["results"]]

    def with_token(self, token: str) -> Api:
        return Api(self.client, token)

    def alert(self, integration_id: str, payload: object) -> TestResponse:
        """Post an alert to the link of an integration, on this server."""
        link = self.get(f"integrations/{integration_id}")["link"]
        return self.client.post(link.removeprefix(sandbox.BASE_URL), json=payload)

    def start(self, integration_id: str, mode: str, seconds: int = 3600) -> Any:
        """Start a maintenance window."""
        return self.post(f"integrations/{integration_id}/maintenance_start", {"mode": mode, "duration": seconds})

    def stop(self, integration_id: str) -> Any:
        """Stop a maintenance window."""
        return self.post(f"integrations/{integration_id}/maintenance_stop")


def set_role(database: Path, user_id: str, role: str) -> None:
    """Set the role of a user: admin, editor, viewer or none."""
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("UPDATE users SET role = ? WHERE id = ?", (role, user_id))


@dataclass(frozen=True)
class SentNotifications:
    """The notifications that a real server would have sent so far, in order."""

    database: Path

    def __call__(self) -> list[tuple[str, bool]]:
        """Return the users, each with the importance of the notification."""
        return [(user_id, bool(important)) for user_id, important in self._rows("user_id, important")]

    def steps(self) -> list[tuple[str, str | None]]:
        """Return the users, each with the type of the escalation step; None for users who were paged by name."""
        return self._rows("user_id, step")

    def _rows(self, columns: str) -> list[Any]:
        with closing(sqlite3.connect(self.database)) as db:
            return db.execute(f"SELECT {columns} FROM notifications ORDER BY position").fetchall()


@dataclass
class Clock:
    """The stopped clock of the server and of the sample data.

    Attributes:
        now: the current time in ISO 8601; tests may change it.
    """

    now: str = "2027-03-03T12:30:00+00:00"
    monotonic: Any = field(default=time.monotonic)
    sleep: Any = field(default=time.sleep)

    def time(self) -> float:
        return datetime.fromisoformat(self.now).timestamp()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("oncallctl.sandbox.storage.time", clock)
    monkeypatch.setattr("oncallctl.sandbox.server.time", clock)
    return clock


@pytest.fixture
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A database with the sample data. With the fixture `clock`, the first server fills it, by that clock."""
    path = tmp_path / "state" / "sandbox.sqlite3"
    return path if "clock" in request.fixturenames else copy_sample_data(path)


@pytest.fixture
def cloud(database: Path) -> Api:
    return Api(Client(sandbox.application(database, "cloud", rate_limit=10_000)))


@pytest.fixture
def oss(database: Path) -> Api:
    """The self-hosted variant, over the same data."""
    return Api(Client(sandbox.application(database, "oss", rate_limit=10_000)))


@pytest.fixture
def notified(database: Path) -> SentNotifications:
    return SentNotifications(database)
