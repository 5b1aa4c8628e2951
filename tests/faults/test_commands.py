"""Every command on servers with each kind of fault: exit code, one error line, no secrets, no change sent twice."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from werkzeug.test import Client

from oncallctl import sandbox
from oncallctl.cli import app
from oncallctl.config.private_files import state_folder
from oncallctl.maintenance.run.shared import SharedWindow, WindowRecord
from oncallctl.maintenance.windows.settle import RETRIES
from tests.conftest import Run, Runner
from tests.faults.clocks import use_clocks
from tests.faults.commands import ASIDE, LINES, SERVICE, Kind, windows
from tests.unit.api.wire import Arrived, Reaction, Wire, answer

TOKEN = "7c1fa9e2b04d8836a5e0d9471bb2c6f3e85a0d7719c4b2f6"


class Server:
    """The sandbox as Cloud behind a raw socket, with a fault for its reads or its changes.

    Attributes:
        kind: the fault, or None.
        to: requests with the fault: "reads" or "changes".
        refuse_after: number of requests after which connections are refused.
    """

    def __init__(self, database: Path) -> None:
        self._application = Client(sandbox.application(database, "cloud", rate_limit=100_000))
        self.kind: Kind | None = None
        self.to = "reads"
        self.refuse_after: int | None = None

    def links(self) -> set[str]:
        """Return all links that let anyone raise alerts."""
        pages = [self.call("GET", "integrations/?perpage=100")]
        while pages[-1]["next"]:
            pages.append(self.call("GET", f"integrations/?perpage=100&page={len(pages) + 1}"))
        rows = [row for page in pages for row in page["results"]]
        beats = {row["heartbeat"]["link"] for row in rows if row["heartbeat"]}
        assert beats
        return beats | {link for row in rows for link in (row["link"], row["inbound_email"]) if link}

    def start(self) -> Wire:
        self.wire = Wire(decide=self._decide)
        return self.wire

    @property
    def changes(self) -> list[Arrived]:
        return [each for each in self.wire.arrived if each.method != "GET"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        response = self._ask(method, f"/api/v1/{path}", json=body)
        assert response.status_code < 300, response.text
        return response.json if response.data else None

    def _ask(self, method: str, target: str, **more: Any) -> Any:
        authorization = {"Authorization": f"Bearer {sandbox.ADMIN_TOKEN}"}
        return self._application.open(target, method=method, headers=authorization, **more)

    def _decide(self, arrived: Arrived) -> Reaction:
        if arrived.headers.get("authorization", "").removeprefix("Bearer ") != TOKEN:
            return answer(403, {"detail": "Invalid token."})
        if len(self.wire.arrived) == self.refuse_after:
            self.wire.refuse()
        if self.kind and (arrived.method == "GET") == (self.to == "reads"):
            return self._spoilt(self.kind, arrived)
        return self._carried_out(arrived)

    def _carried_out(self, arrived: Arrived) -> bytes:
        kind = {"content_type": "application/json"} if arrived.body else {}
        done = self._ask(arrived.method, arrived.target, data=arrived.body or None, **kind)
        return answer(done.status_code, text=done.data, content_type=done.content_type or "application/json")

    def _spoilt(self, kind: Kind, arrived: Arrived) -> bytes:
        said_back = f"{arrived.headers['authorization']} at {arrived.target}"
        match kind:
            case Kind.AFTER:
                self._carried_out(arrived)
                return b""
            case Kind.FORBIDDEN:
                return answer(403, {"detail": f"not with {said_back}"})
            case Kind.DOWN:
                return answer(503, text=f"<h1>no server for {said_back}</h1>", content_type=f"text/html; x={TOKEN}")
            case Kind.NONSENSE:
                return answer(200, text=f"<title>Log in</title>{said_back}", content_type=f"text/html; x={TOKEN}")
        return b""


@dataclass(frozen=True)
class Sample:
    """A database with the sample data, and its secret links."""

    database: Path
    links: frozenset[str]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    database = tmp_path_factory.mktemp("sample") / "cloud.sqlite3"
    return Sample(database, frozenset(Server(database).links()))


Leaks = Callable[..., list[str]]


@pytest.fixture
def leaks(sample: Sample, world: Path) -> Leaks:
    """Return a function that finds secrets in the output and the files of a run.

    With `links_shown`, links must be on stdout and may be nowhere else.
    """

    def find(path: str, done: Run, server: Server, *, links_shown: bool = False) -> list[str]:
        texts = {"stdout": done.stdout, "stderr": done.stderr}
        if LINES[path].shows_token:
            del texts["stdout"]
        for file in world.rglob("*"):
            if (
                file.is_file()
                and file.name not in {"token", "other-token"}
                and not file.name.startswith("cloud.sqlite3")
            ):
                texts[str(file)] = file.read_bytes().decode("utf-8", "replace")
        found = [f"the token in {where}" for where, text in texts.items() if TOKEN in text]
        links = sample.links | (server.links() if server.changes else set())
        assert any(link in done.stdout for link in links) == links_shown
        if links_shown:
            texts.pop("stdout", None)
        return found + [f"a link in {where}" for where, text in texts.items() for link in links if link in text]

    return find


Attempt = Callable[..., tuple[Run, Server]]


@pytest.fixture
def attempt(world: Path, run: Runner, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attempt]:
    """Return a function that runs the line of a command on a new server and with a new HOME. Waiting takes no time."""
    use_clocks(monkeypatch)
    monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0, 0.0))
    opened: list[Wire] = []

    def go(path: str, kind: Kind | None = None, to: str = "reads", *, options: str = "-vvv") -> tuple[Run, Server]:
        line = LINES[path]
        shutil.rmtree(world / "home")
        (world / "home").mkdir()
        reads = reads_before_the_change(path) if kind is Kind.REFUSED and to == "changes" else None
        shutil.copy(sample.database, world / "cloud.sqlite3")
        server = Server(world / "cloud.sqlite3")
        opened_window = None
        if line.window:
            opened_window = server.call(
                "POST", f"integrations/{SERVICE}/maintenance_start", {"mode": "silence_escalations", "duration": 3600}
            )
        wire = server.start()
        opened.append(wire)
        if kind is Kind.REFUSED:
            server.refuse_after = reads
            if not reads:
                wire.refuse()
        else:
            server.kind, server.to = kind, to
        prepare(world, monkeypatch, wire.url)
        if line.orphaned:
            leave_behind(wire.url, opened_window)
        body = world / "body.json"
        body.write_text(json.dumps(line.body))
        words = line.rest.format(windows=world / "windows.toml", token=world / "token", url=wire.url, body=body)
        return run(f"{path} {options} {words}", status=None), server

    def reads_before_the_change(path: str) -> int:
        _, server = go(path)
        return server.wire.arrived.index(server.changes[0])

    yield go
    for wire in opened:
        wire.__exit__()


def prepare(world: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Create the files for a line: windows, tokens, and a profile besides that of the environment."""
    (world / "windows.toml").write_text(windows(datetime.now(UTC)))
    for name in ("token", "other-token"):
        (world / name).write_text(TOKEN)
        (world / name).chmod(0o600)
    config = world / "home/.config/oncallctl/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f'[profiles.other]\nurl = "{url}"\napi = "cloud"\ntoken_source = "file"\ntoken_file = "{world}/other-token"\n'
    )
    config.chmod(0o600)
    for name, value in {"URL": url, "TOKEN": TOKEN, "API": "cloud"}.items():
        monkeypatch.setenv(f"ONCALLCTL_{name}", value)


