"""The SQLite file: private, shared by processes, and restored as a whole."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from oncallctl import sandbox
from tests.unit.sandbox.conftest import SERVICE, Api

if TYPE_CHECKING:
    from pathlib import Path

CREATE_INTEGRATIONS = """
import sys, pathlib
from werkzeug.test import Client
from oncallctl import sandbox
client = Client(sandbox.application(pathlib.Path(sys.argv[1]), "cloud"))
headers = {"Authorization": sandbox.ADMIN_TOKEN}
for number in range(int(sys.argv[3])):
    body = {"type": "webhook", "name": f"{sys.argv[2]} {number}"}
    assert client.post("/api/v1/integrations/", json=body, headers=headers).status_code == 201
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database that does not exist yet."""
    return tmp_path / "state" / "sandbox.sqlite3"


def test_folder_and_file_are_private(cloud: Api, database: Path) -> None:
    cloud.start(SERVICE, "group_alerts")
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()} == {0o600}


def test_import_of_the_package_loads_neither_werkzeug_nor_sqlite() -> None:
    program = "import sys, oncallctl.sandbox; print(*{'werkzeug', 'sqlite3', 'json'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_concurrent_creation_of_the_file_loses_no_change(database: Path) -> None:
    programs = [
        subprocess.Popen([sys.executable, "-c", CREATE_INTEGRATIONS, str(database), f"process {number}", "5"])
        for number in range(4)
    ]
    assert [program.wait(timeout=60) for program in programs] == [0, 0, 0, 0]
    api = Api(Client(sandbox.application(database, "cloud")))
    assert api.get("integrations/")["count"] == 122 + 20


def test_concurrent_starts_succeed_once(database: Path) -> None:
    servers = [Api(Client(sandbox.application(database, "cloud"))) for _ in range(8)]

    def start(api: Api) -> int:
        body = {"mode": "silence_escalations", "duration": 60}
        return api.send("POST", f"integrations/{SERVICE}/maintenance_start", body).status_code

    with ThreadPoolExecutor(len(servers)) as pool:
        assert sorted(pool.map(start, servers)) == [200] + [400] * 7


def test_window_is_shown_with_the_mode_of_each_variant(cloud: Api, oss: Api) -> None:
    cloud.start(SERVICE, "group_alerts")
    assert oss.get(f"integrations/{SERVICE}")["maintenance_mode"] == "maintenance"
    oss.stop(SERVICE)
    assert cloud.get(f"integrations/{SERVICE}")["maintenance_mode"] is None


def test_disable_alerts_window_is_shown_as_debug_on_oss(cloud: Api, oss: Api) -> None:
    cloud.start(SERVICE, "disable_alerts")
    assert oss.get(f"integrations/{SERVICE}")["maintenance_mode"] == "debug"


def test_reset_restores_the_sample_data_of_a_running_server(cloud: Api, database: Path) -> None:
    before = cloud.rows("integrations/")
    cloud.start(SERVICE, "group_alerts")
    cloud.post("integrations/", {"type": "webhook", "name": "mine"})
    cloud.post("escalation/", {"team": "TUNFSIER6R4P3"})
    sandbox.reset(database)
    assert cloud.rows("integrations/") == before
    assert cloud.get("alert_groups/")["count"] == 21


def test_reset_creates_a_missing_file(database: Path) -> None:
    sandbox.reset(database)
    assert Api(Client(sandbox.application(database, "oss"))).get("teams/")["count"] == 4


def test_file_of_an_older_version_is_recreated(cloud: Api, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.post("integrations/", {"type": "webhook", "name": "mine"})
    monkeypatch.setattr("oncallctl.sandbox.storage.VERSION", 1000)
    assert Api(Client(sandbox.application(database, "cloud"))).get("integrations/")["count"] == 122


def test_refused_create_leaves_nothing_behind(cloud: Api) -> None:
    body = {"type": "webhook", "name": "half", "default_route": {"escalation_chain_id": "FNOPE"}}
    assert cloud.refused("POST", "integrations/", body) == {"escalation_chain_id": ["Object does not exist"]}
    assert cloud.get("integrations/?name=half")["count"] == 0


def test_given_clock_sets_the_time_of_data_and_requests(database: Path) -> None:
    now = 1_800_000_000.0
    api = Api(Client(sandbox.application(database, "cloud", clock=lambda: now)))
    assert api.get("alert_groups/")["results"][0]["created_at"] == "2027-01-15T07:59:00Z"
    now += 3600
    assert api.start(SERVICE, "group_alerts")["maintenance_started_at"] == "2027-01-15T09:00:00Z"
