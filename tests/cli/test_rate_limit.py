"""More targets than the rate limit allows in a minute: each is changed once, and the waits are announced.

The server's clock stands still until the client has waited for the time in Retry-After, and then advances by a minute.
So the number of rate limits depends on the requests, not on the speed of this machine.
"""

from __future__ import annotations

import math
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from oncallctl import sandbox
from tests.conftest import Run
from tests.places import ROOT
from tests.serving import Serving

LIMIT = 20
TARGETS = 30
TOGETHER = 8  # the most parallel requests of one process
NOTE = "rate limited, next try in {} s"


@dataclass
class Limited(Serving):
    """A server that accepts `rate_limit` requests, and then requires a wait of `seconds`.

    Attributes:
        responses: method, path and status of every response.
        waits: the number of completed waits.
    """

    rate_limit: int = LIMIT
    seconds: int = 1
    responses: list[tuple[str, str, int]] = field(default_factory=list)
    waits: int = 0
    began: float = 0.0
    reset_at: float | None = None
    clock_lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        super().__enter__()
        self.began = time.time()
        self.limit(self.rate_limit)
        return self

    def limit(self, requests: int) -> None:
        """Accept this number of requests from now on."""
        self._application = sandbox.application(
            self.database, self.dialect, rate_limit=requests, clock=lambda: self.began + 61 * self.waits
        )

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self.clock_lock:
            if self.reset_at is not None and time.monotonic() >= self.reset_at:
                self.waits, self.reset_at = self.waits + 1, None

        def start(status: str, headers: list[tuple[str, str]]) -> object:
            code = int(status[:3])
            self.responses.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], code))
            if code == 429:
                with self.clock_lock:
                    left = self.seconds if self.reset_at is None else math.ceil(self.reset_at - time.monotonic())
                    self.reset_at = self.reset_at or time.monotonic() + self.seconds
                headers = [(name, str(max(left, 1)) if name == "Retry-After" else value) for name, value in headers]
            return start_response(status, headers)

        return super().__call__(environ, start)

    def successes(self, method: str, part: str) -> Counter[str]:
        """Count the successful requests of each path that contains `part`."""
        return Counter(path for verb, path, code in self.responses if verb == method and part in path and code == 200)

    def rate_limited(self) -> int:
        return sum(code == 429 for _, _, code in self.responses)


@pytest.fixture
def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Limited]:
    """A rate-limited server, configured in the environment."""
    with Limited(tmp_path / "limited.sqlite3", "cloud") as serving:
        monkeypatch.setenv("ONCALLCTL_URL", serving.url)
        monkeypatch.setenv("ONCALLCTL_TOKEN", serving.token)
        monkeypatch.setenv("ONCALLCTL_API", serving.dialect)
        yield serving


def all_of(serving: Limited, path: str) -> list[dict[str, Any]]:
    """Return all rows of a list, without counting for the rate limit."""
    from werkzeug.test import Client

    unlimited = Client(sandbox.application(serving.database, serving.dialect, rate_limit=10**6))
    token = serving.token if serving.dialect == "oss" else f"Bearer {serving.token}"
    response = unlimited.get(f"/api/v1/{path}", headers={"Authorization": token})
    return response.json["results"]


def integrations(serving: Limited, count: int = TARGETS) -> list[str]:
    rows = all_of(serving, "integrations/?perpage=1000")
    quiet = [each for each in rows if each["type"] != "direct_paging" and each["maintenance_mode"] is None]
    assert len(quiet) >= count
    return [each["id"] for each in quiet[:count]]