def leave_behind(url: str, integration: dict[str, Any]) -> None:
    """Record a window as a killed run leaves it behind."""
    begun = datetime.fromisoformat(integration["maintenance_started_at"])
    shared = SharedWindow.of(state_folder(), url.removeprefix("http://"), SERVICE)
    shared.save(
        WindowRecord(
            server=url.removeprefix("http://"),
            id=SERVICE,
            name=integration["name"],
            mode="silence_escalations",
            seconds=3600,
            asked_at=begun,
            run="gone",
            reason=None,
            started_at=begun,
        )
    )


def leaves() -> set[str]:
    """Return all commands, including hidden ones."""

    def below(command: Any, path: str) -> Iterator[str]:
        if not hasattr(command, "commands"):
            yield path
            return
        for name in command.commands:
            yield from below(command.commands[name], f"{path} {name}".strip())

    return set(below(get_command(app), ""))


def errors(done: Run) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("error:")]


def test_table_of_lines_covers_every_command() -> None:
    assert leaves() == {*LINES, *ASIDE}


@pytest.mark.promise("links-let-anyone-raise-alerts")
@pytest.mark.parametrize("path", LINES)
def test_command_without_faults_succeeds_and_leaks_nothing_in_any_format(
    path: str, attempt: Attempt, leaks: Leaks
) -> None:
    line = LINES[path]
    done, server = attempt(path)
    assert done.status == line.success, done
    if line.reads is not None:
        assert any(each.method == "GET" for each in server.wire.arrived)
    assert any(line.path in each.target for each in server.changes) == (line.changes is not None)
    assert leaks(path, done, server) == []
    assert (TOKEN in done.stdout) == line.shows_token
    for output in ("json", "csv", *(("jsonl", "id") if path.startswith(("integrations", "maintenance")) else ())):
        done, server = attempt(path, options=f"-vvv -o {output}")
        shown = line.shows_secrets and output.startswith("json")
        assert leaks(path, done, server, links_shown=shown) == [], output