def started(line: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "oncallctl", *shlex.split(line)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def finished(process: subprocess.Popen[str]) -> Run:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return Run(process.returncode, out, err)


def start(ids: list[str]) -> str:
    return f"maintenance start {' '.join(ids)} --for 3h --yes -o json"


def statuses(*runs: Run) -> Counter[str]:
    return Counter(each["status"] for run in runs for each in run.json)


def assert_announced(run: Run, seconds: int = 1) -> None:
    assert NOTE.format(seconds) in run.stderr
    assert "error" not in run.stderr


@pytest.mark.promise("no-change-sent-twice-may")
def test_windows_on_more_targets_than_the_rate_limit_are_each_started_once(limited: Limited) -> None:
    ids = integrations(limited)
    run = finished(started(start(ids)))
    assert statuses(run) == {"started": TARGETS}
    assert limited.successes("POST", "maintenance_start") == {
        f"/api/v1/integrations/{each}/maintenance_start": 1 for each in ids
    }
    assert_announced(run)
    assert limited.waits >= 2
    # No thread sends requests during a wait.
    assert limited.rate_limited() <= limited.waits * TOGETHER


def test_two_processes_on_different_targets_start_all_windows(limited: Limited) -> None:
    ids = integrations(limited)
    one, other = started(start(ids[: TARGETS // 2])), started(start(ids[TARGETS // 2 :]))
    runs = finished(one), finished(other)
    assert statuses(*runs) == {"started": TARGETS}
    assert set(limited.successes("POST", "maintenance_start").values()) == {1}
    assert len(limited.successes("POST", "maintenance_start")) == TARGETS
    for run in runs:
        assert_announced(run)
    assert limited.rate_limited() <= limited.waits * TOGETHER * 2


def test_two_processes_on_the_same_targets_start_each_window_once(limited: Limited) -> None:
    ids = integrations(limited, 30)
    runs = [finished(process) for process in [started(start(ids)), started(start(ids))]]
    assert limited.successes("POST", "maintenance_start") == {
        f"/api/v1/integrations/{each}/maintenance_start": 1 for each in ids
    }
    assert statuses(*runs) == {"started": 30, "unchanged": 30}
    for run in runs:
        assert_announced(run)


def test_many_names_are_all_found(limited: Limited) -> None:
    names = {each["id"]: each["name"] for each in all_of(limited, "integrations/?perpage=1000")}
    ids = [each for each in integrations(limited, 100) if names[each].startswith("service-")][:TARGETS]
    assert len(ids) == TARGETS
    run = finished(started(f"integrations get {' '.join(names[each] for each in ids)} -o json"))
    assert [each["id"] for each in run.json] == ids
    assert_announced(run)


def test_many_alert_groups_are_each_acknowledged_once(limited: Limited) -> None:
    limited.limit(10**6)
    links = {each["id"] for each in all_of(limited, "integrations/?perpage=1000") if each["link"]}
    for each in [ident for ident in integrations(limited, 100) if ident in links][:30]:
        limited.alert(each)
    limited.limit(LIMIT)
    groups = [each["id"] for each in all_of(limited, "alert_groups/?state=new&perpage=1000")]
    assert len(groups) > 30
    run = finished(started(f"alert-groups acknowledge {' '.join(groups)} --yes -o json"))
    assert statuses(run) == {"acknowledged": len(groups)}
    assert limited.successes("POST", "acknowledge") == {
        f"/api/v1/alert_groups/{each}/acknowledge/": 1 for each in groups
    }
    assert_announced(run)


def test_rate_limit_longer_than_the_timeout_is_waited_for(
    limited: Limited, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited.seconds = 4
    token = world / "token"
    token.touch(mode=0o600)
    token.write_text(limited.token)
    config = world / "config.toml"
    config.write_text(f'[profiles.work]\nurl = "{limited.url}"\napi = "cloud"\ntoken_file = "{token}"\ntimeout = 3\n')
    monkeypatch.setenv("ONCALLCTL_CONFIG", str(config))
    run = finished(started(f"{start(integrations(limited, 12))} -p work"))
    assert statuses(run) == {"started": 12}
    assert set(limited.successes("POST", "maintenance_start").values()) == {1}
    assert_announced(run, 4)


def test_rate_limit_with_quiet_is_not_announced(limited: Limited) -> None:
    run = finished(started(f"{start(integrations(limited, 25))} -q"))
    assert (run.stdout, run.stderr) == ("", "")
    assert len(limited.successes("POST", "maintenance_start")) == 25