def cases() -> list[Any]:
    """Return the commands with the kind of their requests."""
    return [
        pytest.param(path, to, id=f"{path}: {to}")
        for path, line in LINES.items()
        for to in ("reads", "changes")
        if getattr(line, to)
    ]


@pytest.mark.parametrize(("path", "to"), cases())
def test_command_on_a_faulty_server_exits_as_documented_and_leaks_nothing(
    path: str, to: str, attempt: Attempt, leaks: Leaks
) -> None:
    failures: list[str] = []
    for kind in Kind:
        if kind is Kind.AFTER and to == "reads":  # a read is not carried out
            continue
        done, server = attempt(path, kind, to)
        found = [*mistakes(path, kind, to, done), *leaks(path, done, server), *repetitions(path, kind, server)]
        failures += [f"{kind.name}: {each}" for each in found]
    assert failures == [], "\n".join(failures)


def mistakes(path: str, kind: Kind, to: str, done: Run) -> Iterator[str]:
    """Yield what is wrong with the exit code and the number of errors."""
    code = getattr(LINES[path], to).of(kind)
    if done.status != code:
        yield f"exit {done.status} instead of {code}: {done.stderr}"
    if len(errors(done)) != (done.status != 0):
        yield f"{len(errors(done))} error lines: {done.stderr}"


def repetitions(path: str, kind: Kind, server: Server) -> Iterator[str]:
    """Yield changes that were sent although connections are refused, and those that were sent too often."""
    times = Counter((each.method, each.target) for each in server.changes)
    # The start or stop of a window is retried if reading back proves that a 5xx did not change it.
    most = 1 + RETRIES if kind is Kind.DOWN and path.startswith("maintenance") else 1
    if not set(times.values()) <= {most}:
        yield f"{times} instead of {most} each"
    if kind is Kind.REFUSED and times:
        yield f"{times} on a server that refuses connections"


# Changes without a response


def maintenance(server: Server) -> str | None:
    return server.call("GET", f"integrations/{SERVICE}/")["maintenance_mode"]


@pytest.mark.parametrize(
    ("path", "status", "mode"),
    [("maintenance start", "started", "silence_escalations"), ("maintenance stop", "stopped", None)],
)
def test_window_change_carried_out_without_a_response_is_reported_as_done(
    path: str, status: str, mode: str | None, attempt: Attempt
) -> None:
    done, server = attempt(path, Kind.AFTER, "changes", options="-o json")
    (row,) = done.json
    assert (done.status, row["status"], row["error"]) == (0, status, None)
    assert row["integration"]["maintenance_mode"] == maintenance(server) == mode
    assert len(server.changes) == 1


@pytest.mark.parametrize(("path", "mode"), [("maintenance start", None), ("maintenance stop", "silence_escalations")])
@pytest.mark.parametrize("kind", [Kind.BEFORE, Kind.DOWN, Kind.NONSENSE])
def test_window_change_not_carried_out_is_reported_as_unknown_that_may_still_come(
    kind: Kind, path: str, mode: str | None, attempt: Attempt
) -> None:
    done, server = attempt(path, kind, "changes", options="-o json")
    assert (done.status, done.error["code"]) == (9, "outcome_unknown")
    assert "may still take effect" in done.error["message"]
    assert "maintenance status" in done.error["hint"]
    assert maintenance(server) == mode
    assert len(server.changes) == (1 + RETRIES if kind is Kind.DOWN else 1)


@pytest.mark.promise("nobody-paged-twice")
@pytest.mark.parametrize("kind", [Kind.BEFORE, Kind.AFTER, Kind.DOWN, Kind.NONSENSE])
def test_page_without_a_response_is_sent_once_and_names_the_command_to_check(kind: Kind, attempt: Attempt) -> None:
    done, server = attempt("escalate", kind, "changes", options="-o json")
    paged = [row for row in server.call("GET", "alert_groups/?perpage=1000")["results"] if row["title"] == "fire"]
    assert (done.status, done.error["code"]) == (9, "outcome_unknown")
    assert "the page may have been sent" in done.error["message"]
    assert done.error["hint"].startswith("oncallctl alert-groups")
    assert len(paged) == (kind is Kind.AFTER)
    assert [each.target for each in server.changes] == ["/api/v1/escalation/"]
